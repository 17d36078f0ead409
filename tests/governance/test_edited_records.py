"""Whatever is edited of what a decision reads, the gate is closed and says which entry no longer fits."""

import shutil
import sqlite3
import threading
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from test_clocks import register

from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import GateClosed
from modelops_jupyter.governance import Policy, Rule, approve, gate, promote, reject, rollback
from modelops_jupyter.store import Change, Event, SqlStore, Vouching, open_store, verify, vouch

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


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a store in which m/1 and m/2 served, and m/3 was approved and rejected, and m/4 approved."""
    folder = tmp_path_factory.mktemp("written")
    store = open_store(folder / "s.db", folder / "s.lock")
    for number in (1, 2, 3):
        body = register(store, number)
        approve(store, POLICY, body, "ok", BOB)
        if number < 3:
            promote(store, POLICY, body, "champion", "x", ANN)
    reject(store, POLICY, body, "found a leak", BOB)
    approve(store, POLICY, register(store, 4), "ok", BOB)
    store.close()
    return folder / "s.db"


@pytest.fixture
def store(tmp_path: Path, written: Path) -> SqlStore:
    shutil.copy(written, tmp_path / "s.db")
    return open_store(tmp_path / "s.db", tmp_path / "s.lock")


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
    record = store.get("version", "m/000004")
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


@pytest.mark.parametrize("kind", ["alias", "version"])
@pytest.mark.parametrize("subject", ["m", "elsewhere", ""])
def test_a_record_that_somebody_planted_closes_the_gate_whomever_it_says_it_is_about(
    store: SqlStore, tmp_path: Path, kind: str, subject: str
) -> None:
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection, connection:
        row = list(
            connection.execute("SELECT * FROM records WHERE kind = ? AND key LIKE 'm%' LIMIT 1", (kind,)).fetchone()
        )
        names = [column[1] for column in connection.execute("PRAGMA table_info(records)")]
        row[names.index("key")] = "m/000009" if kind == "version" else "m@canary"
        row[names.index("subject")] = subject
        connection.execute(f"INSERT INTO records VALUES ({', '.join('?' * len(row))})", row)
    closed(store)


def test_whoever_writes_meanwhile_closes_no_gate(store: SqlStore, tmp_path: Path) -> None:
    """Registrations, decisions and rounds of the monitor, as fast as they can be written, while the chain is read."""
    other = open_store(tmp_path / "s.db", tmp_path / "s.lock")
    ended, answers = threading.Event(), []

    def write() -> None:
        for number in count(1):
            if ended.is_set():
                return
            other.commit(Change(event=Event("monitor", "m", "cron", "self-asserted", {})))
            body = register(other, number, model="n")
            approve(other, POLICY, body, "ok", BOB)
            approve(other, POLICY, other.get("version", "m/000004").body, f"still {number}", ANN)  # type: ignore[union-attr]

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(10):
            answers += [verify(store), vouch(store, "m"), vouch(store, "n"), Vouching(store).of("m")]
    finally:
        ended.set()
        writer.join()
    assert [str(answer) for answer in answers if not answer.ok] == []
    assert answers[-1].entries > answers[0].entries + 10


def test_another_models_trouble_closes_no_gate(store: SqlStore, tmp_path: Path) -> None:
    """Records of one model are vouched for apart from others'; an entry that does not fit concerns all."""
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection, connection:
        connection.execute("UPDATE records SET subject = 'n' WHERE kind = 'decision' AND key LIKE 'm/000003/%'")
    assert vouch(store, "elsewhere").ok
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection, connection:
        connection.execute("UPDATE audit SET actor = 'eve' WHERE sequence = 2")
    assert not vouch(store, "elsewhere").ok
