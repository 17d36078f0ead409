"""Rows that versions without a reference are given: what a model does is learned from them, and its profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.labelled_rows import RegistrationRows, split_labels
from modelops_jupyter.actions.validation import validate
from modelops_jupyter.errors import InvalidFrame, InvalidInput
from modelops_jupyter.frames import outcome_text
from modelops_jupyter.scoring.column_names import absence

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.registry import Draft

MOST_CLASSES = 20  # whole numbers of more values than that are quantities


@dataclass(frozen=True)
class Rows:
    """A table of features, and the labels of its rows where they are known."""

    frame: pd.DataFrame
    labels: pd.Series[Any] | None = None


@dataclass(frozen=True)
class GivenReference:
    """What goes on record once a version has rows to compare with.

    Attributes
    ----------
    facts : mapping
        Of the version.
    profile : mapping
    segments : mapping of str to mapping
        The profile by segment, for each column that is sliced by.
    contract : sequence of mapping
        What the columns held; see `scoring.input_columns`.
    """

    facts: Mapping[str, Any]
    profile: Mapping[str, Any]
    segments: Mapping[str, Mapping[str, Any]]
    contract: Sequence[Mapping[str, Any]]


def read_rows(reference: Any, outcomes: Any) -> Rows | None:
    """Return the reference that was given; `outcomes` are its labels, or name the column that holds them.

    Raises
    ------
    InvalidInput, InvalidFrame
        If they are no table, or there is not one label for each row.
    """
    rows, own_labels = reference if isinstance(reference, tuple) else (reference, None)
    if own_labels is not None and outcomes is not None:
        raise InvalidInput("The labels of the reference were given twice: leave out outcomes, or pass the table alone.")
    if rows is None:
        if outcomes is not None:
            raise InvalidInput(
                "outcomes are the labels of the reference: pass that too, with reference= (--validated-on)."
            )
        return None
    return Rows(*split_labels(rows, outcomes if own_labels is None else own_labels, "reference"))


def learn_task(draft: Draft, model: Any, rows: Rows | None) -> Draft:
    """Return a draft with its live model, and with the task and classes that this shows, by itself or by its answers.

    Raises
    ------
    InvalidFrame
        If the model cannot answer the rows.
    """
    from modelops_jupyter.registry import PyFuncEstimator, class_names, describe_task

    draft = replace(draft, model=model)
    if not isinstance(model, PyFuncEstimator):
        task, classes = describe_task(model)
    elif model.classes_ is not None:
        task, classes = class_names(model.classes_)
    elif rows is not None:
        task, classes = _task_of_answers(draft, rows)
    else:
        return draft
    return replace(draft, task=task, task_hinted=False, classes=classes)


def give_reference(draft: Draft, rows: Rows, claimed: Mapping[str, float]) -> GivenReference:
    """Profile what the live model of a draft predicts for the rows, and measure its metrics where there are labels.

    Parameters
    ----------
    claimed
        The metrics that MLflow has.

    Raises
    ------
    InvalidFrame
        If the rows have not the columns that it takes, or it cannot predict them.
    InvalidInput
        If nothing says what it predicts.
    """
    from modelops_jupyter.scoring.input_columns import describe

    if draft.task == "unknown":
        raise InvalidInput(
            "Nothing says whether it predicts classes or values: its signature, figures and answers leave that open."
        )
    frame = _columns(draft, rows)
    validation = validate(draft, RegistrationRows(None, None, frame, rows.labels), claimed)
    if validation.profile is None or validation.facts["answers_fingerprint"] is None:
        raise InvalidFrame(f"It cannot predict these rows: {validation.facts['measured_reason']}.")
    learned = {name: getattr(draft, name) for name in ("task", "task_hinted", "classes", "features")}
    facts = {**validation.facts, **learned}
    return GivenReference(facts, validation.profile, validation.segments, describe([frame]))


def _columns(draft: Draft, rows: Rows) -> pd.DataFrame:
    missing = [name for name in draft.features if name not in rows.frame.columns]
    if missing:
        raise InvalidFrame(absence("data has", missing[0], rows.frame.columns, why=", which the model takes"))
    return rows.frame[draft.features] if draft.features else rows.frame


def _task_of_answers(draft: Draft, rows: Rows) -> tuple[str, list[str]]:
    """Return the task and classes of a model that names none, from what it says of rows and what came of them."""
    import numpy as np

    from modelops_jupyter.registry import predict

    said = predict(draft.model, _columns(draft, rows)).prediction
    values = {outcome_text(value) for value in (*said, *(() if rows.labels is None else rows.labels))} - {None}
    classes = sorted(str(value) for value in values)
    if said.dtype.kind not in "iuf":
        return "classification", classes
    whole = bool(np.all(said.astype("float64") % 1 == 0))
    if whole and draft.task != "regression" and len(classes) <= MOST_CLASSES:
        return "classification", sorted(classes, key=float)
    labels = {outcome_text(value) for value in rows.labels} - {None} if rows.labels is not None else set()
    if draft.task == "classification" or len(labels) == 2:  # fractions are probabilities then, and no predictions
        return "unknown", []
    return "regression", []
