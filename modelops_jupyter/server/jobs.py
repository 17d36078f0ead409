"""Slow verbs as jobs: each a process of its own with a folder of its own, which every server of the workspace reads.

A folder holds ``job.json`` (what is asked, by whom), ``process.json``, ``events.jsonl`` (progress), ``outcome.json``
and ``log.txt``; a mark ``cancelled`` says that somebody ended it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import Conflict, InvalidInput, JobDamaged, NotFound
from modelops_jupyter.job_folders import GRACE_SECONDS, JOB_ID, damaged, read_json, state_of, write_whole
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.processes import TREE, identity, is_alive, kill, new_tree
from modelops_jupyter.server.calls import Call

KEPT = 200
ENDED = ("completed", "failed", "cancelled", "interrupted")
HEARTBEAT_SECONDS = 15.0
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Job(Presentable):
    """One slow verb under way or done.

    Attributes
    ----------
    id : str
    operation : str
        The method of `Workspace`.
    arguments : mapping
        As they were given.
    actor, assurance : str
    state : {"running", "completed", "failed", "cancelled", "interrupted"}
        interrupted: its process is gone and left no outcome, usually with the server that started it.
    created_at, ended_at : str
        ISO times in UTC; `ended_at` is None while it runs, or when nobody knows.
    steps : tuple of mapping
        Of a pipeline: the latest event of every step that has begun, in order.
    cell : mapping or None
        The latest event of a notebook's cell.
    events : int
        How many events there are: where to go on listening.
    result : mapping or None
        What the verb returned, once completed.
    error : mapping or None
        `message` and `code`, if it failed.
    """

    id: str
    operation: str
    arguments: Mapping[str, Any]
    actor: str
    assurance: str
    state: str
    created_at: str
    ended_at: str | None = None
    steps: tuple[Mapping[str, Any], ...] = ()
    cell: Mapping[str, Any] | None = None
    events: int = 0
    result: Mapping[str, Any] | None = field(default=None, repr=False)
    error: Mapping[str, str] | None = None

    def __str__(self) -> str:
        reason = f": {self.error['message']}" if self.error else ""
        return f"Job {self.id} ({self.operation}) by {self.actor}: {self.state}{reason}"


class Jobs:
    """The jobs of one workspace, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(
        self,
        call: Call,
        arguments: Mapping[str, Any],
        *,
        project: Path,
        actor: Actor,
        key: str | None = None,
        most: int = 4,
    ) -> Job:
        """Start a job and return it; for a `key` that was used before, return the job of then.

        Parameters
        ----------
        arguments
            As the caller gave them, to be shown.
        most
            How many jobs may run at once.

        Raises
        ------
        Conflict
            If `most` jobs are running.
        InvalidInput
            If `key` was used for another request.
        """
        job_id = _new_id() if key is None else hashlib.sha256(json.dumps([actor.name, key]).encode()).hexdigest()[:32]
        body = {
            "id": job_id,
            "operation": call.operation,
            "arguments": dict(arguments),
            "call": asdict(call),
            "project": str(project),
            "actor": actor.name,
            "assurance": actor.assurance,
            "created_at": datetime.now(UTC).isoformat(),
        }
        if key is not None and (self._folder / job_id).exists():
            return self._again(body)
        self._make_room(most)
        fresh = self._folder / f".{uuid4().hex}"
        fresh.mkdir(parents=True)
        write_whole(fresh / "job.json", body)
        try:
            fresh.rename(self._folder / job_id)
        except OSError:  # another click was first
            shutil.rmtree(fresh)
            return self._again(body)
        self._launch(self._folder / job_id, actor)
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """Return one job with its result.

        Raises
        ------
        NotFound
        """
        return _job(self._path(job_id), whole=True)

    def newest(self, limit: int = 50) -> tuple[Job, ...]:
        """Return the newest jobs, newest first, without their results."""
        jobs = []
        for path in self._newest_first()[:limit]:
            with suppress(JobDamaged):  # it hides no other job: `modelops doctor` names it
                jobs.append(_job(path, whole=False))
        return tuple(jobs)

    def cancel(self, job_id: str) -> Job:
        """End a job's process and everything it has started, and return it; one that has ended stays as it is.

        Raises
        ------
        Conflict
            If it runs on another machine.
        """
        path = self._path(job_id)
        if state_of(path) == "running":
            process = read_json(path / "process.json")
            if process is None or is_alive(process) is None:
                raise Conflict(f"Job {job_id} runs on another machine: cancel it on the server that started it.")
            (path / "cancelled").touch()
            _end(process)
        return self.get(job_id)

    def events(self, job_id: str, after: int = 0) -> tuple[Mapping[str, Any], ...]:
        """Return the events behind number `after`, oldest first; `event` counts from 1."""
        path = self._path(job_id)
        try:
            return tuple(_events(path, after))
        except _UNREADABLE as error:
            raise damaged(path, error) from error

    def log(self, job_id: str, tail: int) -> str:
        """Return the last `tail` bytes of what the process printed."""
        file = self._path(job_id) / "log.txt"
        if not file.exists():
            return ""
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - tail))
            return stream.read().decode("utf-8", "replace")

    def _path(self, job_id: str) -> Path:
        path = self._folder / job_id
        if not JOB_ID.fullmatch(job_id) or not (path / "job.json").is_file():
            raise NotFound(f"There is no job {job_id!r}: it was never started, or over {KEPT} came after it.")
        return path

    def _newest_first(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        found = [
            path for path in self._folder.iterdir() if JOB_ID.fullmatch(path.name) and (path / "job.json").is_file()
        ]
        return sorted(found, key=_written_at, reverse=True)

    def _make_room(self, most: int) -> None:
        running = 0
        for place, path in enumerate(self._newest_first(), start=1):
            try:
                runs = state_of(path) == "running"
            except JobDamaged:  # it hinders no other one
                runs = False
            if runs:
                running += 1
            elif place >= KEPT:
                shutil.rmtree(path, ignore_errors=True)
        if running >= most:
            raise Conflict(f"{running} jobs are running, and this server starts no more: wait for one, or cancel one.")

    def _again(self, body: Mapping[str, Any]) -> Job:
        try:
            first = read_json(self._folder / body["id"] / "job.json") or {}
            as_before = (first.get("operation"), first.get("arguments"))
        except _UNREADABLE as error:
            raise damaged(self._folder / body["id"], error) from error
        if as_before != (body["operation"], body["arguments"]):
            raise InvalidInput("This Idempotency-Key was used for another request: make a new one for each.")
        return self.get(body["id"])

    def _launch(self, path: Path, actor: Actor) -> None:
        tree = new_tree()
        environment = {**os.environ, **tree}
        if actor.assurance != "self-asserted":
            environment["MODELOPS_ACTOR"] = actor.name  # what its notebooks do is done by the same person
        with (path / "log.txt").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "modelops_jupyter.server.job_process", str(path), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=environment,
            )
        write_whole(
            path / "process.json", {**identity(process.pid), "folder": os.path.realpath(path), "tree": tree[TREE]}
        )


