"""Values as databases give them, as Arrow columns and as plain data; and times as they are compared there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def column_of(values: Sequence[Any]) -> pa.ChunkedArray:
    """Return values of one column in the type that they have; those of several types, or of an unknown one, as text."""
    first = next((value for value in values if value is not None), None)
    if isinstance(first, Decimal):
        values = [None if value is None else float(value) for value in values]
    elif isinstance(first, datetime) and first.tzinfo is not None:
        return pa.chunked_array([pa.array(values, pa.timestamp("us", "UTC"))])
    elif isinstance(first, str) and is_time(first):
        return _times(values)
    elif isinstance(first, memoryview):
        values = [None if value is None else bytes(value) for value in values]
    try:
        column = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        column = pa.array([None if value is None else str(value) for value in values])
    return pa.chunked_array([column])


def is_time(text: str) -> bool:
    """Tell whether a text is a time, as databases without times write it.

    >>> is_time("2026-03-01 12:30:00"), is_time("2026-03-01"), is_time("12")
    (True, False, False)
    """
    if len(text) < 19 or text[4:5] != "-" or text[10:11] not in (" ", "T"):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def times_of(values: Sequence[Any], *, certain: bool) -> tuple[pa.ChunkedArray, list[str]] | None:
    """Return texts as times, missing where one is none, and those that are none; None for a column of no times.

    It is `certain` to be one of times where another part of it was.

    A database without a type for times, such as SQLite, holds whatever was written to a column of them.
    """
    readable = [isinstance(value, str) and is_time(value) for value in values]
    if not certain and not any(readable):
        return None
    pairs = list(zip(values, readable, strict=True))
    unread = dict.fromkeys(str(value) for value, is_read in pairs if value is not None and not is_read)
    return _times([value if is_read else None for value, is_read in pairs]), list(unread)


def _times(values: Sequence[Any]) -> pa.ChunkedArray:
    try:
        times = [None if value is None else datetime.fromisoformat(value) for value in values]
        zoned = any(time is not None and time.tzinfo is not None for time in times)
        return pa.chunked_array([pa.array(times, pa.timestamp("us", "UTC" if zoned else None))])
    except (ValueError, TypeError, pa.ArrowException):
        return pa.chunked_array([pa.array([None if value is None else str(value) for value in values])])


def to_json(key: Any) -> Any:
    """Return a key as JSON holds it.

    >>> of_json(to_json(datetime(2026, 3, 1))), of_json(to_json(7))
    (datetime.datetime(2026, 3, 1, 0, 0), 7)
    """
    if isinstance(key, datetime):
        return {"time": key.isoformat()}
    return int(key) if isinstance(key, Decimal) else key


def of_json(key: Any) -> Any:
    """Return a key that `to_json` has written."""
    return datetime.fromisoformat(key["time"]) if isinstance(key, dict) else key


def moment(micros: int, kind: pa.DataType, zone: str, dialect: str) -> Any:
    """Return a time, in microseconds since 1970 (UTC), as a database compares it with a column of type `kind`."""
    at = _EPOCH + timedelta(microseconds=micros)
    if kind.tz is None:
        at = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if dialect == "sqlite":  # which has no times: texts are compared
        return at.isoformat(" ")
    return at
