"""Models of an MLflow registry go on record as they are, from a file and from a real server, which stays as it is."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import mlflow
import numpy as np
import pandas as pd
import pytest
from stock import X, Y, classifier, log, register, tracking

from modelops_jupyter.actions.versions import references
from modelops_jupyter.cli import main
from modelops_jupyter.errors import InvalidInput, NotFound, UnsafeArtifact
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(params=["embedded", "file", "server"])
def ws(request: pytest.FixtureRequest, settings: Settings, mlflow_database: Path) -> Iterator[Workspace]:
    """Return a workspace with MLflow in its own file, in a file of the team's, or on a server."""
    if request.param == "file":
        file = settings.project / "team.db"
        file.write_bytes(mlflow_database.read_bytes())
        settings = replace(settings, tracking_uri=f"sqlite:///{file}")
    if request.param == "server":
        settings = replace(settings, tracking_uri=request.getfixturevalue("mlflow_server").uri)
    with Workspace(settings) as opened:
        yield opened


def a_name(what: str = "weather") -> str:
    return f"{what}-{uuid4().hex[:8]}"  # the tests share one server


def dump(ws: Workspace) -> str:
    """Return a digest of all that MLflow has: its database and every file of its artifacts."""
    digest = hashlib.sha256()
    file = ws.settings.mlflow_path
    if ws.settings.server is not None:
        return ""
    with closing(sqlite3.connect(file)) as connection:
        for line in connection.iterdump():
            digest.update(line.encode())
    for path in sorted(ws.settings.project.rglob("*")):
        if path.is_file() and "models" in path.parts:
            digest.update(f"{path}\x00{path.stat().st_mtime_ns}".encode() + path.read_bytes())
    return digest.hexdigest()


def test_a_model_goes_on_record_as_mlflow_has_it(ws: Workspace) -> None:
    name = a_name()
    with tracking(ws.tracking_uri) as client:
        for c, alias in ((1.0, "champion"), (0.01, "challenger")):
            register(client, name, log(model=classifier(c)), alias)
        client.update_registered_model(name, description="Will it be late?")
        client.set_model_version_tag(name, "1", "reviewed", "yes")
        versions = {n: client.get_model_version(name, str(n)) for n in (1, 2)}
        expected = mlflow.pyfunc.load_model(versions[2].source).predict(X)
    before = dump(ws)
    answer = ws.adopt(name)
    assert dump(ws) == before
    assert answer.ok
    assert [(row["version"], row["aliases"], row["unsafe"]) for row in answer.adopted] == [
        (1, "champion", False),
        (2, "challenger", False),
    ]
    body = ws.version(f"{name}@challenger").body
    assert (body["version"], body["flavor"], body["task"], body["classes"]) == (
        2,
        "sklearn-skops",
        "classification",
        ["0", "1"],
    )
    assert body["features"] == ["wind", "rain", "sea level"]
    assert body["metrics"] == {"roc_auc": 0.9, "accuracy": 0.8}
    assert body["run_id"] == versions[2].run_id
    assert body["source"]["git_commit"] == "abc123"
    assert body["source"]["script"]
    assert body["mlflow"]["params"] == {"C": "1.0"}
    assert body["mlflow"]["tags"]["team"] == "weather"
    assert body["inputs"] == [f"rain.parquet (MLflow digest {body['mlflow']['datasets'][0]['digest']})"]
    assert body["adopted"]
    assert ws.version(f"{name}/1").body["mlflow"]["tags"]["reviewed"] == "yes"
    assert ws.overview(name).description == "Will it be late?"
    predicted, score = ws.predict(f"{name}@challenger", X)
    assert predicted.tolist() == expected.tolist()
    assert score is not None
    np.testing.assert_array_equal(score, classifier(0.01).predict_proba(X)[:, 1])
    moves = [(move["action"], move["alias"], move["to_version"]) for move in ws.overview(name).transitions]
    assert sorted(moves) == [("adopted", "challenger", 2), ("adopted", "champion", 1)]
    entries = [entry for entry in ws.audit() if entry["subject"] == name]
    assert [entry["action"] for entry in entries] == ["adopt"]
    assert entries[0]["details"]["versions"] == {str(n): ws.version(f"{name}/{n}").body["digest"] for n in (1, 2)}
    assert ws.verify_audit().ok
    assert not any(name in sentence for sentence in ws.status().moved)


