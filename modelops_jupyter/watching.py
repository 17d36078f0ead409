"""Watching a model: the monitor's runs as the workspace starts them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelops_jupyter import registration
from modelops_jupyter.actor import Actor
from modelops_jupyter.settings import Settings

if TYPE_CHECKING:
    from modelops_jupyter.log import PredictionLog
    from modelops_jupyter.monitoring import Backtest, MonitorReport
    from modelops_jupyter.store import Store


def monitor(
    store: Store,
    log: PredictionLog,
    settings: Settings,
    actor: Actor,
    name: str,
    every: str,
    segments: Sequence[str] | None,
    alert_budget: str | None,
) -> MonitorReport:
    """See `Workspace.monitor`."""
    from modelops_jupyter.monitoring import alert_rules, run_monitor, watched_segments

    rules = alert_rules(store, name, every, alert_budget, settings.alert_budget)
    watched = watched_segments(store, name, every, segments)
    references = registration.references(store, name, watched)
    return run_monitor(
        name, store=store, log=log, references=references, every=every, segments=watched, rules=rules, actor=actor
    )


def backtest(store: Store, settings: Settings, name: str, every: str, budget: str | None) -> Backtest:
    """See `Workspace.backtest`."""
    from modelops_jupyter.monitoring import alert_rules, run_backtest, stored_profiles

    registration.find_version(store, name)
    rules = alert_rules(store, name, every, budget, settings.alert_budget)
    references = registration.references(store, name, ())
    return run_backtest(name, references, stored_profiles(store, name, every), rules, every)
