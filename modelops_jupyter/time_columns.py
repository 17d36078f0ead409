"""Columns of times: in UTC, by the zone that they name or that is named for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from modelops_jupyter.errors import InvalidFrame, InvalidInput

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# The years 1901 to 2261, in microseconds since 1970 (UTC). Before and after lie the times that stand for none:
# 0001-01-01, 1700-01-01, 1753-01-01, 1900-01-01, and 9999-12-31; a clock of nanoseconds ends in 2262.
FIRST_TIME, LAST_TIME = -2_177_452_800_000_000, 9_214_646_399_999_999


_ZONED_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*(Z|[+-]\d\d:?\d\d)"


def are_zoned_times(texts: pd.Series[Any]) -> bool:
    """Return whether texts are ISO times with their zone: all that there are, and there is one."""
    present = texts.dropna()
    return len(present) > 0 and bool(present.str.fullmatch(_ZONED_TIME).all())


def check_zone(zone: str | None) -> str | None:
    """Return the name of a time zone.

    Raises
    ------
    InvalidInput
        If there is no zone of that name.
    """
    if zone is not None and zone not in available_timezones():
        raise InvalidInput(f"There is no time zone {zone!r}: take UTC or Europe/Rome.")
    return zone


def zoned_texts_as_times(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts that are all ISO times with their zone as times in UTC; other values as they are."""
    import pyarrow as pa

    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return values
    try:
        return values.cast(pa.timestamp("us", tz="UTC"))
    except pa.ArrowInvalid:
        return values


def times_in_zone(values: pa.ChunkedArray, column: str, zone: str) -> pa.ChunkedArray:
    """Return times without a zone, written as text or not, as times of `zone`; others as they are.

    Of an hour that comes twice in autumn the first is taken, as most databases do; one that spring leaves out is taken
    for the one after it.

    Raises
    ------
    InvalidFrame
        If a text is no time.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_date(kind):
        try:
            values = values.cast(pa.timestamp("us"))
        except pa.ArrowInvalid as error:
            raise InvalidFrame(
                f"Column {column!r} holds text that is no time ({error}): write it as 2013-06-29 14:30."
            ) from error
    if not pa.types.is_timestamp(values.type) or values.type.tz is not None:
        return values
    return pc.assume_timezone(
        values.cast(pa.timestamp("us"), safe=False), zone, ambiguous="earliest", nonexistent="latest"
    )


def utc_times(values: pd.Series[Any], column: str, zone: str | None = None) -> pd.Series[Any]:
    """Return `values` in UTC, to the microsecond.

    Times without a zone are those of `zone`; without it they are refused, because nobody can know what they meant.

    Raises
    ------
    InvalidFrame
        If they are no times with a zone, one is missing, or one stands for a missing time, such as 9999-12-31.
    """
    import pandas as pd
    import pyarrow as pa

    times = values
    if isinstance(values.dtype, pd.ArrowDtype) and pa.types.is_timestamp(values.dtype.pyarrow_dtype):
        times = pd.Series(pa.array(values).to_pandas().array, values.index, name=values.name)
    elif values.dtype == "object" and values.map(_has_zone).any():
        without = int((values.notna() & ~values.map(_has_zone)).sum())
        if without:
            raise InvalidFrame(
                f"Column {column!r} holds times with a time zone and {without:,} without: give all of them one."
            )
        times = pd.to_datetime(values, utc=True)
    elif _are_texts(values) and are_zoned_times(values):
        times = pd.to_datetime(values.astype("object"), utc=True, format="ISO8601")
    if zone is not None and not isinstance(times.dtype, pd.DatetimeTZDtype):
        times = _localised(times, column, zone)
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        hint = "name their zone, zone='UTC' (--zone UTC), or write each with it, as in 2026-08-01T00:00:00Z"
        hint = hint if zone is None else "write them as 2013-06-29 14:30"
        raise InvalidFrame(f"Column {column!r} holds {values.dtype}, not times with a time zone: {hint}.")
    if times.isna().any():
        raise InvalidFrame(f"Column {column!r} has {int(times.isna().sum())} missing times: every row needs one.")
    converted: pd.Series[Any] = times.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    micros = converted.astype("int64")
    check_times(int(micros.min()), int(micros.max()), column)
    return converted


def _has_zone(value: Any) -> bool:
    return getattr(value, "tzinfo", None) is not None


def _are_texts(values: pd.Series[Any]) -> bool:
    import pandas as pd

    return pd.api.types.infer_dtype(values, skipna=True) == "string"


def _localised(values: pd.Series[Any], column: str, zone: str) -> pd.Series[Any]:
    """Return times without a zone as times of `zone`, in UTC; a column that holds no times as it is."""
    import pandas as pd
    import pyarrow as pa

    try:
        array = pa.chunked_array([pa.array(values, from_pandas=True)])
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # values of several types
        return values
    zoned = times_in_zone(array, column, zone)
    if not pa.types.is_timestamp(zoned.type):
        return values
    micros = zoned.cast(pa.timestamp("us", "UTC"), safe=False)
    return pd.Series(micros.to_pandas().array, values.index, name=values.name)


def check_times(first: int, last: int, column: str) -> None:
    """Raise `InvalidFrame` if one of a column's times stands for a missing one.

    `first` and `last` are its extremes, in microseconds since 1970 (UTC).
    """
    import numpy as np

    for micros in (first, last):
        if not FIRST_TIME <= micros <= LAST_TIME:
            raise InvalidFrame(
                f"Column {column!r} holds {str(np.datetime64(micros, 'us'))[:10]}, which stands for a missing time: "
                "leave such rows out, or give each its time."
            )
