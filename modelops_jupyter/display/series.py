"""What the charts of a model show, as plain data: one reading of the overview for SVG and plotly alike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.overview import DriftMap, ModelOverview, SeriesFigures, WindowFigure
from modelops_jupyter.display.words import moment

if TYPE_CHECKING:
    from modelops_jupyter.monitoring import MonitorReport


@dataclass(frozen=True)
class Mark:
    """A change of the version that serves, on the time axis of the windows."""

    at: str
    version: int
    action: str
    reason: str

    @property
    def words(self) -> str:
        """What happened, in a few words."""
        return {"promote": f"v{self.version} promoted", "rollback": f"rolled back to v{self.version}"}.get(
            self.action, f"v{self.version} serves"
        )


@dataclass(frozen=True)
class Series:
    """A metric over time.

    Attributes
    ----------
    expected : tuple of float or None
        Per window, what the metric was on the reference of the version that served most of it.
    marks : tuple of Mark
        Oldest first.
    beside : tuple of SeriesFigures
        The same metric of versions whose predictions were not served.
    """

    metric: str
    windows: tuple[WindowFigure, ...]
    expected: tuple[float | None, ...]
    marks: tuple[Mark, ...]
    beside: tuple[SeriesFigures, ...] = ()

    @property
    def values(self) -> tuple[float | None, ...]:
        """The metric, window by window."""
        return tuple(window.value for window in self.windows)


def sampled(series: Series, most: int) -> Series:
    """Return `most` windows or fewer: the highest and the lowest of every stretch, so that peaks and gaps stay."""
    size = math.ceil(2 * len(series.windows) / (most - 2))
    if size <= 2:
        return series
    kept: set[int] = {0, len(series.windows) - 1}
    for begin in range(0, len(series.windows), size):
        span = range(begin, min(begin + size, len(series.windows)))
        known = [(value, n) for n in span if (value := series.windows[n].value) is not None]
        kept |= {min(known)[1], max(known)[1]} if known else {begin}
    gap = 0
    for n, value in enumerate((*series.values, 0.0)):
        if value is not None:
            kept |= {n - gap} if gap >= size else set()
        gap = gap + 1 if value is None else 0
    places = sorted(kept)
    windows = tuple(series.windows[n] for n in places)
    return replace(series, windows=windows, expected=tuple(series.expected[n] for n in places))


def performance_series(page: ModelOverview) -> Series:
    """Return a model's metric over time, with promotions and rollbacks."""
    expected = tuple(page.expected.get(w.version) if w.version is not None else None for w in page.windows)
    return Series(page.metric or "", page.windows, expected, marks(page.windows, page.transitions), page.beside)


def report_series(report: MonitorReport) -> Series:
    """Return the metric of a monitor's report over time: the one that the model's page shows."""
    from modelops_jupyter.monitoring.record.summary import summarise

    whole = [window for window in report.windows if not window.segment]
    metric = summarise(whole)["metric"]
    for each in report.beside:  # for a model of which nothing was served with labels
        metric = metric or summarise(list(each.windows))["metric"]
    windows = tuple(WindowFigure.of(window, metric) for window in whole)
    beside = tuple(SeriesFigures.of(each, metric, {}) for each in report.beside)
    return Series(metric or "", windows, (None,) * len(windows), marks(windows, ()), beside)


def report_drift(report: MonitorReport) -> DriftMap:
    """Return PSI of every column in every window of a monitor's report."""
    return DriftMap.of([window for window in report.windows if not window.segment])


def marks(windows: Sequence[WindowFigure], transitions: Iterable[Mapping[str, Any]]) -> tuple[Mark, ...]:
    """Return what changed the serving version.

    A move recorded within the windows' time is marked when it was made. Where a log was replayed afterwards, its moves
    lie outside: then the mark is where the other version begins to serve. Changes and moves are matched from the
    newest back, so that a history that is cut off, or whose first moves are older than the log, matches all the same.
    """
    if not windows:
        return ()
    first, last = moment(windows[0].start), moment(windows[-1].end)
    moves = [move for move in transitions if move["alias"] == "champion"]
    found = [_mark(move, str(move["at"])) for move in moves if first <= moment(str(move["at"])) <= last]
    replayed = [move for move in moves if not first <= moment(str(move["at"])) <= last]
    served = [window for window in windows if window.version is not None]
    for before, after in reversed(list(pairwise(served))):
        if after.version is None or after.version == before.version:
            continue
        if any(mark.version == after.version and _near(mark, before, after) for mark in found):
            continue
        place = _last_move(replayed, after.version)
        if place is None:
            found.append(Mark(after.start, after.version, "serves", ""))
        else:
            found.append(_mark(replayed[place], after.start))
            del replayed[place:]
    return tuple(sorted(found, key=lambda mark: moment(mark.at)))


