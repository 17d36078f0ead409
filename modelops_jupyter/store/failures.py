"""What a failure of SQLite's is: seldom damage, and only what is damaged is put back from a backup."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from modelops_jupyter.disk_space import LEAST_ROOM, no_room, room
from modelops_jupyter.errors import DependencyFailed, StoreBusy, StoreDamaged, WorkspaceReadOnly

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
_DENIED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)
_LOCKS = (
    sqlite3.SQLITE_IOERR_LOCK,
    sqlite3.SQLITE_IOERR_UNLOCK,
    sqlite3.SQLITE_IOERR_RDLOCK,
    sqlite3.SQLITE_IOERR_BLOCKED,
    sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK,
)
# Our SQL is right: where SQLite finds an error in it, tables or texts are not those that were written.
_DAMAGED = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)


def is_busy(error: BaseException | None) -> bool:
    """Return whether a database is locked by somebody else, which passes."""
    return _code(error) & 0xFF in _BUSY


def failure(
    error: BaseException | None,
    path: Path,
    damaged: type[DependencyFailed] = StoreDamaged,
    seconds: float | None = None,
) -> DependencyFailed:
    """Return what to raise where SQLite could not use the database at `path`.

    Parameters
    ----------
    damaged
        What to raise where the file is gone or damaged.
    seconds
        How long was waited for a lock.
    """
    code = _code(error)
    if is_busy(error):
        waited = "" if seconds is None else f" for {seconds:.0f} s"
        return StoreBusy(f"{path} stayed locked by another process{waited}: try again later.")
    if code & 0xFF == sqlite3.SQLITE_FULL:
        return no_room(path)
    if not path.exists():
        return _gone(path, damaged)
    if code & 0xFF in _DAMAGED:
        return damaged(f"{path} cannot be used ({error}): restore it from a backup or open another workspace.")
    if code & 0xFF == sqlite3.SQLITE_IOERR and room(path) < LEAST_ROOM:
        return no_room(path)
    if code & 0xFF in _DENIED:
        return WorkspaceReadOnly(
            f"{path} cannot be written ({error}): make it and its folder writable, or open another workspace."
        )
    if code in _LOCKS:
        return WorkspaceReadOnly(
            f"{path} cannot be locked ({error}): its file system takes no locks. Keep the workspace on a local disk."
        )
    return DependencyFailed(
        f"{path} could not be used ({error}): repeat; if it stays, run `modelops doctor`, which says whether anything "
        "is damaged."
    )


def _gone(path: Path, damaged: type[DependencyFailed]) -> DependencyFailed:
    if not path.parent.exists():
        return damaged(f"{path} is gone with its folder {path.parent}: if it was moved, open it where it is now.")
    return damaged(f"{path} is gone: restore it from a backup.")


def _code(error: BaseException | None) -> int:
    """Return SQLite's own number of what went wrong, the extended one; -1 where it gave none."""
    return int(getattr(error, "sqlite_errorcode", -1) or -1)
