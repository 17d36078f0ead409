"""From a live model to a version on record, and two versions compared."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.versions import RegisteredVersion, find_version
from modelops_jupyter.actor import Actor
from modelops_jupyter.data_files import is_mlflow_address
from modelops_jupyter.errors import InvalidFrame, InvalidInput, InvalidReference, NotFound
from modelops_jupyter.frames import outcomes, to_arrow, to_pandas
from modelops_jupyter.refs import ModelReference, check_name, parse
from modelops_jupyter.written import check_remark, check_text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from modelops_jupyter.governance import Comparison
    from modelops_jupyter.registry import Draft, Registry, StockFile
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
    inputs: Sequence[str],
    run_id: str | None,
    kind: str,
    metrics: Mapping[str, float] | None,
    description: str,
    unsafe: bool,
) -> RegisteredVersion:
    """Put `model` in the registry and on record, once everything about it is known; see `Workspace.register`."""
    from modelops_jupyter.actions import publication

    _check_kind(store, check_name(name), kind)
    figures = _figures(metrics or {})
    description, addresses = check_remark(description), [check_text(address, _ADDRESS) for address in inputs]
    frame = None if data is None else to_pandas(data, "data")
    if frame is not None and target is not None and len(target) != len(frame):
        raise InvalidFrame(f"data has {len(frame)} rows but target has {len(target)}: pass one outcome for each row.")
    given = reference[0] if isinstance(reference, tuple) else reference
    validated_on = None if given is None else to_pandas(given, "reference")
    origin, features = None, []
    if is_mlflow_address(model):
        stock = _from_mlflow(store, registry, model, unsafe)
        origin, features, model, run_id = model, stock.features, stock.model, run_id or stock.run_id
    unfinished = publication.finish(store, registry, name)
    drawn: dict[str, Any] = {"data": frame, "target": target, "reference": validated_on}
    with registry.draft(model, kind=kind, unsafe=unsafe, **drawn) as draft:
        known, profile, segments = validate(draft, *validation_rows(draft, frame, target, reference))
        step = _step(name)
        known = {**draft.facts(), **known, "metrics": figures, "inputs": addresses, "step": step}
        known |= {"features": draft.features or features, "registered_from": origin}
        before = _registered_before(store, name, known, unfinished)
        if before is not None:
            return before
        uploaded = registry.upload(draft, name, run_id=run_id, metrics=figures)
    at = datetime.now(UTC).isoformat()
    facts = {**uploaded, **known, "created_at": at, "created_by": actor.name}
    return publication.publish(store, registry, actor, facts, description, profile, segments)


def _from_mlflow(store: Store, registry: Registry, address: str, unsafe: bool) -> StockFile:
    """Return the live model behind MLflow's address of one, by our record where it has that version."""
    from modelops_jupyter.registry import PyFuncEstimator, StockFile

    try:
        version = find_version(store, parse(address))
    except (InvalidReference, NotFound):  # MLflow's alone, or a name that none of ours can have
        stock = registry.stock.read(address, unsafe=unsafe)
    else:
        run_id = registry.stock.active_run(version.body["run_id"])
        stock = StockFile(registry.load(version.body, unsafe=unsafe), version.body["features"], run_id)
    return replace(stock, model=stock.model.inmost) if isinstance(stock.model, PyFuncEstimator) else stock


def _check_kind(store: Store, name: str, kind: str) -> None:
    if kind not in ("ml", "decision"):
        raise InvalidInput(f"kind is 'ml' or 'decision', not {kind!r}.")
    earlier = store.get("model", name)
    if earlier is not None and earlier.body["kind"] != kind:
        raise InvalidInput(
            f"Model {name!r} is of kind {earlier.body['kind']!r}: choose another name for a {kind} model."
        )


