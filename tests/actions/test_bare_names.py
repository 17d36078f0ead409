"""A model's name alone means its champion: where it has none, no verb takes some version in its place."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.cli import main
from modelops_jupyter.errors import NotFound
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

X = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), columns=["a", "b"])
Y = pd.Series((X["a"] > 0).astype(int), name="late")
LOG = X.assign(id=range(100), at=pd.Timestamp("2026-01-01", tz="UTC"), said=Y)


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Iterator[Workspace]:
    """A model of three versions, of which the second is the challenger and none the champion."""
    project = tmp_path_factory.mktemp("bare")
    root = project / ".modelops"
    root.mkdir()
    shutil.copy(mlflow_database, root / "mlflow.db")
    (project / "modelops.toml").write_text('actor = "ann"\n')
    X.assign(late=Y).to_parquet(project / "rows.parquet")
    with Workspace(Settings(project=project, root=root, actor="ann")) as ws:
        for c in (1.0, 0.1, 0.01):
            ws.register(LogisticRegression(C=c).fit(X, Y), "delay", data=X[::2], target=Y[::2])
        ws.approve("delay/2", reason="ok")
        ws.promote("delay/2", "challenger", reason="beside none")
        yield ws


REFUSED = r"^'delay' alone means its champion, which it does not have: name a version, as in 'delay/3', of 3, 2 \(chal"
CALLS: dict[str, Callable[[Workspace], Any]] = {
    "version": lambda ws: ws.version("delay"),
    "load": lambda ws: ws.load("delay"),
    "predict": lambda ws: ws.predict("models:/delay", X),
    "predict_file": lambda ws: ws.predict_file("delay", X, ws.settings.project / "out.parquet"),
    "evaluate": lambda ws: ws.evaluate("delay", data=X, target=Y),
    "compare": lambda ws: ws.compare("delay/1", "delay", data=X, target=Y),
    "card": lambda ws: ws.card("delay"),
    "check": lambda ws: ws.check("delay"),
    "gate": lambda ws: ws.gate("delay"),
    "approve": lambda ws: ws.approve("delay", reason="which?"),
    "reject": lambda ws: ws.reject("delay", reason="which?"),
    "comment": lambda ws: ws.comment("delay", "which?"),
    "promote": lambda ws: ws.promote("delay", reason="which?"),
    "log_predictions": lambda ws: ws.log_predictions("delay", LOG, id="id", time="at", prediction="said"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_without_a_champion_a_version_has_to_be_named(ws: Workspace, call: Callable[[Workspace], Any]) -> None:
    before = ws.audit().rows
    with pytest.raises(NotFound, match=REFUSED):
        call(ws)
    assert ws.audit().rows == before


def test_the_shell_says_so_too(ws: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["predict", "delay", str(ws.settings.project / "rows.parquet"), str(tmp_path / "out.csv")]
    assert main([*words, "--workspace", str(ws.settings.project)]) == 2
    assert "name a version, as in 'delay/3', of 3, 2 (challenger), 1." in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_what_is_asked_of_the_model_takes_its_name(ws: Workspace) -> None:
    assert len(ws.versions("delay")) == 3
    assert ws.overview("delay").summary.name == "delay"
    assert ws.log_labels("delay", pd.DataFrame({"id": [1], "late": [1]}), id="id", label="late").rows == 1


def test_with_a_champion_its_name_is_enough(ws: Workspace) -> None:
    for c in (1.0, 0.1):
        ws.register(
            LogisticRegression(C=c).fit(X[::2], Y[::2]),
            "ready",
            data=X[::2],
            target=Y[::2],
            reference=(X[1::2], Y[1::2]),
        )
    ws.approve("ready/1", reason="reads well")
    ws.promote("ready/1", reason="first")
    assert ws.version("ready").full_name == "ready/1"
    assert (ws.predict("ready", X)[0] == ws.predict("ready/1", X)[0]).all()
