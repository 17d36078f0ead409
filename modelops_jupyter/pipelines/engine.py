"""papermill's engine ``modelops``: a dead kernel is an error, whatever papermill would call it."""

from __future__ import annotations

from typing import Any

from nbclient.exceptions import DeadKernelError
from papermill.engines import NBClientEngine


class ModelOpsEngine(NBClientEngine):
    """Executes like papermill's own engine, then makes sure that every cell really ran.

    papermill 2.7 calls a notebook completed whose kernel was killed in the middle.
    """

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        """Execute the notebook held by `nb_man`.

        Raises
        ------
        DeadKernelError
            If a cell with code was not executed.
        """
        super().execute_managed_notebook(nb_man, kernel_name, **options)
        for number, cell in enumerate(nb_man.nb.cells, start=1):
            if any(output.output_type == "error" for output in cell.get("outputs", ())):
                return  # papermill itself reports a cell that raised
            if cell.cell_type == "code" and cell.source.strip() and cell.execution_count is None:
                raise DeadKernelError(f"The kernel died before cell {number} had run.")
