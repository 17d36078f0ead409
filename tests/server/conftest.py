"""Keeps pytest-jupyter's loop and servers to this folder: its fixtures apply to every test of the session otherwise."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from asking import PREFIX, Ask, Fetch, Recording
from pytest_jupyter.jupyter_server import *  # noqa: F403
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {
        "ServerApp": {
            "jpserver_extensions": {"modelops_jupyter": True},
            "allow_unauthenticated_access": False,
            "authorizer_class": Recording,
        }
    }


@pytest.fixture
def empty(jp_root_dir: Path, mlflow_database: Path) -> Workspace:
    """Prepare a workspace without models in the folder that the server serves."""
    root = jp_root_dir / ".modelops"
    root.mkdir()
    (root / "mlflow.db").write_bytes(mlflow_database.read_bytes())
    return Workspace(Settings(project=jp_root_dir, root=root, actor="ann"))


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    """Make a workspace with two versions of one model, of which the first is promoted."""
    root = tmp_path_factory.mktemp("registered") / ".modelops"
    root.mkdir()
    (root / "mlflow.db").write_bytes(mlflow_database.read_bytes())
    x = pd.DataFrame({"wind": np.random.default_rng(0).normal(size=200)})
    y = (x["wind"] > 0).astype(int)
    with Workspace(Settings(project=root.parent, root=root, actor="ann")) as ws:
        for c in (1.0, 0.1):
            ws.register(
                LogisticRegression(C=c).fit(x, y), "delay", data=x[::2], target=y[::2], reference=(x[1::2], y[1::2])
            )
        ws.approve("delay/1", reason="ok")
        ws.promote("delay/1", reason="first")
    return root


@pytest.fixture
def model(jp_root_dir: Path, registered: Path) -> Workspace:
    """Prepare that workspace in the folder that the server serves."""
    root = jp_root_dir / ".modelops"
    shutil.copytree(registered, root)
    return Workspace(Settings(project=jp_root_dir, root=root, actor="ann"))


@pytest.fixture
def get(jp_fetch: Fetch) -> Ask:
    """Read a route: its answer as data."""

    async def read(route: str, **query: Any) -> Any:
        return json.loads((await jp_fetch(*PREFIX, *route.split("/"), params=query)).body)

    return read


@pytest.fixture
def post(jp_fetch: Fetch) -> Ask:
    """Write to a route: its answer as data."""

    async def write(route: str, body: Any, **headers: str) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await jp_fetch(*PREFIX, *route.split("/"), method="POST", body=json.dumps(body), headers=given)
        return json.loads(answer.body)

    return write
