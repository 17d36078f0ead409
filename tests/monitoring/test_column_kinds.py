"""A model with columns of every kind is registered, logged and monitored; a time that stands for none stops nothing."""

import datetime as dt
import uuid
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from sklearn.dummy import DummyClassifier

import modelops_jupyter as mo
from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.frames import zones_in_arrow
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

ROWS = 200
NUMBERS = np.random.default_rng(0).integers(0, 100, ROWS)
LABELS = NUMBERS % 2
LOG = {"id": "i", "time": "t", "prediction": "p", "score": "s"}
DAY = dt.date(2026, 1, 1)
COLUMNS: dict[str, Any] = {
    "whole": NUMBERS,
    "huge": NUMBERS + 2**60,
    "floats": NUMBERS / 7,
    "decimals": [Decimal(int(number)) / 100 for number in NUMBERS],
    "truth": NUMBERS > 50,
    "texts": [f"t{number % 3}" for number in NUMBERS],
    "categories": pd.Categorical([f"t{number % 3}" for number in NUMBERS]),
    "UUIDs": [uuid.UUID(int=int(number)) for number in NUMBERS],
    "bytes": [bytes([number]) for number in NUMBERS],
    "dates": [DAY + dt.timedelta(days=int(number)) for number in NUMBERS],
    "sentinels": [dt.date(9999, 12, 31) if number % 2 else dt.date(1, 1, 1) for number in NUMBERS],
    "times": pd.Timestamp("2026-01-01") + pd.to_timedelta(NUMBERS, unit="h"),
    "zoned": pd.Timestamp("2026-01-01", tz="Europe/Vienna") + pd.to_timedelta(NUMBERS, unit="h"),
    "lists": [[float(number)] for number in NUMBERS],
}
TABLE = pd.DataFrame(COLUMNS)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace(Settings(project=tmp_path, root=tmp_path / "w"))


def scored(table: pd.DataFrame, day: int, times: Any = None) -> pd.DataFrame:
    """Return rows of one day, as a service that predicts them has them."""
    start = pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(days=day)
    at = start + pd.to_timedelta(np.arange(len(table)), unit="min") if times is None else times
    ids = [f"r{day}-{number}" for number in range(len(table))]
    return table.assign(i=ids, t=at, p=LABELS[: len(table)], s=0.5)


def test_columns_of_every_kind_are_monitored(ws: Workspace) -> None:
    model = DummyClassifier().fit(np.zeros((ROWS, TABLE.shape[1])), LABELS)
    ws.register(model, "m", data=TABLE, target=LABELS)
    empty = TABLE.assign(**{name: None for name in TABLE})
    arrow = pa.Table.from_pandas(zones_in_arrow(scored(TABLE, 2)), preserve_index=False)
    for batch in (scored(empty, 0), scored(TABLE, 1), arrow, scored(empty, 3)):
        ws.log_predictions("m/1", batch, **LOG)
    windows = ws.monitor("m").windows
    assert [window.rows for window in windows] == [ROWS] * 4
    for name in ("whole", "huge", "floats", "decimals", "truth", "texts", "categories"):
        for window in (windows[1], windows[2]):
            assert window.drift[name]["jensen_shannon"]["value"] == pytest.approx(0, abs=0.01), name
            assert window.drift[name]["null_rate"]["value"] == 0, name
        assert windows[3].drift[name]["null_rate"]["value"] == 1, name
    assert ws.multivariate_drift("m", window="2026-01-03") is not None


TIMES = ["0001-01-01", "1700-01-01", "1900-01-01", "2262-01-20", "9999-12-31 23:59:59"]
WINDOWS = ["1h", "1D", "1W"]


@pytest.fixture
def numbers(ws: Workspace) -> pd.DataFrame:
    """The features of a model that is registered."""
    table = TABLE[["whole"]]
    ws.register(DummyClassifier().fit(table, LABELS), "m", data=table, target=LABELS)
    return table


def test_times_that_stand_for_none_are_refused(ws: Workspace, numbers: pd.DataFrame) -> None:
    for time, rows in product(TIMES, [1, ROWS]):
        times = pd.Series(pd.date_range("2026-01-01", periods=ROWS, freq="min", tz="UTC", unit="us"))
        times[:rows] = pd.Timestamp(time, tz="UTC").as_unit("us")
        with pytest.raises(InvalidFrame, match=rf"'t' holds {time[:10]}, which stands for a missing time"):
            ws.log_predictions("m/1", scored(numbers, 0, times), **LOG)
        labels = pd.DataFrame({"i": ["r0-0"], "y": [1], "e": times[:1]})
        with pytest.raises(InvalidFrame, match=rf"'e' holds {time[:10]}, which stands for a missing time"):
            ws.log_labels("m", labels, id="i", label="y", event_time="e")
        rows_of_now = numbers.assign(timestamp=times)
        for columns in (rows_of_now, pa.Table.from_pandas(zones_in_arrow(rows_of_now))):
            with pytest.raises(InvalidFrame, match=rf"'timestamp' holds {time[:10]}"):
                mo.compare_data(numbers, columns)
    ws.log_predictions("m/1", scored(numbers, 0), **LOG)
    assert [window.rows for window in ws.monitor("m").windows] == [ROWS]


def test_times_that_stand_for_none_in_an_older_log_do_not_count(ws: Workspace, numbers: pd.DataFrame) -> None:
    path = ws.log.path("m", "predictions")
    ws.log_predictions("m/1", scored(numbers, 0), **LOG)
    rows = pa.table(DeltaTable(str(path)).to_pyarrow_table())
    for day, time in enumerate(TIMES, start=1):
        odd = pa.array([pd.Timestamp(time, tz="UTC").as_unit("us")] * ROWS, rows.schema.field("timestamp").type)
        write_deltalake(str(path), rows.set_column(1, "timestamp", odd), mode="append")
        for every in WINDOWS:
            assert sum(window.rows for window in ws.monitor("m", every=every).windows) == day * ROWS
        ws.log_predictions("m/1", scored(numbers, day), **LOG)
    assert len(ws.models()) == 1
    assert ws.status()


def test_a_log_of_nothing_but_times_that_stand_for_none_stops_nothing(ws: Workspace, numbers: pd.DataFrame) -> None:
    path = ws.log.path("m", "predictions")
    ws.log_predictions("m/1", scored(numbers, 0), **LOG)
    rows = pa.table(DeltaTable(str(path)).to_pyarrow_table())
    odd = pa.array([pd.Timestamp("9999-12-31", tz="UTC").as_unit("us")] * ROWS, rows.schema.field("timestamp").type)
    write_deltalake(str(path), rows.set_column(1, "timestamp", odd), mode="overwrite")
    for every in WINDOWS:
        assert ws.monitor("m", every=every).windows == ()
    assert len(ws.models()) == 1
    assert ws.status()


def test_the_first_and_the_last_time_there_is_are_monitored(ws: Workspace, numbers: pd.DataFrame) -> None:
    times = pd.Series(pd.DatetimeIndex([pd.Timestamp("1901-01-01", tz="UTC")] * ROWS).as_unit("us"))
    times[1:] = pd.Timestamp("2261-12-31 23:59:59.999999", tz="UTC")
    ws.log_predictions("m/1", scored(numbers, 0, times), **LOG)
    for every in WINDOWS:
        assert [window.rows for window in ws.monitor("m", every=every).windows] == [1, ROWS - 1]
