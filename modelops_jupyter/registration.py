"""From a live model to a version on record, and back again."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import DependencyFailed, InvalidFrame, InvalidInput, NotFound
from modelops_jupyter.frames import outcomes, to_arrow, to_pandas
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.refs import ModelReference, check_name, parse

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from modelops_jupyter.governance import Comparison
    from modelops_jupyter.profiles import Reference
    from modelops_jupyter.registry import Registry, SavedVersion
    from modelops_jupyter.store import Store


@dataclass(frozen=True)
class RegisteredVersion(Presentable):
    """A version as it stands on record.

    Attributes
    ----------
    name : str
    version : int
    body : mapping
        Every recorded fact: kind, flavor, run, digests, fingerprint, inputs, metrics, who and when.
    aliases : tuple of str
    """

    name: str
    version: int
    body: Mapping[str, Any]
    aliases: tuple[str, ...] = ()

    def __str__(self) -> str:
        held = f" ({', '.join(self.aliases)})" if self.aliases else ""
        return f"{self.name}/{self.version}{held}"

    def to_dict(self) -> dict[str, Any]:
        """Return every recorded fact."""
        return {**self.body, "aliases": list(self.aliases)}


def version_key(name: str, version: int) -> str:
    """Return the store's key of a version."""
    return f"{name}/{version:06d}"


def find_version(store: Store, reference: str | ModelReference) -> RegisteredVersion:
    """Return the version behind `reference`; a bare name means its champion, else its newest version.

    Raises
    ------
    NotFound
        With the names, versions or aliases that there are.
    """
    wanted = parse(reference)
    if store.get("model", wanted.name) is None:
        known = ", ".join(record.key for record in store.find("model")) or "none yet"
        raise NotFound(f"There is no model {wanted.name!r}: registered are {known}.")
    held = {r.body["alias"]: r.body["version"] for r in store.find("alias", wanted.name) if r.body["version"]}
    number = wanted.version
    if wanted.alias is not None:
        if wanted.alias not in held:
            known = ", ".join(sorted(held)) or "none yet"
            raise NotFound(f"Model {wanted.name!r} has no alias {wanted.alias!r}: it has {known}.")
        number = held[wanted.alias]
    if number is None:
        number = held.get("champion") or max(r.body["version"] for r in store.find("version", wanted.name))
    record = store.get("version", version_key(wanted.name, number))
    if record is None:
        known = ", ".join(str(r.body["version"]) for r in store.find("version", wanted.name))
        raise NotFound(f"Model {wanted.name!r} has no version {number}: it has {known}.")
    aliases = tuple(sorted(alias for alias, at in held.items() if at == number))
    return RegisteredVersion(wanted.name, number, record.body, aliases)


def register(
    store: Store,
    registry: Registry,
    actor: Actor,
    model: Any,
    name: str,
    *,
    data: Any,
    target: Any,
    reference: Any,
    inputs: Sequence[str],
    run_id: str | None,
    kind: str,
    metrics: Mapping[str, float] | None,
    description: str,
    unsafe: bool,
) -> RegisteredVersion:
    """Save `model` in the registry and put it on record in one transaction; see `Workspace.register`."""
    from modelops_jupyter.profiles import segments_to_dict
    from modelops_jupyter.store import Change, Event, Put

    check_name(name)
    step = _step(name)
    again = next((r for r in store.find("version", name) if step and r.body.get("step") == step), None)
    if again is not None:
        return RegisteredVersion(name, int(again.body["version"]), again.body)
    if kind not in ("ml", "decision"):
        raise InvalidInput(f"kind is 'ml' or 'decision', not {kind!r}.")
    frame = None if data is None else to_pandas(data, "data")
    earlier = store.get("model", name)
    if earlier is not None and earlier.body["kind"] != kind:
        raise InvalidInput(
            f"Model {name!r} is of kind {earlier.body['kind']!r}: choose another name for a {kind} model."
        )
    saved = registry.save(
        model, name, kind=kind, data=frame, target=target, run_id=run_id, unsafe=unsafe, metrics=dict(metrics or {})
    )
    validated, labels = _validated_on(saved, frame, target, reference)
    profile = None if validated is None else _reference_profile(model, saved, validated, labels)
    at = datetime.now(UTC).isoformat()
    body = {**_plain(saved), "inputs": list(inputs), "created_at": at, "created_by": actor.name, "step": step}
    if validated is not None:
        body["importance"] = _importance(model, saved, validated, labels)
    key = version_key(name, saved.version)
    puts = [Put("version", key, body, subject=name, expected_revision=0)]
    if earlier is None:
        about = {"name": name, "kind": kind, "description": description, "created_at": at}
        puts.append(Put("model", name, about, subject=name))
    if profile is not None:
        puts.append(Put("reference", key, profile.to_dict(), subject=name))
        puts += [
            Put("segment_reference", f"{key}/{column}", segments_to_dict(segments), subject=name)
            for column, segments in profile.segments.items()
        ]
    details = {"digest": saved.digest, "flavor": saved.flavor, "unsafe": saved.unsafe}
    event = Event("register", f"{name}/{saved.version}", actor.name, actor.assurance, details)
    store.commit(Change(puts=tuple(puts), event=event))
    return RegisteredVersion(name, saved.version, body)


