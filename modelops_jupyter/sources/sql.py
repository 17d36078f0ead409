"""What a SQL query gives, by SQLAlchemy: read in the order of its times, and what is new by a column that grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from modelops_jupyter.errors import InvalidFrame, InvalidInput, LibraryMissing, SourceUnreachable
from modelops_jupyter.log.column_types import UTC_TIME
from modelops_jupyter.log.repeats import WRITTEN
from modelops_jupyter.log.stream import Slab, slab_of_tables
from modelops_jupyter.scoring.column_names import absence
from modelops_jupyter.settings import redacted
from modelops_jupyter.sources.mapping import NEVER, OWN, ColumnMapping, features_of
from modelops_jupyter.sources.postgres_copy import can_copy, copied
from modelops_jupyter.sources.sql_values import column_of, is_time, moment, of_json, times_of, to_json
from modelops_jupyter.sources.table import Events, Span, attach, label_events, latest_events, no_events

Array = np.ndarray[Any, Any]
# Rows that are fetched at once, and that are held until their windows are counted.
FETCHED, HELD = 20_000, 500_000
# Requests that a database is asked for one by one; of more, all rows are read.
FEW_REQUESTS = 5_000
_LOOKED_AT = 200
_TIMES = ("timestamp", "event_time", "arrival_time")


class SqlTable:
    """A query of predictions or labels."""

    def __init__(self, database: str, mapping: ColumnMapping, *, labels: bool = False) -> None:
        self._mapping, self.where = mapping, mapping.where
        with self._guarded():
            try:
                # Rows are fetched by one thread after another, which SQLite's driver must be told.
                threads = {"check_same_thread": False} if database.startswith("sqlite") else {}
                self._engine = sa.create_engine(database, poolclass=NullPool, connect_args=threads)
            except ImportError as error:
                missing = f"{error.name}, which is not there: install it."
                raise LibraryMissing(f"Reading {self.where} takes {missing}") from None
        query = mapping.settings.query.strip().rstrip(";").replace(":", "\\:") + "\n"  # it may end with a comment
        with self._connected() as connection:
            empty = connection.execute(sa.text(f"SELECT * FROM ({query}) AS source WHERE 1 = 0"))
            names = list(empty.keys())
        self._rows = sa.text(query).columns(*map(sa.column, names)).subquery("source")
        self._names = names
        self._schema = pa.schema([])
        sample = self._fetched(sa.select(self._rows).limit(_LOOKED_AT))
        self._schema = sample.schema
        self._is_empty = not sample.num_rows
        if sample.num_rows:
            mapping.check(sample.schema, mapping.wanted(labels=labels))

    @cached_property
    def position(self) -> Mapping[str, Any]:
        """The greatest key, and how many rows have it."""
        if self._is_empty:
            return {"key": None, "ties": 0}
        (key,) = self._one(sa.select(sa.func.max(self._key)))
        (ties,) = self._one(sa.select(sa.func.count()).where(self._key == key)) if key is not None else (0,)
        return {"key": to_json(key), "ties": ties}

    @cached_property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self._one(sa.select(sa.func.count()).select_from(self._rows))[0])

    @property
    def has_labels(self) -> bool:
        """Whether a column of predictions says what came of them."""
        return self._mapping.name("label") in self._names

    @property
    def features(self) -> list[str]:
        """The columns that are none of the log's own, by our names."""
        return features_of(self._schema, self._mapping.settings)

    def times(self) -> Span | None:
        """Return the first and the last time of all rows."""
        return self._span()

    def changed_times(self, position: Mapping[str, Any]) -> Span | None:
        """Return the first and the last time of what is new since `position`; of all rows where keys went back."""
        newer = self._newer(position)
        return None if newer is None else self._span(*newer)

    def changed_ids(self, position: Mapping[str, Any] | None) -> pa.ChunkedArray:
        """Return the request ids of what is new since `position`; of all rows where that cannot be told."""
        newer = () if position is None else self._newer(position)
        if newer is None or self._is_empty:
            return pa.chunked_array([], pa.string())
        ids = self._fetched(sa.select(self._column("request_id")).where(*newer))
        return self._mapping.column("request_id", ids.column(0))

    def times_of(self, ids: pa.ChunkedArray) -> Span | None:
        """Return the first and the last time of the rows of some requests."""
        if self._is_empty:
            return None
        few = self._asked_for(ids)
        if few is not None:
            return self._span(few)
        rows = self._fetched(sa.select(self._column("request_id"), self._column("timestamp")))
        wanted = pc.is_in(self._mapping.column("request_id", rows.column(0)), value_set=ids.combine_chunks())
        times = self._mapping.times("timestamp", rows.column(1)).filter(wanted).cast(pa.int64())
        there = times.filter(pc.not_equal(times, NEVER))
        span = pc.min_max(there)
        return (span["min"].as_py(), span["max"].as_py()) if len(there) else None

    def slabs(
        self, start: int, end: int, cut: Callable[[int], int], window: Callable[[Array], Array], events: Events | None
    ) -> Iterator[Slab]:
        """Yield the rows of ``[start, end)`` as `PredictionLog.stream` does; of a request the latest row counts."""
        since, tables, rows = start, list[pa.Table](), 0
        for table in () if self._is_empty else self._ordered(start, end):
            tables.append(table)
            rows += table.num_rows
            here = cut(_last_time(table))
            if rows >= HELD and here > since:
                yield self._slab(tables, since, here, window, events)
                # What is at or after the cut lies in the tables that end there, the last of all.
                tables = [t for t in tables if _last_time(t) >= here]
                since, rows = here, sum(t.num_rows for t in tables)
        yield self._slab(tables, since, end, window, events)

    def events(self, ids: pa.Array) -> pa.Table:
        """Return the label events of some requests, as our log has them."""
        if self._is_empty:
            return no_events()
        few = self._asked_for(pa.chunked_array([ids]))
        query = sa.select(self._rows) if few is None else sa.select(self._rows).where(few)
        parts = []
        for table in self._streamed(query):
            read = self._mapping.read(dict(zip(table.column_names, table.columns, strict=True)).get, table.num_rows)
            columns = {name: read(name) for name in ("request_id", "label", "event_time", WRITTEN)}
            there = {name: column for name, column in columns.items() if column is not None}
            rows = pa.table(there).filter(pc.is_in(there["request_id"], value_set=ids))
            happened = rows["event_time"] if "event_time" in there else None
            parts.append(label_events(rows["request_id"], rows["label"], happened, rows[WRITTEN]))
        return latest_events(parts) if parts else no_events()

    def _slab(
        self, tables: Sequence[pa.Table], start: int, end: int, window: Callable[[Array], Array], events: Events | None
    ) -> Slab:
        slab = slab_of_tables(tables, start, end, window, newest=True)
        attach(slab, events)
        return slab

    def _ordered(self, start: int, end: int) -> Iterator[pa.Table]:
        """Yield the rows of ``[start, end)`` in the order of their times, with our log's columns."""
        at = self._column("timestamp")
        query = sa.select(self._rows).where(at >= self._moment(start), at < self._moment(end)).order_by(at)
        names = [*OWN, *features_of(self._schema, self._mapping.settings), WRITTEN]
        for table in self._streamed(query, self._schema):
            read = self._mapping.read(dict(zip(table.column_names, table.columns, strict=True)).get, table.num_rows)
            columns = {name: read(name) for name in names}
            yield pa.table({name: column for name, column in columns.items() if column is not None})

    def _span(self, *conditions: sa.ColumnElement[bool]) -> Span | None:
        if self._is_empty:
            return None
        at = self._column("timestamp")
        ends = self._one(sa.select(sa.func.min(at), sa.func.max(at)).where(*conditions))
        if ends[0] is None:
            return None
        if self._has_text_times and not all(is_time(str(end)) for end in ends):
            return self._span_of_times(sa.select(at).where(*conditions))
        numbers = self._mapping.times("timestamp", column_of(ends)).cast(UTC_TIME).cast(pa.int64()).to_pylist()
        return numbers[0], numbers[1]

    def _span_of_times(self, query: sa.Select[Any]) -> Span | None:
        """Return the first and the last of times among which texts are that are none."""
        times = self._mapping.times("timestamp", self._fetched(query).column(0)).cast(pa.int64())
        there = times.filter(pc.not_equal(times, NEVER))
        span = pc.min_max(there)
        return (span["min"].as_py(), span["max"].as_py()) if len(there) else None

    @property
    def _has_text_times(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    def _newer(self, position: Mapping[str, Any]) -> tuple[sa.ColumnElement[bool], ...] | None:
        """Return the conditions of what is new since `position`: none for everything, None for nothing."""
        before, now = position, self.position
        if now["key"] is None or before == now:
            return None
        if before["key"] is None or of_json(now["key"]) < of_json(before["key"]):
            return ()  # it was empty, or is another table now
        key = of_json(before["key"])
        (ties,) = self._one(sa.select(sa.func.count()).where(self._key == key))
        return (self._key > key if ties == before["ties"] else self._key >= key,)

    def _asked_for(self, ids: pa.ChunkedArray) -> sa.ColumnElement[bool] | None:
        """Return the condition that a row is one of some requests, or None where they are too many."""
        if len(ids) > FEW_REQUESTS:
            return None
        column = self._column("request_id")
        wanted = ids.to_pylist()
        if pa.types.is_integer(self._schema.field(self._mapping.name("request_id")).type):
            wanted = [int(text) for text in wanted if text.lstrip("-").isdecimal()]
        elif not pa.types.is_string(self._schema.field(self._mapping.name("request_id")).type):
            return None
        return column.in_(wanted)

    @property
    def _key(self) -> sa.ColumnElement[Any]:
        return self._column(WRITTEN)

    def _column(self, ours: str) -> sa.ColumnElement[Any]:
        name = self._mapping.name(ours)
        if name not in self._names:
            raise InvalidFrame(absence(f"{self.where} has", name, self._names))
        column: sa.ColumnElement[Any] = self._rows.c[name]
        return column

    def _moment(self, micros: int) -> Any:
        """Return a time as the database compares its own with."""
        kind = self._schema.field(self._mapping.name("timestamp")).type
        return moment(micros, kind, self._mapping.settings.zone, self._engine.dialect.name)

    def _one(self, query: sa.Select[Any]) -> Sequence[Any]:
        with self._connected() as connection:
            return list(connection.execute(query).one())

    def _fetched(self, query: sa.Select[Any]) -> pa.Table:
        parts = list(self._streamed(query))
        if not parts:
            return pa.table({name: pa.nulls(0) for name in self._names})
        return pa.concat_tables(parts, promote_options="permissive")

    def _streamed(self, query: sa.Select[Any], schema: pa.Schema | None = None) -> Iterator[pa.Table]:
        """Yield the answer in parts, each with the types that its values have, or all with those of `schema`."""
        with self._connected() as connection:
            if schema is not None and can_copy(self._engine.dialect, schema):
                yield from copied(connection, query, schema)
                return
            result = connection.execution_options(stream_results=True, max_row_buffer=FETCHED).execute(query)
            names = list(result.keys())
            while rows := result.fetchmany(FETCHED):
                columns = zip(names, zip(*rows, strict=True), strict=True)
                yield pa.table([self._read(name, values) for name, values in columns], names=names)

    def _read(self, name: str, values: Sequence[Any]) -> pa.ChunkedArray:
        if self._has_text_times and name in self._mapping.names(_TIMES):
            certain = name in self._schema.names and pa.types.is_timestamp(self._schema.field(name).type)
            read = times_of(values, certain=certain)
            if read is not None:
                times, unread = read
                for text in unread:
                    self._mapping.notes.add_time(self.where, name, text)
                return times
        return column_of(values)

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        with self._guarded(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, pa.ArrowException) as error:
            if isinstance(error, sa.exc.ArgumentError):
                raise InvalidInput(
                    f"The database of {self.where} is no SQLAlchemy URL: write dialect://host/name."
                ) from None
            reason = next(iter(str(getattr(error, "orig", None) or error).splitlines()), type(error).__name__)
            raise SourceUnreachable(
                f"{self.where} gave no answer ({redacted(reason)[:300].rstrip('.')}): look at the database, and at "
                "database = and query = in the settings."
            ) from None


def _last_time(rows: pa.Table) -> int:
    """Return the last of the times of rows, among which some may have none."""
    last: int = pc.max(rows["timestamp"].cast(pa.int64())).as_py()
    return last
