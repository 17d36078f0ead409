"""The monitor: profiles what is new, judges it, and keeps profiles, results and alerts in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.log import PredictionLog, check_kept
from modelops_jupyter.monitoring.alerts import raise_alerts
from modelops_jupyter.monitoring.baseline import Baseline
from modelops_jupyter.monitoring.budget import DEFAULT_BUDGET, AlertBudget
from modelops_jupyter.monitoring.cases import update_incidents
from modelops_jupyter.monitoring.judge import judge_windows
from modelops_jupyter.monitoring.kept import StoredProfiles, stored_segments, stored_windows, window_writes
from modelops_jupyter.monitoring.learned import RecentWindows
from modelops_jupyter.monitoring.lookback import with_cycle
from modelops_jupyter.monitoring.measure import measure_window
from modelops_jupyter.monitoring.results import Alert, MonitorReport, WindowResult
from modelops_jupyter.monitoring.rules import AlertRules
from modelops_jupyter.monitoring.scanning import WindowProfile, scan_log
from modelops_jupyter.monitoring.summary import summarise
from modelops_jupyter.monitoring.suspects import Evidence, gather_evidence
from modelops_jupyter.profiles import Profile, Reference, window_length, window_start
from modelops_jupyter.settings import UseCase
from modelops_jupyter.store import Change, Delete, Event, Put, Record, Store


def run_monitor(
    model: str,
    *,
    store: Store,
    log: PredictionLog,
    references: Mapping[int, Reference],
    every: str = "1D",
    segments: Sequence[str] = (),
    rules: AlertRules | None = None,
    use_case: UseCase | None = None,
    actor: Actor,
    sample: int = 0,
) -> MonitorReport:
    """Profile and judge the windows touched since the last run, and return the whole report.

    A window is compared with the reference of the version that served most of its rows; so is every segment of it by
    the columns of `segments`, with the same segment of that reference. Other segments than the last run's mean that
    all windows are profiled again. `sample` rows of each window are kept, coarsely coded, to see how columns hang
    together.

    Raises
    ------
    InvalidInput
        If `every` is unknown, no version of the model has a reference, or none of them is sliced by one of `segments`.
    LogDamaged
        If the log no longer holds what was written to it.
    """
    rules = rules or AlertRules()
    length = window_length(every)
    check_references(model, references, segments)
    check_kept(store, log, model)
    extent = log.extent(model)
    if extent is None:
        return MonitorReport(model, every, (), (), 0)
    state = store.get("monitor", f"{model}/{every}")
    span: tuple[datetime, datetime] | None = (extent.start, extent.end)
    known = _segments_of(state)
    if state is not None and known == tuple(segments):
        span = log.changed_since(model, state.body["predictions_version"], state.body["labels_version"])
    earlier = {window.window_start: window for window in stored_windows(store, model, every)}
    baselines = Baselines(references)
    found: dict[str, WindowProfile] = {}
    windows: dict[str, WindowResult] = dict(earlier)
    sliced = stored_segments(store, model, every)
    if span is not None:
        first, last = window_start(span[0], every), window_start(span[1], every) + length
        recent = _recent(store, model, every, first, earlier)
        for profiled in scan_log(log, model, first, last, references, every, segments, sample):
            start = profiled.start.isoformat()
            found[start] = profiled
            windows[start], sliced[start] = _measure(profiled, baselines, length, recent)
    profile_of = StoredProfiles(store, model, every, found)
    rejudged = state is not None and state.body["alert_budget"] != rules.budget.text
    measured = [windows[start] for start in sorted(windows)]
    measured += [window for start in sorted(sliced) for window in sliced[start]]
    versions = sorted(references)
    measured_with = with_cycle(measured, found, profile_of, versions, baselines.of_segment, every)
    fresh = set(windows) if rejudged else set(found)
    judged = judge_windows(measured_with, versions, baselines.of_segment, rules, every, fresh, datetime.now(UTC))
    alerts = raise_alerts(model, judged, rules)
    whole = tuple(window for window in judged if not window.segment)
    slices = tuple(window for window in judged if window.segment)
    if fresh:
        at = datetime.now(UTC).isoformat()
        body = {
            "every": every,
            "segments": list(segments),
            "alert_budget": rules.budget.text,
            "through": whole[-1].window_end,
            "checked_at": at,
            "predictions_version": extent.predictions_version,
            "labels_version": extent.labels_version,
            **summarise(whole),
        }
        writes = window_writes(model, every, judged, fresh, found)
        writes.append(Put("monitor", f"{model}/{every}", body, subject=model))
        evidence = gather_evidence(store, model, judged, references, use_case)
        store.commit(_change(store, model, every, writes, alerts, len(found), actor, evidence, use_case))
    return MonitorReport(model, every, whole, alerts, len(set(found) - set(earlier)), slices)


def watched_segments(store: Store, model: str, every: str, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """Return the columns to make segments of: those that are `wanted`, or where that is None the last run's."""
    return _segments_of(store.get("monitor", f"{model}/{every}")) if wanted is None else tuple(dict.fromkeys(wanted))


