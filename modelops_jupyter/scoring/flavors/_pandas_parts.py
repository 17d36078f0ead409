"""Tables and types of pandas inside a model, as values that a skops file can hold: category_encoders keeps some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import UnsafeArtifact
from ._parts import replaced

if TYPE_CHECKING:
    import pandas as pd

MARK = "__pandas__"  # the key that says which kind of pandas' a dict stands for
_TYPES = ("str", "string", "boolean", "Int", "UInt", "Float")  # pandas' own types, by how their names begin


def with_values(model: Any) -> Any:
    """Return a model whose parts of pandas are written as values; the model itself if it has none."""
    return replaced(model, _value)


def with_pandas(model: Any) -> Any:
    """Return a model whose parts of pandas are as `with_values` was given them.

    Raises
    ------
    UnsafeArtifact
        If a value stands for nothing that `with_values` writes.
    """
    return replaced(model, _part)


def _value(part: Any) -> Any:
    import pandas as pd

    if isinstance(part, pd.DataFrame):
        columns = [_array(part.iloc[:, index]) for index in range(part.shape[1])]
        return {MARK: "frame", "names": _array(part.columns), "columns": columns, "index": _array(part.index)}
    if isinstance(part, pd.Series):
        return {MARK: "series", "values": _array(part), "index": _array(part.index)}
    if isinstance(part, pd.Index):
        return {MARK: "index", "values": _array(part)}
    if isinstance(part, pd.api.extensions.ExtensionDtype):
        return _dtype(part)
    return {MARK: "missing"} if part is pd.NA else part


def _array(values: Any) -> dict[str, Any]:
    """Return the values of a column or an index, with their type where it is none of NumPy's."""
    import pandas as pd

    if isinstance(values, pd.MultiIndex):
        return {MARK: "array", "levels": [_array(values.get_level_values(n)) for n in range(values.nlevels)]}
    name = values.name
    if isinstance(values.dtype, pd.api.extensions.ExtensionDtype):
        plain = values.astype(object)
        plain = plain.to_numpy() if not plain.isna().any() else plain.where(plain.notna(), None).to_numpy()
        return {MARK: "array", "name": name, "values": plain, "dtype": _dtype(values.dtype)}
    return {MARK: "array", "name": name, "values": values.to_numpy(), "dtype": None}


def _dtype(dtype: Any) -> Any:
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype):
        return {MARK: "category", "categories": _array(dtype.categories), "ordered": bool(dtype.ordered)}
    if isinstance(dtype, pd.StringDtype):
        return {MARK: "text", "nullable": dtype.na_value is pd.NA, "storage": str(dtype.storage)}
    return {MARK: "type", "name": str(dtype)} if str(dtype).startswith(_TYPES) else dtype


def _part(value: Any) -> Any:
    import pandas as pd

    if not isinstance(value, dict) or MARK not in value:
        return value
    kind = value[MARK]
    if kind == "frame":
        names, index = _index(value["names"]), _index(value["index"])
        frame = pd.DataFrame({number: _series(column, index) for number, column in enumerate(value["columns"])}, index)
        frame.columns = names
        return frame
    if kind == "series":
        return _series(value["values"], _index(value["index"]))
    if kind == "index":
        return _index(value["values"])
    return pd.NA if kind == "missing" else _type_of(value)


def _type_of(value: Any) -> Any:
    import pandas as pd

    kind = value[MARK]
    if kind == "category":
        return pd.CategoricalDtype(_index(value["categories"]), ordered=bool(value["ordered"]))
    if kind == "text":
        return pd.StringDtype(str(value["storage"]), na_value=pd.NA if value["nullable"] else float("nan"))
    if kind == "type" and str(value["name"]).startswith(_TYPES):
        return pd.api.types.pandas_dtype(value["name"])
    raise UnsafeArtifact(f"The model holds a part of pandas of the unknown kind {kind!r}: register it again.")


def _series(array: Any, index: pd.Index[Any]) -> pd.Series[Any]:
    import pandas as pd

    dtype = array["values"].dtype if array["dtype"] is None else _type_of(array["dtype"])
    values: pd.Series[Any] = pd.Series(array["values"], index=index, dtype=dtype, name=array["name"])
    return values


def _index(array: Any) -> pd.Index[Any]:
    import pandas as pd

    if "levels" in array:
        return pd.MultiIndex.from_arrays([_index(level) for level in array["levels"]])
    dtype = array["values"].dtype if array["dtype"] is None else _type_of(array["dtype"])
    index: pd.Index[Any] = pd.Index(array["values"], dtype=dtype, name=array["name"])
    return index
