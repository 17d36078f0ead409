"""scikit-learn estimators in skops' format, which holds no code; the types in a file are held to a list of our own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from ...errors import InvalidInput, UnsafeArtifact

NAME = "sklearn-skops"
FILE = "model.skops"
SAFE = True
LIBRARIES: tuple[str, ...] = ("scikit-learn", "skops")

# What fitted estimators hold beyond what skops trusts by itself (public estimators, NumPy's scalars and generators).
# A trusted name may be called with arguments of the file's own choice, so: never a function, and no class of a package
# that reads, writes or fetches.
_TRUSTED_NUMPY = frozenset({"numpy.dtype", "numpy.ndarray"})
_TRUSTED_SKLEARN = re.compile(
    r"sklearn\.(_loss|calibration|cluster|ensemble|gaussian_process|linear_model|metrics|model_selection|multiclass"
    r"|neighbors|neural_network|svm|tree|utils\._bunch|utils\._metadata_requests)\.(\w+\.)*\w+"
)


def handles(model: Any) -> bool:
    """Return whether `model` is an estimator of scikit-learn's kind."""
    from sklearn.base import BaseEstimator

    return isinstance(model, BaseEstimator)


def adapt(model: Any) -> Any:
    """Return `model`: it predicts tables by itself."""
    return model


def write(model: Any, folder: Path, columns: Sequence[str] | None) -> None:
    """Write an estimator.

    Raises
    ------
    UnsafeArtifact
        If it holds types that are not on the allow-list.
    """
    import skops.io as skops

    file = folder / FILE
    try:
        skops.dump(model, file)
        trusted_types(skops.get_untrusted_types(file=file))
    except UnsafeArtifact:
        file.unlink()
        raise


def read(folder: Path) -> Any:
    """Return the live estimator."""
    return read_file(folder / FILE)


def recognises(file: Path) -> bool:
    """Return whether a file's name says that it holds such a model."""
    return file.suffix == ".skops"


def read_file(file: Path) -> Any:
    """Return the estimator in a skops file whose types are all on the allow-list.

    Raises
    ------
    InvalidInput
        If the file holds none.
    UnsafeArtifact
        If it holds types that are not on the allow-list.
    """
    import skops.io as skops

    return skops.load(file, trusted=trusted_types(_untrusted(file)))


def mlflow_flavor(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the flavor that `mlflow.sklearn.load_model` reads."""
    import sklearn

    conf = {
        "pickled_model": FILE,
        "sklearn_version": sklearn.__version__,
        "serialization_format": "skops",
        "skops_trusted_types": trusted_types(_untrusted(folder / FILE)),
    }
    return {"sklearn": conf}


def trusted_types(untrusted: list[str]) -> list[str]:
    """Return those of skops' unknown types that we trust; raise `UnsafeArtifact`, naming them, for any other."""
    others = [name for name in untrusted if name not in _TRUSTED_NUMPY and not _is_sklearn_class(name)]
    if others:
        raise UnsafeArtifact(
            f"The model holds types that are not scikit-learn's own: {', '.join(sorted(others))}. Rebuild it without "
            "them, or register it with unsafe=True (--unsafe), which marks it everywhere."
        )
    return untrusted


def _untrusted(file: Path) -> list[str]:
    import skops.io as skops

    try:
        return list(skops.get_untrusted_types(file=file))
    except Exception as error:  # whatever its reader stumbles over: no archive, no schema, a node that is none
        raise InvalidInput(f"{str(file)!r} holds no skops model: save one with skops.io.dump().") from error


def _is_sklearn_class(name: str) -> bool:
    """Tell whether `name` is where a class of scikit-learn's estimators is defined, not where one is passed on."""
    if not _TRUSTED_SKLEARN.fullmatch(name):
        return False
    module, _, attribute = name.rpartition(".")
    try:
        candidate = getattr(import_module(module), attribute, None)
    except ImportError:  # no module: the name is one of another release, or of a method
        return False
    return isinstance(candidate, type) and f"{candidate.__module__}.{candidate.__qualname__}" == name
