"""Rows of a table as zen reads them: a JSON object for each, in which what is missing is null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ...errors import InvalidFrame

if TYPE_CHECKING:
    import pandas as pd

_BEYOND = 2**96  # zen's numbers are decimals of 96 bits


def rows_as_json(frame: pd.DataFrame, paths: Sequence[str]) -> list[str]:
    """Return a JSON object for each row of `frame`, with what the dotted `paths` lead to.

    A column is named by a whole path (``customer.age``) or by its beginning (``customer``, whose values are objects).
    Equal rows have equal text; 1, 1.0 and True do not.

    Raises
    ------
    InvalidFrame
        If a column is missing, or holds what JSON and zen have no value for.
    """
    columns = {str(column): column for column in frame.columns}
    names = sorted({name for path in paths for name in _columns_of(path, columns)}, key=lambda name: name.split("."))
    parents = [name for name in names if any(other.startswith(f"{name}.") for other in names)]
    if parents:
        child = next(other for other in names if other.startswith(f"{parents[0]}."))
        raise InvalidFrame(
            f"The rows have both {parents[0]!r} and {child!r}, which rules read as one: leave out either."
        )
    values = [[_text(value, name) for value in frame[columns[name]].tolist()] for name in names]
    if not names:
        return ["{}"] * len(frame)
    template = _template([name.split(".") for name in names])
    return [template % row for row in zip(*values, strict=True)]


def _columns_of(path: str, columns: Mapping[str, Any]) -> list[str]:
    """Return the names of the columns that hold what `path` leads to."""
    words = path.split(".")
    beginnings = [".".join(words[:length]) for length in range(len(words), 0, -1)]
    whole = next((name for name in beginnings if name in columns), None)
    parts = [whole] if whole is not None else [name for name in columns if name.startswith(f"{path}.")]
    if not parts:
        raise InvalidFrame(
            f"The decision table reads {path!r}, which the rows do not have: add the column, with gaps if need be "
            "(text in a rule needs quotation marks)."
        )
    return parts


def _template(paths: Sequence[Sequence[str]]) -> str:
    """Return nested JSON objects with a ``%s`` at the end of each path; sorted paths keep their order."""
    members: dict[str, list[Sequence[str]]] = {}
    for first, *rest in paths:
        members.setdefault(first, []).append(rest)
    texts = (
        f"{json.dumps(name).replace('%', '%%')}:{_template(rests) if rests != [[]] else '%s'}"
        for name, rests in members.items()
    )
    return "{" + ",".join(texts) + "}"


def _text(value: Any, column: str) -> str:
    """Return one value as JSON."""
    if value is None or value is True or value is False:
        return "null" if value is None else "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, int | float | Decimal):
        return _number(value, column)
    return _text_of_object(value, column)


def _number(value: int | float | Decimal, column: str) -> str:
    if (isinstance(value, float) and math.isnan(value)) or (isinstance(value, Decimal) and value.is_nan()):
        return "null"
    if not -_BEYOND < value < _BEYOND:
        raise InvalidFrame(
            f"Column {column!r} holds {value}, a number that rules cannot read: leave it out, or keep it below 7.9e28."
        )
    return str(value) if not isinstance(value, float) else repr(float(value))


def _text_of_object(value: Any, column: str) -> str:
    import numpy as np
    import pandas as pd

    if value is pd.NA or value is pd.NaT:
        return "null"
    if isinstance(value, np.datetime64):
        return _text_of_object(pd.Timestamp(value), column)
    if isinstance(value, np.bool):
        return _text(bool(value), column)
    if isinstance(value, np.integer) and not isinstance(value, np.timedelta64):
        return _text(int(value), column)
    if isinstance(value, np.floating):
        return _text(float(value), column)
    if isinstance(value, datetime):
        return json.dumps(value.isoformat(sep=" "))  # zen's functions of dates read a blank, not all of them a T
    if isinstance(value, date | time):
        return json.dumps(value.isoformat())
    if isinstance(value, Mapping):
        members = (f"{json.dumps(str(name))}:{_text(inner, column)}" for name, inner in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list | tuple | np.ndarray):
        return "[" + ",".join(_text(inner, column) for inner in value) + "]"
    raise InvalidFrame(
        f"Column {column!r} holds a {type(value).__name__} ({value}), which rules cannot read: convert it to a number, "
        "text, a truth value or a date."
    )
