"""papermill's engine ``modelops``: a dead kernel is an error, whatever papermill would call it; every cell is told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.engines import NBClientEngine

from modelops_jupyter.provenance import environment_for

LONGEST_LINE = 120
LONGEST_OUTPUT = 2000
# Tags of cells as nbclient reads them: one is not executed, one may raise and the notebook goes on.
SKIPPED, MAY_RAISE = "skip-execution", "raises-exception"


def tags_of(cell: Any) -> Sequence[str]:
    """Return a cell's tags."""
    return (cell.get("metadata") or {}).get("tags") or ()


class ModelOpsEngine(NBClientEngine):
    """Executes like papermill's own engine, then makes sure that every cell really ran.

    papermill 2.7 calls a notebook completed whose kernel was killed in the middle.
    """

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        on_cell: Callable[[dict[str, Any]], None] | None = None,
        **options: Any,
    ) -> None:
        """Execute the notebook held by `nb_man`.

        Parameters
        ----------
        on_cell
            Called as each cell with code begins and ends, with the fields of a `CellEvent`.

        Raises
        ------
        DeadKernelError
            If a cell with code was not executed.
        """
        if on_cell is not None:
            _report_cells(nb_man, on_cell)
        notebook = _input_file(options.get("input_path"))
        if notebook is not None:
            options["kernel_manager_class"] = _telling(notebook)
        super().execute_managed_notebook(nb_man, kernel_name, **options)
        for number, cell in enumerate(nb_man.nb.cells, start=1):
            if any(output.output_type == "error" for output in cell.get("outputs", ())):
                if MAY_RAISE in tags_of(cell):
                    continue
                return  # papermill itself reports a cell that raised
            if _runs(cell) and cell.execution_count is None:
                raise DeadKernelError(f"The kernel died before cell {number} had run.")


def _input_file(path: Any) -> Path | None:
    """Return the notebook that papermill reads; papermill has changed the current folder where it was asked to."""
    folders = [Path.cwd(), Path(os.environ.get("PWD", "."))]
    return next((folder / str(path) for folder in folders if path and (folder / str(path)).is_file()), None)


def _telling(notebook: Path) -> type[AsyncKernelManager]:
    """Return a kernel manager that tells its kernel which notebook it runs."""

    class TellingKernelManager(AsyncKernelManager):
        async def start_kernel(self, **options: Any) -> None:
            environment = {**os.environ, **options.pop("env", {}), **environment_for(notebook)}
            await super().start_kernel(env=environment, **options)

    return TellingKernelManager


def _report_cells(nb_man: Any, tell: Callable[[dict[str, Any]], None]) -> None:
    """Have papermill's record keeper tell when a cell begins and ends."""
    begin, complete = nb_man.cell_start, nb_man.cell_complete
    places = [index for index, cell in enumerate(nb_man.nb.cells) if _runs(cell)]
    began: dict[int, float] = {}

    def event(cell: Any, index: int, state: str, **more: Any) -> None:
        if index in places:
            line = next(line for line in cell.source.splitlines() if line.strip())
            about = {"number": places.index(index) + 1, "total": len(places), "source": line.strip()[:LONGEST_LINE]}
            tell({**about, "state": state, **more})

    def cell_start(cell: Any, cell_index: int, **options: Any) -> None:
        begin(cell, cell_index=cell_index, **options)
        began[cell_index] = time.monotonic()
        event(cell, cell_index, "running")

    def cell_complete(cell: Any, cell_index: int, **options: Any) -> None:
        complete(cell, cell_index=cell_index, **options)
        failed = any(output.output_type == "error" for output in cell.get("outputs", ()))
        seconds = round(time.monotonic() - began[cell_index], 2)
        event(cell, cell_index, "failed" if failed else "completed", seconds=seconds, output=_printed(cell))

    nb_man.cell_start, nb_man.cell_complete = cell_start, cell_complete


def _runs(cell: Any) -> bool:
    return bool(cell.cell_type == "code" and cell.source.strip() and SKIPPED not in tags_of(cell))


def _printed(cell: Any) -> str:
    """Return the end of what a cell printed."""
    texts = [str(output.text) for output in cell.get("outputs", ()) if output.output_type == "stream"]
    return "".join(texts)[-LONGEST_OUTPUT:]
