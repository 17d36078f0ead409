"""Whatever is edited of what a decision reads, the gate is closed and says which entry no longer fits."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from test_clocks import register

from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import GateClosed
from modelops_jupyter.governance import Policy, Rule, approve, gate, promote, reject, rollback
from modelops_jupyter.store import SqlStore, open_store, verify, vouch

ANN, BOB = Actor("ann"), Actor("bob")
POLICY = Policy("p", "d", {"champion": Rule(approvals=1)})
KINDS = ("alias", "decision", "decisions", "transition", "version")
EDITS = {
    "subject": "UPDATE records SET subject = 'other' WHERE rowid = ?",
    "kind": "UPDATE records SET kind = 'hidden' WHERE rowid = ?",
    "key": "UPDATE records SET key = key || 'x' WHERE rowid = ?",
    "revision": "UPDATE records SET revision = revision + 1 WHERE rowid = ?",
    "order": "UPDATE records SET commit_number = 0 WHERE rowid = ?",
    "time": "UPDATE records SET updated_at = '2099-01-01T00:00:00+00:00' WHERE rowid = ?",
    "body": "UPDATE records SET body = json_set(body, '$.reason', 'edited') WHERE rowid = ?",
    "deleted": "DELETE FROM records WHERE rowid = ?",
}


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    """Return a store in which m/1 and m/2 served, and m/3 was approved and rejected; beside it, another model."""
    store = open_store(tmp_path / "s.db", tmp_path / "s.lock")
    for number in (1, 2, 3):
        body = register(store, number)
        approve(store, POLICY, body, "ok", BOB)
        if number < 3:
            promote(store, POLICY, body, "champion", "x", ANN)
    reject(store, POLICY, body, "found a leak", BOB)
    approve(store, POLICY, register(store, 4), "ok", BOB)
    return store


def edit(store: SqlStore, path: Path, kind: str, statement: str) -> int:
    """Edit the first and the last record of a kind in turn, and put each back. The gate is closed by each."""
    with closing(sqlite3.connect(path)) as connection:
        rows = [row[0] for row in connection.execute("SELECT rowid FROM records WHERE kind = ?", (kind,))]
        for row in {rows[0], rows[-1]}:
            before = connection.execute("SELECT rowid, * FROM records WHERE rowid = ?", (row,)).fetchone()
            with connection:
                connection.execute(statement, (row,))
            closed(store)
            with connection:
                connection.execute("DELETE FROM records WHERE rowid = ?", (row,))
                places = ", ".join("?" * (len(before) - 1))
                connection.execute(f"INSERT INTO records VALUES ({places})", before[1:])
    return len(rows)


def closed(store: SqlStore) -> None:
    found = verify(store)
    assert not found.ok
    assert not vouch(store, "m").ok
    for number in (3, 4):
        record = store.get("version", f"m/{number:06d}")
        if record is not None and store.get("version", "m/000002") is not None:  # the champion
            report = gate(store, POLICY, record.body, "champion")
            assert not report.passed
            assert f"edited behind the audit chain (entry {found.first_bad}: " in report.checks[-1].message
    with pytest.raises(GateClosed, match="edited behind the audit chain"):
        rollback(store, POLICY, "m", "champion", "x", ANN, check_can_serve=dict)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("statement", EDITS.values(), ids=EDITS)
def test_an_edit_of_anything_that_decides_closes_the_gate(
    store: SqlStore, tmp_path: Path, kind: str, statement: str
) -> None:
    assert gate(store, POLICY, store.get("version", "m/000004").body, "champion").passed  # type: ignore[union-attr]
    assert edit(store, tmp_path / "s.db", kind, statement)
    assert verify(store).ok  # all was put back


def test_another_models_trouble_closes_no_gate(store: SqlStore, tmp_path: Path) -> None:
    """Records of one model are vouched for apart from others'; an entry that does not fit concerns all."""
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection, connection:
        connection.execute("UPDATE records SET subject = 'n' WHERE kind = 'decision' AND key LIKE 'm/000003/%'")
    assert vouch(store, "elsewhere").ok
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection, connection:
        connection.execute("UPDATE audit SET actor = 'eve' WHERE sequence = 2")
    assert not vouch(store, "elsewhere").ok
