"""Counting numbers in blocks that fit the processor's cache: how many are at or below each mark, and their moments.

Sorting a block and looking the marks up in it counts any number of bins, whatever the edges, and NaN and infinities
come with them. In single precision that takes half as long. Rounding keeps the order, so that only numbers that round
to what a mark rounds to are in doubt; those marks are counted anew, number by number. Whole numbers that lie close
together are counted by value.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from modelops_jupyter.profiles.groups import Array

# Marks in doubt up to which counting them anew is quicker than sorting in double precision.
MOST_DOUBTS = 6
# Whole numbers that are counted by value span at most so many, and no more than a block has unless they span few.
MOST_VALUES, FEW_VALUES = 1 << 12, 1 << 8
# Floats hold whole numbers up to this one exactly.
_EXACT = 1 << 53
# A product is summed in so many parts: OpenBLAS starts threads of its own for one of over 10,000 numbers.
_PARTS = 8
_THREAD = threading.local()


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
        The first is minus infinity, the fourth from last the largest float: the finite numbers lie between them.
    """

    def __init__(self, marks: Array, pivot: float, scale: float) -> None:
        self._marks, self._pivot, self._per_scale = marks, pivot, 1 / scale
        self._floors = np.floor(marks)
        with np.errstate(over="ignore"):
            self._single = marks.astype("float32")
        self._coarse = False  # whether single precision left too many in doubt: of few distinct numbers it does

    def count(self, blocks: Sequence[Array], ordered: bool = False) -> Blocks:
        """Count blocks of numbers of one type; `ordered` floats have NaN last."""
        whole = (_whole(blocks) if self._coarse else None) or blocks
        held = [block for block in whole if len(block)]
        if held and held[0].dtype.kind != "f":
            least, greatest = min(int(block.min()) for block in held), max(int(block.max()) for block in held)
            most = min(MOST_VALUES, max(FEW_VALUES, sum(map(len, held)) // len(held)))
            if greatest - least < most and max(-least, greatest) <= _EXACT:
                return self._count_values(whole, least, greatest)
        return self._count_floats([block.astype("float64", copy=False) for block in blocks], ordered)

    def _count_values(self, blocks: Sequence[Array], least: int, greatest: int) -> Blocks:
        width = greatest - least + 1
        counts = np.stack([np.bincount(block, minlength=width) for block in _distances(blocks, least)])
        sums = np.zeros((len(blocks), width + 1), dtype="int64")
        np.cumsum(counts, axis=1, out=sums[:, 1:])
        place = np.minimum(np.maximum(self._floors - least + 1, 0), width).astype("int64")
        held = counts > 0
        some = held.any(axis=1)
        with np.errstate(over="ignore", invalid="ignore"):
            z = (np.arange(least, greatest + 1) - self._pivot) * self._per_scale
            powers = counts @ np.stack([z, z**2, z**3, z**4], axis=1)
        return Blocks(
            sums[:, -1],
            sums[:, place],
            np.where(some, least + held.argmax(axis=1), np.inf),
            np.where(some, greatest - held[:, ::-1].argmax(axis=1), -np.inf),
            powers,
        )

    def _count_floats(self, blocks: Sequence[Array], ordered: bool) -> Blocks:
        rows = np.array([len(block) for block in blocks])
        at = np.zeros((len(blocks), len(self._marks)), dtype="int64")
        least, greatest = np.full(len(blocks), np.inf), np.full(len(blocks), -np.inf)
        products = np.zeros((len(blocks), 4, _PARTS))
        longest = int(rows.max(initial=0)) + _PARTS
        single, scratch = _memory(longest)
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


def _whole(blocks: Sequence[Array]) -> list[Array] | None:
    """Return floats as the whole numbers that they are, or None where one is not."""
    found = []
    for block in blocks:
        with np.errstate(invalid="ignore"):
            found.append(block.astype("int64"))
        if not np.array_equal(found[-1], block):
            return None
    return found


def _memory(longest: int) -> tuple[Array, Array]:
    """Return this thread's memory for counting: what is asked for and freed anew is cleared by the system each time."""
    held: tuple[Array, Array] | None = getattr(_THREAD, "memory", None)
    if held is None or len(held[0]) < longest:
        _THREAD.memory = held = np.empty(longest, dtype="float32"), np.empty((2, longest))
    return held


def _distances(blocks: Sequence[Array], least: int) -> Iterator[Array]:
    return (np.subtract(block, least, dtype="int64", casting="unsafe") for block in blocks)
