"""Predictions on their way to the log: first a file of lines with checksums, which a killed process leaves behind.

A line is the CRC-32 of a JSON object, a blank and the object: model, version, alias, time, request ids, predictions,
scores, and the model's own columns as the client sent them. A segment is a file of such lines. A closed segment goes to
the prediction log in one batch for each version, under the segment's own name: what is sent again is written once.
"""

from __future__ import annotations

import errno
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock, Timeout

FOLDER = "serving"  # below the workspace's own
OPEN, CLOSED, REFUSED = ".open", ".lines", ".refused"
MOST_ROWS = 50_000  # of a segment


@dataclass(frozen=True)
class Logged:
    """The predictions of one request.

    Attributes
    ----------
    time : str
        When it was answered, in ISO 8601 with its zone.
    columns : dict of str to list
        The model's own columns, as the client sent them.
    """

    model: str
    version: int
    alias: str
    time: str
    ids: list[str]
    predictions: list[Any]
    scores: list[float] | None
    columns: dict[str, list[Any]]

    def line(self) -> bytes:
        """Return the record as a line of a segment."""
        text = json.dumps(asdict(self), separators=(",", ":"), default=str).encode()
        return b"%08x %s\n" % (zlib.crc32(text), text)


def read_segment(file: Path) -> Iterator[Logged]:
    """Yield the whole records of a segment; a line that was cut off, as by a kill, was never acknowledged."""
    with file.open("rb") as lines:
        for line in lines:
            digest, _, text = line.rstrip(b"\n").partition(b" ")
            if len(digest) == 8 and digest == b"%08x" % zlib.crc32(text):
                yield Logged(**json.loads(text))


def is_left(folder: Path) -> bool:
    """Return whether no server holds the folder of a spool."""
    lock = folder.with_suffix(".lock")
    if not lock.exists():
        return True
    try:
        with FileLock(lock, timeout=0):
            return True
    except (Timeout, OSError):
        return False


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


class Spool:
    """The segments of one server, in a folder of its own that no other server touches while it lives.

    Parameters
    ----------
    root
        The workspace's own folder. It is never made anew: a workspace that is gone stays gone.
    """

    def __init__(self, root: Path) -> None:
        self._root, self._name = root, uuid4().hex[:12]
        self.folder = root / FOLDER / self._name
        self._file: Any = None
        self._lock: FileLock | None = None
        self._rows = self._number = 0
        self._cuts: dict[Path, int] = {}  # how much of a closed segment counts, where it could not be cut at once

    def open(self) -> None:
        """Make the folder and hold it.

        Raises
        ------
        OSError
            If it cannot be made.
        """
        self._make()

    def write(self, records: Iterable[Logged], *, sync: bool) -> None:
        """Append records to the open segment; with `sync` they are on disk afterwards.

        Raises
        ------
        OSError
            If they cannot be written; the segment is then left behind as it is, and the next write begins another one.
        """
        records = list(records)
        try:
            if self._file is None or not self._path().exists():  # a folder that was removed takes what is written, too
                self._begin(sync)
            self._append(b"".join(record.line() for record in records), sync)
        except OSError:
            self._drop()
            raise
        self._rows += sum(len(record.ids) for record in records)

    def _append(self, lines: bytes, sync: bool) -> None:
        """Write lines whole or not at all: the caller sends again what could not be written."""
        before = self._file.tell()
        try:
            if self._file.write(lines) < len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path()))
            if sync:
                os.fdatasync(self._file.fileno())
        except OSError:
            try:
                os.ftruncate(self._file.fileno(), before)
            except OSError:
                self._cuts[self._path().with_suffix(CLOSED)] = before
            raise

    @property
    def is_full(self) -> bool:
        """Whether the open segment has as many rows as one batch should have."""
        return self._rows >= MOST_ROWS

    def rotate(self) -> None:
        """Close the open segment, if it has anything in it; the next write begins another one."""
        if self._file is None:
            return
        path = self._path()
        self._file.close()
        self._file, self._rows = None, 0
        with suppress(OSError):
            path.rename(path.with_suffix(CLOSED))

    def closed(self) -> list[Path]:
        """Return the closed segments, oldest first; one with lines too many only once these are cut off."""
        for file, size in list(self._cuts.items()):
            with suppress(OSError):
                os.truncate(file, size)
                del self._cuts[file]
        return sorted(file for file in self.folder.glob(f"*{CLOSED}") if file not in self._cuts)

    def set_aside(self, file: Path, refused: Iterable[Logged]) -> Path:
        """Write the requests of a closed segment that the log refuses beside it, and return where they are.

        Raises
        ------
        OSError
            If they cannot be written.
        """
        aside = file.with_suffix(REFUSED)
        fresh = file.with_suffix(".new")
        fresh.write_bytes(b"".join(record.line() for record in refused))
        fresh.replace(aside)
        return aside

    def take_over(self) -> int:
        """Take the segments of servers that live no longer, and return how many there were."""
        taken = 0
        for folder in sorted(path for path in (self._root / FOLDER).glob("*") if path.is_dir() and path != self.folder):
            lock = FileLock(folder.with_suffix(".lock"))
            try:
                lock.acquire(timeout=0.2)  # `is_left` may look just now
            except (Timeout, OSError):  # its server lives
                continue
            with lock, suppress(OSError):
                for file in sorted(folder.glob("*")):
                    if file.suffix in (OPEN, CLOSED):
                        file.rename(
                            self.folder / f"{file.stem}{CLOSED}"
                        )  # its name is the batch's: never written twice
                        taken += 1
                folder.rmdir()  # one that holds refused segments stays
                folder.with_suffix(".lock").unlink()
        return taken

    def close(self) -> None:
        """Close the open segment and let go of the folder, which goes where nothing is in it."""
        self.rotate()
        if self._lock is not None:
            with suppress(OSError):
                self.folder.rmdir()
                self.folder.with_suffix(".lock").unlink()
            self._lock.release()
            self._lock = None

    def _make(self) -> None:
        if not self._root.is_dir():
            raise FileNotFoundError(2, "The workspace's folder is gone", str(self._root))
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._lock is None:
            self._lock = FileLock(self.folder.with_suffix(".lock"), thread_local=False)
            self._lock.acquire(timeout=5)

    def _begin(self, sync: bool) -> None:
        self._drop()
        self._make()
        self._number += 1
        self._file = self._path().open("ab", buffering=0)
        if sync:  # a file that no folder on disk names is not on disk
            for folder in (self.folder, self.folder.parent, self._root):
                _sync_folder(folder)

    def _path(self) -> Path:
        return self.folder / f"{self._name}-{self._number:06d}{OPEN}"

    def _drop(self) -> None:
        """Let go of a segment that cannot be written; what is whole in it is read when it is closed."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file, self._rows = None, 0
            with suppress(OSError):
                self._path().rename(self._path().with_suffix(CLOSED))
