"""What one batch may bring, every later one may, in any order, from any library, and it is read again, equal."""

import datetime as dt
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from column_kinds import EMPTY, KINDS, table
from deltalake import write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from modelops_jupyter.actions.prediction_logging import log_predictions
from modelops_jupyter.errors import InvalidFrame, LogDamaged
from modelops_jupyter.log import PredictionLog, read_quarantine, table_problems
from modelops_jupyter.log.column_types import OF_READERS, check_names
from modelops_jupyter.store import Change, InMemoryStore, Put

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
MONTH = START, START + dt.timedelta(days=31)


def refused(call: Callable[[], None]) -> str | None:
    """Return in which words a frame is refused, or None where it is not."""
    try:
        call()
    except InvalidFrame as refusal:
        return str(refusal)
    return None


class Log:
    """The log of a model with one feature, `u`, and what it must give back."""

    def __init__(self, folder: Path, *features: str) -> None:
        self.folder, self.store, self.log, self.rows = folder, InMemoryStore(), PredictionLog(folder), 0
        self.expected: dict[str, Any] = {}
        self.has_values = False
        self.body = body = {
            "name": "m",
            "version": 1,
            "task": "regression",
            "kind": "ml",
            "features": list(features or ("u",)),
        }
        self.store.commit(Change(puts=(Put("model", "m", {"name": "m"}, "m"), Put("version", "m/000001", body, "m"))))

    def append(self, column: Any, back: list[Any]) -> str | None:
        """Log rows of one column, or return in which one sentence they are refused."""
        rows = range(self.rows, self.rows + len(back))
        ids = [f"r{row}" for row in rows]
        frame = table(
            {
                "i": ids,
                "t": [START + dt.timedelta(minutes=row) for row in rows],
                "p": [0.5] * len(back),
                "u": column,
            }
        )
        refusal = refused(lambda: self.log_frame(frame))
        if refusal is not None:
            assert re.fullmatch(r"(Column 'u' |Batch '\w+' does not fit the log: column 'u' )\S[^\n]*[^.]\.", refusal)
            return refusal
        self.rows += len(back)
        self.expected |= dict(zip(ids, back, strict=True))
        self.has_values |= any(value is not None for value in back)
        return None

    def log_frame(self, frame: Any) -> None:
        columns = {"id": "i", "time": "t", "prediction": "p", "score": None, "batch_id": None}
        log_predictions(self.store, self.log, "m/1", frame, **columns)

    def check(self) -> None:
        """Assert that all rows are read again, by those who read rows and by those who count them."""
        read = self.log.read("m", *MONTH, columns=["u"])
        assert read is not None
        assert dict(zip(read["request_id"].to_pylist(), read["u"].to_pylist(), strict=True)) == self.expected
        counted = 0
        for slab in self.log.stream("m", *MONTH, lambda time: time, lambda times: times // 10**12):
            for piece in slab.pieces:
                values = piece.read("u")
                assert values is not None
                counted += len(values)
        assert counted == len(self.expected)


FEW = settings(max_examples=settings.default.max_examples // 8)


@FEW
@given(st.data())
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_in_every_batch(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    with TemporaryDirectory() as folder:
        log = Log(Path(folder))
        for _ in range(data.draw(st.integers(1, 3))):
            values = data.draw(st.lists(st.one_of(kind.values, st.none()), min_size=1, max_size=4))
            if all(value is None for value in values):
                log.append(EMPTY[data.draw(st.sampled_from(sorted(EMPTY)))](len(values)), values)
                continue
            sources = kind.sources(None in values)
            column = sources[data.draw(st.sampled_from(sorted(sources)))](values)
            back = [None if value is None else kind.back(value) for value in values]
            refusal = log.append(column, back)
            assert kind.is_held == (refusal is None) or (
                not log.has_values and not any(values) and "holds empty lists alone" in str(refusal)
            )
        if log.expected:
            log.check()
        assert not read_quarantine(log.folder)


WHOLE, FRACTIONS, HUGE = [3, None, -7], [0.5, 2.0], [2**53 + 1, 1, -(2**63)]


@pytest.mark.parametrize("order", list(permutations(["whole", "gaps", "huge"])))
def test_whole_numbers_survive_in_any_order(tmp_path: Path, order: tuple[str, ...]) -> None:
    columns = {
        "whole": (pd.Series([3, 4]), [3, 4]),
        "gaps": (pd.Series([5, None]), [5, None]),  # pandas makes floats of it
        "huge": (pd.Series(HUGE), HUGE),
    }
    log = Log(tmp_path)
    for name in order:
        assert log.append(*columns[name]) is None
    log.check()
    read = log.log.read("m", *MONTH)
    assert read is not None
    assert read.column_names.count("u") == 1
    assert [name for name in read.column_names if "exact" in name] == []


def test_fractions_and_whole_numbers_beyond_doubles_do_not_mix(tmp_path: Path) -> None:
    log = Log(tmp_path / "fractions first")
    log.append(pd.Series(FRACTIONS), FRACTIONS)
    log.append(pd.Series(WHOLE), WHOLE)
    assert "'u' holds whole numbers beyond 2**53, the log has numbers" in str(log.append(pd.Series(HUGE), HUGE))
    log.check()
    log = Log(tmp_path / "whole numbers first")
    log.append(pd.Series(WHOLE), WHOLE)
    log.append(pd.Series(HUGE), HUGE)
    refusal = log.append(pd.Series(FRACTIONS), FRACTIONS)
    assert "'u' holds numbers, the log has whole numbers beyond 2**53" in str(refusal)
    log.append(pd.Series(WHOLE), WHOLE)
    log.check()


NAMES = st.one_of(
    st.sampled_from(
        ["index", "__x", "Index", "x", "X", "label", "prediction", "Prediction", "x (exact)", "a.b", "`", "", "0"]
    ),
    st.text(max_size=4),
    st.integers(0, 3),
    st.tuples(st.sampled_from("ab"), st.integers(0, 1)),
)


@FEW
@given(st.lists(NAMES, min_size=1, max_size=4, unique_by=str))
def test_columns_of_any_name(names: list[Any]) -> None:
    """A name is either taken, in every batch, or refused at the first."""
    texts = ["_".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in names]
    with TemporaryDirectory() as folder:
        log = Log(Path(folder), *texts)
        for batch in range(2):
            ids = [f"r{batch}", f"s{batch}"]
            own = {"i": ids, "t": [START, START], "p": [0.5, 0.5]}
            frame = pd.DataFrame({**own, **{name: [float(place), 1.0] for place, name in enumerate(names)}})
            refusal = refused(lambda frame=frame: log.log_frame(frame))
            if refusal is not None:
                assert batch == 0
                assert re.search("rename (it|one)", refusal)
                return
        read = log.log.read("m", *MONTH, columns=texts)
        assert read is not None
        for place, name in enumerate(texts):
            assert sorted(read[name].to_pylist()) == sorted([float(place), 1.0] * 2)


@pytest.mark.parametrize(
    ("later", "reason"), [("X", "'x' and 'X' differ in case only"), ("y (exact)", "ends as the log's own columns do")]
)
def test_names_that_a_later_version_brings_are_refused_too(tmp_path: Path, later: str, reason: str) -> None:
    log = Log(tmp_path, "x", later)
    rows = {"i": ["a"], "t": [START], "p": [0.5], "x": [1.0]}
    with pytest.raises(InvalidFrame, match="no column"):
        log.log_frame(pd.DataFrame(rows))
    log.store.commit(Change(puts=(Put("version", "m/000001", {**log.body, "features": ["x"]}, "m"),)))
    log.log_frame(pd.DataFrame(rows))
    log.store.commit(Change(puts=(Put("version", "m/000001", {**log.body, "features": ["x", later]}, "m"),)))
    with pytest.raises(InvalidFrame, match=re.escape(reason)):
        log.log_frame(pd.DataFrame({**rows, later: [1.0]}))


ODD = {
    "dates among times": [dt.date(2026, 1, 1), dt.datetime(2026, 1, 1, 5)],
    "times of zones among others": [dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)],
    "texts among numbers": [1, "a"],
    "Python objects": [object(), object()],
    "complex numbers": np.array([1j, 2j]),
    "periods": pd.period_range("2026-01", periods=2, freq="M"),
    "intervals": pd.interval_range(0, 2),
    "whole numbers beyond 64 bits": [2**64, 1],
    "texts that are not Unicode": ["\ud800", "a"],
    "decimals beyond 38 digits": [Decimal(10) ** 30, Decimal(1)],
    "huge decimals": [Decimal(10) ** 60, Decimal(1)],
    "small decimals": [Decimal("1e-19"), Decimal(1)],
    "lists of decimals": [[Decimal("1.5")], [Decimal(10) ** 30]],
    "nanoseconds": pd.to_datetime([1, 2], unit="ns"),
    "far times": np.array([10**14, 0], dtype="datetime64[s]"),
    "lists of huge numbers": [[2**53 + 1], [1]],
    "tables": [np.zeros((2, 2)), np.zeros((2, 2))],
    "objects of polars": pl.Series([object(), object()], dtype=pl.Object),
    "UUIDs of polars": pl.Series([uuid.uuid4(), uuid.uuid4()], dtype=pl.Object),
    "whole numbers of 128 bits": pl.Series([2**70, 1], dtype=pl.Int128),
}


@pytest.mark.parametrize("name", ODD)
def test_what_the_log_cannot_hold_is_refused_by_name(tmp_path: Path, name: str) -> None:
    values = ODD[name]
    column = pd.Series(values, dtype="object") if isinstance(values, list) else values
    log = Log(tmp_path)
    assert log.append(column, [0, 0]) is not None
    assert list(tmp_path.iterdir()) == []
    assert log.append(pd.Series([1, 2]), [1, 2]) is None
    assert log.append(column, [0, 0]) is not None
    log.check()


def test_sparse_columns_are_columns(tmp_path: Path) -> None:
    log = Log(tmp_path)
    assert log.append(pd.Series(pd.arrays.SparseArray([0, 0, 7])), [0, 0, 7]) is None
    log.check()


def test_a_log_of_narrower_types_takes_what_it_can_hold(tmp_path: Path) -> None:
    """Earlier versions wrote types as they came."""
    log = Log(tmp_path)
    log.append(pd.Series([1.0]), [1.0])
    table = pa.table(log.log.read("m", *MONTH)).drop_columns(["label"])
    for kind, first, fits, other in (
        (pa.int64(), 2**60, [7, 2**60 + 1], [0.5]),
        (pa.list_(pa.float32()), [0.5], [[1.5], []], [[0.1]]),
        (pa.decimal128(5, 2), Decimal("1.25"), [Decimal("2.5"), None], [Decimal("0.001")]),
    ):
        log = Log(tmp_path / str(kind))
        narrow = table.set_column(table.column_names.index("u"), "u", pa.array([first], kind))
        write_deltalake(str(tmp_path / str(kind) / "m" / "predictions"), narrow)
        log.rows, log.expected = 1, {"r0": first}
        assert log.append(pd.Series(fits, dtype="object"), fits) is None
        assert "does not fit the log" in str(log.append(pd.Series(other, dtype="object"), other))
        log.check()


def test_a_log_that_uuids_have_spoiled_is_repaired_by_the_next_batch(tmp_path: Path) -> None:
    """Earlier versions took them as Arrow has them, and nobody could read the log again."""
    log = Log(tmp_path)
    log.append(pd.Series([1.0]), [1.0])
    table = pa.table(log.log.read("m", *MONTH)).drop_columns(["label"])
    log, path = Log(tmp_path / "spoiled", "u", 'a "b"'), tmp_path / "spoiled" / "m" / "predictions"
    for row in range(3):
        values = [uuid.UUID(int=row)] if row else [None]
        spoiled = table.set_column(table.column_names.index("u"), "u", pa.array(values, pa.uuid()))
        spoiled = spoiled.set_column(0, "request_id", pa.array([f"r{row}"])).append_column('a "b"', pa.array([0.5]))
        write_deltalake(str(path), spoiled, mode="append")
        log.expected[f"r{row}"] = str(values[0]) if row else None
    with pytest.raises(LogDamaged, match=r"Column 'u' .* holds UUIDs .*: log the next batch"):
        log.log.read("m", *MONTH)
    (problem,) = (problem for problem in table_problems(path) if "UUIDs" in problem.what)
    assert "log the next batch" in problem.fix
    own = {"i": ["r3"], "t": [START], "p": [0.5], 'a "b"': [0.5]}
    log.log_frame(pd.DataFrame({**own, "u": pd.Series([uuid.UUID(int=3)], dtype="object")}))
    log.expected["r3"] = str(uuid.UUID(int=3))
    log.check()
    read = log.log.read("m", *MONTH)
    assert read is not None
    assert read['a "b"'].to_pylist() == [0.5] * 4
    assert not [problem for problem in table_problems(path) if "UUIDs" in problem.what]


@pytest.mark.parametrize("name", OF_READERS)
def test_a_name_that_readers_give_to_columns_of_their_own_is_refused_and_the_log_goes_on(
    tmp_path: Path, name: str
) -> None:
    """Arrow would take every file that has such a column for ambiguous, for good."""
    pq.write_table(pa.table({name: [1], "x": [2]}), tmp_path / "file.parquet")
    with pytest.raises(pa.ArrowInvalid, match="Multiple matches"):
        ds.dataset(tmp_path / "file.parquet").to_table()
    with pytest.raises(InvalidFrame, match=f"Column '{name}' has a name that Arrow gives to columns of its own"):
        check_names(["x", name])
