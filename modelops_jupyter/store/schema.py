"""Creating and migrating the store's database: one process at a time, under a file lock."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, inspect, text

from modelops_jupyter.errors import StoreBusy

HEAD = "0001"
LOCK_SECONDS = 60.0


def ensure_schema(engine: Engine, lock_path: Path) -> None:
    """Bring the database to the newest schema; cheap when it is there already.

    Raises
    ------
    StoreBusy
        If another process holds the lock for a minute.
    """
    if _at_head(engine):
        return
    try:
        with FileLock(lock_path, timeout=LOCK_SECONDS):
            if not _at_head(engine):
                _migrate(engine)
    except Timeout:
        raise StoreBusy(
            f"Another process has been creating {lock_path.parent} for {LOCK_SECONDS:.0f} s: try again when it is done."
        ) from None


def _at_head(engine: Engine) -> bool:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD


def _migrate(engine: Engine) -> None:
    # Imported here: a store that is up to date never needs Alembic.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as connection:
        _use_wal(connection)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _use_wal(connection: Connection) -> None:
    raw = connection.connection.dbapi_connection
    if raw is not None:
        raw.rollback()
        raw.execute("PRAGMA journal_mode=WAL")
