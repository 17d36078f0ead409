"""Distances between distributions, along the last axis of arrays: many columns or windows in one call.

`p` and `q` are shares by bin, the reference's and the window's, each summing to 1; bins that both lack may be added
without changing any distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.deciding import REST, exceeds

SMALLEST_SHARE = 1e-4
Array = np.ndarray[Any, Any]


def psi(p: Array, q: Array) -> Array:
    """Population stability index: sum of (q - p) ln(q / p), shares below 0.0001 raised to it.

    Siddiqi, Credit Risk Scorecards (2006), chapter 9.
    """
    p, q = np.maximum(p, SMALLEST_SHARE), np.maximum(q, SMALLEST_SHARE)
    value: Array = ((q - p) * np.log(q / p)).sum(-1)
    return value


def jensen_shannon(p: Array, q: Array) -> Array:
    """Jensen-Shannon distance with logarithms to base 2, between 0 and 1 (Endres and Schindelin 2003)."""
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log2(p / middle), 0) + np.where(q > 0, q * np.log2(q / middle), 0)
    value: Array = np.sqrt(np.maximum(0.0, terms.sum(-1) / 2))
    return value


def hellinger(p: Array, q: Array) -> Array:
    """Hellinger distance: the Euclidean one of the roots of the shares over √2, between 0 and 1 (Hellinger 1909)."""
    value: Array = np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum(-1) / 2)
    return value


def l_infinity(p: Array, q: Array) -> Array:
    """Greatest difference of any share."""
    value: Array = np.abs(p - q).max(-1)
    return value


def kolmogorov_smirnov(p: Array, q: Array) -> Array:
    """Greatest difference of the distribution functions at the bins' edges.

    Never above the raw rows' statistic, and below it by at most `kolmogorov_smirnov_bound`.
    """
    value: Array = np.abs(np.cumsum(p - q, -1)).max(-1)
    return np.minimum(value, 1.0)


def kolmogorov_smirnov_bound(p: Array, q: Array) -> Array:
    """Greatest share of any bin in that of the two distributions which has less of it.

    Inside a bin the difference of the distribution functions passes its values at the edges by at most that. The fine
    bins hold 1/120 of the reference at most where its values are distinct, so the statistic is good to 0.0083 there.
    """
    value: Array = np.minimum(p, q).max(-1)
    return value


def rank_scores(p: Array) -> Array:
    """Return two scores of each bin, shape (..., bins, 2): place and spread of its rank in the reference.

    Legendre's polynomials of the mid-ranks, made orthonormal under `p`: their mean over other rows is Wilcoxon's and
    Mood's test in one, the first two components of Neyman's smooth test (Skandinavisk Aktuarietidskrift 1937). Zero
    where the reference has too few values for them.
    """
    ranks = 2 * np.cumsum(p, -1) - p - 1
    place = _normed(ranks, p)
    spread = ranks**2 - (p * ranks**2).sum(-1, keepdims=True)
    spread = spread - place * (p * spread * place).sum(-1, keepdims=True)
    return np.stack([place, _normed(spread, p)], axis=-1)


def _normed(scores: Array, p: Array) -> Array:
    """Return scores of mean 0 and variance 1 under `p`."""
    centred = scores - (p * scores).sum(-1, keepdims=True)
    variance = (p * centred**2).sum(-1, keepdims=True)
    normed: Array = np.where(exceeds(variance, 1e-6), centred / np.sqrt(np.maximum(variance, 1e-6)), 0.0)
    return normed


def rank_shift(scores: Array, q: Array) -> Array:
    """How far ranks have moved or spread, on the scale of the Jensen-Shannon distance: what it is of a small shift.

    `scores` are the `rank_scores` of the reference. The square times 8 ln 2 is the squared length of the mean scores.
    """
    moved = (q[..., None] * scores).sum(-2)
    value: Array = np.sqrt((moved**2).sum(-1) / (8 * np.log(2)))
    return value


def chi_square(reference: Array, current: Array) -> tuple[Array, Array]:
    """Pearson's test of two rows of counts being draws from one distribution: statistic and degrees of freedom.

    Pearson (1900); without Yates's correction, so that statistics of merged windows stay comparable.
    """
    reference, current, left, right, possible = _expected(reference, current)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = (reference - left) ** 2 / left + (current - right) ** 2 / right
    value: Array = np.where(possible, terms, 0).sum(-1)
    return value, np.maximum(possible.sum(-1) - 1, 0)


def g_test(reference: Array, current: Array) -> tuple[Array, Array]:
    """Likelihood-ratio test of two rows of counts being draws from one distribution: statistic, degrees of freedom.

    2 Σ observed ln(observed / expected); Sokal and Rohlf, Biometry (1981), chapter 17.
    """
    reference, current, left, right, possible = _expected(reference, current)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(reference > 0, reference * np.log(reference / left), 0)
        terms = terms + np.where(current > 0, current * np.log(current / right), 0)
    value: Array = np.maximum(0, 2 * np.where(possible, terms, 0).sum(-1))
    return value, np.maximum(possible.sum(-1) - 1, 0)


def _expected(reference: Array, current: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Return both rows of counts, what each would hold if they were alike, and which bins hold anything."""
    together = reference + current
    total = together.sum(-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        left = together * (reference.sum(-1, keepdims=True) / total)
        right = together * (current.sum(-1, keepdims=True) / total)
    return reference, current, left, right, together > 0


@dataclass(frozen=True)
class Spread:
    """What the fine bins do not say of some columns: extremes and means, one number per column."""

    minimum: Array
    maximum: Array
    mean: Array


def wasserstein(p: Array, q: Array, edges: Array, before: Spread, now: Spread) -> tuple[Array, Array]:
    """Return the first Wasserstein distance (earth mover's; Kantorovich 1942) in the column's unit, and its bound.

    The distance is ∫|F - G| over the distribution functions. Each bin's share is spread evenly over the bin; the outer
    bins end at each side's own extreme. Because ∫(F - G) is the difference of the means, which profiles keep exactly,
    the distance is also that difference plus twice the area of the lesser sign; so where one distribution lies wholly
    above the other, as after a shift, it is exact. Of both ways the one with the smaller bound counts; no distance is
    below the difference of the means.

    Bound: moving a share p within a bin of width w changes ∫|F - G| by at most p w / 2, so the first way is off by
    at most Σ w (p + q) / 2, and the second by twice that over those bins alone in which the sign may change.
    """
    low, high = np.minimum(before.minimum, now.minimum), np.maximum(before.maximum, now.maximum)
    first, last = edges[:, 0], edges[:, -1]
    grid = np.column_stack(
        [
            np.minimum(low, first),
            np.clip(np.maximum(before.minimum, now.minimum), low, first),
            edges,
            np.clip(np.minimum(before.maximum, now.maximum), last, np.maximum(high, last)),
            np.maximum(high, last),
        ]
    )
    left, right = _split_outer(p, grid, before), _split_outer(q, grid, now)
    widths = np.diff(grid, axis=1)
    steps = np.cumsum(left - right, -1)
    start, end = np.column_stack([np.zeros(len(p)), steps[:, :-1]]), steps
    positive, negative = _areas(start, end, widths)
    shift = now.mean - before.mean
    rises = shift > REST * (high - low)
    by_bins = (positive + negative).sum(-1)
    lesser = np.where(rises[:, None], negative, positive)
    by_means = np.abs(shift) + 2 * lesser.sum(-1)
    slack = (p * _widths(edges, before.minimum, before.maximum) + q * _widths(edges, now.minimum, now.maximum)) / 2
    widths = _widths(edges, low, high)
    start = np.column_stack([np.zeros(len(p)), np.cumsum(p - q, -1)[:, :-1]])
    # The furthest that the difference can reach into the lesser sign anywhere inside the bin.
    reach = np.where(rises[:, None], q - start, start + p)
    doubtful = np.minimum(slack, widths * np.maximum(0, reach - 1e-12))
    bounds = slack.sum(-1), 2 * doubtful.sum(-1)
    means_better = bounds[1] <= bounds[0] * (1 + REST)
    value = np.where(means_better, by_means, np.maximum(by_bins, np.abs(shift)))
    return value, np.where(means_better, bounds[1], bounds[0])


def _split_outer(shares: Array, grid: Array, spread: Spread) -> Array:
    """Return the shares by interval of `grid`: the outer bins are cut in two, at the inner one of both extremes."""
    with np.errstate(divide="ignore", invalid="ignore"):
        below = (grid[:, 1] - spread.minimum) / (grid[:, 2] - spread.minimum)
        above = (spread.maximum - grid[:, -2]) / (spread.maximum - grid[:, -3])
    below = np.clip(np.nan_to_num(below, nan=0.0, posinf=1.0, neginf=0.0), 0, 1) * shares[:, 0]
    above = np.clip(np.nan_to_num(above, nan=0.0, posinf=1.0, neginf=0.0), 0, 1) * shares[:, -1]
    return np.column_stack([below, shares[:, 0] - below, shares[:, 1:-1], shares[:, -1] - above, above])


def _widths(edges: Array, minimum: Array, maximum: Array) -> Array:
    first, last = np.maximum(0, edges[:, 0] - minimum), np.maximum(0, maximum - edges[:, -1])
    return np.column_stack([first, np.diff(edges, axis=1), last])


def _areas(start: Array, end: Array, widths: Array) -> tuple[Array, Array]:
    """Return the areas above and below zero of straight lines from `start` to `end`."""
    whole = widths * (start + end) / 2
    crossing = start * end < 0
    with np.errstate(divide="ignore", invalid="ignore"):
        total = widths * (start**2 + end**2) / (2 * (np.abs(start) + np.abs(end)))
    total = np.where(crossing, total, np.abs(whole))
    return (total + whole) / 2, (total - whole) / 2
