"""How far a single share of a column moved: that of one category, or of the rows in a tail of a number.

A distance of whole distributions spreads its sight over all their bins. A fault often moves one share alone: a category
five points more, values in another unit far out in a tail. So each is compared by itself, and the one counts that
chance explains least, out of as many as were looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.distances import jensen_shannon

Array = np.ndarray[Any, Any]
# A tail holds at most such a part of the reference's rows: further in, ranks and distances see more.
TAIL = 0.02
LEAST_SCORE, LEAST_CHANCE, LEAST_DISTANCE = 0.01, 1e-290, 1e-9


@dataclass(frozen=True)
class ShareShift:
    """The share of each column that moved furthest.

    Attributes
    ----------
    distance : array of float
        Jensen-Shannon distance of the share, and of all that is outside it.
    error : array of float
        Over which the distance is as many normal deviations, signs aside, as chance brings as seldom.
    """

    distance: Array
    error: Array


def share_shift(before: Array, now: Array, rows_before: Array, rows: Array, cells: Array, *, rises: bool) -> ShareShift:
    """Return the share that moved furthest, an entry per column.

    Given the rows of a cell on both sides together, those of the window are binomial by chance: the conditional test of
    two Poisson means (Przyborowski and Wilenski, Biometrika 1940). Rows that are not rare stray less than Poisson's, by
    the root of one less their share. Of several cells the least tail is corrected by Šidák (JASA 1967).

    Parameters
    ----------
    before, now
        Rows by cell, of shape (columns, cells).
    rows_before, rows
        Rows with a value, of shape (columns,).
    cells
        Which of the cells are looked at, of shape (columns, cells).
    rises
        Whether rises alone count.
    """
    from scipy.special import ndtr, ndtri  # heavy: not before it is needed

    column, cell = cells.nonzero()
    n, m = np.maximum(rows_before, 1.0)[column], np.maximum(rows, 1.0)[column]
    found = np.full(cells.shape, -1.0)
    found[column, cell] = _scores(before[column, cell], now[column, cell], n, m, rises)
    columns, best = np.arange(len(found)), found.argmax(-1)
    single = 2 * ndtr(-found[columns, best].clip(0))
    with np.errstate(divide="ignore"):  # one that is certain
        any_of_them = -np.expm1(np.maximum(cells.sum(-1), 1) * np.log1p(-np.minimum(single, 1.0)))
    score = -ndtri(np.clip(any_of_them, LEAST_CHANCE, 1.0) / 2)
    left = before[columns, best] / np.maximum(rows_before, 1.0)
    right = now[columns, best] / np.maximum(rows, 1.0)
    distance = jensen_shannon(np.stack([left, 1 - left], -1), np.stack([right, 1 - right], -1))
    distance = np.maximum(distance, LEAST_DISTANCE)  # an error of zero is none
    return ShareShift(distance, distance / np.maximum(score, LEAST_SCORE))


def _scores(before: Array, now: Array, n: Array, m: Array, rises: bool) -> Array:
    """Return the normal deviations, signs aside, that are as seldom as so many rows of `m` after so many of `n`."""
    from scipy.special import betainc, ndtri  # heavy: not before it is needed

    share = (before + now) / (n + m)
    if not rises:  # what is in most rows is looked at by those that it is not in
        most = share > 0.5
        before, now = np.where(most, n - before, before), np.where(most, m - now, now)
        share = np.where(most, 1 - share, share)
    part = m / (n + m)
    risen = now * n > before * m
    scores = np.zeros(len(before))
    # At least as many rows as there are now.
    scores[risen] = betainc(now[risen], before[risen] + 1, part[risen])
    if not rises:  # at most as many
        fallen = ~risen & (before > 0)
        scores[fallen] = betainc(before[fallen], now[fallen] + 1, 1 - part[fallen])
        risen = risen | fallen
    tails = np.where(risen, np.clip(scores * (1 if rises else 2), LEAST_CHANCE, 1.0), 1.0)
    deviations: Array = -ndtri(tails / 2) / np.sqrt(1 - share)
    return deviations


def tails_of(counts: Array) -> Array:
    """Return the rows at or below each edge, and then those above each, of counts by fine bin."""
    below = np.cumsum(counts, -1)[..., :-1]
    return np.concatenate([below, counts.sum(-1, keepdims=True) - below], axis=-1)
