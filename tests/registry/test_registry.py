"""Registering and loading on real MLflow: SQLite and a server on loopback."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from saving import save
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from waiting import least_seconds

from modelops_jupyter.errors import ArtifactChanged, InvalidFrame, InvalidInput, RegistryUnreachable, UnsafeArtifact
from modelops_jupyter.registry import DecisionTable, Registry, predict
from modelops_jupyter.settings import Settings

X = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 2)), columns=["a", "b"])
Y = (X["a"] + X["b"] > 0).astype(int)
TABLE = {
    "nodes": [
        {"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}},
        {
            "id": "t",
            "type": "decisionTableNode",
            "name": "care",
            "position": {"x": 0, "y": 0},
            "content": {
                "hitPolicy": "first",
                "inputs": [{"id": "p", "field": "probability", "name": "p"}],
                "outputs": [{"id": "c", "field": "care", "name": "care"}],
                "rules": [{"_id": "1", "p": "> 0.5", "c": "'notify'"}, {"_id": "2", "p": "", "c": "'none'"}],
            },
        },
        {"id": "out", "type": "outputNode", "name": "out", "position": {"x": 0, "y": 0}},
    ],
    "edges": [
        {"id": "1", "sourceId": "in", "targetId": "t", "type": "edge"},
        {"id": "2", "sourceId": "t", "targetId": "out", "type": "edge"},
    ],
}


@pytest.fixture(params=["sqlite", "server"])
def registry(request: pytest.FixtureRequest, settings: Settings) -> Registry:
    if request.param == "server":
        settings = replace(settings, tracking_uri=request.getfixturevalue("mlflow_server").uri)
    return Registry(settings)


def test_register_alias_load_on_both_backends(registry: Registry) -> None:
    model = HistGradientBoostingClassifier(max_iter=5).fit(X, Y)
    name = "tree"
    first = save(registry, model, name, data=X, target=Y, metrics={"roc_auc": 0.9})
    second = save(registry, LogisticRegression().fit(X, Y), name, data=X, target=Y)
    assert (second.version - first.version, first.task, first.classes) == (1, "classification", ["0", "1"])
    registry.set_alias(name, "champion", second.version)
    assert registry.aliases([name])[name] == {"champion": second.version}
    loaded = registry.load(first.body)
    np.testing.assert_allclose(predict(loaded, X).score, model.predict_proba(X)[:, 1])
    assert first.data_fingerprint == second.data_fingerprint
    assert first.digest != second.digest


def test_a_decision_table_is_a_model_too(settings: Settings) -> None:
    registry = Registry(settings)
    table = DecisionTable.from_text(json.dumps(TABLE))
    rows = pd.DataFrame({"probability": [0.2, 0.9, 0.2]})
    saved = save(registry, table, "care", data=rows)
    assert (saved.kind, saved.decision_table["decision"]) == ("decision", "care")
    assert predict(registry.load(saved.body), rows).prediction.tolist() == ["none", "notify", "none"]
    with pytest.raises(InvalidFrame, match="probability"):
        table.predict(pd.DataFrame({"x": [1]}))
    with pytest.raises(InvalidInput, match="A DecisionTable is of kind 'decision', not 'ml'"):
        save(registry, table, "care", kind="ml")
    with pytest.raises(InvalidInput, match="A LogisticRegression is of kind 'ml', not 'decision'"):
        save(registry, LogisticRegression(), "care", kind="decision")


@pytest.mark.parametrize("file", ["model.skops", "MLmodel"])
def test_overwritten_artifacts_are_refused(settings: Settings, file: str) -> None:
    registry = Registry(settings)
    saved = save(registry, LogisticRegression().fit(X, Y), "m", data=X, target=Y)
    stored = next(path for path in settings.artifacts_path.rglob(file))
    stored.write_bytes(stored.read_bytes() + b"\n")
    with pytest.raises(ArtifactChanged, match=file):
        registry.load(saved.body)


def test_an_added_file_is_refused(settings: Settings) -> None:
    registry = Registry(settings)
    saved = save(registry, LogisticRegression().fit(X, Y), "m", data=X)
    stored = next(path for path in settings.artifacts_path.rglob("MLmodel"))
    (stored.parent / "code.py").write_text("import os")
    with pytest.raises(ArtifactChanged, match=r"code\.py"):
        registry.load(saved.body)


def _double(values: pd.DataFrame) -> pd.DataFrame:
    return values * 2


def test_foreign_types_need_unsafe_and_are_marked(settings: Settings) -> None:
    registry = Registry(settings)
    model = make_pipeline(FunctionTransformer(_double), StandardScaler(), LogisticRegression()).fit(X, Y)
    with pytest.raises(UnsafeArtifact, match="_double"):
        save(registry, model, "m", data=X)
    saved = save(registry, model, "m", data=X, unsafe=True)
    assert saved.unsafe
    with pytest.raises(UnsafeArtifact, match="unsafe=True"):
        registry.load(saved.body)
    assert predict(registry.load(saved.body, unsafe=True), X).prediction.shape == (200,)


def test_missing_features_are_named() -> None:
    with pytest.raises(InvalidFrame, match="'b'"):
        predict(LogisticRegression().fit(X, Y), X[["a"]])


def test_a_dead_server_is_named_within_seconds(tmp_path: Path) -> None:
    def ask() -> None:
        with pytest.raises(RegistryUnreachable, match="does not answer"):
            save(Registry(Settings(tmp_path, tmp_path, tracking_uri="http://127.0.0.1:9")), LogisticRegression(), "m")

    assert least_seconds(ask, 6) < 6
