"""What a live model says of a table."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import InvalidFrame, InvalidInput
from .flavors.decision import DecisionTable
from .formats import adapt

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_WORD = re.compile(r"\W")


@dataclass(frozen=True)
class Predictions:
    """Predictions, shape (n,), and scores, shape (n,): the probability of the second class, or the regression value."""

    prediction: np.ndarray[Any, Any]
    score: np.ndarray[Any, Any] | None


def predict(model: Any, frame: pd.DataFrame) -> Predictions:
    """Score every row of `frame`, with the model's own columns in the model's own order.

    The prediction is what the model's own `predict` says, also where that is not the likelier class.

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
        return Predictions(estimator.predict(frame), None)  # a number that rules decide is no score
    frame = _own_frame(estimator, frame)
    prediction = _one_for_each_row(estimator, np.asarray(_answer(estimator, "predict", frame)))
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return Predictions(prediction, prediction.astype("float64") if prediction.dtype.kind == "f" else None)
    if len(classes) != 2 or not gives_probabilities(estimator):
        return Predictions(prediction, None)
    return Predictions(prediction, np.asarray(_answer(estimator, "predict_proba", frame)[:, 1], dtype="float64"))


def predict_proba(model: Any, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Return the probability of each class for every row, shape (n, classes), in the order of the model's classes.

    Raises
    ------
    InvalidInput
        If the model gives none.
    InvalidFrame
        If a column that the model was fitted on is missing.
    """
    import numpy as np

    estimator = adapt(model)
    if not gives_probabilities(estimator):
        raise InvalidInput(f"A {type(estimator).__name__} gives no probabilities: ask for response_method='predict'.")
    return np.asarray(_answer(estimator, "predict_proba", _own_frame(estimator, frame)), dtype="float64")


def gives_probabilities(estimator: Any) -> bool:
    """Return whether an adapted model gives the probability of each class."""
    if getattr(estimator, "classes_", None) is None or not hasattr(estimator, "predict_proba"):
        return False
    return bool(getattr(estimator, "gives_probabilities", True))


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
    """Return the columns of `frame` that a model calls `names`: LightGBM and ONNX respell ``mean radius``.

    Parameters
    ----------
    what
        Beginning of the sentence that says which column is missing.

    Raises
    ------
    InvalidFrame
        If one is missing.
    """
    exact = {str(column): column for column in frame.columns}
    respelt = {_WORD.sub("_", name): column for name, column in exact.items()}
    missing = [name for name in names if name not in exact and name not in respelt]
    if missing:
        raise InvalidFrame(f"{what} no column {missing[0]!r}, which the model was fitted on.")
    return [exact[name] if name in exact else respelt[name] for name in names]