def _figures(metrics: Mapping[str, float]) -> dict[str, float]:
    figures = {}
    for name, value in metrics.items():
        check_text(name, "A metric has a name: say which it is.")
        try:
            figures[str(name)] = float(value)
        except (TypeError, ValueError):
            figures[str(name)] = math.nan
        if not math.isfinite(figures[str(name)]):
            raise InvalidInput(f"The metric {name!r} is {value!r}: a figure on record is a finite number.")
    return figures


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
    telling = ("kind", "flavor", "data_fingerprint", "answers_fingerprint", "metrics", "step")
    candidates = list(unfinished)
    if known["step"] is not None:
        candidates += [RegisteredVersion(name, int(r.body["version"]), r.body) for r in store.find("version", name)]
    same = (version for version in candidates if all(version.body[key] == known[key] for key in telling))
    return next(same, None)


def validation_rows(
    draft: Draft, data: pd.DataFrame | None, target: Any, reference: Any
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
    return frame, None if labels is None else outcomes(pd.Series(list(labels)), draft.task)


def validate(
    draft: Draft, frame: pd.DataFrame | None, labels: pd.Series[Any] | None
) -> tuple[dict[str, Any], dict[str, Any] | None, dict[str, Any]]:
    """Return what a draft rests on and answers on the rows it was validated on, its profile of them, and by segment."""
    import pandas as pd

    from modelops_jupyter.profiles import build_reference, segments_to_dict
    from modelops_jupyter.registry import data_fingerprint, feature_importance

    if frame is None:
        return {"answers_fingerprint": None, "outcomes_fingerprint": None}, None, {}
    prediction, score = predict_with(draft.model, frame)
    answers = pd.DataFrame({"prediction": outcomes(pd.Series(prediction), draft.task)})
    if score is not None:
        answers["score"] = score.round(6)  # a forest adds its trees' votes in no fixed order
    profile = build_reference(
        to_arrow(frame),
        scores=score,
        predictions=answers["prediction"].to_numpy(),
        labels=None if labels is None else labels.to_numpy(),
        task=draft.task,
        positive=draft.positive,
    )
    facts = {
        "answers_fingerprint": data_fingerprint(answers),
        "outcomes_fingerprint": None if labels is None else data_fingerprint(labels.to_frame("outcome")),
        "importance": feature_importance(draft.model, frame, labels, draft.task, draft.positive).to_dict(),
    }
    sliced = {column: segments_to_dict(segments) for column, segments in profile.segments.items()}
    return facts, profile.to_dict(), sliced


def predict_with(model: Any, frame: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Return predictions and scores of a live model."""
    from modelops_jupyter.registry import predict

    answer = predict(model, to_pandas(frame, "frame"))
    return answer.prediction, answer.score


def compare_versions(
    store: Store,
    registry: Registry,
    reference: str | ModelReference,
    other: str | ModelReference,
    *,
    data: Any,
    target: Any,
    segments: Sequence[str],
    unsafe: bool,
) -> Comparison:
    """Score the same rows with two versions and compare them; see `Workspace.compare`."""
    import pandas as pd

    from modelops_jupyter.governance import compare

    frame = to_pandas(data, "data")
    first, second = find_version(store, reference), find_version(store, other)
    unclear = next((version for version in (first, second) if version.body["task"] == "unknown"), None)
    if unclear is not None:
        raise InvalidInput(
            f"Nothing on record says what {unclear.name}/{unclear.version} predicts: give it a reference first, "
            "`modelops adopt NAME --data FILE --target COLUMN` (with --unsafe where it runs code)."
        )
    if first.body["task"] != second.body["task"]:
        raise InvalidInput(
            f"{first} is a {first.body['task']} and {second} a {second.body['task']}: they have no metric in common."
        )
    missing = [column for column in segments if column not in frame.columns]
    if missing:
        raise InvalidFrame(f"data has no column {missing[0]!r} to make segments of.")
    task = first.body["task"]
    prediction_a, score_a = predict_with(registry.load(first.body, unsafe=unsafe), frame)
    prediction_b, score_b = predict_with(registry.load(second.body, unsafe=unsafe), frame)
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
