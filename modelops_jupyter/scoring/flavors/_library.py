"""Optional libraries: found by a model's classes, imported only where such a model is in play."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from ...errors import InvalidInput, LibraryMissing

_TITLES = {"onnx": "ONNX", "xgboost": "XGBoost", "lightgbm": "LightGBM", "catboost": "CatBoost"}
# The extra of ours that brings a package which a pipeline may hold parts of, and the distribution it is in.
EXTRAS = {
    "lightgbm": "lightgbm",
    "xgboost": "xgboost",
    "catboost": "catboost",
    "imblearn": "imblearn",
    "category_encoders": "encoders",
}
DISTRIBUTIONS = {"imblearn": "imbalanced-learn"}
SIDE_FILE = "modelops.json"


def library(name: str, extra: str) -> ModuleType:
    """Import an optional library.

    Raises
    ------
    LibraryMissing
        With the extra that brings it.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise LibraryMissing(
            f"{_TITLES[extra]} models need {name}, which cannot be imported ({error}): "
            f"install it with `pip install 'modelops-jupyter[{extra}]'`."
        ) from error


def comes_from(model: Any, package: str) -> bool:
    """Return whether a class of `model` is defined in `package`, without importing that."""
    return any(kind.__module__.partition(".")[0] == package for kind in type(model).__mro__)


def plain_classes(classes: Any) -> list[Any] | None:
    """Return class labels as JSON has them, or None where there are none."""
    if classes is None:
        return None
    plain = [label.item() if hasattr(label, "item") else label for label in classes]
    if not all(isinstance(label, str | int | float) for label in plain):  # a bool is an int
        raise InvalidInput(f"Class labels are numbers or text, not {type(plain[0]).__name__}: fit on those.")
    return plain


def write_side(folder: Path, facts: Mapping[str, Any]) -> None:
    """Keep beside the model's own file what that has no place for."""
    (folder / SIDE_FILE).write_text(json.dumps(facts, allow_nan=False, sort_keys=True), encoding="utf-8")


def read_side(folder: Path) -> dict[str, Any]:
    """Return what `write_side` wrote."""
    facts: dict[str, Any] = json.loads((folder / SIDE_FILE).read_text(encoding="utf-8"))
    return facts
