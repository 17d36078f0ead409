"""Replaying: the monitor's own judgement of any series of profiles, without a store or a log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from modelops_jupyter.monitoring.baseline import Baseline
from modelops_jupyter.monitoring.judge import judge_windows
from modelops_jupyter.monitoring.lookback import with_recent
from modelops_jupyter.monitoring.measure import measure_window
from modelops_jupyter.monitoring.results import WindowResult
from modelops_jupyter.monitoring.rules import AlertRules
from modelops_jupyter.profiles import Profile, window_length


def measure_series(
    baselines: Mapping[int, Baseline], profiles: Mapping[datetime, Profile], every: str
) -> tuple[WindowResult, ...]:
    """Measure a series of windows, each against the baseline of the version that served it, oldest first."""
    length = window_length(every)
    versions = sorted(baselines)
    by_start = {start.isoformat(): profile for start, profile in sorted(profiles.items())}
    windows = {}
    for start, profile in sorted(profiles.items()):
        served = profile.served if profile.served in baselines else versions[-1]
        baseline = baselines[served if served is not None else versions[-1]]
        windows[start.isoformat()] = measure_window(baseline, profile, start, start + length)
    recent = with_recent(windows, set(windows), by_start.get, versions, baselines.__getitem__, every)
    return tuple(recent.get(start, window) for start, window in windows.items())


def judge_series(
    baselines: Mapping[int, Baseline], windows: tuple[WindowResult, ...], rules: AlertRules, every: str
) -> tuple[WindowResult, ...]:
    """Judge measured windows one after the other, as the monitor does."""
    return judge_windows(windows, sorted(baselines), lambda version, _: baselines[version], rules, every)