_registered_by_this_process: Counter[str] = Counter()


def _step(name: str) -> str | None:
    """Return a name for this registration if a pipeline's notebook makes it, else None.

    A step that was killed runs again from its beginning: its first registration of a name is then the one that the
    killed one made, its second the second, and nothing is doubled.
    """
    step = os.environ.get("MODELOPS_STEP")
    if step is None:
        return None
    _registered_by_this_process[name] += 1
    return f"{step}/{_registered_by_this_process[name]}"


def _plain(saved: SavedVersion) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(saved)


def _validated_on(
    saved: SavedVersion, data: pd.DataFrame | None, target: Any, reference: Any
) -> tuple[pd.DataFrame | None, pd.Series[Any] | None]:
    """Return the rows a version was validated on and, as `outcomes` gives them, what came of them."""
    import pandas as pd

    given, labels = reference if isinstance(reference, tuple) else (reference, None)
    frame = data if given is None else to_pandas(given, "reference")
    if given is None:
        labels = target
    if frame is None:
        return None, None
    if labels is not None and len(labels) != len(frame):
        raise InvalidFrame(f"The reference has {len(frame)} rows but {len(labels)} outcomes: pass one for each row.")
    if data is not None:
        missing = [str(column) for column in data.columns if column not in frame.columns]
        if missing:
            raise InvalidFrame(f"The reference has no column {missing[0]!r}, which the model was fitted on.")
        frame = frame[list(data.columns)]
    return frame, None if labels is None else outcomes(pd.Series(list(labels)), saved.task)


def _reference_profile(
    model: Any, saved: SavedVersion, frame: pd.DataFrame, labels: pd.Series[Any] | None
) -> Reference:
    """Profile what the version was validated on, with the version's own scores on it."""
    import pandas as pd

    from modelops_jupyter.profiles import build_reference

    prediction, score = predict_with(model, frame)
    return build_reference(
        to_arrow(frame),
        scores=score,
        predictions=outcomes(pd.Series(prediction), saved.task).to_numpy(),
        labels=None if labels is None else labels.to_numpy(),
        task=saved.task,
        positive=_positive(saved),
    )


def _importance(model: Any, saved: SavedVersion, frame: pd.DataFrame, labels: pd.Series[Any] | None) -> dict[str, Any]:
    from modelops_jupyter.registry import feature_importance

    return feature_importance(model, frame, labels, saved.task, _positive(saved)).to_dict()


def _positive(saved: SavedVersion) -> str | None:
    return str(saved.classes[1]) if len(saved.classes) == 2 else None


def predict_with(model: Any, frame: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Return predictions and scores of a live model."""
    from modelops_jupyter.registry import predict

    answer = predict(model, to_pandas(frame, "frame"))
    return answer.prediction, answer.score


def references(store: Store, name: str, segments: Sequence[str] = ()) -> dict[int, Reference]:
    """Return the reference of every version of a model that has one, with its segments by the columns of `segments`."""
    from modelops_jupyter.profiles import Reference, segments_from_dict

    find_version(store, name)  # says so when there is no such model
    found = {}
    for record in store.find("reference", name):
        sliced = {column: store.get("segment_reference", f"{record.key}/{column}") for column in segments}
        profiles = {c: segments_from_dict(kept.body) for c, kept in sliced.items() if kept is not None}
        found[int(record.key.rpartition("/")[2])] = replace(Reference.from_dict(record.body), segments=profiles)
    return found


def compare_versions(
    store: Store,
    registry: Registry,
    reference: str | ModelReference,
    other: str | ModelReference,
    *,
    data: Any,
    target: Any,
    segments: Sequence[str],
) -> Comparison:
    """Score the same rows with two versions and compare them; see `Workspace.compare`."""
    import pandas as pd

    from modelops_jupyter.governance import compare

    frame = to_pandas(data, "data")
    first, second = find_version(store, reference), find_version(store, other)
    if first.body["task"] != second.body["task"]:
        raise InvalidInput(
            f"{first} is a {first.body['task']} and {second} a {second.body['task']}: they have no metric in common."
        )
    missing = [column for column in segments if column not in frame.columns]
    if missing:
        raise InvalidFrame(f"data has no column {missing[0]!r} to make segments of.")
    task = first.body["task"]
    prediction_a, score_a = predict_with(registry.load(first.body), frame)
    prediction_b, score_b = predict_with(registry.load(second.body), frame)
    return compare(
        str(parse(f"{first.name}/{first.version}")),
        str(parse(f"{second.name}/{second.version}")),
        frame,
        None if target is None else outcomes(pd.Series(list(target)), task).to_numpy(),
        outcomes(pd.Series(prediction_a), task).to_numpy(),
        outcomes(pd.Series(prediction_b), task).to_numpy(),
        score_a,
        score_b,
        task,
        tuple(segments),
    )


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
