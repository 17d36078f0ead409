"""`modelops doctor` names what is wrong with each part, says what fixes it, changes nothing, and never fails itself."""

import hashlib
import json
import os
import re
import shutil
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import put_back
from users import as_somebody_else, write_protected

import modelops_jupyter as mo
from modelops_jupyter.cli import main
from modelops_jupyter.diagnosis import EXAMINERS, diagnose, files
from modelops_jupyter.diagnosis.examination import Diagnosis
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.pipelines import lease
from modelops_jupyter.settings import find_settings
from modelops_jupyter.store import Change, Put


def doctor(project: Path) -> Diagnosis:
    return diagnose(find_settings(project, {}, lenient=True))


def state(project: Path) -> dict[str, str]:
    """Return a digest of every file but what SQLite keeps beside an open database."""
    paths = (path for path in project.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal")))
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_a_whole_workspace_has_no_problem(project: Path) -> None:
    before = state(project)
    diagnosis = doctor(project)
    assert diagnosis.problems == ()
    assert diagnosis.ok
    assert set(diagnosis.examined) == {part for part, _ in EXAMINERS}
    assert diagnosis.examined["artifacts"].endswith("of 2 versions")
    assert str(diagnosis).startswith(f"{project} is whole.")
    assert state(project) == before


def test_an_empty_folder_is_whole_and_stays_empty(tmp_path: Path) -> None:
    assert doctor(tmp_path).ok
    assert list(tmp_path.iterdir()) == []


def test_mlflow_may_load_the_model_and_nothing_is_wrong(project: Path) -> None:
    import mlflow

    with mo.open(project) as ws:
        mlflow.set_tracking_uri(ws.tracking_uri)
        mlflow.pyfunc.load_model("models:/delay@champion")
        mlflow.artifacts.download_artifacts("models:/delay/2")
        folder = ws.settings.root / ws.version("delay/1").body["artifact_path"]
        assert (folder / "registered_model_meta").is_file(), "MLflow leaves a file of its own"
        assert ws.doctor().problems == ()
        assert ws.status().changed == ()


def one(project: Path, pattern: str) -> Path:
    return sorted((project / ".modelops").glob(pattern))[0]


def on_record(project: Path, *puts: Put) -> None:
    with mo.open(project) as ws:
        ws.store.commit(Change(puts=puts))


def sql(project: Path, statement: str, name: str = "mlflow.db") -> None:
    with closing(sqlite3.connect(project / ".modelops" / name)) as connection, connection:
        connection.execute(statement)


def artifact(project: Path, name: str = "model.skops", version: int = 1) -> Path:
    with mo.open(project) as ws:
        return ws.settings.root / ws.version(f"delay/{version}").body["artifact_path"] / name


def flip(path: Path, at: int = -20) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def text(path: Path, words: str) -> None:
    path.write_text(words)


def dead_run(project: Path) -> None:
    body = {"run_id": "20260101T000000-aaaaaa", "pipeline": "weekly", "state": "running", "steps": [], "origin": "x"}
    on_record(project, Put("run", body["run_id"], body, subject="weekly"))


def unfinished(project: Path) -> None:
    gone = {"host": socket.gethostname(), "pid": 2**22 + 1, "started": 0.0}
    on_record(project, Put("registration", "t", {"process": gone, "facts": {"name": "delay"}}, subject="delay"))


def left_notebook(project: Path) -> None:
    folder = project / "modelops-runs" / "20260101T000000-bbbbbb"
    folder.mkdir()
    (folder / "one.job.json").write_text(json.dumps({"parent": 2**22 + 1}))


def interrupted_job(project: Path) -> None:
    (one(project, "jobs/*/outcome.json")).unlink()
    text(one(project, "jobs/*/process.json"), json.dumps({"host": "here", "pid": 1, "started": 0.0, "folder": "/"}))
    os.utime(one(project, "jobs/*/process.json"), (0, 0))


Fault = Callable[[Path], object]
FAULTS: list[tuple[str, Fault, str, str]] = [
    ("settings", lambda p: text(p / "modelops.toml", "colour = 'red'"), "unknown setting 'colour'", "correct the file"),
    ("settings", lambda p: text(p / "modelops.toml", "no toml"), "cannot be read", "correct the file"),
    (
        "policy",
        lambda p: text(p / "modelops.toml", "policy = 'p.toml'"),
        r"p\.toml: cannot be read",
        "correct the file",
    ),
    ("store", lambda p: one(p, "modelops.db").unlink(), "is gone, but .*artifacts is there", "backup"),
    ("store", lambda p: text(one(p, "modelops.db"), "garbage" * 99), "no SQLite database", "backup"),
    ("store", lambda p: half(one(p, "modelops.db")), "cut short", "backup"),
    (
        "store",
        lambda p: sql(p, "UPDATE records SET body = replace(body, '0.9', '0.8')", "modelops.db"),
        "broken",
        "who",
    ),
    (
        "store",
        lambda p: sql(p, "UPDATE records SET body = '{' WHERE kind = 'monitor'", "modelops.db"),
        "read",
        "backup",
    ),
    ("store", lambda p: sql(p, "UPDATE records SET subject = 'x'", "modelops.db"), "not as it was written", "backup"),
    ("store", lambda p: sql(p, "UPDATE alembic_version SET version_num = '9'", "modelops.db"), "schema 9", "upgrade"),
    ("store", lambda p: sql(p, "UPDATE alembic_version SET version_num = '0001'", "modelops.db"), "older", "status"),
    ("artifacts", lambda p: flip(artifact(p)), r"'model.skops' was changed", "register the model again"),
    ("artifacts", lambda p: artifact(p, "MLmodel").unlink(), "'MLmodel' is gone", "register the model again"),
    ("artifacts", lambda p: text(artifact(p, "code.py"), "import os"), r"'code.py' was added", "remove it"),
    ("artifacts", lambda p: os.mkfifo(artifact(p, "pipe")), "'pipe' was added", "remove it"),
    ("artifacts", lambda p: shutil.rmtree(artifact(p, "")), "its files are gone", "backup"),
    ("artifacts", lambda p: flip(artifact(p, version=2)), r"delay/2: 'model.skops' was changed", "backup"),
    ("registry", lambda p: one(p, "mlflow.db").unlink(), "is gone, but .*artifacts holds models", "backup"),
    ("registry", lambda p: text(one(p, "mlflow.db"), "garbage" * 99), "no SQLite database", "backup"),
    ("registry", lambda p: sql(p, "UPDATE alembic_version SET version_num = '9'"), "does not know", "upgrade"),
    ("registry", lambda p: sql(p, "UPDATE alembic_version SET version_num = '451aebb31d03'"), "older", "db upgrade"),
    ("registry", lambda p: sql(p, "DROP TABLE alembic_version"), "not a database of MLflow", "backup"),
    ("registry", lambda p: sql(p, "DELETE FROM registered_model_aliases"), "does not show it", "reconcile"),
    ("registry", lambda p: sql(p, "UPDATE registered_model_aliases SET version = 2"), "at version 2", "reconcile"),
    ("registry", lambda p: sql(p, "DELETE FROM registered_models"), "none called 'delay'", "reconcile"),
    ("registry", lambda p: sql(p, "DELETE FROM model_versions WHERE version = 2"), "delay/2 .*deleted", "register"),
    ("registry", lambda p: sql(p, "UPDATE model_version_tags SET value = 'x'"), "another model in MLflow", "register"),
    ("registry", lambda p: sql(p, "UPDATE experiments SET artifact_location = '/far'"), "outside .* /far", "location"),
    ("registry", lambda p: sql(p, "UPDATE modelops_folders SET root = '/old'"), "still read .* /old", "status"),
    ("log", lambda p: shutil.rmtree(p / ".modelops/log/delay/labels"), "is gone, but rows", "backup"),
    ("log", lambda p: flip(one(p, "log/*/predictions/*.parquet")), "not those that were written", "backup"),
    ("log", lambda p: one(p, "log/*/predictions/*.parquet").unlink(), "is gone", "backup"),
    ("log", lambda p: half(one(p, "log/*/predictions/_delta_log/*11.json")), "cannot be used", "backup"),
    ("log", lambda p: flip(one(p, "log/*/predictions/_delta_log/*09.checkpoint.parquet")), "not those", "backup"),
    ("log", lambda p: one(p, "log/*/predictions/_delta_log/*11.json").unlink(), "holds .* rows, but", "backup"),
    ("log", lambda p: text(one(p, "log/*/predictions.manifest.json"), "{"), "cannot be read", "backup"),
    ("log", lambda p: text(one(p, "log/*/labels.manifest.json"), '{"batches": 1, "rows": 3}'), "3 are noted", "batch"),
    ("log", lambda p: one(p, "log/*/predictions.sha256").unlink(), "proof of every byte", "backup"),
    ("log", lambda p: half(one(p, "log/*/predictions.sha256")), "no checksum", "backup"),
    ("log", lambda p: text(one(p, "log/*/predictions/_delta_log/_last_checkpoint"), "{"), "cannot be read", "remove"),
    ("quarantine", lambda p: flip(one(p, "log/*/quarantine/*.parquet")), "were changed", "send the batch again"),
    ("quarantine", lambda p: text(one(p, "log/*/quarantine/*.json"), "{"), "cannot be read", "send the batch again"),
    ("quarantine", lambda p: one(p, "log/*/quarantine/*.json").unlink(), "nothing says why", "send the batch again"),
    ("runs", dead_run, "'weekly' has not ended", "--resume"),
    ("runs", unfinished, "delay: a registration was not finished", "register"),
    ("notebooks", lambda p: sorted(p.glob("modelops-runs/*/one.ipynb"))[0].unlink(), "'one' .* is gone", "run the pip"),
    ("notebooks", lambda p: half(sorted(p.glob("modelops-runs/*/one.ipynb"))[0]), "cannot be read", "run the pip"),
    ("notebooks", left_notebook, "its process is gone", "rm -r"),
    ("jobs", interrupted_job, "no outcome", "rm -r"),
    ("jobs", lambda p: text(one(p, "jobs/*/outcome.json"), "{"), "cannot be read", "rm -r"),
]


@pytest.mark.parametrize(("part", "fault", "what", "fix"), FAULTS, ids=[f"{p}-{w}" for p, _, w, _ in FAULTS])
def test_what_is_wrong_is_named_with_what_fixes_it(project: Path, part: str, fault: Fault, what: str, fix: str) -> None:
    fault(project)
    before = state(project)
    diagnosis = doctor(project)
    lines = [str(problem) for problem in diagnosis.problems if problem.part == part]
    assert any(re.search(what, line) and re.search(fix, line, flags=re.I) for line in lines), str(diagnosis)
    assert all("\n" not in line for line in lines)
    assert not diagnosis.ok
    assert not any("could not be looked at" in problem.what for problem in diagnosis.problems), str(diagnosis)
    assert state(project) == before, "looking changes nothing"


def test_every_part_has_a_fault_that_is_named() -> None:
    elsewhere = {"permissions", "disk"}  # below
    assert {part for part, *_ in FAULTS} | elsewhere == {part for part, _ in EXAMINERS}


def test_a_run_that_goes_on_is_no_problem(project: Path) -> None:
    body = {"run_id": "20260101T000000-aaaaaa", "pipeline": "weekly", "state": "running", "steps": [], "origin": "x"}
    on_record(project, Put("run", body["run_id"], body, subject="weekly"))
    with mo.open(project) as ws:
        lease.acquire(ws.store, "weekly", body["run_id"], os.path.realpath(project))
    assert doctor(project).problems == ()


def test_what_cannot_be_written_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doctor(project)  # what is imported lazily may lie where only root reads
    for folder in project.parents:
        if folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(0o755)
    with write_protected(project / ".modelops"), as_somebody_else():
        problems = [problem for problem in doctor(project).problems if problem.part == "permissions"]
    assert "cannot be written" in problems[0].what
    assert "chmod -R u+rwX" in problems[0].fix
    assert len(problems) == files.MOST_LINES + 1, "the rest is counted"


def test_a_full_disk_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: SimpleNamespace(free=12_000_000))
    (problem,) = doctor(project).problems
    assert (problem.part, "only 12 MB are free" in problem.what) == ("disk", True)


