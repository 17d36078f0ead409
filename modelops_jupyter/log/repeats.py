"""Which rows count: each prediction once in a window, in the series of its version and role.

A request is answered once, so that among its served rows in a window the first one counts, whichever version it is of.
Shadow and canary predictions are no answers: they count in a series of their version and role, each request once. So
do the served rows of two versions that both answered a request: no prediction is without a series.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.columns import numbers_of, whole_numbers
from modelops_jupyter.log.distinct import differ, first_of_each
from modelops_jupyter.roles import ROLES, Series

if TYPE_CHECKING:
    from modelops_jupyter.log.stream import Piece

Array = np.ndarray[Any, Any]
NO_SERIES = -1
# Not a column of our own log: a number that grows with every row that is written to another table.
WRITTEN = "(written)"
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio (Knuth, TAOCP 6.4)
_VERSIONS = 1 << 31


def role_numbers(column: pa.ChunkedArray | None) -> Array | None:
    """Return the place of each row's role in `ROLES`; None where every row was served.

    A log from before roles has no such column, or a feature of that name: what is no other role was served.
    """
    if column is None:
        return None
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return None
    roles, parts = pa.array(ROLES), []
    for chunk in column.chunks:
        encoded = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
        places = pc.fill_null(pc.index_in(encoded.dictionary.cast(pa.string()), value_set=roles), 0)
        if pc.any(pc.greater(places, 0)).as_py():
            parts.append(numbers_of(pc.fill_null(places.take(encoded.indices), 0)))
        else:
            parts.append(np.zeros(len(chunk), "int32"))
    return np.concatenate(parts) if any(part.any() for part in parts) else None


def code_of(series: Series) -> int:
    """Return the number that stands for a series of one version."""
    return series.version * len(ROLES) + ROLES.index(series.role)


def series_of(code: int) -> Series:
    """Return the series that a code stands for."""
    version, role = divmod(code, len(ROLES))
    return Series(version, ROLES[role])


def count_once(pieces: Sequence[Piece], window: Callable[[Array], Array], newest: bool = False) -> None:
    """Mark the rows that count as served and those of other series; `window` numbers the windows of times.

    In a table that others write, where rows are corrected, the `newest` row of a request counts in place of the first.
    """
    roles = [role_numbers(piece.read("role")) for piece in pieces]
    if all(role is None for role in roles) and differ(part for piece in pieces for part in piece.hashes):
        return
    rows = _Rows.of(pieces, roles, window, newest)
    inside = np.concatenate([piece.counted for piece in pieces])
    served = np.flatnonzero(inside & (rows.role == 0))
    counted, shared = np.zeros(len(inside), dtype=bool), np.zeros(0, "int64")
    if rows.differ(served, np.zeros(len(inside), "int64")):
        counted[served] = True
    else:
        ordered, begins = rows.by_request(served, np.zeros(len(inside), "int64"))
        counted[ordered[begins]] = True
        shared = rows.answered_twice(served, ordered, begins)
    others = np.concatenate([np.flatnonzero(inside & (rows.role > 0)), shared])
    beside = np.full(len(inside), NO_SERIES)
    if not rows.differ(others, rows.code):
        ordered, begins = rows.by_request(others, rows.code)
        others = ordered[begins]
    beside[others] = rows.code[others]
    begins = np.cumsum([0, *(piece.rows for piece in pieces)])
    for piece, begin in zip(pieces, begins, strict=False):
        piece.counted = counted[begin : begin + piece.rows]
        piece.beside = beside[begin : begin + piece.rows]


@dataclass(frozen=True)
class _Rows:
    """The rows of all pieces, one after the other; each array has a value per row.

    Attributes
    ----------
    age : array of int64
        The place of the row's file among all in the order in which they were written.
    code : array of int64
        Of the version and role; see `series_of`.
    hashes : array of uint64, or None
        Of the request ids; None where one could not be hashed.
    written : array of int64, or None
        Greater for a row that was written later, where the newest row of a request counts; None where the first does.
    """

    pieces: Sequence[Piece]
    time: Array
    window: Array
    age: Array
    role: Array
    version: Array
    code: Array
    hashes: Array | None
    written: Array | None

    @classmethod
    def of(
        cls, pieces: Sequence[Piece], roles: Sequence[Array | None], window: Callable[[Array], Array], newest: bool
    ) -> _Rows:
        """Return the rows of `pieces`, whose roles are numbered."""
        time = np.concatenate([piece.times for piece in pieces])
        ages, lengths = np.array([age for piece in pieces for age in piece.ages], dtype="int64").reshape(-1, 2).T
        role = np.concatenate(
            [np.zeros(p.rows, "int64") if own is None else own for p, own in zip(pieces, roles, strict=True)]
        ).astype("int64")
        version = np.concatenate([_versions(piece) for piece in pieces])
        parts = [part for piece in pieces for part in piece.hashes]
        hashed = [part for part in parts if part is not None]
        hashes = np.concatenate(hashed) if len(hashed) == len(parts) else None
        code = version * len(ROLES) + role
        written = np.concatenate([_writing_order(piece) for piece in pieces]) if newest else None
        return cls(pieces, time, window(time), np.repeat(ages, lengths), role, version, code, hashes, written)

    def differ(self, rows: Array, group: Array) -> bool:
        """Tell whether hashes prove that no request comes twice among `rows` of one group."""
        if self.hashes is None:
            return not len(rows)
        ordered = np.sort(self.hashes[rows] ^ (group[rows].astype("uint64") * _ODD))
        return not bool((ordered[1:] == ordered[:-1]).any())

    def by_request(self, rows: Array, group: Array) -> tuple[Array, Array]:
        """Return `rows` by request id, group and window, what counts first, and the places where each begins."""
        chunks = [chunk for piece in self.pieces for chunk in piece.ids.chunks]
        ids = pa.chunked_array(chunks, pa.string()).take(pa.array(rows))
        order, way = {"time": self.time[rows], "age": self.age[rows], "row": rows}, "ascending"
        if self.written is not None:
            later = {"written": self.written[rows], "age": self.age[rows]}
            order, way = {**later, "time": self.time[rows], "row": rows}, "descending"
        keys = {"id": ids, "group": group[rows], "window": self.window[rows]}
        table = pa.table({**keys, **order})
        table = table.sort_by([*((name, "ascending") for name in keys), *((name, way) for name in order)])
        code = table["id"].combine_chunks().dictionary_encode()
        code = code.combine_chunks() if isinstance(code, pa.ChunkedArray) else code
        number = pc.fill_null(code.indices, NO_SERIES).to_numpy(zero_copy_only=False)
        begins = np.ones(len(number), dtype=bool)
        same = number[1:] == number[:-1]
        for name in ("group", "window"):
            values = table[name].to_numpy()
            same &= values[1:] == values[:-1]
        begins[1:] = ~same
        return table["row"].to_numpy(), np.flatnonzero(begins)

    def answered_twice(self, served: Array, ordered: Array, begins: Array) -> Array:
        """Return the served rows of each version that, in their window, answered a request that another one did too.

        All of them: which ones were first then changes nothing in a version's own series.
        """
        if not len(begins):
            return ordered
        version = self.version[ordered]
        several = np.minimum.reduceat(version, begins) != np.maximum.reduceat(version, begins)
        runs = np.repeat(several, np.diff(begins, append=len(ordered)))
        window_of = self.window * _VERSIONS + self.version
        return served[np.isin(window_of[served], np.unique(window_of[ordered[runs]]))]


def _writing_order(piece: Piece) -> Array:
    order = piece.read(WRITTEN)
    return np.zeros(piece.rows, "int64") if order is None else numbers_of(order)


def _versions(piece: Piece) -> Array:
    column = piece.read("version")
    if column is None:
        return np.zeros(piece.rows, "int64")
    return np.nan_to_num(numbers_of(column)).astype("int64")


def rows_of_series(rows: pa.Table, series: Series) -> pa.Table:
    """Return the rows of a log that are of `series`; repeats of a request are still there."""
    role = role_numbers(rows["role"]) if "role" in rows.column_names else None
    number = ROLES.index(series.role)
    if role is not None or number:
        own = np.zeros(rows.num_rows, dtype="int64") if role is None else role
        rows = rows.filter(pa.array(own == number))
    return rows.filter(pc.equal(rows["version"], series.version)) if series.version else rows


def one_role_each(rows: pa.Table) -> pa.Table:
    """Return one row of each request: what was served of it, else the shadow's answer; of each the earliest row."""
    role = role_numbers(rows["role"]) if "role" in rows.column_names else None
    place = np.zeros(rows.num_rows, "int64") if role is None else role
    order = [(name, "ascending") for name in ("request_id", "place of role", "timestamp")]
    ordered = rows.append_column("place of role", whole_numbers(place)).sort_by(order)
    return first_of_each(ordered.drop_columns(["place of role"]))
