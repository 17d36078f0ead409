"""Hashes of texts by nothing but their bytes: the same on every machine and in every process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.columns import numbers_of

Array = np.ndarray[Any, Any]

_LONGEST = 64  # bytes
_WORD = 8
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio (Knuth, TAOCP 6.4)


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


def keys_of(ids: pa.ChunkedArray) -> Array:
    """Return a number per text that follows from it alone; a very long one goes by its last characters."""
    return np.concatenate([np.zeros(0, dtype="uint64"), *map(_keys_of, ids.chunks)])


def _keys_of(ids: pa.Array) -> Array:
    keys = hashes_of(ids)
    if keys is not None:
        return keys
    texts = pc.fill_null(ids.cast(pa.string()), "")
    long = pc.greater(pc.binary_length(texts), _LONGEST)
    ends = hashes_of(pc.if_else(long, pc.utf8_slice_codeunits(texts, -_LONGEST // 4), texts))  # a character has 4 bytes
    assert ends is not None
    return ends


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
