"""What a model says of the rows it is validated on: their profile, its metrics, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.labelled_rows import (
    NO_VALIDATION_ROWS,
    RegistrationRows,
    as_labels,
    distinct_rows,
    fitted_columns,
    labels_fingerprint,
    read_classes,
)
from modelops_jupyter.actions.measurement import MEASURED_TASKS, Measurement, measure, recorded
from modelops_jupyter.actions.model_answers import ModelRaised, ask_model
from modelops_jupyter.errors import ModelFailed
from modelops_jupyter.frames import outcomes, to_arrow

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from modelops_jupyter.registry import Draft


@dataclass(frozen=True)
class Validation:
    """What goes on record: `facts` of the version, and the reference's profile, whole and by segment."""

    facts: Mapping[str, Any]
    profile: Mapping[str, Any] | None = None
    segments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answers:
    """What a model predicts for some rows; `failure` says why it predicts nothing."""

    prediction: pd.Series[Any] | None
    score: np.ndarray[Any, Any] | None
    failure: str | None = None


def validate(draft: Draft, rows: RegistrationRows, claimed: Mapping[str, float]) -> Validation:
    """Predict the reference once, and return all that a registration learns from that."""
    from modelops_jupyter.profiles import build_reference, segments_to_dict

    frame, labels = rows.reference, as_labels(rows.labels, draft.task)
    if frame is None:
        nothing = {"answers_fingerprint": None, "outcomes_fingerprint": None}
        unmeasured = recorded(Measurement(reason=NO_VALIDATION_ROWS), claimed, None)
        return Validation({**nothing, **unmeasured, "features": fitted_columns(draft.model) or []})
    if labels is not None:
        what = "data" if rows.reference is rows.data else "reference"
        labels, _ = read_classes(labels, draft.classes, what, "the model")
    answers = answers_of(draft.model, frame, draft.task)
    undecided = _undecided(draft, answers)
    predicted = answers.prediction is not None
    profile = build_reference(
        to_arrow(frame),
        scores=answers.score,
        predictions=None if answers.prediction is None else answers.prediction.to_numpy(),
        labels=labels.to_numpy() if predicted and labels is not None else None,
        task=draft.task if draft.task in (*MEASURED_TASKS, "unknown") else "decision",  # of others labels say nothing
        positive=draft.positive,
        times=_request_times(frame),
    )
    fingerprint = None if labels is None else labels_fingerprint(labels)
    facts: dict[str, Any] = {
        "features": [str(column) for column in frame.columns],
        "answers_fingerprint": _answers_fingerprint(answers),
        "outcomes_fingerprint": fingerprint,
        "importance": _importance(draft, frame, labels, answers),
        **recorded(_measured(draft, rows, answers, labels), claimed, fingerprint, distinct_rows(frame, labels)),
    }
    if undecided:
        facts["measured_reason"] = f"{facts['measured_reason']}; {undecided}"
    sliced = {column: segments_to_dict(segments) for column, segments in profile.segments.items()}
    return Validation(facts, profile.to_dict(), sliced)


def answers_of(model: Any, frame: pd.DataFrame, task: str) -> Answers:
    """Return what a model predicts, as the log writes it; a model that fails on the rows is no reason to fail here.

    Raises
    ------
    InvalidFrame
        If the rows lack a column that the model was fitted on: then the call was wrong.
    """
    import pandas as pd

    try:
        answer = ask_model(model, frame, undecided="missing" if task == "decision" else "refuse")
    except ModelFailed as error:
        return Answers(None, None, f"the model failed on these rows: {str(error).rstrip('.')}")
    except ModelRaised as error:
        return Answers(None, None, f"the model failed on these rows ({error})")
    if answer.prediction.shape != (len(frame),):
        return Answers(None, None, f"the model predicts {answer.prediction.shape} values for {len(frame)} rows")
    return Answers(outcomes(pd.Series(answer.prediction), task), answer.score)


def _request_times(frame: pd.DataFrame) -> np.ndarray[Any, Any] | None:
    """Return the times in the index of rows, in microseconds (UTC): those of the requests, where they have a zone."""
    import pandas as pd

    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None or index.hasnans:
        return None
    times: np.ndarray[Any, Any] = index.tz_convert("UTC").as_unit("us").asi8
    return times


def _undecided(draft: Draft, answers: Answers) -> str:
    """Return how many rows of the reference no rule of a decision table decides; empty of anything else."""
    if draft.task != "decision" or answers.prediction is None:
        return ""
    rows, total = int(answers.prediction.isna().sum()), len(answers.prediction)
    if not rows:
        return ""
    share = f"{rows / total:.1%}"
    return f"no rule decides {rows:,} of {total:,} rows ({share}), which predict refuses: add a last rule for the rest"


def _measured(draft: Draft, rows: RegistrationRows, answers: Answers, labels: pd.Series[Any] | None) -> Measurement:
    if answers.prediction is None:
        return Measurement(reason=answers.failure)
    if rows.unmeasurable is not None and draft.task in (*MEASURED_TASKS, "unknown"):
        return Measurement(reason=rows.unmeasurable)
    return measure(answers.prediction, answers.score, labels, draft.task, draft.positive)


def _answers_fingerprint(answers: Answers) -> str | None:
    import pandas as pd

    from modelops_jupyter.registry import data_fingerprint

    if answers.prediction is None:
        return None
    table = pd.DataFrame({"prediction": answers.prediction})
    if answers.score is not None:
        table["score"] = answers.score.round(6)  # a forest adds its trees' votes in no fixed order
    return data_fingerprint(table, ordered=True)


def _importance(draft: Draft, frame: pd.DataFrame, labels: pd.Series[Any] | None, answers: Answers) -> dict[str, Any]:
    from modelops_jupyter.registry import Importance, feature_importance

    if answers.failure is not None:
        return Importance("permutation", {}, answers.failure).to_dict()
    return feature_importance(draft.model, frame, labels, draft.task, draft.positive).to_dict()
