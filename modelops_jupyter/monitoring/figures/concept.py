"""Concept drift: whether labels still depend on what the model said as they did in the reference; from profiles alone.

Of a binary classifier with scores: Cox's recalibration of both sides and Wald's test of their difference, and how many
positives came beyond those that such scores had in the reference (calibration in the large). Of other
classifiers: the likelihood-ratio test of the labels that each prediction had. Of a regression: the mean error of
predictions of the same coarse bin. None of them asks how often a score, a class or a number was said: that is drift of
the prediction.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures import distances, intervals
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.calibration import recalibrate
from modelops_jupyter.monitoring.figures.deciding import REST
from modelops_jupyter.monitoring.figures.figure import FEWEST_ROWS, Figure, figure, too_few
from modelops_jupyter.profiles import Outcomes, Profile

Array = np.ndarray[Any, Any]
OF_SCORES = ("calibration_shift", "intercept_change", "slope_change")
EXCESS = "outcome_excess"
FEWEST_OF_A_BIN = 10
LEAST_TAIL = 1e-300


def concept_drift(baseline: Baseline, current: Profile) -> dict[str, Figure]:
    """Return the tests of concept drift that fit the task, as figures with a p-value or an interval."""
    binning, before = baseline.reference.binning, baseline.reference.profile.outcomes
    now = current.outcomes
    if binning.task == "decision":
        return {}
    if binning.task == "regression":
        return {"error_shift": _guarded(before, now) or error_shift(before, now)}
    if binning.positive is None or not before.scored:
        return {"label_shift": _guarded(before, now) or label_shift(before, now)}
    reason = _guarded(before, now)
    if reason:
        return dict.fromkeys((*OF_SCORES, EXCESS), reason)
    return {**calibration_shift(baseline, now), EXCESS: outcome_excess(baseline, now)}


def _guarded(before: Outcomes, now: Outcomes) -> Figure | None:
    if not before.labelled:
        return Figure(None, "the reference has no labels")
    if now.labelled < FEWEST_ROWS:
        return Figure(None, too_few(now.labelled, "label") if now.labelled else "no labels")
    return None


def calibration_shift(baseline: Baseline, now: Outcomes) -> dict[str, Figure]:
    """Return Wald's test of one recalibration on both sides, and the changes of its intercept and slope.

    An intercept that rises means more positives than such scores had in the reference; a slope that falls, that scores
    tell less.
    """
    left, right = baseline.recalibration, recalibrate(now.cells)
    for side in (left, right):
        if not side.covariance:
            return dict.fromkeys(OF_SCORES, Figure(None, side.test.reason))
    coefficients = [np.array([side.intercept.value, side.slope.value], dtype=float) for side in (left, right)]
    change = coefficients[1] - coefficients[0]
    spread = np.array(left.covariance) + np.array(right.covariance)
    statistic = float(change @ np.linalg.solve(spread, change))
    errors = np.sqrt(np.diag(spread))
    return {
        "calibration_shift": figure(statistic, p_value=intervals.chi_square_p(statistic, 2), degrees=2),
        "intercept_change": intervals.normal(float(change[0]), float(errors[0])),
        "slope_change": intervals.normal(float(change[1]), float(errors[1])),
    }


def outcome_excess(baseline: Baseline, now: Outcomes) -> Figure:
    """Share of positives beyond that which such scores had in the reference: observed less expected, over the rows.

    The expected share is that of the reference's recalibration (calibration in the large; Cox 1958). The variance is
    that of as many draws from the expected shares, and what the reference leaves open about their mean.
    """
    known, cells = baseline.recalibration, now.cells.labelled
    rows = cells.rows
    if not known.covariance or not rows.sum():
        return Figure(None, known.test.reason if not known.covariance else "no scores")
    shares = known.shares(cells.scores)
    chance = float(rows @ (shares * (1 - shares))) / float(rows.sum()) ** 2
    value = float(cells.positives.sum() - rows @ shares) / float(rows.sum())
    return intervals.normal(value, math.sqrt(chance + known.error_of_mean(cells.scores, rows) ** 2))


def label_shift(before: Outcomes, now: Outcomes) -> Figure:
    """G-test of the labels by prediction: the sum over predictions, each against the same one in the reference."""
    both = (before.confusion, now.confusion)
    classes = sorted({word for side in both for said, row in side.items() for word in (said, *row)})
    tables = [np.array([[side.get(s, {}).get(c, 0) for c in classes] for s in classes], dtype=float) for side in both]
    said = (tables[0].sum(1) >= FEWEST_OF_A_BIN) & (tables[1].sum(1) >= FEWEST_OF_A_BIN)
    if not said.any():
        return Figure(None, "too few labels")
    values, degrees = distances.g_test(tables[0][said], tables[1][said])
    return _tested(float(values.sum()), int(degrees.sum()))


def error_shift(before: Outcomes, now: Outcomes) -> Figure:
    """Test the mean error by coarse bin of the prediction: one degree of freedom for each bin.

    The sum over bins of the squared difference of both means over its variance if the bin's rows were dealt to both
    sides anew, so by the variance of all of them: where errors have heavy tails (counts, amounts), a side's own
    variance depends on its mean. Its tail is the gamma distribution of the same mean and variance, which knows the
    kurtosis of the errors (Box and Andersen, Permutation theory in the derivation of robust criteria, JRSS B 1955).
    The statistic is the chi-square of the same tail.
    """
    from scipy.special import gammaincc, gammainccinv  # heavy: not before it is needed

    if not before.by_prediction or not now.by_prediction:
        return Figure(None, "no errors by prediction")
    left, right = np.array(before.by_prediction), np.array(now.by_prediction)
    enough = (left[:, 0] >= FEWEST_OF_A_BIN) & (right[:, 0] >= FEWEST_OF_A_BIN)
    if not enough.any():
        return Figure(None, "too few labels")
    left, right = left[enough], right[enough]
    variance, kurtosis = _pooled(left + right)
    if not (variance > 0).all():
        return Figure(None, "constant errors")
    (n, m), bins = (left[:, 0], right[:, 0]), int(enough.sum())
    change = right[:, 1] / m - left[:, 1] / n
    share = m / (n + m)
    spread = float((2 + kurtosis * ((1 - share) ** 2 / m + share**2 / n)).sum())
    dealt = variance * (1 / n + 1 / m)
    # Errors that spread more, and lie no higher, are no shift: by the sides' own variances, over all bins together.
    wider = max(1.0, float(((_pooled(left)[0] / n + _pooled(right)[0] / m) / dealt).mean()))
    total = float((change**2 / dealt).sum()) / wider
    tail = float(gammaincc(bins**2 / spread, total * bins / spread))
    return _tested(2 * float(gammainccinv(bins / 2, max(tail, LEAST_TAIL))), bins)


def _pooled(sums: Array) -> tuple[Array, Array]:
    """Return the variance of each bin's errors, and their kurtosis beyond the normal one, about zero at most."""
    rows, means = sums[:, 0], sums[:, 1] / sums[:, 0]
    squares = sums[:, 3] / rows
    rest = squares - means**2
    variance = np.where(rest > REST * squares, rest, 0.0) * rows / (rows - 1)
    fourth = sums[:, 4] / rows / np.maximum(variance**2, np.finfo(float).tiny)
    return variance, np.maximum(fourth - 3, 0.0)


def _tested(statistic: float, degrees: int) -> Figure:
    if degrees < 1:
        return Figure(0.0, p_value=1.0, degrees=0)
    return figure(statistic, p_value=intervals.chi_square_p(statistic, degrees), degrees=degrees)
