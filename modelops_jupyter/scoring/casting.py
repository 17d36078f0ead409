"""Values put into the type that a column had when its version was registered, where a value has one obvious reading.

Numbers may come as text, categories as text or numbers, times as ISO 8601 text, columns without any value as anything:
files, SQL and JSON know fewer types than pandas. What has no such reading is pointed out, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

# Words for a missing value, where they are no known category: those of pandas' readers that people write.
_MISSING = frozenset(("", "#N/A", "<NA>", "N/A", "NA", "NULL", "NaN", "NaT", "None", "n/a", "nan", "null"))
_TRUTH = {"true": True, "false": False, "1": True, "0": False}
_TEXT_TYPE = re.compile(r"str|string|(large_)?string\[pyarrow\]")


@dataclass(frozen=True)
class CastColumn:
    """A column in the type on record.

    Attributes
    ----------
    values : Series
        Missing where a value is unreadable.
    unreadable : array of bool or None
        Which values the type does not hold; None where it holds them all.
    """

    values: pd.Series[Any]
    unreadable: Array | None = None


def cast(values: pd.Series[Any], column: Mapping[str, Any]) -> CastColumn:
    """Return `values` in the type of `column`, which `input_columns.describe` wrote."""
    import pandas as pd

    name = str(column["dtype"])
    if str(values.dtype) == name and name not in ("category", "object"):
        return CastColumn(values)
    if name == "object" and "values" not in column:
        return CastColumn(_objects(values, column))
    strange = _strange(values)
    if strange is not None:  # a list or a dict is no number, no category and no text
        others = cast(values.where(~strange, None), column)
        unreadable = strange if others.unreadable is None else strange | others.unreadable
        return CastColumn(others.values, unreadable)
    if name == "category":
        return CastColumn(_categories(values, column))
    if name == "object":
        return CastColumn(_objects(values, column))
    if _TEXT_TYPE.fullmatch(name):
        return CastColumn(_texts(values).astype(pd.api.types.pandas_dtype(name)))
    dtype = pd.api.types.pandas_dtype(name)
    if dtype.kind in "iufb":
        read = _truth_values(values) if dtype.kind == "b" else _numbers(values)
    elif dtype.kind == "M":
        read = _times(values, dtype)
    else:
        read = values
    unreadable = (values.notna() & read.isna()).to_numpy(dtype=bool)
    if unreadable.any():
        unreadable = unreadable & ~_marks_of_absence(values, unreadable)
    return CastColumn(_fitted(read, dtype), unreadable if unreadable.any() else None)


def absent(index: pd.Index[Any], column: Mapping[str, Any]) -> pd.Series[Any]:
    """Return a column in which every value is missing."""
    import pandas as pd

    name = column["dtype"]
    if name == "object":
        return pd.Series([None if column.get("none") else float("nan")] * len(index), index=index, dtype=object)
    if name == "category":
        return _categories(pd.Series([None] * len(index), index=index, dtype=object), column)
    dtype = pd.api.types.pandas_dtype(name)
    holds_gaps = dtype.kind not in "iub" or pd.api.types.is_extension_array_dtype(dtype)
    return pd.Series([None] * len(index), index=index, dtype=dtype if holds_gaps else "float64")


def text_of(value: Any) -> str:
    """Return a value as text, the same wherever it comes from: 1, 1.0 and np.int64(1) are all ``"1"``."""
    plain = value.item() if hasattr(value, "item") and not getattr(value, "ndim", 0) else value
    return str(int(plain)) if isinstance(plain, float) and plain.is_integer() else str(plain)


def known_values(column: Mapping[str, Any]) -> list[Any] | None:
    """Return the categories, or the few texts, that a column held; None where it is of another kind."""
    values = column.get("categories", column.get("values"))
    return None if values is None else list(values)


def _categories(values: pd.Series[Any], column: Mapping[str, Any]) -> pd.Series[Any]:
    """Return values as categories: those on record, then new ones, which stay what they are."""
    import pandas as pd

    known = pd.Index(column["categories"]).astype(column["of"])
    wanted = pd.CategoricalDtype(known, ordered=column["ordered"])
    if values.dtype == wanted and values.cat.categories.equals(known):
        return values
    plain = _mapped(values, known)
    new = [value for value in pd.unique(plain.dropna()) if value not in known]
    if new:
        wanted = pd.CategoricalDtype(known.append(pd.Index(new)), ordered=column["ordered"])
    return plain.astype(wanted)


def _objects(values: pd.Series[Any], column: Mapping[str, Any]) -> pd.Series[Any]:
    import pandas as pd

    plain = values.astype(object)
    if "values" in column:
        plain = _mapped(_texts(values).astype(object), pd.Index(column["values"], dtype=object))
    return plain.where(plain.notna(), None) if column.get("none") else plain


def _mapped(values: pd.Series[Any], known: pd.Index[Any]) -> pd.Series[Any]:
    """Return values as objects, each that is no known one replaced by the known one that is written as it is."""
    import numpy as np
    import pandas as pd

    plain = values.astype(object)
    by_text = {text_of(value): value for value in known}
    truth = known.inferred_type == "boolean"
    meant = {}
    for value in plain.dropna().unique():
        is_truth = isinstance(value, bool | np.bool)
        if value in known and is_truth == truth:
            continue
        text = text_of(value)
        if text in by_text:
            meant[is_truth, value] = by_text[text]
        elif text in _MISSING:
            meant[is_truth, value] = None
        elif is_truth:  # True equals 1, which may be a category
            meant[is_truth, value] = text
    if not meant:
        return plain
    read = [meant.get((isinstance(value, bool | np.bool), value), value) for value in plain]
    return pd.Series(read, index=plain.index, dtype=object)


def _strange(values: pd.Series[Any]) -> Array | None:
    """Return which values cannot be told apart by their hashes, such as lists; None where none is."""
    import numpy as np

    if values.dtype != object:
        return None
    try:
        values.map(hash)
    except TypeError:
        return np.array([not _has_hash(value) for value in values])
    return None


def _has_hash(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _texts(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return values as text: whole numbers without a point."""
    import pandas as pd

    if isinstance(values.dtype, pd.StringDtype):
        return values
    plain = values.astype(object)
    if all(isinstance(value, str) for value in plain.dropna().unique()):
        return plain
    return plain.map(text_of, na_action="ignore")


