"""How stock MLflow loads a version: the `python_function` flavor's loader module, run from the version's own copy.

It holds to the rules of `Workspace.load`: the bytes are checked before anything is read, the format must be on the
allow-list, and one that runs code is loaded only where that was allowed. Functions of the project that a version was
made in run from the source that is kept with it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput, ModelOpsError, UnsafeArtifact
from .contract import conform
from .formats import adapt, flavor_of, read_model
from .manifest import Manifest, checked_manifest
from .predictions import predict, predict_proba

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

ALLOW_UNSAFE = "MODELOPS_ALLOW_UNSAFE"
METHODS = ("predict", "predict_proba")
_YES = ("1", "true", "yes", "on")
_NO = ("0", "false")


class ScoringModel:
    """What `mlflow.pyfunc.load_model` wraps."""

    def __init__(self, model: Any, manifest: Manifest) -> None:
        self._model, self._columns = model, manifest.columns

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> np.ndarray[Any, Any]:
        """Return what `Workspace.predict` returns for the same rows.

        Parameters
        ----------
        params
            ``response_method``: ``predict`` (the default), or ``predict_proba`` for a probability for each class.

        Raises
        ------
        mlflow.exceptions.MlflowException
            If the model cannot take the rows, in one sentence, which MLflow's servers pass on.
        """
        method = (params or {}).get("response_method", METHODS[0])
        try:
            if method not in METHODS:
                raise InvalidInput(f"response_method is {' or '.join(METHODS)}, not {method!r}.")
            frame = conform(self._frame(model_input), self._columns).readable()
            return predict(self._model, frame).prediction if method == "predict" else predict_proba(self._model, frame)
        except ModelOpsError as error:
            from mlflow.exceptions import MlflowException

            raise MlflowException.invalid_parameter_value(str(error)) from error

    def get_raw_model(self) -> Any:
        """Return the live model."""
        return self._model

    def _frame(self, model_input: Any) -> pd.DataFrame:
        """Return what MLflow hands over as a table; without a signature that is whatever the caller passed."""
        import pandas as pd

        frame = model_input if isinstance(model_input, pd.DataFrame) else pd.DataFrame(model_input)
        names = [column["name"] for column in self._columns] or getattr(adapt(self._model), "feature_names_in_", None)
        if names is not None and len(names) == frame.shape[1] and isinstance(frame.columns, pd.RangeIndex):
            frame = frame.set_axis([str(name) for name in names], axis=1)  # a matrix: its columns are in order
        return frame


def _load_pyfunc(path: str) -> ScoringModel:
    """Return the model in a version's folder; MLflow calls this.

    Raises
    ------
    ArtifactChanged
        If the folder does not hold exactly the files that its manifest lists.
    UnsafeArtifact
        If the format is not on the allow-list, or runs code and that was not allowed.
    """
    folder = Path(path)
    what = f"The model in {folder.name}"
    manifest = checked_manifest(folder, what)
    unsafe = not flavor_of(manifest.format).SAFE
    if unsafe:
        _check_allowed(what, manifest.format)
    model = read_model(folder, manifest.format, unsafe=unsafe, functions=manifest.functions)
    return ScoringModel(model, manifest)


def _check_allowed(what: str, format: str) -> None:
    if os.environ.get("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true").lower() in _NO:
        raise UnsafeArtifact(
            f"{what} is of format {format!r}, which runs code when it is loaded, and "
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION is false: register it in a safe format."
        )
    if os.environ.get(ALLOW_UNSAFE, "").lower() not in _YES:
        raise UnsafeArtifact(
            f"{what} is of format {format!r}, which runs code when it is loaded: set the environment variable "
            f"{ALLOW_UNSAFE}=1 if you trust it."
        )
