"""Creating and migrating the store's database: one process at a time, under a file lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, inspect, text

from modelops_jupyter.disk_space import is_full, no_room
from modelops_jupyter.errors import StoreBusy, StoreDamaged, StoreTooNew, WorkspaceReadOnly

REVISIONS = ("0001", "0002", "0003", "0004", "0005")  # oldest first; known without importing Alembic
HEAD = REVISIONS[-1]
LOCK_SECONDS = 60.0


def ensure_schema(engine: Engine, path: Path, lock_path: Path) -> None:
    """Bring the database at `path` to the newest schema; cheap when it is there already.

    Raises
    ------
    StoreBusy
        If another process holds the lock for a minute.
    StoreTooNew
        If a newer release has migrated it to a schema that this one does not know.
    StoreDamaged
        If it is a database of something else.
    """
    if _at_head(engine, path):
        return
    with locked(lock_path):
        if not _at_head(engine, path):
            migrate(engine)


@contextmanager
def locked(lock_path: Path) -> Iterator[None]:
    """Hold the lock under which databases are created or migrated.

    Raises
    ------
    StoreBusy
        If another process holds it for a minute.
    WorkspaceReadOnly
        If there can be no lock in that folder.
    """
    lock = FileLock(lock_path, timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout:
        raise StoreBusy(
            f"Another process has been creating {lock_path.parent} for {LOCK_SECONDS:.0f} s: try again when it is done."
        ) from None
    except OSError as error:
        if is_full(error):
            raise no_room(lock_path) from error
        raise WorkspaceReadOnly(
            f"{lock_path.parent} cannot be written ({error.strerror}): make it writable, or open another workspace."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _at_head(engine: Engine, path: Path) -> bool:
    with engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        if "alembic_version" not in tables:
            if tables:
                raise StoreDamaged(f"{path} is a database of something else: restore it from a backup.")
            return False
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found not in REVISIONS:
        raise StoreTooNew(
            f"{path} has schema {found}, which a newer modelops-jupyter wrote; this one knows schemas up to {HEAD}: "
            "upgrade with `pip install --upgrade modelops-jupyter`."
        )
    return found == HEAD


# What making or migrating a database imports, and a store that is up to date never needs.
LATER = ("alembic.command", "alembic.config")


def migrate(engine: Engine) -> None:
    """Bring the database to the newest schema; the caller holds the lock."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as connection:
        _use_wal(connection)
    with engine.begin() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # all revisions or none: the driver itself begins nothing
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _use_wal(connection: Connection) -> None:
    raw = connection.connection.dbapi_connection
    if raw is not None:
        raw.rollback()
        raw.execute("PRAGMA journal_mode=WAL")
