"""Which process it is: a number alone is soon given to another one."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

import psutil

from modelops_jupyter.clock import boot_id

TREE = "MODELOPS_PROCESS_TREE"
_BLUR = 1.5  # seconds
_MOST_LOOKS = 50
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def identity(pid: int | None = None) -> dict[str, Any]:
    """Return host, pid and start of a process of this machine, by default this one.

    It is counted in seconds since the machine's own start, which ``boot`` names: a clock that is set moves neither.
    """
    return {
        "host": socket.gethostname(),
        "pid": os.getpid() if pid is None else pid,
        "boot": boot_id(),
        "started": _started(psutil.Process(pid)),
    }


def is_alive(process: Mapping[str, Any]) -> bool | None:
    """Return whether the process of an `identity` lives; None if it is another machine's, where nobody can see it."""
    if process["host"] != socket.gethostname():
        return None
    if process.get("boot") != boot_id():  # the machine was started again since
        return False
    try:
        found = psutil.Process(process["pid"])
        return bool(abs(_started(found) - process["started"]) < _BLUR and found.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _started(process: psutil.Process) -> float:
    """Return when a process began; where the machine's start has no name, in seconds since 1970."""
    # psutil adds the machine's start as the clock has it now, in whole seconds.
    return float(process.create_time()) - (psutil.boot_time() if boot_id() else 0.0)


def new_tree() -> dict[str, str]:
    """Return what marks a process, and whatever it starts, as one tree: to be added to its environment."""
    return {TREE: uuid4().hex}


def adopt_orphans() -> None:
    """Have descendants whose parents have ended stay descendants of this process, where the system can do that."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill(pid: int, tree: str | None = None) -> None:
    """End the process group that `pid` leads, all its descendants, and all that bear the mark `tree`.

    A kernel has a group of its own. What has made itself a daemon is no descendant any more, and still bears the mark,
    unless it took that away as well: then it is found while the process lives that adopts its orphans.
    """
    end_descendants(pid, tree)
    with suppress(ProcessLookupError):  # the usual case: everything has ended by itself
        os.killpg(pid, signal.SIGKILL)


def end_descendants(pid: int, tree: str | None = None) -> None:
    """End all that a process has started, but not itself; see `kill`."""
    for _ in range(_MOST_LOOKS):  # who starts others meanwhile is looked for again
        others = [*_descendants(pid), *_marked(tree)]
        for other in others:
            with suppress(psutil.Error):
                other.kill()
        if not others:
            return
        time.sleep(0.02)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return [child for child in psutil.Process(pid).children(recursive=True) if _runs(child)]
    except psutil.Error:
        return []


def _marked(tree: str | None) -> list[psutil.Process]:
    """Return the processes of a tree but this one."""
    if tree is None:
        return []
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and _bears(process, tree)]


def _bears(process: psutil.Process, tree: str) -> bool:
    try:
        return bool(process.environ().get(TREE) == tree and _runs(process))
    except psutil.Error:  # another user's, or it has ended just now
        return False


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def skip_grammar() -> None:
    """Keep jsonschema from building a grammar of addresses in this process, whichever library imports it later.

    Every import of nbformat builds it where jupyter-server is installed, which takes a second, longer than the rest of
    a start, and no schema of notebooks or dashboards asks for it. To jsonschema the library seems not to be installed.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # so Python marks what is not there
