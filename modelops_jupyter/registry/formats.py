"""Which model formats may be registered and loaded: an allow-list of our own, never the artifact's word."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from modelops_jupyter.errors import InvalidInput, NotFound, UnsafeArtifact
from modelops_jupyter.registry.flavors import lgbm, onnx, xgb
from modelops_jupyter.registry.flavors.decision import DecisionTable

SKLEARN, DECISION, PICKLE = "sklearn-skops", "decision-jdm", "pickle"
ONNX, XGBOOST, LIGHTGBM = "onnx", "xgboost", "lightgbm"
MODEL_FILES = {
    SKLEARN: "model.skops",
    DECISION: "decision.json",
    PICKLE: "model.pkl",
    ONNX: onnx.FILE,
    XGBOOST: xgb.FILE,
    LIGHTGBM: lgbm.FILE,
}

# What fitted estimators hold beyond what skops trusts by itself (public estimators, NumPy's scalars and generators).
# A trusted name may be called with arguments of the file's own choice, so: never a function, and no class of a package
# that reads, writes or fetches.
_TRUSTED_NUMPY = frozenset({"numpy.dtype", "numpy.ndarray"})
_TRUSTED_SKLEARN = re.compile(
    r"sklearn\.(_loss|calibration|cluster|ensemble|gaussian_process|linear_model|metrics|model_selection|multiclass"
    r"|neighbors|neural_network|svm|tree|utils\._bunch|utils\._metadata_requests)\.(\w+\.)*\w+"
)


def trusted_types(untrusted: list[str]) -> list[str]:
    """Return those of skops' unknown types that we trust; raise `UnsafeArtifact`, naming them, for any other."""
    others = [name for name in untrusted if name not in _TRUSTED_NUMPY and not _is_sklearn_class(name)]
    if others:
        raise UnsafeArtifact(
            f"The model holds types that are not scikit-learn's own: {', '.join(sorted(others))}. Rebuild it without "
            "them, or register it with unsafe=True (--unsafe), which marks it everywhere."
        )
    return untrusted


def _is_sklearn_class(name: str) -> bool:
    """Tell whether `name` is where a class of scikit-learn's estimators is defined, not where one is passed on."""
    if not _TRUSTED_SKLEARN.fullmatch(name):
        return False
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(import_module(module), attribute, None)
    except ImportError:  # no module: the name is one of another release, or of a method
        return False
    return isinstance(found, type) and f"{found.__module__}.{found.__qualname__}" == name


def adapt(model: Any) -> Any:
    """Return `model` as something that predicts tables, which boosters and ONNX graphs do not do by themselves.

    A path is the model in that file; bytes are an ONNX model.
    """
    if isinstance(model, str | Path):
        model = read_model_file(Path(model))
    for flavor in (onnx, xgb, lgbm):
        if flavor.handles(model):
            return flavor.adapt(model)
    return model


def write_model(model: Any, folder: Path, *, unsafe: bool, columns: Sequence[str] | None = None) -> str:
    """Write an adapted `model` under `folder` in the safest format it has, and return the format's name."""
    try:
        return _write_safe(model, folder, columns)
    except UnsafeArtifact:
        if not unsafe:
            raise
    import cloudpickle

    if not hasattr(model, "predict"):
        raise InvalidInput(f"A {type(model).__name__} has no predict(): register a fitted model.")
    (folder / MODEL_FILES[PICKLE]).write_bytes(cloudpickle.dumps(model))
    return PICKLE


def _write_safe(model: Any, folder: Path, columns: Sequence[str] | None) -> str:
    if isinstance(model, DecisionTable):
        (folder / MODEL_FILES[DECISION]).write_text(model.to_json(), encoding="utf-8")
        return DECISION
    if onnx.handles(model):
        onnx.write(model, folder, columns)
        return ONNX
    if xgb.handles(model):
        xgb.write(model, folder)
        return XGBOOST
    if lgbm.handles(model):
        lgbm.write(model, folder)
        return LIGHTGBM
    if _is_sklearn(model):
        _write_skops(model, folder / MODEL_FILES[SKLEARN])
        return SKLEARN
    raise UnsafeArtifact(
        f"{type(model).__module__}.{type(model).__name__} has no format on the allow-list (scikit-learn by skops, "
        "ONNX, XGBoost, LightGBM, decision tables): register it with unsafe=True (--unsafe), which marks it everywhere."
    )


def _write_skops(model: Any, file: Path) -> None:
    import skops.io as skops

    try:
        skops.dump(model, file)
        trusted_types(skops.get_untrusted_types(file=file))
    except UnsafeArtifact:
        file.unlink()
        raise


def read_model(folder: Path, flavor: str, *, unsafe: bool = False) -> Any:
    """Return the live model under `folder`, whose bytes have been checked; pickles only where `unsafe` is True."""
    if flavor == SKLEARN:
        return read_skops(folder / MODEL_FILES[SKLEARN])
    if flavor == DECISION:
        return DecisionTable.from_file(folder / MODEL_FILES[DECISION])
    if flavor == ONNX:
        return onnx.read(folder)
    if flavor == XGBOOST:
        return xgb.read(folder)
    if flavor == LIGHTGBM:
        return lgbm.read(folder)
    if flavor == PICKLE and unsafe:
        import cloudpickle

        return cloudpickle.loads((folder / MODEL_FILES[PICKLE]).read_bytes())
    raise UnsafeArtifact(
        f"A model of format {flavor!r} runs code when it is loaded: say unsafe=True (--unsafe) if you trust it."
    )


def read_model_file(file: Path) -> Any:
    """Return the model in a file of an allowed format, known by its suffix; nothing in it is executed.

    Raises
    ------
    InvalidInput
        If the suffix is none of an allowed format's, or the file does not hold what it says.
    """
    if not file.is_file():
        raise NotFound(f"There is no file {str(file)!r}.")
    if file.suffix == ".skops":
        return read_skops(file)
    if file.suffix == ".onnx":
        return onnx.OnnxModel.of(file)
    if file.suffix == ".ubj" or (file.suffix == ".json" and _is_xgboost_json(file)):
        return xgb.read_file(file)
    if file.suffix == ".json":
        return DecisionTable.from_file(file)
    if file.suffix == ".txt":
        return lgbm.read_file(file)
    if file.suffix in (".pkl", ".pickle", ".joblib"):
        raise InvalidInput(
            f"{str(file)!r} runs code when it is read: write the model with `skops.io.dump`, or register it from "
            "Python with unsafe=True."
        )
    raise InvalidInput(f"{str(file)!r} is no model (.skops, .onnx, .ubj, .txt of LightGBM, .json).")


def _is_xgboost_json(file: Path) -> bool:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):  # the decision table's own reader says what is wrong
        return False
    return isinstance(document, dict) and "learner" in document


def read_skops(file: Path) -> Any:
    """Return the estimator in a skops file whose types are all scikit-learn's own."""
    import skops.io as skops

    try:
        untrusted = skops.get_untrusted_types(file=file)
    except Exception as error:  # whatever its reader stumbles over: no archive, no schema, a node that is none
        raise InvalidInput(f"{str(file)!r} holds no skops model: save one with skops.io.dump().") from error
    return skops.load(file, trusted=trusted_types(untrusted))


def _is_sklearn(model: Any) -> bool:
    from sklearn.base import BaseEstimator

    return isinstance(model, BaseEstimator)
