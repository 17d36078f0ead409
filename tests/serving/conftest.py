"""Workspaces and servers that the tests of serving share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_models import make_workspace, served

from modelops_jupyter.serving.run import EndpointServer
from modelops_jupyter.settings import Settings


@pytest.fixture(scope="session")
def made_workspace(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Settings:
    """Return a workspace that nobody changes."""
    return make_workspace(tmp_path_factory.mktemp("served") / "project", mlflow_database)


@pytest.fixture(scope="module")
def shared(made_workspace: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointServer]:
    """Return a server of `delay` that a module's tests share."""
    with served(copied(made_workspace, tmp_path_factory.mktemp("shared"))) as server:
        yield server


@pytest.fixture
def own(made_workspace: Settings, tmp_path: Path) -> Settings:
    """Return a copy of the workspace for a test of its own."""
    return copied(made_workspace, tmp_path)


def copied(workspace: Settings, folder: Path) -> Settings:
    shutil.copytree(workspace.project, folder / "project", ignore=shutil.ignore_patterns("serving"))
    return Settings(project=folder / "project", root=folder / "project" / ".modelops", actor="ann")
