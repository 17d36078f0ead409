"""Aliases as MLflow shows them: a projection of our ledger, which has the last word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelops_jupyter.errors import DependencyFailed

if TYPE_CHECKING:
    from modelops_jupyter.registry import Registry
    from modelops_jupyter.store import Store


def project_aliases(store: Store, registry: Registry) -> tuple[str, ...]:
    """Make MLflow's aliases what the ledger says; return what had been moved behind our back."""
    moved = []
    for model in store.find("model"):
        ledger = {r.body["alias"]: r.body["version"] for r in store.find("alias", model.key)}
        shown = registry.aliases(model.key) if ledger else {}
        for alias, version in ledger.items():
            if shown.get(alias) != version:
                project_alias(store, registry, model.key, alias)
                moved.append(f"{model.key}@{alias}")
    return tuple(moved)


def project_alias(store: Store, registry: Registry, name: str, alias: str) -> None:
    """Make one alias in MLflow what the ledger says, also when the ledger moves meanwhile.

    MLflow keeps whatever is written last; whoever writes looks at the ledger once more, so the last word is the
    ledger's.

    Raises
    ------
    DependencyFailed
        If MLflow fails: the ledger has moved then, and `status` shows the alias once MLflow is back.
    """

    def ledger() -> int | None:
        record = store.get("alias", f"{name}@{alias}")
        return None if record is None else record.body["version"]

    shown, wanted = None, ledger()
    while wanted is not None and shown != wanted:
        try:
            registry.set_alias(name, alias, wanted)
        except DependencyFailed as error:
            raise type(error)(
                f"{name}@{alias} is version {wanted} on record, but MLflow does not show it yet: {error} "
                "Then run `modelops status`, which puts MLflow right."
            ) from error
        shown, wanted = wanted, ledger()
