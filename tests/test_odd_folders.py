"""The whole way of a model in folders with names that addresses would have to encode."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import modelops_jupyter as mo

ROWS = 400


@pytest.mark.parametrize("name", ["My models", "Modèles #1 & 100 % sure"])
def test_a_model_is_registered_logged_and_watched(tmp_path: Path, name: str) -> None:
    generator = np.random.default_rng(5)
    frame = pd.DataFrame(generator.normal(size=(ROWS, 2)), columns=["wind", "dewp"])
    late = (frame["wind"] + generator.normal(size=ROWS) > 0).astype(int)
    model = LogisticRegression().fit(frame, late)
    (tmp_path / name).mkdir()

    workspace = mo.open(tmp_path / name)
    workspace.register(model, "delay", data=frame, target=late)
    logged = frame.assign(
        request_id=[f"r{n}" for n in range(ROWS)],
        at=pd.date_range("2026-03-01", periods=ROWS, freq="h", tz="UTC"),
        said=model.predict(frame),
        score=model.predict_proba(frame)[:, 1],
    )
    workspace.log_predictions("delay/1", logged, id="request_id", time="at", prediction="said", score="score")
    report = workspace.monitor("delay")

    assert sum(window.rows for window in report.windows) == ROWS
    assert workspace.compare("delay/1", "delay/1", data=frame, target=late).metrics
    assert [path.name for path in tmp_path.iterdir()] == [name]
