"""A workspace that is damaged says what, which file and what to do; writes nothing; works again once mended."""

import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from users import as_somebody_else, folder_for_all, write_protected

from modelops_jupyter.cli import main
from modelops_jupyter.errors import StoreDamaged
from modelops_jupyter.settings import Settings
from modelops_jupyter.store import open_store
from modelops_jupyter.verbs import VERBS
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.slow

ROWS = 300
Fault = Callable[[Path], None]
LOG_AGAIN = ["log-predictions", "delay/1", "log.parquet", "--id", "id", "--time", "at", "--prediction", "said"]
LOG_AGAIN += ["--batch-id", "p0"]
COMPARE = ["compare", "delay/1", "delay/2", "--data", "rows.parquet", "--target", "late"]
REGISTER = ["register", "model.skops", "delay", "--data", "features.parquet"]


def frame(day: int) -> pd.DataFrame:
    values = np.random.default_rng(day).normal(size=(ROWS, 2))
    return pd.DataFrame(values, columns=["wind", "rain"]).assign(late=lambda x: (x["wind"] > 0).astype(int))


@pytest.fixture(scope="module")
def project(mlflow_database: Path) -> Iterator[Path]:
    """Return a project whose workspace holds two versions, two logged and monitored days, and a champion."""
    with folder_for_all() as folder:
        a_workspace(folder, mlflow_database)
        yield folder


def a_workspace(folder: Path, mlflow_database: Path) -> None:
    import skops.io

    root = folder / ".modelops"
    root.mkdir()
    shutil.copy(mlflow_database, root / "mlflow.db")
    (folder / "modelops.toml").write_text('actor = "ann"\n')
    known = frame(0)
    known.to_parquet(folder / "rows.parquet")
    known.drop(columns="late").to_parquet(folder / "features.parquet")
    with Workspace(Settings(folder, root, actor="ann")) as ws:
        for c in (1.0, 0.1):
            model = LogisticRegression(C=c).fit(known[["wind", "rain"]], known["late"])
            ws.register(
                model, "delay", data=known[["wind", "rain"]][::2], target=known["late"][::2], reference=known[1::2]
            )
        skops.io.dump(model, folder / "model.skops")
        ws.approve("delay/1", reason="ok")
        ws.promote("delay/1", reason="first")
        for day in range(2):
            rows = frame(day)
            times = pd.Timestamp("2013-04-01", tz="UTC") + pd.Timedelta(days=day) + pd.to_timedelta(range(ROWS), "min")
            logged = rows.drop(columns="late").assign(id=[f"{day}-{n}" for n in range(ROWS)], at=times, said=1)
            ws.log_predictions("delay/1", logged, id="id", time="at", prediction="said", batch_id=f"p{day}")
            labels = pd.DataFrame({"id": logged["id"], "late": rows["late"]})
            ws.log_labels("delay", labels, id="id", label="late", batch_id=f"l{day}")
            if day == 0:
                logged.to_parquet(folder / "log.parquet")
        ws.monitor("delay")


@pytest.fixture
def root(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project)
    return project / ".modelops"


def state(root: Path) -> dict[str, str]:
    """Return a digest of every file but locks and what SQLite keeps beside an open database."""
    files = (path for path in root.rglob("*") if path.is_file())
    kept = (path for path in files if not path.name.endswith((".lock", "-shm", "-wal")))
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


@contextmanager
def put_back(path: Path) -> Iterator[None]:
    """Put a file or folder back as it was, the file itself and not a copy."""
    if path.is_dir():
        with tempfile.TemporaryDirectory() as aside:
            shutil.copytree(path, Path(aside, "copy"))
            try:
                yield
            finally:
                shutil.rmtree(path, ignore_errors=True)
                shutil.copytree(Path(aside, "copy"), path)
        return
    content, away = path.read_bytes(), path.with_name("away")
    os.link(path, away)
    try:
        yield
    finally:
        if not path.exists():
            os.link(away, path)
        away.unlink()
        path.write_bytes(content)


def asked(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(words)
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return code, said.err


def sentence(said: str) -> str:
    assert said.startswith("modelops: ")
    assert said.count("\n") == 1
    return said


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_by_a_page(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4096])


