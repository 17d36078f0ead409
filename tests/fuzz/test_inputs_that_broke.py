"""Inputs that random tries broke something with, kept one by one."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from modelops_jupyter.cli import main
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

LABELS = [0, 1] * 15
CELLS = {
    "infinite categories": pd.Series([-np.inf, 1.0, np.inf] * 10).astype("category"),
    "arrays": pd.Series([np.arange(number % 3) for number in range(30)]),
    "lists": pd.Series([[0.5] * (number % 3) for number in range(30)]),
    "records": pd.Series([{"k": number} for number in range(30)]),
}


@pytest.mark.parametrize("kind", CELLS)
def test_a_column_is_registered_and_predicted(settings: Settings, kind: str) -> None:
    rows = pd.DataFrame({"c": CELLS[kind], "n": range(30)})
    model = DummyClassifier().fit(np.zeros((30, 1)), LABELS)
    with Workspace(settings) as ws:
        ws.register(model, "m", data=rows[:15], target=LABELS[:15], reference=(rows[15:], LABELS[15:]))
        assert ws.predict("m/1", rows)[0].tolist() == model.predict(rows).tolist()
        example = json.loads(_example(ws).read_text())
        assert [len(row) for row in example["data"]] == [2] * len(example["data"])
        if kind == "arrays":
            assert example["data"][2] == [[0, 1], 2]


def _example(ws: Workspace) -> Path:
    return next(ws.settings.artifacts_path.rglob("input_example.json"))


@pytest.mark.parametrize("verb", ["evaluate", "compare", "log-labels"])
def test_a_name_that_no_file_system_takes_is_named(
    settings: Settings, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    name = "x" * 5000
    words = {
        "evaluate": ["evaluate", "m/1", "--data", name, "--target", "y"],
        "compare": ["compare", "m/1", "m/2", "--data", name],
        "log-labels": ["log-labels", "m", name, "--id", "id", "--label", "y"],
    }[verb]
    assert main([*words, "--workspace", str(settings.project)]) == 2
    message = capsys.readouterr().err
    assert "xxx…' cannot be used: file name too long." in message
    assert len(message) < 300
