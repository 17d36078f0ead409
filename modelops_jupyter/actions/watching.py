"""Watching a model: the monitor's runs as the workspace starts them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modelops_jupyter import clock
from modelops_jupyter.actions import versions
from modelops_jupyter.actions.fleet import SOURCE_PROBLEMS, learning, monitored_length
from modelops_jupyter.actions.liveness import say_what_stopped
from modelops_jupyter.actions.reminding import say_what_lasts
from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import InvalidInput, ModelOpsError
from modelops_jupyter.imports import import_ahead
from modelops_jupyter.refs import check_name
from modelops_jupyter.roles import SERVED, SERVICE, Series, check_role
from modelops_jupyter.settings import Settings
from modelops_jupyter.wording import left_out_sentence

if TYPE_CHECKING:
    from modelops_jupyter.log import PredictionSource
    from modelops_jupyter.monitoring import Backtest, Explanation, MonitorReport
    from modelops_jupyter.monitoring.explaining.multivariate import MultivariateDrift
    from modelops_jupyter.monitoring.pace import WorkEvent
    from modelops_jupyter.notifications import DeliveryReport
    from modelops_jupyter.profiles import Reference
    from modelops_jupyter.sources import Sources
    from modelops_jupyter.store import Store

ANNOUNCE_SECONDS = 3.0
# What `deliver` imports where it is called: in a thread that goes on beside the next cell of a notebook.
FOR_DELIVERY = (
    "modelops_jupyter.monitoring.incidents.cases",
    "modelops_jupyter.monitoring.incidents.reminders",
    "modelops_jupyter.monitoring.kept",
    "modelops_jupyter.store",
)


def monitor(
    store: Store,
    sources: Sources,
    settings: Settings,
    actor: Actor,
    name: str,
    every: str,
    segments: Sequence[str] | None,
    alert_budget: str | None,
    holidays: Sequence[str] | None,
) -> MonitorReport:
    """See `Workspace.monitor`."""
    report = run(store, sources, settings, actor, name, every, segments, alert_budget, holidays)
    announce(store, settings)
    return report


def run(
    store: Store,
    sources: Sources,
    settings: Settings,
    actor: Actor,
    name: str,
    every: str,
    segments: Sequence[str] | None = None,
    alert_budget: str | None = None,
    holidays: Sequence[str] | None = None,
) -> MonitorReport:
    """Run a monitor as it ran last, unless told otherwise; nobody is told yet."""
    from modelops_jupyter.monitoring import alert_rules, run_monitor, watched_segments
    from modelops_jupyter.monitoring.figures.volume import small_windows_sentence

    rules = alert_rules(store, name, every, alert_budget, holidays, settings)
    watched = watched_segments(store, name, every, segments)
    references = versions.references(store, name, watched)

    def work(source: PredictionSource) -> MonitorReport:
        return run_monitor(
            name,
            store=store,
            log=source,
            references=references,
            every=every,
            segments=watched,
            rules=rules,
            use_case=settings.use_cases.get(name),
            actor=actor,
            sample=settings.sample_rows,
        )

    report = _with_problems(store, sources, name, work)
    record, held = store.get("monitor", f"{name}/{every}"), store.get("alias", f"{name}@champion")
    champion = None if held is None else held.body["version"]
    remarks = [report.remark]
    if record is not None:
        remarks.append(left_out_sentence(record.body.get("left_out", ())))
        remarks += [small_windows_sentence(record.body["volume"], every), learning(record.body, champion)]
    return replace(report, remark=" ".join(filter(None, remarks)))


def _with_problems(
    store: Store, sources: Sources, name: str, work: Callable[[PredictionSource], MonitorReport]
) -> MonitorReport:
    """Run a monitor, and put on record what its source holds that could not be read."""
    try:
        report, problems = sources.read(name, work)
    except ModelOpsError as error:
        if sources.is_watched(name):
            _keep_problems(store, name, (str(error),), None)
        raise
    if sources.is_watched(name) or store.get(SOURCE_PROBLEMS, name) is not None:
        of_rows = problems.of_rows if sources.is_watched(name) else ()
        _keep_problems(store, name, problems.of_files, of_rows)
    return replace(report, remark=" ".join(filter(None, (report.remark, *problems.sentences))))


def _keep_problems(store: Store, name: str, of_files: Sequence[str], of_rows: Sequence[str] | None) -> None:
    """Put problems on record; those of rows stand until rows are read again."""
    from modelops_jupyter.store import Change, Put

    record = store.get(SOURCE_PROBLEMS, name)
    before: Mapping[str, Any] = {"of_files": [], "of_rows": []} if record is None else record.body
    now = {"of_files": list(of_files), "of_rows": list(before["of_rows"] if of_rows is None else of_rows)}
    if any(now[part] != before[part] for part in now):
        body = {"model": name, **now, "at": clock.now().isoformat()}
        store.commit(Change(puts=(Put(SOURCE_PROBLEMS, name, body, subject=name),)))


def windows_of(store: Store, name: str, every: str | None, version: int | None, role: str) -> tuple[str, Series]:
    """Return the length of windows and the series that a look at a model's windows means.

    By default those that the model is monitored in, and whatever was served; see `monitored_length`, `find_series`.
    """
    length = monitored_length(store, name, every)
    if version is None and check_role(role) == SERVED:
        return length, SERVICE
    from modelops_jupyter.monitoring.kept import find_series

    versions.find_model(store, check_name(name))
    return length, find_series(store, name, length, version, role)


def _references(store: Store, name: str, series: Series) -> dict[int, Reference]:
    """Return the references that windows of a series are compared with."""
    every = versions.references(store, name)
    return {version: reference for version, reference in every.items() if series.version in (0, version)}


def explain(
    store: Store,
    sources: Sources,
    name: str,
    every: str,
    window: str | None,
    until: str | None,
    series: Series = SERVICE,
) -> Explanation:
    """See `Workspace.explain`."""
    from modelops_jupyter.monitoring import explain_fall

    asked: dict[str, Any] = {"every": every, "window": window, "until": until, "series": series}
    asked["references"] = _references(store, name, series)
    explained, _ = sources.read(name, lambda source: explain_fall(name, store=store, log=source, **asked))
    return explained


def deliver(store: Store, settings: Settings, now: bool = False) -> DeliveryReport:
    """See `Workspace.deliver`; a monitor that stopped is told too, and again what lasts."""
    from modelops_jupyter.notifications import deliver

    moment = clock.moment()
    say_what_stopped(store, moment)
    if settings.targets:
        say_what_lasts(store, moment)
    return deliver(store, settings.targets, now=now)


def announce(store: Store, settings: Settings) -> None:
    """Deliver what waits, as far as it goes in three seconds; the rest goes on in the background or next time.

    Nothing is lost where it fails: the outbox keeps it, and `status` says which target does not answer.
    """
    from modelops_jupyter.notifications import import_notifiers

    import_ahead(FOR_DELIVERY)
    import_notifiers(settings.targets)

    def work() -> None:
        try:
            deliver(store, settings)
        except ModelOpsError:  # the store is busy or full: whoever delivers next says so
            return

    thread = threading.Thread(target=work, name="modelops-deliver", daemon=True)
    thread.start()
    thread.join(ANNOUNCE_SECONDS)


def multivariate_drift(
    store: Store,
    sources: Sources,
    name: str,
    every: str,
    window: str | None,
    until: str | None,
    series: Series = SERVICE,
) -> MultivariateDrift:
    """See `Workspace.multivariate_drift`."""
    from modelops_jupyter.monitoring.explaining.multivariate import multivariate_drift

    asked: dict[str, Any] = {"every": every, "window": window, "until": until, "series": series}
    asked["references"] = _references(store, name, series)
    drift, _ = sources.read(name, lambda source: multivariate_drift(name, store=store, log=source, **asked))
    return drift


def spelled_out(
    store: Store, name: str, spelled: Mapping[str, Any], every: str, segments: Sequence[str] | None
) -> tuple[str, Sequence[str] | None]:
    """Return the length of windows and the segments that other tools' words ask for, where they say so.

    Raises
    ------
    InvalidInput
        If a word is unknown, or contradicts what is on record.
    """
    from modelops_jupyter.monitoring.record.spellings import monitor_words

    asked = monitor_words(spelled)
    task = versions.current_version(store, name).body["task"]
    if asked.task is not None and asked.task != task:
        raise InvalidInput(f"{name!r} is a {task}, not a {asked.task}: leave problem_type out.")
    return asked.every or every, segments if asked.segments is None else asked.segments


def backtest(
    store: Store,
    settings: Settings,
    name: str,
    every: str,
    budget: str | None,
    on_progress: Callable[[WorkEvent], None] | None,
    series: Series = SERVICE,
) -> Backtest:
    """See `Workspace.backtest`."""
    from modelops_jupyter.monitoring import KeptWindows, alert_rules, run_backtest

    versions.find_model(store, name)
    rules = alert_rules(store, name, every, budget, None, settings)
    profiles = KeptWindows(store, name, every, series).profiles()
    shown = f"{name}, {series}" if series.key else name
    return run_backtest(shown, _references(store, name, series), profiles, rules, every, on_progress=on_progress)
