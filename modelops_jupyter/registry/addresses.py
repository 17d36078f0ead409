"""Where MLflow keeps the files of a model: from its address to a folder on this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from modelops_jupyter.errors import RegistryDamaged
from modelops_jupyter.registry.client import tracking_uri
from modelops_jupyter.registry.relocation import local_path
from modelops_jupyter.scoring.digests import MLFLOW_FILES, file_digests
from modelops_jupyter.settings import Settings


def fetch(settings: Settings, address: str, temporary: Path) -> Path:
    """Return the folder of a model's files: local ones where they lie, others downloaded below `temporary`.

    Raises
    ------
    RegistryDamaged
        If there is nothing at that address.
    MlflowException
        If the download fails.
    """
    folder = local_folder(settings, address)
    if folder is None:
        folder = Path(tempfile.mkdtemp(dir=temporary))
        uri = tracking_uri(settings)
        _repositories()(address, uri, uri).download_artifacts("", str(folder))
    if not folder.is_dir() or not any(folder.iterdir()):
        raise RegistryDamaged(f"The files are gone from {address}: restore them from a backup.")
    return folder


def local_folder(settings: Settings, address: str) -> Path | None:
    """Return the folder that a local address means, None for every other; MLflow's relative ones begin at its file."""
    path = local_path(address)
    if path is not None:
        return Path(path)
    if ":" in address.partition("/")[0]:
        return None
    start = settings.project if settings.server is not None else settings.mlflow_path.parent
    return (start / address).absolute()


def model_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a model, without those that MLflow leaves there when somebody reads it."""
    return {name: digest for name, digest in file_digests(folder).items() if name not in MLFLOW_FILES}


def prepare() -> None:
    """Import all that `fetch` needs, before several threads use it: threads that import may wait for each other."""
    for name in ("http_artifact_repo", "local_artifact_repo", "mlflow_artifacts_repo"):
        import_module(f"mlflow.store.artifact.{name}")
    _repositories()


@cache
def _repositories() -> Callable[[str, str, str], Any]:
    """Return what gives MLflow's repository of an address."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    repository: Callable[[str, str, str], Any] = get_artifact_repository
    return repository
