"""Registered versions on rows of the caller's: predicted, measured, and two of them compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.labelled_rows import (
    TRAINING_ROWS,
    as_labels,
    check_classes,
    features_of,
    is_training_data,
    labels_fingerprint,
    split_labels,
)
from modelops_jupyter.actions.measurement import measure, recorded
from modelops_jupyter.actions.scored_rows import predict_rows
from modelops_jupyter.actions.validation import answers_of
from modelops_jupyter.actions.versions import RegisteredVersion, contract_of, find_version
from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import InvalidFrame, InvalidInput
from modelops_jupyter.frames import outcomes
from modelops_jupyter.refs import ModelReference

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from modelops_jupyter.governance import Comparison
    from modelops_jupyter.registry import Predictions, Registry
    from modelops_jupyter.store import Store


def evaluate(
    store: Store,
    registry: Registry,
    actor: Actor,
    version: str | ModelReference,
    *,
    data: Any,
    target: Any,
    unsafe: bool,
) -> RegisteredVersion:
    """Measure a version and put the metrics on record; see `Workspace.evaluate`."""
    from modelops_jupyter.governance import record_measurement
    from modelops_jupyter.scoring.contract import conform
    from modelops_jupyter.scoring.predictions import own_columns

    registered = find_version(store, version)
    body, name = registered.body, registered.full_name
    _check_task(registered)
    table, given = split_labels(data, target, "data")
    if given is None:
        raise InvalidFrame("Metrics take labels: name their column with target= (--target), or pass one for each row.")
    model = registry.load(body, unsafe=unsafe)
    names, contract = body["features"], contract_of(store, registered)
    frame = table[own_columns(names, table, "The data has")] if names else features_of(model, table, given, "data")
    frame = conform(frame, contract).readable()
    if is_training_data(body["data_fingerprint"], frame, given):
        raise InvalidFrame(f"{name} was not measured: {TRAINING_ROWS}. Pass rows that it has not learnt from.")
    labels = as_labels(given, body["task"])
    assert labels is not None
    check_classes(labels, body["classes"], "data")
    answers = answers_of(model, frame, body["task"])
    if answers.prediction is None:
        raise InvalidFrame(f"{name} was not measured: {answers.failure}. Pass rows that it can predict.")
    classes = body["classes"]
    measurement = measure(
        answers.prediction, answers.score, labels, body["task"], classes[1] if len(classes) == 2 else None
    )
    if not measurement.metrics:
        raise InvalidFrame(f"{name} was not measured: {measurement.reason}.")
    facts = recorded(measurement, body.get("claimed", body["metrics"]), labels_fingerprint(labels))
    record_measurement(store, body, facts, actor)
    return find_version(store, name)


def _check_task(*versions: RegisteredVersion) -> None:
    """Refuse a version of which nothing says whether it predicts classes or values: one adopted from MLflow."""
    unclear = next((version.full_name for version in versions if version.body["task"] == "unknown"), None)
    if unclear is not None:
        raise InvalidInput(
            f"Nothing on record says what {unclear} predicts: give it a reference first, `modelops adopt NAME --data "
            "FILE --target COLUMN` (with --unsafe where it runs code)."
        )


def task_of_both(first: RegisteredVersion, second: RegisteredVersion) -> str:
    """Return what two versions predict.

    Raises
    ------
    InvalidInput
        If it is not the same, or nothing says what it is.
    """
    _check_task(first, second)
    task = str(first.body["task"])
    if task != second.body["task"]:
        raise InvalidInput(
            f"{first.full_name} is a {task} and {second.full_name} a {second.body['task']}: they have no metric in "
            "common."
        )
    return task


def predict(
    store: Store, registry: Registry, reference: str | ModelReference, frame: Any, *, invalid: str, unsafe: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return predictions and scores of a version; see `Workspace.predict`."""
    version = find_version(store, reference)
    model = registry.load(version.body, unsafe=unsafe)
    answer = predict_rows(model, frame, contract_of(store, version), name=version.full_name, invalid=invalid)
    return answer.prediction, answer.score


def _labelled(frame: pd.DataFrame, labels: pd.Series[Any]) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Return the rows whose label is known: the others say nothing of who is right."""
    is_labelled = labels.notna().to_numpy()
    if not is_labelled.any():
        raise InvalidFrame("No row has a label: pass rows of which some are known, or leave out target (--target).")
    return (frame, labels) if is_labelled.all() else (frame[is_labelled], labels[is_labelled])


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

    frame, labels = split_labels(data, target, "data")
    first, second = find_version(store, reference), find_version(store, other)
    task = task_of_both(first, second)
    missing = [column for column in segments if column not in frame.columns]
    if missing:
        raise InvalidFrame(f"data has no column {missing[0]!r} to make segments of.")
    labels = as_labels(labels, task)
    if labels is not None:
        frame, labels = _labelled(frame, labels)
        classes = dict.fromkeys([*first.body["classes"], *second.body["classes"]])
        check_classes(labels, list(classes), "data")

    def scored(version: RegisteredVersion) -> Predictions:
        model = registry.load(version.body, unsafe=unsafe)
        return predict_rows(model, frame, contract_of(store, version), name=version.full_name)

    a, b = scored(first), scored(second)
    return compare(
        first.full_name,
        second.full_name,
        frame,
        None if labels is None else labels.to_numpy(),
        outcomes(pd.Series(a.prediction), task).to_numpy(),
        outcomes(pd.Series(b.prediction), task).to_numpy(),
        a.score,
        b.score,
        task,
        tuple(segments),
    )
