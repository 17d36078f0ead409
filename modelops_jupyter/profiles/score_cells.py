"""Rows by cell of the score, as one array: a window has up to 2,000 of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from modelops_jupyter.profiles.binning import SCORE_BINS

Array = np.ndarray[Any, Any]
Counts = tuple[int, int, int]


class ScoreCells(Mapping[int, Counts]):
    """By cell: rows without label, with a negative, with a positive one.

    Parameters
    ----------
    table : array of int64, shape (cells, 4)
        The cell, ascending, and its three counts.
    """

    def __init__(self, table: Array) -> None:
        self.table = table

    @classmethod
    def of(cls, cells: Mapping[int, Counts]) -> ScoreCells:
        """Return any mapping of that kind as an array."""
        if isinstance(cells, ScoreCells):
            return cells
        return cls(np.array([(cell, *cells[cell]) for cell in sorted(cells)], dtype="int64").reshape(-1, 4))

    def __getitem__(self, cell: int) -> Counts:
        return self._by_cell[cell]

    def __iter__(self) -> Iterator[int]:
        return iter(self._by_cell)

    def __len__(self) -> int:
        return len(self.table)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ScoreCells):
            return bool(np.array_equal(self.table, other.table))
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._by_cell)

    def __add__(self, other: ScoreCells) -> ScoreCells:
        both = np.zeros((SCORE_BINS, 4), dtype="int64")
        held = np.zeros(SCORE_BINS, dtype=bool)
        for side in (self.table, other.table):
            both[side[:, 0], 1:] += side[:, 1:]
            held[side[:, 0]] = True
        both[:, 0] = np.arange(SCORE_BINS)
        return ScoreCells(both[held])

    def arrays(self) -> tuple[Array, Array, Array]:
        """Return rows without label, negatives and positives by cell, each of shape (2000,)."""
        table = np.zeros((3, SCORE_BINS))
        table[:, self.table[:, 0]] = self.table[:, 1:].T
        return table[0], table[1], table[2]

    @cached_property
    def _by_cell(self) -> dict[int, Counts]:
        return {cell: (unknown, no, yes) for cell, unknown, no, yes in self.table.tolist()}
