"""Projects with a notebook and a script that make runs, and how what they run is asked for their tags."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from mlflow import MlflowClient
from repositories import git

RULES = Path(__file__).parents[2] / "notebooks" / "flight_delay" / "passenger_care.json"
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
NOTEBOOK, SCRIPT = "my nötebooks/train it.ipynb", "scripts/train it.py"

# A run that MLflow begins, one that registering makes, and one that is given without any tag.
CODE = """
import json, os
from pathlib import Path
import mlflow
from mlflow import MlflowClient
import modelops_jupyter as mo

ws = mo.open(os.environ["PROJECT"])
address = ws.registry.tracking_uri
mlflow.set_tracking_uri(address)
client = MlflowClient(address)
model = Path(os.environ["RULES"])
experiment = ws.registry.experiment_id
with mlflow.start_run(experiment_id=experiment) as begun:
    ws.register(model, "delay", run_id=begun.info.run_id)
bare = client.create_run(experiment, tags={"mlflow.source.name": "/x/ipykernel_launcher.py"}).info.run_id
ws.register(model, "delay", run_id=bare)
own = ws.register(model, "delay").body
runs = {"begun": begun.info.run_id, "bare": bare, "own": own["run_id"]}
Path(os.environ["RUNS"]).write_text(json.dumps({"runs": runs, "source": own["source"]}))
"""


def write_notebook(path: Path, *cells: str) -> None:
    """Write a notebook with cells of code."""
    codes = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=codes, metadata=KERNEL), path)


@dataclass(frozen=True)
class Project:
    """A repository that holds `notebook` and `script`, and where what runs there leaves its runs' ids."""

    top: Path
    environment: Mapping[str, str]

    @property
    def notebook(self) -> Path:
        """The notebook."""
        return self.top / NOTEBOOK

    @property
    def script(self) -> Path:
        """The script."""
        return self.top / SCRIPT

    @property
    def commit(self) -> str:
        """The commit that holds both."""
        return git(self.top, "rev-parse", "HEAD")

    @property
    def runs(self) -> Path:
        """Where the code leaves the ids of its runs."""
        return Path(self.environment["RUNS"])

    def commit_all(self) -> None:
        """Commit what is new or changed."""
        git(self.top, "add", ".")
        git(self.top, "commit", "-m", "more")

    def run(self, *words: str, folder: Path | None = None) -> None:
        """Run a command of the environment in a process of its own."""
        command = [sys.executable, *words]
        done = subprocess.run(command, cwd=folder or self.top, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]

    def tags(self) -> dict[str, dict[str, str]]:
        """Return the tags of each run that the code has made, and forget them."""
        body = json.loads(self.runs.read_text())
        self.runs.unlink()
        client = MlflowClient(f"sqlite:///{self.top}/.modelops/mlflow.db")
        return {name: client.get_run(run_id).data.tags for name, run_id in body["runs"].items()} | {
            "version": body["source"]
        }
