"""Confidence intervals, all of 95 %, of shares, means and areas under the ROC curve."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.deciding import REST, exceeds
from modelops_jupyter.monitoring.figures.figure import Figure, figure

Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution
Array = np.ndarray[Any, Any]


def normal(value: float, error: float, least: float = -math.inf, greatest: float = math.inf) -> Figure:
    """Return `value` with the normal interval of its standard error, cut to the range that is possible."""
    if not (math.isfinite(value) and math.isfinite(error)):
        return figure(value)
    low, high = max(least, value - Z * error), min(greatest, value + Z * error)
    return figure(value, low=float(low), high=float(high), error=float(error))


def share(hits: float, n: float) -> Figure:
    """Return a share with its score interval.

    Wilson, Probable inference, the law of succession, and statistical inference (JASA 1927).
    """
    if n <= 0:
        return Figure(None, "no rows")
    p = hits / n
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(max(0.0, p * (1 - p) / n + Z * Z / (4 * n * n)))
    error = math.sqrt(max(0.0, p * (1 - p) / n))
    return figure(p, low=min(p, max(0.0, middle - half)), high=max(p, min(1.0, middle + half)), error=error)


def poisson(count: int) -> tuple[float, float]:
    """Return the exact interval of the mean of a Poisson number (Garwood, Biometrika 1936)."""
    from scipy.special import gammaincinv  # heavy: not before it is needed

    return (float(gammaincinv(count, 0.025)) if count else 0.0), float(gammaincinv(count + 1, 0.975))


def mean(total: float, squares: float, n: float, least: float = -math.inf) -> Figure:
    """Return a mean with the normal interval of its standard error, from the sums of x and of x²."""
    if n <= 0:
        return Figure(None, "no rows")
    value = total / n
    if n < 2:
        return figure(value)
    rest = squares - n * value * value
    variance = rest / (n - 1) if rest > REST * squares else 0.0
    return normal(value, math.sqrt(variance / n), least)


def roc_auc_error(negatives: Array, positives: Array) -> float:
    """Return the standard error of the area under the ROC curve, from counts by ascending score.

    By the variance of each row's share of rightly ordered pairs: DeLong, DeLong and Clarke-Pearson (Biometrics 1988).
    Where every such share is the same, as it is under perfect separation, Hanley and McNeil (Radiology 1982) with half
    a pair in the wrong order.
    """
    n, m = float(negatives.sum()), float(positives.sum())
    below = np.cumsum(negatives) - negatives
    above = m - np.cumsum(positives)
    of_positives = (below + negatives / 2) / n
    of_negatives = (above + positives / 2) / m
    area = float(np.sum(positives * of_positives) / m)
    among_positives = np.sum(positives * (of_positives - area) ** 2) / max(m - 1, 1)
    among_negatives = np.sum(negatives * (of_negatives - area) ** 2) / max(n - 1, 1)
    error = math.sqrt(among_positives / m + among_negatives / n)
    return error if exceeds(error, 0.0) else hanley_mcneil(min(max(area, 0.5 / (m * n)), 1 - 0.5 / (m * n)), m, n)


def hanley_mcneil(area: float, positives: float, negatives: float) -> float:
    """Return the standard error of an area under the ROC curve from the area and the class sizes alone.

    Hanley and McNeil, The meaning and use of the area under a ROC curve (Radiology 1982), formula 1.
    """
    q1, q2 = area / (2 - area), 2 * area * area / (1 + area)
    square = area * (1 - area) + (positives - 1) * (q1 - area * area) + (negatives - 1) * (q2 - area * area)
    return math.sqrt(max(0.0, square) / (positives * negatives))


def chi_square_p(statistic: float, degrees: int) -> float:
    """Return the upper tail of the chi-square distribution."""
    from scipy.special import gammaincc  # heavy: not before it is needed

    return float(gammaincc(degrees / 2, statistic / 2))
