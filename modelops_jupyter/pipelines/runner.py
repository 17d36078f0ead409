"""Running one notebook: the seam between a pipeline and whatever executes notebooks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from modelops_jupyter import processes


@dataclass(frozen=True)
class NotebookJob:
    """One execution; `timeout` is in seconds of wall clock, `environment` is added to the process's own."""

    name: str
    notebook: Path
    output: Path
    parameters: Mapping[str, Any]
    cwd: Path
    timeout: float
    environment: Mapping[str, str]


@dataclass(frozen=True)
class CellEvent:
    """Progress of one cell with code.

    Attributes
    ----------
    notebook : str
        The step that runs it, or its file's name.
    number, total : int
        Its place among the cells with code, from 1.
    state : {"running", "completed", "failed"}
    source : str
        Its first line.
    seconds : float or None
        How long it took.
    output : str
        The end of what it printed.
    """

    notebook: str
    number: int
    total: int
    state: str
    source: str
    seconds: float | None = None
    output: str = ""

    def __str__(self) -> str:
        took = "" if self.seconds is None else f" in {self.seconds:.1f} s"
        return f"{self.notebook}, cell {self.number} of {self.total}: {self.state}{took}"


class NotebookRunner(Protocol):
    """Executes one notebook to its end."""

    def run(self, job: NotebookJob, on_cell: Callable[[CellEvent], None]) -> str | None:
        """Return None if every cell ran, else one clause that says why not; `on_cell` is called from any thread."""

    def cancel(self) -> None:
        """End every notebook that is running, and start no other."""


class ProcessRunner:
    """Runs each notebook in a process group of its own, which never outlives its time."""

    def __init__(self) -> None:
        self._running: dict[subprocess.Popen[bytes], str] = {}  # with the marks of all that they start
        self._cancelled = False
        self._lock = threading.Lock()

    def cancel(self) -> None:
        """See `NotebookRunner.cancel`."""
        with self._lock:
            self._cancelled = True
            for process, tree in self._running.items():
                _kill(process, tree)

    def run(self, job: NotebookJob, on_cell: Callable[[CellEvent], None]) -> str | None:
        """See `NotebookRunner.run`."""
        job.output.parent.mkdir(parents=True, exist_ok=True)
        description, answer = job.output.with_suffix(".job.json"), job.output.with_suffix(".answer.json")
        answer.unlink(missing_ok=True)
        body = {
            "notebook": str(job.notebook),
            "output": str(job.output),
            "answer": str(answer),
            "parameters": dict(job.parameters),
            "cwd": str(job.cwd),
            "parent": os.getpid(),
        }
        description.write_text(json.dumps(body), encoding="utf-8")
        process = self._start(description, job)
        if process is None:
            return "it was cancelled"
        telling = threading.Thread(target=_tell, args=(process.stdout, job.name, on_cell), daemon=True)
        telling.start()
        try:
            process.wait(timeout=job.timeout)
        except subprocess.TimeoutExpired:
            return f"it took longer than {job.timeout:g} s"
        finally:
            with self._lock:
                _kill(process, self._running.pop(process))
            telling.join(timeout=5)  # whoever wrote to the pipe is gone
            description.unlink(missing_ok=True)
            keep_partial(job.output)
        if not answer.exists():
            return f"its process ended with code {process.returncode} (see {job.output.with_suffix('.log')})"
        error = json.loads(answer.read_text(encoding="utf-8"))["error"]
        answer.unlink()
        return None if error is None else str(error)

    def _start(self, description: Path, job: NotebookJob) -> subprocess.Popen[bytes] | None:
        """Start the worker, which tells of its cells on its standard output; None once all is cancelled."""
        with job.output.with_suffix(".log").open("w") as log, self._lock:
            if self._cancelled:
                return None
            mark = processes.new_tree()
            process = subprocess.Popen(
                [sys.executable, "-m", "modelops_jupyter.pipelines.worker", str(description)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **job.environment, **mark},
            )
            self._running[process] = mark[processes.TREE]
            return process


class InMemoryRunner:
    """Runs nothing: answers from `failures`, by notebook name, and remembers its jobs; for tests of pipelines."""

    def __init__(self, failures: Mapping[str, str] | None = None) -> None:
        self.failures = dict(failures or {})
        self.jobs: list[NotebookJob] = []

    def run(self, job: NotebookJob, on_cell: Callable[[CellEvent], None]) -> str | None:
        """See `NotebookRunner.run`."""
        self.jobs.append(job)
        return self.failures.get(job.notebook.name)

    def cancel(self) -> None:
        """See `NotebookRunner.cancel`."""


def partial_of(output: Path) -> Path:
    """Return where a notebook is written before it is whole."""
    return output.with_suffix(".partial.ipynb")


def keep_partial(output: Path) -> None:
    """Put what a worker that was ended has written where it belongs, if it is whole; else nothing is left of it."""
    partial = partial_of(output)
    if not partial.exists():
        return
    try:
        json.loads(partial.read_text(encoding="utf-8"))
    except ValueError:  # it was ended while it wrote
        partial.unlink()
    else:
        partial.rename(output)


def left_of(output: Path) -> Path:
    """Return what a notebook that failed has left: itself so far, or its log where not even that is there."""
    return output if output.exists() else output.with_suffix(".log")


def _tell(lines: IO[bytes], name: str, on_cell: Callable[[CellEvent], None]) -> None:
    """Pass on what a worker says of its cells until it ends."""
    with lines:
        for line in lines:
            if line.endswith(b"\n"):  # a worker that was killed leaves half a line
                on_cell(CellEvent(name, **json.loads(line)))


def _kill(process: subprocess.Popen[bytes], tree: str) -> None:
    """End whatever is left of a process and of what it has started, kernels and daemons included."""
    processes.kill(process.pid, tree)
    process.wait()
