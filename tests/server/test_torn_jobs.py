"""Jobs whose files are torn, and files that become links: said in a sentence, and everything else goes on."""

import json
import os
import threading
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from users import as_somebody_else, folder_for_all

from modelops_jupyter.errors import Conflict, InvalidInput, JobDamaged, NotFound
from modelops_jupyter.server.calls import Call, make_call
from modelops_jupyter.server.fields import Field
from modelops_jupyter.server.jobs import Jobs

FILES = ("job.json", "process.json", "outcome.json", "events.jsonl")
JOB = {
    "operation": "compare",
    "arguments": {},
    "actor": "ann",
    "assurance": "self-asserted",
    "created_at": "2026-01-01T00:00:00+00:00",
}
TORN = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"", b"{", b"null", b"[]", b'"x"', b"7", b"{}", b'{"state": ["x"]}', b"[" * 100_000, b"\xff\n"]),
)


def a_job(folder: Path, name: str) -> Path:
    path = folder / name
    path.mkdir()
    process = {"host": "elsewhere", "pid": 1, "created": 0, "folder": str(path)}
    bodies = {"job.json": JOB, "process.json": process, "outcome.json": {"state": "completed", "result": {}}}
    for file, body in bodies.items():
        (path / file).write_text(json.dumps(body))
    (path / "events.jsonl").write_text('{"type": "state", "state": "running"}\n')
    return path


@given(file=st.sampled_from(FILES), torn=TORN)
def test_a_torn_job_is_named_and_hides_no_other(
    file: str, torn: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("jobs")
    a_job(folder, "whole-job")
    (a_job(folder, "torn-job") / file).write_bytes(torn)
    jobs = Jobs(folder)
    assert "whole-job" in {job.id for job in jobs.newest()}
    for look in (jobs.get, jobs.events, jobs.cancel):
        with suppress(JobDamaged, Conflict):  # and nothing else, which would be a fault of ours
            look("torn-job")
    jobs._make_room(most=4)
    assert jobs.get("whole-job").state == "completed"


def a_call(root: Path, name: str) -> Call:
    field = Field("data", {"type": "string", "format": "data"}, True)
    return make_call("compare", (field,), {"data": name}, root)


@pytest.mark.parametrize("place", ["folder/rows.parquet", "folder"])
def test_a_file_that_became_a_link_is_not_followed(tmp_path: Path, place: str) -> None:
    root, secret = tmp_path / "root", tmp_path / "secret"
    for folder in (root / "folder", secret):
        folder.mkdir(parents=True)
        pd.DataFrame({"whose": [folder.name]}).to_parquet(folder / "rows.parquet")
    call = a_call(root, "folder/rows.parquet")
    assert call.arguments()["data"]["whose"].tolist() == ["folder"]
    (root / place).rename(root / "aside")
    with pytest.raises(NotFound, match="any more"):
        call.arguments()
    (root / place).symlink_to(secret if place == "folder" else secret / "rows.parquet")
    with pytest.raises(InvalidInput, match="became a link"):
        call.arguments()


@pytest.mark.parametrize("place", ["rows.parquet", "folder/rows.parquet"])
def test_a_folder_on_the_way_need_not_be_listed(place: str) -> None:
    with folder_for_all() as top:
        root = top / "passed"
        (root / place).parent.mkdir(parents=True)
        pd.DataFrame({"whose": ["mine"]}).to_parquet(root / place)
        call = a_call(root, place)
        modes = {folder: folder.stat().st_mode for folder in {root, (root / place).parent}}
        for folder in modes:
            folder.chmod(0o311)
        try:
            with as_somebody_else():
                assert call.arguments()["data"]["whose"].tolist() == ["mine"]
        finally:
            for folder, mode in modes.items():
                folder.chmod(mode)


def test_a_file_that_is_swapped_again_and_again_is_never_somebody_elses(tmp_path: Path) -> None:
    root, secret = tmp_path / "root", tmp_path / "secret.parquet"
    root.mkdir()
    pd.DataFrame({"whose": ["mine"]}).to_parquet(root / "rows.parquet")
    pd.DataFrame({"whose": ["another's"]}).to_parquet(secret)
    call, ended = a_call(root, "rows.parquet"), threading.Event()

    def swap() -> None:
        own = root / "own"
        os.link(root / "rows.parquet", own)
        for number in range(100_000):
            fresh = root / "fresh"
            fresh.symlink_to(secret) if number % 2 == 0 else os.link(own, fresh)
            fresh.replace(root / "rows.parquet")
            fresh.unlink(missing_ok=True)  # renaming a file to itself leaves both names
            if ended.is_set():
                return

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(150):
            try:
                assert call.arguments()["data"]["whose"].tolist() == ["mine"]
            except (InvalidInput, NotFound):
                continue
            except OSError:  # it was a link as it was opened, and none as the reason was looked for
                continue
    finally:
        ended.set()
        thread.join()


def test_a_path_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "step.ipynb").write_text("{}")
    field = Field("path", {"type": "string", "format": "path"}, True)
    call = make_call("run_notebook", (field,), {"path": "step.ipynb"}, tmp_path)
    assert call.arguments() == {"path": str(tmp_path / "step.ipynb")}
    (tmp_path / "step.ipynb").unlink()
    (tmp_path / "step.ipynb").symlink_to("/etc/passwd")
    with pytest.raises(InvalidInput, match="became a link"):
        call.arguments()
