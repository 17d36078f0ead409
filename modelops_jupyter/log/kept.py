"""What the store knows of a log: that there is one, so that a table that has vanished is never taken for a new one."""

from __future__ import annotations

from modelops_jupyter.errors import LogDamaged
from modelops_jupyter.log.prediction_log import TABLES, PredictionLog
from modelops_jupyter.store import Change, Put, Store


def keep(store: Store, model: str, table: str) -> None:
    """Put on record that `table` of a model's log has rows; once, at its first batch."""
    key = f"{model}/{table}"
    if store.get("log", key) is None:
        store.commit(Change(puts=(Put("log", key, {"model": model, "table": table}, subject=model),)))


def check_kept(store: Store, log: PredictionLog, model: str) -> None:
    """Raise `LogDamaged` if a table that is on record is not there."""
    for table in TABLES:
        if store.get("log", f"{model}/{table}") is not None and not log.holds(model, table):
            raise LogDamaged(
                f"{log.path(model, table)} is gone, but rows were written there: restore it from a backup."
            )
