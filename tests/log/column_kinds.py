"""Columns of every kind, as every library holds them, with what the log gives back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import strategies as st

Values = Sequence[Any]


@dataclass(frozen=True)
class Kind:
    """One kind of value.

    Attributes
    ----------
    values
        Draws one value.
    arrow, polars
        Types that hold such values.
    numpy
        pandas' own dtypes that do, beside ``object``.
    gaps
        Whether pandas' own dtypes hold such values beside missing ones.
    is_held
        Whether the log holds them; else every batch is refused.
    back
        What the log gives back for a value.
    """

    values: st.SearchStrategy[Any]
    arrow: tuple[pa.DataType, ...] = ()
    polars: tuple[Any, ...] = ()
    numpy: tuple[str, ...] = ()
    gaps: bool = True
    is_held: bool = True
    back: Callable[[Any], Any] = field(default=lambda value: value)

    def sources(self, has_gaps: bool) -> dict[str, Callable[[Values], Any]]:
        """Return what makes a column of values, by library and type."""
        made: dict[str, Callable[[Values], Any]] = {"pandas object": lambda values: pd.Series(values, dtype="object")}
        if self.gaps or not has_gaps:
            made["pandas"] = lambda values: pd.Series(values)
            made |= {f"pandas {name}": lambda values, name=name: pd.Series(values).astype(name) for name in self.numpy}
        for kind in self.arrow:
            made[f"pandas {kind} of Arrow"] = lambda values, kind=kind: pd.Series(
                _array(values, kind), dtype=pd.ArrowDtype(kind)
            )
            made[f"Arrow {kind}"] = _array_of(kind)
        for kind in self.polars:
            made[f"polars {kind}"] = lambda values, kind=kind: pl.Series(values, dtype=kind, strict=False)
        return made


def _array(values: Values, kind: pa.DataType) -> pa.Array:
    """Return values as Arrow holds them in a type that it may not make of Python's values itself."""
    if pa.types.is_dictionary(kind):
        return pa.array(values, kind.value_type).dictionary_encode().cast(kind)
    if pa.types.is_date64(kind):
        return pa.array(values, pa.date32()).cast(kind)
    return pa.array(values, kind)


def _array_of(kind: pa.DataType) -> Callable[[Values], pa.Array]:
    return lambda values: _array(values, kind)


DAYS = st.dates(dt.date(1700, 1, 1), dt.date(2200, 1, 1))
SECONDS = st.builds(
    lambda day, second: dt.datetime.combine(day, dt.time()) + dt.timedelta(seconds=second), DAYS, st.integers(0, 86399)
)
MICROSECONDS = st.one_of(
    st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30)),
    st.sampled_from([dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999)]),
)
SMALL = st.integers(-100, 100)
WIDE = st.integers(-(2**63), 2**63 - 1)
NATURAL = st.integers(0, 2**64 - 1)
FLOATS = st.floats(allow_nan=False, width=32)
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=5)
DECIMALS = st.decimals(-(10**6), 10**6, places=3)
BYTES = st.binary(max_size=5)


def _zoned(time: dt.datetime) -> dt.datetime:
    return time.replace(tzinfo=dt.UTC)


INTEGERS = {
    "arrow": (pa.int8(), pa.int16(), pa.int32(), pa.int64()),
    "polars": (pl.Int8, pl.Int16, pl.Int32, pl.Int64),
}
KINDS: dict[str, Kind] = {
    "small whole numbers": Kind(SMALL, **INTEGERS, numpy=("int8", "Int16", "float64"), gaps=False),
    "whole numbers": Kind(st.one_of(SMALL, WIDE), (pa.int64(),), (pl.Int64,), ("int64", "Int64"), gaps=False),
    "natural numbers": Kind(
        st.one_of(st.integers(0, 9), NATURAL), (pa.uint64(),), (pl.UInt64,), ("uint64", "UInt64"), gaps=False
    ),
    "floats": Kind(FLOATS, (pa.float32(), pa.float64()), (pl.Float32, pl.Float64), ("float32", "Float64")),
    "truth values": Kind(st.booleans(), (pa.bool_(),), (pl.Boolean,), ("boolean",)),
    "texts": Kind(
        TEXTS,
        (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())),
        (pl.String, pl.Categorical),
        ("str", "string", "category"),
    ),
    "bytes": Kind(BYTES, (pa.binary(), pa.large_binary(), pa.binary_view()), (pl.Binary,)),
    "four bytes": Kind(st.binary(min_size=4, max_size=4), (pa.binary(4),), ()),
    "dates": Kind(DAYS, (pa.date32(), pa.date64()), (pl.Date,)),
    "times to the second": Kind(
        SECONDS,
        tuple(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")),
        tuple(pl.Datetime(unit) for unit in ("ms", "us", "ns")),
        tuple(f"datetime64[{unit}]" for unit in ("s", "ms", "us", "ns")),
    ),
    "times": Kind(MICROSECONDS, (pa.timestamp("us"),), (pl.Datetime("us"),), ("datetime64[us]",)),
    "times of a zone": Kind(
        MICROSECONDS.map(_zoned),
        (pa.timestamp("us", tz="UTC"), pa.timestamp("us", tz="Europe/Vienna")),
        (pl.Datetime("us", "UTC"),),
        ("datetime64[us, UTC]",),
    ),
    "decimal numbers": Kind(
        DECIMALS, (pa.decimal128(12, 3), pa.decimal128(38, 3), pa.decimal256(50, 3)), (pl.Decimal(20, 3),)
    ),
    "UUIDs": Kind(st.uuids(), (), back=str),
    "lists of numbers": Kind(
        st.lists(SMALL, max_size=3),
        (pa.list_(pa.int8()), pa.large_list(pa.float32()), pa.list_view(pa.int64())),
        (pl.List(pl.Int64), pl.List(pl.Float32)),
    ),
    "pairs": Kind(st.lists(FLOATS, min_size=2, max_size=2), (pa.list_(pa.float32(), 2),), (pl.Array(pl.Float32, 2),)),
    "lists of texts": Kind(
        st.lists(TEXTS, max_size=3), (pa.list_(pa.string()), pa.list_(pa.string_view())), (pl.List(pl.String),)
    ),
    "times of day": Kind(st.times(), (pa.time64("us"),), (pl.Time,), is_held=False),
    "durations": Kind(
        st.timedeltas(dt.timedelta(-99), dt.timedelta(99)), (pa.duration("us"),), (pl.Duration,), is_held=False
    ),
    "records": Kind(
        st.fixed_dictionaries({"a": SMALL}),
        (pa.struct({"a": pa.int64()}),),
        (pl.Struct({"a": pl.Int64}),),
        is_held=False,
    ),
}
EMPTY = {
    "pandas object": lambda n: pd.Series([None] * n, dtype="object"),
    "an empty column of a CSV": lambda n: pd.Series([float("nan")] * n),
    "no times": lambda n: pd.Series([pd.NaT] * n, dtype="datetime64[ns]"),
    "no texts": lambda n: pd.Series([None] * n, dtype="str"),
    "polars": lambda n: pl.Series([None] * n),
    "Arrow": lambda n: pa.nulls(n),
}


def table(columns: dict[str, Any]) -> Any:
    """Return a table in the library of its column ``u``, with others beside it."""
    column = columns["u"]
    if isinstance(column, pl.Series):
        return pl.DataFrame({name: pl.Series(values) for name, values in columns.items()})
    if isinstance(column, pa.Array):
        return pa.table(columns)
    return pd.DataFrame(columns)
