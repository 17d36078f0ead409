"""The monitor: profiles what is new, judges it, and keeps profiles, results and alerts in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.log import PredictionLog, check_kept
from modelops_jupyter.monitoring.judge import judge_window, raise_alerts
from modelops_jupyter.monitoring.measure import measure_window
from modelops_jupyter.monitoring.recent import RecentWindows
from modelops_jupyter.monitoring.results import Alert, MonitorReport, Thresholds, WindowResult
from modelops_jupyter.monitoring.summary import summarise
from modelops_jupyter.profiles import Profile, Reference, scan, window_length, window_start
from modelops_jupyter.store import Change, Delete, Event, Put, Store


def run_monitor(
    model: str,
    *,
    store: Store,
    log: PredictionLog,
    references: Mapping[int, Reference],
    every: str = "1D",
    thresholds: Thresholds | None = None,
    actor: Actor,
) -> MonitorReport:
    """Profile and judge the windows touched since the last run, and return the whole report.

    A window is compared with the reference of the version that served most of its rows.

    Raises
    ------
    InvalidInput
        If `every` is unknown, or no version of the model has a reference.
    LogDamaged
        If the log no longer holds what was written to it.
    """
    rules = thresholds or Thresholds()
    length = window_length(every)
    if not references:
        raise InvalidInput(f"No version of {model!r} has a reference: register one with data= or reference=.")
    check_kept(store, log, model)
    extent = log.extent(model)
    if extent is None:
        return MonitorReport(model, every, (), (), 0)
    state = store.get("monitor", f"{model}/{every}")
    span: tuple[datetime, datetime] | None = (extent.start, extent.end)
    if state is not None:
        span = log.changed_since(model, state.body["predictions_version"], state.body["labels_version"])
    puts: list[Put] = []
    fresh: dict[str, WindowResult] = {}
    earlier = {window.window_start: window for window in _stored_windows(store, model, every)}
    if span is not None:
        first, last = window_start(span[0], every), window_start(span[1], every) + length
        table = log.read(model, first, last)
        if table is not None:
            recent = _recent(store, model, every, first, earlier)
            for start, rows in _windows(table, every):
                profile, reference = _profile(rows, references)
                before = recent.before(start, profile.served)
                measured = measure_window(reference, profile, start, start + length, recent=before)
                recent.add(start, profile.served, profile.outcomes)
                recent.judge(start, measured.estimated, measured.performance)
                result = judge_window(reference, measured, rules)
                fresh[result.window_start] = result
                key = f"{model}/{every}/{result.window_start}"
                puts.append(Put("profile", key, profile.to_dict(), subject=model))
                puts.append(Put("window", key, result.to_dict(), subject=model))
    windows = tuple(window for _, window in sorted({**earlier, **fresh}.items()))
    alerts = raise_alerts(model, windows, rules)
    if fresh:
        at = datetime.now(UTC).isoformat()
        body = {
            "every": every,
            "through": windows[-1].window_end,
            "checked_at": at,
            "predictions_version": extent.predictions_version,
            "labels_version": extent.labels_version,
            **summarise(windows),
        }
        puts.append(Put("monitor", f"{model}/{every}", body, subject=model))
        store.commit(_change(store, model, every, puts, alerts, len(fresh), actor))
    return MonitorReport(model, every, windows, alerts, len(set(fresh) - set(earlier)))


def load_report(store: Store, model: str, every: str = "1D") -> MonitorReport:
    """Return the report as of the last run, from the store alone."""
    alerts = (Alert(**{k: v for k, v in r.body.items() if k != "every"}) for r in store.find("alert", model))
    return MonitorReport(model, every, _stored_windows(store, model, every), tuple(alerts), 0)


def _change(
    store: Store, model: str, every: str, puts: list[Put], alerts: tuple[Alert, ...], windows: int, actor: Actor
) -> Change:
    """Return the one change of a run: late labels may close or move alerts, so the set is replaced as a whole."""
    known = {record.key: record.body for record in store.find("alert", model) if record.body["every"] == every}
    bodies = {_alert_key(alert, every): {**alert.to_dict(), "every": every} for alert in alerts}
    puts += [Put("alert", key, body, subject=model) for key, body in bodies.items() if known.get(key) != body]
    gone = tuple(Delete("alert", key) for key in known if key not in bodies)
    new = [body for key, body in bodies.items() if key not in known and body["state"] == "open"]
    outbox = ({"topic": "alerts", "model": model, "alerts": new},) if new else ()
    details = {"every": every, "windows": windows, "new_alerts": len(new)}
    event = Event("monitor", model, actor.name, actor.assurance, details)
    return Change(puts=tuple(puts), deletes=gone, event=event, outbox=outbox)


def _alert_key(alert: Alert, every: str) -> str:
    return f"{alert.model}/{every}/{alert.window_start}/{alert.metric}/{alert.column}/{alert.segment}"


def _stored_windows(store: Store, model: str, every: str) -> tuple[WindowResult, ...]:
    records = store.find("window", model)
    return tuple(WindowResult.from_dict(r.body) for r in records if r.key.startswith(f"{model}/{every}/"))


def _windows(table: pa.Table, every: str) -> list[tuple[datetime, pa.Table]]:
    """Cut a table into its windows, in time order; empty windows are left out."""
    if table.num_rows == 0:
        return []
    rows = table.sort_by("timestamp")
    micros = rows["timestamp"].cast(pa.int64()).to_numpy()
    origin = int(datetime(1970, 1, 5, tzinfo=UTC).timestamp()) * 1_000_000
    length = window_length(every) // timedelta(microseconds=1)
    number = (micros - origin) // length
    starts = np.flatnonzero(np.diff(number, prepend=number[0] - 1))
    ends = np.append(starts[1:], len(number))
    begin = datetime(1970, 1, 5, tzinfo=UTC)
    return [
        (begin + timedelta(microseconds=int(number[a]) * length), rows.slice(a, b - a))
        for a, b in zip(starts, ends, strict=True)
    ]


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


def _profile(rows: pa.Table, references: Mapping[int, Reference]) -> tuple[Profile, Reference]:
    counts = {int(i["values"]): int(i["counts"]) for i in pc.value_counts(rows["version"]).to_pylist()}
    served = [version for version in counts if version in references]
    version = max(served, key=lambda v: (counts[v], v)) if served else max(references)
    reference = references[version]
    return scan(rows, reference.binning), reference
