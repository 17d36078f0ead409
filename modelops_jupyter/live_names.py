"""What a running notebook holds that could be registered: fitted models, and the tables they may be fitted on."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

MOST_COLUMNS = 500
_LIBRARIES = ("xgboost", "lightgbm", "onnx", "modelops_jupyter")


@dataclass(frozen=True)
class LiveModel:
    """A name that is bound to a fitted model; `features` are the columns it was fitted on, where it remembers them."""

    name: str
    type: str
    features: tuple[str, ...]


@dataclass(frozen=True)
class LiveTable:
    """A name that is bound to rows: `columns` are None for a single column of outcomes."""

    name: str
    type: str
    rows: int
    columns: tuple[str, ...] | None


@dataclass(frozen=True)
class LiveNames:
    """The notebook's fitted models and tables, by name; `magic` says whether ``%modelops`` is there."""

    models: tuple[LiveModel, ...]
    tables: tuple[LiveTable, ...]
    magic: bool

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": repr(self), "application/json": asdict(self)}


def live_names(namespace: Mapping[str, Any], *, magic: bool) -> LiveNames:
    """Return what of a notebook's namespace could be registered, newest name first; nothing is computed or copied."""
    names = [(name, value) for name, value in reversed(list(namespace.items())) if not name.startswith("_")]
    models = [LiveModel(name, _type(value), _features(value)) for name, value in names if _is_fitted(value)]
    tables = [table for name, value in names if (table := _table(name, value)) is not None]
    return LiveNames(tuple(models), tuple(tables), magic)


def _is_fitted(value: Any) -> bool:
    """Return whether `value` is a model that predicts now: fitted, if it is scikit-learn's kind."""
    module = type(value).__module__.split(".")[0]
    if inspect.isclass(value) or inspect.ismodule(value) or inspect.isroutine(value):
        return False
    if type(value).__name__ in ("ModelProto", "DecisionTable"):
        return module in _LIBRARIES
    try:
        if not callable(getattr(value, "predict", None)):
            return False
        validation = sys.modules.get("sklearn.utils.validation")
        if validation is None or not hasattr(value, "get_params"):
            return module in _LIBRARIES
        validation.check_is_fitted(value)
    except Exception:  # not fitted, or an object of the user's that does not like to be asked
        return False
    return True


def _features(model: Any) -> tuple[str, ...]:
    try:
        return tuple(str(name) for name in model.feature_names_in_)
    except Exception:  # none, or one that cannot say
        return ()


def _table(name: str, value: Any) -> LiveTable | None:
    kind = type(value)
    if kind.__module__.split(".")[0] not in ("pandas", "polars", "pyarrow", "numpy"):
        return None
    if kind.__name__ == "DataFrame":
        columns = tuple(str(column) for column in list(value.columns)[:MOST_COLUMNS])
        return LiveTable(name, _type(value), len(value), columns)
    if kind.__name__ == "Table":
        return LiveTable(name, _type(value), value.num_rows, tuple(value.column_names[:MOST_COLUMNS]))
    if kind.__name__ in ("Series", "ChunkedArray") or (kind.__name__ == "ndarray" and value.ndim == 1):
        return LiveTable(name, _type(value), len(value), None)
    if kind.__name__ == "ndarray" and value.ndim == 2:
        return LiveTable(name, _type(value), len(value), ())
    return None


def _type(value: Any) -> str:
    return f"{type(value).__module__.split('.')[0]} {type(value).__name__}"
