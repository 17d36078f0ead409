"""Which notebook this kernel runs: what our own runner, VS Code, Jupyter Server or papermill say of it.

A kernel inherits the environment of whatever started it, so a notebook that a notebook executes finds the name of the
other one there: a name counts only if it was meant for this very kernel.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

NOTEBOOK, PARENT = "MODELOPS_NOTEBOOK", "MODELOPS_NOTEBOOK_PARENT"
SESSION = "JPY_SESSION_NAME"
SECONDS = 1.0


def kernel_shell() -> Any | None:
    """Return IPython's shell if this process is a Jupyter kernel; imports nothing."""
    module = sys.modules.get("IPython")
    shell = getattr(module, "get_ipython", lambda: None)()
    return shell if getattr(shell, "kernel", None) is not None else None


def environment_for(notebook: Path) -> dict[str, str]:
    """Return what tells a kernel that this process starts which notebook it runs."""
    return {NOTEBOOK: str(notebook.absolute()), PARENT: str(os.getpid())}


def notebook_file(shell: Any) -> Path | None:
    """Return the notebook that the kernel of `shell` runs, if anything that knows says so and the file is there."""
    parent, names = _parent(), shell.user_ns
    candidates = (
        lambda: os.environ.get(NOTEBOOK) if os.environ.get(PARENT) == str(parent) else None,
        lambda: names.get("__vsc_ipynb_file__"),
        lambda: _of_server(parent),
        lambda: _of_session(parent),
        lambda: names.get("PAPERMILL_INPUT_PATH"),
        lambda: _of_command(parent),
    )
    for candidate in candidates:
        text = candidate()
        if isinstance(text, str) and text and Path(text).is_file():
            return Path(text).absolute()
    return None


def _parent() -> int:
    """Return the process that started this kernel, also in a process that the kernel has forked."""
    text = os.environ.get("JPY_PARENT_PID", "")
    return int(text) if os.name == "posix" and text.isdecimal() else os.getppid()


def _of_server(parent: int) -> str | None:
    """Return what the Jupyter Server that started this kernel calls its notebook now, which may have been renamed."""
    if SESSION not in os.environ:
        return None
    server = _server(parent)
    if server is None:
        return None
    from http.client import HTTPException
    from urllib.request import ProxyHandler, Request, build_opener

    token = server.get("token") or os.environ.get("JUPYTERHUB_API_TOKEN", "")
    request = Request(f"{server['url'].rstrip('/')}/api/sessions", headers={"Authorization": f"token {token}"})
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=SECONDS) as answer:  # it is on this machine
            sessions = json.load(answer)
        kernel = Path(sys.modules["ipykernel"].get_connection_file()).stem.removeprefix("kernel-")
        path = next(s["path"] for s in sessions if s["kernel"]["id"] == kernel)
        return str(Path(server["root_dir"]) / path)
    except (OSError, HTTPException, ValueError, LookupError, TypeError, RuntimeError, StopIteration):
        return None  # it wants a password, or is another kind of server: the name at the start has to do


def _server(parent: int) -> Mapping[str, Any] | None:
    """Return what the Jupyter Server of process `parent` has written about itself."""
    from jupyter_core.paths import jupyter_runtime_dir

    try:
        body = json.loads((Path(jupyter_runtime_dir()) / f"jpserver-{parent}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not a Jupyter Server, or one that keeps it elsewhere
        return None
    return body if isinstance(body, dict) and isinstance(body.get("url"), str) else None


def _of_session(parent: int) -> str | None:
    """Return the notebook's name when the kernel began, unless it is that of a notebook that started this one."""
    name = os.environ.get(SESSION)
    if name is None:
        return None
    import psutil

    try:
        inherited = psutil.Process(parent).environ().get(SESSION) == name
    except (psutil.Error, OSError):  # a process of another machine or person: it is no notebook's kernel
        inherited = False
    return None if inherited else name


def _of_command(parent: int) -> str | None:
    """Return the notebook that papermill, ``jupyter execute`` or nbconvert was told to execute, if it was one."""
    import psutil

    try:
        process = psutil.Process(parent)
        words, folder = process.cmdline(), process.cwd()
    except (psutil.Error, OSError):
        return None
    notebook = named_notebook(words)
    return None if notebook is None else str(Path(folder) / notebook)


def named_notebook(words: Sequence[str]) -> str | None:
    """Return the notebook that a command line executes.

    >>> named_notebook(["python", "/bin/papermill", "train.ipynb", "done.ipynb"])
    'train.ipynb'
    >>> named_notebook(["python", "-m", "jupyter", "execute", "--timeout=9", "a b.ipynb"])
    'a b.ipynb'
    >>> named_notebook(["python", "train.py", "a.ipynb"]), named_notebook(["jupyter-execute", "a.ipynb", "b.ipynb"])
    (None, None)
    """
    programs = [Path(word).stem for word in words[:4]]
    notebooks = [word for word in words if word.endswith(".ipynb") and not word.startswith("-")]
    if "papermill" in programs:
        return next(iter(notebooks), None)
    commands = {*programs, *(f"jupyter-{after}" for before, after in pairwise(programs) if before == "jupyter")}
    executes = "jupyter-execute" in commands or ("jupyter-nbconvert" in commands and "--execute" in words)
    return notebooks[0] if executes and len(notebooks) == 1 else None
