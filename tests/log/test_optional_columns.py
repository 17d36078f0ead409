"""Columns that the version does not need come and go from batch to batch, in any order, and are read again."""

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from column_kinds import EMPTY, KINDS
from hypothesis import given, settings
from hypothesis import strategies as st

from modelops_jupyter.actions.prediction_logging import log_predictions
from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.frames import to_arrow
from modelops_jupyter.log import PredictionLog, read_quarantine
from modelops_jupyter.store import Change, InMemoryStore, Put

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
MONTH = START, START + dt.timedelta(days=31)
FEATURE = "x"
HELD = sorted(name for name, kind in KINDS.items() if kind.is_held)
FEW = settings(max_examples=settings.default.max_examples // 2)


class Log:
    """The log of a model with one feature, to which batches with other columns are appended."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store, self.log, self.rows = folder, InMemoryStore(), PredictionLog(folder), 0
        self.expected: dict[str, dict[str, Any]] = {}
        body = {"name": "m", "version": 1, "task": "regression", "kind": "ml", "features": [FEATURE]}
        self.store.commit(Change(puts=(Put("model", "m", {"name": "m"}, "m"), Put("version", "m/000001", body, "m"))))

    def append(self, rows: int, columns: dict[str, Any], back: dict[str, list[Any]], feature: str = FEATURE) -> None:
        ids = [f"r{row}" for row in range(self.rows, self.rows + rows)]
        own = {
            "id": pa.array(ids),
            "at": pa.array([START + dt.timedelta(minutes=row) for row in range(rows)], pa.timestamp("us", "UTC")),
            "said": pa.array([0.5] * rows),
            feature: pa.array([1.5] * rows),
        }
        frame = pa.table({**own, **{name: _as_arrow(column) for name, column in columns.items()}})
        names = {"id": "id", "time": "at", "prediction": "said", "score": None, "batch_id": None}
        log_predictions(self.store, self.log, "m/1", frame, **names)
        self.rows += rows
        for place, request in enumerate(ids):
            self.expected[request] = {name: values[place] for name, values in back.items()}

    def check(self, names: list[str]) -> None:
        """Assert that every row is read again with its values, missing where its batch had no such column."""
        read = self.log.read("m", *MONTH)
        assert read is not None
        there = [name for name in names if name in read.column_names]
        assert {name for columns in self.expected.values() for name in columns} == set(there)
        ids = read["request_id"].to_pylist()
        for name in there:
            values = dict(zip(ids, read[name].to_pylist(), strict=True))
            assert values == {request: columns.get(name) for request, columns in self.expected.items()}
        counted = 0
        for slab in self.log.stream("m", *MONTH, lambda time: time, lambda times: times // 10**12):
            for piece in slab.pieces:
                counted += len(piece.read(FEATURE) or ())
                assert all(column is None or len(column) == piece.rows for column in map(piece.read, names))
        assert counted == len(ids) == self.rows


def _as_arrow(column: Any) -> Any:
    if isinstance(column, pd.Series):
        return to_arrow(pd.DataFrame({"u": column}))["u"]
    return column if isinstance(column, pa.Array) else column.to_arrow()


@FEW
@given(st.data())
def test_optional_columns_come_and_go_in_any_order(data: st.DataObject) -> None:
    """Each column is of one kind; a batch has it with values, with none at all, or not at all."""
    names = ["segment", "note", "extra"]
    kinds = {name: KINDS[data.draw(st.sampled_from(HELD))] for name in names}
    with TemporaryDirectory() as folder:
        log = Log(Path(folder))
        for _ in range(data.draw(st.integers(2, 4))):
            rows = data.draw(st.integers(1, 3))
            columns: dict[str, Any] = {}
            back: dict[str, list[Any]] = {}
            for name, kind in kinds.items():
                how = data.draw(st.sampled_from(["absent", "empty", "values"]))
                if how == "absent":
                    continue
                values = [None] * rows
                if how == "values":
                    drawn = kind.values.filter(lambda value: value != [])  # of empty lists alone nothing knows the type
                    values = data.draw(st.lists(st.one_of(drawn, st.none()), min_size=rows, max_size=rows))
                if all(value is None for value in values):
                    columns[name] = EMPTY[data.draw(st.sampled_from(sorted(EMPTY)))](rows)
                else:
                    sources = kind.sources(None in values)
                    columns[name] = sources[data.draw(st.sampled_from(sorted(sources)))](values)
                back[name] = [None if value is None else kind.back(value) for value in values]
            log.append(rows, columns, back)
        log.check(names)
        assert not read_quarantine(log.folder)


def test_the_first_batch_with_values_decides_the_type_and_features_stay_required(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.append(2, {"segment": pa.nulls(2)}, {"segment": [None, None]})
    log.append(1, {}, {})
    log.append(2, {"segment": pa.array(["a", None])}, {"segment": ["a", None]})
    with pytest.raises(InvalidFrame, match=r"'segment' holds numbers, the log has string"):
        log.append(1, {"segment": pa.array([1.5])}, {})
    with pytest.raises(InvalidFrame, match=r"no column 'x', a feature of m/1"):
        log.append(1, {"segment": pa.array(["b"])}, {}, feature="renamed")
    back = {"segment": ["b"], "late": [dt.date(2026, 1, 1)]}
    log.append(1, {name: pa.array(values) for name, values in back.items()}, back)
    log.check(["segment", "late"])
