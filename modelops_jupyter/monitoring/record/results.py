"""What monitoring says: findings, window results, alerts and the report of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import NotFound
from modelops_jupyter.monitoring.record.packed import PackedFigures, PackedNumbers, pack_figures, pack_numbers
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.roles import SERVICE, Series, check_role
from modelops_jupyter.wording import count, pooled_text, span

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.monitoring.record.conditions import ConditionResults
    from modelops_jupyter.monitoring.record.maturity import KnownFigure, Maturity, TrackRecord
    from modelops_jupyter.monitoring.record.segment_drift import SegmentDrift


@dataclass(frozen=True)
class Finding:
    """One figure beyond its threshold in one window; `segment` is empty for the window as a whole.

    Attributes
    ----------
    level : {"plain", "likely", "lingering"}
        Plain opens an alert at once; likely does if it comes N times in M windows; lingering, which is nearer to the
        usual than either, only keeps an alert open.
    why : str
        What the threshold rests on, in plain words.
    since : str
        Start of the window with which this run of findings began.
    beside : str
        What the figure is of beside its column: the other column of a dependence, or the values that are new.
    """

    kind: str
    column: str
    metric: str
    figure: float
    threshold: float
    segment: str = ""
    level: str = "plain"
    why: str = ""
    since: str = ""
    beside: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes findings of different windows one alert: all drift of a column's own values is one thing.

        That it depends on other columns in another way is another. A figure that was estimated to fall and the same one
        that has fallen are one thing too.
        """
        return signal(self.kind, self.segment, self.column, self.metric)


Key = tuple[str, str, str, str]  # of the findings that are one alert, see `signal`
# The figure of a column that says which categories no longer come.
VANISHED = "jensen_shannon"
# What later windows are judged by, of what the windows of a cycle say together.
REMEMBERED = ("jensen_shannon", "kolmogorov_smirnov", "rank_shift", "scatter", "differs")


def signal(kind: str, segment: str, column: str, metric: str) -> tuple[str, str, str, str]:
    """Return what was seen, whenever and by whichever statistic."""
    return kind, segment, column, "" if is_drift(kind, metric) else plain_metric(metric)


def is_drift(kind: str, metric: str) -> bool:
    """Tell whether a finding says that a column's own values drifted, not that it hangs together with others anew."""
    return kind == "drift" and plain_metric(metric) != "dependence"


def is_recent(metric: str) -> bool:
    """Tell whether a figure is of the last windows together."""
    return metric.startswith("recent_")


def plain_metric(metric: str) -> str:
    """Return the figure's own name: over the last windows together, or estimated, it is the same figure."""
    return metric.removeprefix("recent_").removeprefix("estimated_")


