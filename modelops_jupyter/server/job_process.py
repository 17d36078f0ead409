"""One job in a process of its own: ``python -m modelops_jupyter.server.job_process FOLDER SERVER``.

Models are loaded here and never in the server. It ends with the server that started it, and its notebooks with it.
"""

from __future__ import annotations

import inspect
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from modelops_jupyter import processes
from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import ModelOpsError, Unexpected
from modelops_jupyter.job_folders import write_whole
from modelops_jupyter.portable import recorded_path, with_fields
from modelops_jupyter.server.calls import Call
from modelops_jupyter.server.jobs import HEARTBEAT_SECONDS
from modelops_jupyter.server.served import open_workspace, plain

Tell = Callable[[Mapping[str, Any]], None]


def main(folder: str, server: int) -> int:
    """Carry out the job in `folder` for the process `server` and leave its outcome there; 0 if it was completed."""
    path = Path(folder)
    threading.Thread(target=_watch, args=(path, server), daemon=True).start()
    signal.signal(signal.SIGTERM, _stop)
    job = json.loads((path / "job.json").read_text(encoding="utf-8"))
    tell = _teller(path / "events.jsonl")
    outcome = _carry_out(job, tell)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # too late: it is done
    tell({"type": "state", "state": outcome["state"]})
    write_whole(path / "outcome.json", {**outcome, "ended_at": _now()})
    return 0 if outcome["state"] == "completed" else 1


def _carry_out(job: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    try:
        tell({"type": "state", "state": "running"})
        call = Call(**job["call"])
        project = Path(job["project"])
        with open_workspace(project, Actor(job["actor"], job["assurance"]), write=True) as ws:
            method = getattr(ws, call.operation)
            result = plain(method(**call.arguments(), **_callbacks(method, tell)))
            portable = with_fields(result, ("output", "notebook"), lambda path: recorded_path(path, project))
            return {"state": "completed", "result": portable}
    except KeyboardInterrupt:
        return {"state": "cancelled"}
    except ModelOpsError as error:
        return {"state": "failed", "error": {"message": str(error), "code": error.code}}
    except Exception as error:
        traceback.print_exc()  # into the job's log
        ours = Unexpected.of(error)
        message = str(ours)
        if isinstance(ours, Unexpected):
            message = f"Something went wrong ({type(error).__name__}: {error}); the job's log has the details."
        return {"state": "failed", "error": {"message": message, "code": ours.code}}


def _callbacks(method: Callable[..., Any], tell: Tell) -> dict[str, Callable[[Any], None]]:
    """Return a callback for every kind of progress that the method reports."""
    kinds = {"on_progress": "step", "on_cell": "cell"}
    known = inspect.signature(method).parameters
    return {name: _reporter(tell, kind) for name, kind in kinds.items() if name in known}


def _reporter(tell: Tell, kind: str) -> Callable[[Any], None]:
    return lambda event: tell({"type": kind, **asdict(event)})


def _teller(file: Path) -> Tell:
    """Return a function that appends an event to `file`, a line each, whichever thread calls it."""
    lock = threading.Lock()

    def tell(event: Mapping[str, Any]) -> None:
        line = json.dumps({"at": _now(), **event}) + "\n"
        with lock, file.open("a", encoding="utf-8") as stream:
            stream.write(line)

    return tell


def _watch(path: Path, parent: int) -> None:
    """Say now and then that the job lives; end its whole group once the server is gone."""
    said = 0.0
    while os.getppid() == parent:
        if time.monotonic() - said > HEARTBEAT_SECONDS and (path / "process.json").exists():
            os.utime(path / "process.json")
            said = time.monotonic()
        time.sleep(0.5)
    processes.kill(os.getpid(), os.environ.get(processes.TREE))


def _stop(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _now() -> str:
    return datetime.now(UTC).isoformat()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
