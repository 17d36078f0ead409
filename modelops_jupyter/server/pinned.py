"""Files between the server's check and the job's read: a link that took the place of one meanwhile is not followed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from modelops_jupyter.data_files import dataset_address
from modelops_jupyter.errors import InvalidInput, NotFound

_OPEN_FILES = Path("/proc/self/fd")


@contextmanager
def pinned(address: str) -> Iterator[str]:
    """Lend a name of the very file or folder at an absolute address without links, whatever takes its place later.

    Raises
    ------
    InvalidInput
        If there is a link on the way to it.
    NotFound
        If it is gone.
    """
    dataset = dataset_address(address)
    path = Path(address if dataset is None else dataset[0])
    with ExitStack() as stack:
        descriptor = _opened(path)
        stack.callback(os.close, descriptor)
        if not _OPEN_FILES.is_dir():  # not Linux: what is left is the look just now
            yield address
            return
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="modelops-job-"))
        name = Path(folder, path.name)
        name.symlink_to(_OPEN_FILES / str(descriptor))
        yield str(name) if dataset is None else address.replace(f"delta:{path}", f"delta:{name}", 1)


def check_unlinked(path: str) -> None:
    """Return when no link is on the way to a path that had none when it was checked.

    Raises
    ------
    InvalidInput
        Otherwise.
    """
    if os.path.realpath(path) != path:
        raise _swapped(Path(path))


def _opened(path: Path) -> int:
    """Open a file or folder step by step, following no link."""
    readable = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    passable = getattr(os, "O_PATH", readable) | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC  # not listed on the way
    above = os.open(path.anchor, passable)
    try:
        for number, part in enumerate(path.parts[1:], 2):
            on_the_way = number < len(path.parts)
            # A pipe in its place makes nobody wait.
            below = os.open(part, passable if on_the_way else readable | os.O_NONBLOCK, dir_fd=above)
            os.close(above)
            above = below
    except OSError as error:
        os.close(above)
        if isinstance(error, FileNotFoundError):
            raise NotFound(f"There is no file {str(path)!r} any more: ask for the job again.") from error
        if os.path.realpath(path) != str(path):
            raise _swapped(path) from error
        raise
    return above


def _swapped(path: Path) -> InvalidInput:
    return InvalidInput(
        f"{str(path)!r} became a link after the job was asked for, and is not followed: ask again with the file itself."
    )