@dataclass(frozen=True)
class WindowResult:
    """The judged figures of one half-open UTC window; times are ISO text, figures ``{value, reason}``.

    Attributes
    ----------
    estimated : mapping of str to mapping
        What performance is expected to be before labels arrive, by the names of `performance`.
    concept : mapping of str to mapping
        Tests of whether labels still depend on what the model said as they did in the reference.
    quality : mapping of str to mapping
        Figures of the window as a whole: volume, freshness and mean gap between predictions (both in seconds). Those of
        a column are among its `drift`.
    segment : str
        The slice that these rows are, as ``origin=JFK``; empty for all rows of the window.
    series : str
        The key of the series that the rows are of; empty for what was served.
    cycle : mapping of str to mapping
        By column, what the windows of the last cycle say together: see `cycle_figures`. On record are the distances.
    holiday : str
        What the window's day is called, where that is one that is not judged; else empty.
    pooled : int
        How many windows of the monitored length it spans: more than one where single ones have too few rows.
    """

    window_start: str
    window_end: str
    rows: int
    labelled: int
    versions: Mapping[str, int]
    performance: Mapping[str, Mapping[str, Any]]
    drift: Mapping[str, Mapping[str, Mapping[str, Any]]]
    findings: tuple[Finding, ...]
    estimated: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    quality: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    concept: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    segment: str = ""
    cycle: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    series: str = ""
    holiday: str = ""
    pooled: int = 1

    def vanished(self, column: str) -> str:
        """Return the categories of a column that no longer come, as a sentence names them; nothing where all do."""
        figures: Mapping[str, Any] = self.drift.get(column) or {}
        return str((figures.get(VANISHED) or {}).get("with", ""))

    def touches(self, first: datetime, last: datetime) -> bool:
        """Tell whether the window holds a time from `first` to `last`."""
        return first < datetime.fromisoformat(self.window_end) and datetime.fromisoformat(self.window_start) <= last

    @property
    def judged_on(self) -> str:
        """What a finding says of a window that is several together; nothing of a single one."""
        if self.pooled == 1:
            return ""
        return f"judged on {pooled_text(self.window_start, self.window_end, self.pooled, self.rows)} together"

    @property
    def role(self) -> str:
        """The role of the predictions: ``served``, ``shadow`` or ``canary``."""
        return Series.of_key(self.series).role

    @property
    def version(self) -> int | None:
        """The version that most of the rows are of."""
        return max((int(v) for v in self.versions), key=lambda v: (self.versions[str(v)], v), default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data."""
        plain = {name: {**value} for name, value in vars(self).items() if isinstance(value, Mapping)}
        return {**vars(self), **plain, "role": self.role, "findings": [asdict(finding) for finding in self.findings]}

    def packed(self) -> dict[str, Any]:
        """Return the result as JSON data that is small and quickly read."""
        body = {**vars(self), "findings": [asdict(finding) for finding in self.findings]}
        return {**body, "drift": pack_figures(self.drift), "cycle": pack_numbers(self.remembered)}

    @property
    def remembered(self) -> Mapping[str, Mapping[str, float]]:
        """Of `cycle` what later windows are judged by; the rest is worked out anew whenever this one is judged."""
        return {
            name: {word: figures[word] for word in REMEMBERED if word in figures}
            for name, figures in self.cycle.items()
        }

    @classmethod
    def unpacked(cls, body: Mapping[str, Any]) -> WindowResult:
        """Read what `packed` wrote."""
        figures = {"drift": PackedFigures(body["drift"]), "cycle": PackedNumbers(body["cycle"])}
        findings = tuple(Finding(**finding) for finding in body["findings"])
        return cls(**{**body, **figures, "findings": findings})


@dataclass(frozen=True)
class Alert:
    """Findings that persist: open from the window that opened it until M windows in a row are clean.

    One alert is identified by model, length of the windows, kind, segment, column, metric and `window_start`, the
    window that opened it. All drift of a column is one alert, whichever metric saw it first; a deviation that stays is
    one alert, not one per window. `figure`, `threshold` and `beside` are those of the opening window, `last_window` is
    the start of the last one with a finding, `version` is that of the predictions, `series` the key of their series,
    empty for what was served.

    Attributes
    ----------
    state : {"open", "recovered", "superseded"}
        recovered: M windows in a row were clean; superseded: another version serves in its place.
    closed : str
        Start of the window that closed it; empty while it is open.
    surges : tuple of (str, float, float)
        Start, figure and threshold of each window that was as much worse than the one before in this list, the opening
        window first, as `SURGE` says: news of an alert that is open already.
    last_end : str
        End of `last_window`; empty where it is not known.
    """

    model: str
    kind: str
    column: str
    metric: str
    figure: float
    threshold: float
    window_start: str
    window_end: str
    last_window: str
    state: str
    message: str
    segment: str = ""
    version: int = 0
    series: str = ""
    closed: str = ""
    beside: str = ""
    surges: tuple[tuple[str, float, float], ...] = ()
    last_end: str = ""

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Alert:
        """Read what `to_dict` wrote."""
        return cls(**{**body, "surges": tuple((start, figure, limit) for start, figure, limit in body["surges"])})

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What the alert's findings have in common: see `Finding.key`."""
        return signal(self.kind, self.segment, self.column, self.metric)

    def place(self) -> tuple[str, ...]:
        """What alerts are ordered by: oldest first."""
        return self.window_start, self.kind, self.column, self.metric, self.segment

    def to_dict(self) -> dict[str, Any]:
        """Return the alert as JSON data."""
        return {**asdict(self), "surges": [list(surge) for surge in self.surges]}


@dataclass(frozen=True)
class MonitorReport(Presentable):
    """All judged windows of a model, oldest first, and its alerts.

    Attributes
    ----------
    windows : sequence of WindowResult
        All rows of each window.
    segments : sequence of WindowResult
        The same windows slice by slice, each compared with the same slice of the reference; by window, then segment.
    remark : str
        A sentence on what is not judged: not yet, or not at all; empty if everything is.
    series : Series
        The predictions that the windows are of: those that were served, or those of one version and role.
    beside : tuple of MonitorReport
        Those of the shadow and canary predictions of each version, against its own reference, with alerts of their own.
    """

    model: str
    every: str
    windows: Sequence[WindowResult]
    alerts: tuple[Alert, ...]
    new_windows: int
    segments: Sequence[WindowResult] = ()
    remark: str = ""
    series: Series = SERVICE
    beside: tuple[MonitorReport, ...] = ()

    def of(self, version: int, role: str) -> MonitorReport:
        """Return the report on the predictions of one version in one role.

        Raises
        ------
        NotFound
            If there are none.
        """
        wanted = Series(version, check_role(role))
        report = next((report for report in self.beside if report.series == wanted), None)
        if report is None:
            names = ", ".join(str(report.series) for report in self.beside) or "none"
            raise NotFound(f"{self.model!r} has no predictions of {wanted}: beside what was served it has {names}.")
        return report

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            **vars(self),
            "series": asdict(self.series),
            "beside": [report.to_dict() for report in self.beside],
            "windows": [window.to_dict() for window in self.windows],
            "alerts": [alert.to_dict() for alert in self.alerts],
            "segments": [window.to_dict() for window in self.segments],
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy table: a row per window, version, role, segment (None for all rows), column and metric.

        What was served comes first, then each series beside it.
        """
        from modelops_jupyter.monitoring.record.tables import tidy

        return tidy(self)

    def profile_metrics(self) -> pd.DataFrame:
        """Return Databricks' profile metrics table; see `tables.profile_metrics`."""
        from modelops_jupyter.monitoring.record.tables import profile_metrics

        return profile_metrics(self)

    def drift_metrics(self) -> pd.DataFrame:
        """Return Databricks' drift metrics table; see `tables.drift_metrics`."""
        from modelops_jupyter.monitoring.record.tables import drift_metrics

        return drift_metrics(self)

    def chunks(self) -> pd.DataFrame:
        """Return NannyML's result columns; see `tables.chunks`."""
        from modelops_jupyter.monitoring.record.tables import chunks

        return chunks(self)

    def segment_drift(self, metric: str = "psi") -> SegmentDrift:
        """Return a drift metric of every window, segment and column, as arrays."""
        from modelops_jupyter.monitoring.record.later import LaterSlices
        from modelops_jupyter.monitoring.record.segment_drift import segment_drift

        if isinstance(self.segments, LaterSlices):
            return self.segments.drift(metric)
        return segment_drift(self.segments, metric)

    def test(self, metric: str, column: str | None = None, **conditions: Any) -> ConditionResults:
        """Hold a figure of every window against Evidently's conditions: ``report.test("roc_auc", gte=0.7)``."""
        from modelops_jupyter.monitoring.record.conditions import hold

        return hold(self, metric, column, **conditions)

    @property
    def title(self) -> str:
        """What the report is of."""
        return f"Monitoring of {self.model}"

    @property
    def extent(self) -> str:
        """How much was monitored; there is at least one window."""
        period = span(self.windows[0].window_start, self.windows[-1].window_end)
        return f"{count(len(self.windows), 'window')} of {self.every}, {self.new_windows} of them new, {period}"

    @property
    def shown_alerts(self) -> tuple[Alert, ...]:
        """The alerts that are open."""
        return tuple(alert for alert in self.alerts if alert.state == "open")

    @property
    def maturity(self) -> Maturity:
        """How complete labels are, by the age of their window."""
        from modelops_jupyter.monitoring.record.maturity import label_maturity

        return label_maturity(self.windows, self.every)

    @property
    def track_record(self) -> TrackRecord:
        """How wrong the estimates of windows with mature labels have been."""
        from modelops_jupyter.monitoring.record.maturity import track_record

        return track_record(self.windows, self.every)

    @property
    def best_known(self) -> tuple[KnownFigure, ...]:
        """The realised figures of windows whose labels are mature, the estimated ones of all others."""
        from modelops_jupyter.monitoring.record.maturity import best_known

        return best_known(self.windows, self.every)

    def __str__(self) -> str:
        if not self.windows and not self.beside:
            return f"{self.model}: nothing logged yet. Log predictions with `modelops log-predictions`."
        return "\n".join([self._told(), *(report._told() for report in self.beside)])

    def _told(self) -> str:
        """Return what is said of these windows."""
        name = f"{self.model}, {self.series}" if self.series.version else self.model
        if not self.windows:
            return f"{name}: nothing was served yet."
        open_alerts = self.shown_alerts
        lines = [f"{name}: {self.extent}; {count(len(open_alerts), 'open alert')}."]
        lines += [self.remark] if self.remark else []
        return "\n".join([*lines, *(f"  {alert.message}" for alert in open_alerts)])
