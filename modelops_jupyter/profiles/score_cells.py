"""Rows by cell of the score: cells as narrow as the scores of a window need them, 2,048 at most.

A score has a key, a whole number that rises with it: sign, exponent and 30 bits of the mantissa of its float, which
NumPy's sort orders as it orders the scores. Above one half it is the key of ``1 - score``, mirrored, so that scores
near 1 are told apart as well as those near 0. Cell ``k`` of level ``l`` holds the keys from ``k * 2**l`` on, below
``(k + 1) * 2**l``. A level is the lowest at which the rows lie in no more than 2,048 cells. At level 0 each score has a
cell of its own. The level of two sets of rows together is never below that of one of them, so cells of two windows add
up to those of all rows, in whatever order they are added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from modelops_jupyter.profiles.groups import BLOCK
from modelops_jupyter.profiles.packing import pack, unpack

Array = np.ndarray[Any, Any]

MOST_CELLS = 2048
LARGE = 1 << 13  # rows of a group from which counting by itself is faster than sorting it with others
STATES = 3  # rows without a label, with a negative one, with a positive one
CERTAIN = 2.0**-48  # what the last bits of a float below 1 come to: a score as near to 1 is 1
_DROPPED = 22  # of the 52 bits of the mantissa
_HALF = 1022 << (52 - _DROPPED)  # the key of 0.5
_KEY_BITS = 41  # of the key of 1, twice that of 0.5; 20 more are left for the number of a group


def keys_of(scores: Array) -> Array:
    """Return the keys of scores from 0 to 1, as int64."""
    keys = np.empty(len(scores), dtype="int64")
    for begin in range(0, len(scores), BLOCK):
        block = scores[begin : begin + BLOCK]
        # 17 - x is rounded to multiples of 2**-48, what `CERTAIN` is.
        bits = np.minimum(block, (17 - block) - 16).view("int64")
        # To the nearest, so that a score of few digits in binary, as 0.25, lies in the middle of what becomes its key.
        bits += 1 << (_DROPPED - 1)
        bits >>= _DROPPED
        above = -(block > 0.5).astype("int64")  # all bits set, or none: -x is ~x + 1
        bits ^= above
        bits += above & (2 * _HALF + 1)
        keys[begin : begin + BLOCK] = bits
    return keys


def scores_of(cells: Array, level: int) -> Array:
    """Return the score in the middle of each cell."""
    keys = np.minimum((cells << level) + ((1 << level) >> 1), 2 * _HALF)
    low = keys <= _HALF
    below = (np.where(low, keys, 2 * _HALF - keys) << _DROPPED).view("float64")
    middle: Array = np.where(low, below, 1 - below)
    return middle


@dataclass(frozen=True, eq=False)
class ScoreCells:
    """Rows by cell of the score.

    Attributes
    ----------
    table : array of int64, shape (cells, 4)
        The number of each cell, ascending; its rows without label, with a negative, with a positive one.
    level : int
        Cells hold ``2**level`` keys each.
    """

    table: Array = field(default_factory=lambda: np.zeros((0, 1 + STATES), dtype="int64"))
    level: int = 0

    @classmethod
    def of(cls, scores: Array, states: Array) -> ScoreCells:
        """Count scores; a state is 0 where there is no label, 1 where it is negative, 2 where it is positive."""
        return next((cells for _, cells in cells_by_group(np.zeros(len(scores), "int64"), scores, states, 1)), cls())

    @classmethod
    def total(cls, parts: Sequence[ScoreCells]) -> ScoreCells:
        """Return the cells of the rows of all `parts`."""
        parts = [part for part in parts if len(part)]
        if len(parts) < 2:
            return parts[0] if parts else cls()
        level = max(part.level for part in parts)
        cells = np.concatenate([part.table[:, 0] >> (level - part.level) for part in parts])
        order = np.argsort(cells, kind="stable")
        cells, counts = cells[order], np.concatenate([part.table[:, 1:] for part in parts])[order]
        return cls._summed(cells, counts, level).coarsened()

    @classmethod
    def _summed(cls, cells: Array, counts: Array, level: int) -> ScoreCells:
        """Add up the counts of equal cells, which lie side by side."""
        starts = np.flatnonzero(np.diff(cells, prepend=-1))
        return cls(np.column_stack([cells[starts], np.add.reduceat(counts, starts)]), level)

    def coarsened(self) -> ScoreCells:
        """Return the cells at the lowest level at which they are few enough."""
        more = _level_of(self.table[:, 0])
        return self._summed(self.table[:, 0] >> more, self.table[:, 1:], self.level + more) if more else self

    def __len__(self) -> int:
        return len(self.table)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ScoreCells):
            return NotImplemented
        return self.level == other.level and bool(np.array_equal(self.table, other.table))

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: ScoreCells) -> ScoreCells:
        return self.total((self, other))

    @property
    def unlabelled(self) -> Array:
        """Rows without label by cell, as floats."""
        return self.table[:, 1].astype("float64")

    @property
    def negatives(self) -> Array:
        """Rows with a negative label by cell, as floats."""
        return self.table[:, 2].astype("float64")

    @property
    def positives(self) -> Array:
        """Rows with a positive label by cell, as floats."""
        return self.table[:, 3].astype("float64")

    @property
    def rows(self) -> Array:
        """Rows by cell, with a label or without, as floats."""
        rows: Array = self.table[:, 1:].sum(1).astype("float64")
        return rows

    @cached_property
    def labelled(self) -> ScoreCells:
        """The cells that have a label, without the rows that have none."""
        table = self.table[self.table[:, 2:].any(1)].copy()
        table[:, 1] = 0
        return ScoreCells(table, self.level)

    @cached_property
    def scores(self) -> Array:
        """The score in the middle of each cell; at level 0 the score itself, to nine digits."""
        return scores_of(self.table[:, 0], self.level)

    def with_counts(self, counts: Array) -> ScoreCells:
        """Return the same cells with other counts, an array of shape (cells, 3)."""
        return ScoreCells(np.column_stack([self.table[:, 0], counts.astype("int64")]), self.level)

    def to_dict(self) -> dict[str, Any]:
        """Return the cells as JSON data: the distances between their numbers, which are smaller than the numbers."""
        steps = np.diff(self.table[:, 0], prepend=0)
        return {"level": self.level, "steps": pack(steps), "rows": pack(self.table[:, 1:])}

    @classmethod
    def from_dict(cls, body: dict[str, Any]) -> ScoreCells:
        """Read what `to_dict` wrote."""
        cells = np.cumsum(unpack(body["steps"]))
        return cls(np.column_stack([cells, unpack(body["rows"]).reshape(-1, STATES)]), int(body["level"]))


def _level_of(cells: Array) -> int:
    """Return by how many levels cells in ascending order, equal ones among them, must grow to be few enough."""
    if len(cells) <= MOST_CELLS:
        return 0
    # Neighbours whose highest differing bit is bit b share a cell from level b + 1 on, equal ones from level 0 on.
    _, bits = np.frexp((cells[1:] ^ cells[:-1]).astype("float64"))
    return int(np.argmax(len(cells) - np.cumsum(np.bincount(bits)) <= MOST_CELLS))


def cells_by_group(groups: Array, scores: Array, states: Array, number: int) -> Iterator[tuple[int, ScoreCells]]:
    """Yield the cells of each group that has rows; `groups` are in ascending order, below `number`."""
    keys, bounds = keys_of(scores), np.searchsorted(groups, np.arange(number + 1))
    large = np.diff(bounds) > LARGE
    for group in np.flatnonzero(large).tolist():
        rows = slice(bounds[group], bounds[group + 1])
        yield group, _cells_of_many(keys[rows], states[rows])
    if not large.all():
        small = slice(None) if not large.any() else ~large[groups]
        yield from _cells_of_few(groups[small], keys[small], states[small], number)


def _cells_of_many(keys: Array, states: Array) -> ScoreCells:
    """Count the rows of one group: those of a few of its rows take no greater level than all of them."""
    level = _level_of(np.sort(keys[:LARGE]))
    least = int(keys.min()) >> level
    width = (int(keys.max()) >> level) - least + 1
    if width > len(keys):  # scores far apart: most slots would be empty
        return next(cells for _, cells in _cells_of_few(np.zeros(len(keys), "int64"), keys, states, 1))
    counts = np.zeros(width * STATES, dtype="int64")
    for begin in range(0, len(keys), BLOCK):
        rows = slice(begin, begin + BLOCK)
        counts += np.bincount(((keys[rows] >> level) - least) * STATES + states[rows], minlength=len(counts))
    table = counts.reshape(-1, STATES)
    cells = np.flatnonzero(table.any(1))
    return ScoreCells(np.column_stack([cells + least, table[cells]]), level).coarsened()


def _cells_of_few(groups: Array, keys: Array, states: Array, number: int) -> Iterator[tuple[int, ScoreCells]]:
    """Count the rows of many groups together, in one sort."""
    place = ((groups << _KEY_BITS | keys) << 2) | states
    place.sort()
    state, place = place & 3, place >> 2
    first = np.flatnonzero(np.diff(place, prepend=-1))
    group = place[first] >> _KEY_BITS
    cell = np.repeat(np.arange(len(first)), np.diff(first, append=len(place)))
    counts = np.bincount(cell * STATES + state, minlength=len(first) * STATES).reshape(-1, STATES)
    table = np.column_stack([place[first] & ((1 << _KEY_BITS) - 1), counts])
    ends = np.searchsorted(group, np.arange(number), "right").tolist()
    for place_of, (begin, end) in enumerate(pairwise((0, *ends))):
        if begin < end:
            yield place_of, ScoreCells(table[begin:end]).coarsened()
