"""Predictions and labels of every model, each pair of tables under the model's own folder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from modelops_jupyter.log.column_types import UTC_TIME, to_log_types
from modelops_jupyter.log.distinct import first_of_each, surely_distinct
from modelops_jupyter.log.exact_numbers import restored, with_exact
from modelops_jupyter.log.repeats import one_role_each, rows_of_series
from modelops_jupyter.log.schema import LABEL_COLUMNS, PREDICTION_COLUMNS, check_own_columns
from modelops_jupyter.log.source import Extent, Position
from modelops_jupyter.log.stream import Array, Slab, attach_labels, latest_labels, read_slab, row_groups, slabs
from modelops_jupyter.log.table import Appended, BatchTable
from modelops_jupyter.refs import check_name
from modelops_jupyter.roles import SERVED, SERVICE, Series
from modelops_jupyter.time_columns import FIRST_TIME, LAST_TIME

TABLES = ("predictions", "labels")


class PredictionLog:
    """The log of one workspace, under `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._pinned: dict[tuple[str, str], BatchTable] | None = None

    def pinned(self, position: Position | None = None) -> PredictionLog:
        """Return the log to read as it is when each table is first looked at: every answer is of the same rows."""
        log = PredictionLog(self.root)
        log._pinned = {}
        return log

    def append_predictions(
        self,
        model: str,
        frame: pa.Table,
        *,
        batch_id: str | None = None,
        features: Collection[str] = (),
    ) -> Appended:
        """Append predictions: the log's own columns, `features` of the version that predicted, and whatever else.

        `column_types` says in which types they are kept. A batch must have the log's own columns and the `features`;
        other columns (features of other versions, segments, metadata) may be missing from a batch, whose rows then have
        missing values there, and may come first in a later one. Without a column `role` the predictions were served.

        The requests and their times make a batch: scored again, perhaps by another version, it is the same batch, and
        what was logged first counts. What was not served is a batch of its own version and role.
        """
        if "role" not in frame.column_names:
            frame = frame.append_column("role", pa.repeat(pa.scalar(SERVED), frame.num_rows))
        rows = to_log_types(frame, PREDICTION_COLUMNS)
        check_own_columns(rows, PREDICTION_COLUMNS, "The predictions")
        return self._table(model, "predictions").append(
            rows,
            batch_id,
            own=PREDICTION_COLUMNS,
            same=("request_id", "timestamp"),
            required={*features, *PREDICTION_COLUMNS},
            series=_series_of(rows),
        )

    def append_labels(self, model: str, frame: pa.Table, *, batch_id: str | None = None) -> Appended:
        """Append label events; every event is kept, also those that correct an earlier one.

        Requests, labels and, where they are known, event times make a batch, whenever it arrives.
        """
        rows = to_log_types(frame.select([name for name in frame.column_names if name in LABEL_COLUMNS]), LABEL_COLUMNS)
        check_own_columns(rows, LABEL_COLUMNS, "The labels")
        timed = not rows["event_time"].equals(rows["arrival_time"])
        same = ("request_id", "label", "event_time") if timed else ("request_id", "label")
        rows = rows.select(list(LABEL_COLUMNS))
        return self._table(model, "labels").append(rows, batch_id, own=LABEL_COLUMNS, same=same, required=LABEL_COLUMNS)

    def read(
        self,
        model: str,
        start: datetime,
        end: datetime,
        columns: Sequence[str] | None = None,
        series: Series = SERVICE,
    ) -> pa.Table | None:
        """Return the predictions of ``[start, end)`` with their `label`, or None before the first prediction.

        They are those of `series`: without it, what was served. A request logged twice in it counts once, its earliest
        row; a label meets every prediction of its request. Among the label events of one request the one with the
        latest event time counts, then the greatest value: an answer that depends on the set of events alone, not on
        when they arrived.

        Raises
        ------
        LogDamaged
            If rows that were written are not there.
        """
        predictions = self._table(model, "predictions")
        table = predictions.open()
        if table is None:
            return None
        predictions.verify(table)
        names = pa.schema(table.schema().to_arrow()).names
        chosen = None if columns is None else [*dict.fromkeys(("request_id", "timestamp", *columns))]
        own = [name for name in ("version", "role") if name in names and name not in (chosen or names)]
        wanted = None if chosen is None else with_exact([*chosen, *own], names)
        inside = (ds.field("timestamp") >= pa.scalar(start)) & (ds.field("timestamp") < pa.scalar(end))
        rows = predictions.scan(predictions.all_files(table), wanted, inside, table)
        rows = rows_of_series(rows, series).drop_columns(own)
        return self._with_labels(model, restored(_first_of_each_request(rows)))

    def read_version(self, model: str, version: int, columns: Sequence[str]) -> pa.Table | None:
        """Return what a version predicted, in whichever role, with labels; None before the first prediction.

        Of a request that it predicted in several roles what was served counts, then the shadow's answer; of each the
        earliest row.

        Raises
        ------
        LogDamaged
            If rows that were written are not there.
        """
        predictions = self._table(model, "predictions")
        table = predictions.open()
        if table is None:
            return None
        predictions.verify(table)
        names = pa.schema(table.schema().to_arrow()).names
        there = [name for name in (*columns, "role") if name in names]
        wanted = with_exact(["request_id", "timestamp", *there], names)
        rows = predictions.scan(predictions.all_files(table), wanted, ds.field("version") == version, table)
        return self._with_labels(model, restored(one_role_each(rows)))

    def _with_labels(self, model: str, rows: pa.Table) -> pa.Table:
        """Return predictions with the label that each request has; missing where none is known."""
        labels = self._labels(model)
        if labels is None:
            return rows.append_column("label", pa.nulls(rows.num_rows, pa.string()))
        position = pc.index_in(rows["request_id"], value_set=labels["request_id"])
        return rows.append_column("label", labels["label"].take(position))

    def stream(
        self, model: str, start: datetime, end: datetime, cut: Callable[[int], int], window: Callable[[Array], Array]
    ) -> Iterator[Slab]:
        """Yield the predictions of ``[start, end)`` with their labels, in time order and bounded memory.

        A request logged twice in one window and series counts once there, its earliest row; its label is as `read`
        says.

        Parameters
        ----------
        cut
            Returns the start of the window that holds a time; microseconds since 1970 (UTC) both.
        window
            Returns the numbers of the windows that hold times.

        Raises
        ------
        LogDamaged
            If rows that were written are not there.
        """
        predictions = self._table(model, "predictions")
        table = predictions.open()
        if table is None:
            return
        predictions.verify(table)
        events = self.label_events(model)
        first, last = (round(time.timestamp() * 1e6) for time in (start, end))
        with predictions.guarded():
            groups = row_groups(predictions.files(table, first, last), first, last)
        for span in slabs(groups, first, last, cut):
            slab = read_slab(groups, *span, window, predictions.guarded, events is not None)
            attach_labels(slab.pieces, events)
            yield slab

    def holds(self, model: str, table: str) -> bool:
        """Return whether a table of a model has rows."""
        return self._table(model, table).open() is not None

    def path(self, model: str, table: str) -> Path:
        """Return the folder of a table."""
        return self._table(model, table).path

    def extent(self, model: str) -> Extent | None:
        """Return how far the log of a model reaches, or None before the first prediction.

        Times that stand for missing ones, which a log may hold that an earlier version has written, do not count.
        """
        predictions = self._table(model, "predictions")
        table = predictions.open()
        if table is None:
            return None
        rows = predictions.verify(table)
        span = pc.min_max(predictions.scan(predictions.outermost(table), ["timestamp"])["timestamp"])
        events = self._table(model, "labels")
        labels = events.open()
        return Extent(
            start=possible(span["min"]),
            end=possible(span["max"]),
            rows=rows,
            labels=0 if labels is None else events.verify(labels),
            position={"predictions": table.version(), "labels": -1 if labels is None else labels.version()},
        )

    def label_conflicts(self, model: str, requests: pa.ChunkedArray) -> pa.Table:
        """Return the requests that have several labels of their latest event time, with it: `request_id`, `event_time`.

        Only those of `requests` are looked at; a row each, sorted by request.
        """
        events = self.label_events(model)
        known = pa.table({}) if events is None else events(requests.combine_chunks())
        if not known.num_rows:
            return pa.table({"request_id": [], "event_time": []})
        counted = known.group_by(["request_id", "event_time"]).aggregate([("label", "count_distinct")])
        latest = first_of_each(counted.sort_by([("request_id", "ascending"), ("event_time", "descending")]))
        several = latest.filter(pc.greater(latest["label_count_distinct"], 1))
        return several.select(["request_id", "event_time"]).sort_by("request_id")

    def unlike(self, model: str, requests: pa.ChunkedArray) -> str | None:
        """Return the id of a prediction where none of `requests` has one; None if any has, or nothing was predicted.

        The newest files are looked into first, where an answer that there is one is soon found.
        """
        predictions = self._table(model, "predictions")
        table = predictions.open()
        if table is None:
            return None
        ids = pa.chunked_array([], pa.string())
        for uri in predictions.newest_first(table):
            ids = predictions.scan([uri], ["request_id"])["request_id"]
            if pc.any(pc.is_in(ids, value_set=requests)).as_py():
                return None
        return str(ids[0])

    def changed_since(self, model: str, position: Position) -> tuple[datetime, datetime] | None:
        """Return the first and last prediction time touched by what was appended after `position`.

        It holds the versions of both Delta tables, -1 for one that was not there; every row is new to another's.
        """
        before = {name: int(position.get(name, -1)) for name in TABLES}
        times = [
            self._new_rows(model, "predictions", before["predictions"], "timestamp"),
            self._times_of_requests(model, self._new_rows(model, "labels", before["labels"], "request_id")),
        ]
        touched = [column for column in times if column is not None and len(column)]
        if not touched:
            return None
        spans = [pc.min_max(column) for column in touched]
        return min(possible(s["min"]) for s in spans), max(possible(s["max"]) for s in spans)

    def label_events(self, model: str) -> Callable[[pa.Array], pa.Table] | None:
        """Return what reads the label events of some requests, or None before the first label.

        Raises
        ------
        LogDamaged
            If rows that were written are not there.
        """
        labels = self._table(model, "labels")
        table = labels.open()
        if table is None:
            return None
        labels.verify(table)
        return lambda ids: labels.scan(labels.all_files(table), filter=ds.field("request_id").isin(ids))

    def labels_version(self, model: str) -> int:
        """Return the version of the table of labels, -1 before the first one."""
        table = self._table(model, "labels").open()
        return -1 if table is None else table.version()

    def labelled_since(self, model: str, version: int) -> pa.ChunkedArray:
        """Return the requests that got a label after `version` of the table of labels."""
        requests = self._new_rows(model, "labels", version, "request_id")
        return pa.chunked_array([], pa.string()) if requests is None else requests

    def _new_rows(self, model: str, name: str, version: int, column: str) -> pa.ChunkedArray | None:
        """Return one column of the files that came after `version`; of all files where Delta knows it no longer."""
        batch = self._table(model, name)
        table = batch.open()
        if table is None or table.version() <= version:
            return None
        with batch.guarded():
            uris = batch.added_since(table, version)
        return batch.scan(uris, [column])[column] if uris else None

    def _times_of_requests(self, model: str, requests: pa.ChunkedArray | None) -> pa.ChunkedArray | None:
        predictions = self._table(model, "predictions")
        table = predictions.open()
        if requests is None or table is None:
            return None
        rows = predictions.scan(predictions.all_files(table), ["request_id", "timestamp"])
        return rows.filter(pc.is_in(rows["request_id"], value_set=requests))["timestamp"]

    def _labels(self, model: str) -> pa.Table | None:
        labels = self._table(model, "labels")
        table = labels.open()
        if table is None:
            return None
        labels.verify(table)
        events = labels.scan(labels.all_files(table))
        return latest_labels(events)

    def _table(self, model: str, name: str) -> BatchTable:
        table = BatchTable(self.root / check_name(model) / name)
        return table if self._pinned is None else self._pinned.setdefault((model, name), table.pinned())


def _series_of(rows: pa.Table) -> str:
    """Return the versions and roles of rows that were not served; nothing of those that were, by whichever version."""
    pairs = rows.select(["version", "role"]).group_by(["version", "role"]).aggregate([]).to_pylist()
    return ",".join(sorted(Series(p["version"], p["role"]).key for p in pairs if p["role"] != SERVED))


def possible(time: pa.Scalar) -> datetime:
    """Return a time, or the first or the last one that a prediction can have."""
    micros = min(max(time.cast(pa.int64()).as_py(), FIRST_TIME), LAST_TIME)
    possible: datetime = pa.scalar(micros, pa.int64()).cast(UTC_TIME).as_py()
    return possible


def _first_of_each_request(rows: pa.Table) -> pa.Table:
    """Return `rows` in time order without later repeats of a request; cheap where there are none."""
    if surely_distinct(rows["request_id"]):
        return rows
    return first_of_each(rows.sort_by([("request_id", "ascending"), ("timestamp", "ascending")]))
