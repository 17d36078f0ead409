"""How long ago something was does not depend on the time of day, where both were on one machine since its start."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter import clock, processes
from modelops_jupyter.clock import Moment, moment

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECONDS = st.integers(-(10**7), 10**7)


@given(SECONDS, SECONDS, st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_clock_that_is_set_changes_no_age(set_before: int, set_after: int, passed: int, length: int) -> None:
    earlier = Moment(NOON + timedelta(seconds=set_before), "b", 5.0)
    later = Moment(NOON + timedelta(seconds=set_after), "b", 5.0 + passed)
    assert earlier.is_within(timedelta(seconds=length), later) is (passed < length)


@given(SECONDS, st.integers(1, 10**6))
def test_of_another_machine_nothing_lasts_longer_than_its_length_twice(difference: int, length: int) -> None:
    other = Moment(NOON + timedelta(seconds=difference), "other", 5.0)
    for boot in ("b", None):
        still = [s for s in range(0, 4 * length, length) if other.is_within(
            timedelta(seconds=length), Moment(NOON + timedelta(seconds=s), boot, 9.0)
        )]  # fmt: skip
        assert len(still) <= 2


def test_a_moment_comes_back_as_it_was_written() -> None:
    now = moment()
    assert Moment.of(now.to_dict()) == now
    assert now.boot == clock.boot_id()


@pytest.mark.skipif(clock.boot_id() is None, reason="this system gives its starts no name")
def test_other_processes_count_from_the_same_start() -> None:
    code = "from modelops_jupyter.clock import moment; m = moment(); print(m.boot, m.ticks)"
    before = moment()
    boot, ticks = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert boot == before.boot
    assert before.ticks < float(ticks) < moment().ticks


def test_a_process_lives_though_the_clock_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    own = processes.identity()
    boot_time, create_time = psutil.boot_time(), psutil.Process().create_time()
    monkeypatch.setattr(psutil, "boot_time", lambda: boot_time + 86400)  # as Linux has it once the clock is set
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: create_time + 86400)
    assert processes.is_alive(own)
    assert not processes.is_alive({**own, "started": own["started"] - 100})
    assert not processes.is_alive({**own, "boot": "before the restart"})
    assert processes.is_alive({**own, "host": "elsewhere"}) is None
    assert own["pid"] == os.getpid()
