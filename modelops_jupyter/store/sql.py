"""The store on SQLite: write-ahead log, immediate transactions, the whole of each retried when busy."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Row, create_engine, delete, event, func, insert, literal, select, update
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import NullPool

from modelops_jupyter import clock
from modelops_jupyter.disk_space import LEAST_ROOM, check_room, room
from modelops_jupyter.errors import Conflict, StoreDamaged, WorkspaceReadOnly
from modelops_jupyter.store.audit import head, next_entry
from modelops_jupyter.store.failures import failure, is_busy
from modelops_jupyter.store.files import is_writable, trouble
from modelops_jupyter.store.records import AuditEntry, Change, Put, Record, checksum, written
from modelops_jupyter.store.schema import ensure_schema, locked, migrate
from modelops_jupyter.store.snapshots import copy_of
from modelops_jupyter.store.tables import AUDIT, IDEMPOTENCY, RECORDS

BUSY_SECONDS = 30.0
MOST_KEYS = 500  # of one query
_T = TypeVar("_T")
_NOTHING = literal("{}").label("body")
_READ = [column for column in RECORDS.c if column.name != "checksum"]


class SqlStore:
    """A store in one SQLite file."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self._path = path

    def commit(self, change: Change) -> AuditEntry | None:
        """See `Store.commit`."""
        check_room(self._path, _size(change))
        return self._attempt(lambda connection: _write(connection, change), durable=change.event is not None)

    def get(self, kind: str, key: str) -> Record | None:
        """See `Store.get`."""
        query = select(*_READ).where(RECORDS.c.kind == kind, RECORDS.c.key == key)
        row = self._read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else self._whole(row)

    def find(
        self,
        kind: str,
        subject: str | None = None,
        *,
        since: str | None = None,
        until: str | None = None,
        keys: Collection[str] | None = None,
        bodies: bool = True,
    ) -> tuple[Record, ...]:
        """See `Store.find`."""
        columns = [column if bodies or column is not RECORDS.c.body else _NOTHING for column in _READ]
        query = select(*columns).where(RECORDS.c.kind == kind).order_by(RECORDS.c.key)
        if subject is not None:
            query = query.where(RECORDS.c.subject == subject)
        if since is not None:
            query = query.where(RECORDS.c.key >= since)
        if until is not None:
            query = query.where(RECORDS.c.key < until)
        if keys is None:
            rows = self._read(lambda connection: connection.execute(query).all())
        else:
            chunks = [query.where(RECORDS.c.key.in_(chunk)) for chunk in _batches(keys)]
            rows = self._read(lambda connection: [row for part in chunks for row in connection.execute(part).all()])
        return tuple(self._whole(row) for row in rows)

    def audit(self, after: int = 0) -> tuple[AuditEntry, ...]:
        """See `Store.audit`."""
        query = select(AUDIT).where(AUDIT.c.sequence > after).order_by(AUDIT.c.sequence)
        rows = self._read(lambda connection: connection.execute(query).all())
        return tuple(_entry(row) for row in rows)

    def close(self) -> None:
        """See `Store.close`."""
        self._engine.dispose()

    def _whole(self, row: Row[Any]) -> Record:
        try:
            return _record(row)
        except (ValueError, TypeError) as error:  # no JSON, no time: SQLite does not notice overwritten bytes
            place = f"{self._path} holds a row that cannot be read ({row.kind} {row.key}: {error})"
            raise StoreDamaged(f"{place}: restore it from a backup.") from error

    def _read(self, work: Callable[[Connection], _T]) -> _T:
        try:
            with self._engine.connect() as connection:
                return work(connection)
        except DatabaseError as error:
            raise failure(error.orig, self._path, seconds=BUSY_SECONDS) from error

    def _attempt(self, work: Callable[[Connection], _T], *, durable: bool) -> _T:
        """Run `work` in an immediate transaction; a busy database means the whole of it again.

        A durable one is on the disk once it is acknowledged: what somebody did outlasts a power cut.
        """
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                with self._engine.begin() as connection:
                    if durable:
                        connection.exec_driver_sql("PRAGMA synchronous=FULL")
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                    return work(connection)
            except OperationalError as error:
                if not is_busy(error.orig) or time.monotonic() > deadline:
                    raise failure(error.orig, self._path, seconds=BUSY_SECONDS) from error
                time.sleep(random.uniform(0.005, 0.05))
            except DatabaseError as error:
                raise failure(error.orig, self._path, seconds=BUSY_SECONDS) from error


