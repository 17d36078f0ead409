"""Whether anything was written to a SQLite store since one last looked, at the price of one page."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from urllib.parse import quote


class ChangeWatch:
    """Looks at one store's file; threads may share it.

    SQLite counts the changes that *other* connections commit, whichever process they are in, as ``data_version``
    (https://sqlite.org/pragma.html#pragma_data_version).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._opened = 0

    def mark(self) -> tuple[int, int] | None:
        """Return a value that is another one after every change; None if the store cannot be looked at."""
        with self._lock:
            try:
                found = self._path.stat()
                connection = self._look_at((found.st_dev, found.st_ino))
                return self._opened, int(connection.execute("PRAGMA data_version").fetchone()[0])
            except (OSError, sqlite3.Error):
                self._close()
                return None

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._close()

    def _look_at(self, file: tuple[int, int]) -> sqlite3.Connection:
        """Return the connection to the file that is there now: a backup that was restored is another one."""
        if self._connection is None or self._file != file:
            self._close()
            address = f"file:{quote(str(self._path))}?mode=ro"
            self._connection = sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
            self._file, self._opened = file, self._opened + 1
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
