"""The launcher, without a browser: a token, a free port, an orderly end; pages that import no MLflow."""

import asyncio
import http.client
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from stored import fill
from tornado.web import HTTPError

from modelops_jupyter.dashboards import hooks
from modelops_jupyter.dashboards.serve import _free_port, serve
from modelops_jupyter.errors import DependencyFailed, InvalidInput
from modelops_jupyter.settings import Settings


def status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    code = connection.getresponse().status
    connection.close()
    return code


def test_nothing_is_served_without_the_token(tmp_path: Path) -> None:
    with serve(Settings(project=tmp_path, root=tmp_path / ".modelops"), port=0) as board:
        for path in ("/", "/voila/render/fleet.ipynb", "/voila/render/model.ipynb?model=x", "/voila/tree"):
            assert status(board.port, path) in (302, 403)
        assert status(board.port, "/voila/render/fleet.ipynb?token=wrong") in (302, 403)
        token = board.url.partition("token=")[2]
        assert token not in " ".join(board.process.args)
        assert token not in Path(f"/proc/{board.process.pid}/cmdline").read_text()
        with urllib.request.urlopen(f"http://127.0.0.1:{board.port}/?token={token}", timeout=30) as answer:
            assert "fleet.ipynb" in answer.read().decode()
        for path in ("files/fleet.ipynb", "files/../__init__.py", "render/../serve.py"):
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(f"http://127.0.0.1:{board.port}/voila/{path}?token={token}", timeout=30)
        assert token not in board.log
    assert board.process.poll() is not None
    assert not board.runtime.exists()


def test_another_port_is_taken_if_the_wanted_one_is_not_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = taken.getsockname()[1]
        assert _free_port("127.0.0.1", wanted) != wanted
    with pytest.raises(DependencyFailed, match=r"192\.0\.2\.1"):
        _free_port("192.0.2.1", 1234)


def test_the_server_ends_with_its_launcher(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from modelops_jupyter.settings import Settings\n"
        "from modelops_jupyter.dashboards.serve import serve\n"
        f"board = serve(Settings(Path({str(tmp_path)!r}), Path({str(tmp_path)!r})), port=0)\n"
        "print(board.process.pid, flush=True); os._exit(9)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    server = int(found.stdout)
    for _ in range(100):
        try:
            os.kill(server, 0)
        except ProcessLookupError:
            return
        signal.sigtimedwait([], 0.1)
    pytest.fail(f"server {server} outlived its launcher")


def test_no_more_pages_than_the_machine_carries() -> None:
    ended = []

    async def end(kernel: int) -> None:
        ended.append(kernel)

    async def ask(kernels: int, path: str, connected: int = 1) -> Any:
        manager = hooks.Kernels()
        manager._kernels = dict.fromkeys(range(kernels))
        manager.kernel_model = lambda kernel: {"last_activity": "2026-01-01T00:00:00+00:00", "connections": connected}
        manager.shutdown_kernel = end
        request = SimpleNamespace(path=path)
        handler = SimpleNamespace(kernel_manager=manager, request=request, xsrf_token=b"", _jupyter_current_user=1)
        return await hooks.Doorkeeper().get_user(handler)

    with pytest.raises(HTTPError, match="503"):
        asyncio.run(ask(hooks.MOST_KERNELS, "/voila/render/fleet.ipynb"))
    assert asyncio.run(ask(hooks.MOST_KERNELS, "/voila/static/x.js")) == 1
    assert asyncio.run(ask(0, "/voila/render/fleet.ipynb")) == 1
    assert ended == []
    assert asyncio.run(ask(hooks.MOST_KERNELS, "/voila/render/fleet.ipynb", connected=0)) == 1
    assert len(ended) == 1  # a page that nobody holds made room


def test_kernels_know_neither_address_nor_token(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}

    async def start(self: Any, *, env: dict[str, str], **options: Any) -> str:
        seen.update(env)
        return "id"

    monkeypatch.setattr(hooks.AsyncMappingKernelManager, "start_kernel", start)
    given = {"VOILA_REQUEST_URL": "http://x/?token=secret", "QUERY_STRING": "model=a&token=secret", "HOME": "/h"}
    asyncio.run(hooks.Kernels().start_kernel(env=given))
    assert seen == {"QUERY_STRING": "model=a&", "HOME": "/h"}


def test_a_kernel_that_waits_for_its_reader_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    kernels = {"waiting": SimpleNamespace(last_activity=datetime(2026, 1, 1, tzinfo=UTC))}

    async def end(self: Any, kernel_id: str) -> None:
        ended.append(kernel_id)

    async def made(kernel_id: str) -> dict[str, str]:
        return {"kernel_id": kernel_id}

    async def failed() -> dict[str, str]:
        raise OSError

    async def look() -> None:
        manager = hooks.Kernels()
        tasks = [asyncio.ensure_future(made("waiting")), asyncio.ensure_future(failed())]
        await asyncio.wait(tasks)
        starting = asyncio.ensure_future(asyncio.sleep(60, {"kernel_id": "starting"}))
        manager._pools = {"fleet.ipynb": [*tasks, starting]}
        manager.get_kernel = lambda kernel: kernels[kernel]
        for kernel in ("waiting", "left"):
            await manager.cull_kernel_if_idle(kernel)
        starting.cancel()

    monkeypatch.setattr(hooks.AsyncMappingKernelManager, "cull_kernel_if_idle", end)
    asyncio.run(look())
    assert ended == ["left"]
    assert datetime.now(UTC) - kernels["waiting"].last_activity < timedelta(seconds=30)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "no-such-host.invalid", ""])
