"""The way to MLflow: an embedded database made by one process at a time, or a server that must answer soon."""

from __future__ import annotations

import base64
import logging
import os
import re
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPException
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from filelock import FileLock, Timeout

from modelops_jupyter.disk_space import check_room, is_full
from modelops_jupyter.errors import (
    InvalidInput,
    RegistryDamaged,
    RegistryUnreachable,
    StoreBusy,
    StoreFull,
    WorkspaceReadOnly,
)
from modelops_jupyter.registry.relocation import address_of, connect_file, relocate, remember
from modelops_jupyter.settings import Settings, redacted
from modelops_jupyter.store import failure, is_writable, trouble

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "modelops"
ANSWER_SECONDS = 4
LOCK_SECONDS = 120.0
_SERVERS = ("http://", "https://", "databricks")
_SCHEMES = ("http://", "https://", "postgresql", "mysql", "mssql", "databricks")


def tracking_uri(settings: Settings) -> str:
    """Return MLflow's address of the workspace."""
    return settings.server or f"sqlite:///{settings.mlflow_path}"


def check_reachable(settings: Settings) -> None:
    """Return when the registry can be used; imports nothing of MLflow's, which takes seconds.

    An embedded database in a copy of its workspace, or in one that was moved, follows: its addresses are rewritten.

    Raises
    ------
    RegistryUnreachable
        If an MLflow server does not answer within a few seconds.
    RegistryDamaged
        If the embedded database is gone, cut short, or no database.
    InvalidInput
        If the address is none of a server or a database.
    """
    uri = tracking_uri(settings)
    here = settings.project.absolute()  # what no file's name leads to
    if settings.server is None and settings.mlflow_path not in (here, here / ":memory:"):
        _check_embedded(settings)
        return
    if not uri.startswith(_SCHEMES):
        raise InvalidInput(
            f"tracking_uri {settings.registry!r} is no address of an MLflow server or database: write "
            "http://host:port, sqlite:///file or postgresql://..., or leave it out."
        )
    if not uri.startswith(("http://", "https://")):
        return
    try:
        with urllib.request.urlopen(_health(uri), timeout=ANSWER_SECONDS):
            return
    except (OSError, ValueError, HTTPException) as error:  # refused, too late, malformed, or no HTTP at all
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise RegistryUnreachable(
            f"The MLflow server at {redacted(uri)} does not answer ({reason}): start it and try again."
        ) from error


def check_writable(settings: Settings) -> None:
    """Return when the registry can be written, as far as can be told before.

    Raises
    ------
    WorkspaceReadOnly
        If the embedded database, or the folder of its artifacts, cannot be written.
    StoreFull
        If its disk has no room.
    DependencyFailed
        As `check_reachable`.
    """
    check_reachable(settings)
    if settings.server is not None:
        return
    if not is_writable(settings.mlflow_path):
        raise WorkspaceReadOnly(
            f"{settings.mlflow_path} cannot be written: make it and its folder writable, or open another workspace."
        )
    check_room(settings.mlflow_path)


def _health(uri: str) -> urllib.request.Request:
    """Ask whether the server is well; urllib would take the user and password of an address for its host."""
    parts = urlsplit(uri)
    user, _, host = parts.netloc.rpartition("@")
    address = urlunsplit((parts.scheme, host, f"{parts.path.rstrip('/')}/health", "", ""))
    if not user:
        return urllib.request.Request(address)
    basic = base64.b64encode(unquote(user).encode()).decode()
    return urllib.request.Request(address, headers={"Authorization": f"Basic {basic}"})


def connect(settings: Settings) -> MlflowClient:
    """Return a client of the workspace's MLflow; never waits for a dead server."""
    check_reachable(settings)
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(ANSWER_SECONDS))
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    from mlflow import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.ERROR)  # after the import, which sets a level of its own
    uri = tracking_uri(settings)
    with typed_errors(settings):
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


@contextmanager
def typed_errors(settings: Settings) -> Iterator[None]:
    """Turn whatever MLflow raises inside into one of our errors."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        check_reachable(settings)  # a server that has died meanwhile says so best
        line = redacted(next(iter(str(error).splitlines()), type(error).__name__).rstrip("."))
        if getattr(error, "error_code", None) == "INVALID_PARAMETER_VALUE":
            raise InvalidInput(f"MLflow does not accept this: {line}.") from error
        if isinstance(error, PermissionError) or "readonly database" in line:
            raise WorkspaceReadOnly(
                f"MLflow cannot write under {settings.root} ({line}): make it writable, or open another workspace."
            ) from error
        if is_full(error):
            where = settings.artifacts_path if settings.server is None else "MLflow's files"
            raise StoreFull(f"No room is left for {where}: free some space, then repeat.") from error
        if settings.server is not None:
            raise RegistryUnreachable(
                f"MLflow at {settings.registry} failed ({line}): see its log, then try again."
            ) from error
        cause = _sqlite_cause(error)
        if cause is not None:
            raise failure(cause, settings.mlflow_path, RegistryDamaged) from error
        raise RegistryDamaged(
            f"MLflow cannot use {settings.mlflow_path} and {settings.artifacts_path} ({line}): run "
            "`modelops doctor`, which says whether anything there is damaged, then repeat."
        ) from error


def _sqlite_cause(error: BaseException | None) -> sqlite3.Error | None:
    """Return the failure of SQLite's behind an error of MLflow's or SQLAlchemy's."""
    while error is not None and not isinstance(error, sqlite3.Error):
        error = error.__cause__ or error.__context__
    return error


