"""CatBoost in its own format: models and scikit-learn's kind of estimators, saved as .cbm, which holds no code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InvalidInput, UnsafeArtifact
from ._catboost_trees import check_trees
from ._library import comes_from, library, read_side, write_side

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

NAME = "catboost"
FILE = "model.cbm"
SAFE = True
LIBRARIES: tuple[str, ...] = ("catboost",)
ESTIMATORS = ("CatBoost", "CatBoostClassifier", "CatBoostRanker", "CatBoostRegressor")


def handles(model: Any) -> bool:
    """Return whether `model` is CatBoost's own model or estimator, or derived from one."""
    return isinstance(model, CatBoostModel) or comes_from(model, "catboost")


@dataclass(frozen=True)
class CatBoostModel:
    """A model of CatBoost as an estimator of scikit-learn's kind.

    Attributes
    ----------
    model : catboost.CatBoost
        Or what is derived from it.
    """

    model: Any

    @property
    def feature_names_in_(self) -> list[str] | None:
        """The columns that it was fitted on; None if it was not told their names."""
        names: list[str] = self.model.feature_names_
        return None if names == [str(number) for number in range(len(names))] else names

    @property
    def classes_(self) -> np.ndarray[Any, Any] | None:
        """Class labels, or None for what is no classifier."""
        import numpy as np

        classes = np.asarray(self.model.classes_)
        return classes if len(classes) else None

    @property
    def feature_importances_(self) -> np.ndarray[Any, Any]:
        """CatBoost's own, where it needs no data for them."""
        catboost = library("catboost", "catboost")
        try:
            importances: np.ndarray[Any, Any] = self.model.feature_importances_
            return importances
        except catboost.CatBoostError as error:  # a ranker's come from the rows
            raise AttributeError(str(error)) from error

    def predict(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return a class or a value for each row."""
        import numpy as np

        if self.classes_ is None:
            return np.asarray(self.model.predict(frame))
        return np.asarray(self.model.predict(frame, prediction_type="Class")).reshape(len(frame))

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return a probability for each row and class."""
        import numpy as np

        return np.asarray(self.model.predict(frame, prediction_type="Probability"))


def adapt(model: Any) -> Any:
    """Return `model` as an estimator."""
    return model if isinstance(model, CatBoostModel) else CatBoostModel(model)


def write(model: Any, folder: Path, columns: Sequence[str] | None) -> None:
    """Write a model.

    Raises
    ------
    UnsafeArtifact
        If it is of a class that is not CatBoost's own.
    InvalidInput
        If it has not been fitted.
    """
    own = adapt(model).model
    kind = type(own).__name__
    if type(own).__module__ != "catboost.core" or kind not in ESTIMATORS:
        raise UnsafeArtifact(
            f"{type(own).__module__}.{kind} is not one of CatBoost's own {', '.join(ESTIMATORS)}: fit one of those, or "
            "use unsafe=True (--unsafe), which marks it everywhere."
        )
    if not own.is_fitted():
        raise InvalidInput(f"The {kind} has not been fitted: fit it, then register it.")
    own.save_model(str(folder / FILE), format="cbm")
    write_side(folder, {"estimator": kind})


def read(folder: Path) -> Any:
    """Return the live model."""
    return CatBoostModel(_load(folder / FILE, read_side(folder)["estimator"]))


def libraries(folder: Path) -> tuple[str, ...]:
    """Return the distributions that what `write` wrote needs."""
    return LIBRARIES


def recognises(file: Path) -> bool:
    """Return whether a file's name says that it holds such a model."""
    return file.suffix == ".cbm"


def mlflow_flavor(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the flavor that `mlflow.catboost.load_model` reads."""
    catboost = library("catboost", "catboost")
    kind = read_side(folder)["estimator"]
    conf = {"data": FILE, "catboost_version": catboost.__version__, "model_type": kind, "save_format": "cbm"}
    return {"catboost": conf}


def read_file(file: Path) -> Any:
    """Return the model in a .cbm file.

    Raises
    ------
    InvalidInput
        If the file holds none.
    """
    model = _load(file, "CatBoost")
    return CatBoostModel(_load(file, "CatBoostClassifier" if len(model.classes_) else "CatBoostRegressor"))


def _load(file: Path, kind: str) -> Any:
    catboost = library("catboost", "catboost")
    if kind not in ESTIMATORS:
        raise UnsafeArtifact(f"{kind!r} is not one of CatBoost's own estimators: register the model again.")
    try:
        check_trees(file.read_bytes())
    except ValueError as error:
        raise InvalidInput(
            f"{str(file)!r} holds no whole CatBoost model: {error}. Save it again with model.save_model(), as .cbm."
        ) from error
    try:
        return getattr(catboost, kind)().load_model(str(file), format="cbm")
    except catboost.CatBoostError as error:
        raise InvalidInput(
            f"{str(file)!r} holds no CatBoost model: save one with model.save_model(), as .cbm."
        ) from error
