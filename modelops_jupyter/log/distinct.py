"""Repeats of a request: a quick proof that there are none, and the exact answer where it does not succeed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.columns import numbers_of

Array = np.ndarray[Any, Any]

_LONGEST = 64
_WORD = 8  # bytes
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio (Knuth, TAOCP 6.4)


def surely_distinct(ids: pa.ChunkedArray) -> bool:
    """Tell whether no id comes twice.

    Distinct hashes prove distinct ids, five times as quickly as counting them; equal ones are looked into exactly.
    """
    return differ(hashes_of(chunk) for chunk in ids.chunks) or bool(pc.count_distinct(ids).as_py() == len(ids))


def differ(hashes: Iterable[Array | None]) -> bool:
    """Tell whether all ids were hashed and all hashes differ."""
    parts = list(hashes)
    ordered = np.sort(np.concatenate([np.zeros(0, "uint64"), *(part for part in parts if part is not None)]))
    return all(part is not None for part in parts) and not bool((ordered[1:] == ordered[:-1]).any())


def first_of_each(rows: pa.Table) -> pa.Table:
    """Return the first row of each run of equal request ids."""
    if rows.num_rows < 2:
        return rows
    ids = rows["request_id"].combine_chunks()
    changed = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1))
    return rows.filter(pa.concat_arrays([pa.array([True]), changed]))


def hashes_of(ids: pa.Array) -> Array | None:
    """Return a 64-bit hash of every text, by nothing but its bytes; None where one is missing or too long."""
    if ids.null_count:
        return None
    ids = ids.cast(pa.string())  # another writer's file may hold long texts or views, which lie otherwise in memory
    lengths = numbers_of(pc.binary_length(ids))
    shortest, longest = (int(lengths.min()), int(lengths.max())) if len(ids) else (0, 0)
    if longest > _LONGEST:
        return None
    if shortest == longest:
        return _hashes_of_length(ids, longest)
    hashes = np.zeros(len(ids), dtype="uint64")
    for length in np.unique(lengths).tolist():
        chosen = lengths == length
        hashes[chosen] = _hashes_of_length(ids.filter(pa.array(chosen)), length)
    return hashes


def _hashes_of_length(ids: pa.Array, length: int) -> Array:
    """Hash texts of `length` bytes each."""
    width = max(_WORD, length)
    if length < _WORD:
        ids = pc.ascii_rpad(ids, width, padding="\0")  # may hash like an id that ends so: which is looked into
    begin = int(np.frombuffer(ids.buffers()[1], dtype="int32")[ids.offset])
    hashes = np.full(len(ids), length, dtype="uint64")
    # The last word may share bytes with the one before it: what differs in any byte differs in some word.
    for place in (*range(0, width - _WORD, _WORD), width - _WORD):
        hashes ^= np.ndarray(len(ids), "uint64", ids.buffers()[2], begin + place, (width,))
        hashes *= _ODD
        hashes ^= hashes >> np.uint64(29)
    return hashes
