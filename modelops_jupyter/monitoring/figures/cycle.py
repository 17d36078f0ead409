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
from modelops_jupyter.monitoring.figures.noise import slowness
from modelops_jupyter.profiles import Counts, window_length

Array = np.ndarray[Any, Any]
# So many windows hold every season within them once: the hours of a week, the days of a week, the weeks of a month.
CYCLES = {"1h": 168, "1D": 7, "1W": 4}
# After so many cycles, each season was seen twice: from then on whatever it could bring is judged too.
LEARNED = 2
# How windows differ is reckoned over so many: eight cycles, of hours one.
COMPARED = {"1h": 168, "1D": 56, "1W": 32}
# Windows of a cycle have not all the same number of rows.
UNEVEN = 1.5
# Windows that differ by chance alone are taken to differ by more in so many cases.
DOUBT = 0.05


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
    baseline: Baseline,
    windows: Sequence[WindowCounts],
    before: Sequence[WindowCounts],
    seen: float,
    cycles: Sequence[int],
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
    cycles
        How many cycles ago each window was, those of `before` first and those of the last cycle, 0, last.

    Returns
    -------
    mapping of str to mapping
        By column: ``jensen_shannon`` and (numbers) ``kolmogorov_smirnov`` and ``rank_shift`` of the rows
        together, ``rows``, ``windows``;
        ``dispersion``, how many times more whole cycles differ from each other than random draws do (windows, while
        there was one cycle), over ``degrees`` (dispersion 1: not more) of ``bins``, known as well as from ``compared``
        independent ones; ``beyond``, the share of rows that no cycle like the reference could hold; and ``seen``. Where
        rows are sampled, ``dependence`` with its standard error.
    """
    found: dict[str, Mapping[str, float]] = {}
    numbers, many = baseline.numbers, [*before, *windows]
    ago = np.array(cycles, dtype=int)
    if numbers.names:
        fine = np.sum([window.fine for window in windows], axis=0)
        steps = distances.kolmogorov_smirnov(_shares(numbers.counts), _shares(fine))
        rows = _figures(numbers.coarse(numbers.counts), np.array([window.coarse for window in many]), ago, seen)
        ranks = distances.rank_shift(numbers.scores, _shares(fine))
        for name, figures, step, rank in zip(numbers.names, rows, steps.tolist(), ranks.tolist(), strict=True):
            if figures:
                found[name] = {**figures, "kolmogorov_smirnov": step, "rank_shift": rank}
    for name in baseline.categories:
        reference = baseline.reference.profile.columns[name].all_counts[None, :].astype(float)
        counts = np.array([window.categories[name] for window in many])[:, None, :]
        figures = _figures(reference, counts, ago, seen)[0]
        if figures:
            found[name] = figures
    sampled = [window.sample for window in windows if window.sample.size]
    bonds = baseline.bonds.changes(np.concatenate(sampled)) if sampled else {}
    for name in bonds.keys() & found.keys():
        bond = bonds[name]
        known = {"dependence": abs(bond.change), "dependence_error": bond.error, "partners": float(bond.looked_at)}
        found[name] = {**found[name], **known}
    return found


def _figures(before: Array, many: Array, ago: Array, seen: float) -> list[dict[str, float]]:
    """Return the figures of each column from counts by coarse bin: (columns, bins) and (windows, columns, bins).

    The windows of the last cycle are those 0 cycles `ago`.
    """
    windows = many[ago == 0]
    together = windows.sum(0)
    p, q = _shares(before), _shares(together)
    distance = distances.jensen_shannon(p, q)
    # If the other windows of the cycle held nothing of a bin, this part of it may hold so much and no more.
    beyond = np.maximum(q - np.minimum(1.0, UNEVEN * p / min(max(seen, 1e-9), 1.0)), 0).sum(-1)
    usual = _shares(many.sum(0))
    bins = np.maximum((usual > 0).sum(-1) - 1.0, 1.0)
    # Whole cycles hold each season once: how they differ is what days do that repeat each other, seasons left out.
    oldest = int(ago.max())
    compared = np.array([many[ago == n].sum(0) for n in range(oldest, -1, -1)]) if oldest else many
    differ = _dispersed(many, usual, bins)
    differ |= _dispersed(compared, usual, bins)
    dispersion, degrees, independent = _dispersion(compared, usual, bins, differ)
    used, rows = (windows.sum(-1) > 0).sum(0), together.sum(-1)
    return [
        {
            "jensen_shannon": float(distance[i]),
            "rows": int(rows[i]),
            "windows": int(used[i]),
            "compared": float(independent[i]),
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


def _dispersed(windows: Array, q: Array, bins: Array) -> Array:
    """Tell of which columns windows differ by more than random draws do: Pearson's statistic of homogeneity."""
    from scipy.special import chdtri  # heavy: not before it is needed

    residuals = _residuals(windows, q)
    total = np.einsum("icb,icb->c", residuals, residuals)
    dispersed: Array = exceeds(total, chdtri(np.maximum(len(windows) - 1, 1) * bins, DOUBT))
    return dispersed


def _residuals(windows: Array, q: Array) -> Array:
    expected = windows.sum(-1, keepdims=True) * q
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, (windows - expected) / np.sqrt(expected), 0.0)


def _dispersion(windows: Array, q: Array, bins: Array, differ: Array) -> tuple[Array, Array, Array]:
    """Return how much windows differ over what random draws do, in how many directions, and of how many it is known.

    Pearson's statistic over its degrees of freedom, of the columns that `differ`. The directions are the effective
    degrees of freedom of the residuals' covariance, (tr S)² / tr S² (Satterthwaite 1946), less what the few windows
    take away. What follows itself from window to window averages out more slowly and shows less of how it varies: k
    windows are worth k (1 - r) / (1 + r) independent ones (Bartlett 1946), by an upper estimate of their correlation r.
    """
    k = len(windows)
    if k < 2:
        return np.ones(len(q)), bins, np.full(len(q), float(k))
    residuals = _residuals(windows, q)
    total = np.einsum("icb,icb->c", residuals, residuals)
    squares = np.maximum(_squared_covariance(residuals), 1e-12)
    inverse = np.maximum(squares / np.maximum(total, 1e-12) ** 2 - 1 / (k - 1), 1 / bins)
    degrees = np.where(differ, np.maximum(1 / inverse, 1.0), bins)
    next_to = np.einsum("icb,icb->c", residuals[1:], residuals[:-1]) / np.maximum(total, 1e-12)
    slower = slowness(next_to + 1 / k + 1 / np.sqrt((k - 1) * degrees))
    ratio = np.maximum(total / ((k - 1) * bins), 1.0)
    return (
        # Above one where windows differ, for that is what it says.
        np.where(differ, np.maximum(ratio * slower, 1 + 1e-6), 1.0),
        degrees,
        np.where(differ, np.maximum(k / slower, 1.0), k),
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
