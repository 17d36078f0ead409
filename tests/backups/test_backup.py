"""A backup of a workspace at work is whole, and restored it is the same; what was tampered with is refused whole."""

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import modelops_jupyter as mo
from modelops_jupyter.backups.manifest import NAME
from modelops_jupyter.cli import main
from modelops_jupyter.errors import InvalidInput, ModelOpsError, NotFound, StoreDamaged, StoreTooNew
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.settings import find_settings
from modelops_jupyter.store import Change, Event, Put, open_store

DATABASES = ("modelops.db", "mlflow.db")
LOCKS = ("create.lock", "predictions.lock")
# Notes what somebody does in turns: a record, then a batch that the record after it speaks of.
WRITER = """
import itertools, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_backup import batch
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.store import Change, Event, Put, open_store
root = Path({root!r})
store, log = open_store(root / "modelops.db", root / "create.lock"), PredictionLog(root / "log")
for number in itertools.count(1):
    file = root / "artifacts" / f"a{{number}}"
    file.write_text("x" * 1000)
    put = Put("version", f"m/{{number:09d}}", {{"file": file.name}})
    store.commit(Change(puts=(put,), event=Event("r", "m", "a", "s")))
    log.append_predictions("m", batch(number), batch_id=f"b{{number}}")
    print(number, flush=True)
"""


def batch(number: int, rows: int = 20):  # type: ignore[no-untyped-def]
    import pyarrow as pa

    return pa.table(
        {
            "request_id": [f"{number}-{row}" for row in range(rows)],
            "timestamp": pa.array((np.arange(rows) + 60 * number) * 1_000_000).cast(pa.timestamp("us", tz="UTC")),
            "model": ["m"] * rows,
            "version": pa.array([1] * rows, pa.int64()),
            "alias": [""] * rows,
            "decision": [""] * rows,
            "prediction": ["1"] * rows,
            "score": np.full(rows, 0.5),
        }
    )


def a_project(folder: Path) -> Path:
    """Return a project with a store, a log of two batches, a file of a model and an executed notebook."""
    root = folder / ".modelops"
    (root / "artifacts/1/models").mkdir(parents=True)
    (folder / "modelops.toml").write_text('actor = "ann"\n')
    (root / "artifacts/1/models/model.bin").write_bytes(b"\0\1\2" * 100)
    (folder / "modelops-runs").mkdir()
    (folder / "modelops-runs/step.ipynb").write_text("{}")
    (root / "jobs/12345678").mkdir(parents=True)
    (root / "jobs/12345678/job.json").write_text("{}")
    store = open_store(root / "modelops.db", root / "create.lock")
    for number in range(3):
        store.commit(Change(puts=(Put("k", f"n{number}", {"x": number}),), event=Event("step", "m", "ann", "s")))
    log = PredictionLog(root / "log")
    for number in range(2):
        log.append_predictions("m", batch(number), batch_id=f"b{number}")
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def backup(project: Path) -> Path:
    file = project.parent / "backup.zip"
    with mo.open(project) as ws:
        made = ws.backup(file)
    assert made.ok
    assert made.left_out == ()
    assert file.stat().st_mode & 0o77 == 0  # settings may hold secrets
    return file


def content(folder: Path) -> dict[str, str]:
    """Return a digest of every file that a backup holds and that has the same bytes each time."""
    skipped = {*LOCKS, *(name + what for name in DATABASES for what in ("", "-shm", "-wal"))}
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in skipped)
    named = {str(path.relative_to(folder)): path for path in files}
    return {n: hashlib.sha256(p.read_bytes()).hexdigest() for n, p in named.items() if "/jobs/" not in n}


