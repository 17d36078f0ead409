"""Pipelines on real kernels: what runs, what is kept, and that every way of failing is told apart."""

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from waiting import until

from modelops_jupyter.actions.catalogue import runs
from modelops_jupyter.actor import Actor
from modelops_jupyter.cli import main
from modelops_jupyter.clock import Moment
from modelops_jupyter.display import mimebundle
from modelops_jupyter.errors import Conflict, InvalidInput, InvalidPipeline, NotebookFailed, NotFound
from modelops_jupyter.pipelines import (
    CellEvent,
    InMemoryRunner,
    NotebookJob,
    lease,
    load_pipeline,
    read_parameters,
    run_notebook,
    run_pipeline,
)
from modelops_jupyter.pipelines.runner import keep_partial, partial_of
from modelops_jupyter.settings import Settings, find_settings
from modelops_jupyter.store import Change, InMemoryStore, Put, Store
from modelops_jupyter.workspace import Workspace

ANN = Actor("ann")
COMMAND = [sys.executable, "-m", "modelops_jupyter.cli"]


def notebook(path: Path, *cells: str, parameters: str = "") -> None:
    sources = [(parameters, ["parameters"])] if parameters else []
    sources += [(cell, []) for cell in cells]
    body = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"c{number}",
            "metadata": {"tags": tags},
            "outputs": [],
            "source": source,
        }
        for number, (source, tags) in enumerate(sources)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(json.dumps({"cells": body, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


def pipeline(folder: Path, text: str) -> Path:
    (folder / "p.yaml").write_text(text)
    return folder / "p.yaml"


def run(path: Path, store: Store, runner: InMemoryRunner | None = None, **options: object):
    values = {"parameters": {}, "resume": False, **options}
    return run_pipeline(
        load_pipeline(path), store=store, runs_path=path.parent / "runs", project=path.parent, actor=ANN,
        runner=runner, **values,
    )  # fmt: skip


def _run_and_kill(words: list[str], begun: Callable[[], bool]) -> None:
    """Type a command, and kill its process as soon as something has begun."""
    process = subprocess.Popen([*COMMAND, *words])
    until(lambda: process.poll() is not None or begun())
    assert process.poll() is None
    process.kill()
    process.wait()


def _left_behind(folder: Path) -> list[str]:
    lines = (" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))
    return [line for line in lines if str(folder) in line]


def test_real_notebooks_run_in_order_with_their_parameters(tmp_path: Path) -> None:
    notebook(tmp_path / "a.ipynb", "open('a.txt', 'w').write(str(n * 2))", parameters="n: int = 1  # how many")
    notebook(tmp_path / "b.ipynb", "open('b.txt', 'w').write(open('a.txt').read() + '!')")
    path = pipeline(tmp_path, "steps: {b: {notebook: b.ipynb, needs: [a]}, a: {notebook: a.ipynb}}")
    done = run(path, InMemoryStore(), parameters={"n": 21})
    assert (done.state, [step.step for step in done.steps]) == ("completed", ["a", "b"])
    assert (tmp_path / "b.txt").read_text() == "42!"
    assert all(Path(step.output).is_file() for step in done.steps)
    assert list((tmp_path / "runs").rglob("*.partial.ipynb")) == []


def fails(folder: Path, cell: str, reason: str, timeout: float) -> None:
    """Run a notebook that fails in its second cell: what is said and kept of it, and that no process is left."""
    notebook(folder / "a.ipynb", "print('so far')", cell, "1 + 1")
    path = pipeline(folder, f"steps: {{a: {{notebook: a.ipynb, timeout: {timeout:g}}}}}")
    store = InMemoryStore()
    with pytest.raises(NotebookFailed, match=reason) as failed:
        run(path, store)
    assert not _left_behind(folder)
    body = store.find("run")[0].body
    assert body["state"] == "failed"
    output = folder / body["steps"][0]["output"]
    assert f"so far is {output};" in str(failed.value)
    assert '"so far\\n"' in output.read_text()
    assert list((folder / "runs").rglob("*.partial.ipynb")) == []


def test_a_cell_that_raises_and_one_that_never_ends_are_told_apart(tmp_path: Path) -> None:
    begun = time.monotonic()
    fails(tmp_path, "1 / 0", "raised ZeroDivisionError", 100)
    enough = round(2 + 2 * (time.monotonic() - begun))  # as this machine is now, its kernel has begun long before
    fails(tmp_path, "import time; time.sleep(600)", f"longer than {enough} s", enough)


def test_a_kernel_that_dies_is_told(tmp_path: Path) -> None:
    fails(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "kernel died", 100)


class EndingRunner(InMemoryRunner):
    """Ends as a process does that is killed: with a log, and with `left` of the notebook."""

    def __init__(self, left: str | None) -> None:
        super().__init__({"a.ipynb": "it was killed"})
        self.left = left

    def run(self, job: NotebookJob, on_cell: Callable[[CellEvent], None]) -> str | None:
        job.output.parent.mkdir(parents=True, exist_ok=True)
        job.output.with_suffix(".log").write_text("the end")
        if self.left is not None:
            partial_of(job.output).write_text(self.left)
            keep_partial(job.output)
        return super().run(job, on_cell)


@pytest.mark.parametrize(
    ("left", "named"),
    [('{"cells": []}', "a.ipynb"), ('{"cells": [', "a.log"), (None, "a.log")],
    ids=["whole", "torn", "none"],
)
def test_what_a_killed_notebook_left_is_what_the_error_names(tmp_path: Path, left: str | None, named: str) -> None:
    notebook(tmp_path / "a.ipynb", "1")
    path, store = pipeline(tmp_path, "steps: {a: {notebook: a.ipynb}}"), InMemoryStore()
    with pytest.raises(NotebookFailed) as failed:
        run(path, store, EndingRunner(left))
    output = tmp_path / store.find("run")[0].body["steps"][0]["output"]
    assert output.name == named
    assert output.is_file()
    assert str(output) in str(failed.value)
    given = {"parameters": {}, "output": tmp_path / "out.ipynb", "work_path": tmp_path / "runs", "project": tmp_path}
    with pytest.raises(NotebookFailed) as failed:
        run_notebook(tmp_path / "a.ipynb", **given, runner=EndingRunner(left))
    said = str(failed.value).split()
    assert any(Path(word.rstrip(".")).is_file() for word in said if word.startswith(str(tmp_path)))
    assert (tmp_path / "out.ipynb").exists() == (named == "a.ipynb")
    assert list((tmp_path / "runs").rglob("*.partial.ipynb")) == []


def test_resume_keeps_what_is_done_with_the_same_inputs(tmp_path: Path) -> None:
    for name in "abc":
        notebook(tmp_path / f"{name}.ipynb", "1", parameters="n = 1")
    steps = "{a: {notebook: a.ipynb}, b: {notebook: b.ipynb, needs: [a]}, c: {notebook: c.ipynb, needs: [b]}}"
    path, store, states = pipeline(tmp_path, f"steps: {steps}"), InMemoryStore(), []
    with pytest.raises(NotebookFailed, match="boom"):
        run(path, store, InMemoryRunner({"b.ipynb": "boom"}))
    second = InMemoryRunner()
    run(path, store, second, resume=True, on_progress=lambda event: states.append(str(event)))
    assert [job.notebook.name for job in second.jobs] == ["b.ipynb", "c.ipynb"]
    assert states[0] == "[1/3] a: kept"
    third = InMemoryRunner()
    run(path, store, third, resume=True, parameters={"n": 2})
    assert len(third.jobs) == 3


def test_a_run_begun_afresh_keeps_nothing_of_the_last(tmp_path: Path) -> None:
    for name in "ab":
        notebook(tmp_path / f"{name}.ipynb", "1")
    path = pipeline(tmp_path, "steps: {a: {notebook: a.ipynb}, b: {notebook: b.ipynb, needs: [a]}}")
    store = InMemoryStore()

    def steps(runner: InMemoryRunner, **options: object) -> list[str]:
        """Return the key of every step that ran."""
        with suppress(NotebookFailed):
            run(path, store, runner, **options)
        return [job.environment["MODELOPS_STEP"] for job in runner.jobs]

    monday = steps(InMemoryRunner())
    tuesday = steps(InMemoryRunner({"a.ipynb": "boom"}))
    again = steps(InMemoryRunner({"b.ipynb": "boom"}), resume=True)
    rest = steps(InMemoryRunner(), resume=True)
    assert (len(monday), len(tuesday), len(again), len(rest)) == (2, 1, 2, 1)
    assert again == [*tuesday, *rest], "a run that goes on has the keys of the one it goes on with"
    assert not {*monday} & {*again}, "a run begun afresh has keys of its own"
    assert steps(InMemoryRunner(), resume=True) == []


REGISTERING = """
import os, time
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
import modelops_jupyter as mo
x = pd.DataFrame(np.random.default_rng(int(open('night').read())).normal(size=(100, 2)), columns=['a', 'b'])
y = (x['a'] > 0).astype(int)
mo.open().register(LogisticRegression().fit(x, y), 'm', data=x, target=y)
if not os.path.exists('go'):
    open('started', 'w').close(); time.sleep(60)
"""


def test_a_killed_run_registers_once_and_a_new_one_anew(settings: Settings) -> None:
    folder = settings.project
    notebook(folder / "a.ipynb", REGISTERING)
    path = pipeline(folder, "steps: {a: {notebook: a.ipynb}}")
    words = ["run", str(path), "--workspace", str(folder)]
    (folder / "night").write_text("1")
    _run_and_kill(words, (folder / "started").exists)
    (folder / "go").touch()

    def versions() -> list[int]:
        with Workspace(settings) as ws:
            shown = ws.registry.client.search_model_versions("name='m'")
            assert sorted(int(version.version) for version in shown) == sorted(
                row["version"] for row in ws.versions("m")
            )
            return [row["version"] for row in ws.versions("m")]

    assert versions() == [1]
    assert main([*words, "--resume"]) == 0
    assert versions() == [1]
    (folder / "night").write_text("2")
    assert main(words) == 0
    assert versions() == [2, 1]


def test_a_killed_run_resumes(tmp_path: Path) -> None:
    notebook(tmp_path / "a.ipynb", "open('a.txt', 'a').write('x')")
    notebook(
        tmp_path / "b.ipynb",
        "import os, time\nif not os.path.exists('go'):\n    open('started', 'w').close(); time.sleep(60)",
        "open('b.txt', 'a').write('y')",
    )
    path = pipeline(tmp_path, "steps: {a: {notebook: a.ipynb}, b: {notebook: b.ipynb, needs: [a]}}")
    words = ["run", str(path), "--workspace", str(tmp_path)]
    _run_and_kill(words, (tmp_path / "started").exists)
    (tmp_path / "go").touch()
    until(lambda: not _left_behind(tmp_path), 10)  # they look for their parent every half a second
    assert main([*words, "--resume"]) == 0
    assert ((tmp_path / "a.txt").read_text(), (tmp_path / "b.txt").read_text()) == ("x", "y")


@pytest.mark.parametrize("name", ["x=1;import os", "n; import os", "undeclared", "__import__('os')"])
def test_names_that_are_not_declared_never_run(tmp_path: Path, name: str) -> None:
    notebook(tmp_path / "a.ipynb", "1", parameters="n = 1")
    runner = InMemoryRunner()
    with pytest.raises(InvalidPipeline, match="declares"):
        run(pipeline(tmp_path, "steps: {a: {notebook: a.ipynb}}"), InMemoryStore(), runner, parameters={name: 1})
    assert runner.jobs == []


def test_parameters_are_parsed_not_guessed(tmp_path: Path) -> None:
    notebook(tmp_path / "a.ipynb", parameters="rate: float | None = None  # learning rate\nmonths = [1,\n 2]  # which")
    rate, months = read_parameters(tmp_path / "a.ipynb")
    assert (rate.name, rate.type, rate.default, rate.help) == ("rate", "float | None", "None", "learning rate")
    assert (months.default, months.help) == ("[1, 2]", "which")


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "steps: {}",
        "steps: {a: {}}",
        "steps: {a: {notebook: a.ipynb, colour: red}}",
        "steps: {a: {notebook: a.ipynb, needs: [ghost]}}",
        "steps: {a: {notebook: a.ipynb, needs: [a]}}",
        "steps: {a: {notebook: a.ipynb, parameters: {zzz: 1}}}",
        "steps: {'a;b': {notebook: a.ipynb}}",
        "steps: [",
    ],
)
def test_wrong_pipelines_are_refused_before_anything_runs(tmp_path: Path, text: str) -> None:
    notebook(tmp_path / "a.ipynb", "1")
    runner = InMemoryRunner()
    with pytest.raises(InvalidPipeline):
        run(pipeline(tmp_path, text), InMemoryStore(), runner)
    assert runner.jobs == []


@pytest.mark.parametrize("name", ["ghost.ipynb", "../../etc/passwd"])
def test_notebooks_outside_or_missing_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        load_pipeline(pipeline(tmp_path, f"steps: {{a: {{notebook: '{name}'}}}}"))


def test_for_each_runs_once_per_value_and_all_of_them_are_needed(tmp_path: Path) -> None:
    notebook(tmp_path / "score.ipynb", "1", parameters="month = 1\norigin = ''")
    notebook(tmp_path / "monitor.ipynb", "1")
    text = "steps: {m: {notebook: monitor.ipynb, needs: [s]}, s: {notebook: score.ipynb, for_each: {month: [4, 5]}}}"
    path = pipeline(tmp_path, text)
    runner = InMemoryRunner()
    done = run(path, InMemoryStore(), runner, parameters={"origin": "JFK"})
    assert [step.step for step in done.steps] == ["s-4", "s-5", "m"]
    assert [dict(job.parameters) for job in runner.jobs[:2]] == [{"origin": "JFK", "month": m} for m in (4, 5)]
    assert [step.step for step in run(path, InMemoryStore(), runner, parameters={"month": [9]}).steps] == ["s-9", "m"]
    with pytest.raises(InvalidPipeline, match="list of values"):
        run(path, InMemoryStore(), runner, parameters={"month": []})


def test_what_for_each_runs_is_named_by_its_values_whatever_they_are(tmp_path: Path) -> None:
    notebook(tmp_path / "score.ipynb", "1", parameters="origin = None\nmonth = 1")
    values = ["JFK", "L<b>GA", "../x", "New York", "New/York", "jfk", "", "São Paulo", 0.5, None, ["a", 1], "東" * 300]
    text = "steps: {s: {notebook: score.ipynb, for_each: {origin: [a]}}, s-x: {notebook: score.ipynb}}"
    runner = InMemoryRunner()
    done = run(pipeline(tmp_path, text), InMemoryStore(), runner, parameters={"origin": [*values, "x"]})
    names = [step.step for step in done.steps]
    assert [name for name in names if len(name) < 60] == [
        "s-JFK", "s-L_b_GA", "s-.._x", "s-New_York", "s-New_York-2", "s-jfk-2", "s-_", "s-São_Paulo", "s-0.5", "s-None",
        "s-a_1", "s-x-2", "s-x",
    ]  # fmt: skip
    assert [job.parameters["origin"] for job in runner.jobs[: len(values)]] == values
    assert {job.output.parent for job in runner.jobs} == {runner.jobs[0].output.parent}
    assert len({job.output.name.casefold() for job in runner.jobs}) == len(runner.jobs)
    assert all(len(partial_of(job.output).name.encode()) <= 255 for job in runner.jobs)


class Meeting(InMemoryRunner):
    """Returns from a notebook only when two are running at once."""

    def __init__(self) -> None:
        super().__init__()
        self.barrier = threading.Barrier(2, timeout=20)

    def run(self, job: NotebookJob, on_cell: Callable[[CellEvent], None]) -> str | None:
        self.barrier.wait()
        return super().run(job, on_cell)


def test_jobs_run_at_once(tmp_path: Path) -> None:
    notebook(tmp_path / "a.ipynb", "1", parameters="n = 1")
    path = pipeline(tmp_path, "steps: {a: {notebook: a.ipynb, for_each: {n: [1, 2, 3, 4]}}}")
    assert len(run(path, InMemoryStore(), Meeting(), jobs=2).steps) == 4
    with pytest.raises(InvalidInput, match="at least 1"):
        run(path, InMemoryStore(), jobs=0)


@pytest.mark.parametrize(
    ("jobs", "given", "threads"),
    [(1, None, None), (2, None, "4"), (3, None, "2"), (16, None, "2"), (2, "7", None)],
    ids=["one alone", "two", "three", "more than there are steps", "the user's own"],
)
def test_notebooks_at_once_share_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int, given: str | None, threads: str | None
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if given is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    notebook(tmp_path / "a.ipynb", "1", parameters="n = 1")
    path = pipeline(tmp_path, "steps: {a: {notebook: a.ipynb, for_each: {n: [1, 2, 3, 4]}}}")
    runner = InMemoryRunner()
    run(path, InMemoryStore(), runner, jobs=jobs)
    assert [job.environment.get("OMP_NUM_THREADS") for job in runner.jobs] == [threads] * 4


def test_one_run_of_a_pipeline_at_a_time(tmp_path: Path) -> None:
    notebook(tmp_path / "a.ipynb", "1")
    path, store = pipeline(tmp_path, "{name: nightly, steps: {a: {notebook: a.ipynb}}}"), InMemoryStore()
    assert lease.acquire(store, "nightly", "first", str(tmp_path)) is None
    with pytest.raises(Conflict, match="going on"):
        run(path, store, InMemoryRunner())
    body = store.get("lease", "nightly").body
    elsewhere = {**body, "host": "elsewhere", "heard": Moment(datetime(2013, 1, 1, tzinfo=UTC)).to_dict()}
    begun = Put("run", "first", {"state": "running", "steps": [], "origin": "first"}, subject="nightly")
    original = {**body, "home": "/the/folder/that/this/is/a/copy/of"}  # its run goes on, and holds nothing here
    for dead in ({**body, "pid": 2**22 + 1}, {**body, "started": 0.0}, elsewhere, original):
        store.commit(Change(puts=(Put("lease", "nightly", dead), begun)))
        assert run(path, store, InMemoryRunner()).state == "completed"
        assert store.get("run", "first").body["state"] == "abandoned"
        assert store.get("lease", "nightly") is None


def test_a_run_that_was_taken_for_dead_stops(tmp_path: Path) -> None:
    store = InMemoryStore()
    lease.acquire(store, "nightly", "first", "/home")
    lease.release(store, "nightly", "second")
    lease.renew(store, "nightly", "first", "/home")
    with pytest.raises(Conflict, match="taken for dead"):
        lease.renew(store, "nightly", "second", "/home")


def test_a_pipeline_goes_on_in_a_copy_with_the_notebooks_that_are_there(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    notebook(first / "a.ipynb", "1")
    path, store = pipeline(first, "{name: nightly, steps: {a: {notebook: a.ipynb}}}"), InMemoryStore()
    run(path, store)
    shutil.move(first, second)
    again = run(second / path.name, store, InMemoryRunner(), resume=True)
    assert [Path(step.output).is_relative_to(second) and Path(step.output).is_file() for step in again.steps] == [True]
    rows = runs(store, None, second).rows
    assert {row["steps"][0]["output"] for row in rows} == {again.steps[0].output}


def test_ctrl_c_ends_every_notebook_and_is_on_record(tmp_path: Path) -> None:
    notebook(tmp_path / "a.ipynb", "open(f'started{n}', 'w').close()\nimport time; time.sleep(60)", parameters="n = 1")
    path = pipeline(tmp_path, "steps: {a: {notebook: a.ipynb, for_each: {n: [1, 2]}}}")
    command = [*COMMAND, "run", str(path), "--workspace", str(tmp_path), "--jobs", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    until(lambda: len(list(tmp_path.glob("started*"))) == 2)
    process.send_signal(signal.SIGINT)
    assert "goes on from here" in process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert not _left_behind(tmp_path)
    with Workspace(find_settings(tmp_path, {})) as ws:
        assert [r.body["state"] for r in ws.store.find("run")] == ["interrupted"]
        assert ws.store.find("lease") == ()


def test_a_run_that_finds_nothing_to_go_on_with_says_so(tmp_path: Path) -> None:
    notebook(tmp_path / "a.ipynb", "1", parameters="n = 1")
    path, store = pipeline(tmp_path, "{name: nightly, steps: {a: {notebook: a.ipynb}}}"), InMemoryStore()
    first = run(path, store, InMemoryRunner(), resume=True)
    assert str(first).endswith("There was no run of 'nightly' to go on with: every step ran.")
    assert run(path, store, InMemoryRunner(), resume=True).remark == ""
    other = run(path, store, InMemoryRunner(), resume=True, parameters={"n": 2})
    assert "with these notebooks and parameters: every step ran" in str(other)
    assert "every step ran" in mimebundle(other)["text/html"]
    assert store.get("run", other.run_id).body["remark"] == other.remark
    assert run(path, store, InMemoryRunner()).remark == ""


def test_a_parameter_that_nobody_declares_is_answered_with_those_that_are(tmp_path: Path) -> None:
    notebook(tmp_path / "a.ipynb", "1", parameters="months = 1\nbins = 2")
    notebook(tmp_path / "b.ipynb", "1", parameters="trials = 1")
    path = pipeline(tmp_path, "{name: nightly, steps: {a: {notebook: a.ipynb}, b: {notebook: b.ipynb}}}")
    with pytest.raises(InvalidPipeline, match="a parameter 'month': they have bins, months, trials"):
        run(path, InMemoryStore(), InMemoryRunner(), parameters={"month": 1})
    path = pipeline(tmp_path, "steps: {a: {notebook: a.ipynb, parameters: {month: 1}}}")
    with pytest.raises(InvalidPipeline, match="no parameter 'month': its parameters cell has bins, months"):
        run(path, InMemoryStore(), InMemoryRunner())
