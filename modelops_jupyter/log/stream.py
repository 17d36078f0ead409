"""Streaming the log: row groups in time order, columns read one by one, in memory that does not grow with the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs
import pyarrow.parquet as pq

from modelops_jupyter.columns import ParquetColumns, Read, decoded, numbers_of
from modelops_jupyter.hashing import hashes_of, keys_of
from modelops_jupyter.log.column_types import UTC_TIME
from modelops_jupyter.log.distinct import first_of_each, surely_distinct
from modelops_jupyter.log.repeats import code_of, count_once, series_of
from modelops_jupyter.log.schema import normalise
from modelops_jupyter.roles import SERVICE, Series

Array = np.ndarray[Any, Any]
Guard = Callable[[], AbstractContextManager[None]]

# Rows whose times and hashes of ids are held together: repeats are looked for among them.
ROWS_AT_ONCE = 2_000_000
# Files with fewer rows are read together, whole; of larger ones, a column of a row group at a time.
SMALL_FILE = 1 << 15
_SHARED = ("request_id", "timestamp", "version", "role", "prediction", "score")
_ALWAYS = (np.iinfo("int64").min, np.iinfo("int64").max)


@dataclass(frozen=True)
class RowGroups:
    """Row groups of one schema that are read together.

    Attributes
    ----------
    first, last : int
        Bounds of their times, in microseconds (UTC).
    ages : tuple of tuple of two int
        By file, its place among all in the order in which they were written, and how many rows are of it.
    """

    uris: tuple[str, ...]
    index: int | None
    rows: int
    first: int
    last: int
    schema: pq.ParquetSchema
    ages: tuple[tuple[int, int], ...]


@dataclass
class Piece:
    """Some rows of the log, whose columns are read when they are asked for.

    Attributes
    ----------
    times : array of int64 of shape (rows,)
        Microseconds since 1970 (UTC).
    counted : array of bool of shape (rows,)
        Which rows count as served: those of the slab, each request once.
    beside : array of int64 of shape (rows,), or None
        The code of the other series that each row counts in, each request once; negative for none.
    hashes : tuple of array of uint64, or None
        Hashes of the request ids, part by part; see `hashes_of`.
    ages : tuple of tuple of two int
        As of `RowGroups`.
    """

    rows: int
    times: Array
    counted: Array
    hashes: tuple[Array | None, ...]
    column: Read
    ages: tuple[tuple[int, int], ...]
    label: pa.ChunkedArray | None = None
    beside: Array | None = None
    _known: dict[str, pa.ChunkedArray | None] = field(default_factory=dict)

    @property
    def ids(self) -> pa.ChunkedArray:
        """The request ids."""
        ids = self.read("request_id")
        return pa.chunked_array([], pa.string()) if ids is None else ids.cast(pa.string())

    def keys(self) -> Array:
        """Return a number per row that follows from its request id alone; uint64 of shape (rows,)."""
        hashes = [part for part in self.hashes if part is not None]
        return np.concatenate(hashes) if len(hashes) == len(self.hashes) else keys_of(self.ids)

    @property
    def is_empty(self) -> bool:
        """Whether no row counts."""
        return not self.counted.any() and not self.others

    @property
    def others(self) -> set[Series]:
        """The series beside what was served that rows count in."""
        codes = () if self.beside is None else np.unique(self.beside[self.beside >= 0]).tolist()
        return {series_of(code) for code in codes}

    def rows_of(self, series: Series) -> Array:
        """Return which rows count in a series; bool of shape (rows,)."""
        if series == SERVICE:
            return self.counted
        none = np.zeros(self.rows, dtype=bool)
        return none if self.beside is None else self.beside == code_of(series)

    def read(self, name: str) -> pa.ChunkedArray | None:
        """Return a column, or None where the log has no such column; ``label`` is what came of each request."""
        if name == "label":
            return self.label
        if name not in _SHARED:
            return decoded(self.column(name))
        if name not in self._known:
            self._known[name] = self.column(name)
        return self._known[name]


@dataclass(frozen=True)
class Slab:
    """All rows with times in ``[start, end)``, microseconds since 1970 (UTC), in pieces."""

    start: int
    end: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class GroupColumns:
    """What reads the columns of some row groups: each whole, and the request ids also part by part.

    `ages` are those of `RowGroups` where the rows are not as many as those of the files.
    """

    read: Read
    id_parts: Callable[[], Iterable[pa.Array]]
    ages: tuple[tuple[int, int], ...] = ()


def row_groups(
    files: Sequence[str],
    start: int,
    end: int,
    open_file: Callable[[str], pa.NativeFile] | None = None,
    bounds_of: Callable[[str, pq.FileMetaData, int], tuple[int, int]] | None = None,
) -> list[RowGroups]:
    """Return the row groups that may hold times in ``[start, end)``, in time order.

    Parameters
    ----------
    files
        Those written first first.
    open_file, bounds_of
        How another table than our own opens a file, and the least and the greatest time of one of its row groups.
    """
    open_file, bounds_of = open_file or _opened, bounds_of or _span
    found: list[RowGroups] = []
    small: list[RowGroups] = []
    for age, uri in enumerate(files):
        with open_file(uri) as file:
            metadata = pq.read_metadata(file)
        spans = [bounds_of(uri, metadata, index) for index in range(metadata.num_row_groups)]
        rows = metadata.num_rows
        if rows < SMALL_FILE and spans:
            bounds = min(first for first, _ in spans), max(last for _, last in spans)
            small.append(RowGroups((uri,), None, rows, *bounds, metadata.schema, ((age, rows),)))
            continue
        for index, (first, last) in enumerate(spans):
            held = metadata.row_group(index).num_rows
            found.append(RowGroups((uri,), index, held, first, last, metadata.schema, ((age, held),)))
    inside = [group for group in (*found, *_together(small)) if group.first < end and group.last >= start]
    return sorted(inside, key=lambda group: (group.first, group.last, group.uris, group.index or 0))


def _together(small: Sequence[RowGroups]) -> list[RowGroups]:
    """Put small files that follow each other in time together, so that reading them costs little a file."""
    found: list[RowGroups] = []
    for file in sorted(small, key=lambda file: (file.first, file.last, file.uris)):
        before = found[-1] if found else None
        if before is None or before.rows + file.rows > SMALL_FILE or not before.schema.equals(file.schema):
            found.append(file)
            continue
        bounds = min(before.first, file.first), max(before.last, file.last)
        uris, rows, ages = (*before.uris, *file.uris), before.rows + file.rows, (*before.ages, *file.ages)
        found[-1] = RowGroups(uris, None, rows, *bounds, file.schema, ages)
    return found


def slabs(groups: Sequence[RowGroups], start: int, end: int, cut: Callable[[int], int]) -> Iterator[tuple[int, int]]:
    """Cut ``[start, end)`` where windows begin, so that each part has some 2 million rows.

    `cut` gives the start of the window that holds a time. A part ends where the row groups that are left begin, so that
    none is read twice where batches keep to windows. Row groups that overlap in time are not parted: a table without
    any order is one slab, of which ids and times are held.
    """
    ordered = sorted(groups, key=lambda group: group.last)
    begins = np.minimum.accumulate([group.first for group in reversed(ordered)])[::-1]
    since, rows = start, 0
    for group, begin in zip(ordered, begins[1:].tolist(), strict=False):
        rows += group.rows
        here = cut(begin) if rows >= ROWS_AT_ONCE and begin < end else since
        if here > since:
            yield since, here
            since, rows = here, 0
    yield since, end


def read_slab(
    groups: Sequence[RowGroups],
    start: int,
    end: int,
    window: Callable[[Array], Array],
    guard: Guard,
    labelled: bool = False,
    columns_of: Callable[[RowGroups], GroupColumns | None] | None = None,
    newest: bool = False,
) -> Slab:
    """Read times of the rows in ``[start, end)`` and hash their ids; repeats of a request in one window do not count.

    Of a request logged more than once in a window and series the earliest row counts, of one time the one that was
    logged first, where the `newest` is to count the latest; see `count_once`. `window` numbers the windows of times.
    The ids are held where rows are `labelled`; where not, they are read again if any may come twice. `columns_of` reads
    another table than our own.
    """
    pieces = []
    for group in groups:
        if group.first < end and group.last >= start:
            columns = _columns(group, guard) if columns_of is None else columns_of(group)
            times = None if columns is None else columns.read("timestamp")
            if times is None or columns is None:
                continue
            piece = _piece(times, start, end, columns.read, columns.ages or group.ages)
            with guard():
                piece.hashes = tuple(map(hashes_of, piece.ids.chunks if labelled else columns.id_parts()))
            pieces.append(piece)
    with guard():
        return _slab(start, end, pieces, window, newest)


def slab_of_tables(
    tables: Sequence[pa.Table], start: int, end: int, window: Callable[[Array], Array], newest: bool = False
) -> Slab:
    """Return rows that lie in memory, with the log's columns, as a slab; those of later tables were written later."""
    pieces = []
    for age, table in enumerate(tables):
        columns = dict(zip(table.column_names, table.columns, strict=True))
        piece = _piece(columns["timestamp"], start, end, columns.get, ((age, table.num_rows),))
        piece.hashes = tuple(map(hashes_of, piece.ids.chunks))
        pieces.append(piece)
    return _slab(start, end, pieces, window, newest)


