"""What the browser tests share: a browser, a workspace with a history, and real servers on it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
from browser import launch
from dashboard_fixtures import dashboard, open_page, workspace
from lab_pages import close_all, open_lab, show_in, shown
from made_flights import log_day, register
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from servers import TOKEN, Server, serve

from modelops_jupyter.settings import find_settings
from modelops_jupyter.workspace import Workspace

__all__ = ["dashboard", "open_page", "workspace"]  # fixtures that all modules share

expect.set_options(timeout=60_000)  # a busy machine is no failure
FORGET = "document.querySelectorAll('.jp-Notification-Toast-Close').forEach(button => button.click())"
# JupyterLab's own errors where a notebook is closed whose kernel has only just begun.
CUT_SHORT = ("Disposed", "Canceled future for ")
SCREENSHOTS = Path(__file__).parents[1] / "screenshots"


# ---- the browser -------------------------------------------------------------------------------------------------

# What takes seconds to open is opened once for all modules that follow each other, and closed after the last of them:
# its event loop must not outlive them, other tests start loops of their own.
shared, closing = {}, ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """Close what the modules of this folder share when the next test is of another."""
    yield
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        shared.clear()
        closing.close()


def kept(name: str, start: Callable[[], AbstractContextManager[Any]]) -> Any:
    """Return what is shared under a name, started where it is not yet."""
    if name not in shared:
        shared[name] = closing.enter_context(start())
    return shared[name]


@pytest.fixture(scope="module")
def browser() -> Browser:
    """Return a headless Chromium."""
    playwright = kept("playwright", sync_playwright)
    return kept("browser", lambda: launch(playwright))


@pytest.fixture(scope="module")
def context(browser: Browser, request: pytest.FixtureRequest) -> BrowserContext:
    """Return a browser session, whose cache spares its pages most of JupyterLab's megabytes."""
    server = "JupyterLab" if request.path.name.startswith("test_lab") else request.path.name
    return kept(f"context of {server}", lambda: browser.new_context(viewport={"width": 1280, "height": 900}))


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Open a page; an uncaught error in it fails the test."""
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Return the folder that keeps pictures for people to look at."""
    SCREENSHOTS.mkdir(exist_ok=True)
    return SCREENSHOTS


# ---- a workspace with a history ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    """Make a project whose model was promoted, replaced, rolled back, and has drifted since."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "modelops.toml").write_text('actor = "ann"\n')
    (folder / ".modelops").mkdir()
    shutil.copy(mlflow_database, folder / ".modelops" / "mlflow.db")
    with Workspace(find_settings(folder)) as ws:
        register(ws, "flight-delay", seed=0)
        ws.approve("flight-delay/1", reason="reads well")
        ws.promote("flight-delay/1", reason="first champion")
        for day in range(6):
            log_day(ws, "flight-delay", day)
        register(ws, "flight-delay", seed=5)
        ws.approve("flight-delay/2", reason="newer data")
        ws.promote("flight-delay/2", reason="retrained on spring")
        for day in range(6, 10):
            log_day(ws, "flight-delay", day)
        ws.rollback("flight-delay", reason="worse at <b>JFK</b>")
        for day in range(10, 15):
            log_day(ws, "flight-delay", day, shift=2.0, noise=9.0)
        ws.monitor("flight-delay")
    return folder


# ---- servers -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def lab(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run JupyterLab on the project."""
    arguments = [f"--IdentityProvider.token={TOKEN}", "--allow-root", f"--ServerApp.root_dir={project}"]
    arguments += ["--LabApp.expose_app_in_browser=True"]  # a test waits until JupyterLab takes keys
    ready = f"/api/status?token={TOKEN}"
    for server in serve("jupyterlab", arguments, tmp_path_factory.mktemp("lab"), project, ready):
        server.without_news()
        yield server


@pytest.fixture
def opened(context: BrowserContext, lab: Server) -> Iterator[Page]:
    """Open JupyterLab once, with the panel: most tests need no other. An uncaught error fails the test."""
    first = "opened" not in shared
    page = kept("opened", context.new_page)
    errors: list[str] = []
    page.on("pageerror", told := lambda error: errors.append(str(error)))
    if first:
        open_lab(page, lab)
    yield page
    page.remove_listener("pageerror", told)
    assert [error for error in errors if not error.removeprefix("Error: ").startswith(CUT_SHORT)] == []


@pytest.fixture
def panel(opened: Page) -> Locator:
    """Return the panel as it is at first: nothing is filtered or told, no page open, the server answers itself."""
    opened.unroute_all()
    show_in(opened, "light")
    panel = shown(opened)
    if panel.get_by_role("searchbox").count():
        panel.get_by_role("searchbox").fill("")
    close_all(opened)
    opened.evaluate(FORGET)
    return panel
