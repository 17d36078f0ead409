"""One model on one page: figures over time, drift by feature, versions, decisions; read from the store alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions import catalogue
from modelops_jupyter.actions.fleet import ModelSummary, monitored_length, read_fleet
from modelops_jupyter.actions.versions import find_model
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.refs import check_name
from modelops_jupyter.roles import Series, kind_of
from modelops_jupyter.wording import UNITS, count

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.monitoring import MonitorReport, WindowResult
    from modelops_jupyter.monitoring.record.segment_drift import SegmentDrift
    from modelops_jupyter.settings import UseCase
    from modelops_jupyter.store import Store

AUDIT_ENTRIES = 100
RECENT_WINDOWS = 30


@dataclass(frozen=True)
class WindowFigure:
    """The performance metric of one window; `version` served most of its rows. Times are ISO text, UTC.

    Attributes
    ----------
    value, low, high : float or None
        Realised, with the ends of its 95 % interval where there is one.
    estimated, estimated_low, estimated_high : float or None
        What it was expected to be before labels arrived.
    pooled : int
        How many windows of the monitored length are judged together as this one.
    """

    start: str
    end: str
    rows: int
    labelled: int
    version: int | None
    value: float | None
    reason: str | None
    low: float | None = None
    high: float | None = None
    estimated: float | None = None
    estimated_low: float | None = None
    estimated_high: float | None = None
    pooled: int = 1

    @classmethod
    def of(cls, window: WindowResult, metric: str | None) -> WindowFigure:
        """Return the figure of a window."""
        figures = window.performance
        # Where nothing has had a figure yet there is no metric, but the reason why.
        figure = figures.get(metric) if metric else next(iter(figures.values()), None)
        figure = figure or {"value": None, "reason": "no performance figure"}
        estimate = window.estimated.get(metric or "") or {}
        served = max(window.versions.items(), key=lambda item: item[1], default=(None, 0))[0]
        return cls(
            window.window_start,
            window.window_end,
            window.rows,
            window.labelled,
            None if served is None else int(served),
            figure["value"],
            figure["reason"],
            figure.get("low"),
            figure.get("high"),
            estimate.get("value"),
            estimate.get("low"),
            estimate.get("high"),
            window.pooled,
        )


@dataclass(frozen=True)
class SeriesFigures:
    """What a version predicted beside what was served, in one role: its figures window by window, oldest first.

    Attributes
    ----------
    expected : float or None
        What the metric was on the version's own reference.
    """

    version: int
    role: str
    windows: tuple[WindowFigure, ...]
    expected: float | None
    open_alerts: int

    @classmethod
    def of(cls, report: MonitorReport, metric: str | None, expected: Mapping[int, float]) -> SeriesFigures:
        """Return the figures of a report beside the one of what was served."""
        figures = tuple(WindowFigure.of(window, metric) for window in report.windows if not window.segment)
        open_alerts = sum(alert.state == "open" for alert in report.alerts)
        version = report.series.version
        return cls(version, report.series.role, figures, expected.get(version), open_alerts)

    @property
    def name(self) -> str:
        """The series in words: ``version 2 as shadow``."""
        return str(Series(self.version, self.role))

    def last_beside(self, served: Sequence[WindowFigure]) -> tuple[WindowFigure, WindowFigure | None] | None:
        """Return the last window with a figure, and what was served in the same one; None where there is no figure."""
        last = next((window for window in reversed(self.windows) if window.value is not None), None)
        if last is None:
            return None
        return last, next((window for window in served if window.start == last.start), None)


@dataclass(frozen=True)
class DriftMap:
    """PSI of every column in every window, less what chance brings; zero where it is no more than that.

    Attributes
    ----------
    starts : tuple of str
        Window starts, oldest first.
    columns : tuple of str
        Those first whose findings of the last 30 windows were furthest beyond their thresholds and most; of the others
        those that the last cycle of windows together (a week of days) shows furthest from the reference: in that, what
        follows the calendar is where it belongs, though each of its days differs from the reference.
    values : mapping of str to tuple of float or None
        Per column, a figure per window; None where there is none.
    found : mapping of str to tuple of bool
        Per column, whether the monitor found drift of its values in the window, by the thresholds that it learned; that
        it hangs together with others otherwise than before is none of its values.
    """

    starts: tuple[str, ...]
    columns: tuple[str, ...]
    values: Mapping[str, tuple[float | None, ...]]
    found: Mapping[str, tuple[bool, ...]]

    @classmethod
    def of(cls, windows: Sequence[WindowResult]) -> DriftMap:
        """Return the map of windows without segments, oldest first."""
        from modelops_jupyter.monitoring.record.packed import by_window, numbers

        names, known = by_window([window.drift for window in windows], "psi_debiased")
        values = {name: tuple(None if x is None else max(x, 0.0) for x in known[name]) for name in names}
        excesses = [_excesses(window) for window in windows]
        beyond = {name: sum(excess.get(name, 0.0) for excess in excesses[-RECENT_WINDOWS:]) for name in names}
        last: Mapping[str, Any] = next((window.cycle for window in reversed(windows) if len(window.cycle)), {})
        far = dict(zip(names, numbers(last, names, "jensen_shannon").tolist(), strict=True))

        def place(name: str) -> tuple[float, float, float, str]:
            together = -1.0 if math.isnan(far[name]) else far[name]
            return -beyond[name], -together, -_recent(values[name]), name

        ordered = sorted(names, key=place)
        found = {name: tuple(name in excess for excess in excesses) for name in names}
        return cls(tuple(window.window_start for window in windows), tuple(ordered), values, found)

    @classmethod
    def of_segments(cls, drift: SegmentDrift) -> DriftMap:
        """Return the map of segments, of each the mean of its columns; those with most findings lately come first."""
        import numpy as np

        held = ~np.isnan(drift.values)
        means = np.where(held, drift.values, 0.0).sum(axis=2) / np.where(held.any(axis=2), held.sum(axis=2), np.nan)
        columns = {
            name: tuple(None if math.isnan(value) else value for value in means[:, n].tolist())
            for n, name in enumerate(drift.segments)
        }
        found = {name: tuple(drift.found[:, n].tolist()) for n, name in enumerate(drift.segments)}
        ordered = sorted(columns, key=lambda name: (-sum(found[name][-RECENT_WINDOWS:]), -_recent(columns[name]), name))
        return cls(drift.starts, tuple(ordered), columns, found)


def _excesses(window: WindowResult) -> dict[str, float]:
    """Return how many times its threshold the furthest finding of each column's values was."""
    from modelops_jupyter.monitoring.record.results import is_drift

    found: dict[str, float] = {}
    for finding in window.findings:
        if is_drift(finding.kind, finding.metric):
            found[finding.column] = max(found.get(finding.column, 0.0), abs(finding.figure) / finding.threshold)
    return found