def experiment_id(client: MlflowClient, settings: Settings) -> str:
    """Return the experiment that holds runs of our own making, created on first use."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        if found.lifecycle_stage == "deleted":  # in MLflow's UI: it takes no runs then
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)
    if settings.server is None:
        remember(settings.mlflow_path, settings)  # a database that MLflow made itself does not say it yet
    # A server has a place of its own; without one MLflow would take the folder that one happens to be in.
    location = None if tracking_uri(settings).startswith(_SERVERS) else address_of(settings.artifacts_path)
    try:
        return str(client.create_experiment(EXPERIMENT, artifact_location=location))
    except MlflowException:  # another process was first
        found = client.get_experiment_by_name(EXPERIMENT)
        if found is None:
            raise
        return str(found.experiment_id)


def _check_embedded(settings: Settings) -> None:
    path = settings.mlflow_path
    if not path.exists():
        if settings.artifacts_path.exists():
            raise RegistryDamaged(
                f"{path} is gone, but {settings.artifacts_path} holds models: restore it from a backup."
            )
        _create_embedded(settings)
    reason = trouble(path)
    if reason is not None:
        raise RegistryDamaged(
            f"{path} {reason}: restore it from a backup, or remove it if no model was registered yet."
        )
    try:
        wrong = schema_trouble(path)
    except sqlite3.Error as error:
        raise failure(error, path, RegistryDamaged) from error
    if wrong is not None:
        raise RegistryDamaged(f"{path} {wrong[0]}: {wrong[1]}.")
    relocate(settings)


def _create_embedded(settings: Settings) -> None:
    """Make MLflow's SQLite file, whole or not at all: MLflow itself breaks it when two processes start at once."""
    folder = settings.mlflow_path.parent
    check_room(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(settings.mlflow_path.with_suffix(".lock"), timeout=LOCK_SECONDS):
            if not settings.mlflow_path.exists():
                _build(settings)
    except Timeout:
        raise StoreBusy(
            f"Another process has been creating {settings.mlflow_path} for {LOCK_SECONDS:.0f} s: try again later."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise WorkspaceReadOnly(
            f"{folder} cannot be written ({reason}): free that path, make it writable, or open another one."
        ) from error


def schema_trouble(path: Path) -> tuple[str, str] | None:
    """Return what is wrong with the schema of a database and what puts it right; None where MLflow can use it.

    MLflow's migrations are read without importing MLflow, which takes seconds.
    """
    with closing(connect_file(path)) as connection:
        revision = str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    package = find_spec("mlflow")
    folder = Path(next(iter(package.submodule_search_locations or ()))) if package else Path()
    texts = [file.read_text(encoding="utf-8") for file in (folder / "store/db_migrations/versions").glob("*.py")]
    known = {found[1] for text in texts if (found := re.search(r"^revision = ['\"](\w+)", text, flags=re.M))}
    older = {found[1] for text in texts if (found := re.search(r"^down_revision = ['\"](\w+)", text, flags=re.M))}
    if revision in known - older:
        return None
    if revision in known:
        return "was written by an older MLflow", f"back it up, then run `mlflow db upgrade sqlite:///{path}`"
    return (
        f"has schema {revision}, which this MLflow does not know",
        "upgrade with `pip install --upgrade mlflow`",
    )


def _build(settings: Settings) -> None:
    """Make the tables and MLflow's Default experiment, whose artifacts would else go to the current folder."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    for name in ("mlflow", "alembic"):  # after the import, which sets levels of its own
        logging.getLogger(name).setLevel(logging.ERROR)
    fresh = settings.mlflow_path.with_name(f"{settings.mlflow_path.name}.new")
    fresh.unlink(missing_ok=True)
    SqlAlchemyStore(f"sqlite:///{fresh}", address_of(settings.artifacts_path))._dispose_engine()  # type: ignore[no-untyped-call]
    remember(fresh, settings)
    fresh.rename(settings.mlflow_path)
