"""Every snippet of the README runs, in order, in one fresh workspace."""

import shlex
from pathlib import Path

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from mlflow.models import infer_signature
from skl2onnx import to_onnx
from snippets import blocks_of, names, notebook
from sqlalchemy import create_engine
from stock import log, register, tracking

from modelops_jupyter.cli import main
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import open as open_workspace

BLOCKS = blocks_of(Path(__file__).parents[2] / "README.md")


def in_mlflow(name: str, model: object, x: pd.DataFrame) -> None:
    """Register two versions with aliases as a team does that has nothing but MLflow."""
    with tracking(open_workspace().tracking_uri) as client:
        info = log(model=model, signature=infer_signature(x))
        for alias in ("champion", "challenger"):
            register(client, name, info, alias)


def elsewhere(frame: pd.DataFrame) -> None:
    """Write predictions to a folder of a team's own, and what came of them to its database."""
    Path("scored").mkdir()
    names = {"request_id": "id", "timestamp": "scored_at", "late": "fraud", "p_late": "p_fraud"}
    frame.rename(columns=names).to_parquet("scored/april.parquet")
    engine = create_engine("sqlite:///claims.db")
    claims = pd.DataFrame({"id": frame["request_id"], "fraud": frame["late"], "written": range(len(frame))})
    claims.to_sql("claims", engine, index=False)
    engine.dispose()


def test_every_snippet_runs(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(settings.project)
    for name, less in (("SIZES", {"shift": (2.0,)}), ("HEALTHY_SERIES", 1)):  # how much a backtest tries: seconds
        monkeypatch.setattr(f"modelops_jupyter.monitoring.backtest.{name}", less)
    shell = InteractiveShell()
    shell.user_ns.update(names())
    shell.run_line_magic("load_ext", "modelops_jupyter")
    x = shell.user_ns["X"]
    x.to_parquet("train.parquet")
    x.to_csv("train.csv", index=False)
    x.to_csv("this_month.csv", index=False)
    x.to_parquet("rows.parquet")
    shell.user_ns["frame"].rename(columns={"timestamp": "at"}).to_parquet("this_month.parquet")
    graph = to_onnx(shell.user_ns["model"], x.to_numpy("float32")[:1])
    Path("model.onnx").write_bytes(graph.SerializeToString())
    notebook(Path("train.ipynb"), "months = 1")
    notebook(Path("score.ipynb"), "origin = 'JFK'")
    elsewhere(shell.user_ns["frame"])
    in_mlflow("fraud-007", shell.user_ns["model"], x)
    ran = 0
    for language, block in BLOCKS:
        if language == "yaml":
            Path("pipeline.yaml").write_text(block)
        elif language == "toml":
            Path("modelops.toml").write_text(block)
            models = {model["name"]: model for model in open_workspace().models()}  # wrong settings are refused
            if "[use_case.delay]" in block:
                assert (models["delay"]["owner"], models["delay"]["risk_tier"]) == ("Olivia", "high")
        elif language == "sh":
            for line in block.splitlines():
                words = shlex.split(line, comments=True)
                # make demo, the dashboard and JupyterLab are started by tests/demo and tests/ui.
                if words[0] == "modelops" and words[1] != "dashboard":
                    assert main(words[1:]) == 0, line
                    ran += 1
        else:
            shell.run_cell(block).raise_error()
            ran += 1
            if (
                'promote("delay' in block
            ):  # the README goes on as if a second version had been promoted some weeks later
                rows = "--data X --target y --validated-on X_valid --outcomes y_valid"
                for call in (f"register model delay {rows}", "approve delay/2 --reason ok"):
                    shell.run_line_magic("modelops", call)
                shell.run_line_magic("modelops", "promote delay/2 --reason retrained")
    assert ran >= 9
    watched = shell.user_ns["ws"].monitor("fraud-007")
    assert [(window.rows, window.labelled) for window in watched.windows] == [(400, 400)]
    shell.history_manager.end_session()
