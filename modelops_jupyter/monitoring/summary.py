"""The read model of a monitor: what lists and small charts show, so that they never read a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelops_jupyter.monitoring.results import WindowResult

LINE_POINTS = 60
# What a model is judged by first.
PREFERRED = ("roc_auc", "mean_absolute_error", "root_mean_squared_error", "accuracy")


def summarise(windows: Sequence[WindowResult]) -> dict[str, Any]:
    """Return ``windows`` and ``realised`` (how many have a performance figure), ``metric`` and its last ``line``.

    Windows without a figure are None in the line; a model without labels has no metric.
    """
    realised = sum(any(f.get("value") is not None for f in window.performance.values()) for window in windows)
    metric = _metric(windows)
    line = [w.performance.get(metric, {}).get("value") for w in windows[-LINE_POINTS:]] if metric else []
    return {"windows": len(windows), "realised": realised, "metric": metric, "line": line}


def _metric(windows: Sequence[WindowResult]) -> str | None:
    known = {
        name for window in windows for name, figure in window.performance.items() if figure.get("value") is not None
    }
    return next((name for name in (*PREFERRED, *sorted(known)) if name in known), None)
