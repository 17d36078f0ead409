"""Looking back: every new window gets the figures of its last cycle of windows together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.cycle import COMPARED, WindowCounts, cycle_figures, cycle_length
from modelops_jupyter.monitoring.judging.judge import tracks_of
from modelops_jupyter.monitoring.record.results import WindowResult
from modelops_jupyter.profiles import Counts, window_length
from modelops_jupyter.profiles.calendars import wall_time


def with_cycle(
    windows: Sequence[WindowResult],
    fresh: Collection[str],
    counts_of: Callable[[str, str], Counts | None],
    versions: Collection[int],
    baseline_of: Callable[[int, str], Baseline],
    every: str,
    began: Mapping[tuple[str, int], str] | None = None,
) -> tuple[WindowResult, ...]:
    """Return windows in the same order, the fresh ones with their `cycle` figures.

    Parameters
    ----------
    windows
        Of all segments.
    fresh
        Starts of those that were measured anew.
    counts_of
        Gives the counts of any of them by its start and segment; it is asked once for each.
    versions, baseline_of, began
        As for `judge_windows`.
    """
    result = list(windows)
    for (segment, version), places in tracks_of(windows, versions).items():
        places.sort(key=lambda i: windows[i].window_start)
        new = [n for n, i in enumerate(places) if windows[i].window_start in fresh]
        if not new:
            continue
        starts = [windows[i].window_start for i in places]
        baseline, times = baseline_of(version, segment), [wall_time(start) for start in starts]
        since = _since(times, every, (began or {}).get((segment, version)))
        counts: dict[int, WindowCounts] = {}
        for n in new:
            begin = bisect_right(times, times[n] - cycle_length(every))
            low = min(begin, bisect_right(times, times[n] - COMPARED[every] * window_length(every)))
            for k in [k for k in counts if k < low]:
                del counts[k]
            for k in range(low, n + 1):
                columns = None if k in counts else counts_of(starts[k], segment)
                if columns is not None:
                    counts[k] = WindowCounts.of(baseline, columns)
            last = [counts[k] for k in range(begin, n + 1) if k in counts]
            before = [counts[k] for k in range(low, begin) if k in counts]
            length = windows[places[n]].pooled * window_length(every)
            seen = (times[n] - since[n] + length) / cycle_length(every)
            ago = [(times[n] - times[k]) // cycle_length(every) for k in range(low, n + 1) if k in counts]
            figures = cycle_figures(baseline, last, before, seen, ago) if last else {}
            result[places[n]] = replace(windows[places[n]], cycle=figures)
    return tuple(result)


def _since(times: Sequence[datetime], every: str, began: str | None) -> list[datetime]:
    """Return since when windows have come without a break of a whole cycle, for each.

    Where the first windows are left out, those that are there reach back further than anybody asks: then they `began`.

    A version that serves again after another has a cycle with one day of it at first, not its last days of long ago.
    """
    found: list[datetime] = []
    for n, time in enumerate(times):
        goes_on = n > 0 and time - times[n - 1] <= cycle_length(every)
        found.append(found[-1] if goes_on else wall_time(began) if began and not n else time)
    return found
