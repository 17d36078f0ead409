"""A private copy of a database is one moment of it, is made while others write, and never waits for ever."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from modelops_jupyter.errors import StoreBusy
from modelops_jupyter.store import snapshots


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a database with a log; where it was copied before is forgotten."""
    monkeypatch.setattr(snapshots, "_copies", {})
    yield tmp_path / "a.db"
    for folder in snapshots._copies.values():
        folder.cleanup()


def opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("CREATE TABLE IF NOT EXISTS t (x INTEGER PRIMARY KEY, y)")
    return connection


def write_at_each_copy(monkeypatch: pytest.MonkeyPatch, connection: sqlite3.Connection, *more: str) -> list[str]:
    """Write a row after each file that is copied; return the list of files that are copied."""
    usual, copied = shutil.copyfile, []

    def copy(source: Path, target: Path) -> None:
        usual(source, target)
        copied.append(source.name)
        connection.execute("INSERT INTO t (y) VALUES (zeroblob(9000))")
        for statement in more:
            connection.execute(statement)

    monkeypatch.setattr(shutil, "copyfile", copy)
    return copied


def rows(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [row[0] for row in connection.execute("SELECT x FROM t ORDER BY x")]


def test_a_copy_is_made_while_somebody_writes(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(opened(database)) as connection:
        connection.execute("INSERT INTO t (y) VALUES (1)")
        write_at_each_copy(monkeypatch, connection)
        first = rows(snapshots.copy_of(database))
        assert first[:1] == [1]
        assert first == list(range(1, len(first) + 1))
        assert len(rows(snapshots.copy_of(database))) > len(first)


@pytest.mark.parametrize("checkpoint", ["PASSIVE", "RESTART"])
def test_a_database_that_never_rests_is_busy(database: Path, checkpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(opened(database)) as connection:
        connection.execute("INSERT INTO t (y) VALUES (1)")
        copied = write_at_each_copy(monkeypatch, connection, f"PRAGMA wal_checkpoint({checkpoint})")
        with pytest.raises(StoreBusy, match="try again"):
            snapshots.copy_of(database)
        assert 2 <= len(copied) <= 2 * snapshots._LOOKS


def test_a_log_that_goes_meanwhile_is_left_to_the_caller(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection, usual = opened(database), shutil.copyfile

    def copy(source: Path, target: Path) -> None:
        usual(source, target)
        connection.close()

    monkeypatch.setattr(shutil, "copyfile", copy)
    with pytest.raises(FileNotFoundError):
        snapshots.copy_of(database)
    assert not snapshots._copies
