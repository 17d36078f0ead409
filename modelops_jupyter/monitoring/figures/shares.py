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
    from scipy.special import betainc, ndtr, ndtri  # heavy: not before it is needed

    n, m = np.maximum(rows_before, 1.0)[:, None], np.maximum(rows, 1.0)[:, None]
    p, q = before / n, now / m
    share = (before + now) / (n + m)
    if not rises:  # what is in most rows is looked at by those that it is not in
        most = share > 0.5
        before, now = np.where(most, n - before, before), np.where(most, m - now, now)
        share = np.where(most, 1 - share, share)
    part = m / (n + m)
    # At least as many rows: certain where there is none.
    tails = np.where(now > 0, betainc(np.maximum(now, 1e-9), before + 1, part), 1.0)
    if not rises:
        below = np.where(before > 0, betainc(np.maximum(before, 1e-9), now + 1, 1 - part), 1.0)
        tails = 2 * np.minimum(tails, below)
    scores = -ndtri(np.clip(tails, LEAST_CHANCE, 1.0) / 2) / np.sqrt(1 - share.clip(0, 0.5))
    scores = np.where(cells, scores, -1.0)
    columns, best = np.arange(len(scores)), scores.argmax(-1)
    single = 2 * ndtr(-scores[columns, best].clip(0))
    with np.errstate(divide="ignore"):  # one that is certain
        all_of_them = -np.expm1(cells.sum(-1) * np.log1p(-np.minimum(single, 1.0)))
    score = -ndtri(np.clip(all_of_them, LEAST_CHANCE, 1.0) / 2)
    left, right = p[columns, best], q[columns, best]
    distance = jensen_shannon(np.stack([left, 1 - left], -1), np.stack([right, 1 - right], -1))
    distance = np.maximum(distance, LEAST_DISTANCE)  # an error of zero is none
    return ShareShift(distance, distance / np.maximum(score, LEAST_SCORE))


def tails_of(counts: Array) -> Array:
    """Return the rows at or below each edge, and then those above each, of counts by fine bin."""
    below = np.cumsum(counts, -1)[..., :-1]
    return np.concatenate([below, counts.sum(-1, keepdims=True) - below], axis=-1)
