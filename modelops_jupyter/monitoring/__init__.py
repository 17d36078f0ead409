"""Drift, data quality and performance: pure functions of profiles."""

from modelops_jupyter.monitoring.alerts import raise_alerts
from modelops_jupyter.monitoring.backtest import Backtest, BacktestPoint, Detection, run_backtest
from modelops_jupyter.monitoring.budget import AlertBudget
from modelops_jupyter.monitoring.drift import jensen_shannon, psi
from modelops_jupyter.monitoring.estimation import estimate
from modelops_jupyter.monitoring.explain import Explanation, explain_fall
from modelops_jupyter.monitoring.figure import Figure
from modelops_jupyter.monitoring.judge import judge_windows
from modelops_jupyter.monitoring.kept import stored_profiles
from modelops_jupyter.monitoring.measure import measure_window
from modelops_jupyter.monitoring.monitor import alert_rules, load_report, run_monitor, watched_segments
from modelops_jupyter.monitoring.performance import performance
from modelops_jupyter.monitoring.results import Alert, Finding, MonitorReport, WindowResult
from modelops_jupyter.monitoring.rules import AlertRules

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
    "stored_profiles",
    "watched_segments",
]
