"""Conditions on a monitor's figures, by Evidently's names: ``eq, not_eq, gt, gte, lt, lte, is_in, not_in``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import InvalidInput, NotFound
from modelops_jupyter.monitoring.record.results import WindowResult
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.wording import figure_text

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.monitoring.record.results import MonitorReport

CONDITIONS: dict[str, Callable[[float, Any], bool]] = {
    "eq": lambda value, wanted: math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-12),
    "not_eq": lambda value, wanted: not math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-12),
    "gt": lambda value, wanted: value > wanted,
    "gte": lambda value, wanted: value >= wanted,
    "lt": lambda value, wanted: value < wanted,
    "lte": lambda value, wanted: value <= wanted,
    "is_in": lambda value, wanted: value in wanted,
    "not_in": lambda value, wanted: value not in wanted,
}
SUCCESS, FAIL, ERROR = "SUCCESS", "FAIL", "ERROR"


@dataclass(frozen=True)
class ConditionResult:
    """One condition in one window: `status` is SUCCESS, FAIL, or ERROR where there is no figure, with its `reason`."""

    window_start: str
    segment: str
    column: str | None
    metric: str
    condition: str
    value: float | None
    status: str
    reason: str | None = None


@dataclass(frozen=True)
class ConditionResults(Presentable):
    """Conditions by window; `passed` if none failed."""

    results: tuple[ConditionResult, ...]

    @property
    def passed(self) -> bool:
        """Whether no window failed; one without a figure did not."""
        return all(result.status != FAIL for result in self.results)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per window and condition."""
        import pandas as pd

        return pd.DataFrame([asdict(r) for r in self.results], columns=list(ConditionResult.__annotations__))

    def __str__(self) -> str:
        counts = {s: sum(result.status == s for result in self.results) for s in (SUCCESS, FAIL, ERROR)}
        failed = [f"  {_words(result)}" for result in self.results if result.status == FAIL]
        return "\n".join([", ".join(f"{count} {status}" for status, count in counts.items()), *failed])


def hold(report: MonitorReport, metric: str, column: str | None = None, **conditions: Any) -> ConditionResults:
    """Hold a figure of every window and segment against conditions.

    Raises
    ------
    InvalidInput
        If a condition is unknown, or none is given.
    NotFound
        If no window has such a figure.
    """
    unknown = [name for name in conditions if name not in CONDITIONS]
    if unknown or not conditions:
        raise InvalidInput(f"Conditions are {', '.join(CONDITIONS)}, not {unknown[0] if unknown else 'nothing'!r}.")
    results = []
    for window in (*report.windows, *report.segments):
        figure = _figure(window, metric, column)
        if figure is not None:
            results += [_tested(window, metric, column, figure, name, wanted) for name, wanted in conditions.items()]
    if not results and report.windows:
        where = f" of {column}" if column else ""
        raise NotFound(f"No window of {report.model!r} has a figure {metric!r}{where}: see the report's to_frame().")
    return ConditionResults(tuple(results))


def _figure(window: WindowResult, metric: str, column: str | None) -> Mapping[str, Any] | None:
    if column is not None:
        return window.drift.get(column, {}).get(metric)
    name = metric.removeprefix("estimated_")
    found = window.estimated.get(name) if name != metric else window.performance.get(metric)
    return found or window.concept.get(metric) or window.quality.get(metric)


def _tested(
    window: WindowResult, metric: str, column: str | None, figure: Mapping[str, Any], name: str, wanted: Any
) -> ConditionResult:
    value = figure["value"]
    status = ERROR if value is None else SUCCESS if CONDITIONS[name](value, wanted) else FAIL
    said = f"{name} {wanted}"
    return ConditionResult(window.window_start, window.segment, column, metric, said, value, status, figure["reason"])


def _words(result: ConditionResult) -> str:
    what = f"{result.metric} of {result.column}" if result.column else result.metric
    where = f" where {result.segment}" if result.segment else ""
    value = "no figure" if result.value is None else figure_text(result.value, 4)
    return f"{result.window_start[:16]}: {what}{where} is {value}, not {result.condition}"
