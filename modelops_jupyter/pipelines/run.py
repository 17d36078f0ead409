"""Running a pipeline: state lives in the store, so that a run that was killed goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import InvalidInput, NotebookFailed
from modelops_jupyter.pipelines import lease
from modelops_jupyter.pipelines.runner import CellEvent, NotebookJob, NotebookRunner, ProcessRunner, left_of
from modelops_jupyter.pipelines.spec import Pipeline, Task, bind
from modelops_jupyter.portable import absolute_path, recorded_path
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.store import Change, Event, Put, Store, in_order

if TYPE_CHECKING:
    import pandas as pd

LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class StepEvent:
    """Progress of one step: `state` is running, completed, kept or failed."""

    step: str
    state: str
    number: int
    total: int
    seconds: float | None = None

    def __str__(self) -> str:
        took = "" if self.seconds is None else f" in {self.seconds:.0f} s"
        return f"[{self.number}/{self.total}] {self.step}: {self.state}{took}"


@dataclass(frozen=True)
class StepRun:
    """One step of a run; `inputs` is the SHA-256 of notebook, parameters and everything upstream."""

    step: str
    state: str
    inputs: str
    output: str
    seconds: float


@dataclass(frozen=True)
class PipelineRun(Presentable):
    """One execution of a pipeline; `state` is running, completed, failed, interrupted or abandoned.

    `origin` is the run that was begun afresh: this one, or the first of those that it goes on with. `remark` is what
    one who wanted to go on should know.
    """

    run_id: str
    pipeline: str
    state: str
    steps: tuple[StepRun, ...]
    origin: str
    remark: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the run as plain data."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per step."""
        import pandas as pd

        return pd.DataFrame([asdict(step) for step in self.steps])

    def __str__(self) -> str:
        lines = [f"Run {self.run_id} of {self.pipeline}: {self.state}"]
        width = max((len(step.step) for step in self.steps), default=0)
        lines += [f"  {step.step:<{width}}  {step.state} in {step.seconds:.0f} s  {step.output}" for step in self.steps]
        lines += [self.remark] if self.remark else []
        return "\n".join(lines)


def run_pipeline(
    pipeline: Pipeline,
    *,
    store: Store,
    runs_path: Path,
    project: Path,
    parameters: Mapping[str, Any],
    resume: bool = False,
    jobs: int = 1,
    actor: Actor,
    on_progress: Callable[[StepEvent], None] | None = None,
    on_cell: Callable[[CellEvent], None] | None = None,
    stopped: Callable[[], bool] | None = None,
    runner: NotebookRunner | None = None,
) -> PipelineRun:
    """Execute every step, up to `jobs` at once, each with its share of the cores unless ``OMP_NUM_THREADS`` is set.

    With `resume` the last run goes on: its completed steps whose inputs are the same are kept, and a step that it left
    half done registers no model twice. Without, everything is made anew.

    `on_progress`, `on_cell` and `stopped` are called in the caller's thread; once `stopped` says yes, whatever cell is
    running is ended, and so is the run, which is "interrupted" and can be resumed.

    Raises
    ------
    InvalidPipeline
        If a parameter is declared by no notebook; nothing has run then.
    Conflict
        If a run of the same pipeline is going on.
    NotebookFailed
        If a step failed; the run can be resumed.
    """
    if jobs < 1:
        raise InvalidInput(f"jobs is the number of notebooks at once: at least 1, not {jobs}.")
    tasks = bind(pipeline, parameters)
    run_id = datetime.now(UTC).strftime("%Y%m%dT%H%M%S-") + uuid4().hex[:6]
    save = partial(_save, store, project)
    with _leased(store, pipeline.name, run_id, os.path.realpath(project)):
        begun = Event("run", pipeline.name, actor.name, actor.assurance, {"run_id": run_id, "resume": resume})
        origin = (_last_origin(store, pipeline.name) if resume else None) or run_id
        earlier = _completed(store, pipeline.name, origin, project)
        run = PipelineRun(run_id, pipeline.name, "running", (), origin)
        save(run, begun)
        execution = _Execution(
            tasks,
            origin,
            earlier,
            store,
            runs_path / run_id,
            project,
            runner or ProcessRunner(),
            on_progress or (lambda e: None),
            on_cell or (lambda e: None),
            stopped or (lambda: False),
        )
        try:
            run = execution.finish(run, jobs)
        except BaseException:  # Ctrl-C, a full disk: put on record that the run has ended, and let it through
            save(replace(run, state="interrupted", steps=execution.steps))
            raise
        if resume and not execution.kept:
            run = replace(run, remark=_begun_anew(run))
        if execution.failure is not None:
            save(run)
            raise NotebookFailed(execution.failure)
        if run.state == "interrupted":
            save(run)
            return run
        save(run, Event("run-completed", pipeline.name, actor.name, actor.assurance, {"run_id": run_id}))
        return run


