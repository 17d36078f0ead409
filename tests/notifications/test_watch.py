"""The headless box: rounds over all monitors, and somebody else says so when they end."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from receiver import Receiver
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.actions.liveness import LATE, beat, overdue, parse_interval, say_what_stopped
from modelops_jupyter.cli import main
from modelops_jupyter.clock import Moment
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.store import InMemoryStore
from modelops_jupyter.workspace import Workspace

MINUTE = timedelta(minutes=1)
X = pd.DataFrame(np.random.default_rng(0).normal(size=(1000, 2)), columns=["wind", "temp"])


def at(minutes: float = 0.0, set_by: timedelta = timedelta(0), boot: str | None = "b") -> Moment:
    """Return a moment some minutes after the first, by a clock that was set meanwhile."""
    return Moment(datetime(2026, 1, 1, tzinfo=UTC) + minutes * MINUTE + set_by, boot, 60 * minutes)


@pytest.fixture
def ws(open_telling: Callable[[str], Workspace]) -> Workspace:
    opened = open_telling('owner = "bob"')
    model = LogisticRegression().fit(X, X["wind"] > 0)
    for name in ("delay", "quiet"):
        opened.register(model, name, data=X, target=X["wind"] > 0)
    log(opened, "delay")
    return opened


def log(ws: Workspace, name: str) -> None:
    at = pd.Timestamp("2013-04-01", tz="UTC") + pd.to_timedelta(np.arange(1000), unit="min")
    frame = X.assign(id=[str(n) for n in range(1000)], at=at, said=X["wind"] > 0)
    ws.log_predictions(f"{name}/1", frame, id="id", time="at", prediction="said")


def test_a_round_runs_what_has_predictions_and_leaves_a_heartbeat(
    ws: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", "--once", "--interval", "1h", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [(run["model"], run["every"], run["new_windows"], run["error"]) for run in said["runs"]] == [
        ("delay", "1D", 1, None)
    ]
    (heartbeat,) = ws.store.find("heartbeat")
    assert (heartbeat.key, heartbeat.body["interval"], heartbeat.body["owner"]) == ("delay/1D", 3600, "bob")
    ws.monitor("delay", every="1h")
    assert [run.every for run in ws.watch(once=True).runs] == ["1D", "1h"]


def test_one_model_that_cannot_be_monitored_does_not_end_the_watch(ws: Workspace) -> None:
    log(ws, "quiet")
    with sqlite3.connect(ws.settings.store_path) as connection:
        connection.execute("UPDATE records SET body = '{}' WHERE kind = 'reference' AND subject = 'delay'")
    done = ws.watch(once=True)
    assert [(run.model, run.error is None) for run in done.runs] == [("delay", False), ("quiet", True)]
    assert done.exit_code == 3
    assert [bool(heartbeat.body["error"]) for heartbeat in ws.store.find("heartbeat")] == [True, False]


def test_a_watch_that_is_killed_is_told_by_another_process_within_two_intervals(
    ws: Workspace, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [sys.executable, "-m", "modelops_jupyter.cli", "watch", "--interval", "4s"]
    watcher = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert watcher.stderr is not None
    assert "1 monitor," in watcher.stderr.readline()
    assert main(["deliver"]) == 0
    assert ws.incidents().rows == ()  # it lives
    watcher.send_signal(signal.SIGKILL)
    watcher.wait()
    stopped = looked = time.monotonic()
    while not ws.incidents():
        assert looked - stopped <= LATE * 4, "whoever looks after an interval and a half says so"
        time.sleep(0.3)
        looked = time.monotonic()
        assert main(["deliver"]) == 0
    for _ in range(3):
        main(["deliver"])
    (row,) = ws.incidents(state="open")
    assert (row["cause"], row["owner"], "has stopped" in row["title"]) == ("monitoring", "bob", True)
    assert [body["type"] for body in receiver.bodies] == ["incident.opened"]
    assert ws.watch(interval="1h", once=True).exit_code == 0
    assert ws.incident(row["id"]).state == "recovered"
    assert [body["type"] for body in receiver.bodies] == ["incident.opened", "incident.recovered"]


def test_a_monitor_that_fails_again_and_again_is_told_with_its_error() -> None:
    store = InMemoryStore()
    beat(store, "delay", "1D", MINUTE, at(), None, "bob")
    for turn in (1, 2, 3):
        beat(store, "delay", "1D", MINUTE, at(turn), "the log is damaged", "bob")
        said = say_what_stopped(store, at(turn))
        assert said == (1 if turn == 2 else 0)
    (incident,) = store.find("incident")
    assert "fails" in incident.body["title"]
    assert incident.body["title"].endswith("the log is damaged")
    beat(store, "delay", "1D", MINUTE, at(4), None, "bob")
    (incident,) = store.find("incident")
    assert incident.body["firing"] is False
    assert [record.body["topic"] for record in store.find("outbox")] == ["incident.opened", "incident.recovered"]
    assert say_what_stopped(store, at(10)) == 1  # another stop, another incident
    assert len(store.find("incident")) == 2


@pytest.mark.parametrize("hours", [-26, 26])
@pytest.mark.parametrize("boot", ["b", "before the restart"])
def test_a_clock_that_was_wrong_by_a_day_silences_no_stop(hours: int, boot: str) -> None:
    """The monitor ran by a clock that was set right afterwards, and stopped."""
    store, wrong = InMemoryStore(), timedelta(hours=hours)
    beat(store, "delay", "1D", MINUTE, at(0, wrong, boot), None, "bob")
    assert [say_what_stopped(store, at(minutes)) for minutes in (2, 3)] == [1, 0]
    (incident,) = store.find("incident")
    assert ("ahead of the clock here" in incident.body["title"]) is (hours > 0)
    beat(store, "delay", "1D", MINUTE, at(4), None, "bob")
    assert store.find("incident")[0].body["firing"] is False


@given(st.lists(st.integers(-(10**6), 10**6), min_size=9, max_size=9))
def test_silence_is_counted_alike_by_any_clock(steps: list[int]) -> None:
    """A monitor beats each minute and stops after the fourth; whoever looks says so after an interval and a half."""
    store = InMemoryStore()
    for minute, step in enumerate(steps):
        now = at(minute, timedelta(seconds=step))
        if minute < 4:
            beat(store, "delay", "1D", MINUTE, now, None, "bob")
        assert say_what_stopped(store, now) == (minute == 5)


def test_late_is_an_interval_and_a_half() -> None:
    store = InMemoryStore()
    beat(store, "delay", "1D", MINUTE, at(), None, None)
    assert overdue(store, at(LATE - 0.01)) == ()
    assert len(overdue(store, at(LATE))) == 1


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("15m", 900), ("1h", 3600), ("2d", 172800)])
def test_intervals(text: str, seconds: int) -> None:
    assert parse_interval(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "0s", "1w", "-1m", "m", "1.5h", "999999s"])
def test_wrong_intervals(text: str) -> None:
    with pytest.raises(InvalidInput, match="15m"):
        parse_interval(text)
