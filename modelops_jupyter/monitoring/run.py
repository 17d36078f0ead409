"""One run of the monitor: windows are scanned, measured, judged with as much of the past as that takes, and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from modelops_jupyter.actor import Actor
from modelops_jupyter.log import Extent, PredictionSource
from modelops_jupyter.monitoring.figures.baseline import Baselines
from modelops_jupyter.monitoring.figures.cycle import COMPARED
from modelops_jupyter.monitoring.figures.learned import RecentWindows
from modelops_jupyter.monitoring.figures.measure import measure_window
from modelops_jupyter.monitoring.incidents.alerts import raise_alerts
from modelops_jupyter.monitoring.incidents.cases import update_incidents
from modelops_jupyter.monitoring.incidents.suspects import Evidence, gather_evidence
from modelops_jupyter.monitoring.judging.judge import judge_windows
from modelops_jupyter.monitoring.judging.lookback import with_cycle
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.kept import KeptCounts, KeptWindows, load_alerts, window_writes
from modelops_jupyter.monitoring.past import Past, TrackStarts
from modelops_jupyter.monitoring.record.results import Alert, MonitorReport, WindowResult
from modelops_jupyter.monitoring.record.summary import summarise
from modelops_jupyter.monitoring.scanning import WindowProfile, scan_log
from modelops_jupyter.profiles import Profile, Reference, window_length
from modelops_jupyter.settings import UseCase
from modelops_jupyter.store import Change, Delete, Event, Put, Store
from modelops_jupyter.wording import count, span

Span = tuple[datetime, datetime]
Windows = tuple[WindowResult, ...]


@dataclass(frozen=True)
class MonitorRun:
    """What a run works with.

    Attributes
    ----------
    first : datetime
        Start of the first window to judge: all from there on are.
    span : tuple of two datetimes, or None
        What is to be profiled, from the first start to the last end.
    state : mapping or None
        What the last run left; None where all windows are judged.
    sample : int
        Rows of each window to keep.
    """

    model: str
    store: Store
    log: PredictionSource
    references: Mapping[int, Reference]
    every: str
    segments: tuple[str, ...]
    rules: AlertRules
    use_case: UseCase | None
    first: datetime
    span: Span | None
    state: Mapping[str, Any] | None
    sample: int = 0

    def commit(self, extent: Extent, actor: Actor) -> MonitorReport:
        """Do all of it in one transaction, and return the report."""
        since, kept = self.first.isoformat(), self.kept
        past = Past(kept, since, self._track_starts, self.every)
        recent = past.recent(None if self.state is None else self.state["first_error"])
        found, measured = self._scanned(recent)
        replaced = kept.whole(since) + kept.segments(since)
        same = [window for window in replaced if window.window_start not in found]
        now = sorted((*same, *measured), key=lambda window: (bool(window.segment), window.window_start))
        if not now:
            return MonitorReport(self.model, self.every, past.whole, (), 0)
        past.reach(now, self.versions, self.rules.windows**2, sliced=bool(self.segments))
        began = past.track_starts(now, self.versions)
        judged = self._judged(past, now, found, began)
        alerts = self._alerts(past, judged)
        body = {
            "through": _whole(judged)[-1].window_end,
            "first_error": _first_error(recent, self.state),
            **summarise(_whole(judged), past=past.whole, replaced=_whole(replaced), before=self.state),
            **self._known(began),
        }
        evidence = self._evidence(past, judged)
        before = {(window.window_start, window.segment): window for window in replaced}
        writes = window_writes(self.model, self.every, judged, before, found)
        key = f"{self.model}/{self.every}"
        writes.append(Put("monitor", key, {**body, "basis": evidence.basis}, self.model))
        writes.append(Put("log_position", key, extent.position, self.model))
        self.store.commit(self._change(writes, alerts, evidence, len(found), actor))
        new = set(found) - {window.window_start for window in replaced}
        whole, sliced = _whole(judged), tuple(window for window in judged if window.segment)
        return MonitorReport(
            self.model,
            self.every,
            kept.later_whole(whole, until=since),
            alerts,
            len(new),
            kept.later_segments(sliced, until=since),
            remark=" ".join(filter(None, (extent.remark, self._left_without_rows(same)))),
        )

    def _left_without_rows(self, same: Sequence[WindowResult]) -> str:
        """Say which windows had rows and have none now: of a log none, of a table that others write perhaps many."""
        if self.span is None:
            return ""
        first, end = (time.isoformat() for time in self.span)
        emptied = [window for window in _whole(same) if first <= window.window_start < end]
        if not emptied:
            return ""
        times = span(emptied[0].window_start, emptied[-1].window_end)
        return f"No row is left of {count(len(emptied), 'window')} ({times}): their results stand as they were."

    @cached_property
    def kept(self) -> KeptWindows:
        """The windows on record."""
        return KeptWindows(self.store, self.model, self.every)

    @cached_property
    def versions(self) -> list[int]:
        """The versions that have a reference."""
        return sorted(self.references)

    @cached_property
    def _baselines(self) -> Baselines:
        return Baselines(self.references)

    @property
    def _track_starts(self) -> TrackStarts | None:
        """Where tracks begin, as far as the last run knew; None where other versions count now."""
        if self.state is None:
            return {}
        if self.state["versions"] != self.versions:
            return None
        return {(segment, version): start for segment, version, start in self.state["tracks"]}

    def _scanned(self, recent: RecentWindows) -> tuple[dict[str, WindowProfile], list[WindowResult]]:
        """Profile and measure what is to be profiled, by start; each window teaches the estimates after it."""
        found: dict[str, WindowProfile] = {}
        measured: list[WindowResult] = []
        if self.span is None:
            return found, measured
        windows = scan_log(self.log, self.model, *self.span, self.references, self.every, self.segments, self.sample)
        for profiled in windows:
            found[profiled.start.isoformat()] = profiled
            measured += _measured(profiled, self._baselines, window_length(self.every), recent)
        return found, measured

    def _judged(
        self,
        past: Past,
        now: Sequence[WindowResult],
        found: Mapping[str, WindowProfile],
        began: TrackStarts,
    ) -> Windows:
        """Return the windows of `now` with what they look back on, and with their findings."""
        since = self.first - COMPARED[self.every] * window_length(self.every)
        counts = KeptCounts(self.kept, since.isoformat(), found, sliced=bool(self.segments))
        fresh, baseline_of = {window.window_start for window in now}, self._baselines.of_segment
        windows = (*past.windows, *now)
        looked = with_cycle(windows, fresh, counts, self.versions, baseline_of, self.every, began)
        judged = judge_windows(
            looked, self.versions, baseline_of, self.rules, self.every, fresh, began, datetime.now(UTC)
        )
        return judged[len(past.windows) :]

    def _alerts(self, past: Past, judged: Windows) -> tuple[Alert, ...]:
        windows = (*past.windows, *judged)
        if self.state is None:
            return raise_alerts(self.model, windows, self.rules)
        known = load_alerts(self.store, self.model, self.every)
        return raise_alerts(self.model, windows, self.rules, known, self.first.isoformat())

    def _evidence(self, past: Past, judged: Windows) -> Evidence:
        found = gather_evidence(
            self.store, self.model, (*past.windows, *judged), self.references, self.use_case, self.kept.both
        )
        same = self.state is not None and self.state["basis"] == found.basis
        return replace(found, settled=self.first.isoformat()) if same else found

    def _known(self, began: TrackStarts) -> dict[str, Any]:
        """Return what the next run goes on from."""
        return {
            "every": self.every,
            "segments": list(self.segments),
            "alert_budget": self.rules.budget.text,
            "checked_at": datetime.now(UTC).isoformat(),
            "versions": self.versions,
            "tracks": [[*track, start] for track, start in sorted(began.items())],
        }

    def _change(
        self,
        writes: Sequence[Put | Delete],
        alerts: tuple[Alert, ...],
        evidence: Evidence,
        windows: int,
        actor: Actor,
    ) -> Change:
        """Return the one change of a run: late labels may close or move alerts, so the set is replaced as a whole."""
        stored = self.store.find("alert", self.model)
        known = {record.key: record.body for record in stored if record.body["every"] == self.every}
        bodies = {_alert_key(alert, self.every): {**alert.to_dict(), "every": self.every} for alert in alerts}
        puts = [write for write in writes if isinstance(write, Put)]
        puts += [Put("alert", key, body, subject=self.model) for key, body in bodies.items() if known.get(key) != body]
        gone = [write for write in writes if isinstance(write, Delete)]
        gone += [Delete("alert", key) for key in known if key not in bodies]
        new = [body for key, body in bodies.items() if key not in known and body["state"] == "open"]
        now = [*bodies.values(), *(record.body for record in stored if record.body["every"] != self.every)]
        owner = self.use_case.owner if self.use_case else None
        at = datetime.now(UTC).isoformat()
        cases, outbox = update_incidents(self.store, self.model, now, evidence, at, owner)
        details = {"every": self.every, "windows": windows, "new_alerts": len(new)}
        event = Event("monitor", self.model, actor.name, actor.assurance, details)
        return Change(puts=(*puts, *cases), deletes=tuple(gone), event=event, outbox=outbox)


def _measured(
    found: WindowProfile, baselines: Baselines, length: timedelta, recent: RecentWindows
) -> list[WindowResult]:
    """Return the figures of a window and of its segments; the window teaches the estimates after it."""

    def measured(profile: Profile, column: str = "", segment: str = "") -> WindowResult:
        baseline = baselines.of(found.version, column, segment)
        before = None if segment else recent.before(found.start, profile.served)
        result = measure_window(baseline, profile, found.start, found.start + length, recent=before)
        return replace(result, segment=segment)

    whole = measured(found.profile)
    recent.add(found.start, found.profile.served, found.profile.outcomes)
    recent.judge(found.start, whole.estimated, whole.performance)
    slices = [(c, name, profile) for c, profiles in found.segments.items() for name, profile in profiles.items()]
    return [whole, *(measured(profile, column, name) for column, name, profile in slices)]


def _whole(windows: Sequence[WindowResult]) -> Windows:
    return tuple(window for window in windows if not window.segment)


def _first_error(recent: RecentWindows, before: Mapping[str, Any] | None) -> str | None:
    known = [None if before is None else before["first_error"]]
    if recent.first_error is not None:
        known.append(recent.first_error.isoformat())
    return min((start for start in known if start is not None), default=None)


def _alert_key(alert: Alert, every: str) -> str:
    return f"{alert.model}/{every}/{alert.window_start}/{alert.metric}/{alert.column}/{alert.segment}"
