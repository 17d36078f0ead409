"""What a live model predicts for rows; whatever it raises becomes one line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from modelops_jupyter.errors import ModelOpsError

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.registry import Predictions

LONGEST_REASON = 200
_PLACE = re.compile(r"^\[[\d:]+\] \S+:\d+: ")  # of XGBoost's source, in its messages


class ModelRaised(Exception):
    """A model of the user's raised: the kind of its error and the first line of what that says."""


def ask_model(model: Any, frame: pd.DataFrame, *, undecided: Literal["refuse", "missing"] = "refuse") -> Predictions:
    """Return what a model predicts; `undecided` as in `predict`.

    Raises
    ------
    ModelRaised
        If the model raises; errors of ours, and memory that runs out, are raised as they are.
    """
    from modelops_jupyter.registry import predict

    try:
        return predict(model, frame, undecided=undecided)
    except (ModelOpsError, MemoryError):
        raise
    except Exception as error:  # whatever a model of the user's raises
        line = next(iter(str(error).splitlines()), "")[:LONGEST_REASON].rstrip(".")
        raise ModelRaised(f"{type(error).__name__}: {_PLACE.sub('', line)}") from error
