"""What the judges of drift, quality and performance share: allowances by route, levels, earlier windows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.cycle import CYCLES, MANY, cycle_length
from modelops_jupyter.monitoring.figures.deciding import exceeds, settled
from modelops_jupyter.monitoring.judging.budget import chance_of_one
from modelops_jupyter.monitoring.judging.history import LONGEST, SEASONS, Usual, usual
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.record.packed import table
from modelops_jupyter.monitoring.record.results import Finding, WindowResult, is_recent
from modelops_jupyter.profiles.calendars import wall_time

Array = np.ndarray[Any, Any]
# A healthy window passes so often; an open alert closes only by windows below that.
LINGERING = 0.1
# The part of an effect floor below which an open alert is no longer kept open.
LINGERING_FLOOR = 0.8
# So many windows without a finding end a run of them.
QUIET = 3
LEVELS = ("plain", "likely", "lingering")
# Of such a part of the columns it may be chance that they seem to differ from day to day.
SEEM = 0.125
# The last windows together are nearly the same ones the next time: what passes by chance stays for at least so many of
# them, and is one alert.
STAYS = 1.25


@dataclass(frozen=True)
class Chances:
    """How often one signal of a healthy window may pass by chance, by level and way of looking.

    Attributes
    ----------
    allowance : float
        Expected false alerts per window and signal, over all ways of looking at it.
    ways : int
        Ways: this window alone, N of M, and the recent windows together where those are looked at; each has a part.
    tests : int
        Statistics looked at in each way.
    """

    allowance: float
    ways: int
    tests: int
    rules: AlertRules

    @property
    def part(self) -> float:
        """Expected false alerts per window of one statistic in one way."""
        return max(self.allowance / self.ways / self.tests, 1e-12)

    def of(self, level: str, repeats: Array | float = 0.0) -> Array:
        """Return the chance of passing at `level`; for N of M by how much windows repeat each other."""
        if level == "lingering":
            return np.asarray(LINGERING)
        if level == "plain":
            return np.asarray(self.part)
        # Of N findings of one alert each may be by any of the statistics.
        findings, windows = self.rules.findings, self.rules.windows
        part = max(self.allowance / self.ways, 1e-12)
        found = [chance_of_one(part, findings, windows, float(r)) / self.tests for r in np.atleast_1d(repeats)]
        return np.asarray(found)

    def of_recent(self, level: str) -> Array:
        """Return the chance of the last windows together passing at `level`, plain or lingering."""
        return np.asarray(LINGERING if level == "lingering" else min(0.2, STAYS * self.part))


@dataclass
class Track:
    """The windows of one segment that one version served, oldest first; findings are filled in as they are judged.

    Attributes
    ----------
    since : str or None
        Start of the very first of them, where `windows` begin later: with as many as the judges look back on.
    per_cycle : array of int, shape (windows,)
        How many of them a cycle has, by those of the cycle that ends with each: what comes later tells nothing of it.
    """

    baseline: Baseline
    windows: list[WindowResult]
    every: str
    since: str | None = None

    def __post_init__(self) -> None:
        starts = [wall_time(window.window_start) for window in self.windows]
        self.starts, self.segment = starts, self.windows[0].segment
        self.began = wall_time(self.since) if self.since else starts[0]
        self._places = {window.window_start: place for place, window in enumerate(self.windows)}
        self.per_cycle = _per_cycle(self.windows, starts, self.every)
        hours = self.every == "1h"
        self.phases = np.array([at.weekday() * 24 + at.hour if hours else at.weekday() for at in starts], dtype=int)

    def rates(self, columns: Sequence[str], metric: str) -> Array:
        """Return a figure of the columns, shape (windows, columns); NaN where there is none."""
        return table([window.drift for window in self.windows], columns, metric)

    def earlier(self, values: Array, i: int, keys: Sequence[tuple[str, str, str, str]], apart: int = 1) -> Usual:
        """Return what was usual before window `i`, of values of shape (windows, columns), a key per column.

        While findings of a key go on, what was usual is what was so before they began; once they are over, those
        windows are part of how the figure varies. `apart` is how many windows share rows with each other.
        """
        healthy = np.full((LONGEST, len(keys)), np.nan)
        phases = np.full((LONGEST, len(keys)), -1)
        for column, key in enumerate(keys):
            end = self.run_began(key, i)
            low = max(0, end - LONGEST)
            if end > low:
                healthy[low - end :, column] = values[low:end, column]
                phases[low - end :, column] = self.phases[low:end]
        return usual(healthy, phases, int(self.phases[i]), apart)

    def seasons_known(self, i: int) -> bool:
        """Tell whether each season was seen often enough before window `i`."""
        return self.starts[i] - self.began >= SEASONS * cycle_length(self.every)

    def days_differ(self, i: int) -> bool:
        """Tell whether so many columns differ between the windows before `i` that any figure may."""
        cycle = self.windows[i - 1].cycle if i else {}
        differs = [figures["differs"] for figures in cycle.values() if "differs" in figures]
        return bool(differs) and bool(exceeds(fmean(differs), MANY))

    def days_alike(self, i: int) -> bool:
        """Tell whether the windows before `i` were enough to show how days differ, and showed that they do not.

        By chance alone one column in fifty seems to differ from day to day.
        """
        cycle = self.windows[i - 1].cycle if i else {}
        differs = [figures["differs"] for figures in cycle.values() if "differs" in figures]
        return bool(differs) and self.seasons_known(i) and not exceeds(fmean(differs), SEEM)

    def run_began(self, key: tuple[str, str, str, str], i: int) -> int:
        """Return where the present run of findings of a key began; `i` if none of the last windows has one."""
        for n in range(i - 1, max(-1, i - 1 - QUIET), -1):
            for finding in self.windows[n].findings:
                if finding.key == key:
                    return self._places[finding.since]
        return i

    def lately(self, i: int, rules: AlertRules) -> set[tuple[str, str, str, str]]:
        """Return the keys found in the windows just before window `i`: what may linger."""
        return {f.key for window in self.windows[max(0, i - rules.windows) : i] for f in window.findings}


def _per_cycle(windows: Sequence[WindowResult], starts: Sequence[datetime], every: str) -> Array:
    """Return how many windows a cycle has, by those of the cycle that ends with each: pools are fewer."""
    sums = np.cumsum([0, *(window.pooled for window in windows)])
    last = np.arange(1, len(windows) + 1)
    first = np.array([bisect_right(starts, at - cycle_length(every)) for at in starts], dtype=int)
    counts: Array = np.rint(CYCLES[every] * (last - first) / (sums[last] - sums[first])).astype(int)
    return np.maximum(1, counts)


def strongest(findings: Sequence[Finding]) -> list[Finding]:
    """Return one finding per key: the plainest, and of equals the furthest beyond its threshold.

    Where none is more than lingering, there is one of this window and one of the last windows together: each keeps open
    what it opened alone.
    """
    best: dict[tuple[str, str, str, str], list[Finding]] = {}

    def rank(finding: Finding) -> tuple[int, float]:
        ratio = settled(abs(finding.figure / finding.threshold)) if finding.threshold else 0.0
        # Of what fell below its threshold the least is the furthest beyond it.
        return LEVELS.index(finding.level), -max(ratio, 1 / ratio) if ratio else 0.0

    for finding in sorted(findings, key=rank):
        chosen = best.setdefault(finding.key, [])
        lingers = all(other.level == "lingering" for other in chosen)
        if not chosen or (lingers and all(is_recent(other.metric) != is_recent(finding.metric) for other in chosen)):
            chosen.append(finding)
    return [finding for chosen in best.values() for finding in chosen]
