"""Realised performance, from profiles alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figure import FEWEST_ROWS, Figure, figure
from modelops_jupyter.profiles import Profile

Array = np.ndarray[Any, Any]


def performance(profile: Profile, task: str, positive: str | None) -> dict[str, Figure]:
    """Return the realised figures of a window.

    ROC AUC is the share of pairs of a positive and a negative in the right order, ties counting half (Hanley and
    McNeil 1982), over 2,000 cells of the score; Brier score, log loss and accuracy are exact.
    """
    outcomes = profile.outcomes
    if task == "decision":
        return {}
    names: tuple[str, ...] = (
        ("mean_absolute_error", "root_mean_squared_error") if task == "regression" else ("accuracy",)
    )
    if positive is not None:
        names = ("roc_auc", "brier_score", "log_loss", "accuracy")
    if outcomes.labelled < FEWEST_ROWS:
        reason = "no labels" if outcomes.labelled == 0 else "too few labels"
        return {name: Figure(None, reason) for name in names}
    n = outcomes.labelled
    if task == "regression":
        root = float(np.sqrt(outcomes.squared_error / n))
        return dict(zip(names, (figure(outcomes.absolute_error / n), figure(root)), strict=True))
    accuracy = figure(outcomes.correct / n)
    if positive is None:
        return {"accuracy": accuracy}
    scored = outcomes.scored
    if not scored:
        return {**{name: Figure(None, "no scores") for name in names[:3]}, "accuracy": accuracy}
    _, negatives, positives = outcomes.arrays()
    return {
        "roc_auc": roc_auc(negatives, positives),
        "brier_score": figure(outcomes.brier / scored),
        "log_loss": figure(outcomes.log_loss / scored),
        "accuracy": accuracy,
    }


def roc_auc(negatives: Array, positives: Array) -> Figure:
    """Return the area under the ROC curve from counts by ascending score."""
    if negatives.sum() == 0 or positives.sum() == 0:
        return Figure(None, "one class")
    below = np.cumsum(negatives) - negatives
    return figure(np.sum(positives * (below + negatives / 2)) / (negatives.sum() * positives.sum()))
