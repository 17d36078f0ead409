"""A model of a workspace whose predictions lie elsewhere: settings, verbs, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scored_tables import day
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score

from modelops_jupyter.cli import main
from modelops_jupyter.errors import InvalidInput, NotFound
from modelops_jupyter.frames import to_arrow
from modelops_jupyter.settings import Settings, find_settings
from modelops_jupyter.workspace import Workspace
from modelops_jupyter.workspace import open as open_workspace

TOML = """
[source.delay]
table = "scored"
columns = {request_id = "id", timestamp = "at", prediction = "said", score = "p"}

[source.delay.labels]
table = "came"
columns = {request_id = "id", label = "late"}
"""


def rows(number: int, model: LogisticRegression) -> pd.DataFrame:
    frame = day(number).drop(columns="origin")
    frame["p"] = model.predict_proba(frame[["wind"]])[:, 1]
    late = frame["wind"] + np.random.default_rng(number + 1).normal(size=len(frame)) > 0
    return frame.assign(said=model.predict(frame[["wind"]]), late=late.astype(int))


@pytest.fixture
def project(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(settings.project)
    return settings.project


@pytest.fixture
def model(project: Path) -> LogisticRegression:
    frame = day(-5, 1000)
    late = (frame["wind"] + np.random.default_rng(0).normal(size=1000) > 0).astype(int)
    model = LogisticRegression().fit(frame[["wind"]][:500], late[:500])
    with open_workspace() as ws:
        valid = {"reference": frame[["wind"]][500:], "outcomes": late[500:]}
        ws.register(model, "delay", data=frame[["wind"]][:500], target=late[:500], **valid)
    return model


def write(project: Path, model: LogisticRegression, numbers: range) -> pd.DataFrame:
    frames = [rows(number, model) for number in numbers]
    for number, frame in zip(numbers, frames, strict=True):
        for folder, columns in (("scored", ["id", "at", "said", "p", "wind"]), ("came", ["id", "late"])):
            (project / folder).mkdir(exist_ok=True)
            to_arrow(frame[columns]).to_pandas().to_parquet(project / folder / f"{number}.parquet")
    return pd.concat(frames, ignore_index=True)


def accuracies(ws: Workspace) -> dict[str, Any]:
    report = ws.monitor("delay")
    return {window.window_start: window.performance["accuracy"]["value"] for window in report.windows}


def test_verbs_read_the_table(project: Path, model: LogisticRegression, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "modelops.toml").write_text(TOML)
    frame = write(project, model, range(5))
    with open_workspace() as ws:
        expected = {
            start.isoformat(): accuracy_score(part["late"], part["said"])
            for start, part in frame.groupby(frame["at"].dt.floor("D"))
        }
        assert accuracies(ws) == pytest.approx(expected)
        explained = ws.explain("delay", window="2026-03-05")
        assert explained.rows_now == 200
        assert ws.multivariate_drift("delay", window="2026-03-05").rows_now == 200
    before = sorted(path.name for path in (project / ".modelops").rglob("*.parquet"))
    write(project, model, range(5, 7))
    assert main(["watch", "--once"]) == 0
    assert "delay every 1D: 2 new windows" in capsys.readouterr().out
    assert main(["monitor", "delay"]) == 0
    assert "7 windows of 1D" in capsys.readouterr().out
    assert sorted(path.name for path in (project / ".modelops").rglob("*.parquet")) == before
    assert not (project / ".modelops" / "log").exists()


def test_a_model_has_its_predictions_in_one_place(project: Path, model: LogisticRegression) -> None:
    frame = write(project, model, range(2))
    named = {"id": "id", "time": "at", "prediction": "said", "score": "p"}
    with open_workspace() as ws:
        ws.log_predictions("delay/1", frame[["id", "at", "said", "p", "wind"]], **named)
    (project / "modelops.toml").write_text(TOML)
    with open_workspace() as ws:
        with pytest.raises(InvalidInput, match=r"predictions of 'delay' lie in two places, scored and our own log"):
            ws.monitor("delay")
        with pytest.raises(InvalidInput, match=r"predictions of 'delay' are read from scored: write them there"):
            ws.log_predictions("delay/1", frame[["id", "at", "said", "p", "wind"]], **named)
        with pytest.raises(InvalidInput, match=r"labels of 'delay' are read from came"):
            ws.log_labels("delay", frame, id="id", label="late")


def test_labels_may_be_logged_for_predictions_that_lie_elsewhere(project: Path, model: LogisticRegression) -> None:
    frame = write(project, model, range(3))
    (project / "modelops.toml").write_text(TOML.partition("[source.delay.labels]")[0])
    with open_workspace() as ws:
        assert [window.labelled for window in ws.monitor("delay").windows] == [0, 0, 0]
        ws.log_labels("delay", frame[200:400], id="id", label="late")
        report = ws.monitor("delay")
        assert [window.labelled for window in report.windows] == [0, 200, 0]
        found = report.windows[1].performance["accuracy"]["value"]
        assert found == pytest.approx(accuracy_score(frame["late"][200:400], frame["said"][200:400]))
        ws.log_labels("delay", frame[:50].assign(late=1 - frame["late"][:50]), id="id", label="late")
        assert [window.labelled for window in ws.monitor("delay").windows] == [50, 200, 0]


def test_a_source_of_no_model_and_a_table_that_is_gone(project: Path, model: LogisticRegression) -> None:
    (project / "modelops.toml").write_text(TOML)
    with open_workspace() as ws:
        with pytest.raises(NotFound, match=r"no folder .*scored"):
            ws.monitor("delay")
        assert ws.watch(once=True).runs[0].error
        (project / "modelops.toml").write_text(TOML.replace("delay", "other"))
    with open_workspace() as ws:
        with pytest.raises(NotFound, match="no model 'other'"):
            ws.monitor("other")
        (problem,) = ws.doctor().problems
        assert "[source.other] names a model that is not registered: registered are delay" in problem.what


def test_settings_show_no_secret(tmp_path: Path) -> None:
    (tmp_path / "modelops.toml").write_text(
        "[source.delay]\ndatabase = 'postgresql://ann:s3cret@db/x'\nquery = 'SELECT 1'\nkey = 'k'\n"
        "options = {secret = 's3cret'}\n"
    )
    settings = find_settings(tmp_path, environ={})
    assert settings.sources["delay"].query == "SELECT 1"
    assert "s3cret" not in repr(settings)
    for wrong in ("[source.delay]\ncolour = 1", "source = 3", "[source.delay]\ntable = 'x'\noptions = 's3cret'"):
        (tmp_path / "modelops.toml").write_text(wrong)
        with pytest.raises(InvalidInput, match=r"modelops\.toml.*source") as error:
            find_settings(tmp_path, environ={})
        assert "s3cret" not in str(error.value)


def test_what_cannot_be_read_is_on_status_and_overview_until_it_can(
    project: Path, model: LogisticRegression, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "modelops.toml").write_text(TOML)
    frame = write(project, model, range(4))
    file = project / "scored" / "2.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    came = pd.read_parquet(project / "came" / "3.parquet")
    came.assign(late=came["late"].astype(str).where(came.index > 5, "pending")).to_parquet(
        project / "came" / "3.parquet"
    )
    readable = frame[frame["at"].dt.day != 3]
    with open_workspace() as ws:
        report = ws.monitor("delay")
        assert [window.rows for window in report.windows] == [200, 200, 200]
        assert [window.labelled for window in report.windows] == [200, 200, 194]
        problems = ws.overview("delay").summary.source_problems
        assert len(problems) == 2
        assert "'2.parquet' of scored cannot be read" in problems[0]
        assert "Column 'late' of came holds labels that cannot be read ('pending')" in problems[1]
        for shown in (ws.status(), ws.overview("delay"), report):
            pages = [str(shown), str(shown._repr_mimebundle_()["text/html"])]
            assert all(page.replace("&#x27;", "'").replace("&#39;", "'").count(problems[0]) == 1 for page in pages)
        assert ws.models()[0]["source_problems"] == list(problems)
        assert list(ws.status().to_dict()["models"][0]["source_problems"]) == list(problems)
        assert ws.monitor("delay").remark.count(problems[0]) == 1
        assert ws.overview("delay").summary.source_problems == problems  # nothing was read anew
        assert ws.explain("delay", window="2026-03-04").rows_now == 194  # those with a label
        assert ws.multivariate_drift("delay", window="2026-03-04").rows_now == 200
        assert ws.watch(once=True).runs[0].error is None
    assert main(["status"]) == 0
    assert problems[0] in capsys.readouterr().out
    file.write_bytes(whole)
    came.to_parquet(project / "came" / "3.parquet")
    with open_workspace() as ws:
        report = ws.monitor("delay")
        assert [window.labelled for window in report.windows] == [200] * 4
        assert ws.overview("delay").summary.source_problems == ()
        assert "cannot be read" not in f"{ws.status()}{report}"
    assert len(readable) == 600


def test_a_source_that_stops_is_on_the_status_until_it_goes_on(project: Path, model: LogisticRegression) -> None:
    (project / "modelops.toml").write_text(TOML)
    write(project, model, range(2))
    (project / "scored").rename(project / "moved")
    with open_workspace() as ws:
        with pytest.raises(NotFound, match=r"no folder .*scored"):
            ws.monitor("delay")
        assert "There is no folder" in str(ws.status())
        assert "There is no folder" in str(ws.overview("delay"))
    (project / "moved").rename(project / "scored")
    with open_workspace() as ws:
        ws.monitor("delay")
        assert "There is no folder" not in str(ws.status())
    (project / "modelops.toml").write_text("")
    with open_workspace() as ws:
        assert ws.overview("delay").summary.source_problems == ()
