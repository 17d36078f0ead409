"""Realised performance, from profiles alone: the figures kept of every window."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from modelops_jupyter.monitoring.figures import classification, intervals, ranking, regression
from modelops_jupyter.monitoring.figures.calibration import expected_calibration_error
from modelops_jupyter.monitoring.figures.classification import Confusion
from modelops_jupyter.monitoring.figures.figure import FEWEST_ROWS, Figure, too_few
from modelops_jupyter.monitoring.figures.ranking import Array, roc_auc
from modelops_jupyter.profiles import CERTAIN_SCORE, LEAST_LIKELIHOOD, Outcomes, Profile, ScoreCells

__all__ = ["headline", "higher_is_better", "performance", "roc_auc"]

OF_SCORES = ("roc_auc", "average_precision", "brier_score", "log_loss", "expected_calibration_error")
OF_TWO_CLASSES = ("accuracy", "balanced_accuracy", "f1", "matthews_correlation")
OF_CLASSES = ("accuracy", "balanced_accuracy", "f1_macro", "matthews_correlation")
OF_NUMBERS: dict[str, Callable[[Outcomes], Figure]] = {
    "mean_absolute_error": regression.mean_absolute_error,
    "root_mean_squared_error": regression.root_mean_squared_error,
    "r2": regression.r2,
    "mean_error": regression.mean_error,
}
LOWER_IS_BETTER = (
    "brier_score",
    "log_loss",
    "expected_calibration_error",
    "mean_absolute_error",
    "root_mean_squared_error",
)


def headline(task: str, positive: str | None) -> tuple[str, ...]:
    """Return the names of the figures kept of every window."""
    if task == "decision":
        return ()
    if task == "regression":
        return tuple(OF_NUMBERS)
    return OF_CLASSES if positive is None else OF_SCORES + OF_TWO_CLASSES


def higher_is_better(metric: str) -> bool:
    """Tell whether a greater value of a figure is the better one; of a mean error neither is."""
    return metric not in LOWER_IS_BETTER


def performance(profile: Profile, task: str, positive: str | None) -> dict[str, Figure]:
    """Return the realised figures of a window, with 95 % intervals where there are standard ones.

    Brier score, log loss, the figures of the confusion table and those of a regression are exact; those of the order of
    scores are over 2,048 cells of the score at most: exact for as many different scores; with more of them within the
    bounds that `ranking` and `calibration` state, which their intervals take in.
    """
    outcomes = profile.outcomes
    names = headline(task, positive)
    if outcomes.labelled < FEWEST_ROWS:
        reason = "no labels" if outcomes.labelled == 0 else too_few(outcomes.labelled, "label")
        return {name: Figure(None, reason) for name in names}
    if task == "regression":
        return {name: compute(outcomes) for name, compute in OF_NUMBERS.items()}
    if task == "decision":
        return {}
    of_classes = _of_classes(Confusion.of(outcomes.confusion), positive)
    return of_classes if positive is None else {**_of_scores(outcomes), **of_classes}


def _of_classes(confusion: Confusion, positive: str | None) -> dict[str, Figure]:
    named = "f1_macro" if positive is None else "f1"
    return {
        "accuracy": classification.accuracy(confusion),
        "balanced_accuracy": classification.balanced_accuracy(confusion),
        named: classification.f1_macro(confusion) if positive is None else classification.f1(confusion, positive),
        "matthews_correlation": classification.matthews_correlation(confusion),
    }


def _of_scores(outcomes: Outcomes) -> dict[str, Figure]:
    cells = outcomes.cells.labelled
    n = outcomes.scored
    if not n:
        return {name: Figure(None, "no scores") for name in OF_SCORES}
    negatives, positives = cells.negatives, cells.positives
    area = roc_auc(negatives, positives)
    precision = ranking.average_precision(negatives, positives, tied=cells.level == 0)
    if cells.level:  # different scores share a cell, and which of them is the greater is not known
        area = ranking.off_by(area, ranking.roc_auc_bound(negatives, positives))
        precision = ranking.off_by(precision, ranking.average_precision_bound(negatives, positives))
    squares, logs = squared_losses(cells)
    return {
        "roc_auc": area,
        "average_precision": precision,
        "brier_score": intervals.mean(outcomes.brier, squares, n, 0.0),
        "log_loss": intervals.mean(outcomes.log_loss, logs, n, 0.0),
        "expected_calibration_error": expected_calibration_error(cells),
    }


def squared_losses(cells: ScoreCells) -> tuple[float, float]:
    """Return the sums of the squares of both losses over the cells' centres: what their intervals take."""
    scores, of_negative, of_positive = cells.scores, *log_losses(cells.scores)
    squares = cells.negatives @ scores**4 + cells.positives @ (1 - scores) ** 4
    logs = cells.negatives @ of_negative**2 + cells.positives @ of_positive**2
    return float(squares), float(logs)


def log_losses(scores: Array) -> tuple[Array, Array]:
    """Return the log loss at each score of a row with a negative label, and of one with a positive label."""
    against = np.where(1 - scores < CERTAIN_SCORE, 0.0, 1 - scores)
    return -np.log(np.maximum(against, LEAST_LIKELIHOOD)), -np.log(np.maximum(scores, LEAST_LIKELIHOOD))
