"""Running a pipeline: state lives in the store, so that a run that was killed goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import NotebookFailed
from modelops_jupyter.pipelines.runner import NotebookJob, NotebookRunner, ProcessRunner
from modelops_jupyter.pipelines.spec import Pipeline, Step, bind
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.store import Change, Event, Put, Store

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class StepEvent:
    """Progress of one step: `state` is running, completed, kept or failed."""

    step: str
    state: str
    number: int
    total: int

    def __str__(self) -> str:
        return f"[{self.number}/{self.total}] {self.step}: {self.state}"


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
    """One execution of a pipeline."""

    run_id: str
    pipeline: str
    state: str
    steps: tuple[StepRun, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the run as plain data."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per step."""
        import pandas as pd

        return pd.DataFrame([asdict(step) for step in self.steps])

    def __str__(self) -> str:
        return f"Run {self.run_id} of {self.pipeline}: {self.state}\n{self.to_frame().to_string(index=False)}"


def run_pipeline(
    pipeline: Pipeline,
    *,
    store: Store,
    runs_path: Path,
    project: Path,
    parameters: Mapping[str, Any],
    resume: bool = False,
    actor: Actor,
    on_progress: Callable[[StepEvent], None] | None = None,
    runner: NotebookRunner | None = None,
) -> PipelineRun:
    """Execute every step in order; with `resume`, keep the completed steps of the last run whose inputs are the same.

    Raises
    ------
    InvalidPipeline
        If a parameter is declared by no notebook; nothing has run then.
    NotebookFailed
        If a step failed; the run can be resumed.
    """
    bound = bind(pipeline, parameters)
    execute = (runner or ProcessRunner()).run
    report = on_progress or (lambda event: None)
    earlier = _completed(store, pipeline) if resume else {}
    run_id = datetime.now(UTC).strftime("%Y%m%dT%H%M%S-") + uuid4().hex[:6]
    begun = Event("run", pipeline.name, actor.name, actor.assurance, {"run_id": run_id, "resume": resume})
    _save(store, PipelineRun(run_id, pipeline.name, "running", ()), begun)
    done: dict[str, StepRun] = {}
    for number, step in enumerate(pipeline.steps, start=1):
        inputs = _inputs(step, bound[step.name], done)
        kept = earlier.get((step.name, inputs))
        if kept is not None:
            done[step.name] = kept
            report(StepEvent(step.name, "kept", number, len(pipeline.steps)))
        else:
            report(StepEvent(step.name, "running", number, len(pipeline.steps)))
            output = runs_path / run_id / f"{step.name}.ipynb"
            environment = {"MODELOPS_WORKSPACE": str(project), "MODELOPS_NOTEBOOK": step.notebook.name}
            job = NotebookJob(step.notebook, output, bound[step.name], pipeline.path.parent, step.timeout, environment)
            at = datetime.now(UTC)
            failure = execute(job)
            seconds = round((datetime.now(UTC) - at).total_seconds(), 1)
            state = "completed" if failure is None else "failed"
            done[step.name] = StepRun(step.name, state, inputs, str(output), seconds)
            report(StepEvent(step.name, state, number, len(pipeline.steps)))
            if failure is not None:
                _save(store, PipelineRun(run_id, pipeline.name, "failed", tuple(done.values())))
                raise NotebookFailed(
                    f"Step {step.name!r} of {pipeline.name!r} failed: {failure}. Its notebook so far is {output}; mend "
                    "it and run again with resume=True (--resume)."
                )
        _save(store, PipelineRun(run_id, pipeline.name, "running", tuple(done.values())))
    run = PipelineRun(run_id, pipeline.name, "completed", tuple(done.values()))
    _save(store, run, Event("run-completed", pipeline.name, actor.name, actor.assurance, {"run_id": run_id}))
    return run


def _inputs(step: Step, parameters: Mapping[str, Any], done: Mapping[str, StepRun]) -> str:
    upstream = {need: done[need].inputs for need in sorted(step.needs)}
    notebook = hashlib.sha256(step.notebook.read_bytes()).hexdigest()
    text = json.dumps([step.name, notebook, dict(parameters), upstream], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _completed(store: Store, pipeline: Pipeline) -> dict[tuple[str, str], StepRun]:
    """Return the completed steps of the newest run of a pipeline, by name and inputs."""
    runs = store.find("run", pipeline.name)
    if not runs:
        return {}
    steps = (StepRun(**step) for step in runs[-1].body["steps"])
    return {(step.step, step.inputs): step for step in steps if step.state == "completed"}


def _save(store: Store, run: PipelineRun, event: Event | None = None) -> None:
    store.commit(Change(puts=(Put("run", run.run_id, run.to_dict(), subject=run.pipeline),), event=event))
