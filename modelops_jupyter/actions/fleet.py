"""The fleet: one line per model, read from small records alone so that a page of a thousand is quick."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions import rejected_service
from modelops_jupyter.errors import NotFound
from modelops_jupyter.roles import Series, kind_of
from modelops_jupyter.wording import count, last_moment, left_out_sentence, short

if TYPE_CHECKING:
    from modelops_jupyter.settings import UseCase
    from modelops_jupyter.store import Store

SUPPRESSION = "suppression"  # the kind of records of what is muted and accepted
SOURCE_PROBLEMS = "source_problems"  # the kind of records of what could not be read of a model's own table
_WINDOWS = {"1h": "hours", "1D": "days", "1W": "weeks"}


@dataclass(frozen=True)
class SeriesSummary:
    """The shadow or canary predictions of one version at a glance, beside what was served.

    Attributes
    ----------
    name : str
        ``version 2 as shadow``.
    figure : float or None
        The last known value of the model's metric.
    """

    name: str
    version: int
    role: str
    windows: int
    data_through: str
    metric: str | None
    figure: float | None
    open_alerts: int

    def __str__(self) -> str:
        known = f", {self.metric} {self.figure:.3f}" if self.figure is not None else ""
        through = self.data_through[:16].removesuffix("T00:00")
        return f"{self.name}: {count(self.windows, 'window')} through {through}{known}, " + count(
            self.open_alerts, "open alert"
        )


@dataclass(frozen=True)
class ModelSummary:
    """One model at a glance.

    Attributes
    ----------
    health : {"not judged", "healthy", "warning", "alert"}
        not judged: never monitored, or no window has rows enough; warning: an open drift or quality alert; alert: an
        open performance alert. What is muted or accepted counts neither here nor among `open_alerts`.
    windows, realised : int
        Monitored windows, and those of them that have a performance figure.
    metric : str or None
        What `sparkline` shows, oldest first; None where a window has no figure.
    data_through : str or None
        The last day that was monitored, or its last minute where the last window ends within a day.
    learning : str
        A sentence on what its monitor does not judge yet; empty once it does.
    source_problems : tuple of str
        What the last run could not read of the table that holds its predictions, a sentence each.
    without_rows : str
        A sentence on the windows whose rows are gone, and what to do; empty where there is none.
    small_windows : str
        A sentence on the windows that have too few rows to be judged, and what to do; empty where they are the fewer.
    left_out : str
        A sentence on the columns that are not watched because they are identifiers; empty where there is none.
    suppressed : tuple of str
        What is muted or accepted, a sentence each: by whom, until when and why.
    beside : tuple of SeriesSummary
        The shadow and canary predictions of each version; nothing above is of them.
    owner, risk_tier : str or None
        As its use case says.
    unsafe : bool
        Its champion runs code when it is loaded.
    unsafe_versions : tuple of int
        All that do so, newest first.
    rejected : tuple of str
        A sentence for each alias whose version was rejected and still serves, with what to do.
    """

    name: str
    kind: str
    champion: int | None
    versions: int
    health: str
    open_alerts: int
    windows: int
    realised: int
    data_through: str | None
    metric: str | None
    sparkline: tuple[float | None, ...]
    learning: str = ""
    source_problems: tuple[str, ...] = ()
    without_rows: str = ""
    small_windows: str = ""
    left_out: str = ""
    beside: tuple[SeriesSummary, ...] = ()
    owner: str | None = None
    risk_tier: str | None = None
    unsafe: bool = False
    unsafe_versions: tuple[int, ...] = ()
    rejected: tuple[str, ...] = ()
    suppressed: tuple[str, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What its page says before any figure: what is not judged or does not count, and why."""
        first = (self.without_rows, self.small_windows, self.left_out, self.learning)
        return (*self.rejected, *filter(None, first), *self.source_problems, *self.suppressed)


