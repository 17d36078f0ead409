"""Whatever stock MLflow does to a champion, it can still be asked, or one sentence says what was done."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from mlflow.models import infer_signature, set_signature, update_model_requirements
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.errors import ArtifactChanged, ModelOpsError, RegistryDamaged
from modelops_jupyter.scoring.digests import MLFLOW_FILES, MOST_MLFLOW_BYTES, changed_files, file_digests
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.slow

X = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), columns=["a", "b"])
Y = (X["a"] > 0).astype(int)
URI = "models:/m@champion"


@dataclass(frozen=True)
class Champion:
    """A workspace of two models, and where the champion of the first is."""

    ws: Workspace
    folder: Path

    @property
    def client(self) -> mlflow.MlflowClient:
        return self.ws.registry.client

    @property
    def run(self) -> str:
        return self.ws.version("m@champion").body["run_id"]

    @property
    def path(self) -> str:
        return self.ws.version("m@champion").body["model_uri"].partition(f"{self.run}/")[2]

    def answers(self) -> list[int]:
        return self.ws.predict("m@champion", X)[0].tolist()


def fitted(strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength).fit(X, Y)


def champion(project: Path, database: Path) -> Champion:
    """Make a workspace in which MLflow's own functions work too: model m of two versions, other of one."""
    root = project / ".modelops"
    root.mkdir(parents=True)
    (root / "mlflow.db").write_bytes(database.read_bytes())
    ws = Workspace(Settings(project=project, root=root, actor="ann"))
    for name, strengths in (("m", (1.0, 0.01)), ("other", (1.0,))):
        for version, strength in enumerate(strengths, 1):
            ws.register(fitted(strength), name, data=X[::2], target=Y[::2], reference=(X[1::2], Y[1::2]))
            ws.approve(f"{name}/{version}", reason="reads well")
            ws.promote(f"{name}/{version}", reason="better")
    mlflow.set_tracking_uri(ws.tracking_uri)
    digest = ws.version("m@champion").body["digest"][:12]
    return Champion(ws, next((root / "artifacts").rglob(f"m/{digest}")))


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Iterator[Champion]:
    """What is only read, or described: one workspace takes it all, one after the other."""
    before = mlflow.get_tracking_uri()
    yield champion(tmp_path_factory.mktemp("read") / "project", mlflow_database)
    mlflow.set_tracking_uri(before)


@pytest.fixture
def changed(tmp_path: Path, mlflow_database: Path) -> Iterator[Champion]:
    """One whose registry is changed by somebody else."""
    before = mlflow.get_tracking_uri()
    yield champion(tmp_path / "project", mlflow_database)
    mlflow.set_tracking_uri(before)


def generate_dockerfile(it: Champion, folder: Path) -> Any:
    from mlflow.models.cli import commands

    words = ["generate-dockerfile", "-m", URI, "-d", str(folder / "image"), "--env-manager", "virtualenv"]
    return CliRunner().invoke(commands, words, catch_exceptions=False)


def predict_from_the_shell(it: Champion, folder: Path) -> Any:
    from mlflow.models.cli import commands

    X.to_csv(folder / "rows.csv", index=False)
    words = ["predict", "-m", URI, "-i", str(folder / "rows.csv"), "-t", "csv", "--env-manager", "local"]
    return CliRunner().invoke(commands, [*words, "-o", str(folder / "out.json")], catch_exceptions=False)


