"""Running one notebook: the seam between a pipeline and whatever executes notebooks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class NotebookJob:
    """One execution; `timeout` is in seconds of wall clock, `environment` is added to the process's own."""

    notebook: Path
    output: Path
    parameters: Mapping[str, Any]
    cwd: Path
    timeout: float
    environment: Mapping[str, str]


class NotebookRunner(Protocol):
    """Executes one notebook to its end."""

    def run(self, job: NotebookJob) -> str | None:
        """Return None if every cell ran, else one clause that says why not."""

    def cancel(self) -> None:
        """End every notebook that is running, and start no other."""


class ProcessRunner:
    """Runs each notebook in a process group of its own, which never outlives its time."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._cancelled = False
        self._lock = threading.Lock()

    def cancel(self) -> None:
        """See `NotebookRunner.cancel`."""
        with self._lock:
            self._cancelled = True
            for process in self._running:
                _kill(process)

    def run(self, job: NotebookJob) -> str | None:
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
        }
        description.write_text(json.dumps(body), encoding="utf-8")
        command = [sys.executable, "-m", "modelops_jupyter.pipelines.worker", str(description)]
        with job.output.with_suffix(".log").open("w") as log, self._lock:
            if self._cancelled:
                return "it was cancelled"
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **job.environment},
            )
            self._running.add(process)
        try:
            process.wait(timeout=job.timeout)
        except subprocess.TimeoutExpired:
            return f"it took longer than {job.timeout:g} s"
        finally:
            with self._lock:
                self._running.discard(process)
                _kill(process)
            description.unlink(missing_ok=True)
        if not answer.exists():
            return f"its process ended with code {process.returncode} (see {job.output.with_suffix('.log')})"
        error = json.loads(answer.read_text(encoding="utf-8"))["error"]
        answer.unlink()
        return None if error is None else str(error)


class InMemoryRunner:
    """Runs nothing: answers from `failures`, by notebook name, and remembers its jobs; for tests of pipelines."""

    def __init__(self, failures: Mapping[str, str] | None = None) -> None:
        self.failures = dict(failures or {})
        self.jobs: list[NotebookJob] = []

    def run(self, job: NotebookJob) -> str | None:
        """See `NotebookRunner.run`."""
        self.jobs.append(job)
        return self.failures.get(job.notebook.name)

    def cancel(self) -> None:
        """See `NotebookRunner.cancel`."""


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End whatever is left of a process group, kernels included."""
    with contextlib.suppress(ProcessLookupError):  # the usual case: everything has ended by itself
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
