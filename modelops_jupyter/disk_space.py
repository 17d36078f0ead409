"""How much room a disk has, looked at before anything is written there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from modelops_jupyter.errors import StoreFull

# SQLite maps the index of its write-ahead log into memory. Where the disk has no room for a page of it, touching that
# page ends the process (SIGBUS), a whole Jupyter Server too: nobody begins to write with less than this, in bytes.
LEAST_ROOM = 1 << 20
_FULL = tuple(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT))


def room(path: Path) -> int:
    """Return how many bytes are free for whoever acts, on the disk of a file that may not be there yet."""
    for folder in (path, *path.parents):
        try:
            disk = os.statvfs(folder)
        except OSError:
            continue
        return disk.f_bavail * disk.f_frsize
    return LEAST_ROOM


def check_room(path: Path, size: int = 0) -> None:
    """Return when `size` more bytes can be written at `path`.

    Raises
    ------
    StoreFull
        If not; nothing was touched then.
    """
    free = room(path)
    if free < LEAST_ROOM + size:
        raise StoreFull(
            f"No room is left for {path}: {free / 1024:,.0f} KiB are free, and {(LEAST_ROOM + size) / 1024:,.0f} are "
            "needed. Free some space, then repeat; nothing was written, and nothing is lost."
        )


def no_room(path: Path) -> StoreFull:
    """Return the error that something could not be written at `path` because the disk is full."""
    return StoreFull(f"No room is left for {path}: free some space, then repeat; nothing was written.")


def is_full(error: BaseException) -> bool:
    """Return whether an error says that a disk, or a user's share of it, is full: by its number, else by its words."""
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or any(text in str(error) for text in _FULL)
