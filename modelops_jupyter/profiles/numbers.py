"""Counting numbers: sorting a block of values in cache and looking its edges up counts any number of bins.

NumPy sorts with the processor's vector instructions, some 4 ns a value; the places of the edges in the sorted block
are then the counts at or below them, whatever the edges are, and NaN, infinities, zeros and extremes come with them.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from modelops_jupyter.columns import numbers_of, present
from modelops_jupyter.profiles.binning import BLOCK, ColumnBinning, is_number
from modelops_jupyter.profiles.column import ColumnProfile
from modelops_jupyter.profiles.groups import Array, Groups

# Below this many rows a group, calls per group cost more than looking every value up among the edges.
FEW = 400
_LARGEST = np.finfo("float64").max
_BELOW_ZERO = np.nextafter(0.0, -1.0)


class NumericTally:
    """One numeric column, counted for every group."""

    def __init__(self, binning: ColumnBinning, groups: int) -> None:
        self._binning = binning
        self._edges = np.asarray(binning.edges, dtype="float64")
        # At or below each of these: -inf, the edges, every finite number, infinity; then just below zero, zero.
        self._marks = np.array([-np.inf, *self._edges, _LARGEST, np.inf, _BELOW_ZERO, 0.0])
        self._counts = np.zeros((groups, binning.bins), dtype="int64")
        self._powers = np.zeros((groups, 4))
        self._least, self._greatest = np.full(groups, np.inf), np.full(groups, -np.inf)
        self._rows, self._nulls, self._missing, self._infinite, self._zeros, self._mistyped = np.zeros(
            (6, groups), dtype="int64"
        )

    def absent(self, groups: Groups) -> None:
        """Count rows of which the column is not there."""
        self._rows[groups.numbers] += groups.lengths
        self._nulls[groups.numbers] += groups.lengths
        self._missing[groups.numbers] += groups.lengths

    def add(self, values: pa.ChunkedArray, groups: Groups) -> None:
        """Count the rows of a piece."""
        if not groups.rows:
            return
        known = present(values)
        if not is_number(values.type):
            self.absent(groups)
            self._mistyped[groups.numbers] += np.add.reduceat(groups.arranged(known).astype("int64"), groups.starts)
            return
        self._rows[groups.numbers] += groups.lengths
        if values.null_count:
            unknown = groups.arranged(~known).astype("int64")
            self._nulls[groups.numbers] += np.add.reduceat(unknown, groups.starts)
        numbers = groups.arranged(numbers_of(values).astype("float64", copy=False))
        if groups.rows < FEW * len(groups.starts):
            self._look_up(numbers, groups)
            return
        for start, end, number in groups.runs():
            for at in range(start, end, BLOCK):
                self._sort(numbers[at : min(at + BLOCK, end)], number)

    def add_ordered(self, numbers: Array, rows: int) -> None:
        """Count the rows of the only group: their numbers in order, NaN last, and how many rows there are."""
        absent = rows - len(numbers)
        self._rows[0] += rows
        self._nulls[0] += absent
        self._missing[0] += absent
        for at in range(0, len(numbers), BLOCK):
            self._count(numbers[at : at + BLOCK].copy(), 0)

    def _sort(self, numbers: Array, group: int) -> None:
        ordered = numbers.copy()
        ordered.sort()
        self._count(ordered, group)

    def _count(self, ordered: Array, group: int) -> None:
        """Count numbers in their order; they are overwritten."""
        at = ordered.searchsorted(self._marks, side="right")
        first, last = int(at[0]), int(at[-4])
        self._counts[group] += at[1:-3] - at[:-4]
        self._missing[group] += len(ordered) - last + first
        self._infinite[group] += int(at[-3]) - last + first
        self._zeros[group] += int(at[-1] - at[-2])
        if last == first:
            return
        finite = ordered[first:last]
        self._least[group] = min(self._least[group], finite[0])
        self._greatest[group] = max(self._greatest[group], finite[-1])
        with np.errstate(over="ignore", invalid="ignore"):
            z = np.subtract(finite, self._binning.pivot, out=finite)
            z /= self._binning.scale
            squares = z * z
            self._powers[group] += (
                np.add.reduce(z),
                np.add.reduce(squares),
                np.einsum("i,i", z, squares),
                np.einsum("i,i", squares, squares),
            )

    def _look_up(self, numbers: Array, groups: Groups) -> None:
        finite = np.isfinite(numbers)
        run = groups.local[finite]
        present = np.bincount(run, minlength=len(groups.starts))
        self._missing[groups.numbers] += groups.lengths - present
        infinite = groups.local[np.isinf(numbers)]
        self._infinite[groups.numbers] += np.bincount(infinite, minlength=len(groups.starts))
        held = np.flatnonzero(present)
        if not len(held):
            return
        numbers = numbers[finite]
        bins = self._counts.shape[1]
        place = run * bins + np.searchsorted(self._edges, numbers, side="left")
        self._counts[groups.numbers] += np.bincount(place, minlength=len(groups.starts) * bins).reshape(-1, bins)
        starts = (np.cumsum(present) - present)[held]
        at = groups.numbers[held]
        self._zeros[at] += np.add.reduceat((numbers == 0).astype("int64"), starts)
        self._least[at] = np.minimum(self._least[at], np.minimum.reduceat(numbers, starts))
        self._greatest[at] = np.maximum(self._greatest[at], np.maximum.reduceat(numbers, starts))
        with np.errstate(over="ignore", invalid="ignore"):
            z = (numbers - self._binning.pivot) / self._binning.scale
            squares = z * z
            for power, values in enumerate((z, squares, squares * z, squares * squares)):
                self._powers[at, power] += np.add.reduceat(values, starts)

    def profile(self, group: int) -> ColumnProfile:
        """Return the column's profile of one group."""
        powers = self._powers[group].tolist()
        nulls = int(self._nulls[group])
        infinite = int(self._infinite[group])
        held = self._least[group] <= self._greatest[group]
        return ColumnProfile(
            kind="numeric",
            n=int(self._rows[group]),
            nulls=nulls,
            counts=tuple(self._counts[group].tolist()),
            nan=int(self._missing[group]) - nulls - infinite,
            infinite=infinite,
            zeros=int(self._zeros[group]),
            minimum=float(self._least[group]) if held else None,
            maximum=float(self._greatest[group]) if held else None,
            # A sum beyond the largest float says nothing; 0 keeps it out of every figure and JSON whole.
            powers=tuple(power if np.isfinite(power) else 0.0 for power in powers),  # type: ignore[arg-type]
            mistyped=int(self._mistyped[group]),
        )
