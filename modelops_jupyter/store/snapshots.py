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
from modelops_jupyter.errors import StoreBusy

_LOOKS = 10  # at a database whose log is copied into it again and again
_HEAD = 32  # bytes of a log, with the salts that change when it begins anew
_copies: dict[tuple[Path, tuple[int, ...]], tempfile.TemporaryDirectory[str]] = {}
_lock = threading.Lock()


def copy_of(path: Path) -> Path:
    """Return a copy of the database at `path` with its log as they are now.

    Raises
    ------
    FileNotFoundError
        If its last writer takes the log away meanwhile: it can be read without one then.
    StoreBusy
        If others change the database each time while it is copied.
    StoreFull
        If there is no room for it.
    """
    with _lock:
        for _ in range(_LOOKS):
            content = _content(path)
            key = (path, (*content, *_state(_log(path))))
            if key in _copies:
                return Path(_copies[key].name, path.name)
            for old in [old for old in _copies if old[0] == path]:
                with suppress(OSError):
                    _copies.pop(old).cleanup()
            folder = tempfile.TemporaryDirectory(prefix="modelops-read-", ignore_cleanup_errors=True)
            try:
                for file in (path, _log(path)):
                    shutil.copyfile(file, Path(folder.name, file.name))
                rests = _content(path) == content
            except OSError as error:
                folder.cleanup()
                if is_full(error):
                    raise no_room(Path(folder.name)) from error
                raise
            if rests:
                _copies[key] = folder
                return Path(folder.name, path.name)
            folder.cleanup()
    raise StoreBusy(f"{path} was changed by others each time that it was copied: try again later.")


def _content(path: Path) -> tuple[int, ...]:
    """Return what stays the same while others only add to the log.

    Each frame of the log has the salts of its head: what was cut short at its end is not there for SQLite.
    """
    with _log(path).open("rb") as log:
        head = log.read(_HEAD)
    return (*_state(path), int.from_bytes(head))


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _state(file: Path) -> tuple[int, ...]:
    found = file.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
