"""A workspace that was copied or moved: its verbs and MLflow's tools use the files that are with it, and no others."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from users import as_somebody_else, folder_for_all, write_protected

import modelops_jupyter as mo
from modelops_jupyter.errors import ArtifactChanged, RegistryDamaged, WorkspaceReadOnly
from modelops_jupyter.registry import relocation
from modelops_jupyter.registry.artifacts import file_sizes, put_files
from modelops_jupyter.registry.relocation import Folders, is_below, local_path, rebased, recorded_folders, relocate
from modelops_jupyter.settings import Settings, find_settings
from modelops_jupyter.workspace import Workspace

X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
Y = (X["a"] > 0).astype(int)
MODEL = LogisticRegression().fit(X, Y)


def fill(project: Path) -> None:
    """Register a champion, and log beside it whatever MLflow keeps addresses of."""
    import mlflow

    with mo.open(project) as ws:
        ws.register(MODEL, "m", data=X[::2], target=Y[::2], reference=(X[1::2], Y[1::2]))
        ws.approve("m/1", reason="ok")
        ws.promote("m/1", reason="first")
        mlflow.set_tracking_uri(ws.tracking_uri)
    (project / "note.txt").write_text("a note")
    with mlflow.start_run(experiment_id="0", tags={"mlflow.source.name": str(project / "train.py")}) as run:
        mlflow.log_artifact(str(project / "note.txt"))
        options = {"serialization_format": "skops", "pip_requirements": ["scikit-learn"]}
        mlflow.sklearn.log_model(MODEL, name="plain", registered_model_name="stock", **options)
        mlflow.log_input(mlflow.data.from_pandas(X, source=str(project / "x.parquet")))
    mlflow.MlflowClient().set_experiment_tag("0", "mlflow.note.content", "the team's runs")
    with mlflow.start_span("traced"):
        pass
    mlflow.flush_trace_async_logging()
    with mo.open(project) as ws:
        ws.register(MODEL, "of-a-run", data=X, target=Y, run_id=run.info.run_id)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    project = tmp_path_factory.mktemp("made") / "first place"
    (project / ".modelops").mkdir(parents=True)
    (project / "modelops.toml").write_text('actor = "ann"\n')
    shutil.copy(mlflow_database, project / ".modelops")
    fill(project)
    return project


@pytest.fixture
def trapped(original: Path) -> Iterator[Path]:
    """Take the original away: whatever looks below its path finds a file there, and fails."""
    away = original.with_name("away")
    original.rename(away)
    original.write_text("nothing is below a file")
    yield away
    assert original.read_text() == "nothing is below a file"
    original.unlink()
    away.rename(original)


def texts(database: Path) -> Iterator[tuple[str, str, str]]:
    """Yield every text in a database with its table and column."""
    with closing(sqlite3.connect(database)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            rows = connection.execute(f'SELECT * FROM "{name}"')
            columns = [column[0] for column in rows.description]
            for row in rows:
                yield from ((name, c, value) for c, value in zip(columns, row, strict=True) if isinstance(value, str))


def copied(away: Path, place: Path) -> Path:
    shutil.copytree(away, place)
    return place


def packed(away: Path, place: Path) -> Path:
    with tarfile.open(place.with_suffix(".tar"), "w") as tar:
        tar.add(away, ".")
    with tarfile.open(place.with_suffix(".tar")) as tar:
        tar.extractall(place, filter="data")
    place.with_suffix(".tar").unlink()
    return place


@pytest.mark.parametrize("name", ["second", "My models", "Modèles #1 & 100 % sure"])
@pytest.mark.parametrize("carry", [copied, packed])
def test_a_copy_has_all_it_needs(trapped: Path, tmp_path: Path, carry: Callable[[Path, Path], Path], name: str) -> None:
    import mlflow

    place = carry(trapped, tmp_path / name)
    with mo.open(place) as ws:
        assert ws.predict("m@champion", X)[0].tolist() == MODEL.predict(X).tolist()
        assert ws.predict("of-a-run/1", X)[0].tolist() == MODEL.predict(X).tolist()
        second = ws.register(LogisticRegression(C=0.1).fit(X, Y), "m", data=X, target=Y)
        assert ws.predict(f"m/{second.version}", X)[0].shape == (len(X),)
        assert ws.status().changed == ()
        mlflow.set_tracking_uri(ws.tracking_uri)
        client = ws.registry.client
        for uri in ("models:/m@champion", "models:/m/2", "models:/of-a-run/1", "models:/stock/1"):
            files = Path(mlflow.artifacts.download_artifacts(uri))
            assert files.is_relative_to(os.path.realpath(place)), uri
            assert (files / "MLmodel").is_file()
        assert mlflow.sklearn.load_model("models:/stock/1").predict(X).tolist() == MODEL.predict(X).tolist()
        with mlflow.start_run(experiment_id="0") as run:
            mlflow.log_text("more", "more.txt")
        assert Path(str(local_path(client.get_run(run.info.run_id).info.artifact_uri))).is_relative_to(place)
        noted = next(
            r
            for r in client.search_runs(["0"])
            if any(f.path == "note.txt" for f in client.list_artifacts(r.info.run_id))
        )
        assert Path(mlflow.artifacts.download_artifacts(run_id=noted.info.run_id, artifact_path="note.txt")).read_text()
        assert noted.data.tags["mlflow.source.name"] == f"{os.path.realpath(place)}/train.py"
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


# What the people of a team wrote: their data, in which nothing is an address to us.
WRITTEN_BY_USERS = {("datasets", "dataset_source"), ("modelops_folders", "root"), ("modelops_folders", "project")}


def test_no_address_of_the_old_place_is_left_in_mlflows_database(original: Path, tmp_path: Path) -> None:
    """Whatever table MLflow has or gets: its addresses are found by looking at all of its texts."""
    place = copied(original, tmp_path / "second")
    old = (str(original), original.as_uri())
    database = place / ".modelops" / "mlflow.db"
    before = {(table, column) for table, column, text in texts(database) if any(word in text for word in old)}
    assert before >= set(relocation.LOCATIONS) | {("tags", "value"), ("trace_tags", "value")} | WRITTEN_BY_USERS
    relocate(find_settings(place))
    after = {(table, column) for table, column, text in texts(database) if any(word in text for word in old)}
    assert after == {("datasets", "dataset_source")}
    assert recorded_folders(database) == Folders(str(place / ".modelops"), str(place))


def test_moving_back_and_forth_ends_as_it_began(original: Path, tmp_path: Path) -> None:
    first = copied(original, tmp_path / "first")
    relocate(find_settings(first))
    before = sorted(texts(first / ".modelops" / "mlflow.db"))
    second = first.rename(tmp_path / "deeper in")
    relocate(find_settings(second))
    assert sorted(texts(second / ".modelops" / "mlflow.db")) != before
    second.rename(first)
    relocate(find_settings(first))
    assert sorted(texts(first / ".modelops" / "mlflow.db")) == before


def test_of_two_processes_that_come_first_to_a_copy_both_do_their_work(original: Path, tmp_path: Path) -> None:
    place = copied(original, tmp_path / "second")
    command = [sys.executable, "-m", "modelops_jupyter.cli", "reconcile", "--workspace", str(place)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 3, said
    assert not any(str(original) in text for table, _, text in texts(place / ".modelops/mlflow.db") if table == "runs")


@pytest.mark.parametrize("statement", range(1, 8))
def test_a_process_that_is_killed_on_the_way_leaves_all_or_nothing(
    original: Path, tmp_path: Path, statement: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = copied(original, tmp_path / "second")
    database = place / ".modelops" / "mlflow.db"
    before = sorted(texts(database))
    child = os.fork()
    if child == 0:
        count = 0

        def die(address: str, moves: object) -> str:
            nonlocal count
            count += 1
            if count == 3 * statement:
                os.kill(os.getpid(), signal.SIGKILL)
            return rebased(address, moves)  # type: ignore[arg-type]

        monkeypatch.setattr(relocation, "rebased", die)
        relocate(find_settings(place))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert sorted(texts(database)) == before
    relocate(find_settings(place))
    assert recorded_folders(database) == Folders(str(place / ".modelops"), str(place))
    with mo.open(place) as ws:
        assert ws.registry.client.get_model_version("m", "1").source.startswith(place.as_uri())


def test_a_registration_leaves_the_original_as_it_is(original: Path, tmp_path: Path) -> None:
    def state() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in original.rglob("*") if path.is_file()}

    before, place = state(), copied(original, tmp_path / "second")
    with mo.open(place) as ws:
        ws.register(MODEL, "m", data=X, target=Y)
        ws.register(MODEL, "of-a-run", data=X, target=Y, run_id=ws.version("of-a-run/1").body["run_id"])
        ws.reconcile()
    assert state() == before


def test_a_copy_that_cannot_be_written_is_read(original: Path) -> None:
    with folder_for_all() as folder:
        place = copied(original, folder / "second")
        with mo.open(original) as ws:  # what is imported lazily may lie where only root reads
            assert ws.predict("m/1", X)[1] is not None
            assert ws.status().changed == ()
        with write_protected(place), as_somebody_else(), mo.open(place) as ws:
            assert ws.predict("m@champion", X)[0].tolist() == MODEL.predict(X).tolist()
            assert [model["name"] for model in ws.status().models] == ["m", "of-a-run"]
            assert ws.status().changed == ()
            assert ws.verify_audit().ok
            for write in (lambda: ws.comment("m/1", "good"), lambda: ws.register(MODEL, "m", data=X, target=Y)):
                with pytest.raises(WorkspaceReadOnly, match="writable"):
                    write()
        database = place / ".modelops" / "mlflow.db"
        assert recorded_folders(database) == Folders(str(original / ".modelops"), str(original))


def test_a_database_of_the_project_moves_with_it(tmp_path: Path, mlflow_database: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    shutil.copy(mlflow_database, first / "team.db")
    (first / "modelops.toml").write_text('tracking_uri = "sqlite:///team.db"\nworkspace = "ws"\nactor = "ann"\n')
    with mo.open(first) as ws:
        ws.register(MODEL, "m", data=X, target=Y)
    first.rename(second)
    with mo.open(second) as ws:
        ws.register(LogisticRegression(C=0.1).fit(X, Y), "m", data=X, target=Y)
        for version in "12":
            source = Path(str(local_path(ws.registry.client.get_model_version("m", version).source)))
            assert source.is_relative_to(second / "ws" / "artifacts")
            assert file_sizes(source) == ws.version(f"m/{version}").body["artifact_sizes"]
    assert not first.exists()


def test_a_database_outside_of_the_workspace_belongs_to_others_too(tmp_path: Path, mlflow_database: Path) -> None:
    first, second, shared = tmp_path / "first", tmp_path / "second", tmp_path / "shared.db"
    first.mkdir()
    shutil.copy(mlflow_database, shared)
    with closing(sqlite3.connect(shared)) as connection, connection:
        connection.execute("DROP TABLE modelops_folders")
    (first / "modelops.toml").write_text(f'tracking_uri = "sqlite:///{shared}"\n')
    with mo.open(first) as ws:
        ws.register(MODEL, "m", data=X, target=Y)
    copied(first, second)
    with mo.open(second) as ws:
        ws.register(LogisticRegression(C=0.1).fit(X, Y), "m", data=X, target=Y)
        assert ws.predict("m/1", X)[0].shape == ws.predict("m/2", X)[0].shape == (len(X),)
    with mo.open(first) as ws:
        sources = [str(local_path(ws.registry.client.get_model_version("m", version).source)) for version in "12"]
    assert [is_below(source, str(folder)) for source, folder in zip(sources, (first, second), strict=True)] == [
        True
    ] * 2
    assert recorded_folders(shared) is None


def test_a_link_to_a_workspace_is_no_other_place(original: Path, tmp_path: Path) -> None:
    place = copied(original, tmp_path / "real")
    (tmp_path / "link").symlink_to(place)
    with mo.open(place) as ws:
        ws.status()
    before = (place / ".modelops" / "mlflow.db").read_bytes()
    with mo.open(tmp_path / "link") as ws:
        ws.status()
        assert (place / ".modelops" / "mlflow.db").read_bytes() == before
        ws.register(LogisticRegression(C=0.1).fit(X, Y), "m", data=X, target=Y)
        assert ws.registry.client.get_model_version("m", "2").source.startswith(place.as_uri())
        assert ws.predict("m/2", X)[0].shape == (len(X),)


@pytest.mark.parametrize(
    "damage", [Path.unlink, lambda path: path.write_bytes(b"garbage" * 1000)], ids=["gone", "garbage"]
)
def test_models_predict_while_mlflows_database_is_damaged(
    original: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    place = copied(original, tmp_path / "second")
    damage(place / ".modelops" / "mlflow.db")
    with mo.open(place) as ws:
        assert ws.predict("m@champion", X)[0].tolist() == MODEL.predict(X).tolist()
        with pytest.raises(RegistryDamaged):
            ws.register(MODEL, "m", data=X, target=Y)


def test_loading_imports_nothing_of_mlflow(original: Path) -> None:
    code = (
        "import sys, pandas as pd, modelops_jupyter as mo\n"
        f"mo.open({str(original)!r}).predict('m@champion', pd.DataFrame({{'a': [1.0], 'b': [0.0]}}))\n"
        "assert 'mlflow' not in sys.modules and 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_record_that_leads_out_of_the_workspace_is_refused(original: Path) -> None:
    with mo.open(original) as ws:
        body = ws.version("m/1").body
        for path in ("../../elsewhere", "/etc"):
            with pytest.raises(ArtifactChanged, match="outside of the workspace"):
                ws.registry.load({**body, "artifact_path": path})


def test_a_file_that_is_no_file_is_refused_and_not_waited_for(original: Path, tmp_path: Path) -> None:
    with mo.open(copied(original, tmp_path / "second")) as ws:
        folder = ws.settings.root / ws.version("m/1").body["artifact_path"]
        os.mkfifo(folder / "pipe")
        with pytest.raises(RegistryDamaged, match="cannot be read"):
            ws.predict("m/1", X)


def test_files_are_put_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "source", tmp_path / "deep" / "target"
    source.mkdir()
    (source / "a").write_text("1")
    put_files(source, target)
    put_files(source, target)  # what is there is the same
    (target / "meta").write_text("MLflow's own")
    put_files(source, target)
    assert file_sizes(target) == {"a": 1}

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copytree", fail)
    (source / "a").write_text("22")
    with pytest.raises(OSError, match="No space left"):
        put_files(source, target)
    assert [path.name for path in target.parent.iterdir()] == ["target"]
    assert file_sizes(target) == {"a": 1}


PLACES = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1), min_size=1
)


def path_of(parts: list[str]) -> str:
    return "/" + "/".join(part for part in parts if part not in (".", ".."))


@given(old=PLACES, new=PLACES, inside=PLACES, quoted=st.booleans())
def test_an_address_follows_its_folder_and_no_other(
    old: list[str], new: list[str], inside: list[str], quoted: bool
) -> None:
    before, after = path_of(old), path_of(new)
    address = f"{before}{path_of(inside)}"
    other = f"{before}x{path_of(inside)}"  # a folder whose name only begins like it
    moves = [(before, after)]
    spelled = (lambda path: Path(path).as_uri()) if quoted else str
    moved = rebased(spelled(address), moves)
    assert local_path(moved) == f"{after}{path_of(inside)}"
    assert moved.startswith("file://") == quoted
    assert local_path(rebased(moved, [(after, before)])) == local_path(spelled(address))
    if before != "/":
        assert rebased(spelled(other), moves) == spelled(other)


@pytest.mark.parametrize(
    "address",
    ["s3://bucket/a", "runs:/abc/model", "models:/m/1", "models:/m-0a", "mlflow-artifacts:/1", "", "modelops"],
)
def test_addresses_elsewhere_stay(address: str) -> None:
    assert rebased(address, [("/", "/new"), ("", "/new")]) == address


def test_two_projects_that_share_a_workspace_leave_its_addresses_alone(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "modelops.toml").write_text(f'workspace = "{settings.root}"\n')
    with Workspace(settings) as ws:
        ws.register(MODEL, "m", data=X, target=Y)
    before = settings.mlflow_path.read_bytes()
    with mo.open(tmp_path / "other") as ws:
        assert ws.predict("m/1", X)[0].shape == (len(X),)
        assert len(ws.status().models) == 1
    assert settings.mlflow_path.read_bytes() == before
