"""Start Voila on the dashboards' notebooks: on loopback, behind a token, ended with its kernels."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import webbrowser
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import TracebackType
from typing import Self

from modelops_jupyter.errors import DependencyFailed, InvalidInput
from modelops_jupyter.network import is_loopback, url_host
from modelops_jupyter.settings import Settings

HERE = Path(__file__).parent
PAGES = HERE / "pages"
PORT = 8866
IDLE_SECONDS = 600
START_SECONDS = 60
END_SECONDS = 15


@dataclass
class Dashboard:
    """A running dashboard server; `url` holds the token that lets its reader in."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    runtime: Path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def log(self) -> str:
        """What the server had to say last."""
        file = self.runtime / "voila.log"
        return "\n".join(file.read_text(errors="replace").splitlines()[-15:]) if file.exists() else ""

    def wait(self) -> None:
        """Return when the server has ended.

        Raises
        ------
        DependencyFailed
            If nobody asked it to.
        """
        code = self.process.wait()
        if code not in (0, -signal.SIGTERM):
            raise DependencyFailed(f"The dashboard's server ended with code {code}:\n{self.log}")

    def close(self) -> None:
        """End the server and its kernels; ending it twice is no error."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        shutil.rmtree(self.runtime, ignore_errors=True)

    def show(self) -> None:
        """Open the page in the reader's browser; the token goes through a private file, not a command line."""
        file = self.runtime / "open.html"
        file.write_text(f'<meta http-equiv="refresh" content="0; url={escape(self.url)}">', encoding="utf-8")
        webbrowser.open(file.as_uri())


def serve(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    base_url: str = "/",
    idle: int = IDLE_SECONDS,
    insecure: bool = False,
    debug: bool = False,
) -> Dashboard:
    """Start the dashboards of a workspace and return when they answer.

    Parameters
    ----------
    host
        The address to listen on. One that other machines reach takes `insecure`.
    port
        Where to listen; another free port is taken if somebody listens there already.
    base_url
        What all addresses begin with, as a proxy needs it; ``{port}`` in it stands for the port that was taken.
    idle
        Seconds after which a page that nobody touches goes to sleep: its kernel ends.
    insecure
        Let other machines reach it without encryption.
    debug
        Let Voila log to this process's standard error instead of a private file.

    Raises
    ------
    InvalidInput
        If `idle` is less than a second, or other machines reach `host` and it is not to be insecure.
    DependencyFailed
        If Voila does not start.
    """
    if idle < 1:
        raise InvalidInput(f"A page goes to sleep after at least 1 second, not {idle}.")
    if not insecure and not is_loopback(host):
        raise InvalidInput(
            f"The dashboard is not encrypted: on {host} everybody on the way could read its token and its pages. "
            "Let it listen on 127.0.0.1 behind a proxy with TLS, or pass --insecure where the network is trusted."
        )
    runtime = Path(tempfile.mkdtemp(prefix="modelops-dashboard-"))
    token = secrets.token_urlsafe(24)
    port = _free_port(host, port)
    command = [sys.executable, "-m", "modelops_jupyter.dashboards.voila_process", str(PAGES)]
    command += [f"--Voila.ip={host}", f"--port={port}"]
    base_url = base_url.format(port=port)
    command += [
        f"--Voila.base_url={base_url}",
        f"--Voila.config_file_paths={HERE / 'config'}",
        f"--Voila.connection_dir_root={runtime}",
    ]
    paths = [str(HERE / "share"), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    environment = {
        **os.environ,
        "JUPYTER_PATH": os.pathsep.join(paths),
        "MODELOPS_WORKSPACE": str(settings.project),
        "MODELOPS_DASHBOARD_TOKEN": token,
        "MODELOPS_DASHBOARD_IDLE": str(idle),
        # Beside the facts where there are any: an error's id is looked up there after the server has ended.
        "MODELOPS_DASHBOARD_LOG": str((settings.root if settings.root.is_dir() else runtime) / "dashboard.log"),
    }
    log = None if debug else (runtime / "voila.log").open("wb")
    try:
        # A session of its own: Ctrl-C reaches this process, which then ends the server and its kernels in order.
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
        )
    finally:
        if log is not None:
            log.close()
    url = f"http://{url_host(host)}:{port}{base_url}voila/render/fleet.ipynb?token={token}"
    dashboard = Dashboard(url, port, process, runtime)
    try:
        _await(dashboard, url_host(host).strip("[]"))
    except BaseException:
        dashboard.close()
        raise
    return dashboard


def _free_port(host: str, wanted: int) -> int:
    """Return the wanted port if nobody has it, else any that is free."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DependencyFailed(f"This machine has no address {host!r} to listen on: leave --host out for 127.0.0.1.")


def _await(dashboard: Dashboard, host: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if dashboard.process.poll() is not None:
            raise DependencyFailed(f"Voila did not start:\n{dashboard.log}")
        try:
            with socket.create_connection((host, dashboard.port), timeout=1):
                return
        except OSError:  # not listening yet
            time.sleep(0.05)
    raise DependencyFailed(f"Voila did not start within {START_SECONDS} s:\n{dashboard.log}")
