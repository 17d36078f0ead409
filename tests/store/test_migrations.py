"""A migration that is killed at any statement leaves the database as it was, and the next opening migrates it."""

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config

from modelops_jupyter import store as package
from modelops_jupyter.clock import Moment
from modelops_jupyter.errors import StoreDamaged
from modelops_jupyter.store import AuditEntry, AuditVerification, audit, open_store, schema, sql, store_problems, verify
from modelops_jupyter.store.records import written

STORE = Path(package.__file__).parent
# Migrates a copy of the database again and again, each time killed one statement later, until one comes to its end.
PROGRAM = """
import os, shutil, sys
from itertools import count
from pathlib import Path
from sqlalchemy import Engine, event
from modelops_jupyter.store import open_store, schema
import alembic.command

folder = Path(sys.argv[1])
for stop in count(1):
    path = folder / f"{stop}.db"
    shutil.copy(folder / "old.db", path)
    child = os.fork()
    if child == 0:
        seen = count(1)
        statements = lambda *_: os._exit(9) if next(seen) == stop else None
        migrate = schema.migrate
        def watched(engine):
            event.listen(engine, "after_cursor_execute", statements)
            migrate(engine)
        schema.migrate = watched
        open_store(path, folder / f"{stop}.lock").close()
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 9:
        break
print(stop)
sys.exit(status)
"""


def waiting(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT body FROM records WHERE kind = 'outbox'")]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Return a database of the first schema with a message that waits."""
    path = tmp_path / "old.db"
    engine = sql._engine(path, "rwc")
    config = Config()
    config.set_main_option("script_location", str(STORE / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, schema.REVISIONS[0])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO outbox (created_at, body) VALUES ('2026-01-01', '{\"topic\":\"promote\"}')")
        connection.execute(
            "INSERT INTO records VALUES ('version', 'm/000001', 'm', 1, '{}', '2026-01-01T00:00:00+00:00')"
        )
        connection.execute(
            "INSERT INTO audit VALUES (1, '2026-01-01T00:00:00+00:00', 'register', 'm/1', 'ann', 'self-asserted', "
            '\'{"flavor":"onnx"}\', ?, ?)',
            ("0" * 64, "52abf43b10de031f36f325d6b7ba81f528c63b9c25a73d6e46187e261ab10dc8"),
        )
    return path


def test_a_migration_killed_at_any_statement_is_done_at_the_next_opening(old: Path, tmp_path: Path) -> None:
    program = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    kills = int(done.stdout)
    assert kills > 5
    for stop in range(1, kills + 1):
        store = open_store(tmp_path / f"{stop}.db", tmp_path / f"{stop}.lock")
        assert verify(store) == AuditVerification(True, 2)
        store.close()
        assert waiting(tmp_path / f"{stop}.db") == ['{"topic":"promote"}'], f"killed after statement {stop}"


@pytest.mark.parametrize("edited", [False, True])
def test_what_was_edited_before_a_migration_is_still_found_after_it(old: Path, tmp_path: Path, edited: bool) -> None:
    body = '{"metrics":{"roc_auc":0.6}}'
    with closing(sqlite3.connect(old)) as connection, connection:
        last = connection.execute("SELECT hash FROM audit").fetchone()[0]
        facts = written({"version m/000002": hashlib.sha256(body.encode()).hexdigest()})
        at = "2026-01-02T00:00:00+00:00"
        entry = AuditEntry(2, at, "register", "m/2", "ann", "self-asserted", "{}", last, "", facts)
        entry = replace(entry, hash=audit._hash(entry))
        connection.execute("ALTER TABLE audit ADD COLUMN facts TEXT NOT NULL DEFAULT '{}'")
        connection.execute(f"INSERT INTO audit VALUES ({', '.join('?' * 10)})", [*vars(entry).values()])
        kept = body.replace("0.6", "0.9") if edited else body
        connection.execute("INSERT INTO records VALUES ('version', 'm/000002', 'm', 1, ?, ?)", (kept, at))
        head = written({"sequence": 2, "hash": entry.hash})
        connection.execute("INSERT INTO records VALUES ('audit', 'head', '', 1, ?, ?)", (head, at))
        connection.execute("UPDATE alembic_version SET version_num = '0003'")
    found = verify(open_store(old, tmp_path / "old.lock"))
    assert found.ok is not edited
    if edited:
        assert (found.first_bad, found.reason) == (2, "version m/000002 is not what it put on record.")


def test_bodies_of_an_earlier_release_are_remade(old: Path, tmp_path: Path) -> None:
    """By a clock that went back between two decisions: the entries' order is what is kept."""
    noon, later = "2026-01-01T12:00:00+00:00", "2026-01-01T13:00:00+00:00"
    bodies = {
        ("incident", "m:1"): {"history": [{"at": noon, "event": "opened"}, {"at": later, "event": "grew"}]},
        ("incident_act", "a"): {"incident": "m:1", "act": "resolve", "at": "2026-01-01T12:30:00+00:00"},
        ("heartbeat", "m/1D"): {"first_at": noon, "ran_at": None, "tried_at": later, "interval": 60.0},
        ("lease", "nightly"): {"run_id": "r", "until": noon},
        ("delivery", "ops/1"): {"state": "waiting", "attempts": 1, "until": noon},
        ("decision", "m/000001/x"): {"decision": "approve"},
    }
    with closing(sqlite3.connect(old)) as connection, connection:
        rows = [(kind, key, "m", 1, json.dumps(body), noon) for (kind, key), body in bodies.items()]
        connection.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)", rows)
    store = open_store(old, tmp_path / "old.lock")

    def body(kind: str, key: str) -> Mapping[str, Any]:
        return store.get(kind, key).body  # type: ignore[union-attr]

    assert body("incident_act", "a")["seen"] == 1
    first, ran = body("heartbeat", "m/1D")["first"], body("heartbeat", "m/1D")["ran"]
    assert (Moment.of(first).at.isoformat(), ran) == (noon, None)
    assert Moment.of(body("lease", "nightly")["heard"]).boot is None
    assert body("delivery", "ops/1") == {"state": "waiting", "attempts": 1, "pause": None}
    assert body("decision", "m/000001/x")["policy_digest"] == ""
    numbers = [record.commit_number for kind, _ in bodies for record in store.find(kind)]
    assert len({*numbers}) == len(bodies)
    assert verify(store).ok
    assert store_problems(old)[0] == []


def test_a_migration_that_fails_changes_nothing(old: Path, tmp_path: Path) -> None:
    shutil.copy(old, tmp_path / "s.db")
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection, connection:
        connection.execute("UPDATE outbox SET body = 'no JSON'")
    with pytest.raises(StoreDamaged):
        open_store(tmp_path / "s.db", tmp_path / "s.lock")
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
        assert connection.execute("SELECT kind FROM records").fetchall() == [("version",)]
