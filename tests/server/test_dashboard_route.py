"""The dashboards that a Jupyter server starts: once, for who may run code, behind a proxy too, and ended with it."""

import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from asking import Ask

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.server.dashboard import DashboardServer
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace


@pytest.fixture
def boards() -> Iterator[DashboardServer]:
    """Return a dashboard server that is ended after the test."""
    started = DashboardServer()
    yield started
    started.close()


def page_at(url: str) -> tuple[str, str]:
    """Return a page as a browser gets it, and the cookies that come with it."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode()), " ".join(answer.headers.get_all("Set-Cookie"))


async def test_dashboards_are_started_once_and_end_with_the_server(
    post: Ask, empty: Workspace, jp_serverapp: Any
) -> None:
    first = await post("dashboard", {})
    assert await post("dashboard", {}) == first
    assert "Models" in page_at(first["url"])[0]
    (extension,) = jp_serverapp.extension_manager.extension_apps["modelops_jupyter"]
    process = extension.dashboard._running.process
    await extension.stop_extension()
    assert process.poll() is not None
    assert (await post("dashboard", {}))["url"] != first["url"]  # asked again, they run again
    await extension.stop_extension()


def test_behind_a_proxy_all_addresses_are_below_its_own(boards: DashboardServer, settings: Settings) -> None:
    found = boards.address(settings, host="hub.example.org", proxy="/user/ann/proxy/absolute/")
    assert boards._running is not None
    port = boards._running.port
    assert found.url.startswith(f"/user/ann/proxy/absolute/{port}/voila/render/fleet.ipynb?token=")
    page, cookies = page_at(f"http://127.0.0.1:{port}{found.url}")
    assert f"/user/ann/proxy/absolute/{port}/voila/" in page
    assert "modelops-dashboard-" in cookies  # Jupyter's own comes from the same host: neither is taken for the other
    assert "username-" not in cookies


def test_a_browser_elsewhere_is_told_how_to_get_there(boards: DashboardServer, settings: Settings) -> None:
    with pytest.raises(InvalidInput, match="jupyter-server-proxy"):
        boards.address(settings, host="hub.example.org", proxy=None)
    assert boards._running is None
