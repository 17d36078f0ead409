"""Aliases as MLflow shows them: a projection of our ledger, which has the last word."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import Conflict, DependencyFailed
from modelops_jupyter.listing import Listing

if TYPE_CHECKING:
    from modelops_jupyter.actor import Actor
    from modelops_jupyter.registry import Registry
    from modelops_jupyter.settings import Settings
    from modelops_jupyter.store import Store


@dataclass(frozen=True)
class Difference:
    """An alias that MLflow does not show as it is on record.

    Attributes
    ----------
    shown, recorded : int or None
        The version it is at in MLflow and in the ledger, None where there is no such alias.
    foreign : bool
        Somebody else moved it; False where MLflow has not yet followed a move of ours.
    """

    model: str
    alias: str
    shown: int | None
    recorded: int | None
    foreign: bool

    def __str__(self) -> str:
        recorded = f"version {self.recorded} on record" if self.recorded else "not on record"
        shown = f"shows it at version {self.shown}" if self.shown else "does not show it"
        return f"{self.model}@{self.alias} is {recorded}, but MLflow {shown}"


def differences(store: Store, registry: Registry) -> tuple[Difference, ...]:
    """Return where MLflow's aliases are not what the ledger says; nothing is written."""
    if not store.find("model", bodies=False):
        return ()
    before, confirmed = _ledger(store, "alias"), _ledger(store, "projection")
    everything = registry.aliases({record.key for record in store.find("model", bodies=False)})
    after = _ledger(store, "alias")
    shown = {(model, alias): at for model, aliases in everything.items() for alias, at in aliases.items()}
    return tuple(
        Difference(*key, shown.get(key), after.get(key), confirmed.get(key) == after.get(key))
        for key in sorted({*shown, *after})
        if shown.get(key) != after.get(key) and before.get(key) == after.get(key)  # else it is being moved now
    )


def reconcile(store: Store, registry: Registry, settings: Settings, actor: Actor) -> Listing:
    """Make MLflow's aliases what the ledger says; see `Workspace.reconcile`."""
    found = differences(store, registry)
    for difference in found:
        _put_on_record(store, settings, actor, difference)
        if difference.recorded is None:
            registry.set_alias(difference.model, difference.alias, None)
        else:
            project_alias(store, registry, difference.model, difference.alias)
    rows = tuple(asdict(difference) for difference in found)
    columns = ("model", "alias", "shown", "recorded", "foreign")
    return Listing("Aliases put right in MLflow", columns, rows, "MLflow shows every alias as it is on record.")


def project_alias(store: Store, registry: Registry, name: str, alias: str) -> None:
    """Make one alias in MLflow what the ledger says, also when the ledger moves meanwhile.

    MLflow keeps whatever is written last; whoever writes looks at the ledger once more, so the last word is the
    ledger's. That MLflow followed is put down: whatever it shows from then on is another's doing.

    Raises
    ------
    DependencyFailed
        If MLflow fails: the ledger has moved then, and `reconcile` shows the alias once MLflow is back.
    """
    from modelops_jupyter.store import Change, Put

    key = f"{name}@{alias}"

    def ledger() -> int | None:
        record = store.get("alias", key)
        return None if record is None else record.body["version"]

    shown, wanted = None, ledger()
    while wanted is not None and shown != wanted:
        try:
            registry.set_alias(name, alias, wanted)
        except DependencyFailed as error:
            raise type(error)(
                f"{key} is version {wanted} on record, but MLflow does not show it yet: {error} "
                "Then run `modelops reconcile`, which puts MLflow right."
            ) from error
        shown, wanted = wanted, ledger()
    body = {"name": name, "alias": alias, "version": shown}
    store.commit(Change(puts=(Put("projection", key, body, subject=name),)))


def _ledger(store: Store, kind: str) -> Mapping[tuple[str, str], int]:
    found = (record.body for record in store.find(kind))
    return {(body["name"], body["alias"]): body["version"] for body in found if body["version"]}


def _put_on_record(store: Store, settings: Settings, actor: Actor, difference: Difference) -> None:
    """Write an audit entry and, where somebody else moved the alias, an incident: before it is put right."""
    from modelops_jupyter.monitoring.incidents.cases import message_of, monitoring_incident
    from modelops_jupyter.store import Change, Event, Put

    model, at = difference.model, datetime.now(UTC).isoformat()
    event = Event("reconcile", f"{model}@{difference.alias}", actor.name, actor.assurance, _details(difference))
    if not difference.foreign:
        store.commit(Change(event=event))
        return
    identity = f"{model}:{hashlib.sha256(f'{difference} {at[:16]}'.encode()).hexdigest()[:8]}"
    actions = (
        f"See in MLflow who moved it: until now, whoever loaded models:/{model}@{difference.alias} from MLflow got it.",
        "Move aliases with `modelops promote` and `modelops rollback` alone.",
    )
    use_case = settings.use_cases.get(model)
    owner = use_case.owner if use_case else None
    body = monitoring_incident(identity, model, str(difference), actions, at, at, owner, cause="registry")
    put = Put("incident", identity, body, subject=model, expected_revision=0)
    with suppress(Conflict):  # another process has said so this minute
        store.commit(Change(puts=(put,), event=event, outbox=(message_of(body, "opened"),)))


def _details(difference: Difference) -> dict[str, Any]:
    return {name: getattr(difference, name) for name in ("shown", "recorded", "foreign")}
