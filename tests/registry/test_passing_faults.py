"""A lock that goes away and a disk that is full are said to be that: nobody restores a backup over a sound database."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.errors import RegistryDamaged, StoreBusy, StoreFull
from modelops_jupyter.registry import artifacts, relocation
from modelops_jupyter.registry.client import check_reachable, typed_errors
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.slow

X = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), columns=["a", "b"])
Y = (X["a"] > 0).astype(int)
MODEL = LogisticRegression().fit(X, Y)


@contextmanager
def locked(path: Path, how: str) -> Iterator[None]:
    """Hold another process's lock on a database."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"BEGIN {how}")
    yield
    connection.execute("ROLLBACK")
    connection.close()


def test_a_locked_database_is_busy_and_not_damaged(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relocation, "BUSY_SECONDS", 0.1)
    sentence = r"mlflow\.db stayed locked by another process: try again later\."
    with locked(settings.mlflow_path, "EXCLUSIVE"), pytest.raises(StoreBusy, match=sentence):
        check_reachable(settings)
    with locked(settings.mlflow_path, "EXCLUSIVE"):
        fixes = {problem.fix for problem in Workspace(settings).doctor().problems}
    assert fixes == {"try again once that is done"}
    client = Workspace(settings).registry.client
    with (
        locked(settings.mlflow_path, "IMMEDIATE"),  # others still read
        pytest.raises(StoreBusy, match=sentence),
        typed_errors(settings),
    ):
        client.create_registered_model("m")
    check_reachable(settings)


@contextmanager
def full_disk() -> Iterator[None]:
    def fails(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(artifacts, "put_files", fails)
        yield


def test_a_full_disk_is_full_and_not_damaged(settings: Settings) -> None:
    ws = Workspace(settings)
    experiment = ws.experiment_id
    with full_disk(), pytest.raises(StoreFull, match=r"No room is left for .*artifacts: free some space, then repeat"):
        ws.register(MODEL, "m", data=X, target=Y)
    (run,) = ws.registry.client.search_runs([experiment])
    assert run.info.status == "FAILED"
    assert ws.register(MODEL, "m", data=X, target=Y).version == 1


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_known_by_its_number_and_in_a_report_of_many_files(settings: Settings, code: int) -> None:
    for error in (OSError(code, os.strerror(code)), shutil.Error([("a", "b", str(OSError(28, os.strerror(28))))])):
        with pytest.raises(StoreFull), typed_errors(settings):
            raise error


def test_a_version_that_mlflow_could_not_make_leaves_nothing_pending(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = Workspace(settings)

    def fails(*_: Any, **__: Any) -> None:
        raise MlflowException("the answer was 500")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "create_model_version", fails)
        with pytest.raises(RegistryDamaged, match="the answer was 500"):
            ws.register(MODEL, "m", data=X, target=Y)
    assert ws.store.find("registration") == ()
    assert ws.register(MODEL, "m", data=X, target=Y).version == 1


def test_a_version_that_mlflow_made_before_its_answer_was_lost_goes_on_record_later(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws, create = Workspace(settings), MlflowClient.create_model_version

    def lost(*arguments: Any, **options: Any) -> None:
        create(*arguments, **options)
        raise MlflowException("the connection was lost")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "create_model_version", lost)
        with pytest.raises(RegistryDamaged):
            ws.register(MODEL, "m", data=X, target=Y)
    assert len(ws.store.find("registration")) == 1
    assert ws.register(MODEL, "m", data=X, target=Y).version == 1
    assert ws.store.find("registration") == ()
