"""A registry that fails, changes or holds odd things while it is adopted: one sentence each, and the rest is taken."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proxy import proxy, slow
from stock import X, classifier, log, register, tracking

from modelops_jupyter.actions import adoption
from modelops_jupyter.errors import (
    DependencyFailed,
    InvalidInput,
    InvalidReference,
    LibraryMissing,
    NotFound,
    RegistryUnreachable,
)
from modelops_jupyter.refs import check_name
from modelops_jupyter.registry.stock_registry import StockRegistry
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.slow


def fill(ws: Workspace, names: list[str]) -> list[Any]:
    """Register a model under each name, each with files of its own."""
    with tracking(ws.tracking_uri) as client:
        infos = [log(model=classifier(1.0 + n)) for n in range(len(names))]
        for name, info in zip(names, infos, strict=True):
            register(client, name, info, "champion")
    return infos


def in_database(settings: Settings, statement: str, *values: Any) -> None:
    """Write to MLflow's database what its own calls do not write any more."""
    with closing(sqlite3.connect(settings.mlflow_path)) as connection:
        connection.execute(statement, values)
        connection.commit()


def test_versions_that_mlflow_has_not_finished_are_left_out_by_name(settings: Settings) -> None:
    with Workspace(settings) as ws:
        fill(ws, ["failed", "pending", "ready"])
        for name, status in (("failed", "FAILED_REGISTRATION"), ("pending", "PENDING_REGISTRATION")):
            in_database(settings, "UPDATE model_versions SET status = ? WHERE name = ?", status, name)
        assert ws.status().unadopted == 1
        answer = ws.adopt(all=True)
        assert [row["model"] for row in answer.adopted] == ["ready"]
        assert [(row["model"], row["version"]) for row in answer.left] == [("failed", 1), ("pending", 1)]
        assert "FAILED_REGISTRATION" in answer.left[0]["reason"]
        in_database(settings, "UPDATE model_versions SET status = 'READY'")
        assert [row["aliases"] for row in ws.adopt(all=True).adopted] == ["champion", "champion"]


def test_stages_of_old_are_kept_as_facts_and_become_no_alias(settings: Settings) -> None:
    with Workspace(settings) as ws:
        with tracking(ws.tracking_uri) as client:
            info = log()
            for stage in ("Archived", "Production"):
                register(client, stage, info)
                in_database(settings, "UPDATE model_versions SET current_stage = ? WHERE name = ?", stage, stage)
        answer = ws.adopt(all=True)
        assert answer.ok
        notes = {row["model"]: row["note"] for row in answer.adopted}
        assert notes["Archived"] == ""
        assert "stage Production" in notes["Production"]
        assert ws.version("Archived/1").body["mlflow"]["stage"] == "Archived"
        assert ws.version("Archived/1").aliases == ()


ODD = ["two words", "rain 🌧", "a/b", "é", "it's", 'say "x"', "x" * 200, ".hidden", "<b>bold</b>", "a;drop", "$(id)"]


def test_odd_names_are_left_out_each_with_the_command_that_takes_it(settings: Settings) -> None:
    with Workspace(settings) as ws, tracking(ws.tracking_uri) as client:
        info = log()
        for name in ("weather", "Weather"):
            register(client, name, info, "champion")
        for number, name in enumerate(ODD):
            register(client, f"odd{number}", info, "champion")
            for table in ("model_versions", "registered_model_aliases", "registered_models"):
                in_database(settings, f"UPDATE {table} SET name = ? WHERE name = ?", name, f"odd{number}")
        answer = ws.adopt(all=True)
        assert sorted(row["model"] for row in answer.adopted) == ["Weather", "weather"]
        assert sorted(row["model"] for row in answer.left) == sorted(ODD)
        assert all("--as NEWNAME" in row["reason"] and "\n" not in row["reason"] for row in answer.left)
        status = ws.status()
        assert (status.unadopted, sorted(status.misnamed)) == (0, sorted(ODD))
        assert "adopt --all" not in str(status)
        assert f"{len(ODD)} models of the MLflow registry cannot be adopted under their names: " in str(status)
        assert f" and {len(ODD) - 3} more. Rename in MLflow, or run `modelops adopt " in str(status)
        client.rename_registered_model("two words", "two-words")
        assert ws.adopt("two-words", new_name="taken0").ok
        for number, name in enumerate(ODD[1:], 1):
            assert ws.adopt(name, new_name=f"taken{number}").ok, name
        assert (ws.status().unadopted, ws.status().misnamed) == (0, ())
        assert ws.status().moved == ()
        assert len(ws.predict("taken0@champion", X)[0]) == len(X)
        refused = ws.adopt("weather", new_name="Weather")
        assert "It is on record as 'weather'" in refused.left[0]["reason"]


