"""What the prediction log's tables hold, and the exact comparison that guards every append.

delta-rs casts what it can (1.5 becomes 1 in a column of integers, silently), so schemas are compared before it sees
any row. What may differ from batch to batch is stated here and in `column_types`: a column may lack values, and columns
that the version does not need (features of other versions, segments, metadata) may be missing from a batch, which then
has missing values there, or come first in a later one, as Delta merges schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress

import pyarrow as pa

from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.log.column_types import UTC_TIME, is_list, is_number
from modelops_jupyter.log.exact_numbers import EXACT, WHOLE, split

PREDICTION_COLUMNS: dict[str, tuple[pa.DataType, ...]] = {
    "request_id": (pa.string(),),
    "timestamp": (UTC_TIME,),
    "model": (pa.string(),),
    "version": (pa.int64(),),
    "role": (pa.string(),),
    "alias": (pa.string(),),
    "prediction": (pa.string(), pa.float64()),
    "score": (pa.float64(),),
    "decision": (pa.string(),),
}
LABEL_COLUMNS: dict[str, tuple[pa.DataType, ...]] = {
    "request_id": (pa.string(),),
    "label": (pa.string(), pa.float64()),
    "event_time": (UTC_TIME,),
    "arrival_time": (UTC_TIME,),
}


def normalise(table: pa.Table) -> pa.Table:
    """Return `table` with one spelling per type: plain strings, microseconds, no dictionaries, no metadata."""
    fields, columns = [], []
    for field, column in zip(table.schema, table.columns, strict=True):
        wanted = spelling(field.type)
        columns.append(column if wanted == field.type else column.cast(wanted))
        fields.append(pa.field(field.name, wanted))
    return pa.table(columns, schema=pa.schema(fields))


def spelling(kind: pa.DataType) -> pa.DataType:
    """Return the log's own spelling of a type that another writer may spell in another way."""
    if pa.types.is_dictionary(kind):
        return spelling(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return UTC_TIME
    return kind


def check_own_columns(table: pa.Table, wanted: dict[str, tuple[pa.DataType, ...]], what: str) -> None:
    """Raise `InvalidFrame` unless `table` has the log's own columns with the log's own types and no gaps in keys."""
    for name, kinds in wanted.items():
        if name not in table.column_names:
            raise InvalidFrame(f"{what} have no column {name!r}: add it.")
        kind = table.schema.field(name).type
        if pa.types.is_timestamp(kind) and kind.tz is None:
            raise InvalidFrame(f"Column {name!r} holds times without a time zone: say which zone they are in.")
        if kind not in kinds:
            raise InvalidFrame(f"Column {name!r} holds {kind}, not {kinds[0]}: convert it first.")
    for name in ("request_id", "timestamp", "event_time", "arrival_time"):
        if name in wanted and table[name].null_count:
            raise InvalidFrame(f"Column {name!r} has {table[name].null_count} missing values: every row needs one.")


class Misfit(Exception):
    """Why rows do not fit a table."""


def fit(
    rows: pa.Table,
    known: pa.Schema,
    own: Collection[str],
    required: Collection[str],
    is_whole: Callable[[str], bool],
) -> pa.Table:
    """Return `rows`, which are in the log's types, as a table of schema `known` takes them.

    A column without any value fits whatever the table has, and one that had no value yet takes any type. A column that
    the table does not have is new to it; one that `rows` do not have is missing in all of them.

    Parameters
    ----------
    own
        The log's own columns.
    required
        Columns that `rows` must have if the table has them.
    is_whole
        Returns whether a column of the table has whole numbers only.

    Raises
    ------
    Misfit
        If they do not fit.
    """
    kinds = {field.name: spelling(field.type) for field in known}
    columns: dict[str, pa.ChunkedArray] = {}
    for name in (name for name in kinds if not name.endswith(EXACT)):
        if name in rows.column_names:
            exact = WHOLE if name + EXACT in kinds else kinds[name]
            columns[name] = _fitted(rows[name], name, exact, is_whole)
        elif name in required:
            raise Misfit(f"column {name!r} is missing")
        else:
            columns[name] = pa.nulls(rows.num_rows, kinds[name])
    new = rows.drop_columns([name for name in rows.column_names if name in kinds])
    columns |= dict(zip(new.column_names, first_columns(new, own).columns, strict=True))
    written = split(pa.table(columns), kinds, own)
    for name, kind in kinds.items():
        if name not in written.column_names:
            written = written.append_column(name, pa.nulls(rows.num_rows, kind))
    return written.select([*kinds, *(name for name in written.column_names if name not in kinds)])


def first_columns(rows: pa.Table, own: Collection[str]) -> pa.Table:
    """Return columns as a table takes them that has none of them yet; without any value they have no type.

    Raises
    ------
    InvalidFrame
        If the values of a column do not say of which type they are.
    """
    for index, field in enumerate(rows.schema):
        column = rows.column(index)
        if field.name in own:
            continue
        if column.null_count == len(column):
            rows = rows.set_column(index, field.name, pa.nulls(rows.num_rows))
        elif _is_vague(field.type):
            raise InvalidFrame(
                f"Column {field.name!r} holds empty lists alone, and the log cannot know of what: leave it out until "
                "one has a value."
            )
    return rows


def _fitted(column: pa.ChunkedArray, name: str, kind: pa.DataType, is_whole: Callable[[str], bool]) -> pa.ChunkedArray:
    """Return a column in the type that its table has, or raise `Misfit`."""
    held = column.type
    if held == kind:
        return column
    if column.null_count == len(column):
        return pa.chunked_array([pa.nulls(len(column), pa.float64() if kind == WHOLE else kind)])
    if pa.types.is_null(kind):
        return first_columns(pa.table({name: column}), ())[name]
    if pa.types.is_integer(held) and (kind == WHOLE or (kind == pa.float64() and is_whole(name))):
        return column
    with suppress(pa.ArrowException):
        if kind == WHOLE and held == pa.float64():
            return column.cast(pa.int64())
        if _is_vague(held) and is_list(kind):
            return column.cast(kind)
        if _is_akin(held, kind) and column.cast(kind, safe=not is_number(held)).cast(held).equals(column):
            return column.cast(kind)
    raise Misfit(f"column {name!r} holds {_in_words(held)}, the log has {_in_words(kind)}")


def _in_words(kind: pa.DataType) -> str:
    """Return what a column holds: whole numbers are written as doubles like all numbers, until one is beyond them."""
    if kind == WHOLE or pa.types.is_integer(kind):
        return "whole numbers beyond 2**53"
    return "numbers" if kind == pa.float64() else str(kind)


def _is_vague(kind: pa.DataType) -> bool:
    return pa.types.is_null(kind) or (is_list(kind) and _is_vague(kind.value_type))


def _is_akin(held: pa.DataType, kind: pa.DataType) -> bool:
    """Return whether values of the log's type `held` may be those of a type that an earlier version has written."""
    if is_list(held) and is_list(kind):
        return _is_akin(held.value_type, kind.value_type)
    both_decimal = pa.types.is_decimal(held) and pa.types.is_decimal(kind)
    return held == kind or both_decimal or (is_number(held) and is_number(kind))


def plain(schema: pa.Schema) -> pa.Schema:
    """Return a schema in the log's own spelling of types."""
    return pa.schema([pa.field(field.name, spelling(field.type)) for field in schema])
