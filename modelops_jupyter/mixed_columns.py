"""What keeps a column from having one type: two of its values, their types and rows, as one sentence."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import InvalidFrame

if TYPE_CHECKING:
    import pandas as pd

_LONGEST = 40  # letters of a value that are shown
ADVICE = "convert them to one type (rows count from 0)"


def several_types(values: pd.Series[Any]) -> InvalidFrame:
    """Return the refusal of a column that Arrow has no type for, with the values that are to blame.

    >>> import pandas as pd
    >>> print(several_types(pd.Series([1, None, "a"], name="gate", dtype="object")))
    Column 'gate' holds values of several types, such as 1 (int) in row 0 and 'a' (str) in row 2: convert them to one \
type (rows count from 0).
    """
    present = [(place, value) for place, value in enumerate(values) if not _is_missing(value)]
    fits = bisect_left(range(1, len(present)), True, key=lambda rows: not _has_type(present[:rows])) + 1
    place, value = present[fits - 1]
    if not _has_type([(place, value)]):
        return InvalidFrame(
            f"Column {values.name!r} holds values that no file can hold, such as {_shown(value, place)}: convert them "
            "to numbers or text (rows count from 0)."
        )
    by_type: dict[type, tuple[int, Any]] = {}
    for row in present:
        by_type.setdefault(type(row[1]), row)
    others = (row for row in by_type.values() if not _has_type([row, (place, value)]))
    other_place, other = next(others, present[0])
    return InvalidFrame(
        f"Column {values.name!r} holds values of several types, such as {_shown(other, other_place)} and "
        f"{_shown(value, place)}: {ADVICE}."
    )


def check_one_kind_of_time(values: pd.Series[Any]) -> None:
    """Refuse dates among times, and times with and without a zone: Arrow would take them for what comes first.

    Raises
    ------
    InvalidFrame
        With a value of each kind.
    """
    examples: dict[tuple[bool, bool], tuple[int, Any]] = {}
    for place, value in enumerate(values):
        if _is_missing(value):
            continue
        is_time, naive = hasattr(value, "hour") or hasattr(value, "dtype"), getattr(value, "tzinfo", None) is None
        examples.setdefault((is_time, naive), (place, value))
    if len(examples) > 1:
        (first_place, first), (place, value), *_ = examples.values()
        raise InvalidFrame(
            f"Column {values.name!r} holds values of several types, such as {_time(first)} in row {first_place} and "
            f"{_time(value)} in row {place}: {ADVICE}."
        )


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _has_type(rows: Sequence[tuple[int, Any]]) -> bool:
    """Return whether Arrow has a type for the values of some rows together."""
    import pyarrow as pa

    try:
        pa.array([value for _, value in rows], from_pandas=True)
    except (ValueError, TypeError, OverflowError, NotImplementedError):
        return False
    return True


def _shown(value: Any, place: int) -> str:
    plain = value.item() if hasattr(value, "item") and not getattr(value, "ndim", 0) else value
    return f"{_short(repr(plain))} ({type(value).__name__}) in row {place}"


def _time(value: Any) -> str:
    if not hasattr(value, "hour"):
        return f"{value} ({type(value).__name__})"
    zone = "without a time zone" if value.tzinfo is None else "with a time zone"
    return f"{value} ({type(value).__name__} {zone})"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
