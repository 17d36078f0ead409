"""The whole loop on a small model: register, gate, promote, log, watch, alert, retrain, roll back, verify."""

import json
import sqlite3
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from modelops_jupyter.actions import registration
from modelops_jupyter.cli import main
from modelops_jupyter.errors import GateClosed, InvalidFrame, InvalidInput, NotFound
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

DAYS = 12


def flights(rows: int, seed: int, shift: float = 0.0, noise: float = 0.0) -> tuple[pd.DataFrame, pd.Series]:
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame({"wind": generator.normal(shift, 1, rows), "origin": 0.0 + generator.integers(0, 3, rows)})
    chance = 1 / (1 + np.exp(-2 * frame["wind"] + noise * generator.normal(0, 1, rows)))
    return frame, pd.Series((generator.random(rows) < chance).astype(int), name="late")


@pytest.fixture
def ws(settings: Settings) -> Workspace:
    (settings.project / "modelops.toml").write_text('actor = "ann"\n')
    return Workspace(settings)


def register(ws: Workspace, seed: int = 0) -> None:
    x, y = flights(2000, seed)
    model = LogisticRegression().fit(x, y)
    ws.register(model, "delay", data=x, target=y, reference=flights(2000, seed + 1000))


def log_day(ws: Workspace, day: int, shift: float = 0.0, noise: float = 0.0) -> tuple[pd.DataFrame, pd.Series]:
    x, y = flights(500, 100 + day, shift, noise)
    said, score = ws.predict("delay@champion", x)
    ids = [f"{day}-{n}" for n in range(len(x))]
    times = pd.Timestamp("2013-04-01", tz="UTC") + pd.Timedelta(days=day) + pd.to_timedelta(np.arange(500), unit="min")
    frame = x.assign(id=ids, at=times, said=said, score=score)
    ws.log_predictions(
        "delay@champion", frame, id="id", time="at", prediction="said", score="score", batch_id=f"p{day}"
    )
    labels = pd.DataFrame({"id": ids, "late": y})
    ws.log_labels("delay", labels, id="id", label="late", batch_id=f"l{day}")
    return frame, y


