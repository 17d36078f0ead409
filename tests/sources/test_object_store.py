"""Tables in an object store: Delta by deltalake's own options, Parquet by fsspec's; the store is moto's on loopback."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
import pyarrow.parquet as pq
import pytest
import s3fs
from deltalake import DeltaTable, write_deltalake
from scored_tables import COLUMNS, Watched, check, days
from waiting import until

from modelops_jupyter.errors import SourceUnreachable
from modelops_jupyter.frames import to_arrow

KEY, SECRET = "AKIAFORTESTS", "secret/of+tests"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Run the store in a process of its own: deltalake holds Python's lock while it waits for an answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: answers(port), 60)
        client = boto3.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id=KEY, aws_secret_access_key=SECRET
        )
        client.create_bucket(Bucket="models")
        client.close()
        yield url
    finally:
        server.kill()
        server.wait()


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELOPS_SECRET_KEY", KEY)
    monkeypatch.setenv("MODELOPS_SECRET_WORD", SECRET)


def delta_options(address: str) -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": "$MODELOPS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY": "$MODELOPS_SECRET_WORD"}
    return {**keys, "AWS_ENDPOINT_URL": address, "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true"}


def filled(options: dict[str, str]) -> dict[str, str]:
    secrets = {"$MODELOPS_SECRET_KEY": KEY, "$MODELOPS_SECRET_WORD": SECRET}
    return {name: secrets.get(text, text) for name, text in options.items()}


def test_a_delta_table(tmp_path: Path, address: str) -> None:
    rows, options = days(range(5)), delta_options(address)
    where: dict[str, Any] = {"storage_options": filled(options)}

    def write(name: str, part: pd.DataFrame) -> None:
        write_deltalake(f"s3://models/{name}", to_arrow(part), mode="append", **where)

    labels = {"table": "delta:s3://models/came", "columns": {"request_id": "id", "label": "late"}, "options": options}
    source = {"table": "delta:s3://models/said", "columns": COLUMNS, "options": options, "labels": labels}
    model = Watched(tmp_path, source)
    for number in range(4):
        write("said", rows[200 * number : 200 * number + 200].drop(columns="late"))
    write("came", rows[["id", "late"]][:300])
    check(model.run(), rows[:800].assign(late=rows["late"].where(rows.index < 300)))
    write("said", rows[800:].drop(columns="late"))
    write("came", rows[["id", "late"]][300:600])
    wrong = rows[600:610].assign(said=1 - rows["said"][600:610])
    write("said", wrong.drop(columns="late"))
    now = rows.assign(late=rows["late"].where(rows.index < 600))
    now.loc[600:609, "said"] = wrong["said"]
    check(model.run(), now)
    table = DeltaTable("s3://models/said", **where)
    table.optimize.compact()
    table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    assert model.changed() is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_parquet(tmp_path: Path, address: str) -> None:
    options = {"key": "$MODELOPS_SECRET_KEY", "secret": "$MODELOPS_SECRET_WORD", "endpoint_url": address}
    system = s3fs.S3FileSystem(**filled(options))
    rows = days(range(5))

    def write(name: str, part: pd.DataFrame) -> None:
        with system.open(f"models/folder/{name}.parquet", "wb") as file:
            pq.write_table(to_arrow(part), file)

    source = {"table": "s3://models/folder", "columns": {**COLUMNS, "label": "late"}, "options": options}
    model = Watched(tmp_path, source)
    for number in range(4):
        write(f"day={number}/part", rows[200 * number : 200 * number + 200].assign(late=None))
    check(model.run(), rows[:800].assign(late=None))
    assert model.changed() is None
    write("day=1/part", rows[200:400])  # labels have come
    write("day=4/part", rows[800:].assign(late=None))
    changed = model.changed()
    assert changed is not None
    assert changed[0] == rows["at"][200]
    check(model.run(), rows.assign(late=rows["late"].where(rows.index.isin(range(200, 400)))))
    assert list(tmp_path.iterdir()) == []


def test_no_secret_is_said(tmp_path: Path, address: str) -> None:
    options = {**delta_options("http://127.0.0.1:1"), "AWS_SECRET_ACCESS_KEY": SECRET}
    model = Watched(tmp_path, {"table": "delta:s3://models/said", "columns": COLUMNS, "options": options})
    with pytest.raises(SourceUnreachable, match=r"delta:s3://models/said cannot be read") as error:
        model.run()
    for text in (str(error.value), repr(model.open()._source)):
        assert SECRET not in text
        assert KEY not in text
