"""The features of a batch in the types that its version was registered with, before the log takes a type from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.scored_rows import typed_features
from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.frames import to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

# What columns hold, in words. Of one kind the log takes every type.
_TEXT, _NUMBERS, _TRUTH, _TIMES = "text", "numbers", "truth values", "times"
_OF_PANDAS = {
    _NUMBERS: ("int", "uint", "float", "Int", "UInt", "Float", "double"),
    _TEXT: ("str", "category", "large_string"),
    _TRUTH: ("bool",),
    _TIMES: ("datetime", "timestamp"),
}


def logged_features(
    features: pa.Table, contract: Sequence[Mapping[str, Any]], version: str, is_first: Callable[[], bool]
) -> pa.Table:
    """Return features as the log keeps them.

    The first batch decides of what type a column of the log is. So what is written in another way than the version was
    registered with (text for numbers, numbers for categories, decimal numbers) is read, or refused, from the first on.

    Parameters
    ----------
    version
        What the contract is of, for messages.
    is_first
        Tells whether the batch is the log's first. A later one may stay as it came: the log refuses what does not fit
        it, and keeps the rows.

    Raises
    ------
    InvalidFrame
        If values of the first batch have no reading in the column's type.
    """
    for column in contract:
        place = features.schema.get_field_index(str(column["name"]))
        wanted = _kind_of_contract(str(column["dtype"]))
        if place < 0 or wanted is None or _kind(features.schema.field(place).type) in (wanted, None):
            continue
        typed = to_arrow(typed_features(features.select([place]).to_pandas(), [column]))
        if _kind(typed.schema.field(0).type) not in (wanted, None) and is_first():
            raise InvalidFrame(
                f"Column {str(column['name'])!r} holds {features.schema.field(place).type}, and {version} was "
                f"registered with {wanted} there: write it so, and leave what is unknown empty."
            )
        features = features.set_column(place, typed.schema.field(0), typed.column(0))
    return features


def _kind_of_contract(dtype: str) -> str | None:
    return next((kind for kind, begins in _OF_PANDAS.items() if dtype.startswith(begins)), None)


def _kind(kind: pa.DataType) -> str | None:
    """Return what a column of Arrow's holds; None where it has no value."""
    import pyarrow as pa

    if pa.types.is_null(kind):
        return None
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _NUMBERS
    if pa.types.is_boolean(kind):
        return _TRUTH
    if pa.types.is_timestamp(kind):
        return _TIMES
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return _TEXT if is_text or pa.types.is_dictionary(kind) else str(kind)