def read_fleet(
    store: Store, only: str | None = None, use_cases: Mapping[str, UseCase] | None = None
) -> tuple[ModelSummary, ...]:
    """Return a summary of every model, or of `only` one, by name."""
    from modelops_jupyter.monitoring.figures.volume import small_windows_sentence
    from modelops_jupyter.store import in_order

    cases = use_cases or {}
    aliases = [record.body for record in store.find("alias", only)]
    held = {body["name"]: body for body in aliases if body["alias"] == "champion"}
    rejected: dict[str, list[str]] = defaultdict(list)
    for body in aliases:
        rejected[body["name"]] += filter(None, (rejected_service.sentence(body),))
    champions = {name: body["version"] for name, body in held.items()}
    versions = Counter(record.subject for record in store.find("version", only, bodies=False))
    unsafe: dict[str, list[int]] = defaultdict(list)
    for record in store.find("unsafe_version", only, bodies=False):
        unsafe[record.subject].append(int(record.key.rpartition("/")[2]))
    alerts: dict[str, list[str]] = defaultdict(list)
    quiet = quiet_alerts(store, only)
    for record in store.find("alert", only):
        if record.body["state"] == "open" and not quiet(record.body):
            alerts[record.subject].append(record.body["kind"])
    monitors = {r.subject: r.body for r in in_order(store.find("monitor", only))}
    beside = _beside(store, only)
    models = store.find("model") if only is None else tuple(r for r in (store.get("model", only),) if r is not None)
    problems = {
        record.subject: (*record.body["of_files"], *record.body["of_rows"])
        for record in store.find(SOURCE_PROBLEMS, only)
    }
    summaries, suppressed = [], _suppressed(store, only)
    for record in models:
        name, monitor = record.key, monitors.get(record.key)
        case = cases.get(name)
        summaries.append(
            ModelSummary(
                name=name,
                kind=record.body["kind"],
                champion=champions.get(name),
                versions=versions[name],
                health=_health(monitor, alerts[name]),
                open_alerts=len(alerts[name]),
                windows=monitor["windows"] if monitor else 0,
                realised=monitor["realised"] if monitor else 0,
                data_through=last_moment(monitor["through"]) if monitor else None,
                metric=monitor["metric"] if monitor else None,
                sparkline=tuple(monitor["line"]) if monitor else (),
                learning=learning(monitor, champions.get(name)) if monitor else "",
                source_problems=problems.get(name, ()),
                without_rows=_without_rows(store, name) if monitor else "",
                small_windows=small_windows_sentence(monitor["volume"], monitor["every"]) if monitor else "",
                left_out=left_out_sentence(monitor.get("left_out", ())) if monitor else "",
                beside=tuple(beside[name]),
                owner=case.owner if case else None,
                risk_tier=case.risk_tier if case else None,
                unsafe=bool(held.get(name, {}).get("unsafe")),
                unsafe_versions=tuple(sorted(unsafe[name], reverse=True)),
                rejected=tuple(rejected[name]),
                suppressed=tuple(suppressed.get(name, ())),
            )
        )
    return tuple(summaries)


def quiet_alerts(store: Store, only: str | None) -> Callable[[Mapping[str, Any]], str]:
    """Return what says of an open alert by whom and until when it is muted or accepted; see `why_quiet`."""
    if not store.find(SUPPRESSION, only, bodies=False):
        return lambda alert: ""
    from modelops_jupyter.monitoring.incidents.suppressions import why_quiet

    return why_quiet(store, only)


def _suppressed(store: Store, only: str | None) -> dict[str, list[str]]:
    """Return what is muted or accepted, by model."""
    if not store.find(SUPPRESSION, only, bodies=False):
        return {}
    from modelops_jupyter.monitoring.incidents.suppressions import in_force

    return {name: [f"{s.scope}: {s}" for s in own] for name, own in in_force(store, only).items()}


