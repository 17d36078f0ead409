"""Whatever was deleted or renamed in MLflow: nothing moves half way, and who follows the advice ends well."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pytest
from test_mlflow_habits import Champion, X, Y, champion, delete_model, fitted, rename, shown

import modelops_jupyter as mo
from modelops_jupyter.cli import main
from modelops_jupyter.errors import RegistryDamaged

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    """A workspace with model m, of whose two versions the second is the champion."""
    before = mlflow.get_tracking_uri()
    it = champion(tmp_path_factory.mktemp("made") / "project", mlflow_database)
    it.ws.close()
    mlflow.set_tracking_uri(before)
    return it.ws.settings.project


@pytest.fixture
def it(made: Path, tmp_path: Path) -> Iterator[Champion]:
    """A copy of it, with the rows that a user validates on."""
    project = shutil.copytree(made, tmp_path / "project")
    (project / "modelops.toml").write_text('actor = "ann"\n')
    X.assign(late=Y)[1::2].to_parquet(project / "rows.parquet")
    with mo.open(project) as ws:
        ws.status()
        yield Champion(ws, project)


def delete_version(number: int) -> Callable[[Champion], object]:
    return lambda it: it.client.delete_model_version("m", str(number))


def delete_alias(it: Champion) -> None:
    it.client.delete_registered_model_alias("m", "champion")


def delete_run(number: int) -> Callable[[Champion], object]:
    return lambda it: it.client.delete_run(it.ws.version(f"m/{number}").body["run_id"])


def purge(number: int) -> Callable[[Champion], object]:
    """Return what deletes the run of a version for good, with the files that it holds."""

    def act(it: Champion) -> None:
        delete_run(number)(it)
        uri = it.ws.tracking_uri
        command = [sys.executable, "-W", "ignore", "-m", "mlflow", "gc", "--backend-store-uri", uri]
        done = subprocess.run([*command, "--tracking-uri", uri], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return act


def replace_version(it: Champion) -> None:
    it.client.set_model_version_tag("m", "1", "modelops.digest", "of another")


ACTS: dict[str, Callable[[Champion], object]] = {
    "the version before deleted": delete_version(1),
    "the champion deleted": delete_version(2),
    "the model deleted": delete_model,
    "the model renamed": rename,
    "the alias deleted": delete_alias,
    "the run of the version before deleted": delete_run(1),
    "the run of the champion deleted": delete_run(2),
    "the run of the version before purged": purge(1),
    "the run of the champion purged": purge(2),
    "the version before replaced": replace_version,
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_rollback_moves_record_and_mlflow_or_neither(it: Champion, act: Callable[[Champion], object]) -> None:
    act(it)
    before = it.ws.audit().rows
    refusal = refused(lambda: it.ws.rollback("m", reason="worse in May"))
    if refusal:
        assert refusal.startswith("m@champion cannot go back to version 1: ")
        assert "\n" not in refusal
        assert it.ws.audit().rows == before
        assert it.ws.version("m@champion").version == 2
        follow(it, refusal)
    else:
        assert it.ws.version("m@champion").version == 1
        assert shown(it) == {"champion": 1}
    advised(it)


def refused(move: Callable[[], object]) -> str:
    """Return why a move was refused, empty where it was made."""
    try:
        move()
    except RegistryDamaged as error:
        return str(error)
    return ""


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_who_follows_what_reconcile_and_doctor_say_ends_well(it: Champion, act: Callable[[Champion], object]) -> None:
    act(it)
    done = it.ws.reconcile()
    assert done.exit_code == (1 if done.left else 0)
    assert (done.title == "Put right in MLflow") == (done.left == 0)
    assert main(["reconcile", "--workspace", str(it.ws.settings.project)]) == done.exit_code
    for row in done:
        if not row["put_right"]:
            assert "modelops reconcile" not in row["what"]
            follow(it, row["what"])
    advised(it)


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_promotion_moves_record_and_mlflow_or_neither(it: Champion, act: Callable[[Champion], object]) -> None:
    act(it)
    before = it.ws.audit().rows
    refusal = refused(lambda: it.ws.promote("m/1", "challenger", reason="beside it"))
    if refusal:
        assert refusal.startswith("m/1 cannot be promoted: ")
        assert it.ws.audit().rows == before
        follow(it, refusal)
    else:
        assert it.ws.registry.aliases(["m"])["m"]["challenger"] == 1
    advised(it)


def follow(it: Champion, advice: str) -> None:
    """Do what a sentence says: its first command, with what only a person knows filled in."""
    commands = re.findall(r"`([^`]+)`", advice)
    if not commands:
        if "promote another version" in advice:
            put_another_in_its_place(it)
        return
    workspace = ["--workspace", str(it.ws.settings.project)]
    words = (
        commands[0]
        .replace("ROWS", f"{it.ws.settings.project}/rows.parquet")
        .replace("COLUMN", "late")
        .replace("...", "gone")
    )
    if words.startswith("MLFLOW_TRACKING_URI="):
        uri, mlflow_words = words.removeprefix("MLFLOW_TRACKING_URI=").split(" ", 1)
        assert uri == it.ws.tracking_uri
        it.client.restore_run(mlflow_words.rpartition(" ")[2])
        return
    code = main([*words.split()[1:], *workspace])
    newest = it.ws.versions("m").rows[0]["version"]
    if code != 0:
        assert "reject" in advice, f"{words}: {code}"
        put_another_in_its_place(it)
    elif words.startswith("modelops register") and "promote that" in advice:
        it.ws.approve(f"m/{newest}", reason="the same model")
        it.ws.promote(f"m/{newest}", reason="in its place")


def put_another_in_its_place(it: Champion) -> None:
    """Promote a new version, and reject those whose files are gone."""
    gone = [row["version"] for row in it.ws.versions("m") if not (it.ws.settings.root / path_of(it, row)).is_dir()]
    version = it.ws.register(fitted(0.5), "m", data=X[::2], target=Y[::2], reference=(X[1::2], Y[1::2]))
    it.ws.approve(version.full_name, reason="reads well")
    it.ws.promote(version.full_name, reason="in place of one that is gone")
    for number in gone:
        it.ws.reject(f"m/{number}", reason="its files are gone")


def path_of(it: Champion, row: dict[str, int]) -> str:
    return str(it.ws.version(f"m/{row['version']}").body["artifact_path"])


def advised(it: Champion) -> None:
    """Follow `doctor` until it is content, which is soon; then everything works."""
    for _ in range(6):
        problems = it.ws.doctor().problems
        if not problems:
            break
        if "restore it from a backup" in problems[0].fix:
            put_another_in_its_place(it)
        else:
            follow(it, problems[0].fix)
    assert it.ws.doctor().problems == ()
    assert it.ws.status().moved == ()
    assert it.ws.status().changed == ()
    assert it.ws.reconcile().rows == ()
    champion = it.ws.version("m@champion").version
    assert shown(it)["champion"] == champion
    assert it.ws.predict("m@champion", X)[0].shape == (100,)
    assert it.ws.verify_audit().ok