def open_store(path: Path, lock_path: Path, *, create: bool = True, keeps: Sequence[Path] = ()) -> SqlStore:
    """Open the store at `path`, creating or migrating it under the lock where `create` allows.

    Parameters
    ----------
    keeps
        Folders of which the store keeps record: where one is there, the store must be there too.

    Raises
    ------
    StoreDamaged
        If the file is no whole database, or `create` is False and there is none.
    StoreTooNew
        If a newer release has migrated it.
    WorkspaceReadOnly
        If its folder cannot be made or written.
    StoreBusy
        If another process holds the lock or the database too long.
    """
    if not path.exists():
        if not create:
            raise StoreDamaged(
                f"{path} is not there: run `modelops init`, or open the folder that holds the workspace."
            )
        held = next((str(folder) for folder in keeps if folder.exists()), None)
        if held is not None:
            raise StoreDamaged(f"{path} is gone, but {held} is there, which it keeps record of: restore the database.")
        _create(path, lock_path)
    reason = trouble(path)
    if reason is not None:
        raise StoreDamaged(f"{path} {reason}: restore it from a backup, or remove it if nothing was on record yet.")
    engine = _engine(path, "rw")  # never makes a file: an empty one would hide that the real one is gone
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            ensure_schema(engine, path, lock_path)
            return SqlStore(engine, path)
        except DatabaseError as error:
            if not is_busy(error.orig) or time.monotonic() > deadline:
                raise failure(error.orig, path, seconds=BUSY_SECONDS) from error
            time.sleep(random.uniform(0.01, 0.1))


def store_at(path: Path) -> SqlStore:
    """Return the store in a file that is known to be one of the newest schema."""
    return SqlStore(_engine(path, "rw"), path)


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection to a store's file, as the store itself opens it."""
    return _connection(path, "rw", BUSY_SECONDS)


def _create(path: Path, lock_path: Path) -> None:
    """Make the database, whole or not at all: a process that is killed leaves nothing that looks like one."""
    check_room(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise WorkspaceReadOnly(
            f"{path.parent} cannot be made ({reason}): free that path, make it writable, or open another workspace."
        ) from error
    with locked(lock_path):
        if path.exists():
            return
        fresh = path.with_name(f"{path.name}.new")
        for suffix in ("", "-wal", "-shm", "-journal"):
            fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
        try:
            migrate(_engine(fresh, "rwc"))
        except DatabaseError as error:
            raise failure(error.orig, path, seconds=BUSY_SECONDS) from error
        fresh.rename(path)


def _engine(path: Path, mode: str) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=lambda: _connection(path, mode),
        poolclass=NullPool,
    )
    event.listen(engine, "connect", _prepare)
    return engine


def _connection(path: Path, mode: str, seconds: float = 1.0) -> sqlite3.Connection:
    """Open a file, as far as its folder and its disk allow.

    A write-ahead log takes files beside the database. Where there can be none, SQLite reads a database only if it is
    told that it does not change, which is so while there is no log: changes go there first.
    """
    if mode == "rw" and not is_writable(path):
        log, index = (path.with_name(f"{path.name}-{what}") for what in ("wal", "shm"))
        if _holds_bytes(log) and not index.exists():  # and no index of the log can be made
            with suppress(FileNotFoundError):  # its last writer has just taken the log away
                return _connect(copy_of(path), "rw", seconds, query_only=True)
        mode = "ro" if _holds_bytes(log) else "ro&immutable=1"
    elif mode == "rw" and room(path) < LEAST_ROOM:
        has_log = _holds_bytes(path.with_name(f"{path.name}-wal"))
        if has_log and (alone := _alone(path, seconds)) is not None:
            return alone
        mode = "ro" if has_log else "ro&immutable=1"
    return _connect(path, mode, seconds)


