"""Judging: pure functions from profiles to findings, and from findings to alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from modelops_jupyter.monitoring.results import Alert, Finding, Thresholds, WindowResult
from modelops_jupyter.monitoring.statistics import (
    Figure,
    jensen_shannon,
    null_rate,
    performance,
    psi,
    unseen_rate,
)
from modelops_jupyter.profiles import Profile, Reference


def judge_window(
    reference: Reference, current: Profile, start: datetime, end: datetime, thresholds: Thresholds
) -> WindowResult:
    """Compute every figure of a window and compare it with its threshold."""
    binning = reference.binning
    realised = performance(current, binning.task, binning.positive)
    expected = performance(reference.profile, binning.task, binning.positive)
    findings = list(_performance_findings(realised, expected, thresholds))
    drift: dict[str, dict[str, Figure]] = {}
    for name, before in reference.profile.columns.items():
        now = current.columns[name]
        drift[name] = {
            "psi": psi(before, now),
            "jensen_shannon": jensen_shannon(before, now),
            "null_rate": null_rate(now),
        }
        if before.kind == "category":
            drift[name]["unseen_rate"] = unseen_rate(now)
        limits = {
            "psi": ("drift", thresholds.psi),
            "null_rate": ("quality", (null_rate(before).value or 0.0) + thresholds.null_rate_rise),
            "unseen_rate": ("quality", thresholds.unseen_rate),
        }
        for metric, (kind, limit) in limits.items():
            value = drift[name][metric].value if metric in drift[name] else None
            if value is not None and value >= limit:
                findings.append(Finding(kind, name, metric, value, limit))
    return WindowResult(
        window_start=start.isoformat(),
        window_end=end.isoformat(),
        rows=current.rows,
        labelled=current.scores.labelled,
        versions={str(version): rows for version, rows in sorted(current.versions.items())},
        performance={name: figure.to_dict() for name, figure in realised.items()},
        drift={name: {m: figure.to_dict() for m, figure in metrics.items()} for name, metrics in drift.items()},
        findings=tuple(findings) if current.rows >= thresholds.rows else (),
    )


def _performance_findings(
    realised: dict[str, Figure], expected: dict[str, Figure], thresholds: Thresholds
) -> list[Finding]:
    now, before = realised.get("roc_auc"), expected.get("roc_auc")
    if now is None or before is None or now.value is None or before.value is None:
        return []
    limit = before.value - thresholds.auc_drop
    return [Finding("performance", "", "roc_auc", now.value, limit)] if now.value < limit else []


def raise_alerts(model: str, windows: Sequence[WindowResult], thresholds: Thresholds) -> tuple[Alert, ...]:
    """Fold findings into alerts: one per kind, column and metric, opened by N of M, closed by M clean windows."""
    keys = sorted({(f.kind, f.column, f.metric) for window in windows for f in window.findings})
    alerts = [alert for key in keys for alert in _alerts_of(model, key, windows, thresholds)]
    return tuple(sorted(alerts, key=lambda alert: (alert.window_start, alert.kind, alert.column, alert.metric)))


def _alerts_of(
    model: str, key: tuple[str, str, str], windows: Sequence[WindowResult], thresholds: Thresholds
) -> list[Alert]:
    alerts: list[Alert] = []
    current: Alert | None = None
    hits: list[Finding | None] = []
    for window in windows:
        hit = next((f for f in window.findings if (f.kind, f.column, f.metric) == key), None)
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
    )
