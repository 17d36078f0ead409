"""MLflow's embedded database in a workspace that was copied or moved: its addresses follow the folder.

MLflow writes absolute addresses into its SQLite file. A table of our own beside its tables says for which folders they
were written. Where those are not the folders of now, every address below them is rewritten: once, in one transaction.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from modelops_jupyter.errors import RegistryDamaged
from modelops_jupyter.settings import Settings
from modelops_jupyter.store import failure, is_writable

BUSY_SECONDS = 30.0
_FILE = "file://"
# Where MLflow keeps addresses that it reads and writes files by.
LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("logged_models", "artifact_location"),
)
# Tags that are addresses: MLflow's own, which nobody writes by hand.
_TAGS = ("mlflow.artifactLocation", "mlflow.source.name")
_TAG_TABLES = (
    ("tags", "key", "value"),
    ("experiment_tags", "key", "value"),
    ("logged_model_tags", "tag_key", "tag_value"),
    ("trace_tags", "key", "value"),
    ("trace_request_metadata", "key", "value"),
)
_CREATE = "CREATE TABLE IF NOT EXISTS modelops_folders (root TEXT NOT NULL, project TEXT NOT NULL)"


@dataclass(frozen=True)
class Folders:
    """What addresses are below: the workspace's own folder and the project's, links resolved."""

    root: str
    project: str

    @classmethod
    def of(cls, settings: Settings) -> Folders:
        """Return where a workspace is now."""
        return cls(os.path.realpath(settings.root), os.path.realpath(settings.project))

    def home(self, database: Path, now: Folders) -> str:
        """Return the one of the folders that holds the database, which `now` tells: others may share the rest."""
        return self.root if is_below(os.path.realpath(database), now.root) else self.project

    def hold(self, path: str | os.PathLike[str]) -> bool:
        """Return whether `path` is one of the folders or below it."""
        return any(is_below(os.path.realpath(path), folder) for folder in (self.root, self.project))


def address_of(path: Path) -> str:
    """Return the address of a file or folder as MLflow's database gets it, links resolved."""
    return Path(os.path.realpath(path)).as_uri()


def local_path(address: str) -> str | None:
    """Return the path of a local address, with or without a scheme; None for any other.

    >>> local_path("file:///data/my%20models/1"), local_path("/data/1"), local_path("s3://bucket/1")
    ('/data/my models/1', '/data/1', None)
    """
    if address.startswith(_FILE):
        path = unquote(address.removeprefix(_FILE).removeprefix("localhost"))
        return path if os.path.isabs(path) else None
    return address if os.path.isabs(address) else None


def relocate(settings: Settings) -> None:
    """Rewrite the addresses in an embedded database that were written for other folders than those of now.

    Nothing happens where they are right, where the database lies outside the workspace's folders (others may use it
    too), or where it cannot be written: what reads needs no address.

    Raises
    ------
    StoreBusy
        If another process keeps the database locked.
    RegistryDamaged
        If it cannot be read.
    """
    path, now = settings.mlflow_path, Folders.of(settings)
    if written_elsewhere(settings) is None or not is_writable(path):
        return
    with _writing(path) as connection:
        before = _recorded(connection)
        if before is not None and before != now:  # else another process was first
            _rewrite(connection, before, now)


def written_elsewhere(settings: Settings) -> Folders | None:
    """Return the folders that an embedded database's addresses were written for; None where they are those of now."""
    path, now = settings.mlflow_path, Folders.of(settings)
    before = recorded_folders(path)
    if before is None or not now.hold(path) or before.home(path, now) == now.home(path, now):
        return None
    return before


def remember(path: Path, settings: Settings) -> None:
    """Put on record for which folders the addresses of a database are written, unless it says so already.

    A database outside of them belongs to others too and is left alone.
    """
    now = Folders.of(settings)
    if now.hold(path):
        with _writing(path) as connection:
            if _recorded(connection) is None:
                connection.execute(_CREATE)
                connection.execute("INSERT INTO modelops_folders VALUES (?, ?)", (now.root, now.project))


def recorded_folders(path: Path) -> Folders | None:
    """Return for which folders the addresses of a database were written; None where nothing says so."""
    try:
        with closing(connect_file(path)) as connection:
            return _recorded(connection)
    except sqlite3.Error as error:
        raise failure(error, path, RegistryDamaged) from error


def rebased(address: str, moves: Sequence[tuple[str, str]]) -> str:
    """Return an address as it reads after folders were moved, in its own spelling; the first fitting move counts.

    >>> rebased("file:///old/my%20models/1", [("/old", "/new place")])
    'file:///new%20place/my%20models/1'
    >>> rebased("/older/1", [("/old", "/new place")])
    '/older/1'
    """
    path = local_path(address)
    for before, after in moves:
        if path is not None and is_below(path, before):
            moved = after + path[len(before) :]
            return _FILE + quote(moved) if address.startswith(_FILE) else moved
    return address


def _rewrite(connection: sqlite3.Connection, before: Folders, now: Folders) -> None:
    moves = [(before.root, now.root), (before.project, now.project)]
    connection.create_function("rebased", 1, lambda text: text and rebased(text, moves), deterministic=True)
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}  # an older MLflow has fewer
    for table, column in (*LOCATIONS, ("runs", "source_name")):
        if table in tables:
            connection.execute(f"UPDATE {table} SET {column} = rebased({column}) WHERE {column} != rebased({column})")
    for table, key, value in _TAG_TABLES:
        if table in tables:
            chosen = f"{key} IN ({', '.join('?' * len(_TAGS))}) AND {value} != rebased({value})"
            connection.execute(f"UPDATE {table} SET {value} = rebased({value}) WHERE {chosen}", _TAGS)
    connection.execute("UPDATE modelops_folders SET root = ?, project = ?", (now.root, now.project))


def connect_file(path: Path) -> sqlite3.Connection:
    """Open a database that is there; where it cannot be written, SQLite opens it to be read."""
    address = f"{Path(os.path.abspath(path)).as_uri()}?mode=rw"
    return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


@contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Lend a connection inside a transaction that is committed at the end, whole or not at all."""
    try:
        with closing(connect_file(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise failure(error, path, RegistryDamaged) from error


def _recorded(connection: sqlite3.Connection) -> Folders | None:
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'modelops_folders'").fetchone()
    row = connection.execute("SELECT root, project FROM modelops_folders").fetchone() if there else None
    return None if row is None else Folders(*row)


def is_below(path: str, folder: str) -> bool:
    """Return whether a path is a folder or below it; both are absolute and without dots."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
