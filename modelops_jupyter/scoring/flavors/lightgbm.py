"""LightGBM in its own format: boosters and scikit-learn estimators, saved as text, which holds no code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InvalidInput, UnsafeArtifact
from ._library import comes_from, library, plain_classes, read_side, write_side
from ._lightgbm_text import checked_text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

NAME = "lightgbm"
FILE = "model.txt"
SAFE = True
LIBRARIES: tuple[str, ...] = ("lightgbm",)


def handles(model: Any) -> bool:
    """Return whether `model` is LightGBM's own booster or estimator, or derived from one."""
    return isinstance(model, LightGBMModel) or comes_from(model, "lightgbm")


@dataclass(frozen=True)
class LightGBMModel:
    """A `lightgbm.Booster` as an estimator; what loading a registered LightGBM model returns.

    Attributes
    ----------
    booster_ : lightgbm.Booster
    labels : tuple or None
        The class labels of the estimator it came from; without them a classifier's classes are 0 to n-1.
    """

    booster_: Any
    labels: tuple[Any, ...] | None = None

    @cached_property
    def _objective(self) -> list[str]:
        """The objective and its options, as the model's text has them."""
        head = self.booster_.model_to_string(num_iteration=1).partition("\n\n")[0]
        lines = (line for line in head.splitlines() if line.startswith("objective="))
        return next(lines, "objective=none").removeprefix("objective=").split()

    @property
    def feature_names_in_(self) -> list[str] | None:
        """The columns it was fitted on, as LightGBM spells them; None if it was not told their names."""
        names: list[str] = self.booster_.feature_name()
        return None if names == [f"Column_{n}" for n in range(len(names))] else names

    @cached_property
    def classes_(self) -> np.ndarray[Any, Any] | None:
        """Class labels, or None for what is no classifier."""
        import numpy as np

        if self.labels is not None:
            return np.asarray(self.labels)
        options = dict(pair.partition(":")[::2] for pair in self._objective[1:])
        if self._objective[0] == "binary":
            return np.arange(2)
        return np.arange(int(options["num_class"])) if self._objective[0].startswith("multiclass") else None

    def predict(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return a class or a value for each row."""
        classes = self.classes_
        if classes is None:
            answer: np.ndarray[Any, Any] = self.booster_.predict(frame)
            return answer
        chosen: np.ndarray[Any, Any] = classes[self.predict_proba(frame).argmax(axis=1)]
        return chosen

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return a probability for each row and class."""
        import numpy as np

        answer: np.ndarray[Any, Any] = self.booster_.predict(frame)
        return np.column_stack([1 - answer, answer]) if answer.ndim == 1 else answer


def adapt(model: Any) -> Any:
    """Return `model` as an estimator."""
    import lightgbm

    return LightGBMModel(model) if isinstance(model, lightgbm.Booster) else model


def write(model: Any, folder: Path, columns: Sequence[str] | None) -> None:
    """Write a booster's view or an estimator.

    Raises
    ------
    UnsafeArtifact
        If it is of a class, or has an objective, that is not LightGBM's own.
    """
    if isinstance(model, LightGBMModel):
        booster, labels = model.booster_, model.labels
    else:
        booster, labels = _of_estimator(model)
    booster.save_model(str(folder / FILE))
    write_side(folder, {"classes": plain_classes(labels)})


def _of_estimator(model: Any) -> tuple[Any, Any]:
    from sklearn.exceptions import NotFittedError

    kind = type(model).__name__
    if type(model).__module__ != "lightgbm.sklearn":
        raise UnsafeArtifact(
            f"{type(model).__module__}.{kind} is not one of LightGBM's own estimators: register its booster_, or use "
            "unsafe=True (--unsafe), which marks it everywhere."
        )
    if callable(model.objective):
        raise UnsafeArtifact(
            f"The {kind} has an objective that is a Python function, which LightGBM's format cannot hold: name one of "
            "LightGBM's objectives, or use unsafe=True (--unsafe), which marks it everywhere."
        )
    try:
        return model.booster_, getattr(model, "classes_", None)
    except NotFittedError as error:
        raise InvalidInput(f"The {kind} has not been fitted: fit it, then register it.") from error


def read(folder: Path) -> Any:
    """Return the live model."""
    labels = read_side(folder)["classes"]
    return LightGBMModel(read_file(folder / FILE), None if labels is None else tuple(labels))


def libraries(folder: Path) -> tuple[str, ...]:
    """Return the distributions that what `write` wrote needs."""
    return LIBRARIES


def recognises(file: Path) -> bool:
    """Return whether a file's name says that it holds a booster."""
    return file.suffix == ".txt"


def mlflow_flavor(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the flavor that `mlflow.lightgbm.load_model` reads: the booster, whatever estimator it came from."""
    lightgbm = library("lightgbm", "lightgbm")
    conf = {"data": FILE, "lgb_version": lightgbm.__version__, "model_class": "lightgbm.basic.Booster"}
    return {"lightgbm": conf}


def read_file(file: Path) -> Any:
    """Return the booster in a text file.

    Raises
    ------
    InvalidInput
        If the file holds none.
    """
    lightgbm = library("lightgbm", "lightgbm")
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        text = ""
    if not text.startswith("tree\n"):  # anything else ends in a message about a missing line of its format
        raise InvalidInput(f"{str(file)!r} holds no LightGBM model: save one with booster_.save_model().")
    try:
        return lightgbm.Booster(model_str=checked_text(text))
    except (InvalidInput, lightgbm.basic.LightGBMError) as error:
        raise InvalidInput(
            f"{str(file)!r} cannot be read as a LightGBM model ({error}): save it again with booster_.save_model()."
        ) from error
