"""What the browser tests share: a browser, a workspace with a history, and real servers on it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import launch
from made_flights import log_day, register
from playwright.sync_api import Browser, Page, sync_playwright
from servers import TOKEN, Server, serve

from modelops_jupyter.settings import find_settings
from modelops_jupyter.workspace import Workspace

SCREENSHOTS = Path(__file__).parents[1] / "screenshots"


# ---- the browser -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")  # its event loop must not outlive the module: other tests start loops of their own
def browser() -> Iterator[Browser]:
    """Start a headless Chromium."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a page; an uncaught error in it fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
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
    yield from serve("jupyterlab", arguments, tmp_path_factory.mktemp("lab"), project, f"/api/status?token={TOKEN}")
