"""What earlier windows teach: how healthy windows differ from each other beyond what chance explains.

Real windows are no random draws: a day has its weather, a Monday its Mondays. Each figure's earlier healthy windows
say how it strays; where that is more than sampling noise, limits follow the history, by Student's prediction limit,
which is wide while the history is short.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.deciding import exceeds, side
from modelops_jupyter.monitoring.figures.noise import slowness, student_limit

Array = np.ndarray[Any, Any]
LONGEST = 60
# From so many windows on the spread of a figure is estimated at all.
FEWEST = 5
# A season must have been seen so often before it is taken out.
SEASONS = 3
# A season is further off than others from so many standard errors on.
RAISED = 2.0
# Where windows differ by nature, a figure must rise over their middle by at least this factor (as a logarithm).
LEAST_RISE = 0.25
# From so many pairs of neighbours on it shows how closely windows follow each other; until then, they may so closely.
FEWEST_PAIRS, UNKNOWN_REPEATS = 10, 0.5
# The standard deviation of normal values is 1.4826 times their median absolute deviation.
_MAD = 1.4826


@dataclass(frozen=True)
class Usual:
    """Middle and spread of some columns' healthy windows, an entry per column; NaN where there are too few.

    Attributes
    ----------
    windows : array of int
        How many they are.
    of : array of int
        How many of them the middle is of: those of this window's season, where there is one.
    middle, spread : array of float
        Median, and standard deviation by the median absolute deviation.
    season : array of float
        Median of this window's season less that of all windows; 0 where there is no season.
    greatest, mean, level : array of float
        Of all values; `level` is the mean in which what is above the 95 % quantile counts as that.
    repeats : array of float
        How much a window resembles the one before: lag-one rank correlation, from 0 to 1; 0 while that is not known.
    independent : array of float
        As many independent windows would show as much of how they differ: fewer where windows repeat each other, or
        might as far as so few of them tell.
    """

    windows: Array
    of: Array
    middle: Array
    spread: Array
    season: Array
    greatest: Array
    mean: Array
    level: Array
    repeats: Array
    independent: Array

    def limit(self, chance: Array | float, least_spread: Array | float = 0.0) -> Array:
        """Return what the next window's value passes with `chance`, if it is like the earlier ones.

        The prediction limit of a normal sample: middle + t(k-1) s √(1 + π/2n), for a median of n strays by √(π/2n) s;
        k and n count independent windows. The least spread there is does not depend on how many show it.
        """
        share = self.independent / np.maximum(self.windows, 1)
        strays = np.sqrt(1 + np.pi / 2 / np.maximum(self.of * share, 1))
        learned = student_limit(self.independent - 1, chance) * self.spread
        least = student_limit(np.maximum(self.windows, 2) - 1, chance) * least_spread
        limit: Array = self.middle + np.maximum(learned, least) * strays
        return limit


def usual(values: Array, phases: Array, phase: int, apart: int = 1) -> Usual:
    """Return what is usual, from the values of earlier windows.

    Parameters
    ----------
    values : array of float, shape (windows, columns)
        Oldest first, NaN where there is no figure or no window.
    phases : array of int, shape (windows, columns)
        Weekday, or hour of the week, of each window; those of `phase` are this window's own.
    apart : int
        Values less than so many windows apart share rows: they count as that many fewer.
    """
    windows = np.sum(~np.isnan(values), axis=0) // apart
    middle, spread = _middle_and_spread(values, windows)
    residuals, own = _without_season(values, phases, phase)
    # Few values lie closer to their own median than to others': so a season is not what chance makes of any days.
    same = np.maximum(np.sum((phases == phase) & ~np.isnan(values), axis=0), 1)
    narrow = _middle_and_spread(residuals, windows)[1] * (1 + 2 / same) / (1 + 2 / np.maximum(windows, 1))
    better = ~np.isnan(own) & exceeds(0.8 * spread, narrow)
    # One weekday alone that is further off than others hardly shows in the spread of all.
    with np.errstate(invalid="ignore"):
        further = exceeds(own - middle, RAISED * np.sqrt(np.pi / 2 / same) * spread)
    season = np.where(better | further, own - middle, 0.0)
    middle, spread = np.where(better | further, own, middle), np.where(better, narrow, spread)
    greatest = np.fmax.reduce(values, axis=0) if len(values) else np.full(values.shape[1], np.nan)
    mean = np.nansum(values, axis=0) / np.maximum(np.sum(~np.isnan(values), axis=0), 1)
    of = np.where(better | further, np.minimum(same, windows), windows)
    level = _level(values)
    least, most = _repeats(np.where(better, residuals, values), apart)
    return Usual(
        windows, of, middle, spread, season, greatest, mean, level, least, np.maximum(windows / slowness(most), 2.0)
    )


def _level(values: Array) -> Array:
    """Return means in which what is above the 95 % quantile counts as that: one value in twenty may be anything."""
    counted = np.sum(~np.isnan(values), axis=0)
    if not len(values):
        return np.full(values.shape[1], np.nan)
    place = np.clip(np.ceil(0.95 * counted).astype(int), 1, len(values)) - 1
    most = np.sort(values, axis=0)[place, np.arange(values.shape[1])]  # NaN last
    level: Array = np.nansum(np.minimum(values, most), axis=0) / np.maximum(counted, 1)
    return level


def _middle_and_spread(values: Array, windows: Array) -> tuple[Array, Array]:
    """Return medians and standard deviations; NaN where there are too few windows.

    What is quiet on most days and wild on some has little absolute deviation in the middle: so the upper tail, by its
    90 % and 95 % quantiles (of few values the greatest), is taken into account where it is wider than a normal one. One
    value in twenty may be anything.
    """
    counted = np.maximum(np.sum(~np.isnan(values), axis=0), 1)
    middle = _median(values)
    # Small samples: the median of few deviations is too small by about 1 + 2 / k (Croux and Rousseeuw 1992).
    spread = _MAD * (1 + 2 / counted) * _median(np.abs(values - middle))
    ordered = np.sort(values, axis=0)  # NaN last
    columns = np.arange(values.shape[1])
    for share, z in ((0.9, 1.2816), (0.95, 1.6449)):
        place = np.minimum(np.ceil(share * (counted + 1)).astype(int), counted) - 1
        tail = (ordered[place, columns] - middle) / z
        # Four standard errors wider, so that chance does not widen what is normal.
        wide = (counted >= FEWEST) & exceeds(tail, spread * (1 + 4 / np.sqrt(counted)))
        spread = np.where(wide, tail, spread)
    few = windows < FEWEST
    return np.where(few, np.nan, middle), np.where(few, np.nan, spread)


def _median(values: Array) -> Array:
    """Return medians down the windows; NaN, without a warning, where all are."""
    ordered = np.sort(values, axis=0)  # NaN last
    counted = np.sum(~np.isnan(values), axis=0)
    low, high = np.maximum(counted - 1, 0) // 2, np.minimum(counted // 2, len(values) - 1)
    columns = np.arange(values.shape[1])
    median: Array = (ordered[low, columns] + ordered[high, columns]) / 2
    return median


def _without_season(values: Array, phases: Array, phase: int) -> tuple[Array, Array]:
    """Return values less the median of their phase, and the median of `phase`; NaN where it came too seldom."""
    residuals, own = np.full_like(values, np.nan), np.full(values.shape[1], np.nan)
    for each in np.unique(phases[phases >= 0]).tolist():
        same = np.where(phases == each, values, np.nan)
        often = np.sum(~np.isnan(same), axis=0) >= SEASONS
        if not often.any():
            continue
        middle = np.where(often, _median(same), np.nan)
        residuals = np.where(phases == each, values - middle, residuals)
        if each == phase:
            own = middle
    return residuals, own


def _repeats(values: Array, apart: int) -> tuple[Array, Array]:
    """Return how closely a value follows the one `apart` windows before: at least, and at most.

    The sine of the quadrant correlation is the correlation of a normal pair (Blomqvist 1950); both bounds are one
    standard error away.
    """
    few = np.full(values.shape[1], UNKNOWN_REPEATS)
    if len(values) <= apart + 1:
        return np.zeros(values.shape[1]), few
    signs = side(values, _median(values))
    both = signs[apart:] * signs[:-apart]
    pairs = np.sum(~np.isnan(both), axis=0)
    with np.errstate(invalid="ignore"):
        mean = np.nansum(both, axis=0) / np.maximum(pairs, 1)
    counted = np.maximum(pairs / apart, 1)
    error = 1 / np.sqrt(counted)
    least, most = (np.sin(np.pi / 2 * np.clip(each, 0, 1)) for each in (mean - error, mean + 1 / counted + error))
    # The median of its own days takes away some of what they have in common.
    known = pairs >= FEWEST_PAIRS
    return np.where(known, least, 0.0), np.where(known, most, few)
