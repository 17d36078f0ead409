"""What the prediction log's tables hold, and the exact comparison that guards every append.

delta-rs casts what it can (1.5 becomes 1 in a column of integers, silently), so schemas are compared before it sees
any row. What may differ from batch to batch is said here: numbers that happen to be whole are numbers, and the
features of another version come and go with it.
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from modelops_jupyter.errors import InvalidFrame

UTC_TIME = pa.timestamp("us", tz="UTC")

PREDICTION_COLUMNS: dict[str, tuple[pa.DataType, ...]] = {
    "request_id": (pa.string(),),
    "timestamp": (UTC_TIME,),
    "model": (pa.string(),),
    "version": (pa.int64(),),
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
        wanted = _spelling(field.type)
        columns.append(column if wanted == field.type else column.cast(wanted))
        fields.append(pa.field(field.name, wanted))
    return pa.table(columns, schema=pa.schema(fields))


def widened(table: pa.Table) -> pa.Table:
    """Return `table` with whole and short numbers of features as doubles, where nothing is lost by that.

    A file of whole numbers and one of fractions are then of one type, whichever comes first.
    """
    for index, field in enumerate(table.schema):
        whole = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        if not whole or field.name in PREDICTION_COLUMNS or field.type == pa.float64():
            continue
        try:
            column = table.column(index).cast(pa.float64())
        except pa.ArrowInvalid:  # a whole number of over 53 bits
            continue
        table = table.set_column(index, pa.field(field.name, pa.float64()), column)
    return table


def _spelling(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _spelling(kind.value_type)
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


def misfit(
    new: pa.Schema, known: pa.Schema, may_add: Collection[str] = (), may_lack: Collection[str] = ()
) -> str | None:
    """Return the first reason why rows of schema `new` do not fit a table of schema `known`, or None."""
    for field in known:
        index = new.get_field_index(field.name)
        if index < 0 and field.name not in may_lack:
            return f"column {field.name!r} is missing"
        if index >= 0 and _spelling(new.field(index).type) != _spelling(field.type):
            return f"column {field.name!r} holds {new.field(index).type}, the log has {field.type}"
    return next((f"column {name!r} is new" for name in new.names if name not in {*known.names, *may_add}), None)


def fitted(rows: pa.Table, known: pa.Schema) -> pa.Table:
    """Return `rows` in the order of `known`, with gaps where they lack a column; what is new comes last."""
    columns = {
        field.name: rows[field.name] if field.name in rows.column_names else pa.nulls(rows.num_rows, field.type)
        for field in known
    }
    return pa.table({**columns, **{name: rows[name] for name in rows.column_names if name not in columns}})


def plain(schema: pa.Schema) -> pa.Schema:
    """Return a schema in the log's own spelling of types."""
    return pa.schema([pa.field(field.name, _spelling(field.type)) for field in schema])
