"""The folders that jobs of a server leave in a workspace, as whoever looks at them reads them."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from modelops_jupyter.errors import JobDamaged
from modelops_jupyter.processes import is_alive

JOB_ID = re.compile(r"[0-9A-Za-z-]{8,64}")
SILENT_SECONDS = 60.0
GRACE_SECONDS = 10.0


def state_of(path: Path) -> str:
    """Return the state of a job; a process is asked before the outcome, which it writes while it lives.

    Raises
    ------
    JobDamaged
        If one of its files cannot be read.
    """
    try:
        return _state_of(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> JobDamaged:
    """Return the error that the files of a job cannot be read."""
    return JobDamaged(
        f"Job {path.name} cannot be read ({error}): start it again if it is still wanted. `modelops doctor` says how "
        "to remove it."
    )


def _state_of(path: Path) -> str:
    process = read_json(path / "process.json")
    alive = process is not None and is_alive(process)
    if process is not None and alive and process["folder"] != os.path.realpath(path):
        alive = False  # it runs in the workspace that this one is a copy of
    if alive is None:  # another machine's: it lives as long as it is heard of
        alive = _was_written(path / "process.json", SILENT_SECONDS)
    if process is None:  # not begun yet, unless its server died in between
        alive = _was_written(path / "job.json", GRACE_SECONDS)
    outcome = read_json(path / "outcome.json")
    if outcome is not None:
        return str(outcome["state"])
    if alive:
        return "running"
    return "cancelled" if (path / "cancelled").exists() else "interrupted"


def _was_written(file: Path, seconds: float) -> bool:
    """Return whether a file was written within the last seconds; one of tomorrow was not: a clock was set since."""
    return abs(time.time() - file.stat().st_mtime) < seconds


def read_json(file: Path) -> dict[str, Any] | None:
    """Return what a JSON file holds; None where there is none."""
    try:
        body: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return body


def write_whole(file: Path, body: Mapping[str, Any]) -> None:
    """Write a file whole or not at all."""
    fresh = file.with_name(f".{file.name}.{uuid4().hex[:8]}")
    fresh.write_text(json.dumps(body), encoding="utf-8")
    fresh.replace(file)
