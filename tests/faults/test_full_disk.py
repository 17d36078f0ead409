"""A disk that is full is said to be full: nothing ends a process, nothing is lost, and nobody restores a backup."""

import errno
import os
import shutil
import sqlite3
import subprocess
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter import disk_space
from modelops_jupyter.disk_space import LEAST_ROOM, room
from modelops_jupyter.errors import ModelOpsError, RegistryDamaged, StoreDamaged, StoreFull, Unexpected
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.settings import Settings
from modelops_jupyter.store import Change, Event, Put, failure, open_store, sql
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.slow

ACT = Event("step", "m/1", "ann", "self-asserted")
CODES = sorted({value for name, value in vars(sqlite3).items() if name.startswith("SQLITE_") and 0 < value < 10_000})
DAMAGE = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}


def failed(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("it failed")
    error.sqlite_errorcode = code
    return error


@given(code=st.sampled_from(CODES), free=st.sampled_from([0, LEAST_ROOM - 1, LEAST_ROOM, 2**40]))
def test_only_what_is_damaged_is_put_back_from_a_backup(code: int, free: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modelops_jupyter.store.failures.room", lambda _: free)
        for kind in (StoreDamaged, RegistryDamaged):
            error = failure(failed(code), Path(__file__), kind)
            assert ("restore" in str(error)) == isinstance(error, kind) == (code & 0xFF in DAMAGE)
            if code == sqlite3.SQLITE_FULL or (code & 0xFF == sqlite3.SQLITE_IOERR and free < LEAST_ROOM):
                assert isinstance(error, StoreFull)


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Lend a small disk of its own whose blocks are smaller than pages: there SQLite's index has holes."""
    folder = tmp_path_factory.mktemp("disk")
    image, disk = folder / "image", folder / "disk"
    disk.mkdir()
    image.write_bytes(b"")
    os.truncate(image, 8 << 20)
    commands = [
        ["mkfs.ext4", "-q", "-b", "1024", "-m", "0", "-O", "^has_journal", str(image)],
        ["mount", "-o", "loop", str(image), str(disk)],
    ]
    for command in commands:
        if shutil.which(command[0]) is None or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip(f"no disk of its own can be mounted here ({command[0]})")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path, free: int) -> None:
    """Leave about `free` bytes on a disk."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    with filler.open("wb", buffering=0) as file:
        while room(disk) > free:
            try:
                file.write(b"x" * min(4096, room(disk) - free))
            except OSError:  # what is free is not for files
                return


def in_a_child(work: Callable[[], int]) -> int:
    """Return how a child that does `work` ended: what ends it leaves the tests alone."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(work())
        except BaseException:
            traceback.print_exc()
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("left", ["nothing", "a log", "a log without its index"])
def test_whatever_is_free_a_store_reads_and_either_writes_or_says_that_the_disk_is_full(
    small_disk: Path, left: str
) -> None:
    folder = small_disk / left.replace(" ", "-")
    (small_disk / "filler").unlink(missing_ok=True)
    folder.mkdir()
    path, lock = folder / "modelops.db", folder / "create.lock"
    store = open_store(path, lock)
    store.commit(Change(puts=(Put("k", "first", {"x": 1}),), event=ACT))
    acknowledged = {"first"}

    def write(key: str) -> int:
        try:
            open_store(path, lock).commit(Change(puts=(Put("k", key, {"x": "y" * 3000}),), event=ACT))
        except StoreFull as error:
            return 1 if "restore" not in str(error) else 2
        return 0

    def write_and_die() -> int:
        held = sqlite3.connect(path)  # whoever closes last would take the log away
        held.execute("SELECT * FROM records").fetchone()
        os._exit(write("left"))

    def read() -> int:
        return 0 if {record.key for record in open_store(path, lock).find("k")} == acknowledged else 1

    for free in (0, 20, 33, 48, 57, 64, 80, 130, 600, LEAST_ROOM // 1024 + 300):
        (small_disk / "filler").unlink(missing_ok=True)
        if left != "nothing":
            assert in_a_child(write_and_die) == 0
            acknowledged.add("left")
            if left != "a log":
                path.with_name("modelops.db-shm").unlink()
        fill(small_disk, free * 1024)
        assert in_a_child(read) == 0, free
        ended = in_a_child(lambda key=f"n{free}": write(key))
        assert ended == (0 if free * 1024 > LEAST_ROOM else 1), free
        acknowledged |= {f"n{free}"} if ended == 0 else set()
        assert in_a_child(read) == 0, free
    shutil.rmtree(folder)


def test_a_log_is_full_before_a_part_of_a_batch_is_written(small_disk: Path) -> None:
    (small_disk / "filler").unlink(missing_ok=True)
    log = PredictionLog(small_disk / "log")
    table = rows_of_a_log(50)
    log.append_predictions("m", table, batch_id="one")
    before = sorted(path.name for path in (small_disk / "log").rglob("*"))
    for free in (0, 30, 200):
        fill(small_disk, free * 1024)
        with pytest.raises(StoreFull, match="nothing was written"):
            log.append_predictions("m", table.slice(1), batch_id="two")
        assert sorted(path.name for path in (small_disk / "log").rglob("*")) == before
    (small_disk / "filler").unlink()
    assert log.append_predictions("m", table.slice(1), batch_id="two").rows == 49
    shutil.rmtree(small_disk / "log")


def rows_of_a_log(rows: int) -> pa.Table:
    return pa.table(
        {
            "request_id": [f"r{n}" for n in range(rows)],
            "timestamp": pa.array(np.arange(rows) * 3_600_000_000).cast(pa.timestamp("us", tz="UTC")),
            "model": ["m"] * rows,
            "version": pa.array([1] * rows, pa.int64()),
            "alias": [""] * rows,
            "decision": [""] * rows,
            "prediction": ["1"] * rows,
            "score": np.full(rows, 0.5),
            "x": np.arange(float(rows)),
        }
    )


def test_a_verb_that_writes_says_so_and_one_that_reads_goes_on(settings: Settings) -> None:
    with Workspace(settings) as ws:
        ws.store.commit(Change(puts=(Put("k", "a", {}),), event=ACT))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(disk_space, "room", lambda _: 40 << 10)
            patch.setattr(sql, "room", lambda _: 40 << 10)
            with pytest.raises(StoreFull, match=r"40 KiB are free.*nothing is lost"):
                ws.register(object(), "m", data=pd.DataFrame({"a": [1.0]}))
            with pytest.raises(StoreFull):
                ws.store.commit(Change(event=ACT))
            assert list(ws.models()) == []
            assert ws.verify_audit().ok
            assert ws.status() is not None
        assert len(ws.store.audit()) == 1


def test_a_workspace_that_was_moved_while_it_was_open_is_looked_for_and_not_restored(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    store = open_store(folder / "modelops.db", folder / "create.lock")
    store.commit(Change(event=ACT))
    folder.rename(tmp_path / "moved")
    for work in (lambda: store.find("k"), lambda: store.commit(Change(event=ACT))):
        with pytest.raises(ModelOpsError, match="if it was moved, open it where it is now") as raised:
            work()
        assert "backup" not in str(raised.value)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("name", [(), ("some/file",)])
def test_a_full_disk_that_nobody_foresaw_is_still_one(number: int, name: tuple[str, ...]) -> None:
    error = Unexpected.of(OSError(number, os.strerror(number), *name))
    assert isinstance(error, StoreFull)
    assert all(part in str(error) for part in name)


def test_what_somebody_did_is_on_the_disk_once_it_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, write = open_store(tmp_path / "s.db", tmp_path / "s.lock"), sql._write
    levels = []

    def looked(connection, change):  # type: ignore[no-untyped-def]
        levels.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())
        return write(connection, change)

    monkeypatch.setattr(sql, "_write", looked)
    store.commit(Change(event=ACT))
    store.commit(Change(puts=(Put("heartbeat", "a", {}),)))
    assert levels == [2, 1]  # FULL, NORMAL
