"""The folder of a model that MLflow wrote: which reader of ours reads it, what it takes, and the live model.

An MLmodel file may name a loader module and the types to trust. Neither counts here: each of our readers takes any
bytes without running code in them, and what none of them reads is unsafe.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from modelops_jupyter.errors import InvalidInput, ModelOpsError, UnsafeArtifact
from modelops_jupyter.registry.pyfunc import load_pyfunc
from modelops_jupyter.registry.tasks import unsupervised_task
from modelops_jupyter.scoring import formats
from modelops_jupyter.scoring.flavors import decision, lightgbm, onnx, sklearn, xgboost

FILE = "MLmodel"
PYFUNC = "mlflow-pyfunc"
LARGEST = 5_000_000
UNKNOWN = "unknown"
OWN = "modelops"  # the flavor that our versions have beside those of MLflow
_CLASSIFICATION = ("accuracy", "auc", "f1", "log_loss", "precision", "recall")
_REGRESSION = ("mae", "mape", "mean_absolute_error", "mean_squared_error", "mse", "r2", "rmse")


@dataclass(frozen=True)
class ModelFile:
    """Which reader reads a model, and what of the folder.

    Attributes
    ----------
    flavor : str
        The format's name on record: one of the allow-list, or `PYFUNC`, which MLflow alone can load.
    file : str
        The model's own file inside the folder; empty where the folder as a whole is read.
    estimator : str or None
        The class of XGBoost's estimator; None for a booster and for every other library.
    inputs : tuple of mapping
        The columns of MLflow's signature.
    """

    flavor: str
    file: str = ""
    estimator: str | None = None
    inputs: tuple[Mapping[str, Any], ...] = ()

    @property
    def safe(self) -> bool:
        """Whether loading it runs no code of the file's."""
        return self.flavor != PYFUNC and formats.flavor_of(self.flavor).SAFE


@dataclass(frozen=True)
class Description:
    """What an MLmodel file says.

    Attributes
    ----------
    flavors : mapping of str to mapping
        Each flavor's settings, as they are written.
    inputs, outputs : tuple of mapping
        The columns of the signature: ``name`` and ``type``; empty without a signature.
    """

    flavors: Mapping[str, Mapping[str, Any]]
    inputs: tuple[Mapping[str, Any], ...] = ()
    outputs: tuple[Mapping[str, Any], ...] = ()

    @property
    def features(self) -> list[str]:
        """The names of the columns that the model takes; empty where the signature names none."""
        names = [column.get("name") for column in self.inputs]
        return [str(name) for name in names] if all(name is not None for name in names) else []


def read_description(folder: Path) -> Description:
    """Read the MLmodel file of a folder.

    Raises
    ------
    InvalidInput
        If there is none, or it is no MLmodel file.
    """
    file = folder / FILE
    if not file.is_file():
        raise InvalidInput(f"The files hold no {FILE} file, which says how a model is read: log it again with MLflow.")
    try:
        if file.stat().st_size > LARGEST:
            raise ValueError(f"over {LARGEST} bytes")
        body = yaml.safe_load(file.read_text(encoding="utf-8"))
        flavors = {str(name): dict(conf or {}) for name, conf in body["flavors"].items()}
        signature = body.get("signature") or {}
        inputs, outputs = (_columns(signature.get(side)) for side in ("inputs", "outputs"))
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
        raise InvalidInput(f"The {FILE} file cannot be read ({reason}): log the model again with MLflow.") from error
    return Description(flavors, inputs, outputs)


def _columns(text: str | None) -> tuple[Mapping[str, Any], ...]:
    columns = json.loads(text) if text else []
    return tuple(dict(column) for column in columns)


def recognise(folder: Path, description: Description) -> ModelFile:
    """Return how the model in `folder` is read.

    Raises
    ------
    InvalidInput
        If the MLmodel file names a model file that is not in the folder.
    """
    own = str(description.flavors.get(OWN, {}).get("format"))
    if own in {flavor.NAME for flavor in formats.FLAVORS}:  # a version of ours, which another name of MLflow's has too
        return ModelFile(own)
    found = _native(description.flavors)
    if found is None:
        return ModelFile(PYFUNC)
    file = folder / found.file
    if Path(found.file).is_absolute() or not file.resolve().is_relative_to(folder.resolve()) or not file.is_file():
        raise InvalidInput(f"The {FILE} file names {found.file!r}, which is not among the files: log the model again.")
    return found


