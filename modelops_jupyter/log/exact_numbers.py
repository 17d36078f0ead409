"""Whole numbers beyond 2**53, which a double would round, beside the doubles that they are counted as.

A column's batches may bring whole numbers and fractions in any order, so that the log holds doubles. A column that ever
brings a whole number that no double is gets a second one beside it, with all digits of such numbers and gaps for the
others. The monitor counts the doubles; who reads the rows gets the numbers as they came.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

EXACT = " (exact)"
# Wide enough for the signed and the unsigned whole numbers of 64 bits.
WHOLE = pa.decimal128(20, 0)
_GREATEST = 2**53


def split(rows: pa.Table, known: Mapping[str, pa.DataType], own: Collection[str]) -> pa.Table:
    """Return `rows` as they are written: whole numbers as doubles, and beside them those that are none.

    Parameters
    ----------
    known
        The types of the table's columns by name: one that holds whole numbers itself is left as it is.
    own
        The log's own columns, which are left too.
    """
    columns: dict[str, pa.ChunkedArray] = {}
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        columns[name] = column
        kept = name in own or pa.types.is_integer(known.get(name, pa.null()))
        if not kept and pa.types.is_integer(column.type):
            columns[name] = column.cast(pa.float64(), safe=False)
            columns[name + EXACT] = pc.if_else(_is_beyond(column), column, None).cast(WHOLE)
    return pa.table(columns)


def with_exact(names: Sequence[str], known: Iterable[str]) -> list[str]:
    """Return the columns to read for those of `names`, once each, from a table that has the columns `known`."""
    there = frozenset(known)
    exact = [name + EXACT for name in names if name + EXACT in there]
    return list(dict.fromkeys([*names, *exact]))


def restored(rows: pa.Table) -> pa.Table:
    """Return rows as they came: columns with exact numbers hold whole numbers, and these alone."""
    for name in [name for name in rows.column_names if name.endswith(EXACT)]:
        own = rows.column_names.index(name.removesuffix(EXACT))
        rows = rows.set_column(own, rows.column_names[own], _whole(rows.column(own), rows[name]))
        rows = rows.drop_columns([name])
    return rows


def _is_beyond(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return which whole numbers a double may round."""
    above = pc.greater(column, pa.scalar(_GREATEST, column.type))
    return above if pa.types.is_unsigned_integer(column.type) else pc.or_(above, pc.less(column, -_GREATEST))


def _whole(rounded: pa.ChunkedArray, exact: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return exact numbers, and where there is none what the double says, in the narrowest type that holds them."""
    found = pc.coalesce(exact, pc.if_else(exact.is_valid(), None, rounded).cast(pa.int64()).cast(WHOLE))
    for kind in (pa.int64(), pa.uint64()):
        try:
            return found.cast(kind)
        except pa.ArrowInvalid:
            continue
    return found
