"""Putting a workspace back: into an empty folder, verified byte by byte before it is there at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from typing import IO
from urllib.parse import quote
from uuid import uuid4
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

from modelops_jupyter.backups.manifest import CHUNK, MOST_BYTES, NAME, Content, Manifest, read_manifest
from modelops_jupyter.disk_space import check_room, is_full, no_room
from modelops_jupyter.errors import InvalidInput, NotFound, StoreDamaged, WorkspaceReadOnly
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.wording import count


@dataclass(frozen=True)
class Restored(Presentable):
    """A workspace that was put back.

    Attributes
    ----------
    folder : str
    files : int
    sequence, hash : int, str
        Where its audit chain ends.
    created_at : str
        When the backup was made.
    """

    folder: str
    files: int
    sequence: int
    hash: str
    created_at: str

    def __str__(self) -> str:
        return (
            f"{self.folder} holds the workspace of {self.created_at}: {count(self.files, 'file')}, each as it was "
            f"backed up, and an audit chain that is whole up to entry {self.sequence}. Run `modelops status` there."
        )


def restore(file: str | os.PathLike[str], folder: str | os.PathLike[str]) -> Restored:
    """Put the workspace of a backup into `folder`, which is empty or not there yet.

    Every file is held against its digest, the databases are examined, and the audit chain is recomputed first: where
    something does not fit, nothing is left behind. Nobody else may enter the folder, whoever could use the files.

    Raises
    ------
    NotFound
        If there is no such file.
    InvalidInput
        If it is no backup, or `folder` holds something.
    StoreDamaged
        If it is not as it was written.
    StoreFull, WorkspaceReadOnly
        If `folder` cannot be written.
    """
    source, target = Path(file).expanduser().absolute(), Path(folder).expanduser().absolute()
    if not source.is_file():
        raise NotFound(f"There is no file {source}: name a backup that `modelops backup` wrote.")
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise InvalidInput(f"{target} is not empty: name a new folder, for nothing is written over.")
    fresh = target.with_name(f".{target.name}.{uuid4().hex[:8]}")
    try:
        with ZipFile(source) as archive:
            manifest = _manifest(archive, source)
            check_room(target, sum(content.size for content in manifest.files.values()))
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh.mkdir(0o700)  # settings may hold secrets
            for path, content in manifest.files.items():
                _extract(archive, path, content, fresh / path, source)
        _examine(fresh, manifest, source)
        if target.exists():
            target.rmdir()
        fresh.rename(target)
    except BadZipFile as error:
        raise _no_backup(source, error) from error
    except OSError as error:
        if is_full(error):
            raise no_room(target) from error
        raise WorkspaceReadOnly(f"{target} cannot be written ({error}): name another folder.") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return Restored(str(target), len(manifest.files), manifest.sequence, manifest.hash, manifest.created_at)


@contextmanager
def _reading(source: Path) -> Iterator[None]:
    """Say of an archive that it cannot be unpacked: for a password, or a method that it was not written with."""
    try:
        yield
    except (BadZipFile, ZlibError, LZMAError, EOFError, OSError, RuntimeError, ValueError) as error:
        raise _no_backup(source, error) from error


def _no_backup(source: Path, error: Exception) -> InvalidInput | StoreDamaged:
    with source.open("rb") as stream:
        begins_well = stream.read(4) == b"PK\x03\x04"
    if begins_well:
        return StoreDamaged(f"{source} is not as it was written ({error}): use another backup.")
    return InvalidInput(f"{source} is no backup ({error}): name a file that `modelops backup` wrote.")


def _manifest(archive: ZipFile, source: Path) -> Manifest:
    names = archive.namelist()
    if NAME not in names or archive.getinfo(NAME).file_size > MOST_BYTES:
        raise InvalidInput(f"{source} is no backup (it has no {NAME}): name a file that `modelops backup` wrote.")
    with _reading(source):
        data = archive.read(NAME)
    manifest = read_manifest(data, f"{NAME} in {source}")
    unlike = sorted({*names} ^ {*manifest.files, NAME})
    if unlike or len(names) != len({*names}):
        raise StoreDamaged(
            f"{source} does not hold the files that it names ({(unlike or names)[0]!r}): use another one."
        )
    return manifest


def _extract(archive: ZipFile, path: str, content: Content, to: Path, source: Path) -> None:
    """Write one file, never more of it than there was."""
    to.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with _reading(source):
        stream = archive.open(path)
    descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with stream, os.fdopen(descriptor, "wb") as out:
        while size <= content.size and (chunk := _chunk(stream, source)):
            digest.update(chunk)
            size += out.write(chunk)
    if (size, digest.hexdigest()) != (content.size, content.sha256):
        raise StoreDamaged(f"{path} in {source} is not as it was backed up: use another backup.")
    to.chmod(content.mode | 0o600)


def _chunk(stream: IO[bytes], source: Path) -> bytes:
    with _reading(source):
        return stream.read(CHUNK)


def _examine(folder: Path, manifest: Manifest, source: Path) -> None:
    """Raise `StoreDamaged` unless the databases are whole and the audit chain leads to where it ended."""
    from modelops_jupyter.store import store_problems, verify

    for path in (folder / name for name in manifest.databases):
        address = f"file:{quote(str(path))}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            try:
                (result,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            except sqlite3.Error as error:
                result = str(error)
        if result != "ok":
            raise StoreDamaged(f"{path.relative_to(folder)} in {source} is damaged ({result}): use another backup.")
    problems, store = store_problems(folder / manifest.store)
    if problems or store is None:
        reason = problems[0].what if problems else "it cannot be read"
        raise StoreDamaged(f"{manifest.store} in {source}: {reason}. Use another backup.")
    chain = verify(store)
    last = store.audit(after=manifest.sequence - 1)[-1:] if manifest.sequence else ()
    store.close()
    ends = (last[0].sequence, last[0].hash) if last else (0, "")
    if not chain.ok or ends != (manifest.sequence, manifest.hash):
        raise StoreDamaged(
            f"The audit chain in {source} does not hold ({chain.reason or 'its end is another'}): use another backup."
        )
