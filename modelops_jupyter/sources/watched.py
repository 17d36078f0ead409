"""The predictions of a model that lie in a table of others, read where they are: nothing is copied."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.errors import (
    InvalidFrame,
    InvalidInput,
    ModelOpsError,
    NotFound,
    SourceFileUnreadable,
    SourceUnreachable,
)
from modelops_jupyter.imports import import_ahead
from modelops_jupyter.log import Extent, Position, PredictionLog
from modelops_jupyter.log.column_types import UTC_TIME
from modelops_jupyter.log.prediction_log import possible
from modelops_jupyter.log.repeats import one_role_each, rows_of_series
from modelops_jupyter.log.stream import Piece, Slab
from modelops_jupyter.roles import SERVICE, Series
from modelops_jupyter.settings import redacted
from modelops_jupyter.source_settings import Source, SourceTable
from modelops_jupyter.sources.faults import Faults, SourceProblems
from modelops_jupyter.sources.mapping import ColumnMapping, ModelFacts, in_log_types
from modelops_jupyter.sources.notes import SourceNotes
from modelops_jupyter.sources.table import Events, Table, no_events
from modelops_jupyter.trust import fill_secrets

Array = np.ndarray[Any, Any]
T = TypeVar("T")
R = TypeVar("R")
SPARK = "spark:"
# What reading rows imports at its first call.
FOR_READING = ("pandas", "deltalake.exceptions", "modelops_jupyter.sources.inference_table")
_KEYS = ("request_id", "timestamp", "label")
_OWN = ("request_id", "timestamp", "version", "role", "prediction", "score", "decision")


@dataclass(frozen=True)
class Place:
    """Where one of a model's tables lies, with everything that it takes to open it.

    Attributes
    ----------
    where : str
        The table as messages name it, without any secret.
    """

    where: str
    settings: SourceTable
    model: ModelFacts
    folder: Path
    labels: bool

    def open(
        self,
        before: Mapping[str, Any] | None,
        notes: SourceNotes | None = None,
        unreadable_files: Mapping[str, ModelOpsError] | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> Table:
        """Return the table as it is now, without files that cannot be read.

        Parameters
        ----------
        before
            Of `PredictionSource.pinned`.
        notes
            Takes what cannot be read.
        unreadable_files
            Files to leave out, with the reasons, by path.
        """
        from modelops_jupyter.sources.files import FileTable

        import_ahead(FOR_READING)  # the rows are read in threads
        mapping = ColumnMapping(self.where, self.settings, self.model, SourceNotes() if notes is None else notes)
        left_out = unreadable_files or {}
        if self.settings.query:
            from modelops_jupyter.sources.sql import SqlTable

            return SqlTable(self._filled(self.settings.database, "database", environ), mapping, labels=self.labels)
        options = {name: self._filled(text, f"options.{name}", environ) for name, text in self.settings.options.items()}
        address = self._filled(self.settings.table, "table", environ)
        if address.startswith(SPARK):
            from modelops_jupyter.sources.spark import SparkTable

            return SparkTable(address.removeprefix(SPARK), mapping, labels=self.labels)
        is_delta, address = address.startswith("delta:"), address.removeprefix("delta:")
        if "://" not in address:
            address = str(self.folder / Path(address).expanduser())
            is_delta = is_delta or Path(address, "_delta_log").is_dir()
        if is_delta:
            from modelops_jupyter.sources.delta import open_delta

            snapshot = open_delta(self.where, address, options, mapping, left_out)
            return FileTable(snapshot, mapping, labels=self.labels)
        from modelops_jupyter.sources.parquet_folder import open_folder

        snapshot = open_folder(self.where, address, options, mapping, before, left_out, labels=self.labels)
        return FileTable(snapshot, mapping, labels=self.labels)

    def _filled(self, text: str, name: str, environ: Mapping[str, str]) -> str:
        return fill_secrets(f"The {name} of {self.where}", text, environ)


def place_of(settings: SourceTable, model: ModelFacts, folder: Path, *, labels: bool = False) -> Place:
    """Return where a table lies; paths start at `folder`."""
    database = redacted(settings.database) if "://" in settings.database else "its database"
    where = f"the query on {database}" if settings.query else redacted(settings.table)
    return Place(where, settings, model, folder, labels)


class WatchedSource:
    """The predictions of a model in a table that others write: a `PredictionSource` of that model.

    Parameters
    ----------
    log
        Our own log, which has the labels where no table has them.
    faults
        What could not be read in this run.
    """

    def __init__(
        self,
        source: Source,
        model: ModelFacts,
        folder: Path,
        log: PredictionLog,
        before: Position | None = None,
        faults: Faults | None = None,
    ) -> None:
        self._source, self._model, self._folder, self._log = source, model, folder, log
        self._before = before if before is not None and before.get("settings") == self._digest else None
        self._faults = Faults() if faults is None else faults

    def pinned(self, position: Position | None = None) -> WatchedSource:
        """Return the source to read as it is now; see `PredictionSource`."""
        self._faults.position = position
        return WatchedSource(self._source, self._model, self._folder, self._log.pinned(), position, self._faults)

    def without(self, error: SourceFileUnreadable) -> WatchedSource:
        """Return the source without a file that cannot be read, nor others that are new and like it.

        Raises
        ------
        ModelOpsError
            If it was left out already.
        """
        faults = self._faults.without(error)
        source = WatchedSource(self._source, self._model, self._folder, self._log, self._faults.position, faults)
        if error.path:
            source._leave_out_others(labels=error.labels)
        return WatchedSource(self._source, self._model, self._folder, self._log, faults=faults.read_again())

    def problems(self) -> SourceProblems:
        """Return what could not be read, and what became of it."""
        return self._faults.problems()

    def _leave_out_others(self, *, labels: bool) -> None:
        """Look at all files that are new, so that many unreadable ones take no run each."""
        from modelops_jupyter.sources.files import FileTable

        table = self._labels if labels else self._predictions
        if isinstance(table, FileTable):
            before = None if self._before is None else self._before["labels" if labels else "predictions"]
            for error in table.unreadable_files(before).values():
                self._faults.files[labels][error.path] = error.cause

    def extent(self, model: str) -> Extent | None:
        """Return how far the predictions reach, or None where there are none."""
        self._check_one_place()
        position = self._position  # first: what is written meanwhile is new to the next run
        times = self._predictions.times()
        if times is None:
            return None
        labels = 0 if self._labels is None else self._labels.rows
        return Extent(_time(times[0]), _time(times[1]), self._predictions.rows, labels, position)

    def changed_since(self, model: str, position: Position) -> tuple[datetime, datetime] | None:
        """Return the first and last prediction time of what was written, corrected or labelled after `position`."""
        if position.get("settings") != self._digest:  # of another table, or read in another way
            spans = [self._predictions.times()]
        else:
            ids = self._labelled_since(position)
            spans = [self._predictions.changed_times(position["predictions"])]
            spans += [self._predictions.times_of(ids)] if len(ids) else []
        there = [span for span in spans if span is not None]
        if not there:
            return None
        return _time(min(first for first, _ in there)), _time(max(last for _, last in there))

    def stream(
        self, model: str, start: datetime, end: datetime, cut: Callable[[int], int], window: Callable[[Array], Array]
    ) -> Iterator[Slab]:
        """Yield the predictions of ``[start, end)`` with their labels; of a request the latest row counts."""
        self._faults.rows_were_read = True
        first, last = (round(time.timestamp() * 1e6) for time in (start, end))
        yield from self._predictions.slabs(first, last, cut, window, self._events)

    @property
    def lies_in_spark(self) -> bool:
        """Whether the rows are to be profiled where they lie, from `spark_rows`, in place of `stream`."""
        return self._source.table.startswith(SPARK)

    def spark_rows(self, start: datetime, end: datetime, length: timedelta | None, origin: datetime) -> Any:
        """Return the rows of ``[start, end)`` as a Spark table with our log's columns; see `SparkTable.logged`.

        Raises
        ------
        InvalidInput
            If labels lie anywhere else than in Spark.
        """
        self._faults.rows_were_read = True
        first, last, zero = (round(time.timestamp() * 1e6) for time in (start, end, origin))
        predictions: Any = self._predictions
        name = self._model.name
        elsewhere = self._source.labels is not None and not self._source.labels.table.startswith(SPARK)
        if elsewhere or (not predictions.has_labels and self._labels is None and self._log.holds(name, "labels")):
            raise InvalidInput(f"The labels of {name!r} must lie in Spark, as its predictions do: name a table there.")
        return predictions.logged(first, last, length, zero, self._labels)

    def read(
        self,
        model: str,
        start: datetime,
        end: datetime,
        columns: Sequence[str] | None = None,
        series: Series = SERVICE,
    ) -> pa.Table | None:
        """Return the predictions of ``[start, end)`` with their `label`, as `PredictionLog.read` does."""
        if self._predictions.times() is None:
            return None
        if self.lies_in_spark:
            rows = rows_of_series(self._from_spark(start, end), series)
            return rows if columns is None else rows.select([n for n in rows.column_names if n in (*columns, *_KEYS)])
        return self._read(start, end, columns, lambda piece: piece.rows_of(series))

    def read_version(self, model: str, version: int, columns: Sequence[str]) -> pa.Table | None:
        """Return what a version predicted, in whichever role, with labels, as `PredictionLog.read_version` does."""
        self._check_one_place()
        times = self._predictions.times()
        if times is None:
            return None
        start, end = _time(times[0]), _time(times[1] + 1)
        names = [*dict.fromkeys(("version", "role", *columns))]
        if self.lies_in_spark:
            rows = self._from_spark(start, end)
        else:
            read = self._read(start, end, names, lambda piece: piece.rows_of(SERVICE) | _beside(piece))
            if read is None:
                return None
            rows = read
        rows = rows.filter(pc.equal(rows["version"], version))
        return one_role_each(rows.select([n for n in rows.column_names if n in (*names, *_KEYS)]))

    def _from_spark(self, start: datetime, end: datetime) -> pa.Table:
        return in_log_types(self.spark_rows(start, end, None, start).toArrow().sort_by("timestamp"))

    def _read(
        self, start: datetime, end: datetime, columns: Sequence[str] | None, chosen: Callable[[Piece], Array]
    ) -> pa.Table | None:
        """Return the rows of ``[start, end)`` that are `chosen` of each piece."""
        tables = []
        model = self._model.name
        for slab in self.stream(model, start, end, lambda time: time, lambda times: np.zeros(len(times), "int64")):
            for piece in slab.pieces:
                names = (
                    [*_OWN, *self._predictions.features] if columns is None else ["request_id", "timestamp", *columns]
                )
                columns_by_name = {name: piece.read(name) for name in (*dict.fromkeys(names), "label")}
                there = pa.table({name: column for name, column in columns_by_name.items() if column is not None})
                tables.append(in_log_types(there).filter(pa.array(chosen(piece))))
        if not tables:
            return None
        rows = pa.concat_tables(tables, promote_options="permissive").sort_by("timestamp")
        if "label" not in rows.column_names:
            rows = rows.append_column("label", pa.nulls(rows.num_rows, pa.string()))
        return rows

    @cached_property
    def _predictions(self) -> Table:
        before = None if self._before is None else self._before["predictions"]
        place = place_of(self._source, self._model, self._folder)
        return place.open(before, self._faults.notes, self._faults.files[False])

    @cached_property
    def _labels(self) -> Table | None:
        if self._source.labels is None or self._faults.labels is not None:
            return None
        before = None if self._before is None else self._before["labels"]
        place = place_of(self._source.labels, self._model, self._folder, labels=True)
        try:
            return place.open(before, self._faults.notes, self._faults.files[True])
        except (NotFound, InvalidFrame, SourceUnreachable) as error:
            self._faults.labels = error
            return None

    @cached_property
    def _events(self) -> Events | None:
        """Return what reads labels, or None where they are in a column of the predictions."""
        if self._source.labels is not None:
            return lambda ids: no_events() if self._labels is None else self._read_labels(self._labels.events, ids)
        return None if self._predictions.has_labels else self._log.label_events(self._model.name)

    @cached_property
    def _position(self) -> Position:
        predictions = self._predictions.position
        labels: Any = None
        if self._source.labels is not None:  # of labels that cannot be read now, all are new once they can
            labels = None if self._labels is None else self._labels.position
        elif not self._predictions.has_labels:
            labels = self._log.labels_version(self._model.name)
        return {"settings": self._digest, "predictions": predictions, "labels": labels}

    def _labelled_since(self, position: Position) -> pa.ChunkedArray:
        """Return the requests whose labels are new, other or gone."""
        if self._source.labels is not None:
            return (
                pa.chunked_array([], pa.string())
                if self._labels is None
                else self._read_labels(self._labels.changed_ids, position["labels"])
            )
        if self._predictions.has_labels:
            return pa.chunked_array([], pa.string())
        before = position["labels"]
        return self._log.labelled_since(self._model.name, -1 if before is None else int(before))

    def _read_labels(self, read: Callable[[T], R], what: T) -> R:
        """Return what is read of the table of labels; where all of it cannot be read, drift goes on without labels."""
        try:
            return read(what)
        except SourceFileUnreadable:
            raise
        except (InvalidFrame, SourceUnreachable) as error:
            raise SourceFileUnreadable("", True, error) from error

    @cached_property
    def _digest(self) -> str:
        """What says how the tables are read, without secrets: read in another way, everything is new."""
        parts_of_digest: list[Any] = [self._source.version]
        for part in (self._source, self._source.labels):
            if part is not None:
                places = [redacted(part.table), redacted(part.database), part.query]
                parts_of_digest.append([*places, dict(part.columns), part.key, part.zone, part.format])
        text = json.dumps(parts_of_digest, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _check_one_place(self) -> None:
        """Raise `InvalidInput` where our own log has predictions or labels of the model as well."""
        name = self._model.name
        tables = [
            "predictions",
            *(["labels"] if self._predictions.has_labels or self._source.labels is not None else []),
        ]
        for table in tables:
            if self._log.holds(name, table):
                where = self._predictions.where
                raise InvalidInput(
                    f"The {table} of {name!r} lie in two places, {where} and our own log: remove [source.{name}] from "
                    f"the settings, or move {self._log.path(name, table)} away, so that each request is counted once."
                )


def _beside(piece: Piece) -> Array:
    """Return which rows count in a series beside what was served."""
    return np.zeros(piece.rows, dtype=bool) if piece.beside is None else piece.beside >= 0


def _time(micros: int) -> datetime:
    return possible(pa.scalar(micros, pa.int64()).cast(UTC_TIME))
