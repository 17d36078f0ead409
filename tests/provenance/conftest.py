"""A project in a repository, and a workspace in it with MLflow in SQLite."""

import os
import shutil
from pathlib import Path

import pytest
from projects import CODE, NOTEBOOK, RULES, SCRIPT, Project, write_notebook
from repositories import git, repository


@pytest.fixture
def project(tmp_path: Path, mlflow_database: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return a project with everything committed; tests' own processes have its environment."""
    top = tmp_path / "my projéct"
    for name in (NOTEBOOK, SCRIPT):
        (top / name).parent.mkdir(parents=True)
    write_notebook(top / NOTEBOOK, CODE)
    (top / SCRIPT).write_text(CODE)
    (top / ".gitignore").write_text(".modelops\n")
    repository(top)
    git(top, "remote", "add", "origin", "https://ann:s3cret@git.example.org/team/delay.git")
    (top / ".modelops").mkdir()
    shutil.copy(mlflow_database, top / ".modelops" / "mlflow.db")
    own = {
        "PROJECT": str(top),
        "PWD": str(top),  # as a shell would
        "RULES": str(RULES),
        "RUNS": str(tmp_path / "runs.json"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
    }
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    for name in ("JPY_SESSION_NAME", "JPY_PARENT_PID", "MODELOPS_NOTEBOOK", "MODELOPS_NOTEBOOK_PARENT"):
        monkeypatch.delenv(name, raising=False)
    return Project(top, dict(os.environ))
