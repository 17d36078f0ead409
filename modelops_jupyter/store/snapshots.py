"""Reading a database whose write-ahead log nobody may index: a snapshot of a live workspace, or another user's.

SQLite keeps an index of the log beside it. Where that is not there and cannot be made, the database can be read in a
copy of one's own, which is kept as long as the process lives and neither file changes.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from modelops_jupyter.disk_space import is_full, no_room

_copies: dict[tuple[Path, tuple[int, ...]], tempfile.TemporaryDirectory[str]] = {}
_lock = threading.Lock()


def copy_of(path: Path) -> Path:
    """Return a copy of the database at `path` with its log as they are now.

    Raises
    ------
    StoreFull
        If there is no room for it.
    """
    with _lock:
        while True:
            key = (path, _state(path))
            if key in _copies:
                return Path(_copies[key].name, path.name)
            for old in [old for old in _copies if old[0] == path]:
                with suppress(OSError):
                    _copies.pop(old).cleanup()
            folder = tempfile.TemporaryDirectory(prefix="modelops-read-", ignore_cleanup_errors=True)
            try:
                for file in (path, _log(path)):
                    shutil.copyfile(file, Path(folder.name, file.name))
            except OSError as error:
                folder.cleanup()
                if is_full(error):
                    raise no_room(Path(folder.name)) from error
                raise
            if _state(path) == key[1]:  # nobody wrote meanwhile
                _copies[key] = folder
                return Path(folder.name, path.name)
            folder.cleanup()


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _state(path: Path) -> tuple[int, ...]:
    stats = [file.stat() for file in (path, _log(path))]
    return tuple(value for stat in stats for value in (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns))
