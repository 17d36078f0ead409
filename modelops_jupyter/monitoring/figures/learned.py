"""What the windows before one teach its estimate: labels nearer in time than the reference, and how wrong they were."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from statistics import fmean
from typing import Any

from modelops_jupyter.monitoring.figures.intervals import Z
from modelops_jupyter.monitoring.figures.noise import student_limit
from modelops_jupyter.profiles import Outcomes, ScoreCells, window_length

# Two weeks hold the rhythm of the week twice; of weeks, four.
LEAST_MEMORY, LEAST_WINDOWS = timedelta(days=14), 4
# A spread forgets a season that is over.
MOST_ERRORS = 28
Estimates = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Recent:
    """What is known when a window is estimated.

    Attributes
    ----------
    labelled : ScoreCells or None
        Recent labelled rows of the same version by cell of the score.
    spread : mapping of str to float
        How far a figure strays from its estimate beyond what chance explains, as a standard deviation: 1.96 of it hold
        95 of 100 figures. It is known from few windows, so it is Student's quantile, not the normal one, that is
        reached by then.
    """

    labelled: ScoreCells | None = None
    spread: Mapping[str, float] = field(default_factory=dict)


class RecentWindows:
    """The windows before one, as far as estimates learn from them.

    A window counts once its labels have had `delay` since its end, reckoned to the end of the window that is estimated:
    an estimate that is made again later must not know more than the first one did.
    """

    def __init__(self, every: str, delay: timedelta = timedelta(days=1)) -> None:
        self._length = window_length(every)
        self._delay = max(delay, self._length)
        self._labels: dict[datetime, tuple[int | None, ScoreCells]] = {}
        self._errors: dict[datetime, Mapping[str, float]] = {}

    @property
    def memory(self) -> timedelta:
        """How far back labels count, from the start of a window."""
        return self._delay + max(LEAST_MEMORY, LEAST_WINDOWS * self._length)

    def add(self, start: datetime, version: int | None, outcomes: Outcomes) -> None:
        """Note the labelled scores of a window."""
        self.learn(start, version, outcomes.cells.labelled)

    def learn(self, start: datetime, version: int | None, labelled: ScoreCells) -> None:
        """Note the labelled scores of a window by cell."""
        if len(labelled):
            self._labels[start] = version, labelled
        for old in [at for at in self._labels if at < start - self.memory]:
            del self._labels[old]

    def judge(self, start: datetime, estimated: Estimates, realised: Estimates) -> None:
        """Note how far the estimates of a window were off, beyond their own standard error."""
        found = {}
        for name, said in estimated.items():
            came, error = realised.get(name, {}).get("value"), said.get("error")
            if said["value"] is not None and came is not None and error is not None:
                found[name] = (said["value"] - came) ** 2 - error**2
        if found:
            self._errors[start] = found

    @property
    def first_error(self) -> datetime | None:
        """The start of the first window whose estimate was checked."""
        return min(self._errors, default=None)

    def knows_enough(self, start: datetime) -> bool:
        """Tell whether windows before those that were judged would add nothing at `start`."""
        return sum(at <= start - self._delay for at in self._errors) >= MOST_ERRORS

    def before(self, start: datetime, version: int | None) -> Recent:
        """Return what may be known when the window that begins at `start` ends."""
        last = start - self._delay
        first = last - max(LEAST_MEMORY, LEAST_WINDOWS * self._length)
        kept = [cells for at, (served, cells) in self._labels.items() if first < at <= last and served == version]
        errors = [self._errors[at] for at in sorted(self._errors) if at <= last][-MOST_ERRORS:]
        spread = _spread(errors)
        if not kept:
            return Recent(spread=spread)
        return Recent(ScoreCells.total(kept), spread)


def _spread(errors: Iterable[Mapping[str, float]]) -> dict[str, float]:
    by_name: dict[str, list[float]] = {}
    for window in errors:
        for name, excess in window.items():
            by_name.setdefault(name, []).append(excess)
    return {name: math.sqrt(max(0.0, fmean(excess))) * _widening(len(excess)) for name, excess in by_name.items()}


@cache
def _widening(windows: int) -> float:
    """Return how much further Student's t reaches than the normal distribution in 95 of 100 cases."""
    return float(student_limit(windows, 0.025)) / Z
