"""What of a workspace is in a backup: all of it but the notes of processes at work, which are named one by one.

A file is never left out for how its name ends: an artifact may have any name.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from modelops_jupyter.errors import DependencyFailed
from modelops_jupyter.log.checksums import checksums_path
from modelops_jupyter.serving.spool import CLOSED, FOLDER, OPEN
from modelops_jupyter.serving.state import ENDING
from modelops_jupyter.settings import Settings

_PASSING = ("jobs", "work")  # folders of what runs now
_OF_SQLITE = ("-wal", "-shm", "-journal")
_LOOKS = 10  # at a spool whose servers close segments meanwhile


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say of a file of the workspace that it cannot be read; that it is gone is for the caller to judge.

    Raises
    ------
    DependencyFailed
        If it is there and cannot be read.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = error.strerror or error
        raise DependencyFailed(f"{path} cannot be read ({reason}): mend that, then make the backup again.") from error


def other_files(settings: Settings, tables: Collection[Path], leave_out: Callable[[str], None]) -> Iterator[Path]:
    """Yield the files that are neither databases nor of the log's tables: artifacts, quarantines, executed notebooks.

    Parameters
    ----------
    tables
        The folders of the log's tables.
    leave_out
        Is told of what else is not in the backup, and why.
    """
    passing = {*_notes_of_databases(settings), *(path for table in tables for path in _beside(table))}
    passing = {Path(os.path.abspath(path)) for path in passing}
    with reading(settings.root):
        entries = sorted(settings.root.iterdir())
    for entry in entries:
        if entry.name in _PASSING:
            continue
        kept_whole = entry == settings.artifacts_path
        for path in _below(entry, () if kept_whole else tables, leave_out):
            passes = Path(os.path.abspath(path)) in passing or _is_of_server(path, settings.root / FOLDER)
            if kept_whole or not passes:
                yield path
    yield from _below(settings.runs_path, (), leave_out)


def open_segments(root: Path) -> Iterator[Path]:
    """Yield the segments of predictions that are on their way to the log, until none is new.

    A server may close a segment, or another one take it over, between a look and the next: it has another path then.
    """
    seen: set[Path] = set()
    for look in range(_LOOKS):
        with reading(root / FOLDER):
            paths = sorted(path for ending in (CLOSED, OPEN) for path in (root / FOLDER).glob(f"*/*{ending}"))
        fresh = [path for path in paths if path not in seen]
        if look and not fresh:  # one look may miss what goes from a folder to another
            return
        yield from fresh
        seen |= {*fresh}


def _below(top: Path, tables: Collection[Path], leave_out: Callable[[str], None]) -> Iterator[Path]:
    """Yield the files below a folder, without those of tables; links are followed nowhere."""
    entries: Sequence[Path] = ()
    with suppress(FileNotFoundError), reading(top):
        mode = top.lstat().st_mode
        if stat.S_ISDIR(mode) and top not in tables:
            entries = sorted(top.iterdir())
        elif stat.S_ISREG(mode):
            entries = (top,)
        elif stat.S_ISLNK(mode):
            leave_out(f"{top}, which is a link")
    for entry in entries:
        if entry == top:
            yield top
        else:
            yield from _below(entry, tables, leave_out)


def _notes_of_databases(settings: Settings) -> set[Path]:
    """Return what SQLite and whoever makes a database put beside it."""
    databases = [settings.store_path, *(() if settings.server else (settings.mlflow_path,))]
    files = {settings.lock_path, *(path.with_suffix(".lock") for path in databases)}
    for path in databases:
        fresh = path.with_name(f"{path.name}.new")
        files |= {path, fresh} | {one.with_name(one.name + what) for one in (path, fresh) for what in _OF_SQLITE}
    return files


def _beside(table: Path) -> Iterator[Path]:
    """Yield what is beside a table: its lock and its notes, which are in the backup with the table or not at all."""
    notes = table.with_name(f"{table.name}.manifest.json")
    yield from (table.with_suffix(".lock"), notes, notes.with_suffix(".next"), checksums_path(table))


def _is_of_server(path: Path, folder: Path) -> bool:
    """Return whether a file says how a server does now, or is a segment, which is written by itself."""
    if path.parent == folder:
        return path.suffix in (".lock", ".new", ENDING)
    return path.parent.parent == folder and path.suffix in (OPEN, CLOSED)
