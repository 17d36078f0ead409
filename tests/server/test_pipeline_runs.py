"""Runs of pipelines over REST: which made which version, and where JupyterLab finds what they left."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from asking import Ask, refused
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.actions import registration
from modelops_jupyter.actor import Actor
from modelops_jupyter.pipelines import InMemoryRunner, load_pipeline, run_pipeline
from modelops_jupyter.workspace import Workspace

CELLS = '{"cells": [], "metadata": {"title": "NAME"}, "nbformat": 4, "nbformat_minor": 5}'


def run(ws: Workspace, name: str) -> list[str]:
    """Run a pipeline of one step, without a kernel; return what each notebook would be told of its step."""
    folder = ws.settings.project
    (folder / f"{name}.ipynb").write_text(CELLS.replace("NAME", name))
    (folder / f"{name}.yaml").write_text(f"name: {name}\nsteps: {{fit: {{notebook: {name}.ipynb}}}}")
    runner = InMemoryRunner()
    run_pipeline(
        load_pipeline(folder / f"{name}.yaml"),
        store=ws.store,
        runs_path=ws.settings.runs_path,
        project=folder,
        parameters={},
        actor=Actor("ann"),
        runner=runner,
    )
    return [job.environment["MODELOPS_STEP"] for job in runner.jobs]


async def test_runs_name_the_versions_they_made_and_files_that_can_be_opened(
    get: Ask, empty: Workspace, jp_root_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("nightly", "stranger"):
        steps = run(empty, name)
        if name == "nightly":
            monkeypatch.setenv("MODELOPS_STEP", steps[0])
            monkeypatch.setattr(registration, "_registered_by_this_process", Counter())
            x = pd.DataFrame({"wind": np.arange(20.0)})
            empty.register(LogisticRegression().fit(x, x.wind > 9), "delay", data=x, target=x.wind > 9)
            monkeypatch.delenv("MODELOPS_STEP")
    assert {row["pipeline"] for row in (await get("runs"))["rows"]} == {"nightly", "stranger"}
    (row,) = (await get("runs", name="delay"))["rows"]
    assert (row["pipeline"], row["state"], row["made"]) == ("nightly", "completed", "delay/1")
    assert row["started_at"].endswith("+00:00")
    (step,) = row["steps"]
    assert (step["step"], step["state"]) == ("fit", "completed")
    assert step["output_path"] == f"modelops-runs/{row['run_id']}/fit.ipynb"
    assert (await refused(get("runs", name="ghost")))[0] == 404


async def test_models_say_owner_and_risk_tier_of_their_use_case(get: Ask, model: Workspace, jp_root_dir: Path) -> None:
    (row,) = (await get("models"))["rows"]
    assert (row["owner"], row["risk_tier"]) == (None, None)
    (jp_root_dir / "modelops.toml").write_text('[use_case.delay]\nowner = "Olivia"\nrisk_tier = "high"\n')
    (row,) = (await get("models"))["rows"]
    assert (row["owner"], row["risk_tier"]) == ("Olivia", "high")
    summary = (await get("models/delay"))["summary"]
    assert (summary["owner"], summary["risk_tier"]) == ("Olivia", "high")
