"""Two tables are compared as the monitor compares a log with a reference, without a model or a workspace."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.spatial.distance import jensenshannon

import modelops_jupyter as mo
from modelops_jupyter.errors import InvalidFrame, InvalidInput, NotFound

DAYS, ROWS = 20, 400


def rows(days: int, seed: int, shifted_from: int | None = None) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    times = pd.date_range("2026-05-01", periods=days * ROWS, freq=pd.Timedelta(days=1) / ROWS, tz="UTC")
    frame = pd.DataFrame(
        {
            "timestamp": times,
            "wind <b>": generator.normal(10, 3, len(times)),
            "stops": generator.integers(0, 5, len(times)),
            "origin": generator.choice(["JFK", "LGA", "EWR"], len(times)),
        }
    )
    if shifted_from is not None:
        frame.loc[frame.index >= shifted_from * ROWS, "wind <b>"] += 6
    return frame


@pytest.fixture(scope="module")
def reference() -> pd.DataFrame:
    return rows(DAYS, 1)


def test_rows_like_the_reference_raise_no_alert(reference: pd.DataFrame) -> None:
    report = mo.compare_data(reference, rows(DAYS, 2))

    assert [window.rows for window in report.windows] == [ROWS] * DAYS
    assert report.windows[0].window_start == "2026-05-01T00:00:00+00:00"
    assert report.alerts == ()


def test_a_shift_is_an_alert_of_its_column_on_its_first_day(reference: pd.DataFrame) -> None:
    report = mo.compare_data(reference, rows(DAYS, 2, shifted_from=12))

    assert {alert.column for alert in report.alerts} == {"wind <b>"}
    assert min(alert.window_start for alert in report.alerts).startswith("2026-05-13")
    shown = report._repr_mimebundle_()["text/html"]
    assert "wind <b>" not in shown
    assert "wind &lt;b&gt;" in shown


def test_the_figures_are_those_of_the_raw_rows(reference: pd.DataFrame) -> None:
    current = rows(3, 2)

    figure = mo.compare_data(reference, current).windows[1].drift["origin"]["jensen_shannon"]["value"]

    day = current[ROWS : 2 * ROWS]["origin"].value_counts().sort_index()
    raw = jensenshannon(reference["origin"].value_counts().sort_index(), day, base=2)
    assert figure == pytest.approx(raw, rel=1e-9)


def test_files_and_tables_of_every_kind_say_the_same(reference: pd.DataFrame, tmp_path: Path) -> None:
    current = rows(4, 2).rename(columns={"timestamp": "at"})
    files = [tmp_path / "reference.parquet", tmp_path / "current.parquet"]
    for frame, file in zip((reference, current), files, strict=True):
        frame.to_parquet(file, row_group_size=700)

    found = [
        mo.compare_data(before, now, timestamp="at").windows
        for before, now in (
            (reference, current),
            (str(files[0]), files[1]),
            (reference.to_dict("series"), pa.Table.from_pandas(current)),
        )
    ]

    assert found[0] == found[1] == found[2]


def test_a_column_that_is_gone_is_missing(reference: pd.DataFrame) -> None:
    report = mo.compare_data(reference, rows(3, 2).drop(columns="stops"))

    assert report.windows[0].drift["stops"]["null_rate"]["value"] == 1.0
    assert "stops" in {alert.column for alert in report.alerts}


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda frame: frame.drop(columns="timestamp"), InvalidFrame, "no column 'timestamp'"),
        (lambda frame: frame.assign(timestamp=frame["timestamp"].dt.tz_localize(None)), InvalidFrame, "time zone"),
        (
            lambda frame: frame.assign(timestamp=frame["timestamp"].where(frame.index > 3)),
            InvalidFrame,
            "missing times",
        ),
        (lambda frame: frame[:0], InvalidFrame, "current has no rows"),
        (lambda frame: 3, InvalidFrame, "current must be a table"),
        (lambda frame: "nowhere.parquet", NotFound, "nowhere.parquet"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(
    reference: pd.DataFrame, change: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        mo.compare_data(reference, change(rows(2, 2)))


def test_a_file_of_another_kind_or_without_rows_is_refused(reference: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "notes.parquet").write_text("not what it says")
    pq.write_table(pa.table({"timestamp": pa.array([], pa.timestamp("us", "UTC"))}), tmp_path / "empty.parquet")

    with pytest.raises(InvalidFrame, match="no Parquet file"):
        mo.compare_data(reference, tmp_path / "notes.parquet")
    with pytest.raises(InvalidFrame, match="has no rows"):
        mo.compare_data(tmp_path / "empty.parquet", reference)
    with pytest.raises(InvalidInput, match="fortnight"):
        mo.compare_data(reference, rows(2, 2), every="1 fortnight")
