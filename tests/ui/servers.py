"""Servers for the browser tests, each a process of its own.

Configuration, data and settings are in a temporary folder: what is installed in the environment of the tests neither
helps nor disturbs.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "modelops_jupyter" / "labextension"
TOKEN = "secret"
START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A running server: where it answers, and where its settings are."""

    address: str
    home: Path

    def without_news(self) -> None:
        """Let JupyterLab look for neither news nor updates."""
        file = self.home / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a server that finds this checkout and its built extension, and writes to `home`."""
    assert (BUILT / "package.json").exists(), "The JupyterLab extension is not built: run `make labextension`."
    shutil.copytree(BUILT, home / "path" / "labextensions" / "modelops-jupyter")  # Voila serves no links
    config = home / "config" / "jupyter_server_config.d"
    shutil.copytree(ROOT / "jupyter-config" / "server-config", config)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "MODELOPS"))}
    return {
        **inherited,
        "PYTHONPATH": str(ROOT),
        "JUPYTER_PATH": str(home / "path"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }


def serve(module: str, arguments: list[str], home: Path, cwd: Path, ready: str) -> Iterator[Server]:
    """Run a Jupyter application until its address with `ready` behind it answers, and end it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", module, "--no-browser", f"--port={port}", *arguments]
    log = home / "log"
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=cwd, env=environment(home), stdout=out, stderr=out)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(address + ready):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield Server(address, home)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except urllib.error.HTTPError:
        raise
    except OSError:
        return False
