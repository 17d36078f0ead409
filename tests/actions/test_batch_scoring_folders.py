"""Folders of files, and files that break off, scored: one table or one sentence, and nothing half written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scored_flights import N, elsewhere, workspace_of_delay

from modelops_jupyter.errors import InvalidFrame, InvalidInput
from modelops_jupyter.settings import Settings
from modelops_jupyter.table_files import reading
from modelops_jupyter.workspace import Workspace


@pytest.fixture
def ws(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.chdir(settings.project)
    with workspace_of_delay(settings) as workspace:
        yield workspace


def to_folder(folder: str, kind: str, *parts: pd.DataFrame, **how: Any) -> None:
    Path(folder).mkdir()
    for number, part in enumerate(parts):
        getattr(part, f"to_{kind}")(f"{folder}/{number}.{kind}", index=False, **how)


def nothing_was_written(ws: Workspace) -> bool:
    return not [path for path in Path().iterdir() if "out" in path.name] and ws.log.extent("delay") is None


LOGGED: dict[str, Any] = {"log": True, "id": "id", "time": "at"}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_folder_of_files_is_one_table(ws: Workspace, kind: str) -> None:
    given = elsewhere()
    to_folder("parts", kind, given[:90], given[90:].assign(note="late"))
    Path("parts/_SUCCESS").touch()
    Path("parts/README.txt").write_text("notes")
    assert ws.predict_file("delay/1", "parts", "out.parquet", **LOGGED).logged == N
    written = pd.read_parquet("out.parquet")
    assert list(written["id"]) == list(given["id"])
    assert written["note"].isna().sum() == 90  # a column of one file is kept, and missing in the other
    expected, score = ws.predict("delay/1", given)
    assert (written["prediction"] == expected).all()
    np.testing.assert_allclose(written["score"], score)


@pytest.mark.parametrize("invalid", ["mark", "refuse", "allow"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("lacking", [0, 1, 2])
def test_a_feature_that_one_file_of_a_folder_lacks_is_refused_before_anything_is_written(
    ws: Workspace, kind: str, invalid: str, lacking: int
) -> None:
    parts = [part.drop(columns="wind") if n == lacking else part for n, part in enumerate(thirds(elsewhere()))]
    to_folder("parts", kind, *parts)
    with pytest.raises(
        InvalidFrame, match=rf"parts/{lacking}\.{kind}' has no column 'wind', a feature of delay/1: it has"
    ):
        ws.predict_file("delay/1", "parts", "out.parquet", invalid=invalid, **LOGGED)
    assert nothing_was_written(ws)


def thirds(frame: pd.DataFrame) -> list[pd.DataFrame]:
    return [frame[n * 100 : n * 100 + 100] for n in range(3)]


def test_a_file_of_a_folder_that_cannot_be_read_is_named_before_anything_is_written(ws: Workspace) -> None:
    to_folder("parts", "parquet", *thirds(elsewhere()))
    with Path("parts/2.parquet").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(InvalidFrame, match=r"parts/2\.parquet' is no Parquet file that can be read"):
        ws.predict_file("delay/1", "parts", "out.parquet", **LOGGED)
    assert nothing_was_written(ws)


def test_a_table_that_breaks_off_leaves_no_predictions_in_the_log(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ROWS", 50)
    monkeypatch.setattr(reading, "_BLOCK", 4096)
    elsewhere().to_csv("in.csv", index=False)
    with Path("in.csv").open("a") as file:
        file.write("1,JFK,2,too,many,values,here\n")
    with pytest.raises(InvalidFrame, match="holds no table that can be read"):
        ws.predict_file("delay/1", "in.csv", "out.parquet", **LOGGED)
    assert nothing_was_written(ws)


def test_text_of_a_csv_file_is_read_alike_in_all_its_parts(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS", 50)
    given = elsewhere().assign(gate=[str(n) for n in range(N - 1)] + ["B7"], seen=elsewhere()["at"], empty=None)
    given.loc[:60, "seen"] = pd.NaT
    given.loc[250:, "empty"] = 1.5
    given.to_csv("in.csv", index=False)
    assert ws.predict_file("delay/1", "in.csv", "out.parquet", **LOGGED).logged == N
    logged = ws.log.read("delay", pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-01-02", tz="UTC"))
    assert logged is not None
    types = [logged.schema.field(name).type for name in ("gate", "seen", "empty")]
    assert types == [pa.string(), pa.timestamp("us", "UTC"), pa.float64()]
    assert logged["gate"].to_pylist() == list(given["gate"])


@pytest.mark.parametrize(
    ("change", "write", "says"),
    [
        ({"wind": " Wind"}, {}, r"rename ' Wind', which differs in case or blanks only; it has 'seats', "),
        ({"wind": "WIND"}, {}, r"rename 'WIND', which differs in case or blanks only"),
        (
            {"wind": "speed"},
            {},
            r"no column 'wind', a feature of delay/1: it has 'seats', 'origin', 'speed', 'id', 'at'",
        ),
        ({}, {"sep": ";"}, r"its only column is 'seats;origin;wind;id;at', so ';' seems to separate its columns"),
        ({}, {"sep": "\t"}, r"so a tab seems to separate its columns; write them with commas"),
        ({}, {"sep": ";", "decimal": ","}, r"'in\.csv' holds no table that can be read: ';' seems to separate"),
    ],
    ids=["blank", "case", "other", "semicolon", "tab", "decimal comma"],
)
def test_what_a_missing_column_is_called_instead_is_named(
    ws: Workspace, change: dict[str, str], write: dict[str, str], says: str
) -> None:
    elsewhere().rename(columns=change).to_csv("in.csv", index=False, **write)
    with pytest.raises(InvalidFrame, match=says):
        ws.predict_file("delay/1", "in.csv", "out.csv")
    assert nothing_was_written(ws)


def test_the_columns_that_are_named_are_bounded(ws: Workspace) -> None:
    wide = pd.DataFrame(0, index=range(3), columns=[f"{n}{'x' * 5000}" for n in range(300)])
    wide.to_parquet("in.parquet")
    with pytest.raises(InvalidFrame, match=r"and 280 more\.$") as error:
        ws.predict_file("delay/1", "in.parquet", "out.csv")
    assert len(str(error.value)) < 1500


def test_folders_that_are_no_table_are_one_sentence(ws: Workspace) -> None:
    Path("empty").mkdir()
    with pytest.raises(InvalidInput, match="holds no Parquet files, no CSV files and no Delta table"):
        ws.predict_file("delay/1", "empty", "out.csv")
    to_folder("both", "csv", elsewhere())
    elsewhere().to_parquet("both/1.parquet")
    with pytest.raises(InvalidInput, match="both Parquet and CSV files"):
        ws.predict_file("delay/1", "both", "out.csv")
    to_folder("types", "parquet", elsewhere(), elsewhere().assign(id=1.5))
    with pytest.raises(
        InvalidFrame, match=r"Column 'id' holds large_string in 'types/0\.parquet' and double in 'types/1"
    ):
        ws.predict_file("delay/1", "types", "out.csv")


def test_columns_of_paths_belong_to_a_folder_of_csv_files_too(ws: Workspace) -> None:
    for origin, part in elsewhere().groupby("origin"):
        Path(f"parts/origin={origin}").mkdir(parents=True)
        part.drop(columns="origin").to_csv(f"parts/origin={origin}/a.csv", index=False)
    assert ws.predict_file("delay/1", "parts", "out.parquet").scored == N
    assert (
        pd.read_parquet("out.parquet")["origin"].value_counts().to_dict()
        == elsewhere()["origin"].value_counts().to_dict()
    )


@pytest.mark.parametrize("output", ["folder/a.parquet", "folder/new.parquet", "folder/deep/../b.csv", "link/a.parquet"])
def test_nothing_is_written_into_the_folder_that_is_read(ws: Workspace, output: str) -> None:
    (Path("folder") / "deep").mkdir(parents=True)
    elsewhere().to_parquet("folder/a.parquet")
    Path("link").symlink_to("folder")
    before = {path: path.read_bytes() for path in Path("folder").rglob("*") if path.is_file()}
    with pytest.raises(InvalidInput, match="which is read as one table: write to another folder"):
        ws.predict_file("delay/1", "folder", output)
    assert {path: path.read_bytes() for path in Path("folder").rglob("*") if path.is_file()} == before


def test_no_delta_table_is_written_around_the_rows_that_are_read(ws: Workspace) -> None:
    Path("folder").mkdir()
    elsewhere().to_parquet("folder/a.parquet")
    with pytest.raises(InvalidInput, match=r"is a folder that holds 'folder/a\.parquet', which is read"):
        ws.predict_file("delay/1", "folder/a.parquet", "delta:folder")
    assert [path.name for path in Path("folder").iterdir()] == ["a.parquet"]


@pytest.mark.parametrize(
    ("encoding", "words"),
    [("utf-16", "in UTF-16: write it in UTF-8"), ("latin-1", "byte 0xfc at place .* is no UTF-8")],
)
def test_a_csv_file_in_another_encoding_is_named(ws: Workspace, encoding: str, words: str) -> None:
    elsewhere().assign(origin="Zürich").to_csv("in.csv", index=False, encoding=encoding)
    with pytest.raises(InvalidFrame, match=words):
        ws.predict_file("delay/1", "in.csv", "out.csv")
    assert not Path("out.csv").exists()
