"""What a notebook starts ends with it, however it tries to outlive it; a run whose process is gone is not running."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting import until

from modelops_jupyter import processes
from modelops_jupyter.actions import catalogue
from modelops_jupyter.clock import moment
from modelops_jupyter.errors import InvalidPipeline
from modelops_jupyter.pipelines import NotebookJob, ProcessRunner, lease
from modelops_jupyter.pipelines.parameters import Parameter
from modelops_jupyter.pipelines.values import fit
from modelops_jupyter.store import Change, InMemoryStore, Put

# Starts a daemon of each kind: by two forks and a session of its own, with and without its environment.
DAEMONS = """
import subprocess, sys
code = (
    "import os, sys, time\\n"
    "if os.fork(): os._exit(0)\\n"
    "os.setsid()\\n"
    "if os.fork(): os._exit(0)\\n"
    "print(os.getpid(), file=open(sys.argv[1], 'a'), flush=True)\\n"
    "[os.close(n) for n in (0, 1, 2)]\\n"
    "time.sleep(300)"
)
for environment in (None, {}):
    subprocess.run([sys.executable, "-c", code, "PIDS"], env=environment, check=True)
import time
while len(open("PIDS").read().split()) < 2:
    time.sleep(0.05)
"""


def job(folder: Path, last: str, timeout: float) -> NotebookJob:
    cells = [nbformat.v4.new_code_cell(text) for text in (DAEMONS.replace("PIDS", str(folder / "pids")), last)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "a.ipynb")
    return NotebookJob("a", folder / "a.ipynb", folder / "out/a.ipynb", {}, folder, timeout, {})


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.slow
@pytest.mark.parametrize(
    ("last", "timeout", "reason"),
    [
        ("1", 300, None),
        ("", 300, "cancelled"),  # one that takes too long is ended in the same way
    ],
    ids=["ends", "cancelled"],
)
def test_daemons_end_with_their_notebook(tmp_path: Path, last: str, timeout: float, reason: str | None) -> None:
    import threading

    runner, answers = ProcessRunner(), []
    asked = job(tmp_path, last or "import time; time.sleep(300)", timeout)
    thread = threading.Thread(target=lambda: answers.append(runner.run(asked, lambda event: None)))
    thread.start()
    until(lambda: (tmp_path / "pids").exists() and len((tmp_path / "pids").read_text().split()) == 2, 120)
    pids = [int(text) for text in (tmp_path / "pids").read_text().split()]
    if reason == "cancelled":
        runner.cancel()
    thread.join()
    assert (answers[0] is None) if reason is None else (reason in str(answers[0]) or reason == "cancelled")
    assert all(map(is_gone, pids))


def a_process() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])


@pytest.mark.parametrize("how", ["killed", "elsewhere", "never had it", "another has it"])
def test_a_run_whose_process_is_gone_is_abandoned_for_every_reader(tmp_path: Path, how: str) -> None:
    store, run_id, home = InMemoryStore(), "20260101T000000-abc", os.path.realpath(tmp_path)
    run = {"run_id": run_id, "pipeline": "p", "state": "running", "origin": "o", "steps": []}
    with a_process() as process:
        body = {"run_id": run_id, "home": home, **processes.identity(process.pid), "heard": moment().to_dict()}
        if how == "elsewhere":
            body["host"] = "another machine"
        if how != "never had it":
            store.commit(Change(puts=(Put("lease", "p", body), Put("run", run_id, run, subject="p"))))
            (row,) = catalogue.runs(store, None, tmp_path)
            assert row["state"] == "running"
        process.send_signal(signal.SIGKILL)
    if how == "elsewhere":
        heard = {**moment().to_dict(), "ticks": moment().ticks - lease.LEASE.total_seconds()}
        store.commit(Change(puts=(Put("lease", "p", {**body, "heard": heard}),)))
    if how == "another has it":
        store.commit(Change(puts=(Put("lease", "p", {**body, **processes.identity(), "run_id": "another"}),)))
    store.commit(Change(puts=(Put("run", run_id, run, subject="p"),)))
    (row,) = catalogue.runs(store, None, tmp_path)
    assert row["state"] == "abandoned"


class Odd:
    """No parameter."""


ODD = st.one_of(st.binary(), st.sets(st.integers()), st.builds(Odd), st.just(len), st.complex_numbers())


@given(value=ODD | st.lists(ODD, min_size=1) | st.dictionaries(st.text(), ODD, min_size=1))
@pytest.mark.parametrize("kind", [None, "str", "int", "list", "dict", "date"])
def test_a_value_that_is_no_parameter_is_refused_in_a_sentence(kind: str | None, value: object) -> None:
    parameter = Parameter("x", kind, "None", "")
    with pytest.raises(InvalidPipeline, match=r"Parameter 'x' of a\.ipynb cannot take a"):
        fit(parameter, value, "a.ipynb")


def test_a_value_that_holds_itself_is_refused_in_a_sentence() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(InvalidPipeline, match="cannot take"):
        fit(Parameter("x", None, "None", ""), value, "a.ipynb")
