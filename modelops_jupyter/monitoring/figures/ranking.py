"""Figures of how scores order rows, from counts of negatives and positives by ascending score."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures import intervals
from modelops_jupyter.monitoring.figures.figure import Figure, figure

Array = np.ndarray[Any, Any]


def roc_auc(negatives: Array, positives: Array) -> Figure:
    """Return the area under the ROC curve, with the interval of DeLong et al. (1988).

    It is the share of pairs of a positive and a negative in the right order, ties counting half (Hanley and McNeil
    1982); off by at most `roc_auc_bound`.
    """
    if negatives.sum() == 0 or positives.sum() == 0:
        return Figure(None, "one class")
    value = area_under_roc(negatives, positives)
    return intervals.normal(value, intervals.roc_auc_error(negatives, positives), 0.0, 1.0)


def area_under_roc(negatives: Array, positives: Array) -> float:
    """Return the area alone; exact where each count is of one score. Both classes must be there."""
    below = np.cumsum(negatives) - negatives
    return float(positives @ (below + negatives / 2) / (negatives.sum() * positives.sum()))


def roc_auc_bound(negatives: Array, positives: Array) -> float:
    """Return half the share of pairs within one cell: their order is not known."""
    pairs = float(negatives.sum() * positives.sum())
    return float(negatives @ positives) / 2 / pairs if pairs else 0.0


def off_by(found: Figure, bound: float) -> Figure:
    """Return a share whose interval takes in that its value may be off by `bound`."""
    if found.value is None or found.low is None or found.high is None:
        return found
    return replace(found, low=max(0.0, found.low - bound), high=min(1.0, found.high + bound))


def average_precision(negatives: Array, positives: Array, tied: bool = True) -> Figure:
    """Return the sum over thresholds of precision times gain in recall: the area under the PR curve, uninterpolated.

    The interval is Boyd, Eng and Page's on the logit scale (Area under the precision-recall curve, ECML 2013). Off by
    at most `average_precision_bound`.

    Parameters
    ----------
    tied
        Whether rows of one cell have one score; where they have several, their order is not known, and the figure is
        the mean over all orders.
    """
    m = float(positives.sum())
    if m == 0 or negatives.sum() == 0:
        return Figure(None, "one class")
    value = precision_over_recall(negatives, positives) if tied else _mean_over_orders(negatives, positives)
    if not 0 < value < 1:
        return figure(value)
    logit, error = math.log(value / (1 - value)), 1 / math.sqrt(m * value * (1 - value))
    # Beyond 700 the exponential is beyond the largest float: of a value whose last bits are what it lacks of 1.
    ends = (min(max(logit + side * intervals.Z * error, -700.0), 700.0) for side in (-1, 1))
    low, high = (1 / (1 + math.exp(-end)) for end in ends)
    return figure(value, low=low, high=high, error=error * value * (1 - value))


def precision_over_recall(negatives: Array, positives: Array) -> float:
    """Return average precision alone; exact where each count is of one score. There must be a positive."""
    hits, said = _from_above(negatives, positives)
    precision = np.divide(hits, said, out=np.zeros_like(hits), where=said > 0)
    return float(precision @ positives[::-1] / positives.sum())


def _mean_over_orders(negatives: Array, positives: Array) -> float:
    """Return the mean of average precision over all orders of the rows within each cell.

    After H positives among N rows come k rows with p positives. If row i of them is a positive, (i - 1) a positives
    are expected before it, with a = (p - 1) / (k - 1), so precision is (H + 1 + (i - 1) a) / (N + i) in the mean, that
    is a + (H + 1 - a (N + 1)) / (N + i); the sum of 1 / (N + i) is a difference of digamma functions.
    """
    hits, said = _from_above(negatives, positives)
    some = positives[::-1] > 0
    hits, said, p = hits[some], said[some], positives[::-1][some]
    k = p + negatives[::-1][some]
    hits, said = hits - p, said - k
    rise = np.divide(p - 1, k - 1, out=np.zeros_like(p), where=k > 1)
    precision = rise + (hits + 1 - rise * (said + 1)) * (_digamma(said + k + 1) - _digamma(said + 1)) / k
    return float(p @ precision / positives.sum())


def _digamma(x: Array) -> Array:
    """Return the digamma function at 1 or above, to ten digits: ten steps up, then its series there.

    Abramowitz and Stegun 6.3.5 and 6.3.18; SciPy's takes a second to import where a request waits.
    """
    up = x + 10
    series: Array = np.log(up) - 1 / (2 * up) - 1 / (12 * up**2) + 1 / (120 * up**4) - 1 / (252 * up**6)
    below: Array = np.sum([1 / (x + step) for step in range(10)], axis=0)
    digamma: Array = series - below
    return digamma


def average_precision_bound(negatives: Array, positives: Array) -> float:
    """Return how far average precision can be off.

    Whatever the order inside a cell, precision lies between that of its negatives before its first positive, and that
    of its positives before its first negative.
    """
    m = float(positives.sum())
    n, p = negatives[::-1], positives[::-1]
    hits, said = _from_above(negatives, positives)
    before_hits, before = hits - p, said - n - p
    with np.errstate(divide="ignore", invalid="ignore"):
        most, least = (before_hits + p) / (before + p), (before_hits + 1) / (before + n + 1)
    return float(np.sum(np.where(p > 0, p * (most - least), 0)) / m) if m else 0.0


def gain(negatives: Array, positives: Array, top: float) -> Figure:
    """Return the share of all positives among the `top` share of rows with the highest scores."""
    m, rows = float(positives.sum()), float(negatives.sum() + positives.sum())
    if m == 0:
        return Figure(None, "one class")
    hits, said = _from_above(negatives, positives)
    reached = np.interp(top * rows, np.append(0, said), np.append(0, hits))
    return intervals.share(float(reached), m)


def lift(negatives: Array, positives: Array, top: float) -> Figure:
    """Return how many times more positives the `top` share of rows holds than as many rows at random."""
    share = gain(negatives, positives, top)
    if share.value is None or top <= 0:
        return share if share.value is None else Figure(None, "no rows")
    value, low, high, error = (
        None if x is None else x / top for x in (share.value, share.low, share.high, share.error)
    )
    return Figure(value, None, low, high, error=error)


def roc_curve(negatives: Array, positives: Array) -> tuple[Array, Array]:
    """Return false and true positive rates by falling threshold, from (0, 0) to (1, 1)."""
    hits, said = _from_above(negatives, positives)
    false = said - hits
    return np.append(0, false) / max(false[-1], 1), np.append(0, hits) / max(hits[-1], 1)


def precision_recall_curve(negatives: Array, positives: Array) -> tuple[Array, Array]:
    """Return precision and recall by falling threshold, where any row is said to be positive."""
    hits, said = _from_above(negatives, positives)
    some = said > 0
    return hits[some] / said[some], hits[some] / max(hits[-1], 1)


def _from_above(negatives: Array, positives: Array) -> tuple[Array, Array]:
    """Return positives and rows at or above each cell, highest cell first."""
    hits = np.cumsum(positives[::-1])
    return hits, hits + np.cumsum(negatives[::-1])
