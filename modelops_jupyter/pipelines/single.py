"""One notebook with parameters, outside any pipeline."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from modelops_jupyter.errors import Conflict, InvalidInput, InvalidPipeline, NotebookFailed, NotFound
from modelops_jupyter.pipelines.parameters import read_parameters
from modelops_jupyter.pipelines.runner import CellEvent, NotebookJob, NotebookRunner, ProcessRunner, left_of
from modelops_jupyter.pipelines.spec import DEFAULT_TIMEOUT
from modelops_jupyter.pipelines.values import fit
from modelops_jupyter.presentable import Presentable


@dataclass(frozen=True)
class NotebookRun(Presentable):
    """One executed notebook; `output` is where it lies with its results, `seconds` is wall clock."""

    notebook: str
    output: str
    parameters: Mapping[str, Any]
    seconds: float

    def __str__(self) -> str:
        return f"{self.notebook} ran in {self.seconds:.0f} s: see {self.output}"


def run_notebook(
    notebook: Path,
    *,
    parameters: Mapping[str, Any],
    output: Path | None = None,
    work_path: Path,
    project: Path,
    timeout: float = DEFAULT_TIMEOUT,
    on_cell: Callable[[CellEvent], None] | None = None,
    runner: NotebookRunner | None = None,
) -> NotebookRun:
    """Execute a notebook and leave it, with its outputs, at `output`.

    Parameters
    ----------
    output
        Where nothing is yet; without it, beside the notebook under its name and the time.

    Raises
    ------
    NotFound
        If there is no such notebook, or no folder for its output.
    InvalidPipeline
        If it declares no such parameter, or a value does not fit the declaration.
    Conflict
        If there is a file at `output`.
    NotebookFailed
        If a cell raised, or it lost its kernel or its time; what it did so far is at `output`.
    """
    if notebook.suffix != ".ipynb" or not notebook.is_file():
        raise NotFound(f"There is no notebook {str(notebook)!r}.")
    declared = {parameter.name: parameter for parameter in read_parameters(notebook)}
    strangers = sorted(set(parameters) - set(declared))
    if strangers:
        known = ", ".join(declared) or "none"
        raise InvalidPipeline(
            f"{notebook.name} declares no parameter {strangers[0]!r}: its parameters cell has {known}."
        )
    parameters = {name: fit(declared[name], value, notebook.name) for name, value in parameters.items()}
    begun = datetime.now(UTC)
    output = output or notebook.with_name(f"{notebook.stem}-{begun:%Y%m%dT%H%M%S}.ipynb")
    _check_output(output)
    work = work_path / f"{begun:%Y%m%dT%H%M%S}-{uuid4().hex[:6]}" / notebook.name
    environment = {"MODELOPS_WORKSPACE": str(project)}
    job = NotebookJob(notebook.name, notebook, work, parameters, notebook.parent, timeout, environment)
    using = runner or ProcessRunner()
    try:
        failure = using.run(job, on_cell or (lambda event: None))
    except BaseException:
        using.cancel()
        raise
    if work.exists():
        _check_output(output)  # an hour may have passed
        shutil.move(work, output)
    if failure is not None:
        left = output if output.exists() else left_of(work)
        what = "What it did so far is in" if left == output else "Its log is"
        raise NotebookFailed(f"{notebook.name} failed: {failure}. {what} {left}.")
    seconds = round((datetime.now(UTC) - begun).total_seconds(), 1)
    return NotebookRun(str(notebook), str(output), dict(parameters), seconds)


def _check_output(output: Path) -> None:
    if output.suffix != ".ipynb":
        raise InvalidInput(f"The output {str(output)!r} is no notebook: give it a name that ends in .ipynb.")
    if not output.parent.is_dir():
        raise NotFound(f"There is no folder {str(output.parent)!r} for the output: create it first.")
    if output.exists():
        raise Conflict(f"{output} is there already: choose another name for the output.")
