"""The last windows together: a cycle of them holds each weekday once, so that seasons within it cancel.

One window tells a broken column from a Monday only if it has seen Mondays. A whole week looks like the reference as
long as the population does, whatever the single days are like; and a small shift that stays shows in a week long before
it shows in a day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures import distances
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.deciding import exceeds
from modelops_jupyter.monitoring.figures.figure import FEWEST_ROWS
from modelops_jupyter.profiles import Counts, window_length

Array = np.ndarray[Any, Any]
# So many windows hold every season within them once: the hours of a week, the days of a week, the weeks of a month.
CYCLES = {"1h": 168, "1D": 7, "1W": 4}
# After so many cycles, each season was seen twice: from then on whatever it could bring is judged too.
LEARNED = 2
# How windows differ is reckoned over so many.
COMPARED = {"1h": 168, "1D": 28, "1W": 16}
# Windows of a cycle have not all the same number of rows.
UNEVEN = 1.5


def cycle_length(every: str) -> timedelta:
    """Return how long a cycle takes."""
    return CYCLES[every] * window_length(every)


@dataclass(frozen=True)
class WindowCounts:
    """The counts of one window, ready to be added: numbers by fine and coarse bin, categories by name; its sample."""

    fine: Array
    coarse: Array
    categories: Mapping[str, Array]
    sample: Array

    @classmethod
    def of(cls, baseline: Baseline, counts: Counts) -> WindowCounts:
        """Read the counts of a window's columns under this baseline's binning."""
        numbers = baseline.numbers
        fine = numbers.fine([counts.columns[name] for name in numbers.names])
        categories = {name: counts.columns[name].astype(float) for name in baseline.categories}
        return cls(fine, numbers.coarse(fine) if numbers.names else fine, categories, counts.sample.table)


def cycle_figures(
    baseline: Baseline, windows: Sequence[WindowCounts], before: Sequence[WindowCounts], seen: float
) -> dict[str, Mapping[str, float]]:
    """Return what the last windows together say of every column.

    Parameters
    ----------
    windows
        Those of the last cycle that this reference's version served, the newest last.
    before
        Those just before, which count for how windows differ.
    seen : float
        How many cycles have passed since the first window of that version.

    Returns
    -------
    mapping of str to mapping
        By column: ``jensen_shannon`` and (numbers) ``kolmogorov_smirnov`` and ``rank_shift`` of the rows
        together, ``rows``, ``windows``;
        ``dispersion``, from all ``compared`` windows, how many times more they differ from each other than random draws
        do, over ``degrees`` (dispersion 1: not more) of ``bins``; ``beyond``, the share of rows that no cycle like the
        reference could hold; and ``seen``. Where rows are sampled, ``dependence`` with its standard error.
    """
    found: dict[str, Mapping[str, float]] = {}
    numbers, many, last = baseline.numbers, [*before, *windows], len(before)
    if numbers.names:
        fine = np.sum([window.fine for window in windows], axis=0)
        steps = distances.kolmogorov_smirnov(_shares(numbers.counts), _shares(fine))
        rows = _figures(numbers.coarse(numbers.counts), np.array([window.coarse for window in many]), last, seen)
        ranks = distances.rank_shift(numbers.scores, _shares(fine))
        for name, figures, step, rank in zip(numbers.names, rows, steps.tolist(), ranks.tolist(), strict=True):
            if figures:
                found[name] = {**figures, "kolmogorov_smirnov": step, "rank_shift": rank}
    for name in baseline.categories:
        reference = baseline.reference.profile.columns[name].all_counts[None, :].astype(float)
        counts = np.array([window.categories[name] for window in many])[:, None, :]
        figures = _figures(reference, counts, last, seen)[0]
        if figures:
            found[name] = figures
    sampled = [window.sample for window in windows if window.sample.size]
    bonds = baseline.bonds.changes(np.concatenate(sampled)) if sampled else {}
    for name in bonds.keys() & found.keys():
        bond = bonds[name]
        known = {"dependence": abs(bond.change), "dependence_error": bond.error, "partners": float(bond.looked_at)}
        found[name] = {**found[name], **known}
    return found


def _figures(before: Array, many: Array, last: int, seen: float) -> list[dict[str, float]]:
    """Return the figures of each column from counts by coarse bin: (columns, bins) and (windows, columns, bins).

    The windows of the cycle are those from `last` on.
    """
    windows = many[last:]
    together = windows.sum(0)
    p, q = _shares(before), _shares(together)
    distance = distances.jensen_shannon(p, q)
    # If the other windows of the cycle held nothing of a bin, this part of it may hold so much and no more.
    beyond = np.maximum(q - np.minimum(1.0, UNEVEN * p / min(max(seen, 1e-9), 1.0)), 0).sum(-1)
    usual = _shares(many.sum(0))
    bins = np.maximum((usual > 0).sum(-1) - 1.0, 1.0)
    dispersion, degrees = _dispersion(many, usual, bins)
    used, rows = (windows.sum(-1) > 0).sum(0), together.sum(-1)
    return [
        {
            "jensen_shannon": float(distance[i]),
            "rows": int(rows[i]),
            "windows": int(used[i]),
            "compared": len(many),
            "dispersion": float(dispersion[i]),
            "degrees": float(degrees[i]),
            "bins": float(bins[i]),
            "beyond": float(beyond[i]),
            "seen": seen,
        }
        if rows[i] >= FEWEST_ROWS and before[i].sum() >= FEWEST_ROWS
        else {}
        for i in range(len(before))
    ]


def _dispersion(windows: Array, q: Array, bins: Array) -> tuple[Array, Array]:
    """Return how much windows differ over what random draws do, and in how many directions.

    Pearson's statistic of homogeneity over its degrees of freedom. The directions are the effective degrees of freedom
    of the residuals' covariance, (tr S)² / tr S² (Satterthwaite 1946), less what the few windows take away.
    """
    from scipy.special import chdtri  # heavy: not before it is needed

    k = len(windows)
    if k < 2:
        return np.ones(len(q)), bins
    expected = windows.sum(-1, keepdims=True) * q
    with np.errstate(divide="ignore", invalid="ignore"):
        residuals = np.where(expected > 0, (windows - expected) / np.sqrt(expected), 0.0)
    total = np.einsum("icb,icb->c", residuals, residuals)
    squares = np.maximum(_squared_covariance(residuals), 1e-12)
    freedom = (k - 1) * bins
    dispersed = exceeds(total, chdtri(freedom, 0.01))
    inverse = np.maximum(squares / np.maximum(total, 1e-12) ** 2 - 1 / (k - 1), 1 / bins)
    # What follows itself day after day averages out more slowly: the variance of the mean of an autoregression.
    next_to = np.einsum("icb,icb->c", residuals[1:], residuals[:-1]) / np.maximum(total, 1e-12) + 1 / k
    slower = (1 + np.clip(next_to, 0, 0.8)) / (1 - np.clip(next_to, 0, 0.8))
    return (
        np.where(dispersed, total / freedom * slower, 1.0),
        np.where(dispersed, np.maximum(1 / inverse, 1.0), bins),
    )


def _squared_covariance(residuals: Array) -> Array:
    """Return tr S² of each column by the smaller of its two Gram matrices."""
    way = "icb,jcb->cij" if len(residuals) < residuals.shape[-1] else "ica,icb->cab"
    squared: Array = (np.einsum(way, residuals, residuals) ** 2).sum((1, 2))
    return squared


def _shares(counts: Array) -> Array:
    total = counts.sum(-1, keepdims=True)
    shares: Array = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    return shares
