"""A small but complete workspace, made once and copied to one place again and again: MLflow's addresses stay right."""

import json
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import modelops_jupyter as mo
from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.processes import identity

X = pd.DataFrame(np.random.default_rng(0).normal(size=(120, 2)), columns=["wind", "rain"])
Y = (X["wind"] > 0).astype(int)
DAYS = 12  # Delta writes a checkpoint every ten commits


def complete(project: Path) -> None:
    """Do all that leaves files: versions, aliases, a log with a checkpoint, a run, a batch in quarantine, a job."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, project / "step.ipynb")
    (project / "pipeline.yaml").write_text("name: nightly\nsteps:\n  one: {notebook: step.ipynb}\n")
    (project / "modelops.toml").write_text('actor = "ann"\n')
    with mo.open(project) as ws:
        for c in (1.0, 0.1):
            model = LogisticRegression(C=c).fit(X, Y)
            ws.register(model, "delay", data=X[:60], target=Y[:60], reference=(X[60:], Y[60:]))
        ws.approve("delay/1", reason="ok")
        ws.promote("delay/1", reason="first")
        columns = {"id": "id", "time": "at", "prediction": "said"}
        for day in range(DAYS):
            times = pd.Timestamp("2026-01-01", tz="UTC") + pd.Timedelta(days=day) + pd.to_timedelta(range(120), "min")
            rows = X.assign(id=[f"{day}-{n}" for n in range(120)], at=times, said=1)
            ws.log_predictions("delay/1", rows, **columns, batch_id=f"p{day}")
            if day < 2:
                ws.log_labels("delay", pd.DataFrame({"id": rows["id"], "late": Y}), id="id", label="late")
        with pytest.raises(InvalidFrame, match="kept in"):
            ws.log_predictions("delay/1", rows.assign(wind="strong"), **columns, batch_id="wrong")
        ws.monitor("delay")
        ws.run(project / "pipeline.yaml")
        job = ws.settings.root / "jobs" / "20260101T000000-0a1b2c3d"
    job.mkdir(parents=True)
    about = {"operation": "monitor", "arguments": {}, "actor": "ann", "assurance": "self-asserted"}
    (job / "job.json").write_text(json.dumps({**about, "created_at": "2026-01-01T00:00:00+00:00"}))
    (job / "process.json").write_text(json.dumps({**identity(), "folder": str(job)}))
    (job / "events.jsonl").write_text('{"type": "state", "state": "running"}\n')
    (job / "outcome.json").write_text('{"state": "completed", "result": null}')


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    project = tmp_path_factory.mktemp("whole") / "project"
    (project / ".modelops").mkdir(parents=True)
    shutil.copy(mlflow_database, project / ".modelops")
    complete(project)
    kept = project.with_name("kept")
    shutil.copytree(project, kept)
    return kept


@pytest.fixture
def project(pristine: Path) -> Path:
    """Return the workspace as it was made, where it was made."""
    place = pristine.with_name("project")
    put_back(pristine)
    return place


def put_back(pristine: Path) -> Path:
    """Put the workspace back as it was made, whatever was done to it."""
    place = pristine.with_name("project")
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(pristine, place, symlinks=True)
    return place
