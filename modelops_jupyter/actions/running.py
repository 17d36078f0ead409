"""Running pipelines and notebooks in a workspace: where they run, under whose name, what they leave."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from modelops_jupyter.actor import Actor
from modelops_jupyter.settings import Settings

if TYPE_CHECKING:
    from modelops_jupyter.listing import Listing
    from modelops_jupyter.pipelines import CellEvent, NotebookRun, PipelineRun, StepEvent
    from modelops_jupyter.store import Store


class Ears(NamedTuple):
    """Who is told how a run goes, and who says when it shall end."""

    on_progress: Callable[[StepEvent], None] | None
    on_cell: Callable[[CellEvent], None] | None
    stopped: Callable[[], bool] | None


def run(
    store: Store,
    settings: Settings,
    actor: Actor,
    pipeline: Path,
    parameters: Mapping[str, Any] | None,
    ears: Ears,
    *,
    jobs: int,
    resume: bool,
) -> PipelineRun:
    """See `Workspace.run`."""
    from modelops_jupyter.pipelines import load_pipeline, run_pipeline

    return run_pipeline(
        load_pipeline(pipeline),
        store=store,
        runs_path=settings.runs_path,
        project=settings.project,
        parameters=dict(parameters or {}),
        resume=resume,
        jobs=jobs,
        actor=actor,
        **ears._asdict(),
    )


def run_notebook(
    settings: Settings,
    path: Path,
    *,
    parameters: Mapping[str, Any] | None,
    output: str | os.PathLike[str] | None,
    on_cell: Callable[[CellEvent], None] | None,
) -> NotebookRun:
    """See `Workspace.run_notebook`."""
    from modelops_jupyter.pipelines import run_notebook

    return run_notebook(
        path,
        parameters=dict(parameters or {}),
        output=None if output is None else Path(output),
        work_path=settings.work_path,
        project=settings.project,
        on_cell=on_cell,
    )


def notebook_parameters(path: Path) -> Listing:
    """See `Workspace.notebook_parameters`."""
    from modelops_jupyter.pipelines import list_parameters

    return list_parameters(path)
