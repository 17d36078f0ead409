"""Where MLflow keeps the files of a model: from its address to a folder on this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from modelops_jupyter.errors import DependencyFailed, LibraryMissing, RegistryDamaged
from modelops_jupyter.registry.client import tracking_uri
from modelops_jupyter.registry.relocation import local_path
from modelops_jupyter.scoring.digests import MLFLOW_FILES, file_digests
from modelops_jupyter.settings import Settings, redacted

# What to install for a package that MLflow imports to read an address.
_PACKAGES = {
    "azure": "azure-identity azure-storage-blob azure-storage-file-datalake",
    "boto3": "boto3",
    "botocore": "boto3",
    "google": "google-cloud-storage",
}


def fetch(settings: Settings, address: str, temporary: Path) -> Path:
    """Return the folder of a model's files: local ones where they lie, others downloaded below `temporary`.

    Raises
    ------
    RegistryDamaged
        If there is nothing at that address.
    LibraryMissing
        If a library that reads such addresses is not installed.
    DependencyFailed
        If the address cannot be read for another reason.
    MlflowException, OSError
        If a download by way of the MLflow server fails.
    """
    folder = local_folder(settings, address)
    if folder is None:
        folder = Path(tempfile.mkdtemp(dir=temporary))
        _download(settings, address, folder)
    if not folder.is_dir() or not any(folder.iterdir()):
        raise RegistryDamaged(f"The files are gone from {address}: restore them from a backup.")
    return folder


def _download(settings: Settings, address: str, folder: Path) -> None:
    """Download what an address holds; what stands in MLflow's way there may be anything."""
    uri = tracking_uri(settings)
    by_server = address.startswith("mlflow-artifacts:")
    try:
        _repositories()(address, uri, uri).download_artifacts("", str(folder))
    except ImportError as error:
        module = error.name or str(error)
        package = _PACKAGES.get(module.partition(".")[0], module)
        raise LibraryMissing(
            f"The files at {redacted(address)} need {module}, which cannot be imported: install it with "
            f"`pip install {package}`."
        ) from error
    except Exception as error:
        from mlflow.exceptions import MlflowException

        if by_server and isinstance(error, MlflowException | OSError):
            raise
        reason = redacted(next(iter(str(error).splitlines()), "").rstrip(".") or type(error).__name__)
        raise DependencyFailed(
            f"The files at {redacted(address)} cannot be fetched ({reason}): see that the address is right and can be "
            "read from here, or register the model in MLflow from another one."
        ) from error


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
