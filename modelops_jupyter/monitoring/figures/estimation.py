"""Estimated performance: what the figures of `performance` will be once the labels are there, from profiles alone.

A binary classifier's by confidence-based estimation (Kivimäki et al., Confidence-based estimators for predictive
performance in model monitoring, JAIR 2025): the probability that each score stands for is learned from labelled rows,
and the figures are those that the window's scores lead one to expect. A regression's by the errors that predictions of
the same coarse bin had in the reference, those of a classifier of many classes by the labels that each prediction had.
All of it holds as long as what is predicted still depends on the model's inputs as it did: it sees a shift of the
inputs, not a changed world. Labels that have matured since show that world, in `recent`.

`low` and `high` hold the realised figure in 95 of 100 windows: they take in the chance of the window's own labels, that
of the labelled rows learned from, and, once some estimates have been checked, how far off those were beyond chance.
`error` is chance alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from modelops_jupyter.monitoring.figures import confidence, intervals
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.calibrator import Calibrator
from modelops_jupyter.monitoring.figures.classification import Confusion
from modelops_jupyter.monitoring.figures.figure import FEWEST_ROWS, Figure, too_few
from modelops_jupyter.monitoring.figures.learned import Recent
from modelops_jupyter.monitoring.figures.performance import OF_CLASSES, OF_NUMBERS, headline
from modelops_jupyter.monitoring.figures.ranking import Array
from modelops_jupyter.monitoring.figures.regression import root
from modelops_jupyter.profiles import Profile, ScoreCells

NOT_ESTIMATED = ("r2",)


def estimate(baseline: Baseline, current: Profile, recent: Recent | None = None) -> dict[str, Figure]:
    """Return what the realised figures of a window are expected to be.

    Parameters
    ----------
    recent
        What `RecentWindows` kept of the windows before: its labelled rows are learned from beside the reference's, or
        instead of them where they contradict them; its spread widens the intervals. Labels are learned from for a
        binary classifier only.
    """
    known = recent or Recent()
    found = _estimate(baseline, current, known)
    return {name: widened(name, figure, known.spread.get(name, 0.0)) for name, figure in found.items()}


def widened(name: str, found: Figure, spread: float) -> Figure:
    """Return an estimate whose interval takes in how much the world has changed from window to window."""
    if not spread or found.value is None or found.error is None:
        return found
    return replace(confidence.with_range(name, found.value, math.hypot(found.error, spread)), error=found.error)


def _estimate(baseline: Baseline, current: Profile, recent: Recent) -> dict[str, Figure]:
    binning = baseline.reference.binning
    names = [name for name in headline(binning.task, binning.positive) if name not in NOT_ESTIMATED]
    before = baseline.reference.profile.outcomes
    if not before.labelled:
        return {name: Figure(None, "the reference has no labels") for name in names}
    if binning.task == "regression":
        return _of_numbers(baseline, current)
    if binning.task == "decision":
        return {}
    if binning.positive is None:
        return _of_classes(baseline, current)
    calibrator = _calibrator(baseline, recent)
    if calibrator is None:
        return {name: Figure(None, "too few labels in the reference") for name in names}
    scored = int(current.outcomes.cells.rows.sum())
    if scored < FEWEST_ROWS:
        return {name: Figure(None, too_few(scored, "row") if scored else "no scores") for name in names}
    return confidence.expected(calibrator, current, binning)


def _calibrator(baseline: Baseline, recent: Recent) -> Calibrator | None:
    """Learn from recent labelled rows; from the reference's too, where those do not contradict them."""
    if recent.labelled is None:
        return baseline.calibrator
    if baseline.calibrator is None or baseline.calibrator.contradicted_by(recent.labelled):
        return Calibrator.learn(recent.labelled) or baseline.calibrator
    before = baseline.reference.profile.outcomes.cells.labelled
    return Calibrator.learn(ScoreCells.total([before, recent.labelled]))


def _of_numbers(baseline: Baseline, current: Profile) -> dict[str, Figure]:
    """Direct loss estimation with the coarse bins of the prediction as the model of the loss."""
    names = [name for name in OF_NUMBERS if name not in NOT_ESTIMATED]
    before, now = baseline.reference.profile.outcomes.by_prediction, current.columns.get("prediction")
    if not before or now is None:
        return {name: Figure(None, "the reference has no errors by prediction") for name in names}
    rows = baseline.reference.binning.columns["prediction"].coarsen(now.counts).astype("float64")
    if rows.sum() < FEWEST_ROWS:
        return {name: Figure(None, too_few(int(rows.sum()), "row")) for name in names}
    sums = _filled(np.array(before))
    learned, error, absolute, squares, fourth = sums.T
    found = {
        "mean_absolute_error": _weighted(rows, learned, absolute, squares, 0.0),
        "root_mean_squared_error": root(_weighted(rows, learned, squares, fourth, 0.0)),
        "mean_error": _weighted(rows, learned, error, squares, -math.inf),
    }
    return {name: found[name] for name in names}


def _filled(sums: Array) -> Array:
    """Return sums by bin in which a bin without labelled rows has those of its nearest neighbours."""
    known = np.flatnonzero(sums[:, 0] > 0)
    nearest = np.abs(np.arange(len(sums))[:, None] - known[None, :]).argmin(1)
    filled: Array = sums[known[nearest]]
    return filled


def _weighted(rows: Array, learned: Array, total: Array, squares: Array, least: float) -> Figure:
    """Return the mean over the window's bins of what was learned of each, with its prediction interval."""
    means = total / learned
    variances = np.maximum(0.0, squares / learned - means**2)
    share = rows / rows.sum()
    error = math.sqrt(float(share @ variances / rows.sum() + share**2 @ (variances / learned)))
    return intervals.normal(float(share @ means), error, least)


def _of_classes(baseline: Baseline, current: Profile) -> dict[str, Figure]:
    """Expect of each prediction the labels that it had in the reference."""
    learned = Confusion.of(baseline.reference.profile.outcomes.confusion)
    binning, now = baseline.reference.binning.columns.get("prediction"), current.columns.get("prediction")
    if binning is None or now is None or binning.kind != "category":
        return {name: Figure(None, "no predictions in the reference") for name in OF_CLASSES}
    said = dict(zip(binning.categories, now.counts, strict=True))
    if now.unseen or any(rows and not learned.rows_said(name) for name, rows in said.items()):
        return {name: Figure(None, "a predicted class is not in the reference") for name in OF_CLASSES}
    if sum(said.values()) < FEWEST_ROWS:
        return {name: Figure(None, too_few(int(sum(said.values())), "row")) for name in OF_CLASSES}
    kept = np.array([float(said.get(name, 0)) for name in learned.classes])
    before = np.maximum(learned.table.sum(1), 1)
    shares = learned.table / before[:, None]
    expected = Confusion(learned.classes, kept[:, None] * shares)
    return {
        name: _with_error(compute, expected, shares, kept, before) for name, compute in confidence.OF_TABLES.items()
    }


def _with_error(
    compute: Callable[[Confusion], Figure], expected: Confusion, shares: Array, rows: Array, before: Array
) -> Figure:
    """Return a figure of the expected table, its error by the delta method over independent multinomial rows."""
    value = compute(expected).value
    if value is None:
        return compute(expected)
    slopes = confidence.table_slopes(compute, expected)
    middle = (shares * slopes).sum(1)
    spread = (shares * (slopes - middle[:, None]) ** 2).sum(1)
    error = math.sqrt(float(rows @ spread + rows**2 @ (spread / before)))
    return confidence.with_range(compute.__name__, value, error)
