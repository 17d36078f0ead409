"""Models that MLflow's python_function flavor alone can load: it runs the code that they bring along."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import InvalidFrame, InvalidInput, LibraryMissing, ModelFailed
from modelops_jupyter.scoring.digests import COMPILED

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from mlflow.pyfunc import PyFuncModel


def load_pyfunc(folder: Path) -> PyFuncEstimator:
    """Load the model in `folder`, which runs the code inside; its files are kept as long as the model lives.

    Raises
    ------
    LibraryMissing
        If a library that it needs is not installed.
    InvalidInput
        If MLflow cannot load it.
    """
    import mlflow.pyfunc

    kept = tempfile.mkdtemp(prefix="modelops-")  # some models read files when they predict
    try:
        own = Path(shutil.copytree(folder, Path(kept) / "model", ignore=shutil.ignore_patterns(COMPILED)))
        model = PyFuncEstimator(mlflow.pyfunc.load_model(str(own), suppress_warnings=True), own)
    except Exception as error:  # the model's own code
        shutil.rmtree(kept, ignore_errors=True)
        line = _first_line(error)
        if isinstance(error, ImportError):
            raise LibraryMissing(
                f"MLflow cannot load the model here ({line}): install what its requirements.txt names, then repeat."
            ) from error
        raise InvalidInput(f"MLflow cannot load the model ({line}): log it again.") from error
    weakref.finalize(model, shutil.rmtree, kept, ignore_errors=True)
    return model


@dataclass(frozen=True, eq=False)
class PyFuncEstimator:
    """A `mlflow.pyfunc.PyFuncModel` as an estimator.

    Attributes
    ----------
    pyfunc : mlflow.pyfunc.PyFuncModel
        Its `predict` is asked; classes and probabilities are those of the estimator inside, where there is one.
    folder : Path
        Its files.
    """

    pyfunc: PyFuncModel
    folder: Path

    @cached_property
    def estimator(self) -> Any:
        """The estimator inside, such as a scikit-learn pipeline; None where there is none that predicts tables."""
        try:
            inside = self.pyfunc.get_raw_model()  # type: ignore[no-untyped-call]
        except NotImplementedError:
            return None
        return inside if hasattr(inside, "predict") and hasattr(inside, "get_params") else None

    @property
    def inmost(self) -> Any:
        """The estimator inside, which may have a format of its own, else this."""
        return self if self.estimator is None else self.estimator

    @property
    def classes_(self) -> Any:
        """Class labels of the estimator inside, or None."""
        return getattr(self.estimator, "classes_", None)

    @property
    def gives_probabilities(self) -> bool:
        """Whether the estimator inside gives more than a label."""
        return hasattr(self.estimator, "predict_proba")

    def predict(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return a prediction for each row.

        Raises
        ------
        InvalidFrame
            If the model cannot take the rows, or does not give one prediction a row.
        """
        import numpy as np

        predict = self.pyfunc.predict
        if self.classes_ is not None and self.pyfunc.metadata.flavors["python_function"].get("predict_fn") not in (
            None,
            "predict",
        ):
            predict = self.estimator.predict  # the flavor was told to give probabilities
        try:
            answer = predict(self._own(frame))
        except Exception as error:  # the model's own code
            raise ModelFailed(f"The model cannot take these rows: {_first_line(error)}.") from error
        columns = list(answer.values()) if isinstance(answer, dict) else [answer]
        matrix = np.asarray(columns[0])
        if matrix.size != len(frame) or len(columns) > 1:
            raise InvalidFrame(
                f"The model answers {len(frame)} rows with {matrix.size * len(columns)} values: a version on record "
                "gives one prediction for each row."
            )
        return matrix.reshape(len(frame))

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return the probabilities of the estimator inside, for each row and class."""
        probabilities: np.ndarray[Any, Any] = self.estimator.predict_proba(self._own(frame))
        return probabilities

    def _own(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the columns of the signature, in its order; optional ones may be left out."""
        schema = self.pyfunc.metadata.get_input_schema()  # type: ignore[no-untyped-call]
        names = schema.input_names() if schema is not None and schema.has_input_names() else list(frame.columns)
        return frame[[name for name in names if name in frame.columns]]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