def _numbers(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return numbers; missing where a value is none."""
    import pandas as pd

    if values.dtype.kind in "iufb" and not isinstance(values.dtype, pd.CategoricalDtype):
        return values
    if values.dtype.kind in "mM":  # pandas would make nanoseconds of them
        return pd.Series([None] * len(values), index=values.index, dtype="float64")
    plain = values.astype(object) if isinstance(values.dtype, pd.CategoricalDtype) else values
    try:
        numbers = pd.to_numeric(plain, errors="coerce")
    except (TypeError, ValueError):
        numbers = pd.to_numeric(plain.astype(str), errors="coerce")
    if numbers.dtype.kind == "c":
        return pd.Series([None] * len(values), index=values.index, dtype="float64")
    return numbers


def _truth_values(values: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    if values.dtype.kind == "b":
        return values
    plain = values.astype(object)
    meant = {value: _TRUTH.get(text_of(value).strip().lower()) for value in plain.dropna().unique()}
    read = [None if pd.isna(value) else meant[value] for value in plain]
    return pd.Series(read, index=values.index, dtype="boolean")


def _times(values: pd.Series[Any], dtype: Any) -> pd.Series[Any]:
    """Return times with a zone or without one, as `dtype` has them; UTC where only one side names a zone."""
    import pandas as pd

    if values.dtype.kind in "iufb" and values.notna().any():  # a number may be of seconds, days or nanoseconds
        return pd.Series([None] * len(values), index=values.index, dtype="datetime64[ns]")
    times = values
    if values.dtype.kind != "M":
        plain = values.astype(object)
        plain = plain.where(~plain.map(lambda value: isinstance(value, int | float | complex)), None)
        times = pd.to_datetime(plain.where(plain.notna(), None), errors="coerce", utc=True, format="ISO8601")
    if _has_zone(times.dtype) == _has_zone(dtype):
        return times
    converted: pd.Series[Any] = times.dt.tz_localize("UTC") if _has_zone(dtype) else times.dt.tz_convert(None)
    return converted


def _has_zone(dtype: Any) -> bool:
    import pandas as pd

    return isinstance(dtype, pd.DatetimeTZDtype) or (isinstance(dtype, pd.ArrowDtype) and "tz=" in str(dtype))


def _fitted(values: pd.Series[Any], dtype: Any) -> pd.Series[Any]:
    """Return values in the very type on record where that changes none of them, else as they are."""
    import pandas as pd

    if values.dtype == dtype:
        return values
    try:
        if isinstance(values.dtype, pd.BooleanDtype) and not pd.api.types.is_extension_array_dtype(dtype):
            values = values.astype("float64") if values.isna().any() else values.astype(bool)
        fitted = values.astype(dtype)
        return fitted if _same(values, fitted) else values
    except (TypeError, ValueError, OverflowError):
        return values


def _same(before: pd.Series[Any], after: pd.Series[Any]) -> bool:
    """Tell whether a cast has changed no value."""
    gaps, others = before.isna().to_numpy(), after.isna().to_numpy()
    if (gaps != others).any():
        return False
    if before.dtype.kind in "iufb" and after.dtype.kind in "iufb":
        left, right = before[~gaps].to_numpy(), after[~gaps].to_numpy()
        return bool((left == right).all())
    return bool((before[~gaps].astype(object).to_numpy() == after[~gaps].astype(object).to_numpy()).all())


def _marks_of_absence(values: pd.Series[Any], among: Array) -> Array:
    """Tell which of some values are words for a missing one."""
    import numpy as np

    found: Array = np.zeros(len(values), dtype=bool)
    found[among] = [isinstance(value, str) and value.strip() in _MISSING for value in values[among].astype(object)]
    return found
