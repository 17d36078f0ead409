"""The read model of a monitor: what lists and small charts show, so that they never read a window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelops_jupyter.monitoring.record.results import WindowResult

LINE_POINTS = 60
# What a model is judged by first.
PREFERRED = ("roc_auc", "mean_absolute_error", "root_mean_squared_error", "accuracy")


def summarise(
    now: Sequence[WindowResult],
    *,
    past: Sequence[WindowResult] = (),
    replaced: Sequence[WindowResult] = (),
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return ``windows`` and ``realised`` (how many have a performance figure), ``metric`` and its last ``line``.

    Windows without a figure are None in the line; a model without labels has no metric. ``metrics`` are those that have
    ever had a figure.

    Parameters
    ----------
    now
        All windows, or those from some start on, where `before` is the summary before they were judged, `replaced`
        what they were then, and `past` the last windows before them.
    """
    before = before or {"windows": 0, "realised": 0, "metrics": ()}
    known = {*before["metrics"], *(name for window in now for name in _realised(window))}
    metric = next((name for name in (*PREFERRED, *sorted(known)) if name in known), None)
    shown = [*past, *now][-LINE_POINTS:]
    return {
        "windows": before["windows"] - len(replaced) + len(now),
        "realised": before["realised"] + sum(map(bool, map(_realised, now))) - sum(map(bool, map(_realised, replaced))),
        "metric": metric,
        "metrics": sorted(known),
        "line": [w.performance.get(metric, {}).get("value") for w in shown] if metric else [],
    }


def _realised(window: WindowResult) -> list[str]:
    return [name for name, figure in window.performance.items() if figure.get("value") is not None]
