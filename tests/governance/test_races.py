"""Acts that cross: a move never passes a rejection before it, and a version rejected in service has an incident."""

import multiprocessing
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from test_clocks import register

from modelops_jupyter.actions.rejected_service import incidents_of, sentence
from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import Conflict, GateClosed, NotFound, Refused
from modelops_jupyter.governance import Policy, Rule, approve, promote, reject, rollback
from modelops_jupyter.settings import Settings
from modelops_jupyter.store import Store, open_store, verify

ANN, BOB = Actor("ann"), Actor("bob")
POLICY = Policy("p", "d", {"champion": Rule(approvals=1)})
BODIES = 3


def act(store: Store, folder: Path, number: int, word: str) -> None:
    body = store.get("version", f"m/{number:06d}").body  # type: ignore[union-attr]
    told = incidents_of(store, Settings(folder, folder))
    with suppress(GateClosed, Conflict, Refused, NotFound):
        if word == "rollback":
            rollback(store, POLICY, "m", "champion", "x", ANN, check_can_serve=dict, consequences=told)
        else:
            verb: Any = {"approve": approve, "reject": reject, "promote": promote}[word]
            arguments = ("champion", "x", ANN) if word == "promote" else ("x", BOB)
            verb(store, POLICY, body, *arguments, consequences=told)


def check(store: Store) -> None:
    """Hold the chain's own order of acts against what was allowed, and how it all stands against the last of them."""
    rejected: dict[str, bool] = {}
    serves = None
    for entry in store.audit():
        if entry.action in ("approve", "reject"):
            rejected[entry.subject] = entry.action == "reject"
        if entry.action in ("promote", "rollback"):
            assert not rejected[entry.subject], f"entry {entry.sequence} passed a rejection"
            serves = entry.subject
    held = store.get("alias", "m@champion")
    firing = [r.body["title"] for r in store.find("incident") if r.body["firing"]]
    assert (held is None) is (serves is None)
    if held is not None:
        assert f"m/{held.body['version']}" == serves
        assert bool(sentence(held.body)) is rejected[serves] is bool(firing)
        assert all(title.startswith(f"{serves}, which is champion, was rejected") for title in firing)
    assert verify(store).ok


def _play(folder: str, seed: int, barrier: Any) -> None:
    store, choose = open_store(Path(folder) / "s.db", Path(folder) / "s.lock"), random.Random(seed)
    for _ in range(8):
        barrier.wait()
        act(store, Path(folder), choose.randint(1, BODIES), choose.choice(["approve", "reject", "promote", "rollback"]))
    store.close()


def _threads(target: Callable[..., None], arguments: list[tuple[Any, ...]]) -> None:
    workers = [threading.Thread(target=target, args=each) for each in arguments]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _processes(target: Callable[..., None], arguments: list[tuple[Any, ...]]) -> None:
    workers = [multiprocessing.get_context("fork").Process(target=target, args=each) for each in arguments]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * len(workers)


@pytest.mark.parametrize(
    ("run", "barrier"),
    [(_threads, threading.Barrier), (_processes, multiprocessing.get_context("fork").Barrier)],
    ids=["threads", "processes"],
)
@pytest.mark.parametrize("seed", range(4))
def test_crossing_acts_leave_no_rejected_champion_unsaid(tmp_path: Path, run: Any, barrier: Any, seed: int) -> None:
    store = open_store(tmp_path / "s.db", tmp_path / "s.lock")
    for number in range(1, BODIES + 1):
        register(store, number)
        approve(store, POLICY, store.get("version", f"m/{number:06d}").body, "x", BOB)  # type: ignore[union-attr]
    together = barrier(4)
    run(_play, [(str(tmp_path), 10 * seed + number, together) for number in range(4)])
    assert len(store.audit()) > 2 * BODIES
    check(store)


@pytest.mark.parametrize("seed", range(12))
def test_a_promotion_and_a_rejection_at_once(tmp_path: Path, seed: int) -> None:
    """Both in either order: refused, or in service with an incident; never in service as if nobody had rejected it."""
    store = open_store(tmp_path / "s.db", tmp_path / "s.lock")
    body = register(store, 1)
    approve(store, POLICY, body, "x", BOB)
    together = threading.Barrier(2)

    def both(word: str) -> None:
        together.wait()
        act(store, tmp_path, 1, word)

    _threads(both, [("promote",), ("reject",)])
    actions = [entry.action for entry in store.audit()][2:]
    assert actions in (["reject"], ["promote", "reject"])
    assert len(store.find("incident")) == len(actions) - 1
    check(store)
