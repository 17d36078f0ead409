"""Whatever is changed behind the store's back, in the chain or in what it speaks of, is named."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.errors import InvalidInput, NotFound, StoreDamaged
from modelops_jupyter.store import Change, Event, Put, SqlStore, head_of, open_store, read_head, verify
from modelops_jupyter.store.audit import _canonical_json


def decide(store: SqlStore, number: int, word: str) -> None:
    event = Event(word, "m/1", "ann", "self-asserted", {"n": number})
    put = Put("decision", f"m/000001/{number}", {"decision": word, "n": number}, subject="m")
    store.commit(Change(puts=(put,), event=event, outbox=({"topic": word},)))


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    """Return a store with a version, five decisions on it, and a champion that was moved once."""
    store = open_store(tmp_path / "s.db", tmp_path / "s.lock")
    version = Put("version", "m/000001", {"version": 1, "metrics": {"roc_auc": 0.5}}, subject="m")
    store.commit(Change(puts=(version,), event=Event("register", "m/1", "ann", "self-asserted")))
    for number in range(5):
        decide(store, number, "reject")
    for to in (1, 2):
        moved = Put("alias", "m@champion", {"version": to}, subject="m", expected_revision=to - 1)
        store.commit(Change(puts=(moved,), event=Event("promote", f"m/{to}", "ann", "self-asserted")))
    store.commit(Change(puts=(Put("window", "m/1", {}),)))  # what the chain does not speak of
    return store


def test_what_nobody_touched_is_whole(store: SqlStore) -> None:
    assert verify(store).ok
    assert verify(store).entries == 8


CASES = [
    ("DELETE FROM audit WHERE sequence = 8", 8),
    ("DELETE FROM audit WHERE sequence > 5", 6),
    ("DELETE FROM audit", 1),
    ("DELETE FROM records WHERE kind = 'audit'", 8),
    ("UPDATE audit SET details = 'oops' WHERE sequence = 2", 2),
    ("UPDATE audit SET details = '[3' WHERE sequence = 8", 8),
    ("UPDATE audit SET details = '3' WHERE sequence = 3", 3),
    ("UPDATE audit SET details = '{\"n\":NaN}' WHERE sequence = 3", 3),
    ("UPDATE audit SET details = '{\"n\":7,' || substr(details, 2) WHERE sequence = 3", 3),
    ("UPDATE audit SET details = x'ff' WHERE sequence = 3", 3),
    ("UPDATE audit SET at = 'yesterday' WHERE sequence = 4", 4),
    ("UPDATE audit SET actor = x'ff' WHERE sequence = 4", 4),
    ("UPDATE audit SET facts = '{}' WHERE sequence = 4", 4),
    ("UPDATE audit SET facts = 'oops' WHERE sequence = 4", 4),
    ("UPDATE records SET body = replace(body, 'reject', 'approve') WHERE key = 'm/000001/4'", 6),
    ("UPDATE records SET body = replace(body, '0.5', '0.9') WHERE kind = 'version'", 1),
    ("UPDATE records SET body = replace(body, '2', '1') WHERE kind = 'alias'", 8),
    ("DELETE FROM records WHERE key = 'm/000001/2'", 4),
    ("UPDATE records SET subject = 'hidden' WHERE key = 'm/000001/2'", 4),
    ("UPDATE records SET revision = 7 WHERE key = 'm/000001/3'", 5),
    ("UPDATE records SET updated_at = '2099-01-01T00:00:00+00:00' WHERE key = 'm/000001/0'", 2),
    ("UPDATE records SET commit_number = 99 WHERE key = 'm/000001/0'", 2),
    ("UPDATE records SET kind = 'other' WHERE key = 'm/000001/2'", 4),
    (
        "INSERT INTO records SELECT kind, 'm/000001/9', subject, 1, body, updated_at, checksum, 99 FROM records "
        "WHERE kind = 'alias'",
        9,
    ),
]


@pytest.mark.parametrize(("statement", "first_bad"), CASES, ids=[statement[:70] for statement, _ in CASES])
def test_what_is_changed_behind_the_store_is_named(
    store: SqlStore, tmp_path: Path, statement: str, first_bad: int
) -> None:
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection, connection:
        assert connection.execute(statement).rowcount > 0
    found = verify(store)
    assert (found.ok, found.first_bad) == (False, first_bad), found
    assert f"entry {first_bad}" in str(found)


def test_a_chain_that_was_written_anew_or_restored_is_named_by_a_head_from_before(
    store: SqlStore, tmp_path: Path
) -> None:
    """Whoever may write the file can write a whole chain: only what was kept elsewhere tells."""
    shutil.copy(tmp_path / "s.db", tmp_path / "yesterday.db")
    yesterday = open_store(tmp_path / "yesterday.db", tmp_path / "y.lock")
    decide(store, 5, "reject")
    head = head_of(store)
    assert (head.sequence, verify(store, head).ok) == (9, True)
    decide(store, 6, "approve")
    assert verify(store, head).ok  # it leads on from there
    assert (verify(yesterday).ok, verify(yesterday, head).first_bad) == (True, 9)
    assert "restored or cut" in str(verify(yesterday, head))
    for number in (5, 6):
        decide(yesterday, number, "approve")
    forged = verify(yesterday, head)
    assert (verify(yesterday).ok, forged.ok, forged.first_bad) == (True, False, 9)
    assert "written anew" in str(forged)


def test_a_head_is_read_as_it_was_exported(store: SqlStore, tmp_path: Path) -> None:
    head, file = head_of(store), tmp_path / "head.json"
    message = {"type": "promote", "data": {"audit": {"sequence": head.sequence, "hash": head.hash}}}
    for body in (head.to_dict(), message):
        file.write_text(json.dumps(body))
        assert verify(store, read_head(file)).ok
        assert read_head(file).hash == head.hash


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"sequence": true, "hash": "0"}', '{"sequence": 1, "hash": "é"}', "3"]
)
def test_what_is_no_head_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "head.json").write_text(text)
    with pytest.raises(InvalidInput, match=r"head\.json holds no exported head"):
        read_head(tmp_path / "head.json")
    with pytest.raises(NotFound, match=r"audit-head --json > nowhere\.json"):
        read_head(tmp_path / "nowhere.json")


NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_canonical_json_is_what_the_standard_says(body: dict[str, object]) -> None:
    assert _canonical_json(body) == rfc8785.dumps(body)  # type: ignore[arg-type]


def test_an_entry_that_cannot_be_read_is_named_to_who_reads_it(store: SqlStore, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection, connection:
        connection.execute("UPDATE audit SET details = 'oops' WHERE sequence = 2")
    with pytest.raises(StoreDamaged, match=r"[Ee]ntry 2 .*verify-audit"):
        print([entry.details for entry in store.audit()])


def test_a_forged_entry_at_the_end_is_named(store: SqlStore, tmp_path: Path) -> None:
    other = open_store(tmp_path / "other.db", tmp_path / "other.lock")
    with closing(sqlite3.connect(tmp_path / "s.db")) as here, closing(sqlite3.connect(tmp_path / "other.db")) as there:
        with there:
            there.executemany(
                "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                here.execute("SELECT * FROM audit").fetchall(),
            )
        decide(other, 9, "approve")
        rows = there.execute("SELECT * FROM audit WHERE sequence = 9").fetchall()
        with here:
            here.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    assert verify(store).first_bad == 9


def test_messages_carry_the_place_they_have_in_the_chain(store: SqlStore) -> None:
    told = store.find("outbox")[-1].body["audit"]
    entry = store.audit()[5]
    assert told == {"sequence": 6, "hash": entry.hash}


def test_who_writes_meanwhile_is_not_taken_for_a_forger(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    find, numbers = store.find, iter(range(10, 13))

    def find_and_write(kind: str, *args: str) -> object:
        for number in numbers:
            decide(store, number, "approve")
            break
        return find(kind, *args)

    monkeypatch.setattr(store, "find", find_and_write)
    assert verify(store).ok
