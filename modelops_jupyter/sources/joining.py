"""Columns of several files as one."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from modelops_jupyter.errors import InvalidFrame


def joined(columns: Sequence[pa.ChunkedArray], name: str) -> pa.ChunkedArray:
    """Return a column of several files as one: each writer has its own type for text, and for numbers of one size."""
    plain = columns if len({column.type for column in columns}) == 1 else [_plain(column) for column in columns]
    try:
        tables = [pa.table({name: column}) for column in plain]
        return pa.concat_tables(tables, promote_options="permissive").column(0)
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        types = ", ".join(sorted({str(column.type) for column in plain}))
        raise InvalidFrame(
            f"Column {name!r} has types in several files that have nothing in common ({types}): write it in one."
        ) from None


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of categories as its values, and text as the type that all text has here."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    is_text = pa.types.is_string_view(column.type) or pa.types.is_large_string(column.type)
    return column.cast(pa.string()) if is_text else column