def alert_rules(store: Store, model: str, every: str, wanted: str | None, usual: str | None) -> AlertRules:
    """Return the rules under the budget that is `wanted`, else the last run's, else the `usual` one of the settings."""
    state = store.get("monitor", f"{model}/{every}")
    kept = state.body["alert_budget"] if state is not None else None
    return AlertRules(budget=AlertBudget.parse(wanted or kept or usual or DEFAULT_BUDGET))


def check_references(model: str, references: Mapping[int, Reference], segments: Sequence[str]) -> None:
    """Raise `InvalidInput` unless there is something to compare windows and segments with."""
    if not references:
        raise InvalidInput(f"No version of {model!r} has a reference: register one with data= or reference=.")
    for name in segments:
        if not any(name in reference.segments for reference in references.values()):
            raise InvalidInput(
                f"No reference of {model!r} is sliced by {name!r}: take one of the columns with few categories, or "
                "register a version whose reference has that column."
            )


def load_report(store: Store, model: str, every: str = "1D") -> MonitorReport:
    """Return the report as of the last run, from the store alone."""
    alerts = (Alert(**{k: v for k, v in r.body.items() if k != "every"}) for r in store.find("alert", model))
    stored = stored_segments(store, model, every)
    slices = tuple(window for start in sorted(stored) for window in stored[start])
    return MonitorReport(model, every, stored_windows(store, model, every), tuple(alerts), 0, slices)


def _change(
    store: Store,
    model: str,
    every: str,
    writes: Sequence[Put | Delete],
    alerts: tuple[Alert, ...],
    windows: int,
    actor: Actor,
    evidence: Evidence,
    use_case: UseCase | None,
) -> Change:
    """Return the one change of a run: late labels may close or move alerts, so the set is replaced as a whole."""
    stored = store.find("alert", model)
    known = {record.key: record.body for record in stored if record.body["every"] == every}
    bodies = {_alert_key(alert, every): {**alert.to_dict(), "every": every} for alert in alerts}
    puts = [write for write in writes if isinstance(write, Put)]
    puts += [Put("alert", key, body, subject=model) for key, body in bodies.items() if known.get(key) != body]
    gone = [write for write in writes if isinstance(write, Delete)]
    gone += [Delete("alert", key) for key in known if key not in bodies]
    new = [body for key, body in bodies.items() if key not in known and body["state"] == "open"]
    now = [*bodies.values(), *(record.body for record in stored if record.body["every"] != every)]
    owner = use_case.owner if use_case else None
    cases, outbox = update_incidents(store, model, now, evidence, datetime.now(UTC).isoformat(), owner)
    details = {"every": every, "windows": windows, "new_alerts": len(new)}
    event = Event("monitor", model, actor.name, actor.assurance, details)
    return Change(puts=(*puts, *cases), deletes=tuple(gone), event=event, outbox=outbox)


def _alert_key(alert: Alert, every: str) -> str:
    return f"{alert.model}/{every}/{alert.window_start}/{alert.metric}/{alert.column}/{alert.segment}"


def _segments_of(state: Record | None) -> tuple[str, ...]:
    return () if state is None else tuple(state.body["segments"])


class Baselines:
    """The references made ready for comparing, each when it is first needed."""

    def __init__(self, references: Mapping[int, Reference]) -> None:
        self._references = references
        self._known: dict[tuple[int, str, str], Baseline] = {}

    def of(self, version: int, column: str = "", segment: str = "") -> Baseline:
        """Return what the rows of a window, or of one segment of it, are compared with."""
        key = (version, column, segment)
        if key not in self._known:
            reference = self._references[version]
            self._known[key] = Baseline(reference.of_segment(column, segment) if column else reference)
        return self._known[key]

    def of_segment(self, version: int, segment: str) -> Baseline:
        """Return the same by the segment's name alone."""
        columns = (c for c, segments in self._references[version].segments.items() if segment in segments)
        return self.of(version, next(columns, ""), segment) if segment else self.of(version)


def _measure(
    found: WindowProfile, baselines: Baselines, length: timedelta, recent: RecentWindows
) -> tuple[WindowResult, tuple[WindowResult, ...]]:
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
    return whole, tuple(measured(profile, column, name) for column, name, profile in slices)


def _recent(
    store: Store, model: str, every: str, first: datetime, earlier: Mapping[str, WindowResult]
) -> RecentWindows:
    """Return what the stored windows before `first` teach the estimates from there on."""
    recent = RecentWindows(every)
    for name, window in sorted(earlier.items()):
        start = datetime.fromisoformat(name)
        if start < first:
            recent.judge(start, window.estimated, window.performance)
            record = store.get("profile", f"{model}/{every}/{name}") if start >= first - recent.memory else None
            if record is not None:
                profile = Profile.from_dict(record.body)
                recent.add(start, profile.served, profile.outcomes)
    return recent