def _recent(values: Sequence[float | None]) -> float:
    known = [value for value in values[-RECENT_WINDOWS:] if value is not None]
    return sum(known) / len(known) if known else -1.0


@dataclass(frozen=True)
class Distribution(Presentable):
    """Shares of a column's bins, in the reference and in the windows looked at; each sums to 1 or is all 0.

    `series` says which predictions they are beside what was served, as ``version 2 as shadow``.
    """

    column: str
    bins: tuple[str, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]
    since: str
    until: str
    series: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return a row per bin."""
        import pandas as pd

        return pd.DataFrame({"bin": self.bins, "reference": self.reference, "current": self.current})

    def __str__(self) -> str:
        of = f" of {self.series}" if self.series else ""
        return f"{self.column}{of}, windows from {self.since} to {self.until}\n{self.to_frame().to_string(index=False)}"


@dataclass(frozen=True)
class ModelOverview(Presentable):
    """Everything a model's page shows.

    Attributes
    ----------
    expected : mapping of int to float
        What the metric was on each version's reference.
    transitions : tuple of mapping
        Promotions and rollbacks, oldest first.
    versions, alerts : tuple of mapping
        Newest first.
    audit, monitor_runs : tuple of mapping
        The newest entries of the audit trail, and those of runs of the monitor apart, of which there are `monitored`.
    decisions : tuple of mapping
        All approvals, rejections and comments, newest first.
    every : str
        Length of the windows.
    beside : tuple of SeriesFigures
        The shadow and canary predictions of each version, beside what was served.
    """

    summary: ModelSummary
    description: str
    metric: str | None
    expected: Mapping[int, float]
    windows: tuple[WindowFigure, ...]
    drift: DriftMap
    versions: tuple[Mapping[str, Any], ...]
    transitions: tuple[Mapping[str, Any], ...]
    alerts: tuple[Mapping[str, Any], ...]
    audit: tuple[Mapping[str, Any], ...]
    decisions: tuple[Mapping[str, Any], ...] = ()
    monitor_runs: tuple[Mapping[str, Any], ...] = ()
    monitored: int = 0
    beside: tuple[SeriesFigures, ...] = ()
    every: str = "1D"

    @property
    def name(self) -> str:
        """The model's name."""
        return self.summary.name

    @property
    def no_figures(self) -> str:
        """Why no window has a figure though outcomes are known, as a sentence; empty otherwise."""
        return why_no_figures(self.windows, UNITS[self.every])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        summary = {**asdict(self.summary), "remarks": list(self.summary.remarks)}
        return {**asdict(self), "summary": summary, "no_figures": self.no_figures}

    def to_frame(self) -> pd.DataFrame:
        """Return a row per window."""
        import pandas as pd

        return pd.DataFrame([asdict(window) for window in self.windows])

    def __str__(self) -> str:
        s = self.summary
        champion = f"champion {s.champion}" if s.champion else "no champion"
        lines = [
            f"{s.name}: {s.health}, {champion}, {count(s.versions, 'version')}, {count(len(self.windows), 'window')}."
        ]
        lines += [
            f"  {t['at'][:10]} {t['action']} {t['alias']} -> {t['to_version']}: {t['reason']}" for t in self.transitions
        ]
        for series in self.beside:
            pair = series.last_beside(self.windows)
            figure = "no figure yet" if pair is None else f"{self.metric} {pair[0].value:.3f} on {pair[0].start[:10]}"
            if pair is not None and pair[1] is not None and pair[1].value is not None:
                figure += f", served {pair[1].value:.3f}"
            lines.append(f"  {series.name}: {count(len(series.windows), 'window')}, {figure}.")
        lines += [f"  {remark}" for remark in (self.no_figures, *s.remarks) if remark]
        return "\n".join([*lines, *(f"  {a['message']}" for a in self.alerts if a["state"] == "open")])


