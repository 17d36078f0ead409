"""Which model formats may be registered and loaded: an allow-list of our own, never the artifact's word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..errors import InvalidInput, NotFound, UnsafeArtifact
from .flavors import catboost, decision, lightgbm, onnx, pickle, sklearn, xgboost
from .flavors._function_marks import with_marks
from .flavors._recipes import recipe
from .project_code import ProjectFunction, load_functions
from .project_sources import project_code


class Flavor(Protocol):
    """One kind of model. A module of `flavors` is one, and a line of `FLAVORS` makes it known.

    Attributes
    ----------
    NAME
        The format's name on record.
    FILE
        The model's own file in a version's folder.
    SAFE
        Whether loading it runs no code of the file's.
    LIBRARIES
        The distributions that loading and predicting need, whatever the model.
    """

    NAME: str
    FILE: str
    SAFE: bool
    LIBRARIES: tuple[str, ...]

    def handles(self, model: Any) -> bool:
        """Return whether `model` is of this kind."""

    def adapt(self, model: Any) -> Any:
        """Return `model` as something that predicts tables."""

    def write(self, model: Any, folder: Path, columns: Sequence[str] | None) -> None:
        """Write an adapted model into `folder`; `columns` are those it was given."""

    def read(self, folder: Path) -> Any:
        """Return the live, adapted model that `write` wrote."""

    def libraries(self, folder: Path) -> tuple[str, ...]:
        """Return the distributions that loading and predicting what `write` wrote need."""

    def recognises(self, file: Path) -> bool:
        """Return whether `file` says that it holds a model of this kind."""

    def read_file(self, file: Path) -> Any:
        """Return the model in a file of the library's own."""

    def mlflow_flavor(self, folder: Path) -> dict[str, dict[str, Any]]:
        """Return the library's own flavor of what `write` wrote, as an MLmodel file has it; empty without one."""


# The first that handles a model writes it; the first that recognises a file reads it.
FLAVORS: tuple[Flavor, ...] = (onnx, xgboost, lightgbm, catboost, decision, sklearn, pickle)
_BY_NAME = {flavor.NAME: flavor for flavor in FLAVORS}


def flavor_of(name: str) -> Flavor:
    """Return the flavor of a format's name on record.

    Raises
    ------
    UnsafeArtifact
        If the name is not on the allow-list.
    """
    if name not in _BY_NAME:
        raise UnsafeArtifact(f"The format {name!r} is not on the allow-list: {', '.join(_BY_NAME)} are.")
    return _BY_NAME[name]


def adapt(model: Any) -> Any:
    """Return `model` as something that predicts tables, which boosters and ONNX graphs do not do by themselves.

    A path is the model in that file; bytes are an ONNX model.
    """
    if isinstance(model, str | Path):
        model = read_model_file(Path(model))
    flavor = next((flavor for flavor in FLAVORS if flavor.handles(model)), None)
    return model if flavor is None else flavor.adapt(model)


@dataclass(frozen=True)
class Written:
    """How a model was written, and the functions of the project whose source was kept with it."""

    flavor: Flavor
    functions: tuple[ProjectFunction, ...] = ()


def write_model(
    model: Any, folder: Path, *, unsafe: bool, project: Path, columns: Sequence[str] | None = None
) -> Written:
    """Write an adapted `model` under `folder` in the safest format it has.

    Parameters
    ----------
    project
        The folder whose plain functions a pipeline may call: the files that define them are kept with it.

    Raises
    ------
    UnsafeArtifact
        If it has no format on the allow-list, or calls functions that cannot be kept, and `unsafe` is False.
    InvalidInput
        If it cannot predict.
    """
    flavor = next((flavor for flavor in FLAVORS if flavor.SAFE and flavor.handles(model)), None)
    if flavor is not None and not hasattr(model, "predict"):
        raise InvalidInput(_without_predict(model))
    try:
        if flavor is sklearn:
            return _write_pipeline(model, folder, project, columns)
        if flavor is not None:
            flavor.write(model, folder, columns)
            return Written(flavor)
        raise UnsafeArtifact(_without_format(model))
    except UnsafeArtifact:
        if not unsafe:
            raise
    if not pickle.handles(model):
        raise InvalidInput(_without_predict(model))
    pickle.write(model, folder, columns)
    return Written(flavor_of(pickle.NAME))


def _write_pipeline(model: Any, folder: Path, project: Path, columns: Sequence[str] | None) -> Written:
    """Write an estimator, with the source of the project's functions that it calls."""
    code, names = project_code(model, project)
    sklearn.write(with_marks(model, names), folder, columns)
    code.write(folder)
    return Written(sklearn, code.functions)


def _without_predict(model: Any) -> str:
    lines = recipe(model)
    if lines is not None:
        return f"This is {lines}."
    return (
        f"A {type(model).__name__} has no predict(): register a fitted model that has, or a pipeline that ends in one."
    )


def _without_format(model: Any) -> str:
    lines = recipe(model)
    if lines is not None:
        return f"This is {lines}. With unsafe=True (--unsafe) it is registered as it is, and marked everywhere."
    return (
        f"{type(model).__module__}.{type(model).__qualname__} has no format on the allow-list (scikit-learn by skops, "
        "ONNX, XGBoost, LightGBM, CatBoost, decision tables): register it with unsafe=True (--unsafe), which marks it "
        "everywhere."
    )


def read_model(folder: Path, name: str, *, unsafe: bool = False, functions: Sequence[Mapping[str, Any]] = ()) -> Any:
    """Return the live model of format `name` under `folder`, whose bytes have been checked.

    Parameters
    ----------
    functions
        Those of the project that are on record with the model (`ProjectFunction.facts`): the kept source is run.

    Raises
    ------
    UnsafeArtifact
        If the format is not on the allow-list, or runs code when it is loaded and `unsafe` is False.
    ArtifactChanged
        If the kept source of a function is not the one on record.
    """
    flavor = flavor_of(name)
    if not flavor.SAFE and not unsafe:
        raise UnsafeArtifact(
            f"A model of format {name!r} runs code when it is loaded: say unsafe=True (--unsafe) if you trust it."
        )
    if functions and flavor is sklearn:
        return sklearn.read(folder, load_functions(folder, functions))
    return flavor.read(folder)


def read_model_file(file: Path) -> Any:
    """Return the model in a file of an allowed format; nothing in it is executed.

    Raises
    ------
    NotFound
        If there is no such file.
    InvalidInput
        If it is of no allowed format, or does not hold what it says.
    """
    if not file.is_file():
        raise NotFound(f"There is no file {str(file)!r}.")
    flavor = next((flavor for flavor in FLAVORS if flavor.recognises(file)), None)
    if flavor is None:
        raise InvalidInput(f"{str(file)!r} is not a model (.skops, .onnx, .ubj, .cbm, .txt of LightGBM, .json).")
    return flavor.read_file(file)
