"""From a live model to a version on record."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.labelled_rows import read_rows
from modelops_jupyter.actions.validation import validate
from modelops_jupyter.actions.versions import RegisteredVersion, find_version, training_rows_of
from modelops_jupyter.actor import Actor
from modelops_jupyter.data_files import is_mlflow_address
from modelops_jupyter.errors import InvalidInput, InvalidReference, NotFound
from modelops_jupyter.refs import check_name, parse
from modelops_jupyter.written import check_remark, check_text

if TYPE_CHECKING:
    from modelops_jupyter.registry import Registry, StockFile, TrainingRows
    from modelops_jupyter.store import Store

_ADDRESS = "inputs names the datasets that a version was made from: leave out what has no address."


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
    outcomes: Any,
    inputs: Sequence[str],
    run_id: str | None,
    kind: str | None,
    decision: str | None,
    metrics: Mapping[str, float] | None,
    description: str,
    unsafe: bool,
) -> RegisteredVersion:
    """Put `model` in the registry and on record, once everything about it is known; see `Workspace.register`."""
    from modelops_jupyter.actions import publication

    check_name(name)
    check_free(store, name)
    claimed = _claims(metrics or {})
    description, addresses = check_remark(description), [check_text(address, _ADDRESS) for address in inputs]
    origin, features, inherited = None, [], Inherited()
    if is_mlflow_address(model):
        stock, inherited = _from_mlflow(store, registry, model, unsafe)
        origin, features, model, run_id = model, stock.features, stock.model, run_id or stock.run_id
    rows = read_rows(model, data, target, reference, outcomes, inherited.training)
    unfinished = publication.finish(store, registry, name)
    validation_rows = None if rows.reference is rows.data else rows.reference
    drawn: dict[str, Any] = {"data": rows.data, "target": rows.target, "reference": validation_rows}
    with registry.draft(model, kind=kind, decision=decision, unsafe=unsafe, **drawn) as draft:
        _check_kind(store, name, draft.kind)
        validation = validate(draft, rows, claimed)
        step = _step(name)
        known = {**draft.facts(), **validation.facts, "inputs": addresses, "step": step, "registered_from": origin}
        known["features"] = known["features"] or features
        known["data_fingerprint"] = known["data_fingerprint"] or inherited.data_fingerprint
        before = _registered_before(store, name, known, unfinished)
        if before is not None:
            return before
        shown = claimed if run_id else known["metrics"]  # a run of the user's keeps the metrics that it has
        uploaded = registry.upload(draft, name, run_id=run_id, metrics=shown)
    at = datetime.now(UTC).isoformat()
    facts = {**uploaded, **known, "created_at": at, "created_by": actor.name}
    profiles = validation.profile, validation.segments
    return publication.publish(store, registry, actor, facts, description, *profiles, draft.contract, rows.training)


def check_free(store: Store, name: str) -> None:
    """Raise `InvalidInput` if `name` is what MLflow calls a model that has another name here.

    Two models of ours on one of MLflow's would take its aliases from each other.
    """
    for record in store.find("model"):
        if record.key != name and record.body.get("mlflow_name") == name:
            raise InvalidInput(
                f"MLflow's {name!r} is on record as {record.key!r}: register under that name, or another."
            )


@dataclass(frozen=True)
class Inherited:
    """What is on record of the rows that a version was fitted on, which is registered again."""

    training: TrainingRows | None = None
    data_fingerprint: str | None = None


def _from_mlflow(store: Store, registry: Registry, address: str, unsafe: bool) -> tuple[StockFile, Inherited]:
    """Return the live model behind MLflow's address of one, by our record where it has that version."""
    inherited = Inherited()
    from modelops_jupyter.registry import PyFuncEstimator, StockFile

    try:
        version = find_version(store, parse(address))
    except (InvalidReference, NotFound):  # MLflow's alone, or a name that none of ours can have
        stock = registry.stock.read(address, unsafe=unsafe)
    else:
        run_id = registry.stock.active_run(version.body["run_id"])
        stock = StockFile(registry.load(version.body, unsafe=unsafe), version.body["features"], run_id)
        inherited = Inherited(training_rows_of(store, version), version.body["data_fingerprint"])
    stock = replace(stock, model=stock.model.inmost) if isinstance(stock.model, PyFuncEstimator) else stock
    return stock, inherited


def _check_kind(store: Store, name: str, kind: str) -> None:
    earlier = store.get("model", name)
    if earlier is not None and earlier.body["kind"] != kind:
        raise InvalidInput(
            f"Model {name!r} is of kind {earlier.body['kind']!r}: choose another name for a {kind} model."
        )


def _claims(metrics: Mapping[str, float]) -> dict[str, float]:
    if not isinstance(metrics, Mapping):
        raise InvalidInput(
            f"metrics is a dict of figures by name, as in {{'auc': 0.9}}, not a {type(metrics).__name__}."
        )
    claims = {}
    for name, value in metrics.items():
        check_text(name, "A metric has a name: say which it is.")
        try:
            claims[str(name)] = float(value)
        except (TypeError, ValueError):
            claims[str(name)] = math.nan
        if not math.isfinite(claims[str(name)]):
            raise InvalidInput(f"The metric {name!r} is {value!r}: a figure on record is a finite number.")
    return claims


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


def _registered_before(
    store: Store, name: str, known: Mapping[str, Any], unfinished: Sequence[RegisteredVersion]
) -> RegisteredVersion | None:
    """Return this very version if a step or a process that died has put it on record.

    Files cannot tell, since no two of a scikit-learn model are alike; data, figures and answers can.
    """
    fingerprints = ("data_fingerprint", "answers_fingerprint", "outcomes_fingerprint")
    telling = ("kind", "flavor", *fingerprints, "claimed", "step")
    candidates = list(unfinished)
    if known["step"] is not None:
        candidates += [RegisteredVersion(name, int(r.body["version"]), r.body) for r in store.find("version", name)]
    same = (version for version in candidates if all(version.body.get(key) == known[key] for key in telling))
    return next(same, None)