def why_no_figures(windows: Sequence[WindowFigure], unit: str = "window") -> str:
    """Return why no window has a figure though outcomes are known, as a sentence; empty otherwise."""
    labelled = sum(window.labelled for window in windows)
    if not labelled or any(window.value is not None or window.estimated is not None for window in windows):
        return ""
    cases = count(sum(window.rows for window in windows), "case")
    reason = Counter(window.reason for window in windows if window.labelled).most_common(1)[0][0]
    return f"{labelled:,} of {cases} have their outcome, but no {unit} has a figure: {reason}."


def read_overview(
    store: Store, name: str, every: str | None = None, use_cases: Mapping[str, UseCase] | None = None
) -> ModelOverview:
    """Gather the page of a model.

    Raises
    ------
    NotFound
        If there is no such model, or it is monitored in windows of other lengths only.
    InvalidReference
        If `name` cannot name a model.
    InvalidInput
        If `every` is no length of a window.
    """
    from modelops_jupyter.monitoring.kept import KeptWindows, load_beside
    from modelops_jupyter.store import in_order

    find_model(store, check_name(name))
    every = monitored_length(store, name, every)
    model = store.get("model", name)
    summary = next(s for s in read_fleet(store, name, use_cases))
    windows = KeptWindows(store, name, every).whole()
    metric = summary.metric or _metric_beside(store, name, every)
    expected = _expected(store, name, metric)
    if not windows:
        _check_length(every)
    entries = catalogue.audit(store, name).rows
    runs = [row for row in entries if row["kind"] == "monitor"]
    transitions = [dict(record.body) for record in in_order(store.find("transition", name))]
    return ModelOverview(
        summary=summary,
        description=model.body["description"] if model else "",
        metric=metric,
        expected=expected,
        windows=tuple(WindowFigure.of(window, metric) for window in windows),
        drift=DriftMap.of(windows),
        versions=catalogue.versions(store, name).rows,
        transitions=tuple(transitions),
        alerts=catalogue.alerts(store, name, None).rows,
        audit=tuple(row for row in entries if row["kind"] != "monitor")[:AUDIT_ENTRIES],
        decisions=tuple(row for row in entries if row["kind"] == "decision"),
        monitor_runs=tuple(runs[:AUDIT_ENTRIES]),
        monitored=len(runs),
        beside=tuple(SeriesFigures.of(each, metric, expected) for each in load_beside(store, name, every)),
        every=every,
    )


def _metric_beside(store: Store, name: str, every: str) -> str | None:
    """Return the metric of a series beside what was served, for a model of which nothing was served with labels."""
    states = (record.body for record in store.find(kind_of("monitor", Series(1)), name))
    return next((str(body["metric"]) for body in states if body["every"] == every and body["metric"]), None)


def _check_length(every: str) -> None:
    """Raise `InvalidInput` if there can be no windows of that length, rather than say that there are none."""
    from modelops_jupyter.profiles import window_length

    window_length(every)


def _expected(store: Store, name: str, metric: str | None) -> dict[int, float]:
    from modelops_jupyter.monitoring import performance
    from modelops_jupyter.profiles import Reference

    found = {}
    for record in store.find("reference", name) if metric else ():
        reference = Reference.from_dict(record.body)
        figures = performance(reference.profile, reference.binning.task, reference.binning.positive)
        value = figures[metric].value if metric in figures else None
        if value is not None:
            found[int(record.key.rpartition("/")[2])] = value
    return found
