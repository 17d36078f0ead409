"""The monitor: profiles what is new, judges it, and keeps profiles, results and alerts in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.log import PredictionLog, PredictionSource, check_kept
from modelops_jupyter.monitoring.incidents.missing_rows import missing_rows_incident
from modelops_jupyter.monitoring.judging.budget import DEFAULT_BUDGET, AlertBudget
from modelops_jupyter.monitoring.judging.holidays import Holidays
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.kept import KeptWindows, known_series, load_report, zone_of
from modelops_jupyter.monitoring.pooling import frame_start, whole_frames
from modelops_jupyter.monitoring.record.results import MonitorReport
from modelops_jupyter.monitoring.run import MonitorRun
from modelops_jupyter.profiles import Reference, window_length
from modelops_jupyter.profiles.calendars import Calendar
from modelops_jupyter.roles import SERVICE
from modelops_jupyter.settings import Settings, UseCase
from modelops_jupyter.store import Change, Delete, Event, Put, Record, Store


def run_monitor(
    model: str,
    *,
    store: Store,
    log: PredictionSource,
    references: Mapping[int, Reference],
    every: str = "1D",
    segments: Sequence[str] = (),
    rules: AlertRules | None = None,
    use_case: UseCase | None = None,
    actor: Actor,
    sample: int = 0,
) -> MonitorReport:
    """Profile and judge the windows touched since the last run, and return the whole report.

    A window is compared with the reference of the version that served most of its rows; a window of shadow or canary
    predictions, which are never mixed with others, with that of their version. So is every segment of it by
    the columns of `segments`, with the same segment of that reference. Other segments than the last run's mean that
    all windows are profiled again. `sample` rows of each window are kept, coarsely coded, to see how columns hang
    together. The windows after those that were touched are judged again, for they look back on them: whatever came in
    whichever order, findings and alerts are those of one run over all of it.

    Raises
    ------
    InvalidInput
        If `every` is unknown, no version of the model has a reference, or none of them is sliced by one of `segments`.
    LogDamaged
        If the log no longer holds what was written to it.
    """
    rules = rules or AlertRules()
    window_length(every)
    calendar = Calendar(every, (use_case.time_zone if use_case is not None else None) or "UTC")
    check_references(model, references, segments)
    position = store.get("log_position", f"{model}/{every}")
    log = log.pinned(None if position is None else position.body)
    if isinstance(log, PredictionLog):
        check_kept(store, log, model)
    extent = log.extent(model)
    record = store.get("monitor", f"{model}/{every}")
    rezoned = record is not None and zone_of(store, model, every) != calendar.zone
    state = None if record is None or rezoned else record.body
    if extent is None:
        if record is None:
            return MonitorReport(model, every, (), (), 0)
        return _emptied(store, model, record, actor, use_case.owner if use_case else None)
    span: tuple[datetime, datetime] | None = (extent.start, extent.end)
    if state is not None and position is not None and _segments_of(record) == tuple(segments):
        span = log.changed_since(model, position.body)
    rejudged = state is None or not _judged_by(rules, state)
    if span is None and not rejudged:
        report = load_report(store, model, every)
        return replace(report, remark=" ".join(filter(None, (extent.remark, report.remark))))
    if span is not None:
        span = calendar.start(span[0]), calendar.end(calendar.start(span[1]))
        if state is not None:
            series = (SERVICE, *known_series(store, model, every))
            kept = [KeptWindows(store, model, every, one) for one in series]
            span = whole_frames(span, kept, state["through"], calendar)
    first = calendar.start(extent.start) if rejudged or span is None else span[0]
    if state is not None and rejudged:  # a pool that has lost its first rows begins before them
        first = min(first, calendar.on_wall(frame_start(extent.start, every)))
    elif state is not None and state.get("unfinished"):
        first = min(first, datetime.fromisoformat(state["unfinished"]))
    run = MonitorRun(
        model,
        store,
        log,
        references,
        every,
        tuple(segments),
        rules,
        use_case,
        calendar,
        first,
        span,
        None if rejudged else state,
        sample,
        rezoned,
    )
    return run.commit(extent, actor)


def watched_segments(store: Store, model: str, every: str, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """Return the columns to make segments of: those that are `wanted`, or where that is None the last run's."""
    return _segments_of(store.get("monitor", f"{model}/{every}")) if wanted is None else tuple(dict.fromkeys(wanted))


def alert_rules(
    store: Store,
    model: str,
    every: str,
    budget: str | None,
    holidays: Sequence[str] | None,
    settings: Settings,
) -> AlertRules:
    """Return the rules under what is passed, else what the last run went by, else what the settings say."""
    record = store.get("monitor", f"{model}/{every}")
    last: Mapping[str, Any] = {} if record is None else record.body
    if holidays is None:
        holidays = last.get("holidays", settings.holidays)
    return AlertRules(
        budget=AlertBudget.parse(budget or last.get("alert_budget") or settings.alert_budget or DEFAULT_BUDGET),
        holidays=Holidays.parse(holidays),
    )


def _judged_by(rules: AlertRules, state: Mapping[str, Any]) -> bool:
    """Tell whether the windows on record were judged under these rules."""
    calendars = tuple(state.get("holidays", ()))
    return bool(state["alert_budget"] == rules.budget.text and calendars == rules.holidays.calendars)


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


def _emptied(store: Store, model: str, record: Record, actor: Actor, owner: str | None) -> MonitorReport:
    """Return the report of a model whose predictions are all gone: what was found while they were there.

    That none of its windows has rows is put on record, and whatever comes next is read from the beginning.
    """
    every, position = str(record.body["every"]), f"{model}/{record.body['every']}"
    starts = list(KeptWindows(store, model, every).starts())
    if starts != record.body["without_rows"]:
        at, before = datetime.now(UTC).isoformat(), record.body["without_rows"]
        cases, outbox = missing_rows_incident(store, model, every, before, starts, at, owner)
        state = Put("monitor", record.key, {**record.body, "without_rows": starts, "checked_at": at}, model)
        event = Event("monitor", model, actor.name, actor.assurance, {"every": every, "windows": 0, "new_alerts": 0})
        deletes = (Delete("log_position", position),)
        store.commit(Change(puts=(state, *cases), deletes=deletes, event=event, outbox=outbox))
    report = load_report(store, model, every)
    remark = f"No prediction of {model} is left where it had some: its windows stand as they were."
    return replace(report, remark=" ".join(filter(None, (remark, report.remark))))


def _segments_of(state: Record | None) -> tuple[str, ...]:
    return () if state is None else tuple(state.body["segments"])
