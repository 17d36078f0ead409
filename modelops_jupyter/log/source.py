"""What the monitor reads predictions through, wherever they lie: our own log, or a table that is already there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa

from modelops_jupyter.log.stream import Array, Slab
from modelops_jupyter.roles import SERVICE, Series

# How far a source was read: plain data that JSON can hold, and that only the source itself can read.
Position = Mapping[str, Any]


@dataclass(frozen=True)
class Extent:
    """How far the predictions of a model reach: times in UTC, `end` is the last prediction's own time.

    Attributes
    ----------
    position : mapping
        Where the source stands now: what `changed_since` takes in the next run.
    remark : str
        What the source has to say of its rows, or nothing.
    """

    start: datetime
    end: datetime
    rows: int
    labels: int
    position: Position
    remark: str = ""


class PredictionSource(Protocol):
    """The predictions of models with their labels."""

    def pinned(self, position: Position | None = None) -> PredictionSource:
        """Return the source to read as it is now: every answer is of the same rows.

        `position` is where the last run stood: what is still the same as then need not be looked at again.
        """

    def extent(self, model: str) -> Extent | None:
        """Return how far the predictions of a model reach, or None where there are none."""

    def changed_since(self, model: str, position: Position) -> tuple[datetime, datetime] | None:
        """Return the first and last prediction time touched by what was written after `position`."""

    def stream(
        self, model: str, start: datetime, end: datetime, cut: Callable[[int], int], window: Callable[[Array], Array]
    ) -> Iterator[Slab]:
        """Yield the predictions of ``[start, end)`` with their labels, in time order and bounded memory."""

    def read(
        self,
        model: str,
        start: datetime,
        end: datetime,
        columns: Sequence[str] | None = None,
        series: Series = SERVICE,
    ) -> pa.Table | None:
        """Return a series' predictions of ``[start, end)`` with their `label`, or None where there are none at all."""

    def read_version(self, model: str, version: int, columns: Sequence[str]) -> pa.Table | None:
        """Return what a version predicted, once per request, in whichever role, with `label`; None as of `read`."""