def test_other_machines_reach_it_only_where_that_is_said_to_be_insecure(tmp_path: Path, host: str) -> None:
    with pytest.raises(InvalidInput, match=r"not encrypted: .* pass --insecure"):
        serve(Settings(project=tmp_path, root=tmp_path), host=host, port=0)


def test_an_insecure_dashboard_listens_on_every_address(tmp_path: Path) -> None:
    with serve(Settings(project=tmp_path, root=tmp_path), host="0.0.0.0", port=0, insecure=True) as board:
        assert board.url.startswith("http://127.0.0.1:")


def test_pages_sleep_after_a_second_at_least(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not 0"):
        serve(Settings(project=tmp_path, root=tmp_path), idle=0)


def in_a_new_process(code: str, **environment: str) -> str:
    """Run a program and return what it prints."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=True, env={**os.environ, **environment}
    )
    return done.stdout.strip()


def test_pages_import_neither_mlflow_nor_plotly() -> None:
    code = (
        "import importlib, sys\n"
        "for page in ('app', 'fleet_page', 'model_page', 'alerts_page', 'governance_page'):\n"
        "    importlib.import_module(f'modelops_jupyter.dashboards.{page}')\n"
        "    print(page, [name for name in ('mlflow', 'plotly', 'sklearn', 'deltalake') if name in sys.modules])"
    )
    told = in_a_new_process(code).splitlines()
    assert [line.partition(" ")[2] for line in told] == ["[]"] * 5, told


def test_showing_a_page_imports_no_engine(tmp_path: Path) -> None:
    fill(tmp_path, ["a", "b"])
    code = (
        "import sys; from modelops_jupyter.dashboards.app import Dashboard\n"
        "from modelops_jupyter.dashboards.page import Request\n"
        "heavy = ('mlflow', 'plotly', 'sklearn', 'deltalake', 'pandas', 'scipy')\n"
        "for page in ('fleet', 'model'):\n"
        "    assert not Dashboard(Request({}, True), page).failure.value\n"
        "    print(page, [name for name in heavy if name in sys.modules])"
    )
    told = in_a_new_process(code, MODELOPS_WORKSPACE=str(tmp_path)).splitlines()
    assert told == ["fleet []", "model []"]
