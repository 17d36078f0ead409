"""Backtest: what a budget would have meant, by replaying stored windows and faults put into them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import reduce
from statistics import median
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from modelops_jupyter.errors import NotFound
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.cycle import CYCLES
from modelops_jupyter.monitoring.figures.intervals import poisson
from modelops_jupyter.monitoring.figures.measure import measure_window
from modelops_jupyter.monitoring.figures.resampling import inject, resample
from modelops_jupyter.monitoring.incidents.alerts import raise_alerts
from modelops_jupyter.monitoring.judging.budget import DAYS, AlertBudget
from modelops_jupyter.monitoring.judging.holidays import NO_HOLIDAYS
from modelops_jupyter.monitoring.judging.judge import judge_windows, served_by
from modelops_jupyter.monitoring.judging.lookback import with_cycle
from modelops_jupyter.monitoring.judging.performance_findings import judged_metrics
from modelops_jupyter.monitoring.judging.replay import judge_series, measure_series
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.pace import Pace, WorkEvent
from modelops_jupyter.monitoring.record.results import Alert, WindowResult, plain_metric
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.profiles import Profile, Reference, merge, window_length
from modelops_jupyter.profiles.scan import OUTPUTS
from modelops_jupyter.profiles.windows import ORIGIN

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
BUDGETS = ("1/year", "1/quarter", "1/month", "1/week", "1/day")
SIZES: Mapping[str, tuple[float, ...]] = {
    "shift": (0.1, 0.2, 0.3, 0.5, 1.0, 2.0),
    "missing": (0.02, 0.05, 0.1, 0.2, 0.4),
    "performance": (0.05, 0.1, 0.2, 0.4, 0.7),
}
# A fault counts as seen where so many trials of it were found in the windows of `FAULTY`.
SEEN = 0.8
HEALTHY_SERIES, TRIALS = 4, 5
# Windows of a healthy series, those before a fault, and those that have it.
HEALTHY = {"1h": 504, "1D": 90, "1W": 60}
BEFORE = {"1h": 192, "1D": 40, "1W": 20}
FAULTY = {"1h": 24, "1D": 7, "1W": 4}
# From fewer stored windows none are drawn, but from the reference's rows.
FEWEST = 14
SEED = 20130401
# So many of the columns and figures that changed are named.
MOST_TOLD = 3


@dataclass(frozen=True)
class Detection:
    """How a fault of one size fared.

    Attributes
    ----------
    fault : {"shift", "missing", "performance"}
        As `inject` says.
    size : float
        Standard deviations of a number (share of rows of a category), share of rows, share of outcomes.
    found : float
        Share of trials that raised an alert of the faulty column, or on performance, within the windows of `FAULTY`.
    delay : float or None
        Median number of whole windows from the first faulty one to the alert, of those found; 0: in the first one.
    drop : float or None
        Of performance: how much the first judged metric changes.
    """

    fault: str
    size: float
    found: float
    delay: float | None
    drop: float | None = None


@dataclass(frozen=True)
class BacktestPoint:
    """What one budget means.

    Attributes
    ----------
    promised : float
        False alerts a month that the budget allows.
    false_alerts : float
        A month, in series of healthy windows; `low` and `high` are its 95 % interval (exact, of a Poisson number).
    in_history : int
        Alerts over the stored windows as they were.
    smallest : mapping of str to float or None
        By fault, the least size seen in 80 % of trials within the windows of `FAULTY`; None if none was.
    detections : tuple of Detection
    told : tuple of str
        The columns and figures that the alerts of both tell of, the most frequent first.
    """

    budget: str
    promised: float
    false_alerts: float
    low: float
    high: float
    in_history: int
    smallest: Mapping[str, float | None]
    detections: tuple[Detection, ...]
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Backtest(Presentable):
    """A model's alerts under several budgets: false alerts a month against what they would see.

    Attributes
    ----------
    windows : int
        Stored windows that were replayed.
    healthy : str
        Where healthy windows come from.
    metric : str or None
        The performance metric that drops are told of.
    budget : str
        The one in force, or asked for.
    within : int
        Windows of a fault in which it counts as seen.
    points : tuple of BacktestPoint
        The curve, the most silent budget first.
    """

    model: str
    every: str
    windows: int
    healthy: str
    metric: str | None
    budget: str
    within: int
    points: tuple[BacktestPoint, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {**asdict(self), "explanation": self.explanation}

    @property
    def explanation(self) -> str:
        """Why there are more alerts than the budget in force allows, in a sentence; empty where there are not."""
        point = next(point for point in self.points if point.budget == self.budget)
        months = self.windows * window_length(self.every).total_seconds() / 86400 / DAYS["month"]
        over = point.low > point.promised or poisson(point.in_history)[0] > point.promised * months
        if not over or not point.told:
            return ""
        more = f" and {len(point.told) - MOST_TOLD} more" if len(point.told) > MOST_TOLD else ""
        return (
            f"In this history the data themselves changed ({', '.join(point.told[:MOST_TOLD])}{more}): "
            f"what is beyond {point.budget} tells of that."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return a row per budget, fault and size."""
        import pandas as pd

        rows = [
            {
                "budget": point.budget,
                "false_alerts_a_month": point.false_alerts,
                "alerts_in_history": point.in_history,
                **asdict(detection),
            }
            for point in self.points
            for detection in point.detections
        ]
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        lines = [
            f"{self.model}: {self.windows} windows of {self.every} replayed, without segments; "
            f"healthy series drawn from {self.healthy}."
        ]
        told = "alerts" if self.explanation else "false alerts"  # where the history itself changed, not all are false
        for point in self.points:
            sees = ", ".join(self._smallest(point, fault) for fault in point.smallest)
            mark = "*" if point.budget == self.budget else " "
            lines.append(
                f"{mark} {point.budget:<10} {point.false_alerts:.2f} {told} a month ({point.low:.2f} to "
                f"{point.high:.2f}), {point.in_history} alerts in history; sees {sees}"
            )
        return "\n".join([*lines, *filter(None, [self.explanation])])

    def _smallest(self, point: BacktestPoint, fault: str) -> str:
        size = point.smallest[fault]
        if size is None:
            return f"no {fault} tried"
        found = next(d for d in point.detections if (d.fault, d.size) == (fault, size))
        if found.drop is not None:
            return f"{(self.metric or fault).replace('_', ' ')} worse by {found.drop:.2g}"
        return f"a shift of {size:g} standard deviations" if fault == "shift" else f"{size:.0%} of the values missing"


