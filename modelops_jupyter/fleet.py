"""The fleet: one line per model, read from the store alone so that a page of a thousand is quick."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelops_jupyter.store import Store

SPARKLINE_POINTS = 60
# What a model is judged by first; stored figures come in alphabetical order.
PREFERRED = ("roc_auc", "mean_absolute_error", "root_mean_squared_error", "accuracy")


@dataclass(frozen=True)
class ModelSummary:
    """One model at a glance.

    Attributes
    ----------
    health : {"unknown", "healthy", "warning", "alert"}
        unknown: never monitored; warning: an open drift or quality alert; alert: an open performance alert.
    metric : str or None
        What `sparkline` shows, oldest first; None where a window has no figure.
    """

    name: str
    kind: str
    champion: int | None
    versions: int
    health: str
    open_alerts: int
    last_window: str | None
    metric: str | None
    sparkline: tuple[float | None, ...]


def read_fleet(store: Store, only: str | None = None) -> tuple[ModelSummary, ...]:
    """Return a summary of every model, or of `only` one, by name."""
    champions = {r.body["name"]: r.body["version"] for r in store.find("alias") if r.body["alias"] == "champion"}
    versions: dict[str, int] = defaultdict(int)
    for record in store.find("version"):
        versions[record.subject] += 1
    alerts: dict[str, list[str]] = defaultdict(list)
    for record in store.find("alert"):
        if record.body["state"] == "open":
            alerts[record.subject].append(record.body["kind"])
    through = {record.subject: record.body["through"] for record in store.find("monitor")}
    summaries = []
    for record in store.find("model"):
        name = record.key
        if only not in (None, name):
            continue
        metric, line = _sparkline([w.body for w in store.find("window", name)] if name in through else [])
        summaries.append(
            ModelSummary(
                name=name,
                kind=record.body["kind"],
                champion=champions.get(name),
                versions=versions[name],
                health=_health(name in through, alerts[name]),
                open_alerts=len(alerts[name]),
                last_window=through.get(name),
                metric=metric,
                sparkline=line,
            )
        )
    return tuple(summaries)


def _health(monitored: bool, kinds: list[str]) -> str:
    if not monitored:
        return "unknown"
    if "performance" in kinds:
        return "alert"
    return "warning" if kinds else "healthy"


def _sparkline(windows: list[Mapping[str, Any]]) -> tuple[str | None, tuple[float | None, ...]]:
    """Return the best known performance metric that has figures, and its last values."""
    recent = windows[-SPARKLINE_POINTS:]
    known = dict.fromkeys(name for window in recent for name in window["performance"])
    for metric in sorted(known, key=lambda name: PREFERRED.index(name) if name in PREFERRED else len(PREFERRED)):
        values = tuple(window["performance"].get(metric, {}).get("value") for window in recent)
        if any(value is not None for value in values):
            return metric, values
    return None, ()