def _native(flavors: Mapping[str, Mapping[str, Any]]) -> ModelFile | None:
    """Return how a format of the allow-list is read, by the library whose flavor wrote it."""
    for library in ("sklearn", "lightgbm", "xgboost", "onnx"):
        conf = flavors.get(library)
        if conf is None:
            continue
        file = str(conf.get("pickled_model") or conf.get("data") or "")
        kind = str(conf.get("model_class") or "Booster").rpartition(".")[2]
        if library in ("sklearn", "lightgbm") and file.endswith(".skops"):
            return ModelFile(sklearn.NAME, file)
        if library == "lightgbm" and kind == "Booster" and file:
            return ModelFile(lightgbm.NAME, file)
        if library == "xgboost" and file and kind in ("Booster", *xgboost.ESTIMATORS):
            return ModelFile(xgboost.NAME, file, None if kind == "Booster" else kind)
        if library == "onnx" and file:
            return ModelFile(onnx.NAME, file)
    return None


def read_model(
    folder: Path,
    how: ModelFile,
    features: Iterable[str],
    *,
    unsafe: bool = False,
    functions: Sequence[Mapping[str, Any]] = (),
) -> Any:
    """Return the live model in `folder`, whose bytes have been checked.

    Parameters
    ----------
    features
        The columns it takes, for formats that do not name them.
    functions
        Those of the project that are on record with it, as `formats.read_model` takes them; of no adopted version.

    Raises
    ------
    UnsafeArtifact
        If loading it runs code and `unsafe` is False, or it holds types that are not on the allow-list.
    InvalidInput
        If the file cannot be read as what it should be.
    LibraryMissing
        If its library is not installed.
    """
    if how.flavor == PYFUNC:
        if not unsafe:
            raise UnsafeArtifact(
                "A model that MLflow alone can load runs code when it is loaded: say unsafe=True (--unsafe) if you "
                "trust it."
            )
        return load_pyfunc(folder)
    file = folder / how.file
    try:
        if not how.file:
            return formats.read_model(folder, how.flavor, unsafe=unsafe, functions=functions)
        if how.flavor == onnx.NAME:
            return onnx.read_with_weights(file, [*features] or None)
        if how.estimator is not None:
            return xgboost.read_estimator(file, how.estimator)
        return formats.adapt(formats.flavor_of(how.flavor).read_file(file))
    except ModelOpsError:
        raise
    except Exception as error:  # whatever a library's reader stumbles over: the file may hold anything
        reason = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
        if isinstance(error, OSError) and error.filename is not None:
            reason = f"{Path(error.filename).name}: {error.strerror}"
        what = repr(how.file) if how.file else "The folder"
        raise InvalidInput(f"{what} cannot be read as {how.flavor} ({reason}): log the model again.") from error


def open_model(folder: Path, how: ModelFile, features: Iterable[str], *, unsafe: bool) -> Any:
    """Return the live model as `read_model`; with `unsafe`, what no reader of ours takes is loaded by MLflow."""
    try:
        return read_model(folder, how, features, unsafe=unsafe)
    except UnsafeArtifact:
        if not unsafe or how.flavor == PYFUNC:
            raise
        return load_pyfunc(folder)


def describe_task(model: Any) -> tuple[str, list[str]]:
    """Return what a live model of a safe format does, and its classes."""
    if isinstance(model, decision.DecisionTable):
        return "decision", []
    unsupervised = unsupervised_task(model)
    if unsupervised is not None:
        return unsupervised, []
    classes = getattr(model, "classes_", None)
    if classes is None:
        return "regression", []
    return class_names(classes)


def class_names(classes: Any) -> tuple[str, list[str]]:
    """Return a classifier's task and the names of its classes; several outcomes at once are a task that we lack."""
    import numpy as np

    from modelops_jupyter.frames import outcome_text

    try:
        flat = np.asarray(classes).ndim == 1
    except ValueError:  # lists of different lengths: one for each outcome
        flat = False
    return ("classification", [str(outcome_text(label)) for label in classes]) if flat else (UNKNOWN, [])


def hinted_task(description: Description, class_name: str, metrics: Iterable[str]) -> str:
    """Return the task of a model that is not loaded, as far as its class, figures and signature tell."""
    for flavor in ("xgboost", "lightgbm", "catboost"):
        class_name = class_name or str(description.flavors.get(flavor, {}).get("model_class") or "")
    if class_name.endswith("Classifier"):
        return "classification"
    if class_name.endswith("Regressor"):
        return "regression"
    words = "".join(f"_{re.sub(r'[^a-z0-9]+', '_', name.lower())}_" for name in metrics)
    if any(f"_{metric}_" in words for metric in _CLASSIFICATION):
        return "classification"
    if any(f"_{metric}_" in words for metric in _REGRESSION):
        return "regression"
    if len(description.outputs) == 1 and description.outputs[0].get("type") in ("string", "boolean"):
        return "classification"
    return UNKNOWN
