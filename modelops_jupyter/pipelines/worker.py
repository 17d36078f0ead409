"""One notebook in a process of its own: ``python -m modelops_jupyter.pipelines.worker JOB.json``.

The output is written beside its final place, synced and renamed, so that it is whole or absent. What became of the
notebook is the exit code and the answer file, never the notebook's own metadata, which lies when a kernel dies.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any


def main(job_path: str) -> int:
    """Execute the job in `job_path`; 0 if every cell ran."""
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    job = json.loads(Path(job_path).read_text(encoding="utf-8"))
    output, answer = Path(job["output"]), Path(job["answer"])
    partial = output.with_suffix(".partial.ipynb")
    error = _execute(job, partial)
    if partial.exists():
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.rename(output)
    answer.write_text(json.dumps({"error": error}), encoding="utf-8")
    return 0 if error is None else 1


def _execute(job: dict[str, Any], output: Path) -> str | None:
    """Return why the notebook failed, or None."""
    import papermill
    from nbclient.exceptions import DeadKernelError

    try:
        papermill.execute_notebook(
            job["notebook"],
            str(output),
            parameters=job["parameters"],
            cwd=job["cwd"],
            engine_name="modelops",
            progress_bar=False,
        )
    except papermill.PapermillExecutionError as error:
        return f"cell {error.exec_count} raised {error.ename}: {error.evalue}"
    except DeadKernelError:
        return "its kernel died"
    return None


def _end_with_parent(parent: int) -> None:
    """End the whole process group, kernel included, once the process that runs the pipeline is gone."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
