"""The types that the log holds: one for each kind of value, whatever library, unit or width it comes in.

Delta has fewer types than Arrow, and a table of it one type per column for ever. Every way in brings its columns to
these types first, so that the first batch decides nothing that a later one of the same kind could contradict; what has
no such type is refused by name before anything is written.

==============================  ==============================================================================
comes in                        is held as
==============================  ==============================================================================
whole numbers and floats        double; a column with whole numbers beyond 2**53 as `exact_numbers` says
decimal numbers                 decimal128(38, 18)
truth values                    bool
texts, categories, UUIDs, JSON  string
bytes                           binary
dates                           date32
times with or without a zone    timestamp in microseconds, in UTC if they have one
lists and arrays of these       list, its numbers double; but not of decimal numbers and UUIDs
nothing but missing values      null, until a batch with values says what they are
==============================  ==============================================================================
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.log.exact_numbers import EXACT

UTC_TIME = pa.timestamp("us", tz="UTC")
TIME = pa.timestamp("us")
DECIMAL = pa.decimal128(38, 18)
# Arrow's readers add columns of these names to every file, and take a file that has one for ambiguous.
OF_READERS = ("__fragment_index", "__batch_index", "__last_in_fragment", "__filename")
_TEXT_EXTENSIONS = ("arrow.uuid", "arrow.json")
_HEX = np.frombuffer(b"0123456789abcdef", dtype="uint8")
_UUID_BYTES = 16
_UUID_DASHES = (8, 13, 18, 23)


def log_type(kind: pa.DataType) -> pa.DataType | None:
    """Return the type in which the log holds values of an Arrow type, or None if it cannot hold them."""
    is_a = pa.types
    if is_a.is_dictionary(kind) or is_a.is_run_end_encoded(kind):
        return log_type(kind.value_type)
    if isinstance(kind, pa.BaseExtensionType):
        return pa.string() if kind.extension_name in _TEXT_EXTENSIONS else None
    if is_a.is_boolean(kind) or is_a.is_null(kind):
        return kind
    if is_a.is_integer(kind) or is_a.is_floating(kind):
        return pa.float64()
    if is_a.is_decimal(kind):
        return DECIMAL
    if is_a.is_timestamp(kind):
        return TIME if kind.tz is None else UTC_TIME
    if is_a.is_date(kind):
        return pa.date32()
    if is_a.is_string(kind) or is_a.is_large_string(kind) or is_a.is_string_view(kind):
        return pa.string()
    if is_bytes(kind):
        return pa.binary()
    if is_list(kind) and not isinstance(kind.value_type, pa.BaseExtensionType):
        values = log_type(kind.value_type)
        return None if values is None or values == DECIMAL else pa.list_(pa.field("element", values))
    return None


def to_log_types(rows: pa.Table, own: Collection[str] = ()) -> pa.Table:
    """Return `rows` in the types that the log holds; whole numbers beyond 2**53 stay whole numbers.

    Parameters
    ----------
    own
        Columns of the log itself, whose numbers keep their types.

    Raises
    ------
    InvalidFrame
        If the log cannot hold a column or its name.
    """
    check_names(rows.column_names)
    columns = [
        column
        if field.type == pa.float64() or (field.name in own and is_number(field.type))
        else _to_log_type(field, column)
        for field, column in zip(rows.schema, rows.columns, strict=True)
    ]
    return pa.table(columns, names=rows.column_names)


def check_names(names: Iterable[str], known: Iterable[str] = ()) -> None:
    """Raise `InvalidFrame` if a table that has the columns `known` cannot have those of `names` as well.

    Delta takes names that differ in case only for one.
    """
    by_lower_case = {name.lower(): name for name in known}
    for name in names:
        other = by_lower_case.setdefault(name.lower(), name)
        if other != name:
            raise InvalidFrame(
                f"Columns {other!r} and {name!r} differ in case only: rename one, for the log takes them for one."
            )
        if name in OF_READERS:
            raise InvalidFrame(f"Column {name!r} has a name that Arrow gives to columns of its own: rename it.")
        if name.endswith(EXACT):
            raise InvalidFrame(f"Column {name!r} has a name that ends as the log's own columns do: rename it.")
        if "\0" in name or not _is_unicode(name):
            raise InvalidFrame(f"Column {name!r} has a name that files cannot hold: rename it.")


def is_number(kind: pa.DataType) -> bool:
    """Return whether a type is of whole numbers or floats."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def is_list(kind: pa.DataType) -> bool:
    """Return whether a type is of lists, whichever of Arrow's five it is."""
    is_a = pa.types
    views = is_a.is_list_view(kind) or is_a.is_large_list_view(kind)
    return bool(is_a.is_list(kind) or is_a.is_large_list(kind) or is_a.is_fixed_size_list(kind) or views)


