"""XGBoost in its own format: boosters and scikit-learn estimators, saved as UBJSON, which holds no code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InvalidInput, UnsafeArtifact
from ._library import comes_from, library, read_side, write_side
from ._xgboost_trees import check_content

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

NAME = "xgboost"
FILE = "model.ubj"
SAFE = True
LIBRARIES: tuple[str, ...] = ("xgboost",)
ESTIMATORS = ("XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor")


def handles(model: Any) -> bool:
    """Return whether `model` is XGBoost's own booster or estimator, or derived from one."""
    return isinstance(model, BoosterView) or comes_from(model, "xgboost")


@dataclass(frozen=True)
class BoosterView:
    """A `xgboost.Booster` as an estimator: what its objective makes of a row is known from the objective alone."""

    booster: Any

    @cached_property
    def _learner(self) -> dict[str, Any]:
        learner: dict[str, Any] = json.loads(self.booster.save_config())["learner"]
        return learner

    @property
    def _objective(self) -> str:
        return str(self._learner["learner_train_param"]["objective"])

    @property
    def feature_names_in_(self) -> list[str] | None:
        """The columns that the booster was fitted on, if it was told their names."""
        names: list[str] | None = self.booster.feature_names
        return names

    @property
    def classes_(self) -> np.ndarray[Any, Any] | None:
        """Class labels: XGBoost's are 0 to n-1; None for what is no classifier."""
        import numpy as np

        if self._objective.startswith("binary:"):
            return np.arange(2)
        if self._objective.startswith("multi:"):
            return np.arange(int(self._learner["learner_model_param"]["num_class"]))
        return None

    @property
    def gives_probabilities(self) -> bool:
        """Whether the objective gives more than a label."""
        return self._objective not in ("binary:hinge", "multi:softmax")

    def predict(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return a class or a value for each row."""
        classes = self.classes_
        if classes is None:
            return self._answer(frame)
        if not self.gives_probabilities:
            return self._answer(frame).astype("int64")
        chosen: np.ndarray[Any, Any] = classes[self.predict_proba(frame).argmax(axis=1)]
        return chosen

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return a probability for each row and class."""
        import numpy as np

        answer = self._answer(frame)
        if self._objective == "binary:logitraw":
            answer = 1 / (1 + np.exp(-answer))
        return np.column_stack([1 - answer, answer]) if answer.ndim == 1 else answer

    def _answer(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        import xgboost

        rows = frame.to_numpy() if self.feature_names_in_ is None else frame
        answer: np.ndarray[Any, Any] = self.booster.predict(xgboost.DMatrix(rows, enable_categorical=True))
        return answer


def adapt(model: Any) -> Any:
    """Return `model` as an estimator."""
    import xgboost

    return BoosterView(model) if isinstance(model, xgboost.Booster) else model


def write(model: Any, folder: Path, columns: Sequence[str] | None) -> None:
    """Write a booster's view or an estimator.

    Raises
    ------
    UnsafeArtifact
        If it is of a class, or has an objective, that is not XGBoost's own.
    """
    file = str(folder / FILE)
    if isinstance(model, BoosterView):
        model.booster.save_model(file)
        write_side(folder, {"estimator": None})
        return
    kind = type(model).__name__
    if not type(model).__module__.startswith("xgboost.") or kind not in ESTIMATORS:
        raise UnsafeArtifact(
            f"{type(model).__module__}.{kind} is not one of XGBoost's own {', '.join(ESTIMATORS)}: register its "
            "get_booster(), or use unsafe=True (--unsafe), which marks it everywhere."
        )
    if callable(model.objective):
        raise UnsafeArtifact(
            f"The {kind} has an objective that is a Python function, which XGBoost's format cannot hold: name one of "
            "XGBoost's objectives, or use unsafe=True (--unsafe), which marks it everywhere."
        )
    from sklearn.exceptions import NotFittedError

    try:
        model.save_model(file)
    except NotFittedError as error:
        raise InvalidInput(f"The {kind} has not been fitted: fit it, then register it.") from error
    missing = None if model.missing != model.missing else float(model.missing)
    write_side(folder, {"estimator": kind, "missing": missing, "enable_categorical": bool(model.enable_categorical)})


def read(folder: Path) -> Any:
    """Return the live booster or estimator."""
    facts = read_side(folder)
    kind = facts["estimator"]
    if kind is None:
        return read_file(folder / FILE)
    missing = float("nan") if facts["missing"] is None else facts["missing"]
    return read_estimator(folder / FILE, kind, missing=missing, enable_categorical=facts["enable_categorical"])


def read_estimator(file: Path, kind: str, **settings: Any) -> Any:
    """Return the estimator of class `kind` in a file that its own `save_model` wrote.

    Raises
    ------
    UnsafeArtifact
        If `kind` is not one of XGBoost's own.
    InvalidInput
        If the file holds none.
    """
    xgboost = library("xgboost", "xgboost")
    if kind not in ESTIMATORS:
        raise UnsafeArtifact(f"{kind!r} is not one of XGBoost's own estimators: register the model again.")
    model = getattr(xgboost, kind)(**settings)
    _check(file, kind)
    try:
        model.load_model(str(file))
    except (xgboost.core.XGBoostError, TypeError, ValueError) as error:
        raise InvalidInput(f"{str(file)!r} holds no {kind}: save one with model.save_model().") from error
    return model


def libraries(folder: Path) -> tuple[str, ...]:
    """Return the distributions that what `write` wrote needs."""
    return LIBRARIES


def recognises(file: Path) -> bool:
    """Return whether a file's name, or what a .json file begins with, says that it holds a booster."""
    if file.suffix != ".json":
        return file.suffix == ".ubj"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):  # the decision table's own reader says what is wrong
        return False
    return isinstance(document, dict) and "learner" in document


def mlflow_flavor(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the flavor that `mlflow.xgboost.load_model` reads."""
    xgboost = library("xgboost", "xgboost")
    kind = read_side(folder)["estimator"]
    model_class = "xgboost.core.Booster" if kind is None else f"xgboost.sklearn.{kind}"
    conf = {"data": FILE, "xgb_version": xgboost.__version__, "model_class": model_class, "model_format": "ubj"}
    return {"xgboost": conf}


def read_file(file: Path) -> Any:
    """Return the booster in a .ubj or .json file.

    Raises
    ------
    InvalidInput
        If the file holds none.
    """
    xgboost = library("xgboost", "xgboost")
    _check(file, "XGBoost model")
    try:
        return xgboost.Booster(model_file=str(file))
    except xgboost.core.XGBoostError as error:
        raise InvalidInput(
            f"{str(file)!r} holds no XGBoost model: save one with model.save_model(), as .ubj or .json."
        ) from error


def _check(file: Path, kind: str) -> None:
    try:
        check_content(file.read_bytes(), file.suffix)
    except InvalidInput as error:
        raise InvalidInput(
            f"{str(file)!r} holds no {kind} ({error}): save one with model.save_model(), as .ubj or .json."
        ) from error
