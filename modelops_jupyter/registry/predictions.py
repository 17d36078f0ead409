"""What a live model says of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import InvalidFrame

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Predictions:
    """Predictions, shape (n,), and scores, shape (n,): the probability of the second class, or the regression value."""

    prediction: np.ndarray[Any, Any]
    score: np.ndarray[Any, Any] | None


def predict(model: Any, frame: pd.DataFrame) -> Predictions:
    """Score every row of `frame`, with the model's own columns in the model's own order.

    Raises
    ------
    InvalidFrame
        If a column that the model was fitted on is missing.
    """
    import numpy as np

    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        missing = [str(name) for name in names if name not in frame.columns]
        if missing:
            raise InvalidFrame(f"The rows have no column {missing[0]!r}, which the model was fitted on.")
        frame = frame[list(names)]
    classes = getattr(model, "classes_", None)
    if classes is not None and len(classes) == 2 and hasattr(model, "predict_proba"):
        score = np.asarray(model.predict_proba(frame)[:, 1], dtype="float64")
        return Predictions(np.asarray(classes)[(score >= 0.5).astype(int)], score)
    prediction = np.asarray(model.predict(frame))
    return Predictions(prediction, prediction.astype("float64") if prediction.dtype.kind == "f" else None)
