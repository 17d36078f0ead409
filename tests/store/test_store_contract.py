"""What every store must do, on SQLite and in memory."""

import json
import multiprocessing
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelops_jupyter.errors import Conflict, StoreBusy, StoreDamaged
from modelops_jupyter.store import Change, Delete, Event, InMemoryStore, Put, Store, open_store, sql, verify_chain


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "s.db", tmp_path / "s.lock") if request.param == "sqlite" else InMemoryStore()
    yield opened
    opened.close()


def act(name: str, **details: object) -> Event:
    return Event(name, "m/1", "ann", "self-asserted", details)


def test_what_is_put_is_found_in_order(store: Store) -> None:
    store.commit(Change(puts=(Put("k", "b", {"x": 2}, subject="m"), Put("k", "a", {"x": 1}), Put("j", "a", {}))))
    assert [(r.key, r.body, r.revision) for r in store.find("k")] == [("a", {"x": 1}, 1), ("b", {"x": 2}, 1)]
    assert [r.key for r in store.find("k", "m")] == ["b"]
    assert [(r.key, r.body, r.revision) for r in store.find("k", bodies=False)] == [("a", {}, 1), ("b", {}, 1)]
    assert store.get("k", "c") is None
    store.commit(Change(deletes=(Delete("k", "a"),)))
    assert store.get("k", "a") is None


def test_only_the_facts_of_some_keys_are_returned(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "MOST_KEYS", 2)
    store.commit(Change(puts=tuple(Put("k", key, {"x": key}, subject=key) for key in "dbace")))
    assert [r.key for r in store.find("k", keys=["e", "a", "nowhere", "c", "a"])] == ["a", "c", "e"]
    assert [r.body for r in store.find("k", "b", keys=["a", "b"])] == [{"x": "b"}]
    assert store.find("k", keys=[]) == store.find("j", keys=["a"]) == ()


def test_an_unexpected_revision_is_a_conflict_and_writes_nothing(store: Store) -> None:
    store.commit(Change(puts=(Put("k", "a", {"x": 1}, expected_revision=0),)))
    with pytest.raises(Conflict):
        store.commit(Change(puts=(Put("k", "new", {}), Put("k", "a", {"x": 2}, expected_revision=0)), event=act("no")))
    assert store.get("k", "new") is None
    assert store.audit() == ()
    store.commit(Change(puts=(Put("k", "a", {"x": 2}, expected_revision=1),)))
    found = store.get("k", "a")
    assert found is not None
    assert (found.body, found.revision) == ({"x": 2}, 2)


def test_one_idempotency_key_has_one_effect(store: Store) -> None:
    change = Change(puts=(Put("k", "a", {}),), event=act("once"), idempotency_key="key")
    first, second = store.commit(change), store.commit(change)
    assert first == second
    assert len(store.audit()) == 1
    found = store.get("k", "a")
    assert found is not None
    assert found.revision == 1


def test_figures_that_are_no_numbers_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="JSON"):
        store.commit(Change(puts=(Put("k", "a", {"x": float("nan")}),)))


def test_the_chain_is_gap_free_and_whole(store: Store) -> None:
    for number in range(5):
        store.commit(Change(event=act("step", number=number, text="né <b>")))
    assert [entry.sequence for entry in store.audit()] == [1, 2, 3, 4, 5]
    assert verify_chain(store.audit()).ok
    assert [entry.sequence for entry in store.audit(after=3)] == [4, 5]


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("UPDATE audit SET details = '{\"n\":9}' WHERE sequence = 2", 2),
        ("UPDATE audit SET actor = 'eve' WHERE sequence = 4", 4),
        ("DELETE FROM audit WHERE sequence = 3", 3),
        ("UPDATE audit SET sequence = 99 WHERE sequence = 1", 1),
    ],
)
def test_any_edit_is_named(tmp_path: Path, statement: str, first_bad: int) -> None:
    store = open_store(tmp_path / "s.db", tmp_path / "s.lock")
    for number in range(5):
        store.commit(Change(event=act("step", n=number)))
    with sqlite3.connect(tmp_path / "s.db") as connection:
        connection.execute(statement)
    assert verify_chain(store.audit()).first_bad == first_bad


def test_of_two_who_expect_the_same_one_wins(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s.db", tmp_path / "s.lock")
    outcomes: list[str] = []

    def promote(version: int) -> None:
        try:
            store.commit(
                Change(puts=(Put("alias", "m@champion", {"v": version}, expected_revision=0),), event=act("p"))
            )
            outcomes.append("won")
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=promote, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict"] * 5 + ["won"]
    assert len(store.audit()) == 1


def _open_and_write(folder: str, number: int) -> None:
    store = open_store(Path(folder) / "s.db", Path(folder) / "s.lock")
    for turn in range(5):
        store.commit(Change(puts=(Put("k", f"{number}-{turn}", {}),), event=act("write", n=number)))
    store.close()


def test_eight_processes_open_an_empty_folder_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_open_and_write, args=(str(tmp_path), n)) for n in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    store = open_store(tmp_path / "s.db", tmp_path / "s.lock")
    assert len(store.find("k")) == 40
    assert verify_chain(store.audit()).entries == 40
    assert verify_chain(store.audit()).ok
    with sqlite3.connect(tmp_path / "s.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_lock_held_too_long_is_store_busy_and_readers_never_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path / "s.db", tmp_path / "s.lock")
    store.commit(Change(puts=(Put("k", "a", {}),)))
    monkeypatch.setattr(sql, "BUSY_SECONDS", 0.5)
    holder = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="locked"):
        store.commit(Change(puts=(Put("k", "b", {}),)))
    assert store.get("k", "a") is not None
    holder.execute("ROLLBACK")
    holder.close()
    store.commit(Change(puts=(Put("k", "b", {}),)))


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "s.db").write_text(json.dumps({"not": "a database"}) * 200)
    with pytest.raises(StoreDamaged, match=r"s\.db"):
        open_store(tmp_path / "s.db", tmp_path / "s.lock")


def test_a_missing_file_is_named_where_none_may_be_made(tmp_path: Path) -> None:
    with pytest.raises(StoreDamaged, match="not there"):
        open_store(tmp_path / "s.db", tmp_path / "s.lock", create=False)
    assert list(tmp_path.iterdir()) == []


def test_readers_and_writers_that_open_and_close_all_the_time_never_fail(tmp_path: Path) -> None:
    """Whoever closes last takes the log away, also while somebody else looks whether it is there."""
    path, lock = tmp_path / "s.db", tmp_path / "s.lock"
    store, failures = open_store(path, lock), []

    def work(number: int) -> None:
        try:
            for turn in range(40):
                store.commit(Change(puts=(Put("k", f"{number}-{turn}", {}),)))
                store.find("k", bodies=False)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(store.find("k")) == 240
