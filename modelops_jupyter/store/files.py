"""Looking at a SQLite file before SQLite does: opening a damaged one can lose more than is lost already."""

from __future__ import annotations

import time
from pathlib import Path

_MAGIC = b"SQLite format 3\x00"
_LOOKS = 10  # a file that another process is writing looks cut short for a moment


def trouble(path: Path) -> str | None:
    """Return what is wrong with the database file `path`, as the end of a sentence, or None if it looks whole."""
    try:
        for look in range(_LOOKS):
            reason = _look(path)
            if reason is None:
                return None
            if look < _LOOKS - 1:
                time.sleep(0.02)
    except FileNotFoundError:
        return "is gone"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return reason


def _look(path: Path) -> str | None:
    with path.open("rb") as file:
        header = file.read(100)
    if not header:
        return "is empty"
    if len(header) < 100 or not header.startswith(_MAGIC):
        return "is no SQLite database"
    page = int.from_bytes(header[16:18], "big")
    expected = (65536 if page == 1 else page) * int.from_bytes(header[28:32], "big")
    size = path.stat().st_size
    log = path.with_name(f"{path.name}-wal")
    pending = log.exists() and log.stat().st_size > 0  # pages that have not reached the file yet
    if header[24:28] == header[92:96] and size < expected and not pending:
        return f"was cut short (it holds {size} of {expected} bytes)"
    return None
