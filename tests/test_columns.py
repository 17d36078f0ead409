"""Columns read one at a time give what a whole table gives."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelops_jupyter.columns import Columns
from modelops_jupyter.profiles import build_reference

ROWS = 5_000


@pytest.fixture
def table() -> pa.Table:
    generator = np.random.default_rng(3)
    words = [None, "fog", "sun", "<b>rain</b>", ""]
    return pa.table(
        {
            "wind": pa.array(generator.normal(size=ROWS), mask=generator.random(ROWS) < 0.1),
            "gusts": pa.array(generator.choice([1.0, np.nan, np.inf, -np.inf, 0.0], ROWS)),
            "stops": generator.integers(0, 9, ROWS),
            "sky": [words[k] for k in generator.integers(0, len(words), ROWS)],
            "late": generator.random(ROWS) < 0.2,
        }
    )


@pytest.fixture
def file(table: pa.Table, tmp_path: Path) -> Path:
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=700)
    return tmp_path / "rows.parquet"


def test_a_file_is_described_without_reading_its_rows(file: Path, table: pa.Table) -> None:
    columns = Columns.of_parquet(file)

    assert columns.rows == ROWS
    assert dict(columns.types) == {field.name: field.type for field in table.schema}
    assert columns.read("altitude") is None


def test_a_column_of_a_file_is_that_of_the_table_from_any_thread(file: Path, table: pa.Table) -> None:
    columns = Columns.of_parquet(file)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(columns.read, table.column_names * 5))

    for name, values in zip(table.column_names * 5, found, strict=True):
        assert values is not None
        assert repr(values.to_pylist()) == repr(table[name].to_pylist())  # NaN is no equal of itself


def test_a_reference_of_a_file_is_that_of_the_table(file: Path, table: pa.Table) -> None:
    scores = np.random.default_rng(4).random(ROWS)
    given = {"scores": scores, "predictions": scores > 0.5, "labels": scores > 0.6, "positive": "true"}

    of_file = build_reference(Columns.of_parquet(file), **given)

    assert of_file == build_reference(table, **given)
    counts = Counter(word for word in table["sky"].to_pylist() if word is not None)
    assert of_file.binning.columns["sky"].categories == tuple(sorted(counts, key=lambda word: (-counts[word], word)))


def test_the_pieces_of_a_file_are_its_rows(table: pa.Table, tmp_path: Path) -> None:
    """Each column of theirs, one after another, whatever the size of the row groups."""
    long = pa.concat_tables([table] * 250)
    for size in (70_000, 600_000, len(long)):
        pq.write_table(long, tmp_path / "long.parquet", row_group_size=size)
        columns = Columns.of_parquet(tmp_path / "long.parquet")

        assert sum(part.rows for part in columns.parts) == columns.rows == len(long)
        assert len(columns.parts) == {70_000: 3, 600_000: 3, len(long): 1}[size]
        for name in ("stops", "sky"):
            found = [part.read(name) for part in columns.parts]
            assert all(
                values is not None and len(values) == part.rows
                for values, part in zip(found, columns.parts, strict=True)
            )
            assert pa.chunked_array([c for values in found for c in values.chunks]).cast(table[name].type) == long[name]


def test_a_file_without_rows_has_no_pieces(table: pa.Table, tmp_path: Path) -> None:
    pq.write_table(table.slice(0, 0), tmp_path / "empty.parquet")
    assert Columns.of_parquet(tmp_path / "empty.parquet").rows == 0


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not tell which files are open")
def test_parts_and_threads_share_one_open_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may have 256 or 1,024 files open: fewer than a large file's parts times the threads."""
    monkeypatch.setattr("modelops_jupyter.columns._PART", 100)
    numbers, together = np.random.default_rng(1).random(2_000), Barrier(8)
    pq.write_table(pa.table({"wind": numbers}), tmp_path / "rows.parquet", row_group_size=100)
    parts = Columns.of_parquet(tmp_path / "rows.parquet").parts

    def read(_: int) -> np.ndarray:
        together.wait()  # all threads read every part
        return np.concatenate([part.read("wind").to_numpy() for part in parts])

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read, range(8)))
        held = [path for path in map(Path.resolve, Path("/proc/self/fd").iterdir()) if path.name == "rows.parquet"]
    assert len(parts) == 20
    assert len(held) == 1
    assert all(np.array_equal(each, numbers) for each in found)
