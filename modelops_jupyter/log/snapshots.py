"""A table of the log as it is between two batches, while others write to it."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from modelops_jupyter.errors import StoreBusy
from modelops_jupyter.log.checksums import checksums_path, read_checksums, table_files

LOCK_SECONDS = 30.0
NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True)
class Snapshot:
    """What a table consists of.

    Attributes
    ----------
    notes : mapping of Path to bytes
        The files that writers change: their content.
    files : tuple of str
        The files that are written once, by their paths from the model's folder on.
    checksums : mapping of str to str
        The SHA-256 that each had when it was written.
    """

    notes: Mapping[Path, bytes]
    files: tuple[str, ...]
    checksums: Mapping[str, str]


def table_folders(log: Path) -> Iterator[Path]:
    """Yield the folders of a log's tables."""
    for commits in sorted(log.glob("*/*/_delta_log")):
        if commits.is_dir() and not commits.is_symlink():
            yield commits.parent


def take_snapshot(table: Path) -> Snapshot:
    """Return what a table consists of while nobody writes to it.

    Raises
    ------
    StoreBusy
        If somebody writes for half a minute.
    LogDamaged
        If its checksums cannot be read.
    """
    manifest = table.with_name(f"{table.name}.manifest.json")
    changing = (manifest, checksums_path(table), table / "_delta_log" / "_last_checkpoint")
    with ExitStack() as stack:
        try:
            stack.enter_context(FileLock(table.with_suffix(".lock"), timeout=LOCK_SECONDS))
        except Timeout:
            raise StoreBusy(f"{table} stayed locked by another process for {LOCK_SECONDS:.0f} s: try again.") from None
        except OSError as error:
            if error.errno not in NOT_WRITABLE:  # where nothing can be written nobody changes the table, either
                raise
        notes = {path: path.read_bytes() for path in changing if path.is_file()}
        return Snapshot(notes, tuple(table_files(table)), read_checksums(table))
