"""Versions of ours that MLflow has under another name, and models that have another name here than in MLflow."""

import json
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import pytest
from stock import X, Y, classifier, log, register, tracking
from test_registry import TABLE

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.registry import DecisionTable
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

LABELS = Y.map({0: "no", 1: "yes"})
MODELS: dict[str, Any] = {
    "lightgbm": lambda: lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(X, LABELS),
    "catboost": lambda: catboost.CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False).fit(X, LABELS),
    "sklearn-skops": classifier,
    "decision": lambda: DecisionTable.from_text(json.dumps(TABLE)),
}


def copied(ws: Workspace, kind: str) -> pd.DataFrame:
    """Register a model, copy it as MLflow does, adopt the copy, and return rows that it takes."""
    model = MODELS[kind]()
    rows = pd.DataFrame({"probability": [0.2, 0.9, 0.2]}) if kind == "decision" else X
    labels = {} if kind == "decision" else {"target": Y if kind == "sklearn-skops" else LABELS}
    ws.register(model, "original", data=rows, **labels)
    with tracking(ws.tracking_uri) as client:
        client.copy_model_version("models:/original/1", "copy")
    return rows


@pytest.mark.parametrize("kind", MODELS)
def test_a_version_of_ours_that_mlflow_copied_is_the_same_model(kind: str, settings: Settings) -> None:
    with Workspace(settings) as ws:
        rows = copied(ws, kind)
        answer = ws.adopt("copy")
        assert answer.ok
        original, copy = ws.version("original/1").body, ws.version("copy/1").body
        same = ("flavor", "unsafe", "task", "classes", "kind", "features", "artifact_digests")
        assert {key: copy[key] for key in same} == {key: original[key] for key in same}
        for before, after in zip(ws.predict("original/1", rows), ws.predict("copy/1", rows), strict=True):
            assert (before is None and after is None) or np.array_equal(before, after)


def test_a_version_of_ours_is_registered_by_the_address_of_its_run(settings: Settings) -> None:
    with Workspace(settings) as ws:
        copied(ws, "lightgbm")
        again = ws.register(ws.version("original/1").body["model_uri"], "again", data=X, target=LABELS)
        assert again.body["classes"] == ["no", "yes"]


@pytest.mark.parametrize("kind", ["lightgbm", "decision"])
def test_a_copy_whose_files_are_not_all_there_is_left_out_in_one_sentence(kind: str, settings: Settings) -> None:
    with Workspace(settings) as ws:
        copied(ws, kind)
        side = {"lightgbm": "modelops.json", "decision": "decision.json"}[kind]
        (settings.root / ws.version("original/1").body["artifact_path"] / side).unlink()
        with tracking(ws.tracking_uri) as client:
            register(client, "whole", log())
        answer = ws.adopt(all=True)
        assert [row["model"] for row in answer.adopted] == ["whole"]
        assert answer.left[0]["model"] == "copy"
        assert "No such file" in answer.left[0]["reason"]
        assert "\n" not in answer.left[0]["reason"]


def test_two_models_here_are_never_one_model_in_mlflow(settings: Settings) -> None:
    with Workspace(settings) as ws:
        with tracking(ws.tracking_uri) as client:
            for name in ("iris", "lotus"):
                register(client, name, log(), "champion")
        assert ws.adopt("iris", new_name="flowers").ok
        with pytest.raises(InvalidInput, match="MLflow's 'iris' is on record as 'flowers': register under that name"):
            ws.register(classifier(0.1), "iris", data=X, target=Y)
        refused = ws.adopt("lotus", new_name="iris").left[0]["reason"]
        assert refused.startswith("MLflow's 'iris' is on record as 'flowers': adopt 'lotus' under another name")
        assert ws.register(classifier(0.1), "flowers", data=X, target=Y).version == 2
        assert [model["name"] for model in ws.models()] == ["flowers"]
        assert ws.adopt("lotus").ok
