"""What a live model says of a table."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..errors import InvalidFrame, InvalidInput
from .column_names import columns_named
from .flavors.decision import DecisionTable
from .formats import adapt
from .likeliest import likeliest, predicts_likeliest

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Predictions:
    """Predictions, shape (n,), and scores, shape (n,): the probability of the second class, or the regression value."""

    prediction: np.ndarray[Any, Any]
    score: np.ndarray[Any, Any] | None


def predict(model: Any, frame: pd.DataFrame, *, undecided: Literal["refuse", "missing"] = "refuse") -> Predictions:
    """Score every row of `frame`, with the model's own columns in the model's own order.

    The prediction is what the model's own `predict` says, also where that is not the likelier class.

    Parameters
    ----------
    undecided
        Whether rows that no rule of a decision table decides are refused, or have None in place of a decision.

    Raises
    ------
    InvalidFrame
        If a column that the model was fitted on is missing.
    InvalidInput
        If it predicts several targets for each row.
    """
    import numpy as np

    estimator = adapt(model)
    if isinstance(estimator, DecisionTable):
        decide = estimator.decisions if undecided == "missing" else estimator.predict
        return Predictions(decide(frame), None)  # a number that rules decide is no score
    frame = _own_frame(estimator, frame)
    classes = getattr(estimator, "classes_", None)
    if classes is not None and gives_probabilities(estimator) and predicts_likeliest(estimator):
        return _both_at_once(estimator, np.asarray(classes), frame)
    prediction = _one_for_each_row(estimator, np.asarray(_answer(estimator, "predict", frame)))
    if classes is None:
        return Predictions(prediction, prediction.astype("float64") if prediction.dtype.kind == "f" else None)
    if len(classes) != 2 or not gives_probabilities(estimator):
        return Predictions(prediction, None)
    return Predictions(prediction, _probabilities(estimator, frame)[:, 1])


def predict_proba(model: Any, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Return the probability of each class for every row, shape (n, classes), in the order of the model's classes.

    Raises
    ------
    InvalidInput
        If the model gives none.
    InvalidFrame
        If a column that the model was fitted on is missing.
    """
    estimator = adapt(model)
    if not gives_probabilities(estimator):
        raise InvalidInput(f"A {type(estimator).__name__} gives no probabilities: ask for response_method='predict'.")
    return _probabilities(estimator, _own_frame(estimator, frame))


def gives_probabilities(estimator: Any) -> bool:
    """Return whether an adapted model gives the probability of each class."""
    if getattr(estimator, "classes_", None) is None or not hasattr(estimator, "predict_proba"):
        return False
    return bool(getattr(estimator, "gives_probabilities", True))


def _both_at_once(estimator: Any, classes: np.ndarray[Any, Any], frame: pd.DataFrame) -> Predictions:
    """Return the likeliest classes; the model itself is asked where two are equally likely but for rounding."""
    if classes.ndim != 1:
        raise InvalidInput(several_targets(estimator, len(classes)))
    probabilities = _probabilities(estimator, frame)
    prediction, close = likeliest(classes, probabilities)
    if close.any():
        prediction[close] = _answer(estimator, "predict", frame[close])
    return Predictions(prediction, probabilities[:, 1] if len(classes) == 2 else None)


def _probabilities(estimator: Any, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Return the probabilities of a model, which may give them as a table or as lists.

    Raises
    ------
    InvalidInput
        If it gives a table for each of several targets.
    InvalidFrame
        If there is not one row of them for each row.
    """
    import numpy as np

    answer = _answer(estimator, "predict_proba", frame)
    parts = len(answer) if isinstance(answer, list) and answer and getattr(answer[0], "ndim", 0) == 2 else 0
    if parts > 1:
        raise InvalidInput(several_targets(estimator, parts))
    probabilities = np.asarray(answer[0] if parts else answer, dtype="float64")
    if probabilities.ndim != 2 or len(probabilities) != len(frame):
        raise InvalidFrame(
            f"The {type(estimator).__name__} answers {len(frame)} rows with probabilities of shape "
            f"{probabilities.shape}: predict_proba gives a row for each, with a column for each class."
        )
    return probabilities


def _answer(estimator: Any, method: str, frame: pd.DataFrame) -> Any:
    """Ask a model, without scikit-learn's hint that one fitted on no names is asked with names: ours are in order."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X has feature names, but", UserWarning)
        return getattr(estimator, method)(frame)


def _own_frame(estimator: Any, frame: pd.DataFrame) -> pd.DataFrame:
    names = getattr(estimator, "feature_names_in_", None)
    return frame if names is None else frame[own_columns([str(name) for name in names], frame)]


def _one_for_each_row(estimator: Any, prediction: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if prediction.ndim == 2 and prediction.shape[1] > 1:
        raise InvalidInput(several_targets(estimator, prediction.shape[1]))
    return prediction.ravel()


def several_targets(model: Any, number: int) -> str:
    """Return why a model of several targets is refused, and what to do."""
    return (
        f"A {type(model).__name__} predicts {number} targets for each row, and a version predicts one: register one "
        "model for each target."
    )


def own_columns(names: Sequence[str], frame: pd.DataFrame, what: str = "The rows have") -> list[Any]:
    """Return the columns of `frame` that a model calls `names`; see `columns_named`.

    Parameters
    ----------
    what
        Beginning of the sentence that says which column is missing.

    Raises
    ------
    InvalidFrame
        If one is missing.
    """
    found = columns_named(names, frame)
    missing = [name for name, column in zip(names, found, strict=True) if column is None]
    if missing:
        raise InvalidFrame(f"{what} no column {missing[0]!r}, which the model was fitted on.")
    return found
