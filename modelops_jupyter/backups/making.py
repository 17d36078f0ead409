"""Copying a workspace that others write to: each part as it was at one moment, what is referred to after what refers.

The store is copied first, then MLflow's database, then files. What a record speaks of was written before it and is
never changed: a copy may hold files that no record speaks of yet, and never a record whose files it lacks.

Predictions that are on their way to the log come before all: where a server logs them meanwhile they are in the copy
twice, under one batch id, by which they are logged once. A segment that a server still writes to is opened before, and
read after the log was copied: what was logged meanwhile is whole then, as its batch id demands.
"""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3
import tempfile
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING
from uuid import uuid4
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from modelops_jupyter._version import __version__
from modelops_jupyter.backups.contents import open_segments, other_files, reading
from modelops_jupyter.backups.manifest import CHUNK, NAME, Content, Manifest
from modelops_jupyter.disk_space import check_room, is_full, no_room
from modelops_jupyter.errors import Conflict, InvalidInput, NotFound, WorkspaceReadOnly
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.serving.spool import OPEN
from modelops_jupyter.wording import count

if TYPE_CHECKING:
    from modelops_jupyter.settings import Settings


@dataclass(frozen=True)
class Backup(Presentable):
    """A backup that was made.

    Attributes
    ----------
    file : str
    files, size : int
        What is in it, and its bytes.
    sequence, hash : int, str
        Where the audit chain ended.
    damaged : tuple of str
        Files of the log whose bytes are not those that were written: they are in it as they are.
    left_out : tuple of str
        What is not in it, and why.
    """

    file: str
    files: int
    size: int
    sequence: int
    hash: str
    damaged: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything in it is as it was written."""
        return not self.damaged

    def __str__(self) -> str:
        text = f"{self.file}: {count(self.files, 'file')}, {self.size:,} bytes, up to audit entry {self.sequence}."
        text += "".join(f"\nLeft out: {line}." for line in self.left_out)
        if self.damaged:
            text += "".join(f"\nDamaged: {name}." for name in self.damaged)
            text += "\nKeep your earlier backups, and run `modelops doctor`."
        return text


def back_up(settings: Settings, output: str | os.PathLike[str]) -> Backup:
    """Write the workspace of `settings` to a new file.

    Raises
    ------
    NotFound
        If there is no workspace yet, or no folder to write to.
    InvalidInput
        If `output` is there already or lies in the workspace, or the workspace lies outside of its project.
    Conflict
        If the log was cleaned up meanwhile.
    DependencyFailed
        If a file of the workspace cannot be read.
    StoreFull, WorkspaceReadOnly
        If `output` cannot be written.
    """
    target = Path(output).expanduser().absolute()
    root, project = settings.root.resolve(), settings.project.resolve()
    if target.exists():
        raise InvalidInput(f"{target} is there already: name a new file, for a backup replaces none.")
    if not target.parent.is_dir():
        raise NotFound(f"There is no folder {target.parent}: create it first.")
    for own in (root, settings.runs_path.resolve()):
        if target.parent.resolve().is_relative_to(own):
            raise InvalidInput(f"{target} lies in {own}, which is backed up itself: name a file in another folder.")
    if not settings.store_path.is_file():
        raise NotFound(f"There is nothing to back up in {settings.root}: no store is there yet.")
    if project not in root.parents:
        raise InvalidInput(f"The workspace {root} lies outside of its project {project}: move it there first.")
    partial = target.with_name(f".{target.name}.{uuid4().hex[:8]}")
    try:
        check_room(target, _size(settings))
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # settings may hold secrets
        with os.fdopen(descriptor, "wb") as stream:
            with ZipFile(stream, "w", ZIP_STORED) as archive:
                writing = _Writing(settings, archive, partial)
                manifest = writing.everything()
            stream.flush()
            os.fsync(stream.fileno())
        size = partial.stat().st_size
        os.link(partial, target)  # unlike a renaming, it replaces nothing
    except OSError as error:
        if is_full(error):
            raise no_room(target) from error
        if isinstance(error, FileExistsError):
            raise InvalidInput(f"{target} is there already: name a new file, for a backup replaces none.") from error
        raise WorkspaceReadOnly(f"{target} cannot be written ({error}): name a file in another folder.") from error
    finally:
        partial.unlink(missing_ok=True)
    files, ends = len(manifest.files), (manifest.sequence, manifest.hash)
    return Backup(str(target), files, size, *ends, tuple(writing.damaged), tuple(writing.left_out))


class _Writing:
    """One backup on its way into an archive."""

    def __init__(self, settings: Settings, archive: ZipFile, partial: Path) -> None:
        self.settings, self.archive, self.scratch = settings, archive, partial.parent
        self.itself = os.stat(partial)
        self.files: dict[str, Content] = {}
        self.databases: list[str] = []
        self.damaged: list[str] = []
        self.left_out: list[str] = []

    def everything(self) -> Manifest:
        """Write every part, and the manifest last."""
        from modelops_jupyter.log.snapshots import table_folders

        settings, now = self.settings, datetime.now(UTC).isoformat(timespec="seconds")
        with ExitStack() as stack:
            still_open = self._segments(stack)
            sequence, digest = self._database(settings.store_path)
            if settings.server is not None:
                what = "what the MLflow server holds, models' files included: back that up by its own means"
                self.left_out.append(what)
            elif settings.mlflow_path.is_file() and self._is_inside(settings.mlflow_path):
                self._database(settings.mlflow_path)
            elif settings.mlflow_path.is_file():
                self.left_out.append(f"{settings.mlflow_path}, which lies outside of the project")
            tables = self._tables()
            for path, stream in still_open.items():
                self._stream(path, stream, ZIP_DEFLATED)
        self._settings_files()
        tables |= {*table_folders(settings.log_path)}  # one that began meanwhile is later than this backup
        for path in other_files(settings, tables, self.left_out.append):
            if self._name(path) not in self.files:
                self._file(path)
        files = dict(sorted(self.files.items()))
        store = self._name(settings.store_path)
        manifest = Manifest(__version__, now, store, sequence, digest, tuple(self.databases), files)
        self.archive.writestr(NAME, manifest.to_json(), ZIP_DEFLATED, 1)
        return manifest

    def _name(self, path: Path) -> str:
        return Path(os.path.abspath(path)).relative_to(os.path.abspath(self.settings.project)).as_posix()

    def _is_inside(self, path: Path) -> bool:
        return Path(os.path.abspath(self.settings.project)) in Path(os.path.abspath(path)).parents

    def _database(self, path: Path) -> tuple[int, str]:
        """Write a database as it is at one moment; of the store return where its chain ends."""
        from modelops_jupyter.store import connect, failure

        end = (0, "")
        with tempfile.TemporaryDirectory(dir=self.scratch, prefix=".modelops-backup-") as folder:
            copy = Path(folder, "copy.db")
            try:
                with closing(connect(path)) as source, closing(sqlite3.connect(copy)) as taken:
                    source.backup(taken)
                    if path == self.settings.store_path:
                        last = "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1"
                        end = taken.execute(last).fetchone() or end
            except sqlite3.Error as error:
                full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL  # `path` itself is only read
                raise (no_room(self.scratch) if full else failure(error, path)) from error
            with copy.open("rb") as stream:
                self._stream(path, stream, ZIP_DEFLATED)
        self.databases.append(self._name(path))
        return int(end[0]), str(end[1])

    def _segments(self, stack: ExitStack) -> dict[Path, IO[bytes]]:
        """Write the closed segments of servers; return the others, open as long as `stack` is."""
        still_open: dict[Path, IO[bytes]] = {}
        seen: set[str] = set()
        for path in open_segments(self.settings.root):
            if path.stem in seen:  # its server closed it meanwhile
                continue
            with suppress(FileNotFoundError):
                stream = self._opened(path)
                seen.add(path.stem)
                if path.suffix == OPEN:
                    still_open[path] = stack.enter_context(stream)
                    continue
                with stream:
                    self._stream(path, stream, ZIP_DEFLATED)
        return still_open

    def _tables(self) -> set[Path]:
        """Write each table of the log as it is between two batches, and return their folders."""
        from modelops_jupyter.log.snapshots import table_folders, take_snapshot

        tables: set[Path] = set()
        for table in table_folders(self.settings.log_path):
            tables.add(table)
            try:
                with reading(table):
                    snapshot = take_snapshot(table)
            except FileNotFoundError as error:
                raise _removed(table) from error
            for path, data in snapshot.notes.items():
                self._stream(path, io.BytesIO(data), ZIP_DEFLATED)
            for name in snapshot.files:
                path = table.parent / name
                digest = self._file(path)
                if digest is None and name in snapshot.checksums:
                    raise _removed(path)
                if digest is not None and snapshot.checksums.get(name, digest) != digest:
                    self.damaged.append(self._name(path))
        return tables

    def _settings_files(self) -> None:
        """Write the settings and the policy."""
        for file in (self.settings.project / "modelops.toml", self.settings.policy):
            if file is not None and file.is_file():
                if self._is_inside(file):
                    self._file(file)
                else:
                    self.left_out.append(f"{file}, which lies outside of the project")

    def _file(self, path: Path) -> str | None:
        """Write a file as it is and return its digest; None where it is gone, or is the very backup."""
        try:
            stream = self._opened(path)
        except FileNotFoundError:
            return None
        with stream:
            if os.path.samestat(os.fstat(stream.fileno()), self.itself):
                return None
            return self._stream(path, stream, ZIP_STORED if path.suffix == ".parquet" else ZIP_DEFLATED)

    def _opened(self, path: Path) -> IO[bytes]:
        with reading(path):
            return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")

    def _stream(self, path: Path, stream: IO[bytes], method: int) -> str:
        """Write what is read of the file at `path`, or was."""
        name = self._name(path)
        entry = ZipInfo(name)
        entry.compress_type, entry.external_attr = method, 0o600 << 16
        entry._compresslevel = 1  # type: ignore[attr-defined]  # Python 3.13 calls it compress_level
        digest, size = hashlib.sha256(), 0
        with self.archive.open(entry, "w", force_zip64=True) as out:
            while chunk := _chunk(path, stream):
                digest.update(chunk)
                size += out.write(chunk)
        self.files[name] = Content(size, digest.hexdigest(), _mode(path))
        return digest.hexdigest()


def _removed(path: Path) -> Conflict:
    return Conflict(f"{path} was removed meanwhile, as a clean-up does: make the backup again.")


def _mode(path: Path) -> int:
    """Return who may use a file of the workspace; of one that is gone meanwhile, its owner alone."""
    with suppress(FileNotFoundError), reading(path):
        return path.lstat().st_mode & 0o777
    return 0o600


def _chunk(path: Path, stream: IO[bytes]) -> bytes:
    with reading(path):
        return stream.read(CHUNK)


def _size(settings: Settings) -> int:
    """Return how many bytes a workspace has on the disk."""
    total = 0
    for folder, _, names in os.walk(settings.root):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_size
    return total