class Panic(BaseException):
    """What a library of another language raises where it gives up."""


@pytest.mark.parametrize("error", [ValueError("no\nway"), Panic("at the disco")])
def test_a_part_that_cannot_be_looked_at_hides_no_other(
    project: Path, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise error

    flip(artifact(project))
    with monkeypatch.context() as patch:
        examiners = tuple((part, fail if part == "log" else examine) for part, examine in EXAMINERS)
        patch.setattr("modelops_jupyter.diagnosis.examination.EXAMINERS", examiners)
        problems = diagnose(find_settings(project, {})).problems
    assert [problem.part for problem in problems] == ["artifacts", "log"]
    assert "could not be looked at" in problems[1].what
    assert "\n" not in str(problems[1])


def test_a_copy_that_nobody_has_opened_yet_says_where_mlflow_would_write(project: Path, tmp_path: Path) -> None:
    place = shutil.copytree(project, tmp_path / "copy")
    before = state(place)
    (problem,) = doctor(place).problems
    assert "MLflow's own tools would still read and write in" in problem.what
    assert str(project) in problem.what
    assert state(place) == before
    assert main(["status", "--workspace", str(place)]) == 0
    assert doctor(place).ok


def test_the_shell_answers_with_its_exit_code(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--workspace", str(project)]) == 0
    assert "is whole." in capsys.readouterr().out
    flip(artifact(project))
    assert main(["doctor", "--workspace", str(project)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("1 problem in ")
    assert "\n  artifacts: delay/1 (champion): 'model.skops' was changed in .modelops/artifacts/" in out
    assert main(["doctor", "--json", "--workspace", str(project)]) == 1
    body = json.loads(capsys.readouterr().out)
    assert (body["ok"], body["problems"][0]["part"]) == (False, "artifacts")
    assert set(body["problems"][0]) == {"part", "where", "what", "fix"}
    assert list(doctor(project).to_frame()["part"]) == ["artifacts"]
    html = doctor(project)._repr_mimebundle_()["text/html"]
    assert "1 problem in" in html
    assert "register the model again" in html


def test_settings_that_cannot_be_used_keep_no_face_from_looking(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    text(project / "modelops.toml", "workspace = '.modelops'\ncolour = 'red'\n")
    flip(artifact_by_glob(project))
    monkeypatch.chdir(project)
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "unknown setting 'colour'" in out
    assert "model.skops' was changed" in out
    assert main(["status"]) == 2
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "modelops_jupyter")
    assert {problem.part for problem in shell.run_line_magic("modelops", "doctor").problems} == {
        "settings",
        "artifacts",
    }
    with pytest.raises(InvalidInput, match="colour"):
        shell.run_line_magic("modelops", "status")


def artifact_by_glob(project: Path) -> Path:
    return one(project, "artifacts/*/artifacts/modelops/delay/*/model.skops")


@pytest.mark.parametrize(
    "words",
    ["", "workspace = '.modelops'\n[notify.x]\n", "workspace = 3", "workspace = 'a?b'", "sample_rows = 'x'", "\x00"],
)
def test_what_can_be_used_of_the_settings_is(project: Path, words: str) -> None:
    text(project / "modelops.toml", words)
    settings = find_settings(project, {}, lenient=True)
    assert settings.root == project / ".modelops"
    assert (settings.problem is None) == (words == "")
    assert diagnose(settings).examined["artifacts"].endswith("of 2 versions")


def test_the_workspace_is_back_as_it_was(pristine: Path) -> None:
    assert doctor(put_back(pristine)).ok