def test_a_restored_workspace_is_the_one_that_was_backed_up(project: Path, backup: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new/there"
    restored = mo.restore(backup, folder)
    assert content(folder) == content(project)
    assert not (folder / ".modelops/jobs").exists()
    with mo.open(project) as before, mo.open(folder) as after:
        head = before.audit_head()
        assert (restored.sequence, restored.hash) == (head.sequence, head.hash)
        assert after.audit_head() == head
        assert after.verify_audit().ok
        assert after.store.find("k") == before.store.find("k")
        assert [p for p in after.doctor().problems if p.part == "log"] == []
    again = PredictionLog(folder / ".modelops/log").append_predictions("m", batch(1), batch_id="b1")
    assert again.repeated
    assert list(tmp_path.rglob(".*")) == [folder / ".modelops"]


def test_nothing_is_written_over(project: Path, backup: Path, tmp_path: Path) -> None:
    before = backup.read_bytes()
    with mo.open(project) as ws, pytest.raises(InvalidInput, match="is there already"):
        ws.backup(backup)
    assert backup.read_bytes() == before
    with mo.open(tmp_path) as ws, pytest.raises(NotFound, match="nothing to back up"):
        ws.backup(tmp_path / "b.zip")
    (tmp_path / "mine").write_text("mine")
    for folder in (tmp_path, tmp_path / "mine"):
        with pytest.raises(InvalidInput, match="is not empty"):
            mo.restore(backup, folder)
    with pytest.raises(NotFound):
        mo.restore(tmp_path / "nowhere.zip", tmp_path / "new")
    with pytest.raises(InvalidInput, match="is no backup"):
        mo.restore(tmp_path / "mine", tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine"]


def test_a_workspace_at_work_is_backed_up_whole_every_time(tmp_path: Path) -> None:
    project = a_project(tmp_path / "project")
    root = project / ".modelops"
    code = WRITER.format(root=str(root), tests=str(Path(__file__).parent))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout is not None
            for number in range(3):
                acknowledged = int(writer.stdout.readline())
                with mo.open(project) as ws:
                    assert ws.backup(tmp_path / f"{number}.zip").ok
                restored = tmp_path / f"restored-{number}"
                mo.restore(tmp_path / f"{number}.zip", restored)
                with mo.open(restored) as ws:
                    versions = ws.store.find("version")
                    assert len(versions) >= acknowledged
                    assert all((restored / ".modelops/artifacts" / v.body["file"]).is_file() for v in versions)
                    assert [p for p in ws.doctor().problems if p.part == "log"] == []
                log = PredictionLog(restored / ".modelops/log")
                assert log.append_predictions("m", batch(acknowledged), batch_id=f"b{acknowledged}").repeated
        finally:
            writer.kill()


@settings(max_examples=60)
@given(data=st.data())
def test_a_backup_that_is_not_as_it_was_written_is_refused_whole_or_makes_no_difference(
    data: st.DataObject, project: Path, backup: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = backup.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "fill"]))
    spoilt = {
        "flip": lambda: whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :],
        "cut": lambda: whole[:place],
        "fill": lambda: whole[:place] + bytes(min(5000, len(whole) - place)) + whole[place + 5000 :],
    }[kind]()
    folder = tmp_path_factory.mktemp("spoilt")
    (folder / "b.zip").write_bytes(spoilt)
    try:
        mo.restore(folder / "b.zip", folder / "new")
    except ModelOpsError:
        assert [path.name for path in folder.iterdir()] == ["b.zip"]
    else:
        assert content(folder / "new") == content(project)


def edited(backup: Path, to: Path, edit: Callable[[dict, dict[str, bytes]], None]) -> Path:  # type: ignore[type-arg]
    """Write a backup again with another manifest or other files."""
    with ZipFile(backup) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name != NAME}
        manifest = json.loads(archive.read(NAME))
    edit(manifest, files)
    with ZipFile(to, "w") as archive:
        for name, body in {**files, NAME: json.dumps(manifest).encode()}.items():
            archive.writestr(name, body)
    return to


def added(path: str) -> Callable[[dict, dict[str, bytes]], None]:  # type: ignore[type-arg]
    def edit(manifest: dict, files: dict[str, bytes]) -> None:  # type: ignore[type-arg]
        files[path] = b"x"
        manifest["files"][path] = {"size": 1, "sha256": hashlib.sha256(b"x").hexdigest(), "mode": 0o600}

    return edit


def larger(manifest: dict, files: dict[str, bytes]) -> None:  # type: ignore[type-arg]
    files["modelops.toml"] = b"\n" * 10_000_000


def another_end(manifest: dict, files: dict[str, bytes]) -> None:  # type: ignore[type-arg]
    manifest["hash"] = "0" * 64


def without_one(manifest: dict, files: dict[str, bytes]) -> None:  # type: ignore[type-arg]
    del files["modelops.toml"]


def newer(manifest: dict, files: dict[str, bytes]) -> None:  # type: ignore[type-arg]
    manifest["format"] = 99


OUTSIDE = ["../evil", "/tmp/evil", "a/../../evil", "..\\evil", "a//b", "./a", "a/", "a\0b"]


@pytest.mark.parametrize("edit", [*map(added, OUTSIDE), larger, another_end, without_one, newer])
def test_a_backup_that_somebody_made_up_leaves_nothing_behind(
    edit: Callable[[dict, dict[str, bytes]], None],
    backup: Path,
    tmp_path: Path,  # type: ignore[type-arg]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    file = edited(backup, folder / "b.zip", edit)
    with pytest.raises(StoreTooNew if edit is newer else (StoreDamaged, InvalidInput)):
        mo.restore(file, folder / "new")
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "b.zip"]


def test_a_damaged_log_is_backed_up_as_it_is_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = a_project(tmp_path / "project")
    table = next((project / ".modelops/log/m/predictions").glob("*.parquet"))
    table.write_bytes(table.read_bytes()[:-9] + b"!" + table.read_bytes()[-8:])
    linked = project / ".modelops/artifacts/linked"
    linked.symlink_to("/etc")
    words = ["--workspace", str(project)]
    assert main(["backup", str(tmp_path / "b.zip"), *words]) == 1
    out = capsys.readouterr().out
    assert f"Damaged: .modelops/log/m/predictions/{table.name}." in out
    assert f"Left out: {linked}, which is a link." in out
    assert main(["restore", str(tmp_path / "b.zip"), str(tmp_path / "new"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["folder"] == str(tmp_path / "new")
    assert not (tmp_path / "new/.modelops/artifacts/linked").exists()
    assert find_settings(tmp_path / "new").actor == "ann"
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert archive.testzip() is None