def cut_in_the_header(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


def garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * (path.stat().st_size // 7))


def garbage_inside(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:8192] + os.urandom(path.stat().st_size - 8192))


def gone(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


def no_commits(path: Path) -> None:
    gone(path)
    path.mkdir()


PREDICTIONS, LABELS = "log/delay/predictions", "log/delay/labels"
CASES: list[tuple[str, Fault, list[str], int, str]] = [
    ("modelops.db", emptied, ["models"], 3, r"modelops\.db is empty: restore"),
    ("modelops.db", emptied, REGISTER, 3, r"modelops\.db is empty: restore"),
    ("modelops.db", cut_in_half, ["models"], 3, r"modelops\.db was cut short .*: restore"),
    ("modelops.db", cut_by_a_page, ["status"], 3, r"modelops\.db was cut short .*: restore"),
    ("modelops.db", cut_in_the_header, ["audit"], 3, r"modelops\.db is no SQLite database: restore"),
    ("modelops.db", garbage, ["promote", "delay/2", "--reason", "x"], 3, r"modelops\.db is no SQLite database"),
    ("modelops.db", garbage_inside, ["audit"], 3, r"modelops\.db .*: restore"),
    ("modelops.db", gone, ["status"], 3, r"modelops\.db is gone, but .*artifacts.* is there.*restore"),
    ("modelops.db", newer, ["models"], 3, r"modelops\.db has schema 9999, .* upgrade with"),
    ("mlflow.db", emptied, ["status"], 3, r"mlflow\.db is empty: restore"),
    ("mlflow.db", emptied, REGISTER, 3, r"mlflow\.db is empty: restore"),
    ("mlflow.db", garbage, ["status"], 3, r"mlflow\.db is no SQLite database: restore"),
    ("mlflow.db", cut_in_half, ["rollback", "delay", "--reason", "x"], 3, r"mlflow\.db was cut short .*: restore"),
    ("mlflow.db", gone, ["status"], 3, r"mlflow\.db is gone, but .*artifacts holds models: restore"),
    ("artifacts", gone, COMPARE, 3, r"artifact of delay/1 is gone from .*artifacts.*: restore"),
    ("log", gone, ["monitor", "delay"], 3, r"log/delay/predictions is gone, .*: restore"),
    ("log", gone, LOG_AGAIN, 3, r"log/delay/predictions is gone, .*: restore"),
    (LABELS, gone, ["monitor", "delay"], 3, r"log/delay/labels.* gone, .*: restore"),
    (f"{PREDICTIONS}/_delta_log", gone, ["monitor", "delay"], 3, r"predictions/_delta_log is gone, but 2 batches"),
    (f"{PREDICTIONS}/_delta_log", gone, LOG_AGAIN, 3, r"predictions/_delta_log is gone, but 2 batches"),
    (f"{PREDICTIONS}/_delta_log", no_commits, ["monitor", "delay"], 3, r"predictions/_delta_log is gone, but 2"),
    (f"{LABELS}/_delta_log", gone, ["monitor", "delay"], 3, r"labels/_delta_log is gone, but 2 batches"),
    (f"{PREDICTIONS}/*.parquet", gone, ["monitor", "delay"], 3, r"\.parquet is gone: restore"),
    (f"{LABELS}/*.parquet", gone, ["monitor", "delay"], 3, r"\.parquet is gone: restore"),
    (f"{PREDICTIONS}/*.parquet", garbage, ["monitor", "delay"], 3, r"predictions.*: restore"),
    (f"{PREDICTIONS}/_delta_log/*1.json", cut_in_half, ["monitor", "delay"], 3, r"predictions.*: restore"),
    (f"{PREDICTIONS}/_delta_log/*1.json", emptied, ["monitor", "delay"], 3, r"predictions.*: restore"),
    ("log/delay/predictions.manifest.json", garbage, ["monitor", "delay"], 3, r"manifest\.json .*: restore"),
]


@pytest.mark.parametrize(
    ("place", "fault", "words", "expected", "match"),
    CASES,
    ids=[f"{place}-{fault.__name__}-{words[0]}" for place, fault, words, _, _ in CASES],
)
def test_damage_is_named_and_mended_by_putting_the_file_back(
    root: Path,
    place: str,
    fault: Fault,
    words: list[str],
    expected: int,
    match: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = next(iter(sorted(root.glob(place))))
    with put_back(path):
        fault(path)
        before = state(root)
        code, said = asked(words, capsys)
        assert code == expected, said
        assert re.search(match, sentence(said)), said
        assert state(root) == before, "something was written"
    healthy = words if words[0] in ("compare", "log-predictions", "monitor") else ["status"]
    assert asked(healthy, capsys)[0] == 0


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        (newer, r"mlflow\.db has schema 9999, .* upgrade with"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:8192] + os.urandom(path.stat().st_size - 8192)),
            r"mlflow\.db",
        ),
    ],
)
def test_damage_that_only_mlflow_finds_is_named_too(root: Path, fault: Fault, match: str) -> None:
    # In a process of its own: MLflow keeps its database open.
    command = [sys.executable, "-m", "modelops_jupyter.cli", "status"]
    with put_back(root / "mlflow.db"):
        fault(root / "mlflow.db")
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        assert answer.returncode == 3, answer
        assert re.search(match, sentence(answer.stderr)), answer.stderr


