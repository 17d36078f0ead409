"""Groups of rows that are profiled apart in one pass: the windows, and the segments of every window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
# Rows that are looked at together: as many as the processor's cache holds.
BLOCK = 1 << 16


@dataclass(frozen=True)
class Groups:
    """Rows in the order of their groups: what every column of the same rows is cut by.

    Attributes
    ----------
    order : array of int64 of shape (rows,), or None
        Positions of the rows, group after group; None where they lie so already.
    starts, ends : array of int64 of shape (runs,)
        Where each group's rows begin and end in that order; no run is empty.
    numbers : array of int64 of shape (runs,)
        The number of each run's group; no number comes twice.
    """

    order: Array | None
    starts: Array
    ends: Array
    numbers: Array

    @classmethod
    def of(cls, numbers: Array) -> Groups:
        """Group rows by `numbers`, an integer per row; rows with a negative one are in no group."""
        order: Array | None = None
        if len(numbers) and (numbers[0] < 0 or bool((numbers[1:] < numbers[:-1]).any())):
            order = np.argsort(numbers, kind="stable")
            numbers = numbers[order]
            unwanted = int(np.searchsorted(numbers, 0))
            order, numbers = order[unwanted:], numbers[unwanted:]
        starts = np.flatnonzero(np.diff(numbers, prepend=-1)) if len(numbers) else np.zeros(0, "int64")
        return cls(order, starts, np.append(starts[1:], len(numbers))[: len(starts)], numbers[starts])

    @cached_property
    def rows(self) -> int:
        """Number of rows in any group."""
        return int(self.ends[-1]) if len(self.ends) else 0

    @cached_property
    def lengths(self) -> Array:
        """Rows of each run."""
        return self.ends - self.starts

    @cached_property
    def local(self) -> Array:
        """The run of each row, counted from 0, in group order."""
        return np.repeat(np.arange(len(self.starts)), self.lengths)

    @cached_property
    def blocks(self) -> tuple[Array, Array, Array]:
        """Start, end and group of every block: a run, or where it is long, a part of it."""
        parts = -(-self.lengths // BLOCK)
        which = np.repeat(np.arange(len(parts)), parts)
        part = np.arange(len(which)) - np.repeat(np.cumsum(parts) - parts, parts)
        starts = self.starts[which] + self.lengths[which] * part // parts[which]
        ends = self.starts[which] + self.lengths[which] * (part + 1) // parts[which]
        return starts, ends, self.numbers[which]

    def arranged(self, values: Array) -> Array:
        """Return `values`, one per row as it came, in group order."""
        return values[: self.rows] if self.order is None else values[self.order]

    def runs(self) -> Iterator[tuple[int, int, int]]:
        """Yield start, end and number of every run."""
        return zip(self.starts.tolist(), self.ends.tolist(), self.numbers.tolist(), strict=True)
