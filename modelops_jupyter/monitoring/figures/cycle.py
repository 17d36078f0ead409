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
# How windows differ is reckoned over so many: eight cycles, of hours one.
COMPARED = {"1h": 168, "1D": 56, "1W": 32}
# So many cycles before show how they differ.
FEWEST_CYCLES = 2
# Windows of a cycle have not all the same number of rows.
UNEVEN = 1.5
# Windows that differ by chance alone are taken to differ by more in so many cases.
DOUBT = 0.01
# Where so many of its columns differ from day to day, a model's days differ, and those that do not show it may too.
MANY = 0.25


def cycle_length(every: str) -> timedelta:
    """Return how long a cycle takes."""
    return CYCLES[every] * window_length(every)


@dataclass(frozen=True)
class WindowCounts:
    """The counts of one window, ready to be added: numbers by fine and coarse bin, categories by name."""

    fine: Array
    coarse: Array
    categories: Mapping[str, Array]

    @classmethod
    def of(cls, baseline: Baseline, counts: Counts) -> WindowCounts:
        """Read the counts of a window's columns under this baseline's binning."""
        numbers = baseline.numbers
        fine = numbers.fine([counts.columns[name] for name in numbers.names])
        categories = {name: counts.columns[name].astype(float) for name in baseline.categories}
        return cls(fine, numbers.coarse(fine) if numbers.names else fine, categories)


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
        By column: ``jensen_shannon``, ``share_shift`` over ``share_error``, and (numbers) ``kolmogorov_smirnov`` and
        ``rank_shift`` of the rows together, ``rows``, ``windows``; ``dispersion``, how many times more whole cycles
        differ from each other than random draws do (windows, while there was one cycle), over ``degrees`` (dispersion
        1: not more) of ``bins``, known as well as from ``compared`` independent ones; ``scatter``, how many times more
        all these windows differ, and ``differs``, whether that is no chance (1) or may be (0); ``beyond``, the share of
        rows that no cycle like the reference could hold; and ``seen``.
    """
    found: dict[str, Mapping[str, float]] = {}
    numbers, many, ago = baseline.numbers, [*before, *windows], np.array(cycles, dtype=int)
    columns = {
        name: _Column(
            baseline.reference.profile.columns[name].all_counts[None, :].astype(float),
            np.array([window.categories[name] for window in many])[:, None, :],
            ago,
        )
        for name in baseline.categories
    }
    fine = np.sum([window.fine for window in windows], axis=0) if numbers.names else np.zeros((0, 0))
    groups: list[tuple[tuple[str, ...], _Column]] = [((name,), column) for name, column in columns.items()]
    if numbers.names:
        coarse = np.array([window.coarse for window in many])
        groups = [(tuple(numbers.names), _Column(numbers.coarse(numbers.counts), coarse, ago)), *groups]
    differ = np.concatenate([column.differ for _, column in groups]) if groups else np.zeros(0, dtype=bool)
    all_differ = bool(differ.size) and bool(exceeds(differ.mean(), MANY))
    for names, column in groups:
        figures = column.figures(seen, column.differ | all_differ)
        found |= {name: each for name, each in zip(names, figures, strict=True) if each}
    if numbers.names:
        steps = distances.kolmogorov_smirnov(_shares(numbers.counts), _shares(fine))
        ranks = distances.rank_shift(numbers.scores, _shares(fine))
        for name, step, rank in zip(numbers.names, steps.tolist(), ranks.tolist(), strict=True):
            if name in found:
                found[name] = {**found[name], "kolmogorov_smirnov": step, "rank_shift": rank}
    shifts = [(numbers.names, numbers.share_shift(fine))] if numbers.names else []
    if baseline.cells.names:
        together = [np.sum([window.categories[name] for window in windows], axis=0) for name in baseline.cells.names]
        shifts.append((baseline.cells.names, baseline.cells.share_shift(baseline.cells.table(together))))
    for names, shift in shifts:
        for name, distance, error in zip(names, shift.distance.tolist(), shift.error.tolist(), strict=True):
            if name in found:
                found[name] = {**found[name], "share_shift": distance, "share_error": error}
    return found


class _Column:
    """Columns of as many bins: the reference's counts (columns, bins), and the windows' (windows, columns, bins).

    Parameters
    ----------
    ago : array of int, shape (windows,)
        How many cycles ago each window was.
    """

    def __init__(self, before: Array, many: Array, ago: Array) -> None:
        self.before, self.windows = before, many[ago == 0]
        self.usual = _shares(many.sum(0))
        self.bins = np.maximum((self.usual > 0).sum(-1) - 1.0, 1.0)
        # Whole cycles hold each season once: how they differ is what repeats itself from day to day, without seasons.
        # What is judged is no part of what it is judged by.
        oldest = int(ago.max())
        cycles = np.array([many[ago == n].sum(0) for n in range(oldest, 0, -1)])
        self.compared = cycles if oldest >= FEWEST_CYCLES else many
        self.scatter, self.differ = _scatter(many, self.usual, self.bins)
        if oldest >= FEWEST_CYCLES:
            self.differ = self.differ | _scatter(cycles, _shares(cycles.sum(0)), self.bins)[1]

    def figures(self, seen: float, differ: Array) -> list[dict[str, float]]:
        """Return the figures of each column, of those that `differ` with how much they do."""
        together = self.windows.sum(0)
        p, q = _shares(self.before), _shares(together)
        distance = distances.jensen_shannon(p, q)
        # If the other windows of the cycle held nothing of a bin, this part of it may hold so much and no more.
        beyond = np.maximum(q - np.minimum(1.0, UNEVEN * p / min(max(seen, 1e-9), 1.0)), 0).sum(-1)
        before = _shares(self.compared.sum(0))
        dispersion, degrees, independent = _dispersion(self.compared, before, self.bins, differ)
        used, rows = (self.windows.sum(-1) > 0).sum(0), together.sum(-1)
        return [
            {
                "jensen_shannon": float(distance[i]),
                "rows": int(rows[i]),
                "windows": int(used[i]),
                "compared": float(independent[i]),
                "dispersion": float(dispersion[i]),
                "degrees": float(degrees[i]),
                "scatter": float(self.scatter[i]),
                "differs": float(self.differ[i]),
                "bins": float(self.bins[i]),
                "beyond": float(beyond[i]),
                "seen": seen,
            }
            if rows[i] >= FEWEST_ROWS and self.before[i].sum() >= FEWEST_ROWS
            else {}
            for i in range(len(self.before))
        ]


def _scatter(windows: Array, q: Array, bins: Array) -> tuple[Array, Array]:
    """Return how many times more than random draws each column's windows differ, and whether that is no chance.

    Pearson's statistic of homogeneity over its degrees of freedom.
    """
    from scipy.special import chdtri  # heavy: not before it is needed

    residuals = _residuals(windows, q)
    total = np.einsum("icb,icb->c", residuals, residuals)
    freedom = np.maximum(len(windows) - 1, 1) * bins
    return total / freedom, exceeds(total, chdtri(freedom, DOUBT))


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
