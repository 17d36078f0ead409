"""How far scores are from the share of positives they promise, from counts by cell of the score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.deciding import exceeds
from modelops_jupyter.monitoring.figures.figure import Figure, figure
from modelops_jupyter.monitoring.figures.intervals import Z
from modelops_jupyter.profiles import ScoreCells

Array = np.ndarray[Any, Any]
LEAST_SCORE = 1e-6  # a score of 0 or 1 has no logit, and rows that far out would decide a slope by themselves


@dataclass(frozen=True)
class Reliability:
    """A calibration curve: rows, mean score and share of positives by bin, with Wilson's interval of the share."""

    rows: Array
    score: Array
    share: Array
    low: Array
    high: Array


def groups(weights: Array, bins: int) -> Array:
    """Return the bin of every cell so that each of `bins` holds about as many of `weights`; cells are never cut."""
    middle = np.cumsum(weights) - weights / 2
    total = weights.sum()
    found: Array = (
        np.minimum((middle / total * bins).astype("int64"), bins - 1) if total else np.zeros(len(weights), int)
    )
    return found


def logits(scores: Array) -> Array:
    """Return the log-odds of scores, those nearer to 0 or 1 than a millionth taken for that."""
    inside = np.clip(scores, LEAST_SCORE, 1 - LEAST_SCORE)
    found: Array = np.log(inside / (1 - inside))
    return found


def reliability(cells: ScoreCells, bins: int = 10) -> Reliability:
    """Return the calibration curve over bins of about equal numbers of labelled rows.

    Mean scores are known to half a cell.
    """
    cells = cells.labelled
    rows, positives = cells.rows, cells.positives
    place = groups(rows, bins)
    n, hits, score = (
        np.bincount(place, weights=weights, minlength=bins) for weights in (rows, positives, rows * cells.scores)
    )
    some = n > 0
    n, share = n[some], hits[some] / n[some]
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * np.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return Reliability(n, score[some] / n, share, np.maximum(0, middle - half), np.minimum(1, middle + half))


def expected_calibration_error(cells: ScoreCells, bins: int = 10) -> Figure:
    """Mean distance of share and mean score over ten bins of equal numbers of rows.

    Naeini, Cooper and Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning (AAAI 2015); known to
    half a cell for the same bins. Small windows raise it by chance.
    """
    if not len(cells.labelled):
        return Figure(None, "no rows")
    curve = reliability(cells, bins)
    return figure(float(curve.rows @ np.abs(curve.share - curve.score) / curve.rows.sum()))


@dataclass(frozen=True)
class Recalibration:
    """Cox's recalibration: logit(P) = intercept + slope × logit(score), and the test of (0, 1) against it.

    An intercept above 0 means that positives are more frequent than promised, a slope below 1 that the scores are too
    extreme. `covariance` is that of intercept and slope, empty where there are none.
    """

    intercept: Figure
    slope: Figure
    test: Figure
    covariance: tuple[tuple[float, ...], ...] = ()

    def shares(self, scores: Array) -> Array:
        """Return the share of positives that each score stands for."""
        line = (self.intercept.value or 0) + (self.slope.value or 0) * logits(scores)
        shares: Array = 1 / (1 + np.exp(-np.clip(line, -30, 30)))
        return shares

    def error_of_mean(self, scores: Array, rows: Array) -> float:
        """Return the standard error of the mean of `shares` over so many rows of each score."""
        shares = self.shares(scores)
        weights = rows * shares * (1 - shares) / rows.sum()
        gradient = np.array([weights.sum(), weights @ logits(scores)])
        return math.sqrt(max(0.0, float(gradient @ np.array(self.covariance) @ gradient)))


def recalibrate(cells: ScoreCells, scores: Array | None = None) -> Recalibration:
    """Fit Cox's recalibration of the cells' scores, or of `scores`, by maximum likelihood (Newton's method).

    Cox, Two further applications of a model for binary regression (Biometrika 1958); the test is the likelihood ratio
    with two degrees of freedom.
    """
    from modelops_jupyter.monitoring.figures.intervals import chi_square_p, normal

    if scores is None:
        cells = cells.labelled
    n, hits, x = cells.rows, cells.positives, logits(cells.scores if scores is None else scores)
    if hits.sum() in (0, n.sum()):
        reason = Figure(None, "one class" if len(cells) else "no rows")
        return Recalibration(reason, reason, reason)
    if x.min() == x.max():
        reason = Figure(None, "one score")
        return Recalibration(reason, reason, reason)
    design = np.column_stack([np.ones_like(x), x])
    beta = np.array([0.0, 1.0])
    promised = _log_likelihood(design @ beta, n, hits)
    for _ in range(50):
        said = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        information = design.T @ (design * (n * said * (1 - said))[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(information, design.T @ (hits - n * said))
        scale = 1.0
        # Newton's step may overshoot where classes are nearly separated.
        before = _log_likelihood(design @ beta, n, hits)
        while scale > 1e-4 and exceeds(before, _log_likelihood(design @ (beta + scale * step), n, hits)):
            scale /= 2
        beta = beta + scale * step
        if np.abs(scale * step).max() < 1e-9:
            break
    if np.abs(beta).max() > 1e3:
        reason = Figure(None, "classes are separated")
        return Recalibration(reason, reason, reason)
    covariance = np.linalg.inv(information)
    errors = np.sqrt(np.diag(covariance))
    ratio = max(0.0, 2 * (_log_likelihood(design @ beta, n, hits) - promised))
    return Recalibration(
        normal(float(beta[0]), float(errors[0])),
        normal(float(beta[1]), float(errors[1])),
        figure(ratio, p_value=chi_square_p(ratio, 2), degrees=2),
        tuple(map(tuple, covariance.tolist())),
    )


def _log_likelihood(logits: Array, n: Array, hits: Array) -> float:
    return float(np.sum(hits * logits - n * np.logaddexp(0, logits)))


def isotonic(weights: Array, hits: Array) -> Array:
    """Return the rising shares that fit best: pool adjacent violators (Ayer et al. 1955; Zadrozny and Elkan 2002)."""
    from scipy.optimize import isotonic_regression  # heavy: not before it is needed

    fitted: Array = isotonic_regression(hits / weights, weights=weights).x
    return fitted
