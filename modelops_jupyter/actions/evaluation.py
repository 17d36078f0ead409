"""Registered versions on rows of the caller's: predicted, measured, and two of them compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.labelled_rows import (
    TRAINING_ROWS,
    as_labels,
    distinct_rows,
    features_of,
    is_training_data,
    labels_fingerprint,
    learnt_from,
    read_classes,
    split_labels,
)
from modelops_jupyter.actions.measurement import measure, recorded
from modelops_jupyter.actions.scored_rows import predict_rows
from modelops_jupyter.actions.validation import answers_of
from modelops_jupyter.actions.versions import RegisteredVersion, contract_of, find_version, training_rows_of
from modelops_jupyter.actor import Actor
from modelops_jupyter.class_labels import classes_of_both, read_as
from modelops_jupyter.errors import InvalidFrame, InvalidInput
from modelops_jupyter.frames import outcomes
from modelops_jupyter.refs import ModelReference
from modelops_jupyter.scoring.column_names import absence

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from modelops_jupyter.governance import Comparison
    from modelops_jupyter.registry import Registry
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
    _check_new(store, registered, frame, given)
    labels = as_labels(given, body["task"])
    assert labels is not None
    labels, _ = read_classes(labels, body["classes"], "data", name)
    answers = answers_of(model, frame, body["task"])
    if answers.prediction is None:
        raise InvalidFrame(f"{name} was not measured: {answers.failure}. Pass rows that it can predict.")
    classes = body["classes"]
    measurement = measure(
        answers.prediction, answers.score, labels, body["task"], classes[1] if len(classes) == 2 else None
    )
    if not measurement.metrics:
        raise InvalidFrame(f"{name} was not measured: {measurement.reason}.")
    facts = recorded(
        measurement, body.get("claimed", body["metrics"]), labels_fingerprint(labels), distinct_rows(frame, labels)
    )
    record_measurement(store, body, facts, actor)
    return find_version(store, name)


def _check_new(store: Store, version: RegisteredVersion, frame: pd.DataFrame, labels: pd.Series[Any]) -> None:
    """Refuse rows that a version was fitted on: all of them, in any order, or more than a few among others."""
    training = training_rows_of(store, version)
    reason = None if training is None else learnt_from(training, frame)
    if reason is None and is_training_data(version.body["data_fingerprint"], frame, labels):
        reason = TRAINING_ROWS  # rows of which each occurs more than once have no hash of their own on record
    if reason is not None:
        raise InvalidFrame(f"{version.full_name} was not measured: {reason}. Pass rows that it has not learnt from.")


def _check_task(*versions: RegisteredVersion) -> None:
    """Refuse a version of which nothing says whether it predicts classes or values: one adopted from MLflow."""
    unclear = next((version.full_name for version in versions if version.body["task"] == "unknown"), None)
    if unclear is not None:
        raise InvalidInput(
            f"Nothing on record says what {unclear} predicts: give it a reference first, `modelops adopt NAME "
            "--validated-on FILE --outcomes COLUMN` (with --unsafe where it runs code)."
        )


def task_of_both(first: RegisteredVersion, second: RegisteredVersion) -> str:
    """Return what two versions predict.

    Raises
    ------
    InvalidInput
        If it is not the same, nothing says what it is, or their answers cannot be compared.
    """
    _check_task(first, second)
    task = str(first.body["task"])
    if task != second.body["task"]:
        raise InvalidInput(
            f"{first.full_name} is a {task} and {second.full_name} a {second.body['task']}: they have no metric in "
            "common."
        )
    if task == "clustering":
        raise InvalidInput(
            f"{first.full_name} and {second.full_name} number their clusters each in its own way: compare what you use "
            "them for, such as a model that takes the clusters as a feature."
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
        raise InvalidFrame(absence("data has", missing[0], frame.columns, why=" to make segments of"))
    labels, remark = as_labels(labels, task), ""
    classes = classes_of_both(first.body["classes"], second.body["classes"])
    if labels is not None:
        frame, labels = _labelled(frame, labels)
        labels, remark = read_classes(labels, classes, "data", f"{first.full_name} and {second.full_name}")

    def scored(version: RegisteredVersion) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any] | None]:
        model = registry.load(version.body, unsafe=unsafe)
        answer = predict_rows(model, frame, contract_of(store, version), name=version.full_name)
        return read_as(outcomes(pd.Series(answer.prediction), task), classes).to_numpy(), answer.score

    (prediction_a, score_a), (prediction_b, score_b) = scored(first), scored(second)
    comparison = compare(
        first.full_name,
        second.full_name,
        frame,
        None if labels is None else labels.to_numpy(),
        prediction_a,
        prediction_b,
        score_a,
        score_b,
        task,
        tuple(segments),
    )
    return replace(comparison, remark=remark)
