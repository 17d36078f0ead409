"""Each message reaches each target once, whoever delivers, whatever fails; and no target waits for another."""

import multiprocessing
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from receiver import Receiver
from waiting import until

from modelops_jupyter import clock
from modelops_jupyter.actions import catalogue, watching
from modelops_jupyter.clock import Moment, moment
from modelops_jupyter.notifications import InMemoryNotifier, Notifier, deliver, target_states
from modelops_jupyter.notifications.outbox import ENOUGH_ATTEMPTS, KEPT, LEASE, LONGEST_PAUSE, pause
from modelops_jupyter.settings import Settings, Target
from modelops_jupyter.store import Change, InMemoryStore, Store, open_store
from modelops_jupyter.store.schema import HEAD

OPS, CHAT = Target("ops", "memory"), Target("chat", "memory", topics=("incident.*",))


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "s.db", tmp_path / "s.lock") if request.param == "sqlite" else InMemoryStore()
    yield opened
    opened.close()


class Doors:
    """A notifier in memory for each target, and a clock that tests turn."""

    def __init__(self) -> None:
        self.at: dict[str, InMemoryNotifier] = {}
        self.now = datetime.now(UTC) + timedelta(seconds=1)

    def __call__(self, target: Target) -> Notifier:
        return self.at.setdefault(target.name, InMemoryNotifier())

    def clock(self) -> Moment:
        return Moment(self.now)


def tell(store: Store, *topics: str) -> None:
    for number, topic in enumerate(topics):
        store.commit(Change(outbox=({"topic": topic, "title": f"{topic} {number}"},)))


def test_each_target_takes_what_it_wants_once_and_in_order(store: Store) -> None:
    doors = Doors()
    tell(store, "incident.opened", "promote", "run.failed", "incident.recovered")
    report = deliver(store, (OPS, CHAT), open_notifier=doors, clock=doors.clock)
    assert (report.sent, report.failed, report.exit_code) == (5, 0, 0)
    assert [m.topic for m in doors.at["ops"].messages] == ["incident.opened", "promote", "incident.recovered"]
    assert [m.topic for m in doors.at["chat"].messages] == ["incident.opened", "incident.recovered"]
    assert deliver(store, (OPS, CHAT), open_notifier=doors, clock=doors.clock).sent == 0
    assert [(t.sent, t.waiting) for t in target_states(store, (OPS, CHAT))] == [(3, 0), (2, 0)]


def test_a_target_that_is_down_for_an_hour_gets_everything_and_others_do_not_wait(store: Store) -> None:
    doors = Doors()
    doors(OPS).down = True  # type: ignore[attr-defined]
    tell(store, "incident.opened", "incident.recovered")
    first = deliver(store, (OPS, CHAT), open_notifier=doors, clock=doors.clock)
    assert (first.sent, first.failed, first.exit_code) == (2, 1, 3)
    attempts = 1
    for _ in range(360):  # somebody delivers every ten seconds
        doors.now += timedelta(seconds=10)
        attempts += deliver(store, (OPS, CHAT), open_notifier=doors, clock=doors.clock).failed
    assert 8 <= attempts <= 12  # the pause doubles
    (state, _) = target_states(store, (OPS, CHAT))
    assert (state.waiting, state.failures, "down" in str(state.error)) == (2, attempts, True)
    doors.at["ops"].down = False
    doors.now += LONGEST_PAUSE
    assert deliver(store, (OPS, CHAT), open_notifier=doors, clock=doors.clock).sent == 2
    assert len({m.id for m in doors.at["ops"].messages}) == 2
    (state, _) = target_states(store, (OPS, CHAT))
    assert (state.waiting, state.failures, state.error) == (0, 0, None)


def test_one_message_that_is_never_taken_does_not_hold_up_the_others(store: Store) -> None:
    doors = Doors()

    class Picky(InMemoryNotifier):
        def send(self, message: object) -> None:
            self.down = message.title == "incident.opened 0"  # type: ignore[attr-defined]
            super().send(message)  # type: ignore[arg-type]

    doors.at["ops"] = Picky()
    tell(store, "incident.opened", "incident.grew", "incident.recovered")
    for _ in range(5):
        deliver(store, (OPS,), open_notifier=doors, clock=doors.clock)
        doors.now += timedelta(minutes=2)
    assert [m.topic for m in doors.at["ops"].messages] == ["incident.grew", "incident.recovered"]


def test_what_is_never_taken_is_given_up_after_three_days_and_said(store: Store, tmp_path: Path) -> None:
    doors = Doors()
    doors(OPS).down = True  # type: ignore[attr-defined]
    tell(store, "incident.opened")
    for _ in range(ENOUGH_ATTEMPTS):
        deliver(store, (OPS, CHAT), open_notifier=doors, clock=doors.clock)
        assert (len(store.find("outbox")), len(doors.at["chat"].messages)) == (1, 1)
        doors.now += KEPT / 10
    deliver(store, (OPS, CHAT), open_notifier=doors, clock=doors.clock)
    assert [(t.given_up, t.waiting) for t in target_states(store, (OPS, CHAT))] == [(1, 0), (0, 0)]
    assert store.find("outbox") == store.find("delivery") == ()
    status = catalogue.status(store, Settings(tmp_path, tmp_path, targets=(OPS, CHAT)))
    assert status.targets[0]["given_up"] == 1