def _piece(times: pa.ChunkedArray, start: int, end: int, read: Read, ages: tuple[tuple[int, int], ...]) -> Piece:
    numbers = numbers_of(times.cast(UTC_TIME))
    inside = (numbers >= start) & (numbers < end)
    ages = ages if len(ages) > 1 else ((ages[0][0], len(numbers)),)
    return Piece(len(numbers), numbers, inside, (), read, ages, _known={"timestamp": times})


def _slab(start: int, end: int, pieces: Sequence[Piece], window: Callable[[Array], Array], newest: bool) -> Slab:
    count_once(pieces, window, newest)
    return Slab(start, end, tuple(piece for piece in pieces if not piece.is_empty))


def attach_labels(pieces: Sequence[Piece], events: Callable[[pa.Array], pa.Table] | None) -> None:
    """Give every piece its labels; `events` returns the label events of some requests."""
    if events is None:
        return
    ids = _ids(pieces)
    found = latest_labels(events(ids.combine_chunks()))
    for piece in pieces:
        piece.label = found["label"].take(pc.index_in(piece.ids, value_set=found["request_id"]))


def latest_labels(events: pa.Table) -> pa.Table:
    """Return one event per request: the latest event time, then the greatest value, in whichever order they came."""
    if surely_distinct(events["request_id"]):
        return events
    order = [("request_id", "ascending"), *((n, "descending") for n in ("event_time", "label"))]
    return first_of_each(events.sort_by(order))


