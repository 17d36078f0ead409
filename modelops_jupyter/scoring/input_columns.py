"""The contract of a version: what each column held in the rows that the version was registered with.

The contract is written once, at registration: into the manifest of the version's own files, by which stock MLflow
scores, and on the workspace's record, as the record ``contract`` of the version. An adopted version gets it with its
reference. It is JSON data, for each column in order:

========================  ==============================================================================================
``name``, ``dtype``       the column's name, and its pandas type
``missing``               whether a value was missing; such a column may be left out
``categories, of``        of a categorical column, its categories and their type, and whether they are ``ordered``
``values``                of a text column of few different texts, all of them
``minimum, maximum``      of numbers, the least and the greatest finite one
``none``                  of an object column, whether what is missing is written as None
========================  ==============================================================================================

`casting` puts values into these types, `contract` says which rows are not as these facts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_PLAIN = (str, int, float, bool)
MOST_TEXTS = 1000  # a column of more different texts, or of more than half as many as rows, is not one of categories
MOST_CHARACTERS = 100_000


def describe(frames: Sequence[pd.DataFrame]) -> list[dict[str, Any]]:
    """Return the contract of the columns of the first of `frames`; values are those of all of them."""
    return [
        _described(str(name), [frame[name] for frame in frames if name in frame.columns])
        for name in (frames[0].columns if frames else ())
    ]


# MLflow's types of a signature's columns, as pandas has them.
_MLFLOW_TYPES = {
    "boolean": "bool",
    "datetime": "datetime64[ns]",
    "double": "float64",
    "float": "float32",
    "integer": "int32",
    "long": "int64",
    "string": "str",
}


def of_signature(inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the types that an MLflow signature names as a contract; empty where it names not every column's."""
    columns = [
        {"name": str(column["name"]), "missing": not column.get("required", True), "dtype": _MLFLOW_TYPES[kind]}
        for column in inputs
        if column.get("name") is not None and (kind := str(column.get("type"))) in _MLFLOW_TYPES
    ]
    return columns if len(columns) == len(inputs) else []


def _described(name: str, parts: Sequence[pd.Series[Any]]) -> dict[str, Any]:
    kind = _kind(parts[0])
    missing = any(bool(part.isna().any()) for part in parts)
    return {"name": name, "missing": missing, **kind, **_range(parts), **_texts(parts, kind)}


def _kind(values: pd.Series[Any]) -> dict[str, Any]:
    """Return a column's dtype and what else it takes to make one like it."""
    import pandas as pd

    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories = dtype.categories.tolist()
        if not all(isinstance(category, _PLAIN) for category in categories):
            return {"dtype": "object"}  # of intervals, say: no JSON holds them
        of = str(dtype.categories.dtype)
        if dtype.categories.dtype.kind == "f":  # JSON has no infinite number: "inf" is read as one again
            categories = [value if math.isfinite(value) else str(value) for value in categories]
        return {"dtype": "category", "categories": categories, "of": of, "ordered": bool(dtype.ordered)}
    if pd.api.types.is_object_dtype(dtype):
        return {"dtype": "object", "none": any(value is None for value in values)}
    return {"dtype": str(dtype)}


def _range(parts: Sequence[pd.Series[Any]]) -> dict[str, Any]:
    """Return the least and the greatest finite number of a numeric column; nothing of any other."""
    if parts[0].dtype.kind not in "iuf":
        return {}
    ends = [end for part in parts if part.dtype.kind in "iuf" for end in _ends(part)]
    return {"minimum": min(ends), "maximum": max(ends)} if ends else {}


def _ends(values: pd.Series[Any]) -> Iterable[int | float]:
    import numpy as np

    numbers = values.to_numpy() if isinstance(values.dtype, np.dtype) else values.dropna().to_numpy()
    if numbers.dtype.kind == "f" and len(numbers) and not np.isfinite([numbers.min(), numbers.max()]).all():
        numbers = numbers[np.isfinite(numbers)]
    return (numbers.min().item(), numbers.max().item()) if len(numbers) else ()


def _texts(parts: Sequence[pd.Series[Any]], kind: Mapping[str, Any]) -> dict[str, Any]:
    """Return the texts of a column that has few different ones, in order; nothing of any other column."""
    import pandas as pd

    if not all(isinstance(part.dtype, pd.StringDtype) or part.dtype == object for part in parts):
        return {}
    texts: set[Any] = set()
    rows = sum(map(len, parts))
    for part in parts:
        texts |= set(part.dropna().unique()) if _hashable(part) else {None}
        if len(texts) > MOST_TEXTS or not all(isinstance(text, str) for text in texts):
            return {}
    few = 0 < 2 * len(texts) <= rows and sum(map(len, texts)) <= MOST_CHARACTERS
    return {"values": sorted(texts)} if few else {}


def _hashable(values: pd.Series[Any]) -> bool:
    """Tell whether values can be told apart by their hashes: lists and dicts in a column of objects cannot."""
    import pandas as pd

    return isinstance(values.dtype, pd.StringDtype) or pd.api.types.infer_dtype(values, skipna=True) == "string"
