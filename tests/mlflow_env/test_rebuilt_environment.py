"""An environment rebuilt from what versions carry, without modelops-jupyter: MLflow predicts and serves there."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from skl2onnx import to_onnx
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from waiting import until

from modelops_jupyter.registry import DecisionTable
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.mlflow_env

ROWS = 200
RANDOM = np.random.default_rng(0)
NUMBERS = pd.DataFrame(RANDOM.normal(size=(ROWS, 4)), columns=["a", "b", "c", "mean radius"])
LABELS = (NUMBERS["a"] + NUMBERS["b"] > 0).astype(int)
MIXED = NUMBERS.assign(
    carrier=pd.Series(RANDOM.choice(["AA", "UA", None], ROWS), dtype="str"),
    legs=RANDOM.integers(1, 5, ROWS),
    night=RANDOM.random(ROWS) > 0.5,
    day=pd.date_range("2026-01-01", periods=ROWS, freq="h"),
)
MIXED.loc[::7, "a"] = np.nan
SMALL = {"n_estimators": 5, "random_state": 0, "n_jobs": 1}


@dataclass(frozen=True)
class Asked:
    """A version, what it is asked as MLflow writes it, and what the workspace answers."""

    folder: Path
    request: dict[str, Any]
    prediction: list[Any]
    score: list[float] | None


def pipeline() -> tuple[Any, pd.DataFrame]:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    words = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer((numbers, ["a", "b", "legs"]), (words, ["carrier", "night"]))
    return make_pipeline(columns, LogisticRegression()).fit(MIXED, LABELS), MIXED


def xgb() -> tuple[Any, pd.DataFrame]:
    return xgboost.XGBClassifier(**SMALL).fit(NUMBERS, LABELS), NUMBERS


def lgbm() -> tuple[Any, pd.DataFrame]:
    rows = MIXED[["a", "b", "legs"]].assign(carrier=MIXED["carrier"].astype("category"))
    return lightgbm.LGBMClassifier(**SMALL, verbose=-1).fit(rows, LABELS), rows


def cat() -> tuple[Any, pd.DataFrame]:
    options = {"iterations": 5, "verbose": 0, "allow_writing_files": False, "random_seed": 0, "thread_count": 1}
    return catboost.CatBoostClassifier(**options).fit(NUMBERS, LABELS), NUMBERS


def onnx() -> tuple[Any, pd.DataFrame]:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(NUMBERS, LABELS)
    return to_onnx(model, NUMBERS.to_numpy("float32")[:1], options={"zipmap": False}), NUMBERS


def decisions() -> tuple[Any, pd.DataFrame]:
    inputs = [{"id": "p", "field": "a", "name": "a"}]
    outputs = [{"id": "c", "field": "care", "name": "care"}]
    rules = [{"_id": "1", "p": "> 0.5", "c": "'notify'"}, {"_id": "2", "p": "", "c": "'none'"}]
    content = {"hitPolicy": "first", "inputs": inputs, "outputs": outputs, "rules": rules}
    kinds = (("in", "inputNode", {}), ("t", "decisionTableNode", {"content": content}), ("out", "outputNode", {}))
    nodes = [{"id": id, "type": kind, "name": id, "position": {"x": 0, "y": 0}, **more} for id, kind, more in kinds]
    edges = [
        {"id": f"{source}-{target}", "sourceId": source, "targetId": target, "type": "edge"}
        for source, target in (("in", "t"), ("t", "out"))
    ]
    return DecisionTable.from_text(json.dumps({"nodes": nodes, "edges": edges})), NUMBERS[["a"]]


def a_pickle() -> tuple[Any, pd.DataFrame]:
    doubled = FunctionTransformer(lambda rows: rows * 2)  # a function that no file but a pickle can hold
    return make_pipeline(doubled, xgboost.XGBClassifier(**SMALL)).fit(NUMBERS, LABELS), NUMBERS


MODELS: dict[str, Callable[[], tuple[Any, pd.DataFrame]]] = {
    "sklearn": pipeline,
    "xgboost": xgb,
    "lightgbm": lgbm,
    "catboost": cat,
    "onnx": onnx,
    "decision": decisions,
    "pickle": a_pickle,
}


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> dict[str, Asked]:
    """A version of every format."""
    project = tmp_path_factory.mktemp("project")
    root = project / ".modelops"
    root.mkdir()
    shutil.copy(mlflow_database, root / "mlflow.db")
    asked = {}
    with Workspace(Settings(project=project, root=root, actor="ann")) as ws:
        for name, make in MODELS.items():
            model, rows = make()
            unsafe = name == "pickle"
            target = None if name == "decision" else LABELS
            kind = "decision" if name == "decision" else "ml"
            version = ws.register(model, name, data=rows, target=target, kind=kind, unsafe=unsafe)
            digest = version.body["digest"][:12]
            folder = next(path for path in (root / "artifacts").rglob(digest) if path.is_dir())
            prediction, score = ws.predict(f"{name}/1", rows, unsafe=unsafe)
            table = json.loads(rows.to_json(orient="split", index=False, date_format="iso", double_precision=15))
            exact = rows.astype(object).where(rows.notna(), None)
            for position, column in enumerate(rows.columns):
                if rows[column].dtype == "float64":  # to_json keeps 15 digits, a float has up to 17
                    for line, value in zip(table["data"], exact[column], strict=True):
                        line[position] = value
            scores = None if score is None else score.tolist()
            asked[name] = Asked(folder, {"dataframe_split": table}, prediction.tolist(), scores)
    return asked


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, versions: dict[str, Asked]) -> dict[str, str]:
    """Return the variables of a shell in an environment made of all that the versions require."""
    home = tmp_path_factory.mktemp("environment") / "env"
    files = [word for asked in versions.values() for word in ("-r", str(asked.folder / "requirements.txt"))]
    python = str(home / "bin" / "python")
    if shutil.which("uv"):
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, str(home)], check=True)
        subprocess.run(["uv", "pip", "install", "--quiet", "--python", python, *files], check=True)
    else:
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *files], check=True)
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    made = {**kept, "PATH": f"{home / 'bin'}:{os.environ['PATH']}", "MODELOPS_ALLOW_UNSAFE": "1"}
    own = subprocess.run(
        [python, "-c", "import modelops_jupyter"], env=made, cwd=home, check=False, capture_output=True
    )
    assert b"No module named 'modelops_jupyter'" in own.stderr
    return made


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.timeout(600)
def test_mlflow_models_predict(
    versions: dict[str, Asked], environment: dict[str, str], tmp_path: Path, name: str
) -> None:
    asked = versions[name]
    (tmp_path / "in.json").write_text(json.dumps(asked.request))
    command = ["mlflow", "models", "predict", "-m", str(asked.folder), "-i", "in.json", "-o", "out.json"]
    command += ["-t", "json", "--env-manager", "local"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Mismatch" not in done.stderr, "the environment is what MLflow expects"
    assert json.loads((tmp_path / "out.json").read_text())["predictions"] == asked.prediction


@pytest.fixture
def serve(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[[Path], str]]:
    """Return what starts `mlflow models serve` on a folder and returns its address."""
    processes = []

    def start(folder: Path) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = ["mlflow", "models", "serve", "-m", str(folder), "-p", str(port), "--env-manager", "local"]
        log = tmp_path / "server.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                command, env=environment, cwd=tmp_path, stdout=output, stderr=output, start_new_session=True
            )
        processes.append(process)
        address = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                with urllib.request.urlopen(f"{address}/ping", timeout=2):
                    return True
            except OSError:
                return False

        until(answers, seconds=300, said=log.read_text)
        return address

    yield start
    for process in processes:
        os.killpg(process.pid, 15)
        process.wait()


def post(address: str, request: dict[str, Any]) -> Any:
    headers = {"Content-Type": "application/json"}
    asked = urllib.request.Request(f"{address}/invocations", json.dumps(request).encode(), headers)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.load(answer)["predictions"]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.timeout(600)
def test_mlflow_models_serve(versions: dict[str, Asked], serve: Callable[[Path], str], name: str) -> None:
    asked = versions[name]
    address = serve(asked.folder)
    assert post(address, asked.request) == asked.prediction
    if asked.score is not None:
        probabilities = post(address, {**asked.request, "params": {"response_method": "predict_proba"}})
        assert [row[1] for row in probabilities] == asked.score
