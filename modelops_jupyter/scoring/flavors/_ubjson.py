"""UBJSON as XGBoost writes it: typed arrays become NumPy's, and whatever else the format knows is refused."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_NUMBERS = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4", b"D": ">f8"}
_PLAIN = {b"Z": None, b"T": True, b"F": False}
_DEEPEST = 64


def read_ubjson(content: bytes) -> Any:
    """Return what a UBJSON document holds.

    Raises
    ------
    ValueError
        If it is none, or not one of XGBoost's kind.
    """
    reader = _Reader(content)
    document = reader.value(0)
    if reader.position != len(content):
        raise ValueError("something follows its end")
    return document


class _Reader:
    """A place in the bytes that goes on as values are read."""

    def __init__(self, content: bytes) -> None:
        self._content, self.position = content, 0

    def value(self, depth: int) -> Any:
        """Return the value that begins here."""
        marker = self._take(1)
        if depth > _DEEPEST:
            raise ValueError("it is nested too deep")
        if marker in _PLAIN:
            return _PLAIN[marker]
        if marker in _NUMBERS:
            return self._numbers(marker, 1)[0].item()
        if marker == b"S":
            return self._text()
        if marker == b"{":
            return self._object(depth)
        if marker == b"[":
            return self._array(depth)
        raise ValueError(f"there is no value {marker!r}")

    def _object(self, depth: int) -> dict[str, Any]:
        items: dict[str, Any] = {}
        while self._content[self.position : self.position + 1] != b"}":
            name = self._text()
            if name in items:  # of two, readers may take either
                raise ValueError(f"it has {name!r} twice")
            items[name] = self.value(depth + 1)
        self.position += 1
        return items

    def _array(self, depth: int) -> Any:
        marker = self._take(1)
        kind = self._take(1) if marker == b"$" else None
        if (self._take(1) if kind else marker) != b"#":
            raise ValueError("an array has no length")
        length = self._length()
        if kind is not None:
            return self._numbers(kind, length)
        return [self.value(depth + 1) for _ in range(length)]

    def _numbers(self, kind: bytes, length: int) -> np.ndarray[Any, Any]:
        import numpy as np

        dtype = np.dtype(_NUMBERS.get(kind) or _refuse(kind))
        return np.frombuffer(self._take(dtype.itemsize * length), dtype)

    def _text(self) -> str:
        return self._take(self._length()).decode()

    def _length(self) -> int:
        if self._take(1) != b"L":
            raise ValueError("a length is not of 64 bits")
        return int(struct.unpack(">q", self._take(8))[0])

    def _take(self, length: int) -> bytes:
        part = self._content[self.position : self.position + length] if length >= 0 else b""
        if len(part) != length:
            raise ValueError("it ends too early")
        self.position += length
        return part


def _refuse(kind: bytes) -> str:
    raise ValueError(f"there is no array of {kind!r}")