def _ids(pieces: Sequence[Piece]) -> pa.ChunkedArray:
    return pa.chunked_array([chunk for piece in pieces for chunk in piece.ids.chunks], pa.string())


def _columns(group: RowGroups, guard: Guard) -> GroupColumns | None:
    """Return what reads the columns of row groups; small files are read whole, once."""
    if "request_id" not in group.schema.names:
        return None
    if group.index is None:
        with guard():
            table = ds.dataset(list(group.uris)).to_table()
        found = dict(zip(table.column_names, normalise(table).columns, strict=True))
        return GroupColumns(found.get, lambda: found["request_id"].chunks)
    with guard():
        file = _opened(group.uris[0])
        columns = ParquetColumns(file, pq.read_metadata(file), [group.index], "request_id")

    def column(name: str) -> pa.ChunkedArray | None:
        with guard():
            return columns.read(name)

    return GroupColumns(column, lambda: columns.parts("request_id"))


def _opened(uri: str) -> pa.NativeFile:
    """Return a file, open."""
    if "://" not in uri:
        return pa.OSFile(uri)
    system, path = pyarrow.fs.FileSystem.from_uri(uri)
    return system.open_input_file(path)


def _span(uri: str, metadata: pq.FileMetaData, index: int) -> tuple[int, int]:
    """Return the least and greatest time of a row group, as its statistics say; all times where it has none."""
    group = metadata.row_group(index)
    found = [group.column(i) for i in range(group.num_columns) if group.column(i).path_in_schema == "timestamp"]
    if not found or found[0].statistics is None or not found[0].statistics.has_min_max:
        return _ALWAYS
    return int(found[0].statistics.min_raw), int(found[0].statistics.max_raw)
