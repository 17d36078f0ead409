"""How much a mean loss rose from the windows before to those of now, with a confidence interval."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.explaining.segments import Losses
from modelops_jupyter.monitoring.figures.figure import Figure

Array = np.ndarray[Any, Any]


def rise_of(losses: Losses) -> Figure:
    """Return the mean loss of now less that of before, with its 95 % interval.

    Rows of one window resemble each other, so where there are windows enough the interval is by the spread between
    window means, both sides taken together, with Student's t (Donner and Klar, Design and Analysis of Cluster
    Randomization Trials, 2000); otherwise by the spread between rows (Welch, Biometrika 1947).
    """
    from scipy.special import stdtrit  # heavy: not before it is needed

    now, rows = losses.now, losses.totals
    means = np.bincount(losses.window, weights=losses.loss, minlength=len(now)) / rows
    sides = [(side, rows[side] / rows[side].sum()) for side in (~now, now)]
    before, after = (float(means[side] @ shares) for side, shares in sides)
    if losses.by_windows:
        degrees = float(len(now) - 2)
        within = sum(float(((means[side] - means[side].mean()) ** 2).sum()) for side, _ in sides)
        error = math.sqrt(within / degrees * sum(float(shares @ shares) for _, shares in sides))
    else:
        parts = [_squared_error(losses.loss[side[losses.window]]) for side, _ in sides]
        error = math.sqrt(sum(square for square, _ in parts))
        spread = sum(square**2 / max(n - 1, 1.0) for square, n in parts)
        degrees = error**4 / spread if spread > 0 else 1.0
    half = float(stdtrit(degrees, 0.975)) * error
    return Figure(after - before, low=after - before - half, high=after - before + half, error=error)


def rise_words(rise: Figure, form: str) -> str:
    """Return whether the loss rose as a whole, with its interval; `form` is how numbers are written.

    >>> rise_words(Figure(0.03, low=0.01, high=0.05), ".2f")
    'It rose by 0.03 (95 % interval 0.01 to 0.05).'
    """
    value, low, high = rise.value or 0.0, rise.low or 0.0, rise.high or 0.0
    interval = f"95 % interval {low:{form}} to {high:{form}}"
    if low > 0:
        return f"It rose by {value:{form}} ({interval})."
    return f"As a whole it did not rise beyond chance ({interval}); what follows got worse beside the rest."


def _squared_error(loss: Array) -> tuple[float, float]:
    """Return the variance of a mean of rows, and how many rows there are."""
    n = float(len(loss))
    return float(loss.var(ddof=1)) / n if n > 1 else 0.0, n
