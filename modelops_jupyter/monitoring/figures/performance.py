"""Realised performance, from profiles alone: the figures kept of every window."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from modelops_jupyter.monitoring.figures import classification, intervals, ranking, regression
from modelops_jupyter.monitoring.figures.calibration import CENTRES, HALF_CELL, expected_calibration_error
from modelops_jupyter.monitoring.figures.classification import Confusion
from modelops_jupyter.monitoring.figures.figure import FEWEST_ROWS, Figure
from modelops_jupyter.monitoring.figures.ranking import Array, roc_auc
from modelops_jupyter.profiles import Outcomes, Profile

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
    scores are over 2,000 cells of the score, within the bounds that `ranking` and `calibration` state.
    """
    outcomes = profile.outcomes
    names = headline(task, positive)
    if outcomes.labelled < FEWEST_ROWS:
        reason = "no labels" if outcomes.labelled == 0 else "too few labels"
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
    _, negatives, positives = outcomes.arrays()
    n = outcomes.scored
    if not n:
        return {name: Figure(None, "no scores") for name in OF_SCORES}
    squares, logs = squared_losses(negatives, positives)
    return {
        "roc_auc": roc_auc(negatives, positives),
        "average_precision": ranking.average_precision(negatives, positives),
        "brier_score": intervals.mean(outcomes.brier, squares, n, 0.0),
        "log_loss": intervals.mean(outcomes.log_loss, logs, n, 0.0),
        "expected_calibration_error": expected_calibration_error(negatives, positives),
    }


def squared_losses(negatives: Array, positives: Array) -> tuple[float, float]:
    """Return the sums of the squares of both losses over the cells' centres: what their intervals take."""
    squares = negatives @ CENTRES**4 + positives @ (1 - CENTRES) ** 4
    safe = np.clip(CENTRES, HALF_CELL, 1 - HALF_CELL)
    logs = negatives @ np.log1p(-safe) ** 2 + positives @ np.log(safe) ** 2
    return float(squares), float(logs)
