"""The last step of a registration: MLflow's version and our record of it, both or neither.

MLflow and the store share no transaction. So what will go on record is kept first, under a token; MLflow's version
carries the same token; then the version goes on record. Whoever registers next finishes what a process that died
between the two has left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from modelops_jupyter import processes
from modelops_jupyter.actions.versions import RegisteredVersion, contract_put, unsafe_put, version_key
from modelops_jupyter.errors import ModelOpsError
from modelops_jupyter.store import Change, Delete, Event, Put

if TYPE_CHECKING:
    from modelops_jupyter.actor import Actor
    from modelops_jupyter.registry import Registry, TrainingRows
    from modelops_jupyter.store import Store


def publish(
    store: Store,
    registry: Registry,
    actor: Actor,
    facts: Mapping[str, Any],
    description: str,
    reference: Mapping[str, Any] | None,
    segments: Mapping[str, Mapping[str, Any]],
    contract: Sequence[Mapping[str, Any]],
    training: TrainingRows | None,
) -> RegisteredVersion:
    """Create the MLflow version of what was uploaded and put it on record.

    Parameters
    ----------
    facts
        Everything that goes on record but the number, which MLflow gives.
    reference, segments
        The profile of what the version was validated on, and one by each column that it is sliced by.
    contract
        What its columns held; see `scoring.input_columns`.
    training
        Hashes of the rows that it was fitted on.
    """
    token = uuid4().hex
    name = str(facts["name"])
    kept = {
        "facts": dict(facts),
        "description": description,
        "reference": reference,
        "segments": dict(segments),
        "contract": [dict(column) for column in contract],
        "training_rows": None if training is None else training.sample().to_dict(),
        "assurance": actor.assurance,
        "process": processes.identity(),
    }
    store.commit(Change(puts=(Put("registration", token, kept, subject=name),)))
    try:
        number = registry.publish(facts, token)
    except Exception:
        with suppress(ModelOpsError):  # what went wrong first is what counts; `finish` looks again
            if registry.published(name, token) is None:
                store.commit(Change(deletes=(Delete("registration", token),)))
        raise
    return _put_on_record(store, token, kept, _unused(store, registry, facts, token, number))


def finish(store: Store, registry: Registry, name: str) -> tuple[RegisteredVersion, ...]:
    """Put on record what processes that died have left in MLflow, and return it."""
    finished = []
    for record in store.find("registration", name):
        number = registry.published(name, record.key)
        if number is not None:
            number = _unused(store, registry, record.body["facts"], record.key, number)
            finished.append(_put_on_record(store, record.key, record.body, number))
        elif processes.is_alive(record.body["process"]) is False:  # it died before MLflow had the version
            store.commit(Change(deletes=(Delete("registration", record.key),)))
    return tuple(finished)


def _unused(store: Store, registry: Registry, facts: Mapping[str, Any], token: str, number: int) -> int:
    """Return a number that is not on record: MLflow counts from 1 again after a model was deleted there."""
    name = str(facts["name"])
    while (record := store.get("version", version_key(name, number))) is not None:
        if record.body["digest"] == facts["digest"]:
            return number  # this very version: another process has finished the registration
        registry.withdraw(name, number)
        number = registry.publish(facts, token)
    return number


def _put_on_record(store: Store, token: str, kept: Mapping[str, Any], number: int) -> RegisteredVersion:
    """Write everything in one transaction; done twice, the second has no effect."""
    facts = kept["facts"]
    name, key = str(facts["name"]), version_key(str(facts["name"]), number)
    body = {**facts, "version": number}
    puts = [Put("version", key, body, subject=name, expected_revision=0)]
    if store.get("model", name) is None:
        about = {fact: facts[fact] for fact in ("name", "kind", "created_at")} | {"description": kept["description"]}
        puts.append(Put("model", name, about, subject=name))
    if facts["unsafe"]:
        puts.append(unsafe_put(key, name))
    if kept["contract"]:
        puts.append(contract_put(key, name, kept["contract"]))
    if kept["training_rows"] is not None:
        puts.append(Put("training_rows", key, kept["training_rows"], subject=name))
    if kept["reference"] is not None:
        puts.append(Put("reference", key, kept["reference"], subject=name))
    for column, profile in kept["segments"].items():
        puts.append(Put("segment_reference", f"{key}/{column}", profile, subject=name))
    recorded = ("digest", "flavor", "unsafe", "project_functions", "claimed", "measured")
    details = {fact: facts[fact] for fact in recorded}
    event = Event("register", f"{name}/{number}", str(facts["created_by"]), str(kept["assurance"]), details)
    store.commit(
        Change(
            puts=tuple(puts),
            deletes=(Delete("registration", token),),
            event=event,
            idempotency_key=f"registration {token}",
        )
    )
    return RegisteredVersion(name, number, body)
