"""Drift, data quality and performance: pure functions of profiles."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from modelops_jupyter.monitoring.figures.performance import performance  # the name of its module as well: never lazy

if TYPE_CHECKING:
    from modelops_jupyter.monitoring.backtest import Backtest, BacktestPoint, Detection, run_backtest
    from modelops_jupyter.monitoring.explaining.explain import Explanation, explain_fall
    from modelops_jupyter.monitoring.figures.drift import jensen_shannon, psi
    from modelops_jupyter.monitoring.figures.estimation import estimate
    from modelops_jupyter.monitoring.figures.figure import Figure
    from modelops_jupyter.monitoring.figures.measure import measure_window
    from modelops_jupyter.monitoring.incidents.alerts import raise_alerts
    from modelops_jupyter.monitoring.judging.budget import AlertBudget
    from modelops_jupyter.monitoring.judging.judge import judge_windows
    from modelops_jupyter.monitoring.judging.rules import AlertRules
    from modelops_jupyter.monitoring.kept import KeptWindows, load_report
    from modelops_jupyter.monitoring.monitor import alert_rules, run_monitor, watched_segments
    from modelops_jupyter.monitoring.record.results import Alert, Finding, MonitorReport, WindowResult

# Imported on first use: a page that reads results needs nothing of what computes them.
_LAZY = {
    "Alert": "record.results",
    "AlertBudget": "judging.budget",
    "AlertRules": "judging.rules",
    "Backtest": "backtest",
    "BacktestPoint": "backtest",
    "Detection": "backtest",
    "Explanation": "explaining.explain",
    "Figure": "figures.figure",
    "Finding": "record.results",
    "KeptWindows": "kept",
    "MonitorReport": "record.results",
    "WindowResult": "record.results",
    "alert_rules": "monitor",
    "estimate": "figures.estimation",
    "explain_fall": "explaining.explain",
    "jensen_shannon": "figures.drift",
    "judge_windows": "judging.judge",
    "load_report": "kept",
    "measure_window": "figures.measure",
    "psi": "figures.drift",
    "raise_alerts": "incidents.alerts",
    "run_backtest": "backtest",
    "run_monitor": "monitor",
    "watched_segments": "monitor",
}

__all__ = [
    "Alert",
    "AlertBudget",
    "AlertRules",
    "Backtest",
    "BacktestPoint",
    "Detection",
    "Explanation",
    "Figure",
    "Finding",
    "KeptWindows",
    "MonitorReport",
    "WindowResult",
    "alert_rules",
    "estimate",
    "explain_fall",
    "jensen_shannon",
    "judge_windows",
    "load_report",
    "measure_window",
    "performance",
    "psi",
    "raise_alerts",
    "run_backtest",
    "run_monitor",
    "watched_segments",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
