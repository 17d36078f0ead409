"""What every table that others write can be asked, wherever it lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from modelops_jupyter.errors import InvalidFrame, SourceUnreachable
from modelops_jupyter.log.column_types import UTC_TIME
from modelops_jupyter.log.distinct import first_of_each
from modelops_jupyter.log.stream import Slab, attach_labels
from modelops_jupyter.settings import redacted

Array = np.ndarray[Any, Any]
T = TypeVar("T")
# The first and the last of some times, in microseconds since 1970 (UTC).
Span = tuple[int, int]
# Returns the label events of some requests.
Events = Callable[[pa.Array], pa.Table]


@dataclass(frozen=True)
class Changes(Generic[T]):
    """Parts of a table that are new, and parts that are gone; or that it cannot be told, and everything is new."""

    added: Sequence[T] = ()
    removed: Sequence[T] = ()
    everything: bool = False


class Table(Protocol):
    """A table of predictions or of labels at one moment."""

    @property
    def where(self) -> str:
        """The table as messages name it, without any secret."""

    @property
    def position(self) -> Mapping[str, Any]:
        """Where the table stands: plain data by which a later run tells what is new."""

    @property
    def rows(self) -> int:
        """How many rows there are."""

    @property
    def has_labels(self) -> bool:
        """Whether a column of predictions says what came of them."""

    @property
    def features(self) -> Sequence[str]:
        """The columns that are none of the log's own, by our names."""

    def times(self) -> Span | None:
        """Return the first and the last time of all rows."""

    def changed_times(self, position: Mapping[str, Any]) -> Span | None:
        """Return the first and the last time of what is new or gone since `position`."""

    def changed_ids(self, position: Mapping[str, Any] | None) -> pa.ChunkedArray:
        """Return the request ids of what is new or gone since `position`; of all rows where that cannot be told."""

    def times_of(self, ids: pa.ChunkedArray) -> Span | None:
        """Return the first and the last time of the rows of some requests."""

    def slabs(
        self, start: int, end: int, cut: Callable[[int], int], window: Callable[[Array], Array], events: Events | None
    ) -> Iterator[Slab]:
        """Yield the rows of ``[start, end)`` as `PredictionLog.stream` does; of a request the latest row counts."""

    def events(self, ids: pa.Array) -> pa.Table:
        """Return the label events of some requests, as our log has them."""


def attach(slab: Slab, events: Events | None) -> None:
    """Give every piece its labels: those of their own column where no table of them is named."""
    if events is not None:
        attach_labels(slab.pieces, events)
        return
    for piece in slab.pieces:
        piece.label = piece.column("label")


def label_events(
    ids: pa.ChunkedArray, labels: pa.ChunkedArray, happened: pa.ChunkedArray | None, written: pa.Array
) -> pa.Table:
    """Return labels as events of our log, the latest of each request.

    `written` is greater for a row that was written later: without times of their own, that one is the later event.
    """
    rows = len(ids)
    never = pa.chunked_array([pa.array(np.zeros(rows, "int64")).cast(UTC_TIME)])
    table = pa.table(
        {
            "request_id": ids,
            "label": labels,
            "event_time": never if happened is None else happened,
            "arrival_time": pa.array(np.zeros(rows, "int64")).cast(UTC_TIME),
            "written": written,
            "row": pa.array(np.arange(rows)),
        }
    ).filter(labels.is_valid())
    order = [("request_id", "ascending"), *((name, "descending") for name in ("event_time", "written", "row"))]
    return first_of_each(table.sort_by(order)).drop_columns(["row"])


def no_events() -> pa.Table:
    """Return the events of a table without a row."""
    none = pa.chunked_array([], pa.string())
    return label_events(none, none, None, pa.array([], pa.int64())).drop_columns(["written"])


def latest_events(parts: Sequence[pa.Table]) -> pa.Table:
    """Return the latest event of each request in several parts of a table."""
    whole = pa.concat_tables(parts)
    order = [("request_id", "ascending"), ("event_time", "descending"), ("written", "descending")]
    return first_of_each(whole.sort_by(order)).drop_columns(["written"])


@contextmanager
def guarded(where: str) -> Iterator[None]:
    """Say in our own words why a table cannot be read."""
    from deltalake.exceptions import DeltaError

    try:
        yield
    except (DeltaError, pa.ArrowException, OSError) as error:
        raise SourceUnreachable(unreadable(where, error)) from error


@contextmanager
def file_guard(where: str) -> Iterator[None]:
    """Say in our own words why one file cannot be read: a bad frame, unless reading it again may help."""
    try:
        yield
    except pa.ArrowException as error:
        raise InvalidFrame(unreadable(where, error)) from error
    except OSError as error:
        raise SourceUnreachable(unreadable(where, error)) from error


def unreadable(where: str, error: Exception) -> str:
    """Return what to say of a table that cannot be read, without any secret."""
    reason = next(iter(str(error).splitlines()), "") or type(error).__name__
    return (
        f"{where} cannot be read ({redacted(reason)[:300].rstrip('.')}): if another program is writing it, try again; "
        "else look at its settings and its files."
    )
