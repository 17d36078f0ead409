"""What an incident of a regression cost: absolute error of a row beyond that of the reference, with an interval.

The mean over all rows of the bad windows is a weighted sum of the windows' means, each with its standard error; the
reference's mean has one of its own. Rows of one window resemble each other, so windows differ by more than those errors
say: how much is taken from the windows before by the method of moments (DerSimonian and Laird, Meta-analysis in
clinical trials, Controlled Clinical Trials 1986).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from modelops_jupyter.monitoring.figures import intervals
from modelops_jupyter.monitoring.figures.figure import Figure
from modelops_jupyter.monitoring.incidents.loss import FEWEST_WINDOWS, student
from modelops_jupyter.monitoring.record.results import WindowResult

METRIC = "mean_absolute_error"


@dataclass(frozen=True)
class ErrorExcess:
    """Absolute error of a row beyond the expected one, in units of the label, with its 95 % interval.

    Attributes
    ----------
    expected : float
        The mean absolute error on the reference.
    rows : int
        The labelled rows of the bad windows.
    """

    value: float
    low: float
    high: float
    expected: float
    rows: int


def excess_error(
    windows: Iterable[WindowResult], expected: Mapping[int, Figure], before: Sequence[WindowResult] = ()
) -> ErrorExcess | None:
    """Return how much greater the absolute error was than on the reference; None where there are no labels.

    Parameters
    ----------
    expected
        Per version, the mean absolute error on its reference, with its standard error.
    before
        Windows of the same segment that show how much healthy ones differ.
    """
    own = [window for window in windows if _mean(window) is not None and (window.version or 0) in expected]
    if not own:
        return None
    rows = sum(window.labelled for window in own)
    parts = {window.window_start: window.labelled / rows for window in own}
    between, degrees = _between(before) or _between(own) or (0.0, 0)
    value = variance = reference = 0.0
    shares: dict[int, float] = {}
    for window in own:
        mean, error = _mean(window) or (0.0, 0.0)
        part, version = parts[window.window_start], window.version or 0
        shares[version] = shares.get(version, 0.0) + part
        value += part * mean
        variance += part**2 * (error**2 + between)
    for version, part in shares.items():
        reference += part * (expected[version].value or 0.0)
        variance += (part * (expected[version].error or 0.0)) ** 2
    # How windows differ is itself learned from a few.
    half = (student(degrees) if between > 0 else intervals.Z) * math.sqrt(variance)
    return ErrorExcess(value - reference, value - reference - half, value - reference + half, reference, rows)


def _mean(window: WindowResult) -> tuple[float, float] | None:
    """Return a window's mean absolute error and its standard error."""
    found = window.performance.get(METRIC, {}) if window.labelled else {}
    value, error = found.get("value"), found.get("error")
    return None if value is None or error is None else (float(value), float(error))


def _between(windows: Sequence[WindowResult]) -> tuple[float, int] | None:
    """Return the variance of means between windows beyond their errors, with its degrees of freedom."""
    known = [pair for window in windows if (pair := _mean(window)) is not None and pair[1] > 0]
    if len(known) < FEWEST_WINDOWS:
        return None
    weights = [1 / error**2 for _, error in known]
    total, degrees = sum(weights), len(known) - 1
    mean = sum(weight * value for weight, (value, _) in zip(weights, known, strict=True)) / total
    beyond = sum(weight * (value - mean) ** 2 for weight, (value, _) in zip(weights, known, strict=True)) - degrees
    return max(0.0, beyond / (total - sum(weight**2 for weight in weights) / total)), degrees
