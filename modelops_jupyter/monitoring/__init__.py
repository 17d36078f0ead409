"""Drift, data quality and performance: pure functions of profiles."""

from modelops_jupyter.monitoring.drift import jensen_shannon, psi
from modelops_jupyter.monitoring.estimation import estimate
from modelops_jupyter.monitoring.figure import Figure
from modelops_jupyter.monitoring.judge import judge_window, raise_alerts
from modelops_jupyter.monitoring.measure import measure_window
from modelops_jupyter.monitoring.monitor import load_report, run_monitor
from modelops_jupyter.monitoring.performance import performance
from modelops_jupyter.monitoring.results import Alert, Finding, MonitorReport, Thresholds, WindowResult

__all__ = [
    "Alert",
    "Figure",
    "Finding",
    "MonitorReport",
    "Thresholds",
    "WindowResult",
    "estimate",
    "jensen_shannon",
    "judge_window",
    "load_report",
    "measure_window",
    "performance",
    "psi",
    "raise_alerts",
    "run_monitor",
]
