"""Judging: pure functions from measured windows to findings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from typing import Any, Protocol

import numpy as np

from modelops_jupyter.derived_names import PRESENCE
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.judging.alike_findings import alike_judges
from modelops_jupyter.monitoring.judging.bond_findings import BondJudge, CombinationJudge
from modelops_jupyter.monitoring.judging.budget import BOND, ESTIMATE
from modelops_jupyter.monitoring.judging.concept_findings import ConceptJudge, ExcessJudge, reference_excess
from modelops_jupyter.monitoring.judging.drift_findings import DriftJudge
from modelops_jupyter.monitoring.judging.estimate_findings import EstimateJudge
from modelops_jupyter.monitoring.judging.performance_findings import PerformanceJudge, judged_metrics, matured
from modelops_jupyter.monitoring.judging.quality_findings import QualityJudge, quality_signals
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.judging.spending import spent_part
from modelops_jupyter.monitoring.judging.thresholds import Track, strongest
from modelops_jupyter.monitoring.judging.volume_findings import VolumeJudge
from modelops_jupyter.monitoring.record.results import Finding, WindowResult
from modelops_jupyter.profiles.sampling import sampled_columns

Array = np.ndarray[Any, Any]


class Judge(Protocol):
    """Judges one kind of figures of a track's windows."""

    def judge(self, i: int, segment: str) -> list[Finding]:
        """Return the findings of window `i`."""


def served_by(rows: Mapping[str, int], versions: Collection[int]) -> int:
    """Return the version whose reference counts, from rows by version: of those with one, that of most rows."""
    served = {int(version): count for version, count in rows.items() if int(version) in versions}
    return max(served, key=lambda version: (served[version], version)) if served else max(versions)


def tracks_of(windows: Sequence[WindowResult], versions: Collection[int]) -> dict[tuple[str, int], list[int]]:
    """Return the places of the windows that are judged by segment and version.

    A segment goes by the version of its whole window. Holidays are in none: nothing looks back on them.
    """
    whole_last = sorted(windows, key=lambda window: not window.segment)
    served = {window.window_start: served_by(window.versions, versions) for window in whole_last}
    tracks: dict[tuple[str, int], list[int]] = {}
    for i, window in enumerate(windows):
        if window.holiday:
            continue
        tracks.setdefault((window.segment, served[window.window_start]), []).append(i)
    return tracks


def judge_windows(
    windows: Sequence[WindowResult],
    versions: Collection[int],
    baseline_of: Callable[[int, str], Baseline],
    rules: AlertRules,
    every: str,
    fresh: Collection[str] | None = None,
    began: Mapping[tuple[str, int], str] | None = None,
    until: datetime | None = None,
) -> tuple[WindowResult, ...]:
    """Return measured windows with their findings: the figures beyond thresholds that the windows before taught.

    Parameters
    ----------
    windows
        Oldest first, of all segments; those that are not fresh come with the findings of their time.
    versions
        Those that have a reference.
    baseline_of
        Gives what the windows of a version and segment are compared with.
    every : str
        Length of a window.
    fresh
        Starts of the windows to judge; None means all.
    began
        Start of the first window by segment and version, of those whose first windows are left out: enough to look
        back on must be there, see `past`.
    until
        The present: a window that is not over is not blamed for having few rows.
    """
    segments = len({window.segment for window in windows if window.segment})
    judged = list(windows)
    for (segment, version), places in tracks_of(windows, versions).items():
        new = {n for n, i in enumerate(places) if fresh is None or windows[i].window_start in fresh}
        if not new:
            continue
        since = (began or {}).get((segment, version))
        track = Track(baseline_of(version, segment), [windows[i] for i in places], every, since)
        judge_track(track, partial(_granted, track, rules, segments), rules, new)
        for i, window in zip(places, track.windows, strict=True):
            judged[i] = window
    _judge_volume(judged, versions, baseline_of, rules, every, fresh, began, until)
    return tuple(judged)


