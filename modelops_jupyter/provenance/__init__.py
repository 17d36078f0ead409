"""Where a run comes from: the notebook, script or program, and the state of its git repository.

MLflow loses it in notebooks: there its source is ``ipykernel_launcher.py``, its commit that of whatever repository the
environment lies in, or none. `NotebookRunContext` is an entry point of MLflow's, imported whenever anyone makes a run:
this package imports nothing heavy, and MLflow not at all.
"""

from __future__ import annotations

import json
import os
import sys
import sysconfig
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelops_jupyter.provenance.git import GitFacts, git_facts
from modelops_jupyter.provenance.notebook import environment_for, kernel_shell, notebook_file

__all__ = [
    "GitFacts",
    "NotebookRunContext",
    "Source",
    "corrections",
    "environment_for",
    "find_source",
    "process_start",
    "tags_of",
]

NAME, TYPE = "mlflow.source.name", "mlflow.source.type"
COMMIT, BRANCH, URL = "mlflow.source.git.commit", "mlflow.source.git.branch", "mlflow.source.git.repoURL"
DIRTY = "modelops.git.dirty"
NOTEBOOK, LOCAL = "NOTEBOOK", "LOCAL"

UNKNOWN = "<notebook>"  # spelled as MLflow's <console>
SECONDS = 5.0
_PROJECT_MARKS = ("modelops.toml", ".modelops")
_LAUNCHERS = frozenset({"ipykernel_launcher", "colab_kernel_launcher"})


@dataclass(frozen=True)
class Source:
    """What makes a run.

    Attributes
    ----------
    name : str
        Of the file, relative to its git repository or project; of a program that is installed, its name alone.
    type : {"NOTEBOOK", "LOCAL"}
        As MLflow has it.
    git : GitFacts or None
    is_file : bool
        Whether `name` is a file's.
    """

    name: str
    type: str
    git: GitFacts | None
    is_file: bool = False

    def facts(self) -> dict[str, Any]:
        """Return what goes on record with a version."""
        return {
            "name": self.name,
            "type": self.type,
            "notebook": self.name if self.is_file and self.type == NOTEBOOK else None,
            "script": self.name if self.is_file and self.type == LOCAL else None,
            "git_commit": self.git and self.git.commit,
            "git_branch": self.git and self.git.branch,
            "git_url": self.git and self.git.url,
            "git_dirty": self.git and self.git.dirty,
        }


def tags_of(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return MLflow's tags, and ours for a dirty tree, of what goes on record."""
    dirty = facts["git_dirty"]
    tags = {
        NAME: facts["name"],
        TYPE: facts["type"],
        COMMIT: facts["git_commit"],
        BRANCH: facts["git_branch"],
        URL: facts["git_url"],
        DIRTY: None if dirty is None else str(dirty).lower(),
    }
    return {tag: str(value) for tag, value in tags.items() if value is not None}


def find_source(project: Path | None = None) -> Source:
    """Return what runs now.

    Parameters
    ----------
    project
        The project that files are named in outside git; without it, the nearest folder upwards with a workspace.
    """
    shell = kernel_shell()
    if shell is not None:
        notebook = notebook_file(shell)
        return (
            _of_name(UNKNOWN, NOTEBOOK, _current_folder())
            if notebook is None
            else _of_file(notebook, NOTEBOOK, project)
        )
    main = sys.modules.get("__main__")
    file, spec = getattr(main, "__file__", None), getattr(main, "__spec__", None)
    if file is None:
        return _of_name("<console>", LOCAL, project or _current_folder())
    path = Path(file)
    if str(getattr(spec, "name", "")).partition(".")[0] == "modelops_jupyter":
        return _of_name("modelops", LOCAL, project or _current_folder())
    if _is_installed(path):
        name = path.parent.name if path.stem == "__main__" else path.stem
        return _of_name(name, LOCAL, project or _current_folder())
    return _of_file(path, LOCAL, project)


def corrections(tags: Mapping[str, str], facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of a source's `facts` that a run with `tags` lacks or that MLflow got wrong; what is right stays.

    Facts of git are of one moment: they are completed only where the commit is missing or the same.
    """
    own = tags_of(facts)
    name = tags.get(NAME, "")
    lost = not name or Path(name).stem in _LAUNCHERS
    right = {tag: own[tag] for tag in (NAME, TYPE) if lost}
    if tags.get(COMMIT, own.get(COMMIT)) == own.get(COMMIT):
        right |= {tag: own[tag] for tag in (COMMIT, BRANCH, URL, DIRTY) if tag in own and tag not in tags}
    return right


def process_start() -> float:
    """Return when this process began, in seconds since 1970: an earlier run is another's, whose source is not known.

    A second is taken off, since the system counts from when it was booted.
    """
    import psutil

    return float(psutil.Process().create_time()) - 1.0


class NotebookRunContext:
    """MLflow's entry point ``mlflow.run_context_provider``: tags of every run that a notebook makes.

    Scripts are left to MLflow, which knows them; so is Databricks, whose notebooks have tags of their own.
    """

    def __init__(self) -> None:
        self._last: tuple[Any, float, dict[str, str]] = (None, -SECONDS, {})

    def in_context(self) -> bool:
        """Return whether a Jupyter kernel makes the run."""
        return kernel_shell() is not None and "DATABRICKS_RUNTIME_VERSION" not in os.environ

    def tags(self) -> dict[str, str]:
        """Return the tags, without those that the environment variable ``MLFLOW_RUN_CONTEXT`` sets.

        A search makes hundreds of runs in a cell, and MLflow asks for each dataset too: in a cell, an answer holds
        for some seconds.
        """
        cell, before, tags = getattr(kernel_shell(), "execution_count", None), self._last[1], self._last[2]
        if self._last[0] != cell or time.monotonic() - before > SECONDS:
            tags = tags_of(find_source().facts())
            self._last = cell, time.monotonic(), tags
        chosen = json.loads(os.environ.get("MLFLOW_RUN_CONTEXT") or "{}")
        return {tag: value for tag, value in tags.items() if tag not in chosen}


def _of_name(name: str, source_type: str, folder: Path) -> Source:
    """Return the source that has only a name, and works in `folder`."""
    return Source(name, source_type, git_facts(folder))


def _of_file(file: Path, source_type: str, project: Path | None) -> Source:
    """Return the source that is a file, named in its repository or project."""
    folder = Path(os.path.realpath(file.parent))
    file = folder / file.name
    git = git_facts(folder, file)
    tops = [git.root if git else None, project, _project_of(folder)]
    homes = (Path(os.path.realpath(top)) for top in tops if top is not None)
    within = next((file.relative_to(home) for home in homes if file.is_relative_to(home)), Path(file.name))
    return Source(within.as_posix(), source_type, git, is_file=True)


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it was removed under this process
        return Path(os.sep)


def _project_of(folder: Path) -> Path | None:
    """Return the nearest folder upwards that holds a workspace."""
    return next((top for top in (folder, *folder.parents) if any((top / m).exists() for m in _PROJECT_MARKS)), None)


def _is_installed(file: Path) -> bool:
    """Return whether a file belongs to the environment: a program such as `modelops` or `pytest`, not a script."""
    paths = sysconfig.get_paths()
    folders = {os.path.realpath(paths[name]) for name in ("purelib", "platlib", "scripts", "stdlib")}
    return any(Path(os.path.realpath(file)).is_relative_to(folder) for folder in folders)
