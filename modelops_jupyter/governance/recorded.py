"""Metrics on a version's record: which were measured by us, which were only claimed, and how both are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from modelops_jupyter.wording import count, figure_text, short

MEASURED, CLAIMED = "measured", "claimed"
# A claim that is further than this from the measured value, relative to it, is shown beside it.
CLEARLY = 0.01
SAME = {"f1_score": "f1"}  # another name in MLflow's evaluators
ORDER = (
    "roc_auc", "accuracy", "balanced_accuracy", "f1", "precision", "recall", "average_precision", "brier_score",
    "log_loss", "r2", "mean_absolute_error", "root_mean_squared_error", "mean_squared_error",
)  # fmt: skip


@dataclass(frozen=True)
class RecordedMetric:
    """One metric of a version.

    Attributes
    ----------
    source : {"measured", "claimed"}
    claimed : float or None
        What was claimed of a measured metric, where that clearly differs.
    """

    name: str
    value: float
    source: str
    claimed: float | None = None


def recorded_metrics(version: Mapping[str, Any]) -> tuple[RecordedMetric, ...]:
    """Return the metrics on record, those first that are looked at first."""
    measured = measured_metrics(version)

    def place(name: str) -> tuple[int, str]:
        return (ORDER.index(name) if name in ORDER else len(ORDER)), name

    return tuple(
        RecordedMetric(name, float(value), MEASURED, differing_claim(version, name))
        if name in measured
        else RecordedMetric(name, float(value), CLAIMED)
        for name, value in sorted(version.get("metrics", {}).items(), key=lambda item: place(item[0]))
    )


def measured_metrics(version: Mapping[str, Any]) -> Mapping[str, float]:
    """Return what was measured, by name."""
    found: Mapping[str, float] = (version.get("measured") or {}).get("metrics", {})
    return found


def measured_value(version: Mapping[str, Any], metric: str) -> float | None:
    """Return one measured metric."""
    return measured_metrics(version).get(SAME.get(metric, metric))


def differing_claim(version: Mapping[str, Any], metric: str) -> float | None:
    """Return the claim of a measured metric if it clearly differs."""
    measured, claimed = measured_value(version, metric), (version.get("claimed") or {}).get(metric)
    if measured is None or claimed is None or abs(claimed - measured) <= CLEARLY * max(abs(measured), CLEARLY):
        return None
    return float(claimed)


def measured_on(version: Mapping[str, Any]) -> str:
    """Return on which rows, when and by what the metrics were measured."""
    measured = version["measured"]
    rows = f"{count(measured['rows'], 'row')} (fingerprint {str(measured['fingerprint'])[:12]})"
    return f"on {rows} at {short(datetime.fromisoformat(measured['at']))} UTC by {measured['by']}"


def evidence(version: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return what is known of a version's performance as (word, text): measured, claimed, not measured."""
    known = recorded_metrics(version)
    measured = ", ".join(_figure(metric) for metric in known if metric.source == MEASURED)
    claimed = ", ".join(_figure(metric) for metric in known if metric.source == CLAIMED)
    rows = [
        (MEASURED, f"{measured}; {measured_on(version)}" if measured else ""),
        (CLAIMED, claimed),
        ("not measured", version.get("measured_reason") or ""),
    ]
    return tuple((word, text) for word, text in rows if text)


def metrics_text(version: Mapping[str, Any], most: int | None = None) -> str:
    """Return the metrics of a version on one line, each as measured or claimed; else why there are none.

    Parameters
    ----------
    most
        How many measured ones to name.

    >>> metrics_text({"metrics": {"roc_auc": 0.71234}})
    'claimed: roc_auc 0.7123'
    """
    known = recorded_metrics(version)
    measured = [metric for metric in known if metric.source == MEASURED]
    parts = []
    if measured:
        rest = len(measured) - len(measured[:most])
        words = ", ".join(_figure(metric) for metric in measured[:most]) + (f" and {rest} more" if rest else "")
        parts.append(f"measured on {count(version['measured']['rows'], 'row')}: {words}")
    claimed = [metric for metric in known if metric.source == CLAIMED]
    if claimed:
        parts.append(f"claimed: {', '.join(_figure(metric) for metric in claimed)}")
    if not parts and version.get("measured_reason"):
        parts.append(f"not measured: {version['measured_reason']}")
    return "; ".join(parts)


def audited_metrics(details: Mapping[str, Any]) -> str:
    """Return the metrics that an entry of the audit chain put on record, as `metrics_text` has them."""
    claimed, measured = details.get("claimed") or {}, details.get("measured")
    metrics = {**claimed, **(measured or {}).get("metrics", {})}
    return metrics_text({"metrics": metrics, "claimed": claimed, "measured": measured}, most=3)


def metric_text(metric: RecordedMetric) -> str:
    """Return a metric's value and where it comes from.

    >>> metric_text(RecordedMetric("roc_auc", 0.71234, "measured", claimed=0.99))
    '0.7123, measured (claimed: 0.99)'
    """
    claim = "" if metric.claimed is None else f" (claimed: {figure_text(metric.claimed, 4)})"
    return f"{figure_text(metric.value, 4)}, {metric.source}{claim}"


def _figure(metric: RecordedMetric) -> str:
    claim = "" if metric.claimed is None else f" (claimed: {figure_text(metric.claimed, 4)})"
    return f"{metric.name} {figure_text(metric.value, 4)}{claim}"
