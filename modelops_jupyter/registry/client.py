"""The way to MLflow: an embedded database made by one process at a time, or a server that must answer soon."""

from __future__ import annotations

import logging
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from modelops_jupyter.errors import RegistryUnreachable, StoreBusy
from modelops_jupyter.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "modelops"
ANSWER_SECONDS = 4
LOCK_SECONDS = 120.0


def tracking_uri(settings: Settings) -> str:
    """Return MLflow's address of the workspace."""
    return settings.tracking_uri or f"sqlite:///{settings.mlflow_path}"


def check_reachable(settings: Settings) -> None:
    """Return when the registry can be used.

    Raises
    ------
    RegistryUnreachable
        If an MLflow server does not answer within a few seconds.
    """
    uri = tracking_uri(settings)
    if not uri.startswith(("http://", "https://")):
        if settings.tracking_uri is None:
            _create_embedded(settings)
        return
    try:
        with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=ANSWER_SECONDS):
            return
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise RegistryUnreachable(
            f"The MLflow server at {uri} does not answer ({reason}): start it and try again."
        ) from error


def connect(settings: Settings) -> MlflowClient:
    """Return a client of the workspace's MLflow; never waits for a dead server."""
    check_reachable(settings)
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(ANSWER_SECONDS))
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    from mlflow import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.ERROR)  # after the import, which sets a level of its own
    uri = tracking_uri(settings)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def experiment_id(client: MlflowClient, settings: Settings) -> str:
    """Return the experiment that holds runs of our own making, created on first use."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    location = None if settings.tracking_uri else settings.artifacts_path.as_uri()
    try:
        return str(client.create_experiment(EXPERIMENT, artifact_location=location))
    except MlflowException:  # another process was first
        found = client.get_experiment_by_name(EXPERIMENT)
        if found is None:
            raise
        return str(found.experiment_id)


def _create_embedded(settings: Settings) -> None:
    """Make MLflow's SQLite file, whole or not at all: MLflow itself breaks it when two processes start at once."""
    if settings.mlflow_path.exists():
        return
    settings.root.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.root / "mlflow.lock", timeout=LOCK_SECONDS):
            if not settings.mlflow_path.exists():
                _build(settings.mlflow_path)
    except Timeout:
        raise StoreBusy(
            f"Another process has been creating {settings.mlflow_path} for {LOCK_SECONDS:.0f} s: try again later."
        ) from None


def _build(path: Path) -> None:
    from mlflow.store.db.utils import _initialize_tables
    from sqlalchemy import create_engine

    for name in ("mlflow", "alembic"):  # after the import, which sets levels of its own
        logging.getLogger(name).setLevel(logging.ERROR)
    fresh = path.with_name("mlflow.db.new")
    fresh.unlink(missing_ok=True)
    engine = create_engine(f"sqlite:///{fresh}")
    _initialize_tables(engine)  # type: ignore[no-untyped-call]
    engine.dispose()
    fresh.rename(path)
