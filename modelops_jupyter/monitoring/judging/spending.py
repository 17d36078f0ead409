"""What figures spend of their allowances where windows differ by chance alone, and by how much more may be shared out.

Expectations add up, so a budget that is shared out is never passed. It is not spent either: all drift of a column is
one alert, so that statistics which pass together count once; limits that are never too low are mostly too high;
estimates are silent where labels come at once, and least effects hold back. What is spent is therefore a part of what
is granted. It depends on the kind of figure and on how rarely it may pass: the rarer, the fewer pass together and the
nearer the sum comes to the truth, so that a budget of 1/year leaves less unspent than one of 1/month. That part was
simulated once, and all allowances of a model are granted that much more often. Nothing is learned from the rows
watched, so the same windows are always judged alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.judging.budget import BOND, PARTS
from modelops_jupyter.profiles.sampling import sampled_columns

# Alerts where nothing changes, over those granted, for allowances of one in 100 and of one in 100,000 windows; between
# them by the logarithm. `python -m tests.benchmarks.spending` measures them. Where no two pass together all is spent,
# but for a bond its two of three ways of looking. Volume is taken to spend all always: how numbers of rows vary is not
# the reference's to say.
COMMON, RARE = 1e-2, 1e-5
COLUMN, BONDS = (0.5, 1.0), (0.5, 2 / 3)
SPENT = {"performance": (0.3, 1.0), "concept": (0.6, 1.0), "quality": (0.5, 1.0), "volume": (1.0, 1.0)}


def spent_part(baseline: Baseline, allowances: Mapping[str, float]) -> float:
    """Return the part of a budget that is spent if it is shared out among all figures as if none passed together.

    Parameters
    ----------
    allowances
        What a figure of each kind is granted then, as by `AlertBudget.allowances`.
    """
    ends = {**SPENT, "drift": _drift(baseline)}
    spent = {kind: spent_of(ends[kind], allowance) for kind, allowance in allowances.items()}
    return sum(PARTS[kind] * part for kind, part in spent.items()) / sum(PARTS[kind] for kind in spent)


def spent_of(ends: tuple[float, float], allowance: float) -> float:
    """Return the part of an allowance that is spent, from those of common and of rare ones."""
    common, rare = ends
    places = math.log(RARE), math.log(COMMON)
    return float(np.interp(math.log(max(allowance, 1e-300)), places, (rare, common)))


def _drift(baseline: Baseline) -> tuple[float, float]:
    """Return what drift spends: that of numbers, categories and bonds, as many as there are."""
    profile = baseline.reference.profile
    bonds = BOND * len(sampled_columns(profile.columns)) if profile.sample.keys else 0.0
    counts = np.array([len(baseline.numbers.names) + len(baseline.categories), bonds])
    common, rare = (counts @ np.array([COLUMN, BONDS]) / max(counts.sum(), 1.0)).tolist()
    return common, rare
