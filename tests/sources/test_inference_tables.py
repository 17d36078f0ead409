"""Requests and responses as Databricks' inference tables log them: a row is a request of several rows, in JSON."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from deltalake import DeltaTable, write_deltalake
from scored_tables import Watched, check, days

from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.frames import to_arrow

FEATURES = ["wind", "origin"]


def body(rows: pd.DataFrame, form: int) -> dict[str, Any]:
    """Return rows in each of the forms that MLflow's scoring server takes."""
    inputs = rows[FEATURES]
    if form == 0:
        return {"dataframe_records": inputs.to_dict("records")}
    if form == 1:
        return {"dataframe_split": inputs.to_dict("split")}
    if form == 2:
        return {"instances": inputs.to_dict("records")}
    if form == 3:
        return {"inputs": inputs.to_dict("list")}
    return {"inputs": inputs.to_numpy().tolist()}


def answer(rows: pd.DataFrame, form: int) -> dict[str, Any]:
    if form == 3:
        return {"predictions": [[round(1 - p, 2), p] for p in rows["p"]]}
    return {"predictions": [{"prediction": int(row.said), "score": row.p} for row in rows.itertuples()]}


def requests(rows: pd.DataFrame, old: bool) -> pd.DataFrame:
    """Log rows as requests of one or four rows."""
    logged = []
    number = at = 0
    while at < len(rows):
        part = rows[at : at + (4 if number % 2 else 1)]
        part = part[part["at"].dt.date == part["at"].iloc[0].date()]
        request = {"databricks_request_id": f"request-{part['id'].iloc[0]}", "client_request_id": None}
        request |= {"request": json.dumps(body(part, number % 5)), "response": json.dumps(answer(part, number % 5))}
        moment = part["at"].iloc[0]
        request |= {"timestamp_ms": int(moment.timestamp() * 1000)} if old else {"request_time": moment}
        logged.append({**request, "status_code": 200})
        number, at = number + 1, at + len(part)
    failed = {**logged[0], "databricks_request_id": "failed", "status_code": 400, "response": '{"error_code": "BAD"}'}
    lost = {**logged[0], "databricks_request_id": "too long", "request": None}
    return pd.DataFrame([*logged, failed, lost])


def names(rows: pd.DataFrame) -> list[str]:
    """Return the id of each row, as `requests` groups them."""
    found: list[str] = []
    number = 0
    while len(found) < len(rows):
        part = rows[len(found) : len(found) + (4 if number % 2 else 1)]
        part = part[part["at"].dt.date == part["at"].iloc[0].date()]
        name = f"request-{part['id'].iloc[0]}"
        found += [name] if len(part) == 1 else [f"{name}/{n}" for n in range(len(part))]
        number += 1
    return found


@pytest.mark.parametrize("old", [False, True], ids=["request_time", "timestamp_ms"])
def test_figures_are_those_of_the_rows_of_the_requests(tmp_path: Path, old: bool) -> None:
    rows = days(range(4))
    rows["said"] = np.where(rows["p"] == 0.5, 0, rows["said"])
    labels = pd.DataFrame({"id": names(rows), "late": rows["late"]})
    source: dict[str, Any] = {"table": "delta:payload", "format": "inference_table"}
    source |= {"columns": {"timestamp": "timestamp_ms"}} if old else {}
    came = {"table": "came", "columns": {"request_id": "id", "label": "late"}}
    model = Watched(tmp_path, {**source, "labels": came})
    (tmp_path / "came").mkdir()
    labels.to_parquet(tmp_path / "came" / "0.parquet")
    for first in (0, 400):
        logged = to_arrow(requests(rows[first : first + 400], old))
        write_deltalake(str(tmp_path / "payload"), logged, mode="append")
        known = rows[: first + 400]
        if first:
            second = pd.DataFrame({"id": names(rows[400:]), "late": rows["late"][400:]})
            second.to_parquet(tmp_path / "came" / "1.parquet")
        check(model.run(), known)
        assert model.changed() is None
    DeltaTable(tmp_path / "payload").optimize.compact()
    assert model.changed() is None
    table = model.open().read("delay", rows["at"].min(), rows["at"].max() + pd.Timedelta(days=1))
    assert table is not None
    assert sorted(table["wind"].to_pylist()) == pytest.approx(sorted(rows["wind"]))


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    logged = requests(days(range(1)), False)
    logged.loc[3, "response"] = '{"predictions": [0, 1, 0]}'
    write_deltalake(str(tmp_path / "payload"), to_arrow(logged))
    model = Watched(tmp_path, {"table": "payload", "format": "inference_table"})
    report = model.run()
    (problem,) = model.problems
    assert re.search(r"Left out: Request 'request-0-.*payload cannot be read .*rows have 3 predictions", problem)
    assert 0 < report.windows[0].rows < 200
    write_deltalake(str(tmp_path / "none"), to_arrow(logged[3:4]))
    with pytest.raises(InvalidFrame, match=r"Request 'request-0-.*none cannot be read .*rows have 3 predictions"):
        Watched(tmp_path, {"table": "none", "format": "inference_table"}).run()
    write_deltalake(str(tmp_path / "rows"), to_arrow(logged[["request_time"]]))
    model = Watched(tmp_path, {"table": "rows", "format": "inference_table"})
    with pytest.raises(InvalidFrame, match=r"rows has no column 'request' \(map it"):
        model.run()
