"""The SHA-256 of every file of a table, beside it, as `sha256sum` writes and checks them.

Parquet keeps no proof of its bytes, and neither do Delta's commits: a flipped one is another number, or another file.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from modelops_jupyter.errors import LogDamaged

_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)")
_COMMITS = "_delta_log"


def checksums_path(table: Path) -> Path:
    """Return the file that holds the checksums of a table."""
    return table.with_name(f"{table.name}.sha256")


def table_files(table: Path) -> Iterator[str]:
    """Yield the files whose bytes count, by their paths from the model's folder on: data, commits, checkpoints.

    Delta rewrites ``_last_checkpoint``, which only saves it a look.
    """
    for folder in ("", f"{_COMMITS}/"):
        with os.scandir(table / folder) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith((".parquet", ".json")))
        yield from (f"{table.name}/{folder}{name}" for name in names if not name.startswith("."))


def read_checksums(table: Path) -> dict[str, str]:
    """Return the checksums on record by path; none before the first append.

    Raises
    ------
    LogDamaged
        If the file cannot be read.
    """
    path = checksums_path(table)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise LogDamaged(f"{path} cannot be read ({error}): restore it from a backup.") from error
    lines = [_LINE.fullmatch(line) for line in text.split("\n")[:-1]]
    if None in lines or not text.endswith("\n"):
        raise LogDamaged(f"{path} has a line that is no checksum: restore it from a backup.")
    return {line[2]: line[1] for line in lines if line is not None}


def add_checksums(table: Path) -> None:
    """Put the files that have none yet on record; those that a writer who was killed has left, too."""
    known = read_checksums(table)
    fresh = [name for name in table_files(table) if name not in known]
    lines = "".join(f"{file_checksum(table.parent / name)}  {name}\n" for name in fresh)
    if not lines:
        return
    descriptor = os.open(checksums_path(table), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(descriptor, lines.encode())  # in one go: a process that is killed leaves all of it or nothing
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def changed_files(table: Path, known: Mapping[str, str]) -> dict[str, str]:
    """Return what is not as it was written, by path: ``was changed``, ``was added`` or ``is gone``."""
    present = set(table_files(table))
    changes = {name: "was added" for name in present if name not in known}
    for name, checksum in known.items():
        if name not in present:
            changes[name] = "is gone"
        elif file_checksum(table.parent / name) != checksum:
            changes[name] = "was changed"
    return changes
