"""One notebook in a process of its own: ``python -m modelops_jupyter.pipelines.worker JOB.json``.

Each cell that begins or ends is a line of JSON on standard output; whatever else is printed goes to standard error.

The output is written beside its final place, synced and renamed, so that it is whole or absent. What became of the
notebook is the exit code and the answer file, never the notebook's own metadata, which lies when a kernel dies.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelops_jupyter import processes
from modelops_jupyter.pipelines.runner import partial_of

LONGEST_REASON = 300
PAPERMILL_MARK = "papermill-error-cell-tag"


def main(job_path: str) -> int:
    """Execute the job in `job_path`; 0 if every cell ran."""
    job = json.loads(Path(job_path).read_text(encoding="utf-8"))
    processes.adopt_orphans()
    threading.Thread(target=_end_with_parent, args=(job["parent"],), daemon=True).start()
    output, answer = Path(job["output"]), Path(job["answer"])
    partial = partial_of(output)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as progress:  # only this process has it: its kernel does not
        os.dup2(2, 1)
        error = _execute(job, partial, lambda event: print(json.dumps(event), file=progress, flush=True))
    if partial.exists():
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.rename(output)
    processes.end_descendants(os.getpid(), os.environ.get(processes.TREE))  # what its cells have left running
    answer.write_text(json.dumps({"error": error}), encoding="utf-8")
    return 0 if error is None else 1


def _execute(job: dict[str, Any], output: Path, on_cell: Callable[[dict[str, Any]], None]) -> str | None:
    """Return why the notebook failed, or None."""
    processes.skip_grammar()
    import papermill
    from nbclient.exceptions import DeadKernelError

    from modelops_jupyter.pipelines import translator

    translator.register()
    source = _without_null_tags(Path(job["notebook"]), output)
    try:
        papermill.execute_notebook(
            str(source),
            str(output),
            parameters=translator.constructed(Path(job["notebook"]), job["parameters"]),
            cwd=job["cwd"],
            engine_name="modelops",
            progress_bar=False,
            on_cell=on_cell,
            **_kernel(job["notebook"]),
        )
    except papermill.PapermillExecutionError as error:
        if _may_raise(output):
            return None
        return f"cell {error.exec_count} raised {error.ename}{_reason(error.evalue)}"
    except DeadKernelError:
        return "its kernel died"
    except Exception as error:
        traceback.print_exc()  # into the log beside the output
        return f"it could not be run ({type(error).__name__}{_reason(str(error))})"
    finally:
        if source != Path(job["notebook"]):
            source.unlink()
    return None


def _without_null_tags(notebook: Path, output: Path) -> Path:
    """Return a notebook that papermill reads: where ``tags: null`` stands, which it cannot read, a copy without."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    metadata = [cell.get("metadata") or {} for cell in content.get("cells", ())]
    if not any("tags" in about and about["tags"] is None for about in metadata):
        return notebook
    for about in metadata:
        about["tags"] = about.get("tags") or []
    copy = output.with_name(f"{output.stem}.source.ipynb")
    copy.write_text(json.dumps(content), encoding="utf-8")
    return copy


def _reason(text: str) -> str:
    """Return the first line of an exception's text, which may be megabytes: the notebook has the whole of it."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return f": {line[:LONGEST_REASON]}{'…' if len(line) > LONGEST_REASON else ''}" if line else ""


def _may_raise(output: Path) -> bool:
    """Return whether only cells tagged for it raised, and take back the marks that papermill set for them."""
    import nbformat

    from modelops_jupyter.pipelines.engine import MAY_RAISE, tags_of

    notebook = nbformat.read(output, as_version=4)
    cells = [cell for cell in notebook.cells if PAPERMILL_MARK not in tags_of(cell)]
    failed = [cell for cell in cells if any(item.output_type == "error" for item in cell.get("outputs", ()))]
    if not all(MAY_RAISE in tags_of(cell) for cell in failed):
        return False
    notebook.cells = cells
    nbformat.write(notebook, output)
    return True


def _kernel(notebook: str) -> dict[str, str]:
    """Return the kernel and language of a notebook that names none: one that was never opened."""
    metadata = json.loads(Path(notebook).read_text(encoding="utf-8")).get("metadata", {})
    spec = metadata.get("kernelspec", {})
    wanted = {} if spec.get("name") else {"kernel_name": "python3"}
    if not spec.get("language") and not metadata.get("language_info", {}).get("name"):
        wanted["language"] = "python"
    return wanted


def _end_with_parent(parent: int) -> None:
    """End the whole process group, kernel included, once the process that runs the pipeline is gone."""
    while os.getppid() == parent:
        time.sleep(0.5)
    processes.kill(os.getpid(), os.environ.get(processes.TREE))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
