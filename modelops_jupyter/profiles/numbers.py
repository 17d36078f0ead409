"""Counting numbers for every group of rows, in blocks; small groups are looked up among the edges together."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from modelops_jupyter.columns import present, raw_numbers, with_gaps
from modelops_jupyter.profiles.binning import ColumnBinning, is_number
from modelops_jupyter.profiles.column import ColumnProfile
from modelops_jupyter.profiles.counting import Blocks, Marks
from modelops_jupyter.profiles.groups import BLOCK, Array, Groups

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
        marks = np.array([-np.inf, *self._edges, _LARGEST, np.inf, _BELOW_ZERO, 0.0])
        self._marks = Marks(marks, binning.pivot, binning.scale)
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
        if not is_number(values.type):
            self.absent(groups)
            there = groups.arranged(present(values)).astype("int64")
            self._mistyped[groups.numbers] += np.add.reduceat(there, groups.starts)
            return
        self._rows[groups.numbers] += groups.lengths
        known = groups.arranged(present(values)) if values.null_count else None
        if known is not None:
            self._nulls[groups.numbers] += np.add.reduceat((~known).astype("int64"), groups.starts)
        numbers = groups.arranged(raw_numbers(values))
        if groups.rows < FEW * len(groups.starts):
            self._look_up(with_gaps(numbers, known).astype("float64", copy=False), groups)
            return
        starts, ends, numbers_of_groups = groups.blocks
        spans = zip(starts.tolist(), ends.tolist(), strict=True)
        blocks = [numbers[a:b] if known is None else numbers[a:b][known[a:b]] for a, b in spans]
        self._add(self._marks.count(blocks), ends - starts, numbers_of_groups)

    def add_ordered(self, numbers: Array, rows: int) -> None:
        """Count the rows of the only group: their numbers in order, NaN last, and how many rows there are."""
        absent = rows - len(numbers)
        self._rows[0] += rows
        self._nulls[0] += absent
        self._missing[0] += absent
        blocks = [numbers[at : at + BLOCK] for at in range(0, len(numbers), BLOCK)]
        if blocks:
            counted = self._marks.count(blocks, ordered=True)
            self._add(counted, counted.rows, np.zeros(len(blocks), dtype="int64"))

    def _add(self, counted: Blocks, rows: Array, groups: Array) -> None:
        """Add blocks to their groups; `rows` is how many each has, missing ones too."""
        at, finite = counted.at, counted.at[:, -4] - counted.at[:, 0]
        np.add.at(self._counts, groups, at[:, 1:-3] - at[:, :-4])
        np.add.at(self._missing, groups, rows - finite)
        np.add.at(self._infinite, groups, at[:, -3] - finite)
        np.add.at(self._zeros, groups, at[:, -1] - at[:, -2])
        np.minimum.at(self._least, groups, counted.least)
        np.maximum.at(self._greatest, groups, counted.greatest)
        with np.errstate(over="ignore", invalid="ignore"):
            np.add.at(self._powers, groups, counted.powers)

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
