"""Which process it is: a number alone is soon given to another one."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psutil

from modelops_jupyter.clock import boot_id

_BLUR = 1.5  # seconds


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


def kill(pid: int) -> None:
    """End the process group that `pid` leads and all its descendants: a kernel has a group of its own."""
    try:
        descendants = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        descendants = []
    for descendant in descendants:
        with suppress(psutil.NoSuchProcess):
            descendant.kill()
    with suppress(ProcessLookupError):  # the usual case: everything has ended by itself
        os.killpg(pid, signal.SIGKILL)


def skip_grammar() -> None:
    """Keep jsonschema from building a grammar of addresses in this process, whichever library imports it later.

    Every import of nbformat builds it where jupyter-server is installed, which takes a second, longer than the rest of
    a start, and no schema of notebooks or dashboards asks for it. To jsonschema the library seems not to be installed.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # so Python marks what is not there