@contextmanager
def _leased(store: Store, pipeline: str, run_id: str, home: str) -> Iterator[None]:
    died = lease.acquire(store, pipeline, run_id, home)
    if died is not None and (record := store.get("run", died)) is not None and record.body["state"] == "running":
        store.commit(Change(puts=(Put("run", died, {**record.body, "state": "abandoned"}, subject=pipeline),)))
    try:
        yield
    finally:
        lease.release(store, pipeline, run_id)


class _Execution:
    """One run in progress: notebooks run in threads of their own, everything else happens in the caller's."""

    def __init__(
        self,
        tasks: tuple[Task, ...],
        origin: str,
        earlier: Mapping[tuple[str, str], StepRun],
        store: Store,
        folder: Path,
        project: Path,
        runner: NotebookRunner,
        report: Callable[[StepEvent], None],
        report_cell: Callable[[CellEvent], None],
        stopped: Callable[[], bool],
    ) -> None:
        self.tasks, self.origin, self.earlier, self.store, self.folder = tasks, origin, earlier, store, folder
        self.project, self.runner, self.report, self.report_cell = project, runner, report, report_cell
        self.stopped = stopped
        self.news: SimpleQueue[Future[tuple[str | None, float]] | CellEvent] = SimpleQueue()
        self.renewed = time.monotonic()
        self.done: dict[str, StepRun] = {}
        self.kept = 0
        self.failure: str | None = None

    @property
    def steps(self) -> tuple[StepRun, ...]:
        """What has ended so far, in the pipeline's order."""
        return tuple(self.done[task.name] for task in self.tasks if task.name in self.done)

    def finish(self, run: PipelineRun, jobs: int) -> PipelineRun:
        """Run every task whose turn comes; after a failure, only what has begun; nothing once it is stopped."""
        running: dict[Future[tuple[str | None, float]], Task] = {}
        threads = _threads(min(jobs, len(self.tasks)))
        with ThreadPoolExecutor(max_workers=jobs) as pool:
            try:
                while running or self._ready(running):
                    if self.stopped():
                        self.runner.cancel()
                        return replace(run, state="interrupted", steps=self.steps)
                    for task in self._ready(running)[: jobs - len(running)]:
                        if not self._keep(task):
                            self._tell(task, "running")
                            future = pool.submit(self._execute, task, threads)
                            running[future] = task
                            future.add_done_callback(self.news.put)
                    self._hear(run, running)
            except BaseException:
                self.runner.cancel()
                raise
        return replace(run, state="failed" if self.failure else "completed", steps=self.steps)

    def _hear(self, run: PipelineRun, running: dict[Future[tuple[str | None, float]], Task]) -> None:
        """Wait for the next thing that a notebook's thread has to say, and renew the lease now and then."""
        news: Future[tuple[str | None, float]] | CellEvent | None = None
        with suppress(Empty):
            news = self.news.get(timeout=LOOK_SECONDS) if running else None
        if isinstance(news, CellEvent):
            self.report_cell(news)
        elif news is not None:
            self._record(running.pop(news), *news.result())
            _save(self.store, self.project, replace(run, steps=self.steps))
        if isinstance(news, Future) or time.monotonic() - self.renewed > lease.HEARTBEAT_SECONDS:
            lease.renew(self.store, run.pipeline, run.run_id, os.path.realpath(self.project))
            self.renewed = time.monotonic()

    def _ready(self, running: Mapping[Any, Task]) -> list[Task]:
        if self.failure is not None:
            return []
        waiting = [task for task in self.tasks if task.name not in self.done and task not in running.values()]
        return [task for task in waiting if all(need in self.done for need in task.needs)]

    def _keep(self, task: Task) -> bool:
        kept = self.earlier.get((task.name, self._inputs(task)))
        if kept is None:
            return False
        self.done[task.name] = kept
        self.kept += 1
        self._tell(task, "kept")
        return True

    def _execute(self, task: Task, threads: Mapping[str, str]) -> tuple[str | None, float]:
        environment = {
            **threads,
            "MODELOPS_WORKSPACE": str(self.project),
            "MODELOPS_STEP": f"{self.origin}/{self._inputs(task)}",
        }
        output = self.folder / f"{task.name}.ipynb"
        job = NotebookJob(
            task.name, task.notebook, output, task.parameters, task.notebook.parent, task.timeout, environment
        )
        at = datetime.now(UTC)
        failure = self.runner.run(job, self.news.put)
        return failure, round((datetime.now(UTC) - at).total_seconds(), 1)

    def _record(self, task: Task, failure: str | None, seconds: float) -> None:
        state = "completed" if failure is None else "failed"
        output = self.folder / f"{task.name}.ipynb"
        output = output if failure is None else left_of(output)
        self.done[task.name] = StepRun(task.name, state, self._inputs(task), str(output), seconds)
        self._tell(task, state, seconds)
        if failure is not None and self.failure is None:
            what = "notebook so far" if output.suffix == ".ipynb" else "log"
            self.failure = (
                f"Step {task.name!r} failed: {failure}. Its {what} is {output}; mend {task.notebook.name} and "
                "run again with resume=True (--resume)."
            )

    def _tell(self, task: Task, state: str, seconds: float | None = None) -> None:
        self.report(StepEvent(task.name, state, self.tasks.index(task) + 1, len(self.tasks), seconds))

    def _inputs(self, task: Task) -> str:
        upstream = {need: self.done[need].inputs for need in sorted(task.needs)}
        notebook = hashlib.sha256(task.notebook.read_bytes()).hexdigest()
        text = json.dumps([task.name, notebook, dict(task.parameters), upstream], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def _threads(at_once: int) -> dict[str, str]:
    """Return what keeps each of some notebooks at once to its share of the cores: threads that spin slow the others."""
    if at_once == 1 or "OMP_NUM_THREADS" in os.environ:
        return {}
    return {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // at_once))}


def _begun_anew(run: PipelineRun) -> str:
    """Say why a run that was to go on with the last one kept nothing of it."""
    if run.origin == run.run_id:
        return f"There was no run of {run.pipeline!r} to go on with: every step ran."
    return "Nothing of the last run was completed with these notebooks and parameters: every step ran."


def _last_origin(store: Store, pipeline: str) -> str | None:
    runs = in_order(store.find("run", pipeline))
    return str(runs[-1].body["origin"]) if runs else None


def _completed(store: Store, pipeline: str, origin: str, project: Path) -> dict[tuple[str, str], StepRun]:
    """Return the completed steps of a run and of those that went on with it, by name and inputs."""
    found = {}
    for record in in_order(store.find("run", pipeline)):
        if record.body["origin"] == origin:
            recorded = [StepRun(**step) for step in record.body["steps"]]
            steps = [replace(step, output=absolute_path(step.output, project)) for step in recorded]
            found.update({(step.step, step.inputs): step for step in steps if step.state == "completed"})
    return found


def _save(store: Store, project: Path, run: PipelineRun, event: Event | None = None) -> None:
    steps = tuple(replace(step, output=recorded_path(step.output, project)) for step in run.steps)
    body = replace(run, steps=steps).to_dict()
    store.commit(Change(puts=(Put("run", run.run_id, body, subject=run.pipeline),), event=event))
