"""The same work on both backends, two promoters at once, and a server that stops answering."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbformat
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from waiting import least_seconds

from modelops_jupyter.cli import main
from modelops_jupyter.errors import Conflict, RegistryUnreachable
from modelops_jupyter.monitoring.incidents.cases import monitoring_incident
from modelops_jupyter.monitoring.incidents.members import Member
from modelops_jupyter.settings import Settings
from modelops_jupyter.store import Change, Put
from modelops_jupyter.verbs import VERBS
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.slow

X, Y = load_breast_cancer(return_X_y=True, as_frame=True)
X = X.iloc[:, :6].rename(columns=lambda name: name.replace(" ", "_"))
ANSWER_SECONDS = 6.0


@pytest.fixture(params=["sqlite", "server"])
def ws(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Workspace]:
    if request.param == "server":
        settings = replace(settings, tracking_uri=request.getfixturevalue("mlflow_server").uri)
    with Workspace(settings) as opened:
        yield opened


def register(ws: Workspace, name: str, c: float) -> Any:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=c)).fit(X, Y)
    version = ws.register(model, name, data=X[::2], target=Y[::2], reference=(X[1::2], Y[1::2]))
    ws.approve(version.name + f"/{version.version}", reason="reads well")
    return model


def a_name() -> str:
    return f"cancer-{uuid4().hex[:8]}"  # the tests share one server


def test_a_version_from_registration_to_roll_back(ws: Workspace) -> None:
    name = a_name()
    first, second = register(ws, name, 1.0), register(ws, name, 0.01)
    assert [row["version"] for row in ws.versions(name)] == [2, 1]
    ws.promote(f"{name}/1", reason="first")
    ws.promote(f"{name}/2", "challenger", reason="tried beside it")
    assert ws.registry.aliases([name])[name] == {"champion": 1, "challenger": 2}
    comparison = ws.compare(f"{name}@champion", f"{name}@challenger", data=X, target=Y)
    assert comparison.rows == len(X)
    ws.promote(f"models:/{name}@challenger", reason="better")
    said, score = ws.predict(f"{name}@champion", X)
    assert said.tolist() == second.predict(X).tolist()
    assert score is not None
    np.testing.assert_allclose(score, second.predict_proba(X)[:, 1])
    assert ws.rollback(name, reason="worse in May").to_version == 1
    assert ws.registry.aliases([name])[name] == {"champion": 1, "challenger": 2}
    np.testing.assert_allclose(ws.load(f"{name}@champion").predict_proba(X), first.predict_proba(X))
    held = ws.registry.client.get_model_version_by_alias(name, "champion")  # what any other MLflow client sees
    assert held.tags["modelops.digest"] == ws.version(f"{name}@champion").body["digest"]
    assert ws.verify_audit().ok


def test_of_two_promoters_none_is_lost(ws: Workspace) -> None:
    name = a_name()
    for c in (1.0, 0.1, 0.01):
        register(ws, name, c)
    ws.promote(f"{name}/1", reason="first")
    barrier, outcomes = threading.Barrier(2), []

    def promote(version: int) -> None:
        with Workspace(ws.settings) as own:
            barrier.wait()
            with suppress(Conflict):  # the other one was quicker
                own.promote(f"{name}/{version}", reason=f"number {version}")
                outcomes.append(version)

    threads = [threading.Thread(target=promote, args=(version,)) for version in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger = ws.version(f"{name}@champion").version
    moves = [(move["from_version"], move["to_version"]) for move in ws.overview(name).transitions]
    assert outcomes
    assert sorted(to for _, to in moves) == [1, *sorted(outcomes)]
    assert [before for before, _ in moves] == [None, *(to for _, to in moves[:-1])]  # one after the other
    assert moves[-1][1] == ledger
    ws.reconcile()
    assert ws.registry.aliases([name])[name] == {"champion": ledger}
    assert ws.verify_audit().ok


def test_of_two_processes_that_expect_the_same_champion_one_wins(settings: Settings) -> None:
    (settings.project / "modelops.toml").write_text('actor = "ann"\n')
    with Workspace(settings) as ws:
        for c in (1.0, 0.1, 0.01):
            register(ws, "cancer", c)
        ws.promote("cancer/1", reason="first")
        command = [sys.executable, "-m", "modelops_jupyter.cli", "promote", "--reason", "now", "--expected", "1"]
        command += ["--workspace", str(settings.project)]
        processes = [
            subprocess.Popen([*command, f"cancer/{n}"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for n in (2, 3)
        ]
        said = [process.communicate()[1] for process in processes]
        codes = [process.returncode for process in processes]
        assert sorted(codes) == [0, 1], said
        assert "cancer@champion" in said[codes.index(1)]
        winner = 2 + codes.index(0)
        assert ws.version("cancer@champion").version == winner
        ws.reconcile()
        assert ws.registry.aliases(["cancer"])["cancer"] == {"champion": winner}


def test_an_alias_that_mlflow_did_not_take_is_put_right_by_reconciling(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workspace(settings) as ws:
        register(ws, "cancer", 1.0)
        with monkeypatch.context() as patch:
            patch.setattr(ws.registry, "set_alias", _refuse)
            with pytest.raises(RegistryUnreachable, match=r"@champion is version 1 on record.*modelops reconcile"):
                ws.promote("cancer/1", reason="first")
        assert ws.version("cancer@champion").version == 1
        assert ws.registry.aliases(["cancer"])["cancer"] == {}
        ws.reconcile()
        assert ws.registry.aliases(["cancer"])["cancer"] == {"champion": 1}


def _refuse(*_: object, **options: object) -> None:
    raise RegistryUnreachable("The MLflow server does not answer (gone): start it and try again.")


# The exit code of every verb while the MLflow server is down, and a valid call of it.
DOWN: dict[str, tuple[int, list[str]]] = {
    "status": (3, []),
    "doctor": (1, []),
    "backup": (0, ["../backup.zip"]),
    "models": (0, []),
    "versions": (0, ["cancer"]),
    "overview": (0, ["cancer"]),
    "distribution": (0, ["cancer", "mean_radius"]),
    "version": (0, ["cancer@champion"]),
    "register": (3, ["model.skops", "cancer", "--data", "rows.parquet"]),
    "evaluate": (3, ["cancer/1", "--data", "labelled.parquet", "--target", "benign"]),
    "adopt": (3, ["--all"]),
    "compare": (3, ["cancer/1", "cancer/2", "--data", "rows.parquet"]),
    "predict": (3, ["cancer/1", "rows.parquet", "scored.parquet"]),
    "curves": (0, ["cancer"]),
    "explain": (0, ["cancer", "--window", "2013-04-02"]),
    "gate": (0, ["cancer/2"]),
    "check": (0, ["cancer/2"]),
    "approve": (0, ["cancer/2", "--reason", "still good"]),
    "reject": (0, ["cancer/3", "--reason", "too weak"]),
    "comment": (0, ["cancer/2", "no server today"]),
    "promote": (3, ["cancer/2", "--reason", "better"]),
    "rollback": (3, ["cancer", "--reason", "worse"]),
    "reconcile": (3, []),
    "log-predictions": (
        0,
        ["cancer/1", "log.parquet", "--id", "id", "--time", "at", "--prediction", "said", "--batch-id", "b"],
    ),
    "log-labels": (0, ["cancer", "labels.parquet", "--id", "id", "--label", "label", "--batch-id", "b"]),
    "accept": (0, ["cancer:1b2c3d4e", "--until", "2999-01-01", "--reason", "new supplier"]),
    "monitor": (0, ["cancer"]),
    "backtest": (0, ["cancer"]),
    "compare-data": (0, ["rows.parquet", "log.parquet", "--timestamp", "at"]),
    "multivariate-drift": (0, ["cancer"]),
    "alerts": (0, []),
    "incidents": (0, []),
    "incident": (0, ["cancer:0a1b2c3d"]),
    "acknowledge": (0, ["cancer:0a1b2c3d", "--reason", "looking"]),
    "assign": (0, ["cancer:0a1b2c3d", "bob"]),
    "resolve": (0, ["cancer:0a1b2c3d", "--reason", "done"]),
    "mute": (0, ["cancer", "--sign", "volume", "--until", "2999-01-01", "--reason", "holidays"]),
    "revoke": (0, ["cancer", "--sign", "volume", "--reason", "over"]),
    "deliver": (0, []),
    "watch": (0, ["--once"]),
    "run": (0, ["pipeline.yaml", "--resume"]),
    "notebook-parameters": (0, ["step.ipynb"]),
    "run-notebook": (0, ["step.ipynb"]),
    "runs": (0, ["cancer"]),
    "board": (0, []),
    "audit": (0, []),
    "audit-head": (0, []),
    "verify-audit": (0, []),
    "card": (0, ["cancer/1"]),
}


def a_workspace(project: Path, uri: str) -> None:
    """Fill a workspace with three versions, a day of predictions and labels, and a completed pipeline run."""
    import skops.io

    (project / "modelops.toml").write_text(f'actor = "ann"\ntracking_uri = "{uri}"\n')
    X.to_parquet(project / "rows.parquet")
    X.assign(benign=Y)[1:].to_parquet(project / "labelled.parquet")
    times = pd.date_range("2013-04-01", periods=len(X), freq="5min", tz="UTC")
    ids = [str(n) for n in range(len(X))]
    X.assign(id=ids, at=times, said=Y).to_parquet(project / "log.parquet")
    pd.DataFrame({"id": ids, "label": Y}).to_parquet(project / "labels.parquet")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, project / "step.ipynb")
    (project / "pipeline.yaml").write_text("name: nightly\nsteps:\n  one: {notebook: step.ipynb}\n")
    with Workspace(Settings(project, project / ".modelops", tracking_uri=uri, actor="ann")) as ws:
        for c in (1.0, 0.1, 0.01):
            model = register(ws, "cancer", c)
        skops.io.dump(model, project / "model.skops")
        ws.promote("cancer/1", reason="first")
        ws.promote("cancer/3", reason="second")
        now = datetime.now(UTC).isoformat()
        stopped = monitoring_incident("cancer:0a1b2c3d", "cancer", "it stopped", (), now, now, None)
        ws.store.commit(Change(puts=(Put("incident", stopped["id"], stopped, subject="cancer"),)))


def an_open_incident(project: Path) -> None:
    """Put an incident of data on record, as the monitor keeps it."""
    now = datetime.now(UTC).isoformat()
    alert = Member("drift", "", "radius", "psi", "1D", "2013-04-01T00:00:00+00:00", now, "open", 0.5, 0.2, "it drifted")
    body = monitoring_incident("cancer:1b2c3d4e", "cancer", "radius changed", (), now, now, None, "data")
    with Workspace(Settings(project, project / ".modelops", actor="ann")) as ws:
        put = Put("incident", body["id"], {**body, "alerts": [alert.to_dict()]}, subject="cancer")
        ws.store.commit(Change(puts=(put,)))


def test_with_the_server_gone_every_verb_answers_within_seconds(
    stoppable_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(DOWN) == {verb.name for verb in VERBS}, "say what a new verb does without the registry"
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    a_workspace(project, stoppable_server.uri)
    for verb in ("log-predictions", "log-labels", "monitor", "run"):
        assert main([verb, *DOWN[verb][1]]) == 0
    an_open_incident(project)
    capsys.readouterr()
    for name, less in (("SIZES", {"shift": (2.0,)}), ("HEALTHY_SERIES", 1)):  # how much it tries: seconds
        monkeypatch.setattr(f"modelops_jupyter.monitoring.backtest.{name}", less)

    def ask(verb: str, words: list[str], expected: int) -> None:
        code, said = main([verb, *words]), capsys.readouterr()
        assert code == expected, (verb, said)
        if verb == "doctor":
            assert f"The MLflow server at {stoppable_server.uri} does not answer" in said.out
        elif expected:
            assert said.err.startswith(f"modelops: The MLflow server at {stoppable_server.uri} does not answer (")
            assert said.err.count("\n") == 1
        assert "Traceback" not in said.err

    def ask_in_time(verb: str, words: list[str], expected: int) -> None:
        if expected:
            assert least_seconds(partial(ask, verb, words, expected), ANSWER_SECONDS) < ANSWER_SECONDS, verb
        else:  # has work to do, which takes its time; had it asked the server, it would fail
            ask(verb, words, expected)

    stoppable_server.signal(signal.SIGSTOP)  # it takes connections and never answers
    for verb in ("register", "promote"):
        ask_in_time(verb, DOWN[verb][1], 3)
    stoppable_server.signal(signal.SIGCONT)
    stoppable_server.kill()  # it refuses connections
    for verb, (expected, words) in DOWN.items():
        ask_in_time(verb, words, expected)
    ask_in_time("init", [], 3)

    def ask_cold() -> None:
        command = [sys.executable, "-m", "modelops_jupyter.cli", "register", *DOWN["register"][1], "--json"]
        cold = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (cold.returncode, json.loads(cold.stdout)["error"]["code"]) == (3, "registry-unreachable")

    assert least_seconds(ask_cold, ANSWER_SECONDS) < ANSWER_SECONDS

    stoppable_server.start()
    for verb in ("status", "promote", "rollback", "compare", "register"):
        assert main([verb, *DOWN[verb][1]]) == 0, capsys.readouterr()
    with Workspace(Settings(project, project / ".modelops", tracking_uri=stoppable_server.uri)) as ws:
        assert ws.registry.aliases(["cancer"])["cancer"] == {"champion": 1}  # version 3 was rejected meanwhile
        assert [row["version"] for row in ws.versions("cancer")] == [4, 3, 2, 1]
