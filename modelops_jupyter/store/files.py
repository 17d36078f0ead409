"""Looking at a SQLite file before SQLite does: opening a damaged one can lose more than is lost already.

A file that was opened to be looked at stays open. When a process closes *any* descriptor of a file, the system drops
all locks that the process has on it (https://sqlite.org/howtocorrupt.html, section 2.2): those of SQLite's connections
in other threads too, and another process then takes the write-ahead log away from under them.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

_MAGIC = b"SQLite format 3\x00"
_LOOKS = 10  # a file that another process is writing looks cut short for a moment
_MOST_OPEN = 256  # beyond what a process works on at once: the one that was opened first is closed
_open: dict[tuple[int, int], int] = {}
_lock = threading.Lock()


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


def is_writable(path: Path) -> bool:
    """Return whether a database can be written: its file, and the journal that SQLite puts beside it."""
    effective = os.access in os.supports_effective_ids
    return all(os.access(entry, os.W_OK, effective_ids=effective) for entry in (path, path.parent))


def _look(path: Path) -> str | None:
    file = _descriptor(path)
    header, size = os.pread(file, 100, 0), os.fstat(file).st_size
    if not header:
        return "is empty"
    if len(header) < 100 or not header.startswith(_MAGIC):
        return "is no SQLite database"
    page = int.from_bytes(header[16:18], "big")
    expected = (65536 if page == 1 else page) * int.from_bytes(header[28:32], "big")
    log = path.with_name(f"{path.name}-wal")
    pending = log.exists() and log.stat().st_size > 0  # pages that have not reached the file yet
    if header[24:28] == header[92:96] and size < expected and not pending:
        return f"was cut short (it holds {size} of {expected} bytes)"
    return None


def _descriptor(path: Path) -> int:
    """Return an open descriptor of the file that is at `path` now; it stays open while the file is there."""
    with _lock:
        at = path.stat()
        known = _open.get((at.st_dev, at.st_ino))
        if known is not None:
            return known
        for key, descriptor in list(_open.items()):
            if os.fstat(descriptor).st_nlink == 0 or len(_open) >= _MOST_OPEN:
                os.close(_open.pop(key))
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        found = os.fstat(descriptor)
        _open[found.st_dev, found.st_ino] = descriptor
        return descriptor