def monitored_length(store: Store, name: str, every: str | None) -> str:
    """Return the length of windows to look at: `every`, or where that is None the one that a model is monitored in.

    Of several that is a day, else the one that ran last.

    Raises
    ------
    InvalidInput
        If `every` is no length of a window.
    NotFound
        If the model is monitored in windows of other lengths only.
    """
    from modelops_jupyter.store import in_order

    kinds = ("monitor", kind_of("monitor", Series(1)))  # of some models nothing is served yet
    states = in_order(record for kind in kinds for record in store.find(kind, name))
    lengths = list(dict.fromkeys(str(state.body["every"]) for state in states))
    if every is None:
        return "1D" if "1D" in lengths or not lengths else lengths[-1]
    if lengths and every not in lengths:
        from modelops_jupyter.profiles import window_length

        window_length(every)
        known = " and ".join(lengths)
        raise NotFound(
            f"{name!r} is monitored in windows of {known}, not of {every}: look at those (--every {lengths[-1]}), or "
            f"run `modelops monitor {name} --every {every}`."
        )
    return every


def learning(monitor: Mapping[str, Any], champion: int | None) -> str:
    """Return what a monitor does not judge: holidays, and of the version that serves what it does not know yet.

    Parameters
    ----------
    monitor
        What is on record of it.
    """
    from modelops_jupyter.monitoring.figures.cycle import cycle_length
    from modelops_jupyter.monitoring.judging.history import SEASONS
    from modelops_jupyter.monitoring.judging.holidays import holidays_sentence

    off = holidays_sentence(monitor.get("days_off", {}), monitor["through"])
    starts = {version: start for segment, version, start in monitor["tracks"] if not segment}
    start = max(starts.values(), default=None) if champion is None else starts.get(champion)
    if start is None:
        return off
    until = datetime.fromisoformat(start) + SEASONS * cycle_length(monitor["every"])
    if datetime.fromisoformat(monitor["through"]) >= until:
        return off
    windows = _WINDOWS[monitor["every"]]
    learning = (
        f"The monitor is still learning how {windows} differ, until {short(until)}: before, it tells only "
        "what no season could bring; `mo.compare_data` tells any difference from the reference at once."
    )
    return " ".join(filter(None, (learning, off)))


def _beside(store: Store, only: str | None) -> Mapping[str, list[SeriesSummary]]:
    """Return what each model has beside what was served, in the windows that were looked at last."""
    from modelops_jupyter.store import in_order

    kind = kind_of("alert", Series(1))
    alerts = Counter(
        (record.subject, record.body["series"], record.body["every"])
        for record in store.find(kind, only)
        if record.body["state"] == "open"
    )
    states = in_order(store.find(kind_of("monitor", Series(1)), only))
    found: dict[str, list[SeriesSummary]] = defaultdict(list)
    for (model, key), body in sorted(
        {(record.subject, record.body["series"]): record.body for record in states}.items()
    ):
        series = Series.of_key(key)
        figure = next((value for value in reversed(body["line"]) if value is not None), None)
        through, is_open = last_moment(body["through"]), alerts[model, key, body["every"]]
        found[model].append(
            SeriesSummary(
                str(series), series.version, series.role, body["windows"], through, body["metric"], figure, is_open
            )
        )
    return found


def _without_rows(store: Store, name: str) -> str:
    """Say which windows of each of a model's monitors lack rows."""
    from modelops_jupyter.monitoring.incidents.missing_rows import missing_rows_sentence

    states = [record.body for record in store.find("monitor", name)]
    said = (missing_rows_sentence(store, name, str(body["every"]), body["without_rows"]) for body in states)
    return " ".join(filter(None, said))


def _health(monitor: Mapping[str, Any] | None, kinds: list[str]) -> str:
    from modelops_jupyter.monitoring.figures.volume import nothing_is_judged

    if "performance" in kinds:
        return "alert"
    if kinds:
        return "warning"
    return "not judged" if monitor is None or nothing_is_judged(monitor["volume"]) else "healthy"
