"""Cells that two samples can be compared by: chosen on other rows than those compared, and with rows enough in each.

Two ways of choosing cells make healthy windows look drifted. The categories of a reference are those that its own rows
have, so a value that none of them has by chance counts as new in the window: cells are chosen on the counts tested.
Where a category is so rare that this matters, the reference's rows are parted at random (data thinning: Neufeld,
Dharamshi, Gao and Witten, JMLR 2024): a quarter of them says which categories are cells of their own, the others are
compared with the window, and all that the quarter does not have, unseen values too, is one cell.

And cells with hardly a row have no chi-square distribution. Those with fewer than five expected rows on either side
(Cochran, Biometrics 1954), or than two where `pearson_tail` takes care of few rows, are put together. That goes by the
rows of both sides together, which say nothing of how a cell's rows lie on the two sides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np

from modelops_jupyter.monitoring.figures.intervals import chi_square_p
from modelops_jupyter.monitoring.figures.shares import ShareShift, share_shift

Array = np.ndarray[Any, Any]
FEWEST_EXPECTED, FEWEST_OF_PEARSON = 5.0, 2.0
# Categories of so many rows in the reference are none that it might have missed.
COMMON = 30
CHOOSING = 0.25


class CategoryColumns:
    """Columns of categories side by side, padded by empty cells; the last one holds what is unseen.

    `counts` are the reference's rows, `own` says which cells may stand alone, `compared` holds the rows that windows
    are compared with; see `split`.
    """

    def __init__(self, counts: Mapping[str, Array]) -> None:
        self.names = tuple(counts)
        self._most = max((len(column) for column in counts.values()), default=1)
        parted = [split(column) for column in counts.values()]
        self.counts = self.table([*counts.values()])
        self.own = self.table([own for own, _ in parted]) > 0
        self.compared = self.table([compared for _, compared in parted])

    @cached_property
    def alone(self) -> Array:
        """Which cells are looked at by themselves: those of common categories; of two that hold all rows the one."""
        found = self.counts >= COMMON
        found[:, -1] = False
        halves = (self.counts > 0).sum(-1) == 2
        found[halves] &= np.arange(self._most) == self.counts[halves].argmax(-1)[:, None]
        return found

    def share_shift(self, counts: Array) -> ShareShift:
        """Return how far the categories of each column have moved, of a window's counts."""
        totals = self.counts.sum(-1), counts.sum(-1)
        return share_shift(self.counts, counts, *totals, self.alone, rises=False)

    def table(self, columns: Sequence[Array]) -> Array:
        """Return counts by category, a row per column."""
        found = np.zeros((len(columns), self._most))
        for row, counts in enumerate(columns):
            found[row, : len(counts) - 1] = counts[:-1]
            found[row, -1] = counts[-1]
        return found


def split(counts: Array) -> tuple[Array, Array]:
    """Return which categories are cells of their own, and the counts to be compared, unseen rows as the last.

    Parameters
    ----------
    counts
        Rows of the reference by category, the unseen ones last. A reference that has unseen rows has more categories
        than are counted, and chose them on rows apart: then nothing needs parting.
    """
    if counts[-1] > 0 or not ((counts[:-1] > 0) & (counts[:-1] < COMMON)).any():
        own = counts > 0
    else:
        # The same counts are parted the same way; other ones in another way, whatever their order.
        seed = crc32(counts.astype("<i8").tobytes())
        chosen = np.random.default_rng(seed).binomial(counts.astype("int64"), CHOOSING)
        own, counts = chosen > 0, counts - chosen
    own[-1] = False
    return own, counts.astype(float)


def filled(before: Array, now: Array, own: Array | None = None, fewest: float = FEWEST_EXPECTED) -> tuple[Array, Array]:
    """Return both sides' counts by cell, the last one holding whatever has too few rows; empty cells are none.

    Parameters
    ----------
    before, now
        Counts of shape (..., cells).
    own
        Which cells may stand alone; all by default.
    """
    together = before + now
    n, m = before.sum(-1, keepdims=True), now.sum(-1, keepdims=True)
    expected = together * np.minimum(n, m) / np.maximum(n + m, 1.0)
    alone = expected >= fewest
    if own is not None:
        alone &= own
    rest = np.where(alone, 0.0, expected).sum(-1)
    few = (rest > 0) & (rest < fewest)
    largest = np.where(alone, expected, -1.0).argmax(-1)
    sides = []
    for counts in (before, now):
        kept, remaining = np.where(alone, counts, 0.0), np.where(alone, 0.0, counts).sum(-1)
        moved = np.where(few, remaining, 0.0)
        place = np.arange(kept.shape[-1]) == largest[..., None]
        sides.append(np.concatenate([kept + place * moved[..., None], (remaining - moved)[..., None]], axis=-1))
    return sides[0], sides[1]


def neighbours(counts: Array, other: Array) -> tuple[Array, Array]:
    """Return the counts of ordered bins, shape (columns, bins), neighbours together where a side has few rows.

    So many that five rows of the side with fewer fall on each were they spread evenly; the first of them holds all.
    """
    bins = counts.shape[-1]
    rows = np.minimum(counts.sum(-1), other.sum(-1))
    together = np.clip(np.ceil(FEWEST_EXPECTED * bins / np.maximum(rows, 1.0)), 1, max(bins, 1)).astype(int)
    sides = counts.copy(), other.copy()
    for size in {*together.tolist()} - {1}:
        chosen, starts = together == size, np.arange(0, bins, size)
        for side in sides:
            sums = np.add.reduceat(side[chosen], starts, axis=-1)
            side[chosen] = 0.0
            side[np.ix_(chosen, starts)] = sums
    return sides


def pearson_tail(statistic: float, before: Array, now: Array) -> float:
    """Return how often Pearson's statistic of two samples is as great by chance, given the rows by cell.

    By the gamma distribution of its exact mean and variance over all ways to part the rows (Haldane, Biometrika 1940;
    Dawson, A simplified expression for the variance of the chi-square function on a contingency table, Biometrika
    1954): with a few rows a cell these are not those of a chi-square. Its skewness may be greater, that of a
    chi-square is too where the variance is less, so the greater of both tails counts.
    """
    from scipy.special import gammaincc  # heavy: not before it is needed

    together = (before + now)[before + now > 0]
    sides = np.array([before.sum(), now.sum()])
    total, cells = float(together.sum()), len(together)
    mean = total / (total - 1) * (cells - 1)
    of_cells = (cells - 1) * (total - cells) / (total - 1), (float((total / together).sum()) - cells**2) / (total - 2)
    of_sides = (total - 2) / (total - 1), (float((total / sides).sum()) - 4) / (total - 2)
    variance = 2 * total / (total - 3) * (of_cells[0] - of_cells[1]) * (of_sides[0] - of_sides[1])
    variance += total**2 / (total - 1) * of_cells[1] * of_sides[1]
    matched = float(gammaincc(mean**2 / variance, statistic * mean / variance))
    return max(matched, chi_square_p(statistic, cells - 1))
