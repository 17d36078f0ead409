"""A workspace with models to serve, and a server of them in this process."""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from modelops_jupyter.scoring.flavors.decision import DecisionTable
from modelops_jupyter.serving.options import ServingOptions
from modelops_jupyter.serving.run import EndpointServer
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

N = 200
ROW = {"wind": 12.5, "origin": "JFK", "seats": 3}
RULES = {
    "contentType": "application/vnd.gorules.decision",
    "nodes": [
        {"id": "in", "type": "inputNode", "name": "Request"},
        {"id": "out", "type": "outputNode", "name": "Response"},
        {
            "id": "table",
            "type": "decisionTableNode",
            "name": "What to do",
            "content": {
                "hitPolicy": "first",
                "inputs": [{"id": "i", "name": "Wind", "field": "wind"}],
                "outputs": [{"id": "o", "name": "Action", "field": "action"}],
                "rules": [
                    {"_id": "1", "i": "< 500", "o": "'go'"},
                    {"_id": "2", "i": "", "o": "'wait'"},
                ],
            },
        },
    ],
    "edges": [
        {"id": "a", "sourceId": "in", "targetId": "table", "type": "edge"},
        {"id": "b", "sourceId": "table", "targetId": "out", "type": "edge"},
    ],
}


def rows(seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame({"wind": generator.uniform(0, 1000, N), "origin": generator.choice(["JFK", "LGA"], N)})
    frame.loc[:1, "wind"] = [0.0, 1000.0]
    return frame.assign(seats=generator.integers(0, 9, N))


def labels(frame: pd.DataFrame, seed: int = 1) -> "pd.Series[int]":
    return (frame["wind"] + 300 * np.random.default_rng(seed).normal(size=N) > 500).astype(int)


def make_workspace(project: Path, mlflow_database: Path) -> Settings:
    """Make `delay` with two versions, of which the first is champion, and the decision table `action`."""
    root = project / ".modelops"
    root.mkdir(parents=True)
    shutil.copy(mlflow_database, root / "mlflow.db")
    (project / "modelops.toml").write_text('workspace = ".modelops"\nactor = "ann"\n')
    settings = Settings(project=project, root=root, actor="ann")
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["origin"]), remainder="passthrough")
    with Workspace(settings) as ws:
        for strength in (1.0, 1e-6):
            data, held_out = rows(), rows(5)
            model = make_pipeline(encoder, LogisticRegression(max_iter=1000, C=strength))
            reference = {"reference": held_out, "outcomes": labels(held_out, 6)}
            version = ws.register(model.fit(data, labels(data)), "delay", data=data, target=labels(data), **reference)
            ws.approve(version.full_name, reason="fine")
        ws.promote("delay/1", "champion", reason="first")
        ws.register(DecisionTable.from_text(json.dumps(RULES)), "action")
        ws.approve("action/1", reason="fine")
        ws.promote("action/1", "champion", reason="first")
    return settings


@contextmanager
def served(settings: Settings, *models: str, **options: object) -> Iterator[EndpointServer]:
    """Serve in a thread; at the end everything that was begun is answered and on record."""
    given = {"port": 0, "log_seconds": 3600.0, **options}
    server = EndpointServer(settings, ServingOptions(models or ("delay",), **given))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def post(server: EndpointServer, content: object, path: str = "/invocations", **more: object) -> httpx.Response:
    return httpx.post(f"{server.url}{path}", json=content, timeout=60, **more)  # type: ignore[arg-type]


def records(*given: dict[str, object]) -> dict[str, object]:
    return {"dataframe_records": list(given)}


def health(server: EndpointServer) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = httpx.get(f"{server.url}/health", timeout=60).json()
    return found
