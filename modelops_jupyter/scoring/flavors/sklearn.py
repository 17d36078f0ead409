"""scikit-learn estimators, and pipelines with parts of other libraries, in skops' format, which holds no code.

What a file may name is held to an allow-list of our own (see `_trust`), part by part, before anything is built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any

from ...errors import InvalidInput, LibraryMissing, UnsafeArtifact
from . import _skops_audit as audit
from ._boosters_inside import check_boosters
from ._function_marks import MARK as FUNCTION_MARK
from ._function_marks import with_functions
from ._library import DISTRIBUTIONS, EXTRAS
from ._pandas_parts import MARK, with_pandas, with_values
from ._parts import children
from ._refusal_text import FROM_PYTHON, UNSAFE, refusal_text, unwritable_text
from ._soundness import check_sound

NAME = "sklearn-skops"
FILE = "model.skops"
SAFE = True
LIBRARIES: tuple[str, ...] = ("scikit-learn", "skops")


def handles(model: Any) -> bool:
    """Return whether `model` is an estimator of scikit-learn's kind."""
    from sklearn.base import BaseEstimator

    return isinstance(model, BaseEstimator)


def adapt(model: Any) -> Any:
    """Return `model`: it predicts tables by itself."""
    return model


def write(model: Any, folder: Path, columns: Sequence[str] | None) -> None:
    """Write an estimator, once it has been rebuilt from what is written; marks for functions stay marks.

    Raises
    ------
    InvalidInput
        If it has not been fitted.
    UnsafeArtifact
        If it holds parts that are not on the allow-list, or that skops cannot write.
    """
    _check_fitted(model)
    content = _dumped(model)
    schema = audit.read_schema(content)
    _check(schema, UNSAFE)
    try:
        _rebuilt(content, schema)
    except Exception as error:  # whatever a part's own reader stumbles over
        raise UnsafeArtifact(
            f"skops cannot rebuild this {type(model).__name__} ({_first_line(error)}): {UNSAFE}."
        ) from error
    (folder / FILE).write_bytes(content)


def read(folder: Path, functions: Mapping[str, FunctionType] | None = None) -> Any:
    """Return the live estimator; `functions` are those of the project it was fitted in that it may call."""
    return _read(folder / FILE, functions or {})


def recognises(file: Path) -> bool:
    """Return whether a file's name says that it holds such a model."""
    return file.suffix == ".skops"


def read_file(file: Path) -> Any:
    """Return the estimator in a skops file whose parts are all on the allow-list.

    Raises
    ------
    InvalidInput
        If the file holds none.
    UnsafeArtifact
        If it holds parts that are not on the allow-list.
    """
    return _read(file, {})


def _read(file: Path, functions: Mapping[str, FunctionType]) -> Any:
    content = file.read_bytes()
    try:
        schema = audit.read_schema(content)
        _check(schema, FROM_PYTHON)
        model = with_functions(_rebuilt(content, schema), functions)
    except (UnsafeArtifact, InvalidInput, LibraryMissing):
        raise
    except Exception as error:  # whatever a reader stumbles over: no archive, no schema, a part that is none
        raise InvalidInput(
            f"{str(file)!r} holds no skops model ({_first_line(error)}): save one with skops.io.dump()."
        ) from error
    if not handles(model):
        raise InvalidInput(
            f"{str(file)!r} holds a {type(model).__name__} and no estimator: save one with skops.io.dump()."
        )
    return model


def mlflow_flavor(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the flavor that `mlflow.sklearn.load_model` reads; none where parts are written in a way of our own."""
    import sklearn
    import skops.io as skops

    content = (folder / FILE).read_bytes()
    schema = str(audit.read_schema(content).root)
    if MARK in schema or FUNCTION_MARK in schema:
        return {}
    conf = {
        "pickled_model": FILE,
        "sklearn_version": sklearn.__version__,
        "serialization_format": "skops",
        "skops_trusted_types": list(skops.get_untrusted_types(data=content)),
    }
    return {"sklearn": conf}


def libraries(folder: Path) -> tuple[str, ...]:
    """Return the distributions that what `write` wrote needs."""
    packages = {name.partition(".")[0] for name in audit.read_schema((folder / FILE).read_bytes()).names}
    others = sorted(DISTRIBUTIONS.get(package, package) for package in packages & set(EXTRAS))
    return (*LIBRARIES, *others)


def _check_fitted(model: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(model)
    except NotFittedError as error:
        raise InvalidInput(f"The {type(model).__name__} has not been fitted: fit it, then register it.") from error
    except TypeError:  # it has no fit(), and so is ready
        return


def _check(schema: audit.Schema, otherwise: str) -> None:
    refusals = audit.refusals(schema)
    if refusals:
        raise UnsafeArtifact(refusal_text(refusals, otherwise))


def _rebuilt(content: bytes, schema: audit.Schema) -> Any:
    """Return what a file holds, whose schema has passed the audit."""
    import skops.io as skops

    check_boosters(content, schema)
    model = with_pandas(skops.loads(content, trusted=list(schema.names)))
    check_sound(model)
    return model


def _dumped(model: Any) -> bytes:
    import skops.io as skops

    try:
        return bytes(skops.dumps(with_values(model)))
    except Exception as error:  # whatever a part's own writer stumbles over
        path, part, reason = _unwritable(model, error)
        raise UnsafeArtifact(unwritable_text(path, part, reason)) from error


def _unwritable(model: Any, error: Exception) -> tuple[str, Any, Exception]:
    """Return the innermost part that skops cannot write, with its path and the reason."""
    import skops.io as skops

    trail = [("", model, error)]
    while True:
        path, part, _ = trail[-1]
        for inner_path, inner in children(part, path):
            if any(inner is passed for _, passed, _ in trail):
                continue
            try:
                skops.dumps(with_values(inner))
            except Exception as reason:  # as above
                trail.append((inner_path, inner, reason))
                break
        else:
            break
    if isinstance(trail[-1][2], RecursionError):
        path, part, _ = next((step for step in reversed(trail) if handles(step[1])), trail[0])
        return path, part, RecursionError("its parts refer to each other")
    return trail[-1]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "").rstrip(".") or type(error).__name__
