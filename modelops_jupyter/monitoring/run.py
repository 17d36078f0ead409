"""One run of the monitor: windows are scanned, measured, judged with as much of the past as that takes, and kept.

What was served, and each series beside it, the shadow or canary predictions of a version, is judged on its own: with
its own windows, past, findings and alerts. One scan profiles all of them, and one transaction keeps them. Incidents and
messages are of what was served alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from modelops_jupyter.actor import Actor
from modelops_jupyter.log import Extent, PredictionSource
from modelops_jupyter.monitoring.figures.baseline import Baselines
from modelops_jupyter.monitoring.figures.cycle import COMPARED
from modelops_jupyter.monitoring.figures.learned import RecentWindows
from modelops_jupyter.monitoring.figures.measure import measure_window
from modelops_jupyter.monitoring.figures.quality import NO_USUAL_VOLUME
from modelops_jupyter.monitoring.figures.volume import volume
from modelops_jupyter.monitoring.incidents.alerts import raise_alerts
from modelops_jupyter.monitoring.incidents.cases import update_incidents
from modelops_jupyter.monitoring.incidents.evidence import Evidence, gather_evidence
from modelops_jupyter.monitoring.incidents.missing_rows import missing_rows_incident, missing_rows_sentence
from modelops_jupyter.monitoring.judging.judge import judge_windows
from modelops_jupyter.monitoring.judging.lookback import with_cycle
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.judging.volume_findings import unfinished
from modelops_jupyter.monitoring.kept import (
    KeptCounts,
    KeptWindows,
    known_series,
    load_alerts,
    series_key,
    window_writes,
)
from modelops_jupyter.monitoring.past import Past, TrackStarts
from modelops_jupyter.monitoring.pooling import absorbed, on_record, pool_windows
from modelops_jupyter.monitoring.record.results import Alert, MonitorReport, WindowResult
from modelops_jupyter.monitoring.record.summary import LINE_POINTS, summarise
from modelops_jupyter.monitoring.scanning import WindowProfile, scan_log
from modelops_jupyter.profiles import Profile, Reference, window_length
from modelops_jupyter.profiles.calendars import Calendar
from modelops_jupyter.profiles.sampling import EXAMINED_ROWS
from modelops_jupyter.roles import SERVICE, Series, kind_of
from modelops_jupyter.settings import UseCase
from modelops_jupyter.store import Change, Delete, Event, InMemoryStore, Put, Record, Store

Span = tuple[datetime, datetime]
Windows = tuple[WindowResult, ...]
Scanned = tuple[dict[str, WindowProfile], list[WindowResult]]


@dataclass(frozen=True)
class Work:
    """What a run makes of one series: what is to be written, beside its alerts, and what is reported.

    Attributes
    ----------
    evidence : Evidence or None
        What incidents are made with; None where none are made.
    windows : int
        How many were profiled.
    without_rows : sequence of str
        Starts of the windows whose rows are gone.
    """

    series: Series
    writes: Sequence[Put | Delete]
    evidence: Evidence | None
    windows: int
    report: MonitorReport
    without_rows: Sequence[str]


@dataclass(frozen=True)
class MonitorRun:
    """What a run works with.

    Attributes
    ----------
    calendar : Calendar
        Of which zone windows are.
    first : datetime
        Start of the first window to judge: all from there on are.
    span : tuple of two datetimes, or None
        What is to be profiled, from the first start to the last end.
    state : mapping or None
        What the last run left; None where all windows are judged.
    sample : int
        Rows of each window to keep; more are looked at.
    rezoned : bool
        Whether the windows on record are of another time zone: then none of them stays.
    series : Series
        What the windows are of.
    """

    model: str
    store: Store
    log: PredictionSource
    references: Mapping[int, Reference]
    every: str
    segments: tuple[str, ...]
    rules: AlertRules
    use_case: UseCase | None
    calendar: Calendar
    first: datetime
    span: Span | None
    state: Mapping[str, Any] | None
    sample: int = 0
    rezoned: bool = False
    series: Series = SERVICE

    def commit(self, extent: Extent, actor: Actor) -> MonitorReport:
        """Do all of it in one transaction, and return the report."""
        others: dict[Series, dict[str, WindowProfile]] = {}
        served = self._judge(extent, lambda recent: self._scanned(extent, recent, others))
        names = sorted({*others, *known_series(self.store, self.model, self.every)})
        beside = [self._beside(series)._judge_profiled(extent, others.get(series, {})) for series in names]
        works = [work for work in (served, *beside) if work is not None]
        if works:
            self.store.commit(self._change(served, works, actor))
        reports = tuple(self._reported(work) for work in beside if work is not None)
        report = MonitorReport(self.model, self.every, (), (), 0) if served is None else self._reported(served)
        return replace(report, beside=reports)

    def _reported(self, work: Work) -> MonitorReport:
        """Return the report of a series, with which of its windows lack rows."""
        served = work.series == SERVICE
        missing = missing_rows_sentence(self.store, self.model, self.every, work.without_rows, served=served)
        return replace(work.report, remark=" ".join(filter(None, (work.report.remark, missing))))

    def _judge_profiled(self, extent: Extent, profiles: dict[str, WindowProfile]) -> Work | None:
        """Judge windows that were profiled, and those after them."""
        return self._judge(extent, lambda recent: self._measured(profiles, recent))

    def _beside(self, series: Series) -> MonitorRun:
        """Return the run over a series beside what was served."""
        record = None
        if self.state is not None:
            record = self.store.get(kind_of("monitor", series), series_key(self.model, self.every, series))
        own = {version: reference for version, reference in self.references.items() if version == series.version}
        state = None if record is None else record.body
        return replace(self, references=own, use_case=None, state=state, series=series)

    def _judge(self, extent: Extent, measure: Callable[[RecentWindows], Scanned]) -> Work | None:
        """Judge the windows that `measure` gives, and those after them; None where there are none."""
        since, kept = self.first.isoformat(), self.kept
        past = Past(kept, since, self._track_starts, self.every)
        recent = past.recent(None if self.state is None else self.state["first_error"])
        found, measured = measure(recent)
        replaced = kept.whole(since) + kept.segments(since)
        gone = absorbed(replaced, found) | self._stale - found.keys()
        same = [window for window in replaced if window.window_start not in found.keys() | gone]
        marked = (self._marked(window) for window in (*same, *measured))
        now = sorted(marked, key=lambda window: (bool(window.segment), window.window_start))
        if not now:
            return None
        past.reach(now, self.versions, self.rules.windows**2, sliced=bool(self.segments))
        began = past.track_starts(now, self.versions)
        judged = self._judged(past, now, found, began)
        alerts = self._alerts(past, judged)
        body = {
            "through": _whole(judged)[-1].window_end,
            "first_error": _first_error(recent, self.state),
            **summarise(_whole(judged), past=past.whole, replaced=_whole(replaced), before=self.state),
            **self._known(began),
            "left_out": sorted(self.references[max(self.references)].binning.left_out),
            "volume": volume([*past.whole, *_whole(judged)][-LINE_POINTS:]),
            "unfinished": unfinished([*past.whole, *_whole(judged)], self.every),
            "without_rows": self._without_rows(extent, found.keys() | gone, same),
            "days_off": self._days_off(judged),
        }
        evidence = self._evidence(past, judged) if self.series == SERVICE else None
        body |= {"series": self.series.key} if evidence is None else {"basis": evidence.basis}
        before = {(window.window_start, window.segment): window for window in replaced}
        writes = window_writes(self.model, self.every, self.series, judged, before, found, self.sample, gone)
        kind, key = kind_of("monitor", self.series), series_key(self.model, self.every, self.series)
        writes.append(Put(kind, key, body, self.model))
        if self.series == SERVICE:
            writes.append(Put("log_position", f"{self.model}/{self.every}", extent.position, self.model))
        new = set(found) - {window.window_start for window in replaced}
        whole, sliced = _whole(judged), tuple(window for window in judged if window.segment)
        report = MonitorReport(
            self.model,
            self.every,
            kept.later_whole(whole, until=since),
            alerts,
            len(new),
            kept.later_segments(sliced, until=since),
            remark=extent.remark,
            series=self.series,
        )
        return Work(self.series, writes, evidence, len(found), report, body["without_rows"])

    def _without_rows(self, extent: Extent, found: Collection[str], same: Sequence[WindowResult]) -> list[str]:
        """Return the starts of the windows that had rows and have none now.

        Of our own log there are none; a table that others write may have lost some since the last run or before. Those
        before its first row and after its last are told without reading it.
        """
        emptied: set[str] = set()
        if self.span is not None:
            first, end = (time.isoformat() for time in self.span)
            emptied = {window.window_start for window in _whole(same) if first <= window.window_start < end}
        first, last = (self.calendar.start(time).isoformat() for time in (extent.start, extent.end))
        outside = {start for start in self.kept.starts() if not first <= start <= last}
        return sorted(({*self._missed, *emptied} - set(found)) | (outside - set(found)))

    @cached_property
    def _missed(self) -> Sequence[str]:
        """The starts of the windows without rows, as of the last run."""
        if self.rezoned:
            return ()
        record = self.store.get(kind_of("monitor", self.series), series_key(self.model, self.every, self.series))
        return () if record is None else record.body["without_rows"]

    @cached_property
    def _stale(self) -> set[str]:
        """The starts of the windows of another time zone, which are no more."""
        return set(KeptWindows(self.store, self.model, self.every, self.series).starts()) if self.rezoned else set()

    @property
    def _examined(self) -> int:
        """Rows of each window that its figures are of, where rows are looked at."""
        return max(self.sample, EXAMINED_ROWS) if self.sample else 0

    @cached_property
    def kept(self) -> KeptWindows:
        """The windows on record that this run goes on from."""
        return KeptWindows(InMemoryStore() if self.rezoned else self.store, self.model, self.every, self.series)

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

    def _scanned(
        self, extent: Extent, recent: RecentWindows, others: dict[Series, dict[str, WindowProfile]]
    ) -> Scanned:
        """Profile what is to be profiled, and measure what was served of it, by start; the rest goes to `others`."""
        profiles: dict[str, WindowProfile] = {}
        measured: list[WindowResult] = []
        if self.span is None:
            return profiles, measured
        rows, zone = self._examined, self.calendar.zone
        windows = scan_log(self.log, self.model, *self.span, self.references, self.every, self.segments, rows, zone)
        series = () if self.rezoned else (self.series, *known_series(self.store, self.model, self.every))
        beside = {
            one: on_record(self.span, KeptWindows(self.store, self.model, self.every, one), self.calendar)
            for one in series
        }
        for profiled in pool_windows(windows, self.calendar, extent.end, beside):
            if profiled.series != self.series:
                others.setdefault(profiled.series, {})[profiled.start.isoformat()] = profiled
                continue
            profiles[profiled.start.isoformat()] = profiled
            measured += self._figures(profiled, recent)
        return profiles, measured

    def _measured(self, profiles: dict[str, WindowProfile], recent: RecentWindows) -> Scanned:
        """Measure windows that were profiled, by start; each teaches the estimates after it."""
        measured: list[WindowResult] = []
        for start in sorted(profiles):
            measured += self._figures(profiles[start], recent)
        return profiles, measured

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

    def _figures(self, found: WindowProfile, recent: RecentWindows) -> list[WindowResult]:
        """Return the figures of a window and of its segments; estimates learn from it unless it is a holiday."""

        def measured(profile: Profile, column: str = "", segment: str = "") -> WindowResult:
            baseline = self._baselines.of(found.version, column, segment)
            before = None if segment else recent.before(found.start, profile.served)
            result = measure_window(baseline, profile, found.start, found.end, recent=before)
            return replace(result, segment=segment, series=found.series.key, pooled=found.windows)

        whole = measured(found.profile)
        if not self._holiday(found.start, found.windows):
            recent.add(found.start, found.profile.served, found.profile.outcomes)
            recent.judge(found.start, whole.estimated, whole.performance)
        slices = [(c, name, profile) for c, profiles in found.segments.items() for name, profile in profiles.items()]
        return [whole, *(measured(profile, column, name) for column, name, profile in slices)]

    def _holiday(self, start: datetime, windows: int) -> str:
        """Return what a window's day is called if it is not judged; a pool is, whatever is in it."""
        return self.rules.holidays.name_of(start, self.every) if windows == 1 else ""

    def _marked(self, window: WindowResult) -> WindowResult:
        """Return a window with the name of its holiday, of which nothing is found."""
        name = self._holiday(datetime.fromisoformat(window.window_start), window.pooled)
        if not name:
            return replace(window, holiday="")
        quality = {**window.quality, "volume": NO_USUAL_VOLUME.to_dict()}
        return replace(window, holiday=name, findings=(), cycle={}, quality=quality)

    def _days_off(self, judged: Windows) -> dict[str, str]:
        """Return what each day that was not judged is called, by its date."""
        known: Mapping[str, str] = {} if self.state is None else self.state.get("days_off", {})
        before = {day: name for day, name in known.items() if day < self.first.date().isoformat()}
        return before | {window.window_start[:10]: window.holiday for window in judged if window.holiday}

    def _alerts(self, past: Past, judged: Windows) -> tuple[Alert, ...]:
        windows = (*past.windows, *judged)
        if self.state is None:
            return raise_alerts(self.model, windows, self.rules)
        known = load_alerts(self.store, self.model, self.every, self.series)
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
            "holidays": list(self.rules.holidays.calendars),
            "time_zone": self.calendar.zone,
            "checked_at": datetime.now(UTC).isoformat(),
            "versions": self.versions,
            "tracks": [[*track, start] for track, start in sorted(began.items())],
        }

    def _change(self, served: Work | None, works: Sequence[Work], actor: Actor) -> Change:
        """Return the one change of a run: late labels may close or move alerts, so the sets are replaced as a whole."""
        writes = [write for work in works for write in work.writes]
        cases: tuple[Put, ...] = ()
        outbox: tuple[Mapping[str, Any], ...] = ()
        details = {"every": self.every, "windows": 0 if served is None else served.windows, "new_alerts": 0}
        for work in works:
            stored = self.store.find(kind_of("alert", work.series), self.model)
            same = self.every, work.series.key
            own = [record for record in stored if (record.body["every"], record.body.get("series", "")) == same]
            prefix = series_key(self.model, self.every, work.series)
            bodies = {_alert_key(prefix, a): {**a.to_dict(), "every": self.every} for a in work.report.alerts}
            writes += _alert_writes(self.model, work.series, own, bodies)
            if work.evidence is not None:
                earlier = {record.key for record in own}
                new = [body for key, body in bodies.items() if key not in earlier and body["state"] == "open"]
                details["new_alerts"] = len(new)
                alerts = [*bodies.values(), *(record.body for record in stored if record.body["every"] != self.every)]
                owner, at = self.use_case.owner if self.use_case else None, datetime.now(UTC).isoformat()
                cases, outbox = update_incidents(self.store, self.model, alerts, work.evidence, at, owner)
        puts = tuple(write for write in writes if isinstance(write, Put))
        deletes = tuple(write for write in writes if isinstance(write, Delete))
        event = Event("monitor", self.model, actor.name, actor.assurance, details)
        if served is not None:
            owner, at = self.use_case.owner if self.use_case else None, datetime.now(UTC).isoformat()
            more, messages = missing_rows_incident(
                self.store, self.model, self.every, self._missed, served.without_rows, at, owner
            )
            cases, outbox = (*cases, *more), (*outbox, *messages)
        return Change(puts=(*puts, *cases), deletes=deletes, event=event, outbox=outbox)


def _alert_writes(
    model: str, series: Series, stored: Sequence[Record], bodies: Mapping[str, Mapping[str, Any]]
) -> list[Put | Delete]:
    """Return what makes the alerts of a series on record those of `bodies`."""
    kind, before = kind_of("alert", series), {record.key: record.body for record in stored}
    puts = [Put(kind, key, body, subject=model) for key, body in bodies.items() if before.get(key) != body]
    return [*puts, *(Delete(kind, key) for key in before if key not in bodies)]


def _whole(windows: Sequence[WindowResult]) -> Windows:
    return tuple(window for window in windows if not window.segment)


def _first_error(recent: RecentWindows, before: Mapping[str, Any] | None) -> str | None:
    known = [None if before is None else before["first_error"]]
    if recent.first_error is not None:
        known.append(recent.first_error.isoformat())
    return min((start for start in known if start is not None), default=None)


def _alert_key(prefix: str, alert: Alert) -> str:
    return f"{prefix}/{alert.window_start}/{alert.metric}/{alert.column}/{alert.segment}"
