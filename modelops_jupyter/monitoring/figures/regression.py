"""Figures of numbers said against numbers that came, from the sums and the error bins of a profile."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from modelops_jupyter.monitoring.figures import intervals
from modelops_jupyter.monitoring.figures.figure import Figure, figure
from modelops_jupyter.profiles import Outcomes


def mean_absolute_error(outcomes: Outcomes) -> Figure:
    """Mean of |e|, e being prediction minus label; normal interval of a mean."""
    return intervals.mean(outcomes.absolute_error, outcomes.squared_error, outcomes.labelled, 0.0)


def root_mean_squared_error(outcomes: Outcomes) -> Figure:
    """Root of the mean of e²; its interval is the root of that of the mean."""
    return root(intervals.mean(outcomes.squared_error, outcomes.fourth_error, outcomes.labelled, 0.0))


def mean_error(outcomes: Outcomes) -> Figure:
    """Mean of e: how far the predictions lie too high (bias)."""
    return intervals.mean(outcomes.error, outcomes.squared_error, outcomes.labelled)


def r2(outcomes: Outcomes) -> Figure:
    """Share of the labels' variance that the predictions explain: 1 - Σ e² / Σ (y - ȳ)²."""
    if not outcomes.labelled:
        return Figure(None, "no labels")
    spread = outcomes.label_squares - outcomes.label_total**2 / outcomes.labelled
    # What rounding leaves of equal labels is no variance.
    if spread <= 1e-12 * outcomes.label_squares:
        return Figure(None, "constant label")
    return figure(1 - outcomes.squared_error / spread)


def error_quantile(outcomes: Outcomes, edges: Sequence[float], share: float) -> Figure:
    """Return a quantile of e from the error bins; `low` and `high` are the ends of its bin, which hold it for certain.

    Values are spread evenly over a bin. The outer bins have one end alone: a quantile in there is not known.
    """
    total = sum(outcomes.errors)
    if not total:
        return Figure(None, "no labels")
    reached = np.cumsum(outcomes.errors)
    wanted = share * total
    place = int(np.searchsorted(reached, max(wanted, 1), side="left"))
    if place == 0 or place >= len(edges):
        return Figure(None, "beyond the errors of the reference")
    inside = (wanted - reached[place - 1]) / outcomes.errors[place]
    low, high = edges[place - 1], edges[place]
    return figure(low + min(max(inside, 0.0), 1.0) * (high - low), low=low, high=high)


def root(squared: Figure) -> Figure:
    """Return the root of a mean of squares and of its interval."""
    if squared.value is None:
        return squared
    value = math.sqrt(squared.value)
    error = None if squared.error is None or not value else squared.error / (2 * value)
    low, high = (None if end is None else math.sqrt(end) for end in (squared.low, squared.high))
    return figure(value, low=low, high=high, error=error)