def transition(it: Champion, folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # stages are deprecated
        return it.client.transition_model_version_stage("m", "2", "Production")


def latest(it: Champion, folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return it.client.get_latest_versions("m")


def log_file(it: Champion, folder: Path) -> Any:
    (folder / "notes.txt").write_text("seen")
    return it.client.log_artifact(it.run, str(folder / "notes.txt"))


READING: dict[str, Callable[[Champion, Path], Any]] = {
    "pyfunc.load_model by alias": lambda it, folder: mlflow.pyfunc.load_model(URI).predict(X),
    "pyfunc.load_model by number": lambda it, folder: mlflow.pyfunc.load_model("models:/m/2").predict(X),
    "pyfunc.load_model of a run": lambda it, folder: mlflow.pyfunc.load_model(f"runs:/{it.run}/{it.path}"),
    "pyfunc.load_model into a folder": lambda it, folder: mlflow.pyfunc.load_model(URI, dst_path=str(folder)),
    "sklearn.load_model": lambda it, folder: mlflow.sklearn.load_model(URI),
    "artifacts.download_artifacts": lambda it, folder: mlflow.artifacts.download_artifacts(URI),
    "download_artifacts into a folder": lambda it, folder: mlflow.artifacts.download_artifacts(
        URI, dst_path=str(folder)
    ),
    "download_artifacts of one file": lambda it, folder: mlflow.artifacts.download_artifacts(f"{URI}/MLmodel"),
    "client.download_artifacts": lambda it, folder: it.client.download_artifacts(it.run, it.path),
    "artifacts.list_artifacts": lambda it, folder: mlflow.artifacts.list_artifacts(URI),
    "models.get_model_info": lambda it, folder: mlflow.models.get_model_info(URI),
    "Model.load_input_example": lambda it, folder: mlflow.models.Model.load(URI).load_input_example(URI),
    "pyfunc.get_model_dependencies": lambda it, folder: mlflow.pyfunc.get_model_dependencies(URI),
    "models.predict": lambda it, folder: mlflow.models.predict(URI, X, env_manager="local"),
    "mlflow models predict": predict_from_the_shell,
    "mlflow models generate-dockerfile": generate_dockerfile,
    "client.search_model_versions": lambda it, folder: it.client.search_model_versions("name='m'"),
    "client.search_registered_models": lambda it, folder: it.client.search_registered_models(),
    "client.get_latest_versions": latest,
    "client.get_model_version_by_alias": lambda it, folder: it.client.get_model_version_by_alias("m", "champion"),
    "client.get_model_version_download_uri": lambda it, folder: it.client.get_model_version_download_uri("m", "2"),
    "client.set_registered_model_tag": lambda it, folder: it.client.set_registered_model_tag("m", "team", "ops"),
    "client.set_model_version_tag": lambda it, folder: it.client.set_model_version_tag("m", "2", "seen", "yes"),
    "client.delete_model_version_tag": lambda it, folder: it.client.delete_model_version_tag("m", "2", "modelops.kind"),
    "client.update_registered_model": lambda it, folder: it.client.update_registered_model("m", "flights"),
    "client.update_model_version": lambda it, folder: it.client.update_model_version("m", "2", "the better one"),
    "client.transition_model_version_stage": transition,
    "client.copy_model_version": lambda it, folder: it.client.copy_model_version(URI, "copy"),
    "register_model": lambda it, folder: mlflow.register_model(f"runs:/{it.run}/{it.path}", "again"),
    "client.log_artifact into the run": log_file,
    "client.set_tag of the run": lambda it, folder: it.client.set_tag(it.run, "mlflow.note.content", "seen"),
    "register_prompt": lambda it, folder: it.client.register_prompt("greeting", "Hello {{name}}"),
    "client.delete_run": lambda it, folder: it.client.delete_run(it.run),
    "client.restore_run": lambda it, folder: it.client.restore_run(it.run),
    "client.rename_experiment": lambda it, folder: it.client.rename_experiment(it.ws.experiment_id, "renamed"),
}


@pytest.mark.parametrize("call", READING.values(), ids=READING)
def test_what_leaves_the_bytes_alone_leaves_the_champion_in_service(
    read: Champion, call: Callable[[Champion, Path], Any], tmp_path: Path
) -> None:
    result = call(read, tmp_path)
    assert getattr(result, "exit_code", 0) == 0, getattr(result, "output", "")
    assert read.answers() == fitted(0.01).predict(X).tolist()
    assert mlflow.pyfunc.load_model(URI).predict(X).tolist() == read.answers()
    assert read.ws.status().moved == ()
    recorded = read.ws.version("m@champion").body["artifact_digests"]
    present = {file.relative_to(read.folder).as_posix() for file in read.folder.rglob("*") if file.is_file()}
    assert present - {*recorded} <= {*MLFLOW_FILES}, "MLflow adds nothing that is not known by name"
    assert changed_files(read.folder, recorded) == {}


def add(name: str, content: bytes = b"x") -> Callable[[Champion], Any]:
    def act(it: Champion) -> None:
        file = it.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)

    return act


def log_into_the_version(it: Champion) -> None:
    it.client.log_text(it.run, "import os", f"{it.path}/extra.py")


def require(it: Champion) -> None:
    update_model_requirements(f"runs:/{it.run}/{it.path}", "add", ["left-pad==1.0"])


def sign(it: Champion) -> None:
    set_signature(f"runs:/{it.run}/{it.path}", infer_signature(X))


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (log_into_the_version, r"'extra\.py' was added"),
        (require, r"'conda\.yaml' was changed"),
        (sign, "'MLmodel' was changed"),
        (add("registered_model_meta.py"), r"'registered_model_meta\.py' was added"),
        (add("code/registered_model_meta"), "'code/registered_model_meta' was added"),
        (add("registered_model_meta/x"), "'registered_model_meta/x' was added"),
        (add("registered_model_meta", b"x" * (MOST_MLFLOW_BYTES + 1)), "'registered_model_meta' was added"),
    ],
    ids=["log_text", "update_model_requirements", "set_signature", "other", "below", "folder", "large"],
)
def test_what_changes_the_bytes_is_one_sentence_in_both_loaders(
    changed: Champion, act: Callable[[Champion], Any], sentence: str
) -> None:
    act(changed)
    with pytest.raises(ArtifactChanged, match=f"^m/2 is not what was registered: {sentence}"):
        changed.answers()
    with pytest.raises(Exception, match=sentence) as caught:
        mlflow.pyfunc.load_model(changed.folder.as_uri())
    assert type(caught.value).__name__ == "ArtifactChanged"
    assert changed.ws.predict("m/1", X)[0].shape == (100,)
    changed.ws.status()