@given(name=st.text(min_size=1, max_size=40), taken=st.sampled_from(["", "weather"]))
def test_any_name_is_either_one_of_ours_or_refused_with_the_way_out(name: str, taken: str) -> None:
    names = {"another": name} if taken else {}
    try:
        fits = check_name(name) not in names.values()
    except InvalidReference:
        fits = False
    if fits:
        assert adoption._name_here(name, names, None) == name
    else:
        with pytest.raises(InvalidInput, match="--as NEWNAME"):
            adoption._name_here(name, names, None)


def test_an_alias_that_none_of_ours_can_be_stays_mlflows_and_no_reconciling_takes_it(settings: Settings) -> None:
    with Workspace(settings) as ws, tracking(ws.tracking_uri) as client:
        register(client, "weather", log(), "Champion-EU")
        answer = ws.adopt("weather")
        assert answer.ok
        assert answer.notes == (
            "weather: the alias 'Champion-EU' stays MLflow's alone, at version 1: promote a version to one of yours.",
        )
        assert ws.status().moved == ()
        ws.reconcile()
        assert client.get_registered_model("weather").aliases == {"Champion-EU": 1}


Change = Callable[[Any, str, Any], object]
MEANWHILE: dict[str, tuple[Change, str]] = {
    "alias moved": (lambda client, name, info: client.set_registered_model_alias(name, "champion", "2"), ""),
    "alias removed": (lambda client, name, info: client.delete_registered_model_alias(name, "champion"), ""),
    "alias at a new version": (lambda client, name, info: register(client, name, info, "champion"), "stays MLflow's"),
    "deleted": (lambda client, name, info: client.delete_registered_model(name), "deleted or renamed meanwhile"),
    "renamed": (lambda client, name, info: client.rename_registered_model(name, "other"), "deleted or renamed mean"),
}


