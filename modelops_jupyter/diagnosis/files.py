"""What a workspace's parts rest on: its settings, its policy, the right to write, and room on the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from modelops_jupyter.diagnosis.evidence import Evidence
from modelops_jupyter.errors import InvalidPolicy
from modelops_jupyter.problems import Problem, problem_at
from modelops_jupyter.settings import FILE_NAME, Settings
from modelops_jupyter.wording import count

LEAST_FREE = 500_000_000  # bytes: a model and a day's batch should find room
MOST_LINES = 5


def examine_settings(evidence: Evidence, problems: list[Problem]) -> str:
    """Report sources of no model, and settings that cannot be used; all else is then looked at with those that can."""
    settings = evidence.settings
    file = settings.project / FILE_NAME
    if settings.problem is not None:
        what = _without(f"{file}", settings.problem)
        problems.append(problem_at(file, what, "correct the file: until then no other verb works"))
    models = {record.key for record in evidence.find("model")} if settings.sources else set()
    for name in sorted(settings.sources.keys() - models):
        known = ", ".join(sorted(models)) or "none yet"
        what = f"[source.{name}] names a model that is not registered: registered are {known}"
        problems.append(problem_at(file, what, "correct the name, or register the model"))
    return FILE_NAME if file.exists() else "defaults"


def examine_policy(evidence: Evidence, problems: list[Problem]) -> str:
    """Report a policy that cannot be read or has an unknown field."""
    from modelops_jupyter.governance import load_policy

    path = evidence.settings.policy
    try:
        policy = load_policy(path)
    except InvalidPolicy as error:
        what = _without(f"The policy {path}", _without(str(path), str(error)))
        problems.append(Problem(str(path), what, "correct the file: until then no gate opens"))
        return "not readable"
    return f"{policy.name}, {count(len(policy.rules), 'rule')}"


def _without(name: str, sentence: str) -> str:
    """Return what a sentence says of a file, without the name, which stands before it."""
    return sentence.removeprefix(name).lstrip(": ").removesuffix(" Mend it or remove it.").rstrip(".")


def examine_permissions(evidence: Evidence, problems: list[Problem]) -> str:
    """Report files and folders that this user cannot read or write."""
    folders, unreadable, unwritable = 0, [], []
    for path in _entries(evidence.settings):
        folders += path.is_dir()
        needed = os.R_OK | os.X_OK if path.is_dir() else os.R_OK
        effective = os.access in os.supports_effective_ids
        if not os.access(path, needed, effective_ids=effective):
            unreadable.append(path)
        elif not os.access(path, os.W_OK, effective_ids=effective):
            unwritable.append(path)
    for paths, verb in ((unreadable, "read"), (unwritable, "written")):
        for path in paths[:MOST_LINES]:
            problems.append(problem_at(path, f"it cannot be {verb} by this user", _permit(evidence.settings)))
        if len(paths) > MOST_LINES:
            more = f"{count(len(paths) - MOST_LINES, 'more entry', 'more entries')} cannot be {verb} by this user"
            problems.append(problem_at(evidence.settings.root, more, _permit(evidence.settings)))
    return count(folders, "folder")


def _permit(settings: Settings) -> str:
    return f"run `chmod -R u+rwX {settings.root}` as its owner"


def _entries(settings: Settings) -> Iterator[Path]:
    """Yield every folder of a workspace, its databases, and the settings."""
    files = (settings.store_path, settings.mlflow_path, settings.project / FILE_NAME)
    inside = [path for path in files if settings.server is None or path != settings.mlflow_path]
    yield from (path for path in inside if path.is_file())
    for top in (settings.root, settings.runs_path):
        if top.is_dir():
            yield top
            yield from _folders(top)


def _folders(top: Path) -> Iterator[Path]:
    """Yield every folder below `top`, those that cannot be entered too."""
    try:
        with os.scandir(top) as entries:
            below = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:  # it is reported as a folder that cannot be read
        return
    for folder in below:
        yield folder
        yield from _folders(folder)


def examine_disk(evidence: Evidence, problems: list[Problem]) -> str:
    """Report a disk that is nearly full."""
    folder = next(path for path in (evidence.settings.root, *evidence.settings.root.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        what = f"only {free / 1e6:,.0f} MB are free on its disk"
        problems.append(problem_at(folder, what, f"free some space: {LEAST_FREE / 1e6:,.0f} MB leave room for a model"))
    return f"{free / 1e9:,.1f} GB free"