def run_backtest(
    model: str,
    references: Mapping[int, Reference],
    profiles: Mapping[datetime, Profile],
    rules: AlertRules,
    every: str,
    trials: int = TRIALS,
    on_progress: Callable[[WorkEvent], None] | None = None,
) -> Backtest:
    """Replay a model's stored windows, healthy series of them, and faults, under a range of budgets.

    Healthy series are stored windows of the version that served most of them, drawn at random, each for a window of
    its own weekday (or hour of the week), and compared with all of them together: so they differ from each other as
    real windows do, and nothing drifts. Faults are put into the last windows of such a series, `trials` times for every
    fault and size. Seeds are fixed. `on_progress` is called a hundred times at most.

    Raises
    ------
    NotFound
        If nothing is stored yet.
    """
    if not profiles or not references:
        raise NotFound(
            f"{model!r} has no monitored windows of {every} to replay: run `modelops monitor {model}` first."
        )
    baselines = {version: Baseline(reference) for version, reference in references.items()}
    history = measure_series(baselines, profiles, every, rules.holidays)
    texts = {AlertBudget.parse(text).text for text in (*BUDGETS, rules.budget.text)}
    budgets = sorted((AlertBudget.parse(text) for text in texts), key=lambda budget: budget.alerts / budget.days)
    wanted = [(fault, size, n) for fault, sizes in SIZES.items() for size in sizes for n in range(trials)]
    pieces = (HEALTHY_SERIES + len(wanted)) * (1 + len(budgets))  # each is drawn once, and judged under every budget
    pace = Pace(f"backtest of {model}", pieces, on_progress)
    # Healthy series are made of ordinary days; their dates are none of the calendar's.
    ordinary = {start: profile for start, profile in profiles.items() if not rules.holidays.name_of(start, every)}
    world = _World.of(references, ordinary or profiles, every)
    healthy = _counted((world.series(n) for n in range(HEALTHY_SERIES)), pace)
    faulty = _counted(((fault, size, *world.faulty(fault, size, n)) for fault, size, n in wanted), pace)
    points = []
    at_once: set[int] = set()
    for budget in budgets:
        under = replace(rules, budget=budget)
        everyday = replace(under, holidays=NO_HOLIDAYS)
        false = [
            alert
            for judged in _counted((judge_series(world.baselines, series, everyday, every) for series in healthy), pace)
            for alert in raise_alerts(model, judged, under)
        ]
        months = sum(len(series) for series in healthy) * window_length(every).total_seconds() / 86400 / DAYS["month"]
        low, high = poisson(len(false))
        detections = _detections(world, faulty, everyday, at_once, pace)
        in_history = raise_alerts(model, judge_series(baselines, history, under, every), under)
        point = BacktestPoint(
            budget.text,
            budget.alerts / budget.days * DAYS["month"],
            len(false) / months,
            low / months,
            high / months,
            len(in_history),
            _smallest(detections),
            detections,
            _told([*in_history, *false]),
        )
        points.append(point)
    return Backtest(
        model, every, len(profiles), world.source, world.metric, rules.budget.text, FAULTY[every], tuple(points)
    )