def _allowances(baseline: Baseline, rules: AlertRules, every: str, segments: int) -> tuple[Mapping[str, float], ...]:
    """Return what a figure of a window and of a segment of it may cost, by kind."""
    columns, metrics = baseline.reference.binning.columns.values(), len(judged_metrics(baseline))
    sampled = len(sampled_columns(baseline.reference.profile.columns)) if baseline.reference.profile.sample.keys else 0
    signals = {
        "drift": sum(column.descriptor not in PRESENCE for column in columns) + BOND * sampled,
        "quality": quality_signals(columns) + (sampled > 0),
        "performance": (1 + ESTIMATE) * metrics,  # realised, and estimated before
        "concept": (1 + (reference_excess(baseline) is not None)) if metrics else 0,
        "volume": 1,
    }
    return rules.budget.allowances(every, signals, segments)


def _granted(track: Track, rules: AlertRules, segments: int, alike: bool) -> Mapping[str, float]:
    """Return what a figure of a track's windows may cost, by kind: more where what it leaves unspent is known."""
    whole, each = _allowances(track.baseline, rules, track.every, segments)
    shared = each if track.segment else whole
    spent = spent_part(track.baseline, shared) if alike else 1.0
    return {kind: allowance / spent for kind, allowance in shared.items()}


def _judge_volume(
    judged: list[WindowResult],
    versions: Collection[int],
    baseline_of: Callable[[int, str], Baseline],
    rules: AlertRules,
    every: str,
    fresh: Collection[str] | None,
    began: Mapping[tuple[str, int], str] | None,
    until: datetime | None,
) -> None:
    """Judge the numbers of rows of the fresh whole windows in their order, in place."""
    whole = [i for i, window in enumerate(judged) if not window.segment]
    new = [n for n, i in enumerate(whole) if fresh is None or judged[i].window_start in fresh]
    if not new:
        return
    segments = len({window.segment for window in judged if window.segment})
    baseline = baseline_of(served_by(judged[whole[-1]].versions, versions), "")
    allowance = _allowances(baseline, rules, every, segments)[0]["volume"]
    since = min((start for (segment, _), start in (began or {}).items() if not segment), default=None)
    judge = VolumeJudge([judged[i] for i in whole], allowance, rules, every, since, until)
    for n in new:
        judged[whole[n]] = judge.judge(n)


def judge_track(
    track: Track, granted: Callable[[bool], Mapping[str, float]], rules: AlertRules, new: Collection[int]
) -> None:
    """Judge the new windows of a track in their order, in place.

    Parameters
    ----------
    granted
        Gives what a figure may cost, by kind, where it is known that days are alike and where it is not.
    """
    mature = matured(track.windows, rules)

    @cache
    def judges(alike: bool) -> tuple[Judge, ...]:
        return _judges(track, granted(alike), rules, mature, min(new))

    for i in sorted(new):
        each = judges(track.days_alike(i))
        found = strongest([finding for judge in each for finding in judge.judge(i, track.segment)])
        starts = [track.windows[track.run_began(finding.key, i)].window_start for finding in found]
        why = track.windows[i].judged_on
        findings = tuple(
            replace(finding, since=start, why="; ".join(filter(None, (finding.why, why))))
            for finding, start in zip(found, starts, strict=True)
        )
        track.windows[i] = replace(track.windows[i], findings=findings)


def _judges(
    track: Track, allowances: Mapping[str, float], rules: AlertRules, mature: Array, first: int
) -> tuple[Judge, ...]:
    """Return the judges of a track's windows, from the `first` to be judged on; `mature` are those with labels."""
    return (
        PerformanceJudge(track, allowances.get("performance", 0.0), rules, mature),
        EstimateJudge(track, ESTIMATE * allowances.get("performance", 0.0), rules, mature),
        ConceptJudge(track, allowances.get("concept", 0.0), rules, mature),
        ExcessJudge(track, allowances.get("concept", 0.0), rules, mature),
        QualityJudge(track, allowances.get("quality", 0.0), rules),
        DriftJudge(track, allowances.get("drift", 0.0), rules, first),
        *alike_judges(track, allowances.get("drift", 0.0), rules),
        BondJudge(track, BOND * allowances.get("drift", 0.0), rules),
        CombinationJudge(track, allowances.get("quality", 0.0), rules),
    )