def test_a_fault_of_a_library_is_a_failure_that_tells_no_secret(store: Store) -> None:
    def explode(target: Target) -> Notifier:
        raise ValueError("https://user:t0p-secret@host")

    tell(store, "incident.opened")
    assert deliver(store, (OPS,), open_notifier=explode).failed == 1
    (state,) = target_states(store, (OPS,))
    assert state.error == "ValueError while sending"


@pytest.mark.parametrize("boot", ["b", None])
def test_a_clock_ahead_by_days_delays_no_message_and_ages_none(store: Store, boot: str | None) -> None:
    """A target fails and a sender dies while the clock is four days ahead; it is set right afterwards."""
    doors, right = Doors(), datetime.now(UTC)
    doors(OPS).down = True  # type: ignore[attr-defined]
    tell(store, "incident.opened")
    ahead = Moment(right + timedelta(days=4), boot, 100.0)
    assert deliver(store, (OPS,), open_notifier=doors, clock=lambda: ahead).failed == 1
    assert len(store.find("outbox")) == 1
    doors.at["ops"].down = False
    again = Moment(right + timedelta(minutes=1), boot, 160.0)
    assert deliver(store, (OPS,), open_notifier=doors, clock=lambda: again).sent == 1


def test_messages_go_in_the_order_in_which_they_were_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    doors, start = Doors(), datetime.now(UTC)
    for hours, topic in ((0, "incident.opened"), (-5, "incident.recovered"), (-9, "incident.reopened")):
        monkeypatch.setattr(clock, "now", lambda hours=hours: start + timedelta(hours=hours))
        tell(store, topic)
    deliver(store, (CHAT,), open_notifier=doors, clock=doors.clock)
    assert [m.topic for m in doors.at["chat"].messages] == [
        "incident.opened",
        "incident.recovered",
        "incident.reopened",
    ]


def test_pauses_double_up_to_an_hour() -> None:
    assert [pause(n).total_seconds() for n in (1, 2, 3, 10, 500)] == [5, 10, 20, 2560, 3600]


def _deliver(folder: str, url: str, secret: str) -> None:
    target = Target("ops", url, secret, allow_private=True)
    deliver(open_store(Path(folder) / "s.db", Path(folder) / "s.lock"), (target,))


def test_four_processes_that_deliver_at_once_send_nothing_twice(
    tmp_path: Path, receiver: Receiver, secret: str
) -> None:
    with_messages = open_store(tmp_path / "s.db", tmp_path / "s.lock")
    tell(with_messages, *["incident.opened"] * 25)
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_deliver, args=(str(tmp_path), receiver.url, secret)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    seen = Counter(headers["webhook-id"] for headers, _ in receiver.requests)
    assert (len(seen), set(seen.values())) == (25, {1})


def test_a_sender_that_is_killed_is_followed_by_one_that_sends_the_same_id(
    tmp_path: Path, receiver: Receiver, secret: str
) -> None:
    store = open_store(tmp_path / "s.db", tmp_path / "s.lock")
    tell(store, "incident.opened")
    target = Target("ops", receiver.url, secret, allow_private=True)
    receiver.hold.clear()
    code = "import sys; sys.path[:0] = sys.argv[4:]; from test_outbox import _deliver; _deliver(*sys.argv[1:4])"
    here = Path(__file__).parent
    words = [sys.executable, "-c", code, str(tmp_path), receiver.url, secret, str(here), str(here.parent)]
    sender = subprocess.Popen(words)
    until(lambda: sender.poll() is not None or store.find("delivery"))
    assert sender.poll() is None  # it has taken the message, and the receiver does not answer
    sender.send_signal(signal.SIGKILL)
    sender.wait()
    receiver.hold.set()
    assert deliver(store, (target,)).sent == 0  # the lease holds
    later = moment()
    later = replace(later, ticks=later.ticks + LEASE.total_seconds() + 1)
    assert deliver(store, (target,), clock=lambda: later).sent == 1
    assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 1


def test_a_receiver_that_hangs_does_not_hold_up_the_monitor(
    tmp_path: Path, receiver: Receiver, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "ANNOUNCE_SECONDS", 0.2)
    store = open_store(tmp_path / "s.db", tmp_path / "s.lock")
    tell(store, "incident.opened")
    receiver.hold.clear()
    settings = Settings(tmp_path, tmp_path, targets=(Target("ops", receiver.url, secret, allow_private=True),))
    watching.announce(store, settings)
    (state,) = target_states(store, settings.targets)
    assert (state.sent, state.failures) == (0, 0)  # it returned while the message was still under way
    receiver.hold.set()
    until(lambda: target_states(store, settings.targets)[0].sent == 1)  # it goes on in the background


def test_messages_of_an_earlier_release_are_kept(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    from modelops_jupyter.store import schema

    file = tmp_path / "s.db"
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    with create_engine(f"sqlite:///{file}").begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    now = datetime.now(UTC).isoformat()
    with sqlite3.connect(file) as connection:
        rows = [(1, now, '{"topic":"promote","title":"one"}', now), (2, now, '{"topic":"promote","title":"two"}', None)]
        connection.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?)", rows)
    store, doors = open_store(file, tmp_path / "s.lock"), Doors()
    assert deliver(store, (OPS,), open_notifier=doors, clock=doors.clock).sent == 1
    assert [m.title for m in doors.at["ops"].messages] == ["two"]
    with sqlite3.connect(file) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert "outbox" not in tables
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)
