"""What the browser tests share: a browser, a workspace with a history, and real servers on it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from browser import launch
from made_flights import flights
from playwright.sync_api import Browser, Page, sync_playwright
from servers import TOKEN, Server, serve
from sklearn.linear_model import LogisticRegression

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


def _register(ws: Workspace, seed: int) -> None:
    x, y = flights(2000, seed)
    model = LogisticRegression().fit(x, y)
    description = "Will this flight arrive more than 15 minutes late?"
    ws.register(model, "flight-delay", data=x, target=y, metrics={"roc_auc": 0.85}, description=description)


def _log_day(ws: Workspace, day: int, shift: float = 0.0, noise: float = 0.0) -> None:
    x, y = flights(400, 100 + day, shift, noise)
    said, score = ws.predict("flight-delay@champion", x)
    ids = [f"{day}-{n}" for n in range(len(x))]
    at = pd.Timestamp("2013-04-01", tz="UTC") + pd.Timedelta(days=day)
    frame = x.assign(id=ids, at=at, said=said, score=score)
    ws.log_predictions("flight-delay@champion", frame, id="id", time="at", prediction="said", score="score")
    ws.log_labels("flight-delay", pd.DataFrame({"id": ids, "late": y}), id="id", label="late")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    """Make a project whose model was promoted, replaced, rolled back, and has drifted since."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "modelops.toml").write_text('actor = "ann"\n')
    (folder / ".modelops").mkdir()
    shutil.copy(mlflow_database, folder / ".modelops" / "mlflow.db")
    with Workspace(find_settings(folder)) as ws:
        _register(ws, seed=0)
        ws.approve("flight-delay/1", reason="reads well")
        ws.promote("flight-delay/1", reason="first champion")
        for day in range(6):
            _log_day(ws, day)
        _register(ws, seed=5)
        ws.approve("flight-delay/2", reason="newer data")
        ws.promote("flight-delay/2", reason="retrained on spring")
        for day in range(6, 10):
            _log_day(ws, day)
        ws.rollback("flight-delay", reason="worse at <b>JFK</b>")
        for day in range(10, 15):
            _log_day(ws, day, shift=2.0, noise=9.0)
        ws.monitor("flight-delay")
    return folder


# ---- servers -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def lab(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run JupyterLab on the project."""
    arguments = [f"--IdentityProvider.token={TOKEN}", "--allow-root", f"--ServerApp.root_dir={project}"]
    yield from serve("jupyterlab", arguments, tmp_path_factory.mktemp("lab"), project, f"/api/status?token={TOKEN}")
