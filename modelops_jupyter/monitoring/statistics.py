"""Figures of profiles: each a value, or a stated reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from modelops_jupyter.profiles import ColumnProfile, Profile

SMALLEST_SHARE = 1e-4
FEWEST_ROWS = 30
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Figure:
    """A value, or the reason why there is none."""

    value: float | None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return both as plain data."""
        return {"value": self.value, "reason": self.reason}


def _figure(value: float) -> Figure:
    return Figure(float(value)) if np.isfinite(value) else Figure(None, "not a finite number")


def _shares(reference: ColumnProfile, current: ColumnProfile) -> tuple[Array, Array] | Figure:
    """Return both distributions over the bins and, for categories, the unseen rest; or why there are none."""
    left = np.array([*reference.counts, reference.unseen], dtype="float64")
    right = np.array([*current.counts, current.unseen], dtype="float64")
    if left.sum() == 0:
        return Figure(None, "no values in the reference")
    if right.sum() == 0:
        return Figure(None, "all null" if current.n else "no rows")
    if right.sum() < FEWEST_ROWS:
        return Figure(None, "too few rows")
    if np.count_nonzero(left) == 1 and np.count_nonzero(right) == 1 and left.argmax() == right.argmax():
        return Figure(0.0)
    return left / left.sum(), right / right.sum()


def psi(reference: ColumnProfile, current: ColumnProfile) -> Figure:
    """Population stability index: sum of (q - p) ln(q / p) over the bins, shares below 0.0001 raised to it.

    Siddiqi, Credit Risk Scorecards (2006), chapter 9.
    """
    shares = _shares(reference, current)
    if isinstance(shares, Figure):
        return shares
    p, q = (np.maximum(share, SMALLEST_SHARE) for share in shares)
    return _figure(np.sum((q - p) * np.log(q / p)))


def jensen_shannon(reference: ColumnProfile, current: ColumnProfile) -> Figure:
    """Jensen-Shannon distance with logarithms to base 2, between 0 and 1 (Endres and Schindelin 2003)."""
    shares = _shares(reference, current)
    if isinstance(shares, Figure):
        return shares
    p, q = shares
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log2(p / middle), 0) + np.where(q > 0, q * np.log2(q / middle), 0)
    return _figure(np.sqrt(max(0.0, terms.sum() / 2)))


def null_rate(column: ColumnProfile) -> Figure:
    """Share of rows without a value."""
    return _figure(column.nulls / column.n) if column.n else Figure(None, "no rows")


def unseen_rate(column: ColumnProfile) -> Figure:
    """Share of values that are no category of the reference."""
    if column.kind != "category":
        return Figure(None, "numbers have no categories")
    present = column.n - column.nulls
    return _figure(column.unseen / present) if present else Figure(None, "all null" if column.n else "no rows")


def performance(profile: Profile, task: str, positive: str | None) -> dict[str, Figure]:
    """Return the realised figures of a window.

    ROC AUC is the share of pairs of a positive and a negative in the right order, ties counting half (Hanley and
    McNeil 1982), over 2,000 cells of the score; Brier score, log loss and accuracy are exact.
    """
    scores = profile.scores
    if task == "decision":
        return {}
    names: tuple[str, ...] = (
        ("mean_absolute_error", "root_mean_squared_error") if task == "regression" else ("accuracy",)
    )
    if positive is not None:
        names = ("roc_auc", "brier_score", "log_loss", "accuracy")
    if scores.labelled < FEWEST_ROWS:
        reason = "no labels" if scores.labelled == 0 else "too few labels"
        return {name: Figure(None, reason) for name in names}
    n = scores.labelled
    if task == "regression":
        root = float(np.sqrt(scores.squared_error / n))
        return dict(zip(names, (_figure(scores.absolute_error / n), _figure(root)), strict=True))
    if positive is None:
        return {"accuracy": _figure(scores.correct / n)}
    scored = sum(a + b for a, b in scores.cells.values())
    if not scored:
        return {**{name: Figure(None, "no scores") for name in names[:3]}, "accuracy": _figure(scores.correct / n)}
    return {
        "roc_auc": _auc(*scores.arrays()),
        "brier_score": _figure(scores.brier / scored),
        "log_loss": _figure(scores.log_loss / scored),
        "accuracy": _figure(scores.correct / n),
    }


def _auc(negatives: Array, positives: Array) -> Figure:
    if negatives.sum() == 0 or positives.sum() == 0:
        return Figure(None, "one class")
    below = np.cumsum(negatives) - negatives
    return _figure(np.sum(positives * (below + negatives / 2)) / (negatives.sum() * positives.sum()))