@pytest.mark.parametrize(
    ("text", "expected", "match"),
    [
        ("nonsense", 2, r"modelops\.toml cannot be read"),
        ("\x00\x01", 2, r"modelops\.toml cannot be read"),
        ("colour = 'red'", 2, "unknown setting 'colour'"),
        ("workspace = 3", 2, "'workspace' must be text, not 3"),
        ("workspace = ''", 2, "'workspace' cannot be ''"),
        ('workspace = "a\\u0000b"', 2, "'workspace' cannot be"),
        ("workspace = 'modelops.toml'", 3, "modelops.toml cannot be written .*free that path"),
        ("tracking_uri = 'nonsense'", 2, "'nonsense' is no address"),
        ("tracking_uri = 'http://nobody:port'", 3, "does not answer"),
        ("policy = 'nowhere.toml'", 2, r"nowhere\.toml cannot be read"),
    ],
)
def test_settings_that_make_no_sense_are_named(
    root: Path, text: str, expected: int, match: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["check", "delay/1"] if text.startswith("policy") else ["status"]
    before = state(root.parent)
    with put_back(root.parent / "modelops.toml"):
        (root.parent / "modelops.toml").write_text(text)
        code, said = asked(words, capsys)
        assert code == expected, said
        assert re.search(match, sentence(said)), said
    assert state(root.parent) == before
    assert asked(["status"], capsys)[0] == 0


# A verb, and its exit code where nothing can be written: what reads does its work.
READ_ONLY = [
    (["models"], 0),
    (["status"], 0),
    (["audit"], 0),
    (["verify-audit"], 0),
    (["overview", "delay"], 0),
    (COMPARE, 0),
    (["approve", "delay/2", "--reason", "x"], 3),
    (["reconcile"], 0),  # there is nothing to put right
    (REGISTER, 3),
    (LOG_AGAIN, 3),
]


@pytest.mark.parametrize(("words", "expected"), READ_ONLY, ids=[words[0] for words, _ in READ_ONLY])
def test_a_read_only_workspace_is_read_and_named(
    root: Path, words: list[str], expected: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(["status"], capsys)[0] == 0  # what is imported lazily may lie where only root reads
    assert asked(COMPARE, capsys)[0] == 0
    before = state(root)
    with write_protected(root), as_somebody_else():
        code, said = asked(words, capsys)
    assert code == expected, said
    if expected:
        assert "writable" in sentence(said)
        assert ".modelops" in said
    assert state(root) == before
    assert asked(["status"], capsys)[0] == 0


# What each reading verb is asked; `backtest` takes minutes and reads what `distribution` does.
READING: dict[str, list[str]] = {
    "status": [],
    "models": [],
    "versions": ["delay"],
    "overview": ["delay"],
    "distribution": ["delay", "wind"],
    "version": ["delay/1"],
    "curves": ["delay"],
    "explain": ["delay", "--window", "2013-04-02"],
    "gate": ["delay/1"],
    "board": [],
    "audit": [],
    "audit-head": [],
    "verify-audit": [],
    "card": ["delay/1"],
    "alerts": [],
    "incidents": [],
    "runs": [],
    "multivariate-drift": ["delay"],
    "compare-data": ["rows.parquet", "rows.parquet"],
    "predict": ["delay/1", "rows.parquet", "{out}/predicted.parquet"],
    "compare": COMPARE[1:],
    "backup": ["{out}/backup.zip"],
    "monitor": ["delay"],
}
ELSEWHERE = {"doctor", "backtest", "incident", "notebook-parameters"}  # tested with what they look at


@contextmanager
def read_only_disk(folder: Path) -> Iterator[None]:
    """Make a folder a file system that nobody may write to, root included."""
    for options in (["--bind", str(folder), str(folder)], ["-o", "remount,ro,bind", str(folder)]):
        if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
            pytest.skip("no file system can be mounted read-only here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def copy_at_work(project: Path, to: Path, beside: tuple[str, ...]) -> None:
    """Copy a workspace while its store is open: what was written last is in the log of the store alone."""
    path = project / ".modelops/modelops.db"
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("SELECT * FROM records").fetchone()
        with Workspace(Settings(project, project / ".modelops", actor="ann")) as ws:
            ws.comment("delay/1", f"written last, with {beside}")
        shutil.copytree(project, to, dirs_exist_ok=True)
    for suffix in {"-wal", "-shm"} - {*beside}:
        (to / f".modelops/modelops.db{suffix}").unlink()


@pytest.mark.parametrize("who", ["read-only disk", "another user"])
@pytest.mark.parametrize("beside", [(), ("-wal",), ("-wal", "-shm")], ids=["", "log", "log-and-index"])
def test_every_reading_verb_works_where_nothing_can_be_written(
    project: Path,
    who: str,
    beside: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert {verb.name for verb in VERBS if verb.effect == "read"} <= {*READING} | ELSEWHERE
    with folder_for_all() as out, folder_for_all() as folder:
        copy_at_work(project, folder, beside)
        out.chmod(0o777)
        with ExitStack() as stack:
            stack.enter_context(read_only_disk(folder) if who == "read-only disk" else write_protected(folder))
            monkeypatch.chdir(folder)
            before = state(folder)
            if who == "another user":
                stack.enter_context(as_somebody_else())
            for verb, words in READING.items():
                code, said = asked([verb, *(word.format(out=out) for word in words)], capsys)
                assert code == (3 if verb == "monitor" and said else 0), (verb, said)
                assert "restore" not in said
            assert main(["audit", "--limit", "1"]) == 0
            assert (
                f"written last, with {beside}" in capsys.readouterr().out or not beside
            )  # what is only in the log counts
            assert state(folder) == before
            monkeypatch.chdir("/")


def test_a_new_workspace_in_a_read_only_folder_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """By what would make one; a question about models needs none."""
    folder = Path(tempfile.mkdtemp(prefix="modelops-faults-"))
    folder.chmod(0o555)
    for words, expected in ((["models"], 0), (["status"], 3)):
        with as_somebody_else():
            code, said = asked([*words, "--workspace", str(folder)], capsys)
        assert code == expected, said
        if expected:
            assert "writable" in sentence(said)
    assert list(folder.iterdir()) == []
    folder.rmdir()


def test_a_store_that_vanishes_from_an_open_workspace_is_missed_and_not_made_anew(root: Path) -> None:
    with Workspace(Settings(root.parent, root, actor="ann")) as ws:
        versions = len(ws.versions("delay"))
        with put_back(root / "modelops.db"):
            gone(root / "modelops.db")
            with pytest.raises(StoreDamaged, match=r"modelops\.db is gone"):
                ws.versions("delay")
            with pytest.raises(StoreDamaged, match=r"modelops\.db is gone"):
                ws.approve("delay/1", reason="again")
            assert not (root / "modelops.db").exists()
        assert len(ws.versions("delay")) == versions


def test_what_a_killed_creation_left_is_built_anew(tmp_path: Path) -> None:
    (tmp_path / "s.db.new").write_bytes(b"half a database")
    open_store(tmp_path / "s.db", tmp_path / "s.lock").close()
    assert not (tmp_path / "s.db.new").exists()


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection, connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    before = (tmp_path / "s.db").read_bytes()
    with pytest.raises(StoreDamaged, match="something else"):
        open_store(tmp_path / "s.db", tmp_path / "s.lock")
    assert (tmp_path / "s.db").read_bytes() == before
