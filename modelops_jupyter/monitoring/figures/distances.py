"""Distances between distributions, along the last axis of arrays: many columns or windows in one call.

`p` and `q` are shares by bin, the reference's and the window's, each summing to 1; bins that both lack may be added
without changing any distance.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.deciding import exceeds

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


def psi_debiased(before: Array, now: Array) -> Array:
    """Population stability index of counts less what it comes to by chance where nothing has changed.

    By chance it is (cells - 1) (1/n + 1/m) on average, to the first order (Yurdakul and Naranjo, Statistical properties
    of the population stability index, Journal of Risk Model Validation 2020); the second order, which matters from some
    30 rows a cell downwards, is half the sum of the squared parts. It may be negative, as the expectation is zero.
    """
    shares, left, right = _parts(before, now)
    chance = ((1 - shares) * (left + right) + (left**2 + right**2) / 2) * shares
    value: Array = psi(_of_rows(before), _of_rows(now)) - chance.sum(-1)
    return value


def jensen_shannon_debiased(before: Array, now: Array) -> Array:
    """Jensen-Shannon distance of counts less what it comes to by chance; zero where it is no more than that.

    Of the squared distance chance makes (cells - 1) (1/n + 1/m) / (8 ln 2) on average, as of each of its entropies
    (Miller, Note on the bias of information estimates, 1955); the second order is by the same expansion.
    """
    shares, left, right = _parts(before, now)
    second = 3 / 64 * (left**2 + right**2) - left * right / 32
    chance = ((1 - shares) * (left + right) / 8 + second) * shares / np.log(2)
    squared = jensen_shannon(_of_rows(before), _of_rows(now)) ** 2 - chance.sum(-1)
    value: Array = np.sqrt(np.maximum(squared, 0.0))
    return value


def _of_rows(counts: Array) -> Array:
    shares: Array = counts / np.maximum(counts.sum(-1, keepdims=True), 1.0)
    return shares


def _parts(before: Array, now: Array) -> tuple[Array, Array, Array]:
    """Return the shares of both sides together, and one over the expected rows of each side; zero in empty cells."""
    together = before + now
    n, m = before.sum(-1, keepdims=True), now.sum(-1, keepdims=True)
    shares = together / np.maximum(n + m, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        left, right = (np.where(shares * rows > 0, 1 / (shares * rows), 0.0) for rows in (n, m))
    return shares, left, right


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
