"""Judging: pure functions from profiles to findings, and from findings to alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from modelops_jupyter.monitoring.performance import performance
from modelops_jupyter.monitoring.quality import null_rate
from modelops_jupyter.monitoring.results import Alert, Finding, Thresholds, WindowResult
from modelops_jupyter.profiles import Reference


def judge_window(reference: Reference, window: WindowResult, thresholds: Thresholds) -> WindowResult:
    """Return a measured window with its findings: the figures beyond their thresholds."""
    if window.rows < thresholds.rows:
        return replace(window, findings=())
    findings = list(_performance_findings(reference, window, thresholds))
    for name, figures in window.drift.items():
        before = null_rate(reference.profile.columns[name]).value or 0.0
        limits = {
            "psi": ("drift", thresholds.psi),
            "null_rate": ("quality", before + thresholds.null_rate_rise),
            "unseen_rate": ("quality", thresholds.unseen_rate),
        }
        for metric, (kind, limit) in limits.items():
            value = figures[metric]["value"] if metric in figures else None
            if value is not None and value >= limit:
                findings.append(Finding(kind, name, metric, value, limit))
    return replace(window, findings=tuple(findings))


def _performance_findings(reference: Reference, window: WindowResult, thresholds: Thresholds) -> list[Finding]:
    binning = reference.binning
    expected = performance(reference.profile, binning.task, binning.positive).get("roc_auc")
    now = window.performance.get("roc_auc", {}).get("value")
    if expected is None or expected.value is None or now is None:
        return []
    limit = expected.value - thresholds.auc_drop
    return [Finding("performance", "", "roc_auc", now, limit)] if now < limit else []


def raise_alerts(model: str, windows: Sequence[WindowResult], thresholds: Thresholds) -> tuple[Alert, ...]:
    """Fold findings into alerts: one per kind, column and metric, opened by N of M, closed by M clean windows."""
    keys = sorted({_key(finding) for window in windows for finding in window.findings})
    alerts = [alert for key in keys for alert in _alerts_of(model, key, windows, thresholds)]
    return tuple(sorted(alerts, key=lambda alert: (alert.window_start, alert.kind, alert.column, alert.metric)))


def _key(finding: Finding) -> tuple[str, str, str, str]:
    return finding.kind, finding.segment, finding.column, finding.metric


def _alerts_of(
    model: str, key: tuple[str, str, str, str], windows: Sequence[WindowResult], thresholds: Thresholds
) -> list[Alert]:
    alerts: list[Alert] = []
    current: Alert | None = None
    hits: list[Finding | None] = []
    for window in windows:
        hit = next((f for f in window.findings if _key(f) == key), None)
        hits.append(hit)
        recent = hits[-thresholds.windows :]
        if current is None and hit is not None and sum(h is not None for h in recent) >= thresholds.findings:
            current = _open(model, hit, window)
        elif current is not None and hit is not None:
            current = replace(current, last_window=window.window_start)
        elif current is not None and len(recent) == thresholds.windows and not any(recent):
            alerts.append(replace(current, state="healed"))
            current = None
    return alerts if current is None else [*alerts, current]


def _open(model: str, finding: Finding, window: WindowResult) -> Alert:
    what = f"{finding.metric} of {finding.column}" if finding.column else finding.metric
    what += f" where {finding.segment}" if finding.segment else ""
    side = "fell below" if finding.kind == "performance" else "reached"
    message = (
        f"{model}: {what} was {finding.figure:.3g} in the window from {window.window_start}; it {side} its threshold "
        f"{finding.threshold:.3g}."
    )
    return Alert(
        model,
        finding.kind,
        finding.column,
        finding.metric,
        finding.figure,
        finding.threshold,
        window.window_start,
        window.window_end,
        window.window_start,
        "open",
        message,
        finding.segment,
    )
