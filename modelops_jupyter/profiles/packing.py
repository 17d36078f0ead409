"""Arrays as short text: the narrowest type that holds them, compressed, in base64, so that a JSON body stays small."""

from __future__ import annotations

import binascii
import zlib
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_WHOLE = ("uint8", "uint16", "uint32", "int64")
_NAMES = {"uint8": "u1", "uint16": "u2", "uint32": "u4", "int64": "i8", "float64": "f8"}
_TYPES = {code: np.dtype(f"<{code}") for code in _NAMES.values()}


def pack(values: Any) -> str:
    """Return an array of whole numbers (int64) or floats (float64) as text; its shape is the reader's to know."""
    array = np.asarray(values)
    if array.dtype.kind == "f":
        code = "f8"
    else:
        array = array.astype("int64")
        least, greatest = (int(array.min()), int(array.max())) if array.size else (0, 0)
        fitting = (name for name in _WHOLE if np.iinfo(name).min <= least and greatest <= np.iinfo(name).max)
        code = _NAMES[next(fitting)]
    body = zlib.compress(np.ascontiguousarray(array, dtype=_TYPES[code]).tobytes(), 1)
    return f"{code}:{binascii.b2a_base64(body, newline=False).decode()}"


def unpack(text: str) -> Array:
    """Return what `pack` was given, in one dimension: int64 or float64.

    Raises
    ------
    ValueError
        If `text` is not what `pack` wrote.
    """
    code, _, body = text.partition(":")
    if code not in _TYPES:
        raise ValueError(f"{code!r} is no type of packed numbers")
    try:
        data = zlib.decompress(binascii.a2b_base64(body))
    except zlib.error as error:
        raise ValueError(f"packed numbers are damaged: {error}") from error
    array: Array = np.frombuffer(data, dtype=_TYPES[code]).astype("float64" if code == "f8" else "int64")
    return array


def pack_floats(values: Any) -> str:
    """Return floats as text, uncompressed: what is no round number hardly shrinks."""
    return binascii.b2a_base64(np.asarray(values, dtype="<f8").tobytes(), newline=False).decode()


def unpack_floats(text: str) -> Array:
    """Return what `pack_floats` was given, as one dimension."""
    return np.frombuffer(unpack_bytes(text), dtype="<f8")


def unpack_bytes(text: str) -> bytes:
    """Return the bytes of what `pack_floats` wrote, eight a float, the least first."""
    return binascii.a2b_base64(text)