def test_adopting_again_takes_what_is_new_and_leaves_the_rest(ws: Workspace) -> None:
    name = a_name()
    with tracking(ws.tracking_uri) as client:
        info = log()
        register(client, name, info, "champion")
        ws.adopt(name)
        ws.approve(f"{name}/1", reason="reads well")
        record = ws.version(f"{name}/1").body
        again = ws.adopt(name)
        assert (again.adopted, again.left) == ((), ())
        assert again.present == ({"model": name, "versions": 1},)
        register(client, name, info, "challenger")
    third = ws.adopt(name)
    assert [row["version"] for row in third.adopted] == [2]
    assert ws.version(f"{name}/1").body == record
    with pytest.raises(NotFound, match="challenger"):  # a new alias passes the gate
        ws.version(f"{name}@challenger")
    assert ws.adopt(name).adopted == ()


def test_adopted_versions_are_compared_promoted_and_rolled_back(ws: Workspace) -> None:
    name = a_name()
    with tracking(ws.tracking_uri) as client:
        for c in (1.0, 0.001):
            register(client, name, log(model=classifier(c)), "champion" if c == 1.0 else None)
    ws.adopt(name, reference=X.assign(late=Y), outcomes="late")
    assert ws.compare(f"{name}/1", f"{name}/2", data=X, target=Y).rows == len(X)
    assert {1, 2} == set(references(ws.store, name))
    ws.approve(f"{name}/2", reason="reads well")
    ws.promote(f"{name}/2", reason="simpler")
    with tracking(ws.tracking_uri) as client:
        assert int(client.get_model_version_by_alias(name, "champion").version) == 2
        ws.rollback(name, reason="worse in May")
        assert int(client.get_model_version_by_alias(name, "champion").version) == 1
    actions = [move["action"] for move in ws.overview(name).transitions]
    assert actions == ["adopted", "promote", "rollback"]


def test_a_version_is_monitored_from_the_rows_that_it_was_given(settings: Settings) -> None:
    with Workspace(settings) as ws:
        with tracking(ws.tracking_uri) as client:
            register(client, "weather", log(), "champion")
        ws.adopt("weather")
        assert not references(ws.store, "weather")
        later = ws.adopt("weather", reference=X, outcomes=Y)
        assert later.notes == ("weather/1 has a reference now.",)
        assert ws.adopt("weather", reference=X, outcomes=Y).notes == ()
        profile = references(ws.store, "weather")[1].profile
        assert (profile.rows, profile.outcomes.labelled) == (len(X), len(X))
        times = pd.date_range("2026-01-01", periods=len(X), freq="h", tz="UTC")
        predicted, score = ws.predict("weather@champion", X)
        frame = X.assign(id=[str(n) for n in range(len(X))], at=times, said=predicted, p=score)
        ws.log_predictions("weather@champion", frame, id="id", time="at", prediction="said", score="p")
        assert sum(window.pooled for window in ws.monitor("weather").windows) == 17  # 24 rows a day are judged together
        assert ws.verify_audit().ok


def test_a_version_with_a_name_that_no_model_of_ours_can_have_takes_another(ws: Workspace) -> None:
    name, here = f"Wind & rain 🌧 {uuid4().hex[:6]}", a_name("rain")
    with tracking(ws.tracking_uri) as client:
        register(client, name, log(), "champion")
        refused = ws.adopt(name)
        assert not refused.ok
        assert f"modelops adopt '{name}' --as NEWNAME" in refused.left[0]["reason"]
        assert not any(row["name"] == name for row in ws.models())
        assert ws.adopt(name, new_name=here).ok
        for either in (name, here):
            assert ws.adopt(either).present == ({"model": here, "versions": 1},)
        with pytest.raises(InvalidInput, match="leave out the new name"):
            raise InvalidInput(ws.adopt(name, new_name="other").left[0]["reason"])
        ws.register(classifier(0.1), here, data=X[1::2], target=Y[1::2], reference=(X[::2], Y[::2]))
        assert [int(v.version) for v in client.search_model_versions(f"name='{name}'")] == [2, 1]
        ws.approve(f"{here}/2", reason="reads well")
        ws.promote(f"{here}/2", reason="newer")
        assert int(client.get_model_version_by_alias(name, "champion").version) == 2
        assert not client.search_registered_models(f"name='{here}'")
        client.set_registered_model_alias(name, "champion", "1")
        assert any(sentence.startswith(f"{here}@champion is version 2 on record") for sentence in ws.status().moved)
        ws.reconcile()
        assert int(client.get_model_version_by_alias(name, "champion").version) == 2