def _alone(path: Path, seconds: float) -> sqlite3.Connection | None:
    """Open a file whose log's index, which SQLite begins anew, has no room on the disk: it is in memory then.

    That goes while nobody else is there; else there is an index, and None is returned.
    """
    connection = _connect(path, "rw", seconds)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError as error:
        connection.close()
        if is_busy(error):
            return None
        raise
    return connection


def _connect(path: Path, mode: str, seconds: float, *, query_only: bool = False) -> sqlite3.Connection:
    # Of an address SQLAlchemy would read part of some paths as something else: those with #, ? or %20.
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"
    connection = sqlite3.connect(address, timeout=seconds, check_same_thread=False, uri=True, isolation_level=None)
    if query_only:
        connection.execute("PRAGMA query_only=ON")
    return connection


def _holds_bytes(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:  # whoever closes last takes it away
        return False


def _prepare(connection: sqlite3.Connection, _: Any) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _size(change: Change) -> int:
    """Return how many bytes a change may take: in the log and, once that is copied there, in the database."""
    return sum(2 * len(written(put.body)) for put in change.puts)


def _write(connection: Connection, change: Change) -> AuditEntry | None:
    if change.idempotency_key is not None:
        query = select(IDEMPOTENCY.c.sequence).where(IDEMPOTENCY.c.key == change.idempotency_key)
        if (first := connection.execute(query).one_or_none()) is not None:
            row = connection.execute(select(AUDIT).where(AUDIT.c.sequence == first.sequence)).one_or_none()
            return None if row is None else _entry(row)
    # Under the lock: whoever commits later has a later number.
    at, number = clock.now(), 1 + (connection.execute(select(func.max(RECORDS.c.commit_number))).scalar() or 0)
    put = [_put(connection, put, at, number) for put in change.puts]
    entry = None
    if change.event is not None:
        last = connection.execute(select(AUDIT).order_by(AUDIT.c.sequence.desc()).limit(1)).one_or_none()
        entry = next_entry(change.event, at, None if last is None else _entry(last), put)
        connection.execute(insert(AUDIT).values(tuple(vars(entry).values())))
    for told in (*change.messages(at, entry), *(() if entry is None else (head(entry),))):
        _put(connection, told, at, number)
    for gone in change.deletes:
        connection.execute(delete(RECORDS).where(RECORDS.c.kind == gone.kind, RECORDS.c.key == gone.key))
    if change.idempotency_key is not None:
        sequence = None if entry is None else entry.sequence
        connection.execute(insert(IDEMPOTENCY).values(key=change.idempotency_key, sequence=sequence))
    return entry


def _put(connection: Connection, put: Put, at: datetime, number: int) -> Record:
    where = (RECORDS.c.kind == put.kind) & (RECORDS.c.key == put.key)
    current = connection.execute(select(RECORDS.c.revision).where(where)).scalar() or 0
    if put.expected_revision not in (None, current):
        raise Conflict(
            f"{put.kind} {put.key!r} was changed by somebody else meanwhile (revision {current}, expected "
            f"{put.expected_revision}): look at it again, then repeat."
        )
    values: dict[str, Any] = {
        "subject": put.subject,
        "revision": current + 1,
        "body": written(put.body),
        "updated_at": at.isoformat(),
        "commit_number": number,
    }
    values["checksum"] = checksum(put.kind, put.key, **values)
    if current:
        connection.execute(update(RECORDS).where(where).values(**values))
    else:
        connection.execute(insert(RECORDS).values(kind=put.kind, key=put.key, **values))
    return Record(put.kind, put.key, put.subject, current + 1, put.body, at, number)


def _record(row: Row[Any]) -> Record:
    at = datetime.fromisoformat(row.updated_at)
    return Record(row.kind, row.key, row.subject, row.revision, json.loads(row.body), at, row.commit_number)


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(*tuple(row))


def _batches(keys: Collection[str]) -> Iterator[list[str]]:
    """Yield keys in order, a query's worth at a time."""
    ordered = sorted({*keys})
    for start in range(0, len(ordered), MOST_KEYS):
        yield ordered[start : start + MOST_KEYS]
