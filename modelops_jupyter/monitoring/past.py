"""What a run needs of the windows before those that it judges: as many as anything looks back on, and no more.

However long a model has been watched, a day more costs what that day costs: judges, the cycles looked back on and the
folding of alerts need the last windows, and where findings have gone on since long ago, those before them. What else
depends on all windows, such as where a version's windows begin, is kept beside them and brought up to date.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from modelops_jupyter.monitoring.figures.cycle import COMPARED
from modelops_jupyter.monitoring.figures.learned import RecentWindows
from modelops_jupyter.monitoring.judging.history import LONGEST
from modelops_jupyter.monitoring.judging.judge import tracks_of
from modelops_jupyter.monitoring.judging.performance_findings import MOST_RECENT
from modelops_jupyter.monitoring.judging.thresholds import QUIET
from modelops_jupyter.monitoring.kept import KeptWindows
from modelops_jupyter.monitoring.record.results import WindowResult
from modelops_jupyter.monitoring.record.summary import LINE_POINTS
from modelops_jupyter.profiles import window_length

# By segment and version: the start of its first window.
TrackStarts = Mapping[tuple[str, int], str]
# Judges look back on so many windows of a track: maturity of each recent window, from those before it.
REACH = LONGEST + MOST_RECENT


class Past:
    """The windows on record before `first`, the first one to judge: the last ones, and more where it takes them.

    Parameters
    ----------
    began
        As `track_starts` gave it in the last run; None means that it is not known, and all windows are read.
    """

    def __init__(self, kept: KeptWindows, first: str, began: TrackStarts | None, every: str) -> None:
        self._kept, self._first, self.began, self._every = kept, first, began, every
        self._windows = max(REACH + 2 * QUIET, COMPARED[every])
        self.segments: tuple[WindowResult, ...] = ()
        self.whole = kept.whole(self._since, first)

    @property
    def windows(self) -> tuple[WindowResult, ...]:
        """Those that were read, of all segments, oldest first."""
        return self.whole + self.segments

    @property
    def complete(self) -> bool:
        """Whether nothing lies before them."""
        return self.began is None or self._since is None or self._since <= min(self.began.values(), default=self._first)

    def reach(self, now: Sequence[WindowResult], versions: Collection[int], least: int, *, sliced: bool) -> None:
        """Read as far back as judging `now`, all windows from `first` on, takes; `least` windows of each segment."""
        self.segments = self._kept.segments(self._since, self._first) if sliced else ()
        while not self.complete and not self._reaches(now, versions, least):
            self._windows *= 2
            self.whole = self._kept.whole(self._since, self._first)
            self.segments = self._kept.segments(self._since, self._first) if sliced else ()

    def track_starts(self, now: Sequence[WindowResult], versions: Collection[int]) -> TrackStarts:
        """Return where the windows of each segment and version begin; of `began` what is before `first` holds."""
        windows = [*self.windows, *now] if self.began is None else now
        before = {track: start for track, start in (self.began or {}).items() if start < self._first}
        tracks = tracks_of(windows, versions)
        found = {track: min(windows[i].window_start for i in places) for track, places in tracks.items()}
        return {**found, **before}

    def recent(self, first_error: str | None) -> RecentWindows:
        """Return what the windows teach the estimates; `first_error` is the first one that could be checked."""
        recent, start = RecentWindows(self._every), datetime.fromisoformat(self._first)
        self._judge(recent, self.whole)
        earlier = first_error is not None and self._since is not None and first_error < self._since
        if earlier and not recent.knows_enough(start):
            self._judge(recent, self._kept.whole(until=self._since))
        off = {window.window_start for window in self.whole if window.holiday}
        for at, version, labelled in self._kept.labelled((start - recent.memory).isoformat(), self._first):
            if at not in off:
                recent.learn(datetime.fromisoformat(at), version, labelled)
        return recent

    @property
    def _since(self) -> str | None:
        if self.began is None:
            return None
        return (datetime.fromisoformat(self._first) - self._windows * window_length(self._every)).isoformat()

    @staticmethod
    def _judge(recent: RecentWindows, windows: Sequence[WindowResult]) -> None:
        for window in (window for window in windows if not window.holiday):
            recent.judge(datetime.fromisoformat(window.window_start), window.estimated, window.performance)

    def _reaches(self, now: Sequence[WindowResult], versions: Collection[int], least: int) -> bool:
        """Tell whether what is before would change nothing."""
        began = self.began or {}
        if len(self.whole) < LINE_POINTS:
            return False
        before = len(self.windows)
        windows = [*self.windows, *now]
        lengths = dict.fromkeys((window.segment for window in windows), 0)
        for window in self.windows:
            lengths[window.segment] += 1
        for (segment, version), places in tracks_of(windows, versions).items():
            if places[-1] < before:
                continue
            if lengths[segment] < least and any(segment == other for other, _ in began):
                return False
            if (segment, version) in began:
                earlier = [windows[i] for i in places if i < before]
                if not _holds(earlier, began[segment, version]):
                    return False
        return True


def _holds(windows: Sequence[WindowResult], began: str) -> bool:
    """Tell whether a track's windows reach back far enough, or to its very first one."""
    starts = [window.window_start for window in windows]
    if starts[:1] == [began]:
        return True
    runs = [finding.since for window in windows[-QUIET:] for finding in window.findings]
    since = min([*starts[-1:], *runs], default="")
    return since in starts and starts.index(since) >= REACH