def test_a_pickle_is_marked_unsafe_and_loaded_only_where_one_says_so(ws: Workspace) -> None:
    name = a_name()
    with tracking(ws.tracking_uri) as client:
        info = log(model=classifier(), serialization_format="cloudpickle")
        register(client, name, info, "champion")
        expected = mlflow.pyfunc.load_model(info.model_uri).predict(X)
    answer = ws.adopt(name)
    assert [(row["flavor"], row["unsafe"], row["task"]) for row in answer.adopted] == [
        ("mlflow-pyfunc", True, "classification")  # its figures say so
    ]
    with pytest.raises(UnsafeArtifact, match="--unsafe"):
        ws.predict(f"{name}@champion", X)
    predicted, score = ws.predict(f"{name}@champion", X, unsafe=True)
    assert predicted.tolist() == expected.tolist()
    np.testing.assert_array_equal(score, classifier().predict_proba(X)[:, 1])
    refused = ws.adopt(name, reference=X, outcomes=Y)
    assert "Say unsafe=True (--unsafe)" in refused.without_reference[0]["reason"]
    assert not refused.ok
    assert ws.adopt(name, reference=X, outcomes=Y, unsafe=True).ok
    assert ws.version(f"{name}@champion").body["classes"] == ["0", "1"]
    assert ws.version(f"{name}@champion").body["unsafe"]


def test_all_models_are_taken_and_status_counts_those_that_wait(settings: Settings, capsys: Any) -> None:
    with Workspace(settings) as ws, tracking(ws.tracking_uri) as client:
        info = log()
        for name in ("a", "b", "c"):
            register(client, name, info, "champion")
        client.create_registered_model("empty")
        mlflow.genai.register_prompt("a-prompt", "Say {{what}}")
        assert main(["status", "--workspace", str(settings.project)]) == 0
        said = capsys.readouterr().out
        assert "3 models of the MLflow registry are not adopted yet: run `modelops adopt --all`." in said
        assert ws.adopt("b").ok
        assert ws.status().unadopted == 2
        assert "2 models of the MLflow registry are not adopted yet" in str(ws.status())
        ws.register(classifier(), "own", data=X, target=Y)
        assert ws.status().unadopted == 2
        assert main(["adopt", "--all", "--json", "--workspace", str(settings.project)]) == 1
        told = json.loads(capsys.readouterr().out)
        assert [row["model"] for row in told["adopted"]] == ["a", "c"]
        assert [row["model"] for row in told["present"]] == ["b", "own"]
        assert told["left"] == [
            {
                "model": "empty",
                "version": None,
                "reason": "It has no versions: register one in MLflow, or delete it there.",
            }
        ]
        assert ws.status().unadopted == 0
        client.delete_registered_model("empty")
        assert main(["adopt", "--all", "--workspace", str(settings.project)]) == 0
        assert "Nothing new: 4 models on record before." in capsys.readouterr().out


def test_a_wrong_call_says_so_before_anything_is_asked(settings: Settings) -> None:
    with Workspace(settings) as ws:
        for wrong in (
            {},
            {"name": "a", "all": True},
            {"all": True, "new_name": "b"},
            {"name": "a", "outcomes": "late"},
        ):
            with pytest.raises(InvalidInput):
                ws.adopt(**wrong)
        with pytest.raises(NotFound, match="no registered model 'ghost': it has none yet"):
            ws.adopt("ghost")
        assert not settings.store_path.exists()


def test_a_version_that_the_reference_does_not_fit_is_no_failure_of_the_others(settings: Settings, capsys: Any) -> None:
    rows = settings.project / "rows.parquet"
    X.assign(late=Y).to_parquet(rows)
    (settings.project / "modelops.toml").write_text('actor = "ann"\n')
    words = ["adopt", "weather", "--validated-on", str(rows), "--outcomes", "late"]
    words += ["--workspace", str(settings.project)]
    with Workspace(settings) as ws, tracking(ws.tracking_uri) as client:
        register(client, "weather", log())
        register(client, "weather", log(model=classifier(), serialization_format="cloudpickle"), "champion")
    assert main(words) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        "1 model adopted with 2 versions (1 unsafe: they run code when they are loaded); 1 version given the "
        "reference, 1 as before, without one.\n  without a reference  weather/2: It runs code when it is loaded"
    )
    assert "left out" not in out
    assert main(words) == 1, "nothing that was asked for came of it"
    out = capsys.readouterr().out
    assert out.startswith("1 model on record before; the reference serves none of 1 version, which stay as they are.")
    with Workspace(settings) as ws:
        again = ws.adopt("weather", reference=(X, Y))
        html = again._repr_mimebundle_()["text/html"]
        assert "On record, without the reference" in html
        assert ws.adopt("weather", reference=X, outcomes=Y, unsafe=True).referenced == ("weather/2",)
        with pytest.raises(InvalidInput, match="given twice"):
            ws.adopt("weather", reference=(X, Y), outcomes=Y)
