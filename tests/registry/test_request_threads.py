"""A request whose registry is an MLflow server imports nothing in its thread, as in tests/threads."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from watched import Watched

from modelops_jupyter.settings import find_settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.slow


def test_a_request_to_a_server_imports_nothing_in_its_thread(tmp_path: Path, mlflow_server: Any) -> None:
    watched = Watched(tmp_path / "project", tmp_path / "record")
    for folder in (watched.project, watched.record):
        folder.mkdir()
    settings = f'tracking_uri = "{mlflow_server.uri}"\nactor = "ann"\n[use_case.watched]\nrisk_tier = "low"\n'
    (watched.project / "modelops.toml").write_text(settings)
    x, y = pd.DataFrame({"wind": [float(number) for number in range(40)]}), [0] * 20 + [1] * 20
    later = (x + 0.25, y)
    with Workspace(find_settings(watched.project, environ={})) as ws:
        ws.register(LogisticRegression().fit(x, y), "watched", data=x, target=y, reference=later)
        ws.approve("watched/1", reason="reads well")
    watched.ask({"status": {}, "promote": {"version": "watched/1", "reason": "best"}, "reconcile": {}})
    assert watched.imports() == ""