def test_a_link_is_no_file_of_mlflows(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("x")
    recorded = file_digests(tmp_path)
    (tmp_path / "registered_model_meta").symlink_to("model")
    assert changed_files(tmp_path, recorded) == {"registered_model_meta": "was added"}


def delete_model(it: Champion) -> None:
    it.client.delete_registered_model("m")


def rename(it: Champion) -> None:
    it.client.rename_registered_model("m", "flights")


@pytest.mark.parametrize(
    ("act", "sentence"),
    [(delete_model, "m was deleted in MLflow"), (rename, "m was renamed to 'flights' in MLflow")],
    ids=["deleted", "renamed"],
)
def test_a_model_that_is_gone_from_mlflow_is_made_there_again(
    changed: Champion, act: Callable[[Champion], Any], sentence: str
) -> None:
    ws = changed.ws
    changed.client.copy_model_version(URI, "copy")  # no sign of a renaming
    act(changed)
    assert changed.answers() == fitted(0.01).predict(X).tolist()
    (told,) = ws.status().moved
    assert told.startswith(sentence)
    assert "run `modelops reconcile`" in told
    assert ws.predict("other@champion", X)[0].shape == (100,)
    with pytest.raises(RegistryDamaged, match=r"m/1 cannot be promoted: MLflow no longer has model 'm'.*reconcile"):
        ws.promote("m/1", reason="worse in May")

    (row,) = ws.reconcile()
    assert row["model"] == "m"
    assert ws.status().moved == ()
    assert shown(changed) == {"champion": 2}
    assert [incident["title"] for incident in ws.incidents("m")] == [told.partition(":")[0]]
    assert ws.incidents("other").rows == ()
    assert mlflow.pyfunc.load_model(URI).predict(X).tolist() == changed.answers()
    assert ws.rollback("m", reason="worse in May").to_version == 1
    assert shown(changed) == {"champion": 1}
    assert ws.reconcile().rows == ()
    assert ws.verify_audit().ok


def shown(it: Champion) -> dict[str, int]:
    """Return MLflow's aliases of m, each of which is at the bytes that are on record under its number."""
    aliases = it.ws.registry.aliases(["m"])["m"]
    for number in aliases.values():
        recorded = it.ws.version(f"m/{number}").body["digest"]
        assert it.client.get_model_version("m", str(number)).tags["modelops.digest"] == recorded
    return aliases


def test_a_gap_in_the_numbers_stays_one(changed: Champion) -> None:
    ws = changed.ws
    changed.client.create_model_version("m", changed.folder.as_uri())  # 3, which is not ours
    assert ws.register(fitted(0.5), "m", data=X, target=Y).version == 4
    delete_model(changed)
    ws.reconcile()
    numbers = sorted(int(version.version) for version in changed.client.search_model_versions("name='m'"))
    assert numbers == [1, 2, 4]
    assert ws.register(fitted(0.7), "m", data=X, target=Y).version == 5


def test_registering_after_a_deletion_goes_on_where_the_numbers_were(changed: Champion) -> None:
    ws = changed.ws
    delete_model(changed)
    assert ws.register(fitted(0.5), "m", data=X, target=Y).version == 3
    assert shown(changed) == {"champion": 2}
    assert len(ws.incidents("m")) == 1
    assert ws.status().moved == ()


def test_a_stranger_in_place_of_a_deleted_model_never_serves_as_ours(changed: Champion) -> None:
    ws = changed.ws
    delete_model(changed)
    changed.client.create_registered_model("m")
    for _ in range(2):
        changed.client.create_model_version("m", "file:///nowhere")
    changed.client.set_registered_model_alias("m", "champion", "2")
    assert changed.answers() == fitted(0.01).predict(X).tolist()
    with pytest.raises(RegistryDamaged, match="version 1 of 'm' in MLflow is another model than the one on record"):
        ws.promote("m/1", reason="worse in May")
    assert ws.register(fitted(0.5), "m", data=X[::2], target=Y[::2], reference=(X[1::2], Y[1::2])).version == 3
    ws.approve("m/3", reason="reads well")
    ws.promote("m/3", reason="better")
    assert shown(changed) == {"champion": 3}


def test_a_deleted_version_is_said_once_and_another_takes_its_place(changed: Champion) -> None:
    ws = changed.ws
    changed.client.delete_model_version("m", "2")
    assert changed.answers() == fitted(0.01).predict(X).tolist()
    (told,) = ws.status().moved
    assert told.startswith("m@champion is version 2 on record, but version 2 of 'm' was deleted in MLflow")
    assert "promote another version" in told
    for _ in range(2):
        ws.reconcile()
    assert len(ws.incidents("m")) == 1
    with pytest.raises(RegistryDamaged, match=r"m/2 cannot be promoted: version 2 of 'm' was deleted"):
        ws.promote("m/2", "challenger", reason="once more")
    ws.promote("m/1", reason="in its place")
    assert shown(changed) == {"champion": 1}
    assert ws.status().moved == ()
    with pytest.raises(RegistryDamaged, match=r"m@champion cannot go back to version 2: version 2 of .m. was deleted"):
        ws.rollback("m", reason="back")


def test_a_deleted_alias_is_put_back(changed: Champion) -> None:
    changed.client.delete_registered_model_alias("m", "champion")
    assert changed.answers() == fitted(0.01).predict(X).tolist()
    changed.ws.reconcile()
    assert shown(changed) == {"champion": 2}


def test_a_model_whose_artifacts_are_gone_too_keeps_nothing_else_from_being_put_right(changed: Champion) -> None:
    ws = changed.ws
    for version in ("m/1", "m/2"):
        body = ws.version(version).body
        run, path = body["run_id"], body["model_uri"].partition(f"{body['run_id']}/")[2]
        mlflow.artifacts.get_artifact_repository(changed.client.get_run(run).info.artifact_uri).delete_artifacts(path)
    delete_model(changed)
    changed.client.delete_registered_model_alias("other", "champion")
    with pytest.raises(RegistryDamaged, match="artifact of m/2 is gone"):
        changed.answers()
    rows = {row["model"]: row["what"] for row in ws.reconcile()}
    assert "no artifact of it is left" in rows["m"]
    assert ws.registry.aliases(["m", "other"]) == {"other": {"champion": 1}}
    with pytest.raises(ModelOpsError, match="no artifact of it is left"):
        ws.register(fitted(0.5), "m", data=X, target=Y)


def test_a_deleted_experiment_is_restored_by_the_next_registration(changed: Champion) -> None:
    changed.client.delete_experiment(changed.ws.experiment_id)
    assert changed.answers() == fitted(0.01).predict(X).tolist()
    assert changed.ws.register(fitted(0.5), "m", data=X, target=Y).version == 3


def test_a_model_deleted_on_a_server_is_made_there_again(settings: Settings, mlflow_server: Any) -> None:
    with Workspace(replace(settings, tracking_uri=mlflow_server.uri)) as ws:
        name = "deleted-on-a-server"
        for strength in (1.0, 0.01):
            ws.register(fitted(strength), name, data=X, target=Y)
        ws.registry.client.delete_registered_model(name)
        assert ws.predict(f"{name}/1", X)[0].shape == (100,)
        ws.reconcile()
        assert ws.register(fitted(0.5), name, data=X, target=Y).version == 3
        assert len(ws.registry.client.search_model_versions(f"name='{name}'")) == 3
