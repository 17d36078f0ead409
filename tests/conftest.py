"""What several test modules share."""

import shutil
from pathlib import Path

import pytest

from modelops_jupyter.registry.client import check_reachable
from modelops_jupyter.settings import Settings


@pytest.fixture(scope="session")
def mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a real, empty MLflow database: making one takes seconds, so tests copy it."""
    folder = tmp_path_factory.mktemp("mlflow")
    settings = Settings(project=folder, root=folder)
    check_reachable(settings)
    return settings.mlflow_path


@pytest.fixture
def settings(tmp_path: Path, mlflow_database: Path) -> Settings:
    """Return the settings of an empty embedded workspace."""
    root = tmp_path / ".modelops"
    root.mkdir()
    shutil.copy(mlflow_database, root / "mlflow.db")
    return Settings(project=tmp_path, root=root, actor="ann")
