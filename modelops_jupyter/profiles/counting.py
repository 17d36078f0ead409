"""Counting numbers in blocks that fit the processor's cache: how many are at or below each mark, and their moments.

Sorting a block and looking the marks up in it counts any number of bins, whatever the edges, and NaN and infinities
come with them. In single precision that takes half as long. Rounding keeps the order, so that only numbers that round
to what a mark rounds to are in doubt; those marks are counted anew, number by number. Whole numbers that lie close
together are counted by value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from modelops_jupyter.profiles.groups import Array

# Marks in doubt up to which counting them anew is quicker than sorting in double precision.
MOST_DOUBTS = 6
# Whole numbers that are counted by value span at most so many; floats hold those up to the other number exactly.
MOST_VALUES = 1 << 12
_EXACT = 1 << 53
# A product is summed in so many parts: OpenBLAS starts threads of its own for one of over 10,000 numbers.
_PARTS = 8


@dataclass(frozen=True)
class Blocks:
    """What was counted in each block of a column.

    Attributes
    ----------
    rows : array of int64 of shape (blocks,)
        How many numbers there were, NaN and infinities too.
    at : array of int64 of shape (blocks, marks)
        How many were at or below each mark; NaN is at or below none.
    least, greatest : array of float64 of shape (blocks,)
        The extremes of the finite ones, infinity and minus infinity where there is none.
    powers : array of float64 of shape (blocks, 4)
        Sums of the first four powers of ``(x - pivot) / scale`` of the finite ones.
    """

    rows: Array
    at: Array
    least: Array
    greatest: Array
    powers: Array


class Marks:
    """What the numbers of one column are counted by.

    Parameters
    ----------
    marks : array of float64 of shape (marks,)
        The least finite number's place comes first, that of the greatest fourth from last.
    """

    def __init__(self, marks: Array, pivot: float, scale: float) -> None:
        self._marks, self._pivot, self._per_scale = marks, pivot, 1 / scale
        self._floors = np.floor(marks)
        with np.errstate(over="ignore"):
            self._single = marks.astype("float32")
        self._coarse = False  # whether single precision does not tell the numbers of this column apart

    def count(self, blocks: Sequence[Array], ordered: bool = False) -> Blocks:
        """Count blocks of numbers of one type; `ordered` floats have NaN last."""
        held = [block for block in blocks if len(block)]
        if held and held[0].dtype.kind != "f":
            least, greatest = min(int(block.min()) for block in held), max(int(block.max()) for block in held)
            if greatest - least < MOST_VALUES and max(-least, greatest) <= _EXACT:
                return self._count_values(blocks, least, greatest)
        return self._count_floats([block.astype("float64", copy=False) for block in blocks], ordered)

    def _count_values(self, blocks: Sequence[Array], least: int, greatest: int) -> Blocks:
        width = greatest - least + 1
        counts = np.stack([np.bincount(block, minlength=width) for block in _distances(blocks, least)])
        sums = np.zeros((len(blocks), width + 1), dtype="int64")
        np.cumsum(counts, axis=1, out=sums[:, 1:])
        place = np.minimum(np.maximum(self._floors - least + 1, 0), width).astype("int64")
        z = (np.arange(least, greatest + 1) - self._pivot) * self._per_scale
        held = counts > 0
        some = held.any(axis=1)
        return Blocks(
            sums[:, -1],
            sums[:, place],
            np.where(some, least + held.argmax(axis=1), np.inf),
            np.where(some, greatest - held[:, ::-1].argmax(axis=1), -np.inf),
            counts @ np.stack([z, z**2, z**3, z**4], axis=1),
        )

    def _count_floats(self, blocks: Sequence[Array], ordered: bool) -> Blocks:
        rows = np.array([len(block) for block in blocks])
        at = np.zeros((len(blocks), len(self._marks)), dtype="int64")
        least, greatest = np.full(len(blocks), np.inf), np.full(len(blocks), -np.inf)
        products = np.zeros((len(blocks), 4, _PARTS))
        longest = int(rows.max(initial=0)) + _PARTS
        single, scratch = np.empty(longest, dtype="float32"), np.empty((2, longest))
        with np.errstate(over="ignore", invalid="ignore"):
            for k, numbers in enumerate(blocks):
                at[k] = numbers.searchsorted(self._marks, "right") if ordered else self._at_or_below(numbers, single)
                finite = int(at[k, -4] - at[k, 0])
                if not finite:
                    continue
                if finite < len(numbers):
                    numbers = numbers[np.isfinite(numbers)]
                least[k], greatest[k] = np.minimum.reduce(numbers), np.maximum.reduce(numbers)
                self._multiply(numbers, scratch, products[k])
        return Blocks(rows, at, least, greatest, products.sum(axis=2))

    def _at_or_below(self, numbers: Array, memory: Array) -> Array:
        """Return how many of the numbers are at or below each mark."""
        if not self._coarse:
            single = memory[: len(numbers)]
            np.copyto(single, numbers, casting="same_kind")
            single.sort()
            at: Array = single.searchsorted(self._single, "right")
            doubts = (at != single.searchsorted(self._single, "left")).nonzero()[0]
            if len(doubts) <= MOST_DOUBTS:
                for mark in doubts.tolist():
                    at[mark] = np.count_nonzero(numbers <= self._marks[mark])
                return at
            self._coarse = True
        at = np.sort(numbers).searchsorted(self._marks, "right")
        return at

    def _multiply(self, numbers: Array, memory: Array, products: Array) -> None:
        """Sum the first four powers of finite numbers, each in parts; shape (4, parts)."""
        rows = len(numbers)
        width = -(-rows // _PARTS)
        z, squares = memory[:, : _PARTS * width]
        z[rows:] = 0
        np.subtract(numbers, self._pivot, out=z[:rows])
        z *= self._per_scale
        np.multiply(z, z, out=squares)
        first, second = z.reshape(_PARTS, width), squares.reshape(_PARTS, width)
        np.add.reduce(first, axis=1, out=products[0])
        np.vecdot(first, first, out=products[1])
        np.vecdot(first, second, out=products[2])
        np.vecdot(second, second, out=products[3])


def _distances(blocks: Sequence[Array], least: int) -> Iterator[Array]:
    return (np.subtract(block, least, dtype="int64", casting="unsafe") for block in blocks)
