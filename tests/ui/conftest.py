"""What the browser tests share: a browser, a workspace with a history, and real servers on it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import launch
from dashboard_fixtures import dashboard, open_page, scheme, workspace
from lab_pages import close_all, open_lab, shown
from made_flights import log_day, register
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from servers import TOKEN, Server, serve

from modelops_jupyter.settings import find_settings
from modelops_jupyter.workspace import Workspace

__all__ = ["dashboard", "open_page", "scheme", "workspace"]  # fixtures that all modules share

expect.set_options(timeout=60_000)  # a busy machine is no failure
SCREENSHOTS = Path(__file__).parents[1] / "screenshots"


# ---- the browser -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")  # its event loop must not outlive the module: other tests start loops of their own
def browser() -> Iterator[Browser]:
    """Start a headless Chromium."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Start a browser session of its own, whose cache spares its pages most of JupyterLab's megabytes."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Open a page; an uncaught error in it fails the test."""
    yield from watched(context.new_page())


def watched(page: Page) -> Iterator[Page]:
    """Yield a page, close it, and fail if it had an uncaught error."""
    errors: list[str] = []
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
    yield from serve("jupyterlab", arguments, tmp_path_factory.mktemp("lab"), project, f"/api/status?token={TOKEN}")


@pytest.fixture(scope="module")
def opened(context: BrowserContext, lab: Server) -> Iterator[Page]:
    """Open JupyterLab once, with the panel: most tests need no other."""
    lab.use("Light")
    for page in watched(context.new_page()):
        open_lab(page, lab)
        yield page


@pytest.fixture
def panel(opened: Page) -> Locator:
    """Return the panel as it is at first: nothing is filtered, every page is closed, the server answers itself."""
    opened.unroute_all()
    panel = shown(opened)
    if panel.get_by_role("searchbox").count():
        panel.get_by_role("searchbox").fill("")
    close_all(opened)
    return panel
