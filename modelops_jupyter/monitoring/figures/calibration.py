"""How far scores are from the share of positives they promise, from counts by cell of the score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.deciding import exceeds
from modelops_jupyter.monitoring.figures.figure import Figure, figure
from modelops_jupyter.monitoring.figures.intervals import Z
from modelops_jupyter.profiles.binning import SCORE_BINS

Array = np.ndarray[Any, Any]
CENTRES = (np.arange(SCORE_BINS) + 0.5) / SCORE_BINS
HALF_CELL = 0.5 / SCORE_BINS


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


def reliability(negatives: Array, positives: Array, bins: int = 10) -> Reliability:
    """Return the calibration curve over bins of about equal numbers of rows.

    Mean scores are known to half a cell, 0.00025.
    """
    rows = negatives + positives
    place = groups(rows, bins)
    n, hits, score = (
        np.bincount(place, weights=weights, minlength=bins) for weights in (rows, positives, rows * CENTRES)
    )
    some = n > 0
    n, share = n[some], hits[some] / n[some]
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * np.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return Reliability(n, score[some] / n, share, np.maximum(0, middle - half), np.minimum(1, middle + half))


def expected_calibration_error(negatives: Array, positives: Array, bins: int = 10) -> Figure:
    """Mean distance of share and mean score over ten bins of equal numbers of rows.

    Naeini, Cooper and Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning (AAAI 2015); known to
    half a cell, 0.00025, for the same bins. Small windows raise it by chance.
    """
    if negatives.sum() + positives.sum() == 0:
        return Figure(None, "no rows")
    curve = reliability(negatives, positives, bins)
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

    @property
    def shares(self) -> Array:
        """The share of positives that each cell of the score stands for."""
        logits = np.log(CENTRES / (1 - CENTRES))
        shares: Array = 1 / (
            1 + np.exp(-np.clip((self.intercept.value or 0) + (self.slope.value or 0) * logits, -30, 30))
        )
        return shares

    def error_of_mean(self, rows: Array) -> float:
        """Return the standard error of the mean of `shares` over so many rows by cell: how well the fit knows it."""
        shares = self.shares
        weights = rows * shares * (1 - shares) / rows.sum()
        gradient = np.array([weights.sum(), weights @ np.log(CENTRES / (1 - CENTRES))])
        return math.sqrt(max(0.0, float(gradient @ np.array(self.covariance) @ gradient)))


def recalibrate(negatives: Array, positives: Array) -> Recalibration:
    """Fit Cox's recalibration by maximum likelihood over the cells (Newton's method).

    Cox, Two further applications of a model for binary regression (Biometrika 1958); the test is the likelihood ratio
    with two degrees of freedom.
    """
    from modelops_jupyter.monitoring.figures.intervals import chi_square_p, normal

    rows = negatives + positives
    some = rows > 0
    if negatives.sum() == 0 or positives.sum() == 0:
        reason = Figure(None, "one class" if rows.sum() else "no rows")
        return Recalibration(reason, reason, reason)
    n, hits, x = rows[some], positives[some], np.log(CENTRES[some] / (1 - CENTRES[some]))
    if len(n) < 2:
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
    """Return the rising shares that fit best: pool adjacent violators (Ayer et al. 1955; Zadrozny and Elkan 2002).

    Cells without weight take the value between their neighbours, in proportion to the distance.
    """
    from scipy.optimize import isotonic_regression  # heavy: not before it is needed

    some = np.flatnonzero(weights > 0)
    if not len(some):
        return np.full(len(weights), math.nan)
    fitted = isotonic_regression(hits[some] / weights[some], weights=weights[some]).x
    everywhere: Array = np.interp(np.arange(len(weights)), some, fitted)
    return everywhere
