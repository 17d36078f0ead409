"""Dates and durations as numbers and categories: how old, of which weekday, yet to come, or no date at all.

Dates are whole microseconds since 1970 here, so that the years 1 and 9999, which stand for a missing date in many
tables, are dates like others until they are named.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.columns import numbers_of, present, texts
from modelops_jupyter.profiles.texts import as_floats

Array = np.ndarray[Any, Any]
DAY = 86_400_000_000
# Dates that stand for a missing one, as databases and spreadsheets write them.
PLACEHOLDERS = ("0001-01-01", "1753-01-01", "1899-12-30", "1900-01-01", "1970-01-01", "2999-12-31", "9999-12-31")
USUAL, FUTURE = "a date", "in the future"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# A binning's vocabulary that says that dates to come count as such.
LOOKS_AHEAD = "future"
# Dates that lie nearer to their request than that have the weekday of the request.
MIN_DAYS_APART = 14.0
_INT64 = pa.int64()
_KINDS = (USUAL, FUTURE, *PLACEHOLDERS)
_DAYS = np.array(PLACEHOLDERS, dtype="datetime64[D]").astype("int64")


def is_date(kind: pa.DataType) -> bool:
    """Tell whether a column of this type holds dates or times."""
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def is_duration(kind: pa.DataType) -> bool:
    """Tell whether a column of this type holds durations."""
    return bool(pa.types.is_duration(kind))


def zone_of_dates(kind: pa.DataType) -> str:
    """Return the zone that dates of a type are kept with; empty for none."""
    return (kind.tz or "") if pa.types.is_timestamp(kind) else ""


def descriptors_of_dates(values: pa.ChunkedArray, times: Array | None) -> tuple[str, ...]:
    """Return what is derived of some dates; how old they were where the times of their requests are not known is not.

    Parameters
    ----------
    times : array of int64 of shape (rows,), or None
        When each was asked about, in microseconds since 1970 (UTC).
    """
    if times is None:
        return ("kind",)
    age = ages(values, times)
    spread = float(np.std(age[np.isfinite(age)])) if np.isfinite(age).any() else 0.0
    return ("kind", "age", "weekday") if spread >= MIN_DAYS_APART else ("kind", "age")


def looks_ahead(values: pa.ChunkedArray, times: Array | None, now: int) -> bool:
    """Tell whether dates to come are odd: of dates whose requests have no times, if none lies after today."""
    if times is not None:
        return True
    micros, days = _micros(values)
    usual = present(values) & ~np.isin(days, _DAYS)
    return not bool((micros[usual] > now + DAY).any())


def describe_dates(
    values: pa.ChunkedArray, descriptors: tuple[str, ...], times: Array | None, vocabulary: str, zone: str = ""
) -> dict[str, pa.ChunkedArray]:
    """Return what is derived of a column of dates, by descriptor; missing where a date is.

    Days are those of `zone`, as the log keeps instants alone; where it is empty, of the dates' own, if they have one.
    """
    if is_duration(values.type):
        seconds = numbers_of(values.cast(pa.duration("us"), safe=False)) / 1e6
        return {"seconds": as_floats(seconds)}
    micros, days = _micros(values, zone)
    there = present(values)
    found = {}
    if "kind" in descriptors:
        codes = np.zeros(len(micros), dtype="int32")
        if times is not None and vocabulary == LOOKS_AHEAD:
            codes[micros > times + DAY] = 1
        for place, day in enumerate(_DAYS.tolist()):
            codes[days == day] = 2 + place
        found["kind"] = _named(codes, there, _KINDS)
    if "age" in descriptors:
        found["age"] = as_floats(np.full(len(micros), np.nan) if times is None else ages(values, times, zone))
    if "weekday" in descriptors:
        found["weekday"] = _named(((days + 3) % 7).astype("int32"), there & ~np.isin(days, _DAYS), WEEKDAYS)
    return found


def ages(values: pa.ChunkedArray, times: Array, zone: str = "") -> Array:
    """Return how many days before its request each date was, NaN where there is none."""
    micros, days = _micros(values, zone)
    usual = present(values) & ~np.isin(days, _DAYS)
    return np.where(usual, (times.astype("float64") - micros) / DAY, np.nan)


def _micros(values: pa.ChunkedArray, zone: str = "") -> tuple[Array, Array]:
    """Return dates in microseconds (UTC) and in days of their zone since 1970; 0 where one is missing."""
    kind = values.type
    if pa.types.is_timestamp(kind):
        moments = values.cast(pa.timestamp("us", kind.tz), safe=False)
        micros = _whole(moments)
        return micros, (_whole(_local(moments, zone or kind.tz)) if kind.tz else micros) // DAY
    days = _whole(values.cast(pa.date32()), pa.int32())
    return days * DAY, days


def _whole(values: pa.ChunkedArray, kind: pa.DataType = _INT64) -> Array:
    return numbers_of(pc.fill_null(values.cast(kind), 0)).astype("int64")


def _local(moments: pa.ChunkedArray, zone: str) -> pa.ChunkedArray:
    """Return what clocks of a zone show; those of UTC where the zone is not known here."""
    try:
        return pc.local_timestamp(moments.cast(pa.timestamp("us", zone)))
    except pa.ArrowInvalid:
        return moments


def _named(codes: Array, there: Array, names: tuple[str, ...]) -> pa.ChunkedArray:
    """Return codes as the texts that they stand for, missing where nothing is there."""
    known = pa.py_buffer(np.packbits(there, bitorder="little"))
    indices = pa.Array.from_buffers(pa.int32(), len(codes), [known, pa.py_buffer(np.ascontiguousarray(codes, "int32"))])
    return pa.chunked_array([pa.DictionaryArray.from_arrays(indices, texts(names))])
