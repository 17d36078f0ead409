"""Measuring: every figure of a window, from its profile and the reference's, without judgement."""

from __future__ import annotations

from datetime import datetime

from modelops_jupyter.monitoring.drift import jensen_shannon, psi
from modelops_jupyter.monitoring.figure import Figure
from modelops_jupyter.monitoring.performance import performance
from modelops_jupyter.monitoring.quality import null_rate, unseen_rate
from modelops_jupyter.monitoring.results import WindowResult
from modelops_jupyter.profiles import Profile, Reference


def measure_window(reference: Reference, current: Profile, start: datetime, end: datetime) -> WindowResult:
    """Compute every figure of a window; its findings are for `judge_window` to say."""
    binning = reference.binning
    realised = performance(current, binning.task, binning.positive)
    drift: dict[str, dict[str, Figure]] = {}
    for name, before in reference.profile.columns.items():
        now, column = current.columns[name], binning.columns[name]
        drift[name] = {
            "psi": psi(before, now, column),
            "jensen_shannon": jensen_shannon(before, now, column),
            "null_rate": null_rate(now),
        }
        if before.kind == "category":
            drift[name]["unseen_rate"] = unseen_rate(now)
    return WindowResult(
        window_start=start.isoformat(),
        window_end=end.isoformat(),
        rows=current.rows,
        labelled=current.outcomes.labelled,
        versions={str(version): rows for version, rows in sorted(current.versions.items())},
        performance={name: figure.to_dict() for name, figure in realised.items()},
        drift={name: {m: figure.to_dict() for m, figure in metrics.items()} for name, metrics in drift.items()},
        findings=(),
    )
