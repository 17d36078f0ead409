"""Looking back: every new window gets the figures of its last cycle of windows together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime

from modelops_jupyter.monitoring.baseline import Baseline
from modelops_jupyter.monitoring.judge import served_by
from modelops_jupyter.monitoring.recent import WindowCounts, cycle_length, recent_figures
from modelops_jupyter.monitoring.results import WindowResult
from modelops_jupyter.profiles import Profile, window_length


def with_recent(
    windows: Mapping[str, WindowResult],
    fresh: Collection[str],
    profile_of: Callable[[str], Profile | None],
    versions: Collection[int],
    baseline_of: Callable[[int], Baseline],
    every: str,
) -> dict[str, WindowResult]:
    """Return the fresh ones of `windows`, which go by their start, with their `recent` figures.

    `profile_of` gives the profile of any window by its start; each is asked for once.
    """
    found: dict[str, WindowResult] = {}
    cycle = cycle_length(every)
    for version in versions:
        starts = sorted(start for start, window in windows.items() if served_by(window.versions, versions) == version)
        new = [i for i, start in enumerate(starts) if start in fresh]
        if not new:
            continue
        baseline, times = baseline_of(version), [datetime.fromisoformat(start) for start in starts]
        counts: dict[int, WindowCounts] = {}
        for i in new:
            low = bisect_right(times, times[i] - cycle)
            for j in [j for j in counts if j < low]:
                del counts[j]
            for j in range(low, i + 1):
                profile = None if j in counts else profile_of(starts[j])
                if profile is not None:
                    counts[j] = WindowCounts.of(baseline, profile)
            seen = min(1.0, (times[i] - times[0] + window_length(every)) / cycle)
            recent = recent_figures(baseline, [counts[j] for j in range(low, i + 1) if j in counts], seen)
            found[starts[i]] = replace(windows[starts[i]], recent=recent)
    return found
