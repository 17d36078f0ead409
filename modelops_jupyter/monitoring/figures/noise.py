"""How far figures stray by chance alone, when a window's rows come from where the reference's rows came from.

All limits are functions of the reference's shares, the numbers of rows on both sides and a chance; they hold for
windows of some 30 rows up, sparse bins included, as tests/monitoring/test_noise.py shows by simulation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.deciding import RELATIVE

Array = np.ndarray[Any, Any]
# Squared Jensen-Shannon distance (base 2) times this and the rows is a chi-square to the second order.
JENSEN_SHANNON_SCALE = 8 * math.log(2)
# Mean of the square of Kolmogorov's distribution, and of how many degrees a chi-square of its relative spread is.
KOLMOGOROV_SQUARE = (math.pi**2 / 12, 5.0)
# Nothing is taken to follow itself more closely.
MOST_REPEATS = 0.97
_RATES = np.geomspace(1e-3, 1e3, 121)


def paired_rows(before: Array | float, now: Array | float) -> Array:
    """Return n m / (n + m): as many rows against an endless reference stray as n rows against m do."""
    before, now = np.asarray(before, dtype=float), np.asarray(now, dtype=float)
    rows: Array = before * now / np.maximum(before + now, 1.0)
    return rows


@cache
def _cell_cumulants() -> Array:
    """Return the first three cumulants of one bin's term of the scaled divergence, by the rows expected in that bin.

    Counts are Poisson. From 1,000 expected rows on they are those of a chi-square with one degree: 1, 2 and 8.
    """
    found = []
    for rate in _RATES:
        counts = np.arange(0, int(rate + 12 * math.sqrt(rate) + 30))
        logs = counts * math.log(rate) - rate - np.array([math.lgamma(count + 1) for count in counts])
        chances = np.exp(logs)
        above = np.where(counts > 0, counts * np.log(np.maximum(2 * counts, 1) / (rate + counts)), 0)
        terms = 4 * (rate * np.log(2 * rate / (rate + counts)) + above)
        mean = chances @ terms
        found.append((mean, chances @ (terms - mean) ** 2, chances @ (terms - mean) ** 3))
    return np.array(found).T


@dataclass(frozen=True)
class Stray:
    """How a positive statistic strays by chance: like ``start + step * chi-square(degrees)``, an entry per column."""

    start: Array
    step: Array
    degrees: Array

    @property
    def mean(self) -> Array:
        """Expected value."""
        mean: Array = self.start + self.step * self.degrees
        return mean

    @property
    def freedom(self) -> Array:
        """Degrees of freedom of the chi-square that strays as much in relation to its mean."""
        freedom: Array = (self.mean / self.step) ** 2 / self.degrees
        return freedom

    def limit(self, chance: Array | float) -> Array:
        """Return what is passed with `chance`."""
        from scipy.special import chdtri  # heavy: not before it is needed

        limit: Array = self.start + self.step * chdtri(self.degrees, chance)
        return limit


def divergence(counts: Array, rows: Array, more: float = 1.0) -> Stray:
    """Return how ``JENSEN_SHANNON_SCALE * rows * distance²`` strays.

    A chi-square with one degree per bin less one where bins are full. Sparse bins stray otherwise: the cumulants of
    each bin's term are those of a Poisson count, and a shifted chi-square has the first three of their sum (Pearson's
    type III; Imhof, Biometrika 1961). For a limit a bin counts as if the reference had one row more in it, for that it
    had few may be chance as well.

    Parameters
    ----------
    counts : array of float, shape (columns, bins)
        The reference's, by bin; NaN where there is no such bin.
    rows : array of float, shape (columns,)
        `paired_rows`.
    more : float
        Rows that each bin is given beside the reference's own.
    """
    filled = np.where(np.isnan(counts), 0.0, counts + more)
    expected = filled / np.maximum(np.nansum(counts, -1), 1.0)[:, None] * rows[:, None]
    logs, grid = np.log(np.clip(expected, _RATES[0], _RATES[-1])), np.log(_RATES)
    # Below the least rate a term is nearly always 4 ln 2 times that rate; none at all where there is no bin.
    scale = np.minimum(1.0, expected / _RATES[0])
    mean, variance, third = ((np.interp(logs, grid, cumulant) * scale).sum(-1) for cumulant in _cell_cumulants())
    # The total is fixed: one degree less.
    mean, variance, third = np.maximum(mean - 1, 0.05), np.maximum(variance - 2, 0.1), np.maximum(third - 8, 0.4)
    step, degrees = third / (4 * variance), 8 * variance**3 / third**2
    return Stray(mean - step * degrees, step, degrees)


def chi_square_power(power: float, degrees: Array, mean: Array | float = 1.0) -> tuple[Array, Array]:
    """Return middle and spread of a power of a chi-square over its degrees of freedom, a noncentral one of that `mean`.

    The cube root is all but normal from one degree on, where the logarithm has a long lower tail (Wilson and Hilferty,
    PNAS 1931).
    """
    mean = np.asarray(mean, dtype=float)
    middle: Array = mean**power * (1 + power * (power - 1) / degrees)
    spread: Array = power * mean ** (power - 1) * np.sqrt(2 * (2 * mean - 1) / degrees)
    return middle, spread


def chi_square_limit(degrees: Array | float, chance: Array | float) -> Array:
    """Return what a chi-square over its degrees of freedom passes with `chance`."""
    from scipy.special import chdtri

    limit: Array = chdtri(degrees, chance) / degrees
    return limit


def f_limit(degrees: Array | float, below: Array, chance: Array | float) -> Array:
    """Return what the ratio of two mean squares passes with `chance` (Snedecor's F)."""
    from scipy.special import fdtri

    limit: Array = fdtri(degrees, below, 1 - np.asarray(chance))
    return limit


def one_direction_limit(degrees: Array, dispersion: Array, seen: Array, chance: Array | float) -> Array:
    """Return how many times its mean a square passes with `chance`, where all that differs lies in one direction.

    In the others it is a chi-square by chance, a standard deviation above its mean. Few windows hardly tell in how
    many directions they differ; of all that give one mean square, a single direction has the heaviest tail.

    Parameters
    ----------
    degrees : array of float
        Directions that there are.
    dispersion : array of float
        Mean square over that by chance.
    seen : array of float
        Independent windows that told it.
    """
    others = np.maximum(degrees - 1, 0)
    between = 1 + degrees * (dispersion - 1)
    one = between * f_limit(1.0, np.maximum(seen - 1, 1.0), chance)
    limit: Array = (others + np.sqrt(2 * others) + one) / (degrees * dispersion)
    return limit


def kolmogorov_limit(chance: Array | float) -> Array:
    """Return what √rows times the Kolmogorov-Smirnov statistic passes with `chance`: never too low (Massart 1990)."""
    limit: Array = np.sqrt(np.log(2 / np.asarray(chance)) / 2)
    return limit


def normal_limit(chance: float) -> float:
    """Return what a standard normal value passes with `chance`."""
    return NormalDist().inv_cdf(1 - chance)


def student_limit(degrees: Array | float, chance: Array | float) -> Array:
    """Return what Student's t passes with `chance`."""
    from scipy.special import stdtrit

    limit: Array = -stdtrit(np.maximum(degrees, 1.0), np.asarray(chance))
    return limit


def slowness(repeats: Array | float) -> Array:
    """Return how many of its values are worth one independent one, of what follows itself with lag-one correlation.

    (1 + r) / (1 - r), the variance of the mean of a first-order autoregression (Bartlett, JRSS Supplement 1946).
    """
    correlation = np.clip(repeats, 0.0, MOST_REPEATS)
    slower: Array = (1 + correlation) / (1 - correlation)
    return slower


def share_limit(before_hits: Array, before_rows: Array, rows: Array, chance: Array | float) -> Array:
    """Return the share of `rows` that hits reach with at most `chance`, given the hits of the reference.

    Rare hits are Poisson; over what the reference leaves open about their rate (a gamma with one hit more than came)
    they are negative binomial. The distance from the mean is shortened by √(1 - p), as a binomial's is where hits are
    not rare. Found by bisection over the exact tail, a regularized incomplete beta function.
    """
    from scipy.special import betainc

    shape = np.asarray(before_hits, dtype=float) + 1
    before_rows, rows = np.maximum(before_rows, 1.0), np.maximum(rows, 1.0)
    odds = rows / (rows + before_rows)
    mean = shape * rows / before_rows
    low, high = np.zeros_like(mean), mean + 60 * np.sqrt(mean + mean**2 / shape) + 200
    for _ in range(50):
        middle = (low + high) / 2
        passed = betainc(middle, shape, odds) > chance
        low, high = np.where(passed, middle, low), np.where(passed, high, middle)
    usual = np.minimum(mean / rows, 1.0)
    hits = usual * rows + (high - usual * rows) * np.sqrt(1 - usual)
    hits = np.ceil(hits - RELATIVE * hits)
    limit: Array = np.minimum(hits / rows, 1.0)
    return limit
