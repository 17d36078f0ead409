"""Every route, and everybody who must not get in; two servers on one workspace, which see every change at once."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from asking import ASKED, PREFIX, Ask, Fetch, refused
from jupyter_server.base.handlers import APIHandler
from jupyter_server.serverapp import JupyterServerAuthWarning
from waiting import until

from modelops_jupyter.server import extension
from modelops_jupyter.server.routes import Route, routes
from modelops_jupyter.workspace import Workspace

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def ask(fetch: Fetch, route: Route, method: str | None = None, **headers: str) -> Awaitable[Any]:
    """Send a request to a route; what it asks for is nowhere."""
    parts = route.path.format(name="nothing", id="nothing-here").strip("/").split("/")
    method = method or route.method
    body = "{}" if method in ("POST", "PUT", "PATCH") else None
    return fetch(
        *PREFIX, *parts, method=method, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


async def test_nobody_gets_in_without_a_token(jp_fetch: Fetch, jp_root_dir: Path) -> None:
    for route in routes():
        for token in ("", "token wrong", "Bearer wrong"):
            status, answer = await refused(ask(jp_fetch, route, Authorization=token))
            assert (status, answer["code"]) == (403, "forbidden"), (route.path, token)
    assert list(jp_root_dir.iterdir()) == []


async def test_a_cookie_alone_writes_nothing(jp_fetch: Fetch, jp_serverapp: Any, jp_root_dir: Path) -> None:
    """A page of another site can make a browser send the cookie, but does not know the XSRF token."""
    login = await jp_fetch("api", "me", params={"token": jp_serverapp.identity_provider.token})
    cookies = SimpleCookie()
    for header in login.headers.get_list("Set-Cookie"):
        cookies.load(header)
    assert any(name.startswith("username") for name in cookies), "the login sets a cookie"
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
    assert (await ask(jp_fetch, routes()[1], Authorization="", Cookie=cookie)).code == 200, "which is enough to read"
    for route in routes():
        if route.method != "GET":
            status, answer = await refused(ask(jp_fetch, route, Authorization="", Cookie=cookie))
            assert (status, answer["code"]) == (403, "forbidden"), route.path
    assert list(jp_root_dir.iterdir()) == []


async def test_each_route_asks_the_authorizer_for_its_own_action(jp_fetch: Fetch) -> None:
    for route in routes():
        ASKED.clear()
        status, answer = await refused(ask(jp_fetch, route, Mallory="yes"))
        assert (status, answer["code"], ASKED) == (403, "forbidden", [(route.action, "modelops")]), route.path


async def test_other_methods_are_refused(jp_fetch: Fetch, jp_root_dir: Path) -> None:
    known = {(route.path, route.method) for route in routes()}
    for route in routes():
        for method in METHODS:
            if (route.path, method) not in known:
                status, answer = await refused(ask(jp_fetch, route, method))
                assert (status, answer["code"]) == (405, "method-not-allowed"), (route.path, method)
    assert list(jp_root_dir.iterdir()) == []


async def test_unknown_fields_are_named_by_every_route(jp_fetch: Fetch, jp_root_dir: Path) -> None:
    for route in routes():
        parts = route.path.format(name="nothing", id="nothing-here").strip("/").split("/")
        body = '{"colour": 1}' if route.method == "POST" else None
        query = {} if body else {"colour": "1"}
        status, answer = await refused(jp_fetch(*PREFIX, *parts, method=route.method, body=body, params=query))
        assert (status, "'colour'" in answer["message"]) == (400, True), route.path
    assert list(jp_root_dir.iterdir()) == []


async def test_an_unknown_route_is_said_only_to_who_may_ask(jp_fetch: Fetch) -> None:
    status, answer = await refused(jp_fetch(*PREFIX, "fly"))
    assert (status, answer["code"]) == (404, "not-found")
    assert (await refused(jp_fetch(*PREFIX, "fly", headers={"Authorization": ""})))[0] == 403


class Unguarded(APIHandler):
    """What the server must warn of, so that its silence about ours means something."""

    async def get(self) -> None:
        """Let everybody in."""


async def test_the_server_warns_of_no_route_of_ours(
    jp_configurable_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = extension.handlers_for
    unguarded = ("/modelops/unguarded", Unguarded)
    monkeypatch.setattr(extension, "handlers_for", lambda *given, **options: [*ours(*given, **options), unguarded])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        jp_configurable_serverapp(
            config={
                "ServerApp": {
                    "jpserver_extensions": {"modelops_jupyter": True},
                    "allow_unauthenticated_access": False,
                }
            }
        )
    said = [str(warning.message) for warning in caught if issubclass(warning.category, JupyterServerAuthWarning)]
    lines = [line for text in said for line in text.splitlines() if "/modelops/" in line]
    assert len(lines) == 1, lines
    assert "Unguarded" in lines[0]


@pytest.fixture
def other(jp_environ: None, jp_root_dir: Path) -> Iterator[str]:
    """Start a second server on the same folder, in a process of its own, and return the address of its routes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=second"]
    options += ["--ServerApp.jpserver_extensions={'modelops_jupyter': True}", f"--ServerApp.root_dir={jp_root_dir}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([sys.executable, "-m", "jupyter_server", *options], env=os.environ.copy(), **quiet)
    address = f"http://127.0.0.1:{port}/modelops/api/v1"
    until(lambda: server.poll() is not None or answers(f"{address}/models"))
    assert server.poll() is None
    yield address
    server.terminate()
    server.wait(timeout=60)


def answers(address: str) -> bool:
    """Tell whether the second server answers yet."""
    with suppress(OSError):
        asked(address)
        return True
    return False


def asked(address: str, body: Any = None) -> Any:
    """Ask the second server."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Authorization": "token second"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


async def test_two_servers_see_each_others_changes(get: Ask, post: Ask, model: Workspace, other: str) -> None:
    seen = await get("models")
    assert seen["rows"] == asked(f"{other}/models")["rows"]
    assert (seen["rows"][0]["champion"], (await get("gate", version="delay/2"))["passed"]) == (1, False)
    asked(f"{other}/approve", {"version": "delay/2", "reason": "ok"})
    assert (await get("gate", version="delay/2"))["passed"] is True
    assert (await post("promote", {"version": "delay/2", "reason": "ok"}))["to_version"] == 2
    assert asked(f"{other}/models")["rows"][0]["champion"] == 2
    took = []
    for turn in range(3):
        begun, said = time.monotonic(), f"from a kernel {turn}"
        model.comment("delay/2", said)  # Python, as a kernel runs it
        assert (await get("audit", limit=1))["rows"][0]["details"]["reason"] == said
        assert asked(f"{other}/audit?limit=1")["rows"][0]["details"]["reason"] == said
        took.append(time.monotonic() - begun)
    assert min(took) < 2
    job = asked(f"{other}/monitor", {"name": "stranger"})
    assert (await get(f"jobs/{job['id']}"))["operation"] == "monitor"
    model.rollback("delay", reason="from a notebook")
    assert asked(f"{other}/models")["rows"][0]["champion"] == 1
    assert (await get("models"))["rows"][0]["champion"] == 1