def is_bytes(kind: pa.DataType) -> bool:
    """Return whether a type is of bytes."""
    is_a = pa.types
    varying = is_a.is_binary(kind) or is_a.is_large_binary(kind) or is_a.is_binary_view(kind)
    return bool(varying or is_a.is_fixed_size_binary(kind))


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _to_log_type(field: pa.Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
    wanted = log_type(field.type)
    if wanted is None:
        raise InvalidFrame(f"Column {field.name!r} holds {_described(field.type)}.")
    if wanted == field.type:
        return column
    try:
        return _cast(column, wanted)
    except pa.ArrowInvalid as error:
        if pa.types.is_integer(_values_of(field.type)) and wanted == pa.float64():
            return _cast(column, pa.uint64() if pa.types.is_uint64(_values_of(field.type)) else pa.int64())
        raise InvalidFrame(f"Column {field.name!r} holds {_lost(wanted)}.") from error
    except pa.ArrowException as error:
        raise InvalidFrame(f"Column {field.name!r} holds {_described(field.type)}.") from error


def _cast(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_run_end_encoded(kind):
        return _cast(pa.chunked_array([pc.run_end_decode(chunk) for chunk in column.chunks], kind.value_type), wanted)
    if pa.types.is_dictionary(kind):
        # Arrow can look up neither views nor UUIDs: the words are cast before they are looked up.
        chunks = [
            pa.DictionaryArray.from_arrays(
                chunk.indices, _cast(pa.chunked_array([chunk.dictionary]), wanted).combine_chunks()
            )
            for chunk in column.chunks
        ]
        return pa.chunked_array(chunks, pa.dictionary(kind.index_type, wanted)).cast(wanted)
    if isinstance(kind, pa.BaseExtensionType) and kind.extension_name == "arrow.uuid":
        return pa.chunked_array([_uuid_texts(chunk) for chunk in column.chunks], pa.string())
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return pa.chunked_array([pa.array(column.to_pylist(), wanted)])  # Arrow's own cast of empty ones is not valid
    if wanted == DECIMAL:
        return _rescaled(column)
    return column.cast(wanted)


def _rescaled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return decimal numbers at the log's scale; Arrow's own cast lets numbers of too many digits overflow."""
    greatest = pc.max(pc.abs(column.cast(pa.float64()))).as_py()
    if greatest is not None and greatest > 10.0 ** (DECIMAL.precision - DECIMAL.scale):
        raise pa.ArrowInvalid("too many digits before the point")
    return column.cast(pa.decimal256(76, DECIMAL.scale)).cast(DECIMAL)


def _uuid_texts(uuids: pa.Array) -> pa.Array:
    """Return UUIDs as people write them."""
    stored = uuids.storage
    numbers = np.frombuffer(stored.buffers()[1], "uint8", len(stored) * _UUID_BYTES, stored.offset * _UUID_BYTES)
    digits = _HEX[np.stack([numbers >> 4, numbers & 15], axis=1)].reshape(len(stored), 2 * _UUID_BYTES)
    written = np.insert(digits, [place - dash for dash, place in enumerate(_UUID_DASHES)], ord("-"), axis=1)
    texts = pa.array(written.tobytes()[k : k + 36].decode() for k in range(0, 36 * len(stored), 36))
    return pc.if_else(stored.is_valid(), texts.cast(pa.string()), None)


def _values_of(kind: pa.DataType) -> pa.DataType:
    encoded = pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind)
    return _values_of(kind.value_type) if encoded else kind


def _described(kind: pa.DataType) -> str:
    """Return what values of a type are that the log cannot hold, and what to do."""
    is_a = pa.types
    kind = _values_of(kind)
    if isinstance(kind, pa.BaseExtensionType):
        return f"values that the log cannot hold ({kind.extension_name}): write them as numbers or as text"
    if is_list(kind):
        return f"lists of values that the log cannot hold ({kind}): write them as text, or leave the column out"
    if is_a.is_duration(kind) or is_a.is_interval(kind):
        return f"durations ({kind}), which the log cannot hold: write them as numbers, such as seconds"
    if is_a.is_time(kind):
        return f"times of day ({kind}), which the log cannot hold: write them as text, or as seconds since midnight"
    if is_a.is_struct(kind) or is_a.is_map(kind):
        return "records, which the log cannot hold: give each of their fields a column, or write them as text"
    return f"values that the log cannot hold ({kind}): write them as numbers or as text"


def _lost(wanted: pa.DataType) -> str:
    """Return which of a column's values would change in the log's type, and what to do."""
    if pa.types.is_timestamp(wanted):
        return "times finer than a microsecond, or too far away: round them, for example with .dt.round('us')"
    if pa.types.is_date(wanted):
        return "dates with a time of day: make them times"
    if pa.types.is_decimal(wanted):
        return "decimal numbers of more than 20 digits before the point or 18 behind it: write them as floats or text"
    return "lists with whole numbers beyond 2**53, which the log would round: write them as text"
