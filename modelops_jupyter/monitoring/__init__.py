"""Drift, data quality and performance: pure functions of profiles."""

from modelops_jupyter.monitoring.judge import judge_window, raise_alerts
from modelops_jupyter.monitoring.monitor import load_report, run_monitor
from modelops_jupyter.monitoring.results import Alert, Finding, MonitorReport, Thresholds, WindowResult
from modelops_jupyter.monitoring.statistics import Figure, jensen_shannon, performance, psi

__all__ = [
    "Alert",
    "Figure",
    "Finding",
    "MonitorReport",
    "Thresholds",
    "WindowResult",
    "jensen_shannon",
    "judge_window",
    "load_report",
    "performance",
    "psi",
    "raise_alerts",
    "run_monitor",
]
