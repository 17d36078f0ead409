"""Making MLflow show what is on record, one difference at a time, and saying which of them stay."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.aliases import (
    Difference,
    MissingModel,
    differences,
    forget_solved,
    keys_of,
    ledger,
    project_alias,
    put_on_record,
    restore,
    solved,
)
from modelops_jupyter.errors import Conflict, RegistryDamaged
from modelops_jupyter.listing import Listing
from modelops_jupyter.wording import count

if TYPE_CHECKING:
    from modelops_jupyter.actor import Actor
    from modelops_jupyter.registry import Registry
    from modelops_jupyter.settings import Settings
    from modelops_jupyter.store import Store

COLUMNS = ("model", "alias", "shown", "recorded", "foreign", "put_right", "what")


@dataclass(frozen=True)
class Reconciliation(Listing):
    """What MLflow did not show as it is on record: a row each, with ``put_right`` and, where it is not, what to do."""

    @property
    def left(self) -> int:
        """How many differences are still there."""
        return sum(not row["put_right"] for row in self.rows)

    @property
    def exit_code(self) -> int:
        """0, or 1 where a difference is still there."""
        return 1 if self.left else 0


def reconcile(store: Store, registry: Registry, settings: Settings, actor: Actor) -> Reconciliation:
    """Make MLflow's models and aliases what the ledger says; see `Workspace.reconcile`."""
    rows = []
    found = differences(store, registry)
    forget_solved(store, keys_of(found).__contains__)  # what somebody else has put right
    for difference in found:
        put_on_record(store, settings, actor, difference)
        trouble = _settle(store, registry, difference)
        if not trouble:
            solved(store, difference)
        rows.append({**asdict(difference), "put_right": not trouble, "what": _sentence(difference, trouble)})
    settled = {(row["model"], row["alias"]) for row in rows if row["put_right"]}
    seen = {(row["model"], row["alias"]) for row in rows}
    for difference in differences(store, registry) if settled else ():  # of a model that was made again, its aliases
        if (difference.model, difference.alias) not in seen:
            put_on_record(store, settings, actor, difference)
            what = _sentence(difference, difference.advice)
            rows.append({**asdict(difference), "put_right": False, "what": what})
    return Reconciliation(_title(rows), COLUMNS, tuple(rows), "MLflow shows every alias as it is on record.")


def _title(rows: list[dict[str, Any]]) -> str:
    left = sum(not row["put_right"] for row in rows)
    if not left:
        return "Put right in MLflow"
    done = len(rows) - left
    also = f"; {count(done, 'difference')} put right" if done else ""
    return f"MLflow still differs from the record in {count(left, 'place')}{also}"


def _sentence(difference: Difference | MissingModel, trouble: str) -> str:
    return f"{difference}: {trouble.rstrip('.')}" if trouble else str(difference)


def _settle(store: Store, registry: Registry, difference: Difference | MissingModel) -> str:
    """Put one difference right; return what is in the way and what to do, so that the others are put right."""
    try:
        if isinstance(difference, MissingModel):
            restore(store, registry, difference.model)
        elif difference.obstacle:
            return difference.advice
        elif difference.recorded is None:
            registry.set_alias(difference.model, difference.alias, None)
            if (difference.model, difference.alias) in ledger(store, "alias"):  # promoted meanwhile
                project_alias(store, registry, difference.model, difference.alias)
        else:
            project_alias(store, registry, difference.model, difference.alias)
    except (RegistryDamaged, Conflict) as error:  # the latter: another process is at it
        return str(error)
    return ""
