"""A model that was deleted in MLflow is made there again: whole, once, and by one process at a time."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from test_mlflow_habits import Champion, X, Y, champion, delete_model, fitted, shown

pytestmark = pytest.mark.slow


@pytest.fixture
def changed(tmp_path: Path, mlflow_database: Path) -> Champion:
    """One whose registry is changed by somebody else."""
    return champion(tmp_path / "project", mlflow_database)


def restored(it: Champion) -> list[tuple[int, str]]:
    """Return MLflow's versions of m and their digests."""
    versions = it.client.search_model_versions("name='m'")
    return sorted((int(version.version), version.tags["modelops.digest"]) for version in versions)


def on_record(it: Champion) -> list[tuple[int, str]]:
    return [(record.body["version"], record.body["digest"]) for record in it.ws.store.find("version", "m")]


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_restoration_that_failed_half_way_is_finished_by_the_next_one(
    changed: Champion, fails_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = changed.ws
    ws.register(fitted(0.5), "m", data=X, target=Y)
    delete_model(changed)
    create, calls = mlflow.MlflowClient.create_model_version, iter(range(1, 9))

    def failing(*arguments: Any, **options: Any) -> Any:
        if next(calls) == fails_at:
            raise MlflowException("the connection was lost")
        return create(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "create_model_version", failing)
        ws.reconcile()
    assert len(restored(changed)) == fails_at - 1
    (told,) = ws.status().moved
    assert told.startswith("m was deleted in MLflow and made there again only in part; its 3 versions")
    ws.reconcile()
    assert restored(changed) == on_record(changed)
    assert shown(changed) == {"champion": 2}
    assert ws.status().moved == ()
    assert ws.store.find("restoration") == ()
    assert len(ws.incidents("m")) == 1
    assert ws.register(fitted(0.7), "m", data=X, target=Y).version == 4


def test_versions_on_record_above_mlflows_highest_number_are_made_again(changed: Champion) -> None:
    body = changed.ws.version("m/1").body
    delete_model(changed)
    changed.client.create_registered_model("m")
    source = f"{changed.client.get_run(body['run_id']).info.artifact_uri}/{body['model_uri'].split('/', 2)[2]}"
    changed.client.create_model_version("m", source, tags={"modelops.digest": body["digest"]})
    (told,) = [text for text in changed.ws.status().moved if "only in part" in text]
    assert told.startswith("m was deleted")
    changed.ws.reconcile()
    assert restored(changed) == on_record(changed)
    assert changed.ws.reconcile().rows == ()
    assert shown(changed) == {"champion": 2}


def test_a_version_that_another_tool_makes_meanwhile_takes_no_number_of_ours_unseen(
    changed: Champion, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = changed.ws
    ws.register(fitted(0.5), "m", data=X, target=Y)
    delete_model(changed)
    create, calls = mlflow.MlflowClient.create_model_version, iter(range(9))

    def late(client: Any, *arguments: Any, **options: Any) -> Any:
        if next(calls) == 1:
            create(client, "m", "file:///nowhere")
        return create(client, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "create_model_version", late)
        (row,) = ws.reconcile()
    assert "MLflow gave number 3 to version 2 of 'm'" in row["what"]
    numbers = [int(version.version) for version in changed.client.search_model_versions("name='m'")]
    assert sorted(numbers) == [1, 2], "the one that was ours is withdrawn"
    ws.reconcile()
    assert ws.register(fitted(0.7), "m", data=X, target=Y).version == 4


RECONCILE = """
import sys
from pathlib import Path
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace
project = Path(sys.argv[1])
with Workspace(Settings(project=project, root=project / ".modelops", actor="ann")) as ws:
    print(len(ws.status().moved), flush=True)
    input()
    print(*(row["what"] for row in ws.reconcile()))
"""


def test_two_processes_that_restore_at_once_make_each_version_once(changed: Champion) -> None:
    ws = changed.ws
    for strength in (0.5, 0.6, 0.7):
        ws.register(fitted(strength), "m", data=X, target=Y)
    delete_model(changed)
    command = [sys.executable, "-W", "ignore", "-c", RECONCILE, str(ws.settings.project)]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.wait(60) for process in both] == [0, 0], [process.communicate()[0] for process in both]
    for process in both:
        process.communicate()
    assert restored(changed) == on_record(changed)
    assert changed.ws.reconcile().rows == ()
    assert shown(changed) == {"champion": 2}


def test_a_restoration_of_a_process_that_was_killed_is_finished_by_the_next_one(changed: Champion) -> None:
    ws = changed.ws
    ws.register(fitted(0.5), "m", data=X, target=Y)
    delete_model(changed)
    kill = "import os, mlflow; m = mlflow.MlflowClient; real, left = m.create_model_version, [2]\n"
    kill += "def dying(*a, **k):\n    left[0] -= 1\n    return real(*a, **k) if left[0] else os._exit(9)\n"
    command = [sys.executable, "-W", "ignore", "-c", f"{kill}m.create_model_version = dying\n{RECONCILE}"]
    done = subprocess.run([*command, str(ws.settings.project)], input="\n", text=True, capture_output=True)
    assert done.returncode == 9, done.stderr
    assert len(restored(changed)) == 1
    ws.reconcile()
    assert restored(changed) == on_record(changed)
    assert shown(changed) == {"champion": 2}
