"""What a batch holds, as one number: to tell a batch that is sent again from another one of the same name."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from hashlib import _Hash


def digest(rows: pa.Table) -> int:
    """Return 63 bits of the SHA-256 of the rows in their order; the order of columns does not count."""
    content = hashlib.sha256()
    for name in sorted(rows.column_names):
        column = rows.select([name]).combine_chunks()
        with pa.ipc.new_stream(pa.PythonFile(_Into(content), mode="w"), column.schema) as writer:
            writer.write_table(column)
    return int.from_bytes(content.digest()[:8], "big") >> 1


class _Into(io.RawIOBase):
    """A file of which nothing is kept but the hash."""

    def __init__(self, content: _Hash) -> None:
        self._content = content

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._content.update(data)
        return len(data)
