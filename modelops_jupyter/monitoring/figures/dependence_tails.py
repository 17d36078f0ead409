"""How often chance changes the dependence of two columns as much: tails that a normal distribution is too light for.

Where values are rare on both sides, one row decides: two columns that are zero in 99 of 100 rows are correlated by a
half in a window in which their exceptions meet once. So the tail of a change comes from the cells that rows may fall
into. Rows are drawn from the reference's table of both columns, brought to the window's own shares of values, as a
change of one column alone is none of their dependence. What a row adds is its influence on the statistic; the sum over
rows has the tail by the saddlepoint of its cumulants (Lugannani and Rice, Advances in Applied Probability 1980), near
the true one where the normal is off by orders of magnitude.

Combinations that the reference lacks by chance may come too: as many as those that came once (Good, Biometrika 1953),
and one at least, in the parts that they would have were the columns independent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
STEPS = 14
SMALL = 1e-12


def null_shares(tables: Array, left: Array, right: Array) -> Array:
    """Return the shares of cells if nothing but single columns changed.

    Parameters
    ----------
    tables
        Rows of the reference by values of both columns, of shape (pairs, levels, levels).
    left, right
        Shares of the window's rows by value of either column, of shape (pairs, levels).
    """
    rows = np.maximum(tables.sum((1, 2), keepdims=True), 1.0)
    alone = tables.sum(2, keepdims=True) * tables.sum(1, keepdims=True) / rows**2
    unseen = np.where(tables > 0, 0.0, alone)
    once = np.maximum((tables == 1).sum((1, 2), keepdims=True), 1.0) / rows
    whole = unseen.sum((1, 2), keepdims=True)
    more = unseen * np.minimum(1.0, once / np.maximum(whole, SMALL))
    shares = tables / rows * (1 - more.sum((1, 2), keepdims=True)) + more
    for _ in range(3):  # to the window's own shares: iterative proportional fitting (Deming and Stephan 1940)
        shares = shares * _ratio(left, shares.sum(2))[:, :, None]
        shares = shares * _ratio(right, shares.sum(1))[:, None, :]
    fitted: Array = shares / np.maximum(shares.sum((1, 2), keepdims=True), SMALL)
    return fitted


def influences_of_ranks(shares: Array) -> Array:
    """Return the influence of a row of each cell on the rank correlation, of shares of cells; its mean is zero.

    That of the product of both ranks, of their deviations, and of the ranks that it gives to the other rows.
    """
    (m, left), (n, right) = _ranks(shares.sum(2)), _ranks(shares.sum(1))
    s, t = (np.sqrt(np.maximum((p * x**2).sum(1), SMALL))[:, None, None] for x, p in ((m, left), (n, right)))
    product = m[:, :, None] * n[:, None, :]
    correlation = (shares * product).sum((1, 2), keepdims=True) / (s * t)
    moved = _moved((shares * n[:, None, :]).sum(2))[:, :, None] + _moved((shares * m[:, :, None]).sum(1))[:, None, :]
    spread_m, spread_n = m**2 + 2 * _moved(left * m), n**2 + 2 * _moved(right * n)
    of_spread = spread_m[:, :, None] / s**2 + spread_n[:, None, :] / t**2
    influence = (product + moved) / (s * t) - correlation / 2 * of_spread
    centred: Array = influence - (shares * influence).sum((1, 2), keepdims=True)
    return centred


def normal_scores(changes: Array, influences: Array, shares: Array, rows: Array, before: Array) -> Array:
    """Return the normal variables that are passed as often as the changes, signs aside, of shape (pairs,).

    Parameters
    ----------
    changes
        Changes of a mean over `rows` rows of the influences.
    before
        Standard errors of what the changes start from.
    """
    from scipy.special import log_ndtr, ndtri_exp  # heavy: not before it is needed

    pairs = len(changes)
    weights = shares.reshape(pairs, -1)
    known = weights.sum(1) > 0
    terms = np.sign(changes)[:, None] * influences.reshape(pairs, -1)
    size, n = np.abs(changes), np.maximum(rows, 1.0)
    largest = np.maximum(np.where(weights > 0, np.abs(terms), 0.0).max(1), SMALL)
    low, high = np.zeros(pairs), 600.0 / largest  # beyond that a row's weight is no number
    at, more = low, n * before**2
    value, mean, variance = _cumulants(at, terms, weights)
    for _ in range(STEPS):  # Newton's, kept between ends: the derivative of the cumulants rises
        short = mean + at * more < size
        low, high = np.where(short, at, low), np.where(short, high, at)
        step = at + (size - mean - at * more) / np.maximum(variance + more, SMALL)
        at = np.where((step > low) & (step < high), step, (low + high) / 2)
        value, mean, variance = _cumulants(at, terms, weights)
    exponent = np.maximum(n * (at * size - value) - (at * n * before) ** 2 / 2, 0.0)
    r = np.sqrt(2 * exponent)
    u = at * np.sqrt(n * variance + (n * before) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Barndorff-Nielsen's form of the same tail (Biometrika 1986): no difference of near equals far out.
        scores = np.where(r > 1e-3, r + np.log(np.maximum(u, SMALL) / np.maximum(r, SMALL)) / np.maximum(r, SMALL), r)
    # One side is as far out by chance as the other: twice the tail.
    tails = log_ndtr(-np.maximum(scores, 0.0))
    # A window that has none of the reference's combinations is not explained by chance.
    found: Array = np.where(known, -ndtri_exp(np.minimum(tails, -np.log(2.0))), np.inf)
    return found


def _cumulants(at: Array, terms: Array, weights: Array) -> tuple[Array, Array, Array]:
    """Return the cumulant function of one row's term and its first two derivatives."""
    powers = at[:, None] * terms
    most = np.max(powers, axis=1, keepdims=True, where=weights > 0, initial=-1e300)
    tilted = weights * np.exp(np.minimum(powers - most, 0.0))
    total = np.maximum(tilted.sum(1), np.finfo(float).tiny)
    mean = (tilted * terms).sum(1) / total
    return np.log(total) + most[:, 0], mean, np.maximum((tilted * terms**2).sum(1) / total - mean**2, 0.0)


def _ranks(shares: Array) -> tuple[Array, Array]:
    """Return centred mid-ranks by value, and the shares."""
    total = np.maximum(shares.sum(1, keepdims=True), SMALL)
    return (np.cumsum(shares, 1) - shares / 2) / total - 0.5, shares / total


def _moved(weights: Array) -> Array:
    """Return what a row of each value adds by the ranks of the others: they rise where theirs is greater."""
    above = np.cumsum(weights[:, ::-1], 1)[:, ::-1]
    return above - weights / 2


def _ratio(wanted: Array, shares: Array) -> Array:
    return np.divide(wanted, shares, out=np.zeros_like(wanted), where=shares > 0)
