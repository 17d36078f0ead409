"""Tables that are a set of Parquet files, whoever lists them: their rows as our log's, column by column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from modelops_jupyter.columns import ParquetColumns, Read, numbers_of, present
from modelops_jupyter.errors import InvalidFrame, SourceFileUnreadable, SourceUnreachable
from modelops_jupyter.log.column_types import UTC_TIME
from modelops_jupyter.log.repeats import WRITTEN
from modelops_jupyter.log.stream import GroupColumns, RowGroups, Slab, read_slab, row_groups, slabs
from modelops_jupyter.log.table_files import ALWAYS
from modelops_jupyter.sources.footers import file_bounds, file_schema, is_naive, together
from modelops_jupyter.sources.joining import joined
from modelops_jupyter.sources.mapping import NEVER, ColumnMapping, features_of, local_bounds
from modelops_jupyter.sources.table import (
    Changes,
    Events,
    Span,
    attach,
    file_guard,
    guarded,
    label_events,
    latest_events,
    no_events,
)

Array = np.ndarray[Any, Any]
T = TypeVar("T")
# What is read of a file to see whether it can be.
_LOOKED_AT = ("request_id", "timestamp", "event_time", "prediction", "score", "version", "role", "label")


@dataclass(frozen=True)
class DataFile:
    """A file of a table.

    Attributes
    ----------
    first, last : int
        Bounds of its times, in microseconds since 1970 (UTC); `ALWAYS` where nothing is known.
    constants : mapping of str to object
        Values of the columns that are not in the file but in its path.
    mask : array of bool of shape (rows,), or None
        Which rows count, where others were deleted without writing the file again.
    """

    path: str
    rows: int
    first: int = ALWAYS[0]
    last: int = ALWAYS[1]
    constants: Mapping[str, Any] = field(default_factory=dict)
    mask: Array | None = None


@dataclass(frozen=True)
class Snapshot:
    """A table as it is at one moment.

    Attributes
    ----------
    where : str
        The table as messages name it.
    files : tuple of DataFile
        Those written first first.
    schema : pyarrow.Schema
        With the columns of paths.
    position : mapping
        Plain data by which `changes` tells in a later run what is new.
    physical : mapping of str to str
        What the files call a column, where that is another name.
    """

    where: str
    files: tuple[DataFile, ...]
    schema: pa.Schema
    open: Callable[[str], pa.NativeFile]
    position: Mapping[str, Any]
    changes: Callable[[Mapping[str, Any]], Changes[DataFile]]
    physical: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FileColumns:
    """What reads the columns of a file, or of some of its row groups, by our names."""

    rows: int
    read: Read
    id_parts: Callable[[], Iterable[pa.Array]]


class FileTable:
    """A table of predictions or labels in Parquet files."""

    def __init__(self, snapshot: Snapshot, mapping: ColumnMapping, *, labels: bool = False) -> None:
        self._now, self._mapping, self.where, self._is_labels = snapshot, mapping, snapshot.where, labels
        if snapshot.files:
            mapping.check(snapshot.schema, mapping.wanted(labels=labels))
        self._by_path = {file.path: file for file in snapshot.files}

    @property
    def position(self) -> Mapping[str, Any]:
        """Where the table stands."""
        return self._now.position

    @cached_property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(file.rows if file.mask is None else int(file.mask.sum()) for file in self._now.files)

    @property
    def has_labels(self) -> bool:
        """Whether a column of predictions says what came of them."""
        return self._mapping.name("label") in self._now.schema.names

    @property
    def features(self) -> list[str]:
        """The columns that are none of the log's own, by our names."""
        if self._mapping.is_inference_table:
            return list(self._mapping.model.features)
        return features_of(self._now.schema, self._mapping.settings)

    def times(self) -> Span | None:
        """Return the first and the last time of all rows."""
        return self._span(self._now.files)

    def changed_times(self, position: Mapping[str, Any]) -> Span | None:
        """Return the first and the last time of what is new or gone since `position`."""
        changes = self._now.changes(position)
        return self.times() if changes.everything else self._span([*changes.added, *changes.removed])

    def changed_ids(self, position: Mapping[str, Any] | None) -> pa.ChunkedArray:
        """Return the request ids of what is new or gone since `position`; of all rows where that cannot be told."""
        changes: Changes[DataFile] = Changes(everything=True) if position is None else self._now.changes(position)
        if not changes.everything:
            with suppress(SourceFileUnreadable):  # of what is gone, the files may be as well
                return self._ids([*changes.added, *changes.removed])
        return self._ids(self._now.files)

    def times_of(self, ids: pa.ChunkedArray) -> Span | None:
        """Return the first and the last time of the rows of some requests."""
        return together(self._span_of(file, ids) for file in self._now.files)

    def slabs(
        self, start: int, end: int, cut: Callable[[int], int], window: Callable[[Array], Array], events: Events | None
    ) -> Iterator[Slab]:
        """Yield the rows of ``[start, end)`` as `PredictionLog.stream` does; of a request the latest row counts."""
        guard = partial(guarded, self.where)
        files = [file.path for file in self._now.files if file.first < end and file.last >= start]
        try:
            groups = row_groups(files, start, end, self._now.open, self._bounds)
        except (pa.ArrowException, OSError):
            self._check_footers(files)
            raise
        for span in slabs(groups, start, end, cut):
            with guard():
                slab = read_slab(groups, *span, window, guard, events is not None, self._columns, newest=True)
                attach(slab, events)
            yield slab

    def events(self, ids: pa.Array) -> pa.Table:
        """Return the label events of some requests, as our log has them."""
        if not self._now.files:
            return no_events()
        return latest_events([self._events_of(file, age, ids) for age, file in enumerate(self._now.files)])

    def unreadable_files(self, position: Mapping[str, Any] | None) -> dict[str, SourceFileUnreadable]:
        """Return why files cannot be read that are new since `position`, by path: in their columns of the log's own."""
        changes: Changes[DataFile] = Changes(everything=True) if position is None else self._now.changes(position)
        errors = {}
        for file in self._now.files if changes.everything else changes.added:
            try:
                columns = self._of_file(file)
                for name in _LOOKED_AT:
                    columns.read(name)
            except SourceFileUnreadable as error:
                errors[file.path] = error
        return errors

    def _check_footers(self, paths: Iterable[str]) -> None:
        for path in paths:
            with self._reading(self._by_path[path]), self._now.open(path) as opened:
                pq.read_metadata(opened)

    @contextmanager
    def _reading(self, file: DataFile) -> Iterator[None]:
        """Say of which file it is that something cannot be read."""
        try:
            with file_guard(f"{file.path!r} of {self.where}"):
                yield
        except SourceFileUnreadable:
            raise
        except (InvalidFrame, SourceUnreachable) as error:
            raise SourceFileUnreadable(file.path, self._is_labels, error) from error

    def _reader(self, file: DataFile, read: Callable[[str], T]) -> Callable[[str], T]:
        """Return what reads a column of a file, and names the file where it cannot."""

        def guarded_read(name: str) -> T:
            with self._reading(file):
                return read(name)

        return guarded_read

    def _events_of(self, file: DataFile, age: int, ids: pa.Array) -> pa.Table:
        with self._reading(file):
            return self._label_events(file, age, ids)

    def _label_events(self, file: DataFile, age: int, ids: pa.Array) -> pa.Table:
        columns = self._of_file(file)
        names, labels = self._needed(columns, "request_id", file), self._needed(columns, "label", file)
        wanted = pc.is_in(names, value_set=ids)
        if file.mask is not None:
            wanted = pc.and_(wanted, pa.array(file.mask))
        happened = columns.read("event_time")
        key = columns.read(WRITTEN) if self._mapping.settings.key else None
        written = pa.array(np.full(len(names), age)) if key is None else key
        happened = None if happened is None else happened.filter(wanted)
        return label_events(names.filter(wanted), labels.filter(wanted), happened, written.filter(wanted))

    def _ids(self, files: Sequence[DataFile]) -> pa.ChunkedArray:
        chunks = [chunk for file in files for chunk in self._needed(self._of_file(file), "request_id", file).chunks]
        return pa.chunked_array(chunks, pa.string())

    def _span(self, files: Iterable[DataFile]) -> Span | None:
        bounds = ((file, (file.first, file.last)) for file in files)
        return together(self._span_of(file) if set(span) & set(ALWAYS) else span for file, span in bounds)

    def _span_of(self, file: DataFile, ids: pa.ChunkedArray | None = None) -> Span | None:
        """Return the first and the last time of a file's rows, or of those of some requests."""
        with self._reading(file):
            if ids is None and file.mask is None and not self._is_requests:
                return self._bounds_of(file)
            columns = self._of_file(file)
            times = numbers_of(self._needed(columns, "timestamp", file).cast(UTC_TIME))
            there = times != NEVER
            if ids is not None:
                there &= present(_true(pc.is_in(self._needed(columns, "request_id", file), value_set=ids)))
        return (int(times[there].min()), int(times[there].max())) if there.any() else None

    def _bounds_of(self, file: DataFile) -> Span | None:
        """Return the first and the last time of a file, by its footer or its rows, where the table's log has none."""
        opened = self._now.open(file.path)
        metadata = pq.read_metadata(opened)
        self._check_there("timestamp", metadata.schema.to_arrow_schema(), file)
        theirs, name = self._physical("timestamp"), self._mapping.name("timestamp")
        stored = file_schema(metadata).field(theirs).type
        span = file_bounds(opened, metadata, self._mapping, theirs, self._time_type(stored, name))
        return None if span == ALWAYS else span

    def _bounds(self, uri: str, metadata: pq.FileMetaData, index: int) -> Span:
        """Return bounds of the times of a row group: its statistics, or what is known of the file."""
        file, group = self._by_path[uri], metadata.row_group(index)
        theirs = self._physical("timestamp")
        for column in (group.column(k) for k in range(group.num_columns)):
            statistics = column.statistics if column.path_in_schema == theirs else None
            if statistics is not None and statistics.has_min_max and column.physical_type == "INT64":
                stored = metadata.schema.to_arrow_schema().field(theirs).type
                kind = self._time_type(self._mapping.time_type(stored), self._mapping.name("timestamp"))
                return local_bounds(kind, statistics.min_raw, statistics.max_raw, self._mapping.settings.zone)
        return file.first, file.last

    def _columns(self, group: RowGroups) -> GroupColumns:
        """Return what reads the columns of row groups; small files are read whole, once."""
        if group.index is not None:
            columns = self._of_file(self._by_path[group.uris[0]], group.index)
            return GroupColumns(columns.read, columns.id_parts)
        parts = [self._of_file(self._by_path[uri], whole=True) for uri in group.uris]

        def read(name: str) -> pa.ChunkedArray | None:
            columns = [column for part in parts if (column := part.read(name)) is not None]
            return joined(columns, name) if len(columns) == len(parts) else None

        ages = tuple((age, part.rows) for (age, _), part in zip(group.ages, parts, strict=True))
        return GroupColumns(read, lambda: (chunk for part in parts for chunk in part.id_parts()), ages)

    def _of_file(self, file: DataFile, index: int | None = None, *, whole: bool = False) -> FileColumns:
        """Return what reads the columns of a file, or of one of its row groups; `whole` reads all of them at once."""
        with self._reading(file):
            return self._opened(file, index, whole=whole)

    def _opened(self, file: DataFile, index: int | None, *, whole: bool) -> FileColumns:
        opened = self._now.open(file.path)
        metadata = pq.read_metadata(opened)
        every = range(metadata.num_row_groups)
        rows = [metadata.row_group(group).num_rows for group in every]
        before, count = (0, sum(rows)) if index is None else (sum(rows[:index]), rows[index])
        ids = self._physical("request_id")
        schema = metadata.schema.to_arrow_schema()
        for name in ("timestamp",) if self._is_requests else ("request_id", "timestamp"):
            self._check_there(name, schema, file)
        if whole:
            table = pq.ParquetFile(opened, metadata=metadata, coerce_int96_timestamp_unit="us").read(use_threads=False)
            stored: Read = dict(zip(table.column_names, table.columns, strict=True)).get
            parts: Callable[[], Iterable[pa.Array]] = lambda: table[ids].chunks  # noqa: E731
        else:
            parquet = ParquetColumns(opened, metadata, list(every) if index is None else [index], ids)
            stored, parts = parquet.read, lambda: parquet.parts(ids)

        def theirs(name: str) -> pa.ChunkedArray | None:
            if name in file.constants:
                return _repeated(file.constants[name], count)
            column: pa.ChunkedArray | None = stored(self._now.physical.get(name, name))
            return column.cast(self._time_type(column.type, name)) if is_naive(column) else column

        if self._is_requests:
            mask = None if file.mask is None else file.mask[before : before + count]
            return self._requests(file, theirs, count, mask)
        mapping = self._mapping_of(file)
        mapped = mapping.read(theirs, count)

        def ours(name: str) -> pa.ChunkedArray | None:
            column = mapped(name)
            if name != "timestamp" or column is None or file.mask is None:
                return column
            there = pa.array(file.mask[before : before + count])
            return pc.if_else(there, column, pa.scalar(NEVER, pa.int64()).cast(UTC_TIME))

        return FileColumns(count, self._reader(file, ours), lambda: self._parts(file, mapping, parts))

    def _parts(
        self, file: DataFile, mapping: ColumnMapping, parts: Callable[[], Iterable[pa.Array]]
    ) -> Iterator[pa.Array]:
        with self._reading(file):
            yield from mapping.id_parts(parts())

    def _mapping_of(self, file: DataFile) -> ColumnMapping:
        """Return the mapping, which names the file in what it refuses."""
        return replace(self._mapping, file=file.path)

    @property
    def _is_requests(self) -> bool:
        return self._mapping.is_inference_table and not self._is_labels

    def _requests(self, file: DataFile, theirs: Read, rows: int, mask: Array | None) -> FileColumns:
        """Return what reads the rows of requests."""
        from modelops_jupyter.sources.inference_table import expanded

        table = expanded(self._mapping, theirs, rows, mask)
        columns = dict(zip(table.column_names, table.columns, strict=True))
        read = self._mapping.read(columns.get, table.num_rows)

        def ids() -> Iterator[pa.Array]:
            yield from self._mapping.id_parts(columns[self._mapping.name("request_id")].chunks)

        return FileColumns(table.num_rows, self._reader(file, read), ids)

    def _check_there(self, name: str, schema: pa.Schema, file: DataFile) -> None:
        theirs = self._mapping.name(name)
        if (
            theirs in self._now.schema.names
            and theirs not in file.constants
            and self._physical(name) not in schema.names
        ):
            raise self._lacking(name, file)

    def _needed(self, columns: FileColumns, name: str, file: DataFile) -> pa.ChunkedArray:
        column = columns.read(name)
        if column is None:
            raise self._lacking(name, file)
        return column

    def _lacking(self, name: str, file: DataFile) -> InvalidFrame:
        theirs = self._mapping.name(name)
        return InvalidFrame(
            f"{file.path!r} of {self.where} has no column {theirs!r}, which other files have: write it again with it."
        )

    def _physical(self, ours: str) -> str:
        theirs = self._mapping.name(ours)
        return self._now.physical.get(theirs, theirs)

    def _time_type(self, stored: pa.DataType, name: str) -> pa.DataType:
        """Return the type of stored times: instants where the table says that they are, whatever the file says."""
        logical = self._now.schema.field(name).type if name in self._now.schema.names else stored
        instants = pa.types.is_timestamp(logical) and logical.tz is not None
        return pa.timestamp(stored.unit, "UTC") if instants else stored


def _repeated(value: Any, rows: int) -> pa.ChunkedArray:
    scalar = value if isinstance(value, pa.Scalar) else pa.scalar(value)
    return pa.chunked_array([pa.repeat(scalar, rows)])


def _true(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of truth values with what is not true missing."""
    return pc.if_else(values, True, None)