def test_the_whole_loop(ws: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    register(ws)
    with pytest.raises(GateClosed):
        ws.promote("delay/1", reason="first")
    ws.approve("delay/1", reason="reads well")
    ws.promote("delay/1", reason="first")
    days = {day: log_day(ws, day, shift=0.0 if day < 8 else 2.0, noise=0.0 if day < 8 else 9.0) for day in range(6)}
    report = ws.monitor("delay")
    assert (len(report.windows), report.new_windows) == (6, 6)
    assert ws.alerts().rows == ()
    for day in (2, 4):
        frame, late = days[day]
        window = report.windows[day]
        assert window.performance["roc_auc"]["value"] == pytest.approx(roc_auc_score(late, frame["score"]), abs=1e-3)
    for day in range(6, DAYS):
        log_day(ws, day, shift=0.0 if day < 8 else 2.0, noise=0.0 if day < 8 else 9.0)
    again = ws.monitor("delay")
    assert (len(again.windows), again.new_windows) == (DAYS, 6)
    assert ws.monitor("delay").new_windows == 0
    assert ws.monitor("delay", granularities=["1 day"], problem_type="classification").new_windows == 0
    with pytest.raises(InvalidInput, match="is a classification"):
        ws.monitor("delay", problem_type="regression")
    kinds = {(alert["kind"], alert["column"]) for alert in ws.alerts("delay", state="open")}
    assert {("performance", ""), ("drift", "wind")} <= kinds
    register(ws, seed=5)
    x, y = flights(600, 9)
    assert ws.compare("delay@champion", "delay/2", data=x, target=y, segments=["origin"]).rows == 600
    ws.approve("delay/2", reason="newer")
    ws.promote("delay/2", reason="retrained")
    assert ws.rollback("delay", reason="worse").to_version == 1
    assert ws.version("delay@champion").version == 1
    assert ws.registry.aliases(["delay"])["delay"] == {"champion": 1}
    status = ws.status()
    assert [move["action"] for move in status.history] == ["promote", "promote", "rollback"]
    assert status.models[0]["windows_with_performance"] == DAYS
    assert status.models[0]["health"] == "alert"
    assert ws.verify_audit().ok
    assert "roc_auc" in ws.card("delay/2").to_markdown()
    project = str(ws.settings.project)
    for words, expected in (
        (["status"], "delay"),
        (["models"], "delay"),
        (["versions", "delay"], "delay"),
        (["alerts"], "delay"),
        (["audit"], "delay"),
        (["verify-audit"], "The audit chain is whole"),
        (["card", "delay"], "delay"),
    ):
        assert main([*words, "--json", "--workspace", project]) == 0
        json.loads(capsys.readouterr().out)
        assert main([*words, "--workspace", project]) == 0
        assert expected in capsys.readouterr().out
    assert main(["check", "delay/2", "--workspace", project]) == 0
    for result in (ws.models(), ws.versions("delay"), ws.alerts(), ws.audit(), again, status, ws.card("delay")):
        bundle = result._repr_mimebundle_()
        assert "<script" not in bundle["text/html"]
        assert bundle["text/plain"]
    with sqlite3.connect(ws.settings.store_path) as connection:
        connection.execute("UPDATE audit SET actor = 'eve' WHERE sequence = 3")
    assert main(["verify-audit", "--workspace", project]) == 1
    assert "entry 3" in capsys.readouterr().out


def test_labels_that_arrive_late_redraw_their_windows(ws: Workspace) -> None:
    register(ws)
    x, y = flights(400, 3)
    said, score = ws.predict("delay/1", x)
    times = pd.date_range("2013-04-01", periods=400, freq="min", tz="UTC")
    ids = [str(n) for n in range(400)]
    ws.log_predictions(
        "delay/1", x.assign(id=ids, at=times, p=said, s=score), id="id", time="at", prediction="p", score="s"
    )
    assert ws.monitor("delay").windows[0].performance["roc_auc"]["reason"] == "no labels"
    ws.log_labels("delay", pd.DataFrame({"id": ids, "late": y}), id="id", label="late")
    report = ws.monitor("delay")
    assert report.windows[0].performance["roc_auc"]["value"] == pytest.approx(roc_auc_score(y, score), abs=1e-3)
    assert (len(report.windows), report.new_windows) == (1, 0)


def test_bad_input_changes_nothing(ws: Workspace) -> None:
    register(ws)
    x, _ = flights(10, 1)
    naive = x.assign(id=range(10), at=pd.Timestamp("2013-04-01"), p=1)
    with pytest.raises(InvalidFrame, match="time zone"):
        ws.log_predictions("delay/1", naive, id="id", time="at", prediction="p")
    with pytest.raises(InvalidFrame, match="no column 'when'"):
        ws.log_predictions("delay/1", naive, id="id", time="when", prediction="p")
    with pytest.raises(InvalidFrame, match="no rows"):
        ws.log_labels("delay", naive.head(0), id="id", label="p")
    with pytest.raises(NotFound, match="none yet"):
        ws.promote("delay@champion", reason="x")
    with pytest.raises(NotFound, match="it has 1"):
        ws.version("delay/9")
    with pytest.raises(InvalidInput, match="'ml'"):
        ws.register(LogisticRegression(), "delay", kind="decision")
    assert [entry["action"] for entry in ws.audit()] == ["register"]
    assert ws.monitor("delay").windows == ()


def test_status_in_an_empty_folder_explains_itself(
    tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--workspace", str(settings.project)]) == 0
    assert "no models yet" in capsys.readouterr().out


def test_a_step_that_runs_again_registers_nothing_twice(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def step(inputs: str) -> list[int]:
        """Register twice, as a notebook in a process of its own does."""
        monkeypatch.setenv("MODELOPS_STEP", inputs)
        monkeypatch.setattr(registration, "_registered_by_this_process", Counter())
        register(ws)
        register(ws, seed=1)
        return [row["version"] for row in ws.versions("delay")]

    assert step("a") == [2, 1]
    assert step("a") == [2, 1]
    assert step("b") == [4, 3, 2, 1]


def test_a_retrained_version_with_another_feature_is_watched_on_its_own_columns(ws: Workspace) -> None:
    generator = np.random.default_rng(5)
    for number, names in enumerate((["wind", "origin"], ["wind", "gust"]), start=1):
        x, y = flights(2000, number)
        x = x.assign(gust=generator.normal(0, 1, len(x)))[names]
        ws.register(LogisticRegression().fit(x, y), "delay", data=x[::2], target=y[::2], reference=(x[1::2], y[1::2]))
        ws.approve(f"delay/{number}", reason="fine")
        ws.promote(f"delay/{number}", reason="next")
        for day in range(4 * number, 4 * number + 4):
            x, _ = flights(500, 50 + day)
            x = x.assign(gust=generator.normal(0, 1, len(x)))[names]
            said, score = ws.predict(f"delay/{number}", x)
            at = pd.Timestamp("2013-04-01", tz="UTC") + pd.Timedelta(days=day)
            times = at + pd.to_timedelta(np.arange(500), unit="min")
            frame = x.assign(id=[f"{day}-{n}" for n in range(500)], at=times, said=said, score=score)
            ws.log_predictions(f"delay/{number}", frame, id="id", time="at", prediction="said", score="score")
    windows = ws.monitor("delay").windows
    watched = [sorted(set(window.drift) - {"prediction", "score"}) for window in windows]
    assert watched == [["origin", "wind"]] * 4 + [["gust", "wind"]] * 4
    assert [window.findings for window in windows if any(f.column == "gust" for f in window.findings)] == []
    assert ws.alerts("delay").rows == ()
