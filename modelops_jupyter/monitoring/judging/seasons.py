"""What a season might still bring: how far a window may be off while not every kind of day was seen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.cycle import cycle_length
from modelops_jupyter.monitoring.judging.thresholds import Track

Array = np.ndarray[Any, Any]
# From so many windows on their mean says how far the others may be off.
FEWEST_SEEN = 3
# While seasons are not known, a figure is news once it is so much worse than the worst window before.
RECORD = 1.25


def in_first_cycle(track: Track, i: int) -> bool:
    """Tell whether some seasons were never seen when window `i` comes."""
    return track.starts[i] - track.began < cycle_length(track.every)


def unseen_season(track: Track, worse: Array, own: float, i: int, two_sided: bool) -> float:
    """Return how much worse than the reference window `i` may be by its season alone.

    The reference is the mix of all seasons. If the windows seen so far are better than it by b on average, the others
    of the cycle are worse by as much together, and one of them may be worse by all of it: their number times b (and
    two standard errors). Until each season was seen three times, only a record is news.

    Parameters
    ----------
    worse : array of float, shape (windows,)
        By how much each window before was worse than the reference, before the present run of findings; NaN where
        there was no figure.
    own : float
        Standard error of such a figure.
    two_sided : bool
        Whether more and less are worse.
    """
    if track.seasons_known(i):
        return 0.0
    seen = worse[~np.isnan(worse)]
    if not len(seen):
        return 0.0
    record = RECORD * float(np.abs(seen).max() if two_sided else seen.max())
    if not in_first_cycle(track, i) or len(seen) < FEWEST_SEEN:
        return max(record, 0.0)
    mean, count = float(seen.mean()), min(len(seen), max(int(track.per_cycle[i]) - 1, 1))
    better = abs(mean) if two_sided else max(0.0, -mean)
    return max(record, count * (better + 2 * own / math.sqrt(len(seen))))
