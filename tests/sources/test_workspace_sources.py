"""A model of a workspace whose predictions lie elsewhere: settings, verbs, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scored_tables import day
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score

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


ROLES_TOML = TOML.replace("score = ", 'version = "v", role = "how", score = ')


@pytest.mark.parametrize("place", ["own log", "table", "table with roles"])
def test_every_verb_looks_at_the_rows_of_the_role_that_is_asked_for(
    project: Path, model: LogisticRegression, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In our own log and in a table of others alike: figures are scikit-learn's on the rows of version and role."""
    shadow = LogisticRegression(class_weight={0: 3, 1: 1}).fit(*_fitted())
    frame = pd.concat([rows(number, model) for number in range(10)], ignore_index=True)
    answers = {"p": shadow.predict_proba(frame[["wind"]])[:, 1], "said": shadow.predict(frame[["wind"]])}
    beside = frame.assign(**answers, v=2, how="shadow")
    frame = frame.assign(v=1, how="served")
    with open_workspace() as ws:
        ws.register(shadow, "delay", reference=_fitted()[0], outcomes=_fitted()[1])
    if place == "own log":
        named = {"id": "id", "time": "at", "prediction": "said", "score": "p"}
        with open_workspace() as ws:
            ws.log_predictions("delay/1", frame[["id", "at", "said", "p", "wind"]], **named)
            ws.log_predictions("delay/2", beside[["id", "at", "said", "p", "wind"]], **named, role="shadow")
            ws.log_labels("delay", frame, id="id", label="late")
    else:
        (project / "modelops.toml").write_text(ROLES_TOML if place == "table with roles" else TOML)
        every = pd.concat([frame, beside]) if place == "table with roles" else frame
        columns = ["id", "at", "said", "p", "wind", *(["v", "how"] if place == "table with roles" else [])]
        for folder, table in (("scored", every[columns]), ("came", frame[["id", "late"]])):
            (project / folder).mkdir()
            to_arrow(table).to_pandas().to_parquet(project / folder / "all.parquet")
    last = frame["at"].dt.floor("D") == frame["at"].max().floor("D")
    with open_workspace() as ws:
        ws.monitor("delay")
        asked: list[tuple[dict[str, Any], pd.DataFrame]] = [({}, frame)]
        if place == "table":
            for verb in (ws.curves, ws.explain, ws.multivariate_drift, ws.backtest):
                with pytest.raises(NotFound, match=r"'delay' has no predictions as shadow .* it has none"):
                    verb("delay", role="shadow")
            with pytest.raises(NotFound, match="There is no request that both delay/1 and delay/2 predicted"):
                ws.compare("delay/1", "delay/2")
            assert ws.status().models[0]["beside"] == []
        else:
            asked += [({"role": "shadow"}, beside), ({"role": "shadow", "version": 2}, beside)]
            compared = ws.compare("delay/1", "delay/2").to_frame().set_index("metric")
            for side, said in (("a", frame), ("b", beside)):
                assert compared.loc["accuracy", side] == pytest.approx(accuracy_score(frame["late"], said["said"]))
            told = str(ws.status())
            assert "version 2 as shadow: 10 windows through 2026-03-10" in told
            (summary,) = ws.status().models[0]["beside"]
            area = roc_auc_score(frame["late"][last], beside["p"][last])
            assert summary["figure"] == pytest.approx(area)
            with pytest.raises(NotFound, match=r"no predictions of version 1 as canary .* it has version 2 as shadow"):
                ws.curves("delay", role="canary", version=1)
        for series, said in asked:
            name = "version 2 as shadow" if series else ""
            curves = ws.curves("delay", window="2026-03-10", **series)
            confusion = {(p, y): n for p, row in curves.confusion.items() for y, n in row.items()}
            table = pd.crosstab(said["said"][last].astype(str), frame["late"][last].astype(str)).stack()
            assert confusion == {key: n for key, n in table.items() if n}
            shown = ws.distribution("delay", "score", window="2026-03-10", **series)
            assert (curves.series, shown.series) == (name, name)
            missing = [abs(now - then) for now, then in zip(shown.current, shown.reference, strict=True)]
            assert sum(missing) < 1  # of a shadow beside its own reference, not the champion's
            explained = ws.explain("delay", window="2026-03-10", **series)
            loss = (said["p"][last] - frame["late"][last]) ** 2
            assert (explained.now, explained.rows_now) == (pytest.approx(loss.mean()), 200)
            assert explained.model == (f"delay, {name}" if name else "delay")
            assert ws.multivariate_drift("delay", **series).rows_now == 200
        if place == "table with roles":  # it takes a while
            assert str(ws.backtest("delay", **asked[-1][0])).startswith("delay, version 2 as shadow: 10 windows")


def _fitted() -> tuple[pd.DataFrame, pd.Series]:
    frame = day(-5, 1000)
    late = (frame["wind"] + np.random.default_rng(0).normal(size=1000) > 0).astype(int)
    return frame[["wind"]][500:], late[500:]


def test_verbs_look_at_windows_of_the_length_that_the_model_is_monitored_in(
    project: Path, model: LogisticRegression
) -> None:
    (project / "modelops.toml").write_text(TOML)
    write(project, model, range(15))
    with open_workspace() as ws:
        assert ws.overview("delay").windows == ()
        ws.monitor("delay", every="1W")
        assert [window.start for window in ws.overview("delay").windows] == [
            window.window_start for window in ws.monitor("delay", every="1W").windows
        ]
        assert ws.overview("delay").every == "1W"
        assert ws.distribution("delay", "wind").since == ws.monitor("delay", every="1W").windows[0].window_start
        for look in (ws.overview, ws.curves, ws.explain, ws.multivariate_drift, ws.backtest):
            with pytest.raises(NotFound, match=r"monitored in windows of 1W, not of 1D: look at those \(--every 1W\)"):
                look("delay", every="1D")
            with pytest.raises(InvalidInput, match="Windows are 1h, 1D, 1W long"):
                look("delay", every="fortnight")
        ws.monitor("delay")
        assert ws.overview("delay").every == "1D"
