"""Labels come late: how complete they are by age, what is known meanwhile, how wrong estimates have been."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from modelops_jupyter.monitoring.record.results import WindowResult
from modelops_jupyter.presentable import Presentable

if TYPE_CHECKING:
    import pandas as pd


ENOUGH = 0.9


@dataclass(frozen=True)
class Maturity(Presentable):
    """How complete labels are, by the age of their window.

    Attributes
    ----------
    coverage : tuple of float or None
        Share of rows with a label, by age in windows: the newest window first; None for a window without rows.
    final : float or None
        The share that old windows reach: the median over the older half. None without any label.
    mature_after : int or None
        Age in windows from which on labels are as good as complete: over 90 % of `final`, in the median of three.
    """

    every: str
    coverage: tuple[float | None, ...]
    final: float | None
    mature_after: int | None

    def to_frame(self) -> pd.DataFrame:
        """Return a row per age."""
        import pandas as pd

        return pd.DataFrame({"age": range(len(self.coverage)), "coverage": self.coverage})

    def __str__(self) -> str:
        if self.mature_after is None:
            return "No labels yet: performance is estimated."
        return (
            f"Labels are complete after {self.mature_after} windows of {self.every}; "
            f"{self.final:.1%} of all rows get one."
        )


@dataclass(frozen=True)
class KnownFigure:
    """What is known of a figure of a window: `source` is ``realised`` where labels are mature, else ``estimated``."""

    window_start: str
    metric: str
    value: float
    low: float | None
    high: float | None
    source: str


@dataclass(frozen=True)
class EstimateRecord:
    """How wrong the estimates of a figure have been, over windows with mature labels.

    Attributes
    ----------
    mean_absolute_error, mean_error : float
        Of estimate minus realised.
    held : float or None
        Share of realised figures inside the estimate's 95 % interval; less means a world that changed.
    """

    metric: str
    windows: int
    mean_absolute_error: float
    mean_error: float
    held: float | None


@dataclass(frozen=True)
class TrackRecord(Presentable):
    """How wrong the estimates have been, a record per figure."""

    records: tuple[EstimateRecord, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a row per figure."""
        import pandas as pd

        return pd.DataFrame([asdict(record) for record in self.records], columns=list(EstimateRecord.__annotations__))

    def __str__(self) -> str:
        if not self.records:
            return "No window has both an estimate and mature labels yet."
        return self.to_frame().to_string(index=False, float_format="{:.4f}".format)


def label_maturity(windows: Sequence[WindowResult], every: str) -> Maturity:
    """Return how complete labels are by age; segments are left out."""
    whole = sorted((w for w in windows if not w.segment), key=lambda w: w.window_start, reverse=True)
    coverage = tuple(window.labelled / window.rows if window.rows else None for window in whole)
    known = [share for share in coverage if share is not None]
    final = median(known[len(known) // 2 :]) if known else 0.0
    if not final:
        return Maturity(every, coverage, None, None)
    for age, share in enumerate(coverage):
        near = [value for value in coverage[age : age + 3] if value is not None]
        # One day of cancelled flights has few labels and never gets more.
        if share is not None and share >= final / 2 and median(near) >= ENOUGH * final:
            return Maturity(every, coverage, final, age)
    return Maturity(every, coverage, final, None)


def best_known(windows: Sequence[WindowResult], every: str) -> tuple[KnownFigure, ...]:
    """Return of every window the realised figures if its labels are mature, else the estimated ones; oldest first."""
    return tuple(
        KnownFigure(window.window_start, name, found["value"], found.get("low"), found.get("high"), source)
        for window, mature in _with_maturity(windows, every)
        for source, figures in ((("realised", window.performance) if mature else ("estimated", window.estimated)),)
        for name, found in figures.items()
        if found["value"] is not None
    )


def track_record(windows: Sequence[WindowResult], every: str) -> TrackRecord:
    """Return how wrong the estimates of windows with mature labels have been."""
    pairs: dict[str, list[tuple[dict[str, Any], float]]] = {}
    for window, mature in _with_maturity(windows, every):
        for name, said in window.estimated.items() if mature else ():
            came = window.performance.get(name, {}).get("value")
            if said["value"] is not None and came is not None:
                pairs.setdefault(name, []).append((dict(said), came))
    return TrackRecord(tuple(_record(name, found) for name, found in pairs.items()))


def _with_maturity(windows: Sequence[WindowResult], every: str) -> Iterable[tuple[WindowResult, bool]]:
    whole = sorted((w for w in windows if not w.segment), key=lambda w: w.window_start)
    after = label_maturity(whole, every).mature_after
    return [(w, after is not None and len(whole) - 1 - n >= after) for n, w in enumerate(whole)]


def _record(metric: str, pairs: Sequence[tuple[dict[str, Any], float]]) -> EstimateRecord:
    errors = [said["value"] - came for said, came in pairs]
    inside = [said["low"] <= came <= said["high"] for said, came in pairs if said.get("low") is not None]
    held = fmean(inside) if inside else None
    return EstimateRecord(metric, len(pairs), fmean(map(abs, errors)), fmean(errors), held)