def _job(path: Path, *, whole: bool) -> Job:
    try:
        return _read_job(path, whole=whole)
    except _UNREADABLE as error:
        raise damaged(path, error) from error


def _read_job(path: Path, *, whole: bool) -> Job:
    body = read_json(path / "job.json") or {}
    state = state_of(path)
    outcome = read_json(path / "outcome.json") or {}
    steps: dict[str, Mapping[str, Any]] = {}
    cell, number = None, 0
    for event in _events(path, 0):
        number = event["event"]
        if event["type"] == "step":
            steps[event["step"]] = event
        elif event["type"] == "cell":
            cell = event
    return Job(
        id=path.name,
        operation=body["operation"],
        arguments=body["arguments"],
        actor=body["actor"],
        assurance=body["assurance"],
        state=state,
        created_at=body["created_at"],
        ended_at=outcome.get("ended_at"),
        steps=tuple(steps.values()),
        cell=cell,
        events=number,
        result=outcome.get("result") if whole else None,
        error=outcome.get("error"),
    )


def _events(path: Path, after: int) -> Iterator[dict[str, Any]]:
    try:
        lines = (path / "events.jsonl").read_bytes().split(b"\n")[:-1]  # what follows the last newline is not whole
    except FileNotFoundError:
        return
    for number, line in enumerate(lines[after:], start=after + 1):
        yield {"event": number, **json.loads(line)}


def _written_at(path: Path) -> int:
    """Return when a job was made; one that is removed just now is the oldest."""
    try:
        return (path / "job.json").stat().st_mtime_ns
    except OSError:
        return 0


def _end(process: Mapping[str, Any]) -> None:
    """Ask a job's process to stop, which ends its notebooks; then end all that is left."""
    with suppress(ProcessLookupError):
        os.kill(process["pid"], signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while is_alive(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    if is_alive(process):
        kill(process["pid"], process.get("tree"))


def _new_id() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:8]}"