def _mark(move: Mapping[str, Any], at: str) -> Mark:
    return Mark(at, int(move["to_version"]), str(move["action"]), str(move["reason"]))


def _last_move(moves: Sequence[Mapping[str, Any]], version: int) -> int | None:
    return next((n for n in reversed(range(len(moves))) if moves[n]["to_version"] == version), None)


def _near(mark: Mark, before: WindowFigure, after: WindowFigure) -> bool:
    """Tell whether a promotion explains the change between two windows; logs follow it with some delay."""
    slack = 2 * (moment(after.end) - moment(after.start))
    return moment(before.start) - slack <= moment(mark.at) <= moment(after.end) + slack


def recent(page: ModelOverview, days: int | None) -> ModelOverview:
    """Return the page with the windows of the last `days` days alone; None or 0 keeps all."""
    if not days or not page.windows:
        return page
    return _cut(page, moment(page.windows[-1].end) - timedelta(days=days), None)


def between(page: ModelOverview, first: date | None, last: date | None) -> ModelOverview:
    """Return the page with the windows that begin from one date to another, both included, in UTC."""
    since = None if first is None else datetime.combine(first, time(), UTC)
    return _cut(page, since, None if last is None else datetime.combine(last, time.max, UTC))


def _cut(page: ModelOverview, since: datetime | None, until: datetime | None) -> ModelOverview:
    def inside(start: str) -> bool:
        at = moment(start)
        return (since is None or at >= since) and (until is None or at <= until)

    kept = [n for n, start in enumerate(page.drift.starts) if inside(start)]
    drift = replace(
        page.drift,
        starts=tuple(page.drift.starts[n] for n in kept),
        values={name: tuple(values[n] for n in kept) for name, values in page.drift.values.items()},
        found={name: tuple(found[n] for n in kept) for name, found in page.drift.found.items()},
    )
    beside = (replace(each, windows=tuple(w for w in each.windows if inside(w.start))) for each in page.beside)
    windows = tuple(window for window in page.windows if inside(window.start))
    return replace(page, windows=windows, drift=drift, beside=tuple(each for each in beside if each.windows))


@dataclass(frozen=True)
class Bucket:
    """A column of a drift map: one window, or several with the one that drifted most speaking for them."""

    start: str
    last: str
    values: Mapping[str, float | None]
    worst: Mapping[str, str]
    found: Mapping[str, bool]


def buckets(drift: DriftMap, columns: Sequence[str], most: int) -> tuple[Bucket, ...]:
    """Return the windows of a drift map in at most `most` columns; each shows its highest figure, of findings first."""
    size = math.ceil(len(drift.starts) / most) or 1
    found = []
    for begin in range(0, len(drift.starts), size):
        span = range(begin, min(begin + size, len(drift.starts)))
        values: dict[str, float | None] = {}
        worst: dict[str, str] = {}
        drifted: dict[str, bool] = {}
        for name in columns:
            known = [(drift.found[name][n], value, n) for n in span if (value := drift.values[name][n]) is not None]
            drifted[name], values[name], n = max(known, default=(False, None, begin))
            worst[name] = drift.starts[n]
        found.append(Bucket(drift.starts[begin], drift.starts[span[-1]], values, worst, drifted))
    return tuple(found)


def lines_beside(series: Series, most: int) -> list[tuple[SeriesFigures, tuple[WindowFigure, ...]]]:
    """Return each series beside, with its windows within the time of what was served, at most `most` of them."""
    if not series.windows:
        return []
    first, last = series.windows[0].start, series.windows[-1].start
    lines = []
    for each in series.beside:
        inside = tuple(window for window in each.windows if first <= window.start <= last)
        thinned = sampled(Series(series.metric, inside, (None,) * len(inside), ()), most).windows if inside else ()
        if any(window.value is not None for window in thinned):
            lines.append((each, thinned))
    return lines


def middle(window: WindowFigure) -> datetime:
    """Return the middle of a window, where its figure is drawn."""
    start = moment(window.start)
    return start + (moment(window.end) - start) / 2
