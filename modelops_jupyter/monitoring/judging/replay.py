"""Replaying: the monitor's own judgement of any series of profiles, without a store or a log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.measure import measure_window
from modelops_jupyter.monitoring.judging.holidays import NO_HOLIDAYS, Holidays
from modelops_jupyter.monitoring.judging.judge import judge_windows, served_by
from modelops_jupyter.monitoring.judging.lookback import with_cycle
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.record.results import WindowResult
from modelops_jupyter.profiles import Profile, window_length


def measure_series(
    baselines: Mapping[int, Baseline],
    profiles: Mapping[datetime, Profile],
    every: str,
    holidays: Holidays = NO_HOLIDAYS,
) -> tuple[WindowResult, ...]:
    """Measure a series of windows, each against the baseline of the version that served it, oldest first."""
    length = window_length(every)
    versions = sorted(baselines)
    by_start = {start.isoformat(): profile for start, profile in profiles.items()}
    windows = []
    for start, profile in sorted(profiles.items()):
        served = served_by({str(version): rows for version, rows in profile.versions.items()}, versions)
        window = measure_window(baselines[served], profile, start, start + length)
        windows.append(replace(window, holiday=holidays.name_of(start, every)))
    return with_cycle(windows, by_start, lambda at, _: by_start[at].counts, versions, lambda v, _: baselines[v], every)


def judge_series(
    baselines: Mapping[int, Baseline], windows: Sequence[WindowResult], rules: AlertRules, every: str
) -> tuple[WindowResult, ...]:
    """Judge measured windows one after the other, as the monitor does."""
    return judge_windows(windows, sorted(baselines), lambda version, _: baselines[version], rules, every)
