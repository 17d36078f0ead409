"""Judging volume: how many rows came, against the windows before; seasons of the week taken out, whatever version."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.deciding import exceeds, reaches
from modelops_jupyter.monitoring.figures.figure import figure
from modelops_jupyter.monitoring.judging.history import LEAST_RISE, SEASONS, Usual, usual
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.judging.thresholds import LEVELS, LINGERING_FLOOR, Chances
from modelops_jupyter.monitoring.record.results import Finding, WindowResult
from modelops_jupyter.profiles import window_length
from modelops_jupyter.profiles.calendars import wall_time
from modelops_jupyter.wording import UNITS

Array = np.ndarray[Any, Any]
KEY = ("volume", "", "", "volume")
# Rows come by the hour of the day and by the day of the week.
SEASON = {"1h": 24, "1D": 7, "1W": 4}
# How numbers of rows vary is reckoned over so many windows.
MEMORY = {"1h": 168, "1D": 28, "1W": 16}
# A window without any row counts as half a row, so that nights without traffic are a season like any other.
NO_ROWS = 0.5
LEAST_SPREAD = 0.02


def misses_rows(windows: Sequence[WindowResult]) -> bool:
    """Tell whether the last window ends without rows for longer than any of those before it."""
    gaps = [(window.quality.get("freshness") or {}).get("value") for window in windows]
    before = [gap for gap in gaps[:-1] if gap is not None]
    return bool(before) and gaps[-1] is not None and exceeds(gaps[-1], max(before))


def unfinished(windows: Sequence[WindowResult], every: str) -> str:
    """Return the start of the last window where rows of it may be to come: it is judged again when later ones come."""
    last = windows[-MEMORY[every] - 1 :]
    return last[-1].window_start if misses_rows(last) else ""


class VolumeJudge:
    """Judges the numbers of rows of all windows of a model; `windows` are whole ones, oldest first.

    Parameters
    ----------
    since
        Start of the very first window, where `windows` begin later: with as many as judging looks back on, `MEMORY`.
        What came since a change that long ago is usual by now: nobody waits for a model's traffic to come back.
    until
        The present. A window that is not over has no number of rows yet, so it cannot have too few.
    """

    def __init__(
        self,
        windows: Sequence[WindowResult],
        allowance: float,
        rules: AlertRules,
        every: str,
        since: str | None = None,
        until: datetime | None = None,
    ) -> None:
        self.windows, self.rules, self.every, self.until = list(windows), rules, every, until
        self.chances = Chances(allowance / 2, 2, 1, rules)  # too many and too few
        self.floor = -math.log(1 - rules.volume)
        length = window_length(every)
        # A day of 23 hours is a day; an hour is one whatever the clock on the wall says.
        time_of = datetime.fromisoformat if every == "1h" else wall_time
        starts = [time_of(window.window_start) for window in windows]
        self.places = [(start - starts[0]) // length for start in starts]
        self.before = (starts[0] - time_of(since)) // length if since else 0
        self.ends = [place + window.pooled for place, window in zip(self.places, windows, strict=True)]
        logs = np.full(self.places[-1] + 1 if windows else 0, math.log(NO_ROWS))
        logs[self.places] = np.log([max(window.rows / window.pooled, NO_ROWS) for window in windows])
        self.cycle, self.memory = SEASON[every], MEMORY[every]
        # A holiday without rows is no gap either; a pool is judged whatever days are in it.
        off = [bool(rules.holidays.name_of(starts[0] + place * length, every)) for place in range(len(logs))]
        self.off = np.array(off, dtype=bool)
        self.off[[place for place, window in zip(self.places, windows, strict=True) if window.pooled > 1]] = False
        logs[self.off] = np.nan
        for place, end, following in zip(self.places, self.ends, self.places[1:], strict=False):
            logs[place + 1 : min(end, following)] = np.nan  # a pool counts once, with its rows per window
            logs[end + self.cycle : following] = np.nan  # what is switched off for long has no usual number of rows
        self.logs, self.phases = logs, np.arange(len(logs)) % self.cycle

    def judge(self, i: int) -> WindowResult:
        """Return window `i` with its volume, and the finding where there is one; a gap before it counts as its own."""
        place, window = self.places[i], self.windows[i]
        if place + self.before < self.cycle or not place or window.holiday:
            return window
        over = self.is_over(i)
        begin = self.ends[i - 1]
        gap = range(max(begin, self.cycle - self.before), min(begin + self.cycle, place))
        judged = [at for at in (*gap, place) if not self.off[at]]
        found = [finding for at in judged for finding in self._judge(i, at, over or at < place)]
        best = min(found, key=lambda finding: LEVELS.index(finding.level), default=None)
        quality, middle = window.quality, float(self._usual(place, 1).middle[0])
        if over and not math.isnan(middle):
            quality = {**quality, "volume": figure(math.exp(float(self.logs[place]) - middle)).to_dict()}
        findings = (*window.findings, *([best] if best else []))
        self.windows[i] = replace(window, quality=quality, findings=findings)
        return self.windows[i]

    def is_over(self, i: int) -> bool:
        """Tell whether all rows of window `i` have come, as far as the present and the rows themselves tell.

        Batches seldom end where windows do. The newest window is over once its last row is as near its end as the last
        row of some earlier window was.
        """
        window = self.windows[i]
        if self.until is None:
            return True
        if datetime.fromisoformat(window.window_end) > self.until:
            return False
        return i < len(self.windows) - 1 or not misses_rows(self.windows[max(0, i - self.memory) :])

    def _usual(self, place: int, side: int) -> Usual:
        """Return what is usual of the logarithms times `side`."""
        low = max(0, place - self.memory)
        earlier, phases = side * self.logs[low:place], self.phases[low:place]
        return usual(earlier[:, None], phases[:, None], int(self.phases[place]))

    def _judge(self, i: int, place: int, over: bool) -> list[Finding]:
        """Judge the number of rows at `place` as part of window `i`."""
        value, middle = float(self.logs[place]), float(self._usual(place, 1).middle[0])
        side = 1 if value > middle else -1
        small = not reaches(abs(value - middle), LINGERING_FLOOR * self.floor)
        if math.isnan(middle) or small or (side < 0 and not over):
            return []
        lingers = any(f.key == KEY for w in self.windows[max(0, i - self.rules.windows) : i] for f in w.findings)
        earlier = self._usual(place, side)
        found = []
        for level in LEVELS if lingers else LEVELS[:2]:
            limit = side * self._limit(earlier, place, level, middle)
            if reaches(side * value, side * limit):
                rows = 0 if value == math.log(NO_ROWS) else round(math.exp(value))
                together = self.windows[i].judged_on if place == self.places[i] else ""
                each = f" a{'n' if self.every == '1h' else ''} {UNITS[self.every]}" if together else ""
                why = f"{rows:,} rows came{each}, {math.exp(middle):,.0f} are usual"
                why = "; ".join(filter(None, (why, together)))
                ratio, bound = math.exp(value - middle), math.exp(limit - middle)
                start = self.windows[i].window_start
                found.append(Finding("volume", "", "volume", ratio, bound, "", level, why, start))
        return found

    def _limit(self, earlier: Usual, place: int, level: str, middle: float) -> float:
        """Return the limit of the logarithm times its side."""
        least = max(LEAST_SPREAD, math.exp(-middle / 2))  # a number of rows is Poisson at least
        floor = self.floor * (LINGERING_FLOOR if level == "lingering" else 1.0)
        by_history = float(earlier.limit(self.chances.of(level, earlier.repeats), least).reshape(-1)[0])
        limit = max(by_history, float(earlier.middle[0]) + floor)
        if place + self.before < SEASONS * self.cycle:
            # Seasons cannot be taken out yet: only a record is news.
            limit = max(limit, float(earlier.greatest[0]) + LEAST_RISE)
        return limit
