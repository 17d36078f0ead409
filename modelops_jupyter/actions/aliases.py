"""Models and aliases as MLflow shows them: a projection of our ledger, which has the last word."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.obstacles import RECONCILE, in_its_place, mlflow_obstacle
from modelops_jupyter.actions.restoration import KIND, is_going_on, restoring
from modelops_jupyter.actions.versions import mlflow_mark, version_key
from modelops_jupyter.errors import Conflict, DependencyFailed, RegistryDamaged
from modelops_jupyter.wording import count

if TYPE_CHECKING:
    from modelops_jupyter.actor import Actor
    from modelops_jupyter.registry import Registry
    from modelops_jupyter.settings import Settings
    from modelops_jupyter.store import Store

_UNSOLVED = "difference"


@dataclass(frozen=True)
class Difference:
    """An alias that MLflow does not show as it is on record.

    Attributes
    ----------
    shown, recorded : int or None
        The version it is at in MLflow and in the ledger, None where there is no such alias.
    foreign : bool
        Somebody else moved it; False where MLflow has not yet followed a move of ours.
    obstacle : str
        Why MLflow cannot show it as it is on record: the version was deleted there. Empty where it can.
    """

    model: str
    alias: str
    shown: int | None
    recorded: int | None
    foreign: bool
    obstacle: str = ""

    def __str__(self) -> str:
        recorded = f"version {self.recorded} on record" if self.recorded else "not on record"
        shown = f"shows it at version {self.shown}" if self.shown else "does not show it"
        return f"{self.model}@{self.alias} is {recorded}, but {self.obstacle or f'MLflow {shown}'}"

    @property
    def advice(self) -> str:
        """What to do next."""
        if not self.obstacle:
            return RECONCILE
        return in_its_place(self.model, self.recorded or 0)

    @property
    def actions(self) -> tuple[str, ...]:
        """What to do about the incident."""
        return (
            "See in MLflow who moved it: until now, whoever loaded "
            f"models:/{self.model}@{self.alias} from MLflow got it.",
            f"{self.advice[:1].upper()}{self.advice[1:]}."
            if self.obstacle
            else "Move aliases with `modelops promote` and `modelops rollback` alone.",
        )


@dataclass(frozen=True)
class MissingModel:
    """A model on record that MLflow no longer has under its name.

    Attributes
    ----------
    versions : int
        How many are on record.
    now_called : tuple of str
        Models in MLflow that hold versions of its runs: it was renamed or copied there.
    incomplete : bool
        It is there under its name, but not all of its versions: it was not made again whole.
    foreign : bool
        Somebody else did so; False where an attempt of ours to make it again did not finish, which is on record.
    """

    model: str
    versions: int
    now_called: tuple[str, ...] = ()
    alias: str = ""
    shown: int | None = None
    recorded: int | None = None
    foreign: bool = True
    incomplete: bool = False

    def __str__(self) -> str:
        if self.incomplete:
            return (
                f"{self.model} was deleted in MLflow and made there again only in part; its "
                f"{count(self.versions, 'version')} on record can still be loaded"
            )
        done = f"was renamed to {self.now_called[0]!r}" if self.now_called else "was deleted"
        return f"{self.model} {done} in MLflow; its {count(self.versions, 'version')} on record can still be loaded"

    @property
    def advice(self) -> str:
        """What to do next."""
        return f"{RECONCILE}, which makes {'the rest of it' if self.incomplete else 'the model'} there again"

    @property
    def actions(self) -> tuple[str, ...]:
        """What to do about the incident."""
        return (
            "Find out who did so, and which jobs load the model from MLflow.",
            "To take a model out of service, reject its versions: what is on record stays.",
        )


def differences(store: Store, registry: Registry) -> tuple[Difference | MissingModel, ...]:
    """Return where MLflow does not show what the ledger says; nothing is written."""
    models = {record.key: record.body for record in store.find("model")}
    if not models:
        return ()
    before, confirmed = ledger(store, "alias"), ledger(store, "projection")
    recorded, restored_before = _highest_recorded(store), _restorations(store)
    everything = registry.aliases({*models})
    after, restored = ledger(store, "alias"), {**restored_before, **_restorations(store)}
    shown = {(model, alias): at for model, aliases in everything.items() for alias, at in aliases.items()}
    # What adoption could not take is MLflow's, until the alias is ours.
    left = {(model, alias): at for model, body in models.items() for alias, at in body.get("aliases_left", {}).items()}
    moved = [
        (key, shown.get(key), after.get(key), confirmed.get(key) == after.get(key))
        for key in sorted({*shown, *after})
        if key[0] in everything
        and key[0] not in restored  # whose aliases come last
        and shown.get(key) != after.get(key)
        and before.get(key) == after.get(key)  # else it is being moved now
        and (key in after or left.get(key) != shown.get(key))
    ]
    missing = (_missing(store, registry, name) for name in sorted({*models} - {*everything}))
    incomplete = (
        MissingModel(
            name, len(store.find("version", name, bodies=False)), foreign=name not in restored, incomplete=True
        )
        for name in sorted(_incomplete(models, recorded, registry.highest_numbers()) | {*restored})
        if name in everything and not restored.get(name, False)
    )
    return (
        *missing,
        *incomplete,
        *(Difference(*key, at, to, foreign, _obstacle(store, registry, key[0], to)) for key, at, to, foreign in moved),
    )


def _incomplete(
    models: Mapping[str, Mapping[str, Any]], recorded: Mapping[str, int], given: Mapping[str, int]
) -> set[str]:
    """Return the models with versions on record under numbers that MLflow has not given, as far as it tells."""
    highest = {name: given.get(str(body.get("mlflow_name", name))) for name, body in models.items()}
    return {name for name, number in highest.items() if number is not None and number < recorded.get(name, 0)}


def _highest_recorded(store: Store) -> Mapping[str, int]:
    """Return the highest number on record of each model; MLflow gives a number before it goes on record."""
    highest: dict[str, int] = {}
    for record in store.find("version", bodies=False):
        number = int(record.key.rpartition("/")[2])
        highest[record.subject] = max(number, highest.get(record.subject, 0))
    return highest


def _restorations(store: Store) -> dict[str, bool]:
    """Return the models that are being made again in MLflow, and whether a process is at it now."""
    return {record.key: is_going_on(record.body) for record in store.find(KIND)}


def _obstacle(store: Store, registry: Registry, name: str, version: int | None) -> str:
    """Return why MLflow cannot show the version that has an alias on record, as half a sentence; empty where it can."""
    record = None if version is None else store.get("version", version_key(name, version))
    obstacle = None if record is None else mlflow_obstacle(registry, record.body)
    return "" if obstacle is None else obstacle.what


def _mark(store: Store, name: str, version: int) -> dict[str, str]:
    record = store.get("version", version_key(name, version))
    return {} if record is None else mlflow_mark(record.body)


def _missing(store: Store, registry: Registry, name: str) -> MissingModel:
    from modelops_jupyter.registry.registry import run_of

    bodies = [record.body for record in store.find("version", name)]
    own = {run_of(body) for body in bodies if not body.get("adopted")}  # others may share the run of an adopted one
    return MissingModel(name, len(bodies), registry.now_called(name, own))


def restore_model(store: Store, registry: Registry, settings: Settings, actor: Actor, name: str) -> None:
    """Make a model that is on record and was deleted in MLflow there again, so that numbers go on where they were.

    It becomes an incident, as in `reconcile`.
    """
    if store.get("model", name) is None:
        return
    missing = None if registry.has_model(name) else _missing(store, registry, name)
    if missing is not None:
        put_on_record(store, settings, actor, missing)
    elif name not in _restorations(store):
        return
    restore(store, registry, name)
    if missing is not None:
        solved(store, missing)


def restore(store: Store, registry: Registry, name: str) -> None:
    """Make a model again in MLflow, with those of its aliases that MLflow can show.

    Raises
    ------
    RegistryDamaged
        If no version's artifact is left, or another tool registers versions of it meanwhile.
    Conflict
        If another process is at it.
    """
    with restoring(store, name) as restoration:
        bodies = [record.body for record in store.find("version", name)]
        registry.restore(name, bodies, restoration.highest, restoration.renew)
        for record in store.find("alias", name):
            version = record.body["version"]
            if version and not _obstacle(store, registry, name, version):
                project_alias(store, registry, name, record.body["alias"])


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

    def recorded() -> int | None:
        record = store.get("alias", key)
        return None if record is None else record.body["version"]

    shown, wanted = None, recorded()
    while wanted is not None and shown != wanted:
        try:
            registry.set_alias(name, alias, wanted, **_mark(store, name, wanted))
        except RegistryDamaged as error:
            reason = str(error).rstrip(".")
            raise RegistryDamaged(
                f"{key} is version {wanted} on record, but MLflow cannot show it ({reason}): "
                f"{in_its_place(name, wanted)}."
            ) from error
        except DependencyFailed as error:
            raise type(error)(
                f"{key} is version {wanted} on record, but MLflow does not show it yet: {error} "
                "Then run `modelops reconcile`, which puts MLflow right."
            ) from error
        shown, wanted = wanted, recorded()
    body = {"name": name, "alias": alias, "version": shown}
    store.commit(Change(puts=(Put("projection", key, body, subject=name),)))


def ledger(store: Store, kind: str) -> Mapping[tuple[str, str], int]:
    """Return the version that is on record under each model and alias: of kind ``alias``, or ``projection``."""
    found = (record.body for record in store.find(kind))
    return {(body["name"], body["alias"]): body["version"] for body in found if body["version"]}


def put_on_record(store: Store, settings: Settings, actor: Actor, difference: Difference | MissingModel) -> None:
    """Write an audit entry and, where somebody else changed MLflow, an incident: before it is put right.

    Once: what is still so in the next round is the same incident until `solved`, and what comes again is another one.
    """
    from modelops_jupyter.monitoring.incidents.cases import message_of, monitoring_incident
    from modelops_jupyter.store import Change, Event, Put

    model, at = difference.model, datetime.now(UTC).isoformat()
    subject = f"{model}@{difference.alias}" if difference.alias else model
    event = Event("reconcile", subject, actor.name, actor.assurance, _details(difference))
    if not difference.foreign:
        store.commit(Change(event=event))
        return
    key, what = _key(difference), str(difference)
    before = store.get(_UNSOLVED, key)
    if before is not None and before.body["what"] == what:
        return
    identity = f"{model}:{hashlib.sha256(f'{what} {at}'.encode()).hexdigest()[:8]}"
    use_case = settings.use_cases.get(model)
    owner = use_case.owner if use_case else None
    body = monitoring_incident(identity, model, str(difference), difference.actions, at, at, owner, cause="registry")
    put = Put("incident", identity, body, subject=model, expected_revision=0)
    unsolved = Put(_UNSOLVED, key, {"what": what}, model, 0 if before is None else before.revision)
    with suppress(Conflict):  # another process was first to say so
        store.commit(Change(puts=(put, unsolved), event=event, outbox=(message_of(body, "opened"),)))


def solved(store: Store, difference: Difference | MissingModel) -> None:
    """Put down that MLflow shows what is on record again: what is seen from now on is news."""
    forget_solved(store, lambda key: key != _key(difference))


def forget_solved(store: Store, is_unsolved: Callable[[str], bool]) -> None:
    """Forget differences that were told and are no more."""
    from modelops_jupyter.store import Change, Delete

    gone = [Delete(_UNSOLVED, r.key) for r in store.find(_UNSOLVED, bodies=False) if not is_unsolved(r.key)]
    if gone:
        store.commit(Change(deletes=tuple(gone)))


def keys_of(found: Iterable[Difference | MissingModel]) -> set[str]:
    """Return what tells differences apart from round to round."""
    return {_key(difference) for difference in found}


def _key(difference: Difference | MissingModel) -> str:
    return f"{difference.model}@{difference.alias}"


def _details(difference: Difference | MissingModel) -> dict[str, Any]:
    details = {name: getattr(difference, name) for name in ("shown", "recorded", "foreign")}
    return {**details, "what": str(difference)} if isinstance(difference, MissingModel) else details
