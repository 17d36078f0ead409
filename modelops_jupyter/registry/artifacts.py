"""A version's files in an embedded registry: where they lie, by a path that every copy of the workspace keeps."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from modelops_jupyter.disk_space import is_full
from modelops_jupyter.errors import ArtifactChanged, RegistryDamaged, StoreFull
from modelops_jupyter.registry.relocation import is_below, local_path
from modelops_jupyter.scoring.digests import COMPILED, MLFLOW_FILES, MOST_MLFLOW_BYTES, file_digests
from modelops_jupyter.settings import Settings


def target_folder(settings: Settings, run_id: str, run_address: str, path: str) -> Path:
    """Return where a run's artifact `path` is put: below the run's own folder if that is part of the workspace."""
    own, root = local_path(run_address), os.path.realpath(settings.artifacts_path)
    if own is None or not (own := os.path.realpath(own)).startswith(f"{root}/"):
        return settings.artifacts_path / run_id / "artifacts" / path
    return settings.artifacts_path / os.path.relpath(own, root) / path


def put_files(folder: Path, target: Path) -> None:
    """Copy a folder's files to `target`, whole or not at all; where the same files are already, they stay."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh, old = (target.with_name(f".{target.name}.{uuid4().hex[:8]}") for _ in range(2))
    try:
        shutil.copytree(folder, fresh)
        if target.exists() and file_digests(target) == file_digests(fresh):
            return
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    finally:
        for left in (fresh, old):
            shutil.rmtree(left, ignore_errors=True)


def file_sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of every file under `folder`, by its path inside, as `file_digests` does; nothing is read."""
    sizes: dict[str, int] = {}
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with os.scandir(folder / inside) as entries:
            for entry in entries:
                name = f"{inside}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting += [f"{name}/"] if entry.name != COMPILED else []
                else:
                    sizes[name] = entry.stat(follow_symlinks=entry.is_file()).st_size
    return sizes


def changed_sizes(folder: Path, expected: Mapping[str, int]) -> dict[str, str]:
    """Return what is not as registered by its name and size alone, as `changed_files` does by its bytes.

    Nothing is read but names and sizes: a thousand versions take a tenth of a second.
    """
    try:
        sizes = file_sizes(folder)
    except OSError as error:
        return {str(folder): "is gone" if not folder.exists() else f"cannot be read ({error.strerror})"}
    changes = {name: "is gone" for name in expected if name not in sizes}
    for name, size in sizes.items():
        if name not in expected:
            if name not in MLFLOW_FILES or size > MOST_MLFLOW_BYTES:
                changes[name] = "was added"
        elif size != expected[name]:
            changes[name] = f"has {size:,} bytes, not the {expected[name]:,} registered"
    return dict(sorted(changes.items()))


def path_on_record(settings: Settings, folder: Path) -> str | None:
    """Return a folder of the workspace as it goes on record, from the workspace's own folder; None for any other."""
    for absolute in (os.path.abspath, os.path.realpath):
        path, root, project = (absolute(entry) for entry in (folder, settings.root, settings.project))
        if is_below(path, root) or is_below(path, project):
            return Path(os.path.relpath(path, root)).as_posix()
    return None


def recorded_folder(settings: Settings, body: Mapping[str, Any]) -> Path | None:
    """Return where a version's files lie in this workspace; None where MLflow alone knows.

    Raises
    ------
    ArtifactChanged
        If the record leads out of the workspace, as no registration writes it.
    """
    path = body.get("artifact_path")
    if path is None or settings.server is not None:
        return None
    folder = os.path.abspath(settings.root / path)
    if not any(is_below(folder, os.path.abspath(entry)) for entry in (settings.root, settings.project)):
        raise ArtifactChanged(
            f"The files of {body['name']}/{body.get('version', 'new')} are on record outside of the workspace, in "
            f"{folder}: run `modelops verify-audit`."
        )
    return Path(folder)


def take_files(folder: Path, copy: Path, what: str) -> Path:
    """Copy a version's files to a folder of the caller's own, so that what is checked there is what is used.

    Raises
    ------
    RegistryDamaged
        If they are gone or cannot be read.
    StoreFull
        If there is no room for the copy.
    """
    try:
        return Path(shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(COMPILED)))
    except (OSError, shutil.Error) as error:
        if not folder.is_dir():
            raise gone(what, folder) from error
        if is_full(error):
            raise StoreFull(f"No room is left in {tempfile.gettempdir()} to load {what}: free some space.") from error
        raise RegistryDamaged(
            f"The files of {what} in {folder} cannot be read ({error}): make them readable, or restore them from a "
            "backup."
        ) from error


def drop_compiled(folder: Path) -> None:
    """Remove from a private copy what Python would load in place of the code that was checked."""
    for compiled in list(folder.rglob(COMPILED)):
        shutil.rmtree(compiled)


def gone(what: str, where: object) -> RegistryDamaged:
    """Return the error that a version's files are not there any more."""
    return RegistryDamaged(
        f"The artifact of {what} is gone from {where}: restore it from a backup, or register the model again as a new "
        "version."
    )
