"""A backup holds every file whatever its name, nothing of what runs now, and no answer less than was given."""

import os
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import pytest
from test_backup import a_project, batch, content, edited

import modelops_jupyter as mo
from modelops_jupyter.backups import making
from modelops_jupyter.backups.manifest import NAME
from modelops_jupyter.errors import DependencyFailed, InvalidInput, StoreDamaged, StoreFull, WorkspaceReadOnly
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.serving.spool import Logged, Spool, read_segment

# Names that notes of processes have, which files of a model or of a notebook may have too.
NAMES = (
    *("uv.lock", "create.lock", "predictions.lock", "vocabulary.new", "modelops.db-wal", "rollback-journal", "a.next"),
    *("model.db", "state.json", "jobs/a", "work/a", "serving/a/a-000001.open", "serving/a.lock"),
    *("table/_delta_log/0.json", "table/part.parquet"),
)
PLACES = (".modelops/artifacts", ".modelops/artifacts/1", "modelops-runs", ".modelops/artifacts/log/m")
OWN = ("create.lock", "modelops.db-wal", "log/m/predictions.lock", "serving/a.lock", "serving/7-80.json")


def back_up(project: Path, to: Path) -> Path:
    with mo.open(project) as ws:
        ws.backup(to)
    return to


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project whose artifacts and notebooks have names of all kinds."""
    project = a_project(tmp_path_factory.mktemp("names"))
    for file in (*(f"{place}/{name}" for place in PLACES for name in NAMES), ".modelops/drafts/uv.lock"):
        (project / file).parent.mkdir(parents=True, exist_ok=True)
        (project / file).write_text(file)
    with closing(sqlite3.connect(project / ".modelops/artifacts/own.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (x)")
    for file in OWN:
        (project / ".modelops" / file).parent.mkdir(parents=True, exist_ok=True)
        (project / ".modelops" / file).touch()
    (project / "modelops.toml").write_text('tracking_uri = "sqlite:///registry.sqlite"\n')
    (project / "modelops.toml").chmod(0o640)
    (project / "modelops-runs/step.ipynb").chmod(0o755)
    with closing(sqlite3.connect(project / "registry.sqlite")) as connection:
        connection.execute("CREATE TABLE models (name)")
    return project


@pytest.fixture(scope="module")
def backup(project: Path) -> Path:
    return back_up(project, project.parent / "names.zip")


def test_no_file_is_left_out_for_its_name(project: Path, backup: Path, tmp_path: Path) -> None:
    mo.restore(backup, tmp_path / "new")
    restored, own = content(tmp_path / "new"), {f".modelops/{name}" for name in (*OWN, "jobs/12345678/job.json")}
    whole = {name: digest for name, digest in content(project).items() if name not in own}
    assert {name: restored.get(name) for name in whole} == whole
    with ZipFile(backup) as archive:
        assert not own & {*archive.namelist()}
    for name in ("artifacts/uv.lock", "artifacts/create.lock", "artifacts/modelops.db-wal", "artifacts/jobs/a"):
        assert (tmp_path / "new/.modelops" / name).read_text() == f".modelops/{name}"


def test_only_the_databases_of_the_workspace_are_examined(backup: Path, tmp_path: Path) -> None:
    def spoil(manifest: dict, files: dict[str, bytes]) -> None:  # type: ignore[type-arg]
        import hashlib

        files["registry.sqlite"] = bytes(8192)
        manifest["files"]["registry.sqlite"] |= {"size": 8192, "sha256": hashlib.sha256(bytes(8192)).hexdigest()}

    spoilt = edited(backup, tmp_path / "spoilt.zip", spoil)
    with pytest.raises(StoreDamaged, match=r"registry\.sqlite"):
        mo.restore(spoilt, tmp_path / "new")


def test_who_may_read_a_file_stays_as_it_was(backup: Path, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        mo.restore(backup, tmp_path / "new")
    finally:
        os.umask(before)
    modes = [(tmp_path / "new" / name).stat().st_mode & 0o777 for name in (".", "modelops.toml")]
    assert modes == [0o700, 0o640]
    assert (tmp_path / "new/modelops-runs/step.ipynb").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("folder", [".modelops", ".modelops/artifacts/1", "modelops-runs", "linked"])
def test_a_backup_is_no_part_of_itself(tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    project = a_project(tmp_path / "project")
    (project / "linked").symlink_to(project / ".modelops/artifacts")
    before = content(project)
    with pytest.raises(InvalidInput, match="is backed up itself"):
        back_up(project, project / folder / "b.zip")
    assert content(project) == before
    monkeypatch.setattr(making.Path, "is_relative_to", lambda *_: False)  # as where a folder is mounted twice
    with ZipFile(back_up(project, project / folder / "b.zip")) as archive:
        assert not [name for name in archive.namelist() if "b.zip" in name]


@pytest.mark.parametrize("what", ["goes", "becomes a link"])
def test_a_file_that_changes_while_it_is_read_is_no_fault_of_the_target(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, usual = a_project(tmp_path / "project"), os.open

    def open_late(path: Path, flags: int, *more: int, **options: int) -> int:
        if str(path).endswith("model.bin"):
            os.unlink(path)
            if what != "goes":
                os.symlink("/etc/passwd", path)
        return usual(path, flags, *more, **options)

    monkeypatch.setattr(os, "open", open_late)
    if what == "goes":
        back_up(project, tmp_path / "b.zip")
        monkeypatch.undo()
        mo.restore(tmp_path / "b.zip", tmp_path / "new")
        assert content(tmp_path / "new") == content(project)
        return
    with pytest.raises(DependencyFailed, match=r"model\.bin cannot be read") as caught:
        back_up(project, tmp_path / "b.zip")
    assert not isinstance(caught.value, WorkspaceReadOnly)
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


def test_a_full_disk_is_that_of_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, usual = a_project(tmp_path / "project"), sqlite3.connect

    def connect(path: Path) -> sqlite3.Connection:
        connection = usual(path)
        connection.execute("PRAGMA max_page_count=2")
        return connection

    (tmp_path / "disk").mkdir()
    with mo.open(project) as ws:
        assert ws.audit_head().sequence == 3
        monkeypatch.setattr(making, "sqlite3", SimpleNamespace(**vars(sqlite3) | {"connect": connect}))
        with pytest.raises(StoreFull, match=r"No room is left for \S+/disk:"):
            ws.backup(tmp_path / "disk/b.zip")
    assert not [*(tmp_path / "disk").iterdir()]


def answered(number: int) -> Logged:
    return Logged("m", 1, "", "2026-01-01T00:00:00+00:00", [f"r{number}"], [1], None, {})


def segments(root: Path) -> dict[str, list[str]]:
    files = root.glob("serving/*/*")
    return {file.stem: [name for line in read_segment(file) for name in line.ids] for file in files}


@pytest.mark.parametrize("moment", ["_database", "_tables", "_settings_files"])
def test_what_was_answered_is_in_the_backup_whenever_the_server_logs_it(
    tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = a_project(tmp_path / "project")
    root = project / ".modelops"
    spool, usual = Spool(root), getattr(making._Writing, moment)
    spool.open()
    spool.write([answered(1)], sync=False)
    spool.rotate()
    spool.write([answered(2)], sync=False)
    logged: set[str] = set()

    def log_first(writing: object, *arguments: object) -> object:
        if not logged:
            spool.write([answered(3)], sync=False)
            spool.rotate()
            for file in spool.closed():
                log = PredictionLog(root / "log")
                log.append_predictions("m", batch(len(logged) + 7), batch_id=file.stem)
                logged.add(file.stem)
                file.unlink()
        return usual(writing, *arguments)

    monkeypatch.setattr(making._Writing, moment, log_first)
    try:
        back_up(project, tmp_path / "b.zip")
    finally:
        spool.close()
    mo.restore(tmp_path / "b.zip", tmp_path / "new")
    first, second = sorted(logged)
    whole = ["r2"] if moment == "_settings_files" else ["r2", "r3"]  # a segment that the copied log has is whole
    assert segments(tmp_path / "new/.modelops") == {first: ["r1"], second: whole}


def test_a_table_that_begins_meanwhile_leaves_no_note_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, usual = a_project(tmp_path / "project"), making._Writing._settings_files

    def log_first(writing: making._Writing) -> None:
        PredictionLog(project / ".modelops/log").append_predictions("n", batch(1), batch_id="b1")
        usual(writing)

    monkeypatch.setattr(making._Writing, "_settings_files", log_first)
    back_up(project, tmp_path / "b.zip")
    mo.restore(tmp_path / "b.zip", tmp_path / "new")
    assert not PredictionLog(tmp_path / "new/.modelops/log").append_predictions("n", batch(1), batch_id="b1").repeated


def packed(method: int, edit: Callable[[bytearray, int], None]) -> bytes:
    """Return an archive of one file, a manifest, with other bytes; `edit` has the place of the archive's index too."""
    import io

    buffer = io.BytesIO()
    with ZipFile(buffer, "w", method) as archive:
        archive.writestr(NAME, os.urandom(1000))
    whole = bytearray(buffer.getvalue())
    edit(whole, whole.index(b"PK\x01\x02"))
    return bytes(whole)


def locked(whole: bytearray, index: int) -> None:
    whole[6] |= 1
    whole[index + 8] |= 1


def unknown(whole: bytearray, index: int) -> None:
    whole[8] = whole[index + 10] = 99


def spoilt(whole: bytearray, index: int) -> None:
    begin = 30 + len(NAME)
    whole[begin + 9 : index] = bytes(index - begin - 9)


STRANGE = [
    *((zipfile.ZIP_STORED, edit) for edit in (locked, unknown, spoilt)),
    *((method, spoilt) for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)),
]


@pytest.mark.parametrize(("method", "edit"), STRANGE)
def test_an_archive_of_another_kind_is_no_backup(
    tmp_path: Path, method: int, edit: Callable[[bytearray, int], None]
) -> None:
    (tmp_path / "b.zip").write_bytes(packed(method, edit))
    with pytest.raises((StoreDamaged, InvalidInput), match=r"b\.zip"):
        mo.restore(tmp_path / "b.zip", tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["b.zip"]
