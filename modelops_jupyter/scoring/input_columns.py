"""The types of a model's columns, put back after MLflow's signature or JSON has changed them.

JSON knows neither categories nor dates nor texts that are missing, and MLflow's types know fewer than pandas. A model
that was fitted on such columns answers otherwise without them, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_PLAIN = (str, int, float, bool)


def describe(frames: Sequence[pd.DataFrame]) -> list[dict[str, Any]]:
    """Return the columns of the first of `frames` as JSON data: name, dtype, and whether any frame lacks values."""
    return [
        {
            "name": str(name),
            "missing": any(bool(frame[name].isna().any()) for frame in frames if name in frame.columns),
            **_kind(frames[0][name]),
        }
        for name in (frames[0].columns if frames else ())
    ]


def restore(frame: pd.DataFrame, columns: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return `frame` with its columns in the types that `describe` saw; one that may be left out is added as missing.

    Values that the type does not hold stay as they came: it is the model's to judge them.
    """
    by_name = {column["name"]: column for column in columns}
    restored = {
        name: _restored(frame[name], by_name[str(name)]) if str(name) in by_name else frame[name]
        for name in frame.columns
    }
    present = {str(name) for name in frame.columns}
    for column in columns:
        if column["missing"] and column["name"] not in present:
            restored[column["name"]] = _absent(frame.index, column)
    import pandas as pd

    return pd.DataFrame(restored, index=frame.index)


def _kind(values: pd.Series[Any]) -> dict[str, Any]:
    """Return a column's dtype and what else it takes to make one like it."""
    import pandas as pd

    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories = dtype.categories.tolist()
        if not all(isinstance(category, _PLAIN) for category in categories):
            return {"dtype": "object"}  # of intervals, say: no JSON holds them
        of = str(dtype.categories.dtype)
        return {"dtype": "category", "categories": categories, "of": of, "ordered": bool(dtype.ordered)}
    if pd.api.types.is_object_dtype(dtype):
        return {"dtype": "object", "none": any(value is None for value in values)}
    return {"dtype": str(dtype)}


def _restored(values: pd.Series[Any], column: Mapping[str, Any]) -> pd.Series[Any]:
    import pandas as pd

    name = column["dtype"]
    if str(values.dtype) == name and name != "category":
        return values
    try:
        if name == "category":
            return _categorical(values, column)
        if name == "object":
            plain = values.astype(object)
            return plain.where(plain.notna(), None) if column.get("none") else plain
        dtype = pd.api.types.pandas_dtype(name)
        if isinstance(dtype, pd.DatetimeTZDtype) and not isinstance(values.dtype, pd.DatetimeTZDtype):
            return pd.to_datetime(values, utc=True).astype(dtype)
        if (
            dtype.kind in "iufb"
            and pd.api.types.is_object_dtype(values.dtype)
            and not pd.api.types.is_extension_array_dtype(dtype)
        ):
            values = values.infer_objects()
        cast = values.astype(dtype)
        return cast if _same(values, cast) else values
    except (TypeError, ValueError, OverflowError):  # other values than those it was registered with
        return values


def _categorical(values: pd.Series[Any], column: Mapping[str, Any]) -> pd.Series[Any]:
    """Return values as categories: those on record, then new ones, which stay what they are."""
    import pandas as pd

    plain = values.astype(object)
    known = pd.Index(column["categories"]).astype(column["of"])
    new = [value for value in pd.unique(plain.dropna()) if value not in known]
    categories = known.append(pd.Index(new)) if new else known
    return plain.astype(pd.CategoricalDtype(categories, ordered=column["ordered"]))


def _same(before: pd.Series[Any], after: pd.Series[Any]) -> bool:
    """Tell whether a cast has changed no value."""
    gaps, others = before.isna().to_numpy(), after.isna().to_numpy()
    if (gaps != others).any():
        return False
    return bool((before[~gaps].astype(object).to_numpy() == after[~gaps].astype(object).to_numpy()).all())


def _absent(index: pd.Index[Any], column: Mapping[str, Any]) -> pd.Series[Any]:
    """Return a column in which every value is missing."""
    import pandas as pd

    name = column["dtype"]
    if name == "object":
        return pd.Series([None if column.get("none") else float("nan")] * len(index), index=index, dtype=object)
    if name == "category":
        return _categorical(pd.Series([None] * len(index), index=index, dtype=object), column)
    dtype = pd.api.types.pandas_dtype(name)
    holds_gaps = dtype.kind not in "iub" or pd.api.types.is_extension_array_dtype(dtype)
    return pd.Series([None] * len(index), index=index, dtype=dtype if holds_gaps else "float64")
