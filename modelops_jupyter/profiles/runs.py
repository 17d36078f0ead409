"""Rows that follow each other and have one number, such as that of their window: a log in time order has few runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modelops_jupyter.profiles.groups import Array, Groups


@dataclass(frozen=True)
class Runs:
    """Numbers of rows, run by run.

    Attributes
    ----------
    numbers, lengths : array of int64 of shape (runs,)
        What the rows of each run are numbered, and how many there are; no run is empty.
    """

    numbers: Array
    lengths: Array

    @classmethod
    def of(cls, numbers: Array) -> Runs:
        """Return the runs of a number per row."""
        changed = np.flatnonzero(numbers[1:] != numbers[:-1]) + 1
        starts = np.concatenate([np.zeros(min(len(numbers), 1), dtype="int64"), changed])
        return cls(numbers[starts], np.diff(starts, append=len(numbers)))

    @classmethod
    def of_times(cls, times: Array, length: int, origin: int) -> Runs:
        """Number times by windows that are `length` long, of which number 0 starts at `origin`."""
        if len(times) and bool((times[1:] >= times[:-1]).all()):
            first, last = (int(times[0]) - origin) // length, (int(times[-1]) - origin) // length
            if last - first < len(times):  # a search per window costs less than a division per row
                numbers = np.arange(first, last + 1)
                starts = np.searchsorted(times, origin + numbers * length)
                starts[0] = 0
                lengths = np.diff(starts, append=len(times))
                return cls(numbers[lengths > 0], lengths[lengths > 0])
        return cls.of((times - origin) // length)

    @property
    def starts(self) -> Array:
        """Where each run begins."""
        starts: Array = np.cumsum(self.lengths) - self.lengths
        return starts

    def each(self) -> Array:
        """Return the number of every row; shape (rows,)."""
        return np.repeat(self.numbers, self.lengths)

    def groups(self) -> Groups:
        """Return the rows grouped by their numbers; those with a negative one are in no group."""
        wanted = self.numbers >= 0
        count = int(wanted.sum())
        numbers = self.numbers[:count]
        if bool(wanted[:count].all()) and bool((numbers[1:] > numbers[:-1]).all()):
            starts = self.starts[:count]
            return Groups(None, starts, starts + self.lengths[:count], numbers)
        return Groups.of(self.each())