def _counted(made: Iterable[T], pace: Pace) -> list[T]:
    """Make one after the other, and count them."""
    found = []
    for one in made:
        found.append(one)
        pace.one_more()
    return found


class _World:
    """Where nothing drifts: windows to draw from, and the reference that they are compared with."""

    def __init__(self, reference: Reference, pool: Mapping[datetime, Profile], source: str, every: str) -> None:
        self.baselines, self.every, self.source = {1: Baseline(reference)}, every, source
        self.reference, self.length = reference, window_length(every)
        self._starts = sorted(pool)
        self._pool = pool
        self._measured = {start: self._measure(pool[start], start) for start in self._starts}
        self.metric = next(iter(judged_metrics(self.baselines[1])), None)
        self._features = [name for name in reference.profile.columns if name not in OUTPUTS] or [
            *reference.profile.columns
        ]

    @classmethod
    def of(cls, references: Mapping[int, Reference], profiles: Mapping[datetime, Profile], every: str) -> _World:
        """Take the windows of the version that served most of them, or the reference's rows where those are few."""
        by_version: dict[int, dict[datetime, Profile]] = {}
        for start, profile in profiles.items():
            rows = {str(version): count for version, count in profile.versions.items()}
            by_version.setdefault(served_by(rows, references), {})[start] = profile
        version = max(by_version, key=lambda v: (len(by_version[v]), v))
        pool = {start: replace(profile, versions={1: profile.rows}) for start, profile in by_version[version].items()}
        binning = references[version].binning
        if len(pool) >= FEWEST:
            whole = reduce(merge, pool.values())
            return cls(Reference(binning, whole), pool, f"{len(pool)} windows of version {version}", every)
        generator = np.random.default_rng(SEED)
        usual_rows = int(median(profile.rows for profile in pool.values()))
        known = replace(references[version].profile, versions={1: 1})
        length = window_length(every)
        drawn = {ORIGIN + n * length: resample(known, usual_rows, generator) for n in range(BEFORE[every])}
        return cls(
            Reference(binning, known), drawn, f"the reference's rows: only {len(pool)} windows are stored", every
        )

    def _measure(self, profile: Profile, start: datetime) -> WindowResult:
        return measure_window(self.baselines[1], profile, start, start + self.length)

    def _drawn(self, count: int, generator: np.random.Generator) -> list[tuple[datetime, datetime]]:
        """Return a start for each of `count` windows, and which stored window stands there."""
        cycle = CYCLES[self.every]
        places: dict[int, list[datetime]] = {}
        for start in self._starts:
            places.setdefault(((start - ORIGIN) // self.length) % cycle, []).append(start)
        found = []
        for n in range(count):
            same = places.get(n % cycle, [])
            among = same if len(same) > 1 else self._starts
            found.append((ORIGIN + n * self.length, among[int(generator.integers(len(among)))]))
        return found

    def series(self, number: int) -> tuple[WindowResult, ...]:
        """Return a healthy series."""
        generator = np.random.default_rng([SEED, number])
        drawn = self._drawn(HEALTHY[self.every], generator)
        return self._with_cycle(drawn, {})

    def faulty(self, fault: str, size: float, number: int) -> tuple[tuple[WindowResult, ...], str, float | None]:
        """Return a series with a fault in its last windows, the column that has it, and the drop of the metric."""
        generator = np.random.default_rng([SEED, number, list(SIZES).index(fault)])
        column = "" if fault == "performance" else self._features[int(generator.integers(len(self._features)))]
        drawn = self._drawn(BEFORE[self.every] + FAULTY[self.every], generator)
        binning = self.reference.binning
        faulty = {
            start: inject(self._pool[stored], binning, fault, size, column, generator)
            for start, stored in drawn[BEFORE[self.every] :]
        }
        series = self._with_cycle(drawn, faulty)
        return series, column, self._drop(series) if fault == "performance" else None

    def _drop(self, series: Sequence[WindowResult]) -> float | None:
        if self.metric is None:
            return None
        first = BEFORE[self.every]
        values = [window.performance.get(self.metric, {}).get("value") for window in series]
        before, after = ([v for v in part if v is not None] for part in (values[:first], values[first:]))
        return abs(float(np.mean(after)) - float(np.mean(before))) if before and after else None

    def _with_cycle(
        self, drawn: Sequence[tuple[datetime, datetime]], faulty: Mapping[datetime, Profile]
    ) -> tuple[WindowResult, ...]:
        stored = {start.isoformat(): faulty.get(start, self._pool[source]) for start, source in drawn}
        windows = [
            self._measure(faulty[start], start)
            if start in faulty
            else replace(
                self._measured[source], window_start=start.isoformat(), window_end=(start + self.length).isoformat()
            )
            for start, source in drawn
        ]
        fresh = [w.window_start for w in windows] if not faulty else [start.isoformat() for start in faulty]
        return with_cycle(
            windows, set(fresh), lambda at, _: stored[at].counts, [1], lambda *_: self.baselines[1], self.every
        )


Trial = tuple[str, float, tuple[WindowResult, ...], str, float | None]


def _detections(
    world: _World, trials: Sequence[Trial], rules: AlertRules, at_once: set[int], pace: Pace
) -> tuple[Detection, ...]:
    """Return how the faults fare; what a more silent budget found `at_once` needs no second look."""
    found: dict[tuple[str, float], list[int | None]] = {}
    drops: dict[tuple[str, float], list[float]] = {}
    for number, (fault, size, series, column, drop) in enumerate(trials):
        pace.one_more()
        if drop is not None:
            drops.setdefault((fault, size), []).append(drop)
        if number in at_once:
            found.setdefault((fault, size), []).append(0)
            continue
        starts = [window.window_start for window in series]
        first = BEFORE[world.every]
        fresh = set(starts[first:])
        judged = judge_windows(series, [1], lambda *_: world.baselines[1], rules, world.every, fresh)
        delays = [
            starts.index(alert.window_start) - first
            for alert in raise_alerts("", judged, rules)
            if (alert.kind == "performance" if fault == "performance" else alert.column == column)
        ]
        found.setdefault((fault, size), []).append(min(delays, default=None))
        if 0 in delays:
            at_once.add(number)
    return tuple(
        Detection(
            fault,
            size,
            sum(delay is not None for delay in delays) / len(delays),
            median(known) if (known := [delay for delay in delays if delay is not None]) else None,
            float(np.mean(drops[fault, size])) if (fault, size) in drops else None,
        )
        for (fault, size), delays in found.items()
    )


def _smallest(detections: Sequence[Detection]) -> dict[str, float | None]:
    return {
        fault: min((d.size for d in detections if d.fault == fault and d.found >= SEEN), default=None)
        for fault in SIZES
    }


def _told(alerts: Sequence[Alert]) -> tuple[str, ...]:
    """Return the columns and figures that alerts tell of, the most frequent first."""
    counted = Counter(alert.column or plain_metric(alert.metric).replace("_", " ") for alert in alerts)
    return tuple(sorted(counted, key=lambda name: (-counted[name], name)))