@pytest.mark.parametrize("change", MEANWHILE)
def test_what_moves_in_mlflow_meanwhile_is_taken_as_it_is_at_the_end(
    change: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    act, says = MEANWHILE[change]
    with Workspace(settings) as ws, tracking(ws.tracking_uri) as client:
        info = log()
        register(client, "weather", info, "champion")
        register(client, "weather", info)
        files, once, done = StockRegistry.files, Lock(), []

        def meanwhile(self: StockRegistry, *given: Any) -> Any:
            with once:
                if not done:
                    done.append(act(client, "weather", info))
            return files(self, *given)

        with monkeypatch.context() as patch:
            patch.setattr(StockRegistry, "files", meanwhile)
            answer = ws.adopt("weather")
        assert says in str(answer)
        assert ws.status().moved == ()
        if change in ("deleted", "renamed"):
            assert not answer.ok
            assert not ws.models()
            return
        ws.adopt("weather")
        shown = {alias: int(at) for alias, at in client.get_registered_model("weather").aliases.items()}
        recorded = {r.body["alias"]: r.body["version"] for r in ws.store.find("alias", "weather")}
        assert recorded == shown


KILLED = """
import os, signal, sys
from modelops_jupyter.registry.stock_registry import StockRegistry
from modelops_jupyter.store.sql import SqlStore
from modelops_jupyter.workspace import open

kind, name, number = {"files": StockRegistry, "commit": SqlStore}[sys.argv[2]], sys.argv[2], int(sys.argv[3])
real, calls = getattr(kind, name), []

def killed(self, *given):
    calls.append(given)
    if len(calls) == number:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, *given)

setattr(kind, name, killed)
open(sys.argv[1]).adopt(all=True)
"""


@pytest.mark.parametrize(("where", "number", "whole"), [("files", 1, 0), ("commit", 1, 0), ("commit", 3, 2)])
def test_a_process_that_is_killed_leaves_whole_models_and_the_next_takes_the_rest(
    where: str, number: int, whole: int, settings: Settings
) -> None:
    (settings.project / "modelops.toml").write_text('actor = "ann"\n')
    with Workspace(settings) as ws, tracking(ws.tracking_uri) as client:
        info = log()
        for name in ("a", "b", "c", "d"):
            register(client, name, info)
            register(client, name, info, "champion")
    command = [sys.executable, "-c", KILLED, str(settings.project), where, str(number)]
    ended = subprocess.run(command, capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    with Workspace(settings) as ws:
        assert len(ws.models()) == whole
        assert all(len(ws.versions(model["name"])) == 2 for model in ws.models())
        assert ws.verify_audit().ok
        answer = ws.adopt(all=True)
        assert answer.ok
        assert len({row["model"] for row in answer.adopted}) == 4 - whole
        assert [ws.version(f"{name}@champion").version for name in "abcd"] == [2, 2, 2, 2]
        assert len([entry for entry in ws.audit() if entry["action"] == "adopt"]) == 4
        assert ws.verify_audit().ok


def test_of_two_processes_that_adopt_at_once_each_model_is_taken_once(settings: Settings) -> None:
    with Workspace(settings) as ws:
        fill(ws, ["a", "b", "c"])
    command = [sys.executable, "-m", "modelops_jupyter.cli", "adopt", "--all", "--workspace", str(settings.project)]
    environment = {**os.environ, "MODELOPS_ACTOR": "ann"}
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    with Workspace(settings) as ws:
        assert sorted(model["name"] for model in ws.models()) == ["a", "b", "c"]
        assert len([entry for entry in ws.audit() if entry["action"] == "adopt"]) == 3, said
        assert ws.verify_audit().ok
        assert ws.adopt(all=True).ok


def refuse(address: str) -> int | None:
    raise ConnectionError


def names_of(tag: str, count: int) -> list[str]:
    return [f"{tag}-{n}-{uuid4().hex[:6]}" for n in range(count)]


def test_nothing_is_written_to_a_server_and_what_it_fails_for_is_left_out(
    settings: Settings, mlflow_server: Any
) -> None:
    names = names_of("fail", 3)
    with proxy(mlflow_server.uri) as between:
        settings = replace(settings, tracking_uri=between.uri)
        with Workspace(settings) as ws:
            bad = fill(ws, names)[1]
            between.written.clear()
            between.fault = lambda address: 500 if bad.model_id in address and "artifacts" in address else None
            answers = [ws.adopt(name) for name in names]
            assert [answer.ok for answer in answers] == [True, False, True]
            assert "failed (" in answers[1].left[0]["reason"]
            assert "\n" not in answers[1].left[0]["reason"]
            assert {model["name"] for model in ws.models()} == {names[0], names[2]}
            between.fault = lambda address: None
            assert [row["aliases"] for row in ws.adopt(names[1]).adopted] == ["champion"]
            assert between.written == []
            assert len(ws.predict(f"{names[1]}@champion", X)[0]) == len(X)


def test_a_server_that_answers_too_slowly_for_one_model_is_not_waited_for(
    settings: Settings, mlflow_server: Any
) -> None:
    names = names_of("slow", 2)
    with proxy(mlflow_server.uri) as between, Workspace(replace(settings, tracking_uri=between.uri)) as ws:
        late = fill(ws, names)[0]
        between.fault = slow(f"{late.model_id}/artifacts/MLmodel", 30.0)
        refused = ws.adopt(names[0])
        assert len(refused.left) == 1
        assert "failed" in refused.left[0]["reason"].lower()
        assert ws.adopt(names[1]).ok
        between.fault = lambda address: None
        assert ws.adopt(names[0]).ok


def test_a_server_that_goes_away_leaves_what_was_taken_and_is_not_asked_for_ever(
    settings: Settings, mlflow_server: Any
) -> None:
    names = names_of("gone", 8)
    with proxy(mlflow_server.uri) as between, Workspace(replace(settings, tracking_uri=between.uri)) as ws:
        infos = fill(ws, names)
        with tracking(mlflow_server.uri) as client:
            others = [model.name for model in client.search_registered_models(max_results=1000)]
            for name in set(others) - set(names):  # the tests share one server
                client.delete_registered_model(name)

        def dies(address: str) -> int | None:
            if infos[1].model_id in address and "artifacts" in address:
                between.fault = refuse
            return None

        between.fault = dies
        answer = ws.adopt(all=True)
        assert not answer.ok
        assert len(answer.adopted) + len(answer.left) == len(names)
        assert {row["model"] for row in answer.adopted} == {model["name"] for model in ws.models()}
        assert any("does not answer" in row["reason"] or "failed (" in row["reason"] for row in answer.left)
        assert sum("Not tried" in row["reason"] for row in answer.left) >= len(answer.left) - adoption.FAILURES
        with pytest.raises(RegistryUnreachable):
            ws.adopt(all=True)
        between.fault = lambda address: None
        assert ws.adopt(all=True).ok
        assert len(ws.models()) == len(names)
        assert ws.verify_audit().ok


def test_a_model_that_mlflow_has_not_is_answered_with_those_that_it_has(settings: Settings) -> None:
    with Workspace(settings) as ws:
        fill(ws, ["weather"])
        with pytest.raises(NotFound, match="no registered model 'wether': it has weather"):
            ws.adopt("wether")
        assert not settings.store_path.exists()


def test_a_workspace_that_moves_takes_the_files_of_adopted_models_with_it(settings: Settings) -> None:
    with Workspace(settings) as ws:
        fill(ws, ["weather"])
        ws.adopt("weather")
        assert not Path(ws.version("weather/1").body["artifact_path"]).is_absolute()
    moved = settings.project.with_name(f"{settings.project.name}-moved")
    settings.project.rename(moved)
    with Workspace(replace(settings, project=moved, root=moved / ".modelops")) as ws:
        assert len(ws.predict("weather@champion", X)[0]) == len(X)
        assert ws.status().moved == ()


ADDRESSES = {
    "s3": ("s3://bucket/a", LibraryMissing, r"s3://bucket/a need boto\w+.*`pip install boto3`"),
    "gs": ("gs://bucket/a", LibraryMissing, r"gs://bucket/a need google.cloud.*`pip install google-cloud-storage`"),
    "http": ("http://ann:secret@localhost:1/x", DependencyFailed, r"//\S*localhost:1/x cannot be fetched \("),
    "hdfs": ("hdfs://host/a", DependencyFailed, r"hdfs://host/a cannot be fetched \("),
    "other": ("weird://x/y", DependencyFailed, r"weird://x/y cannot be fetched \("),
}


def test_addresses_that_cannot_be_read_are_each_one_sentence_and_the_others_are_taken(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("boto3", "botocore", "google.cloud"):
        monkeypatch.setitem(sys.modules, package, None)  # as where it is not installed
    with Workspace(settings) as ws:
        fill(ws, ["whole"])
        with tracking(ws.tracking_uri) as client:
            for name, (address, _, _) in ADDRESSES.items():
                client.create_registered_model(name)
                client.create_model_version(name, address)
        answer = ws.adopt(all=True)
        assert [row["model"] for row in answer.adopted] == ["whole"]
        reasons = {row["model"]: row["reason"] for row in answer.left}
        assert reasons.keys() == ADDRESSES.keys()
        for name, (_, kind, sentence) in ADDRESSES.items():
            assert re.search(sentence, reasons[name]), reasons[name]
            assert not re.search("backup|secret|\n", reasons[name])
            with pytest.raises(kind, match=sentence):
                ws.register(f"models:/{name}/1", "mine")


def test_an_error_that_nobody_foresaw_leaves_its_version_out(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def files(self: StockRegistry, version: Any, lineage: Any, temporary: Path) -> Any:
        if version.name == "odd":
            raise ZeroDivisionError("by nothing\nat all")
        return taken(self, version, lineage, temporary)

    taken = StockRegistry.files
    monkeypatch.setattr(StockRegistry, "files", files)
    with Workspace(settings) as ws:
        fill(ws, ["odd", "whole"])
        answer = ws.adopt(all=True)
        assert [row["model"] for row in answer.adopted] == ["whole"]
        assert "(ZeroDivisionError: by nothing)" in answer.left[0]["reason"]
