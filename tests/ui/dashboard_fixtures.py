"""A real workspace, a real `modelops dashboard` and a real browser, for the dashboards' tests."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import BrowserContext, Page
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

SHOTS = Path(__file__).parents[1] / "screenshots"
DAYS, ROWS = 24, 320


def serve_days(ws: Workspace, x: pd.DataFrame, version: int, days: range) -> None:
    """Log what a version predicted, with outcomes; `wind` drifts from day 14 on."""
    for day in days:
        rows = x.sample(ROWS, random_state=day).reset_index(drop=True)
        rows["wind"] += 1.5 * (day >= 14)
        said, score = ws.predict(f"flight-delay/{version}", rows)
        ids = [f"{day}-{n}" for n in range(ROWS)]
        at = pd.Timestamp("2013-04-01", tz="UTC") + pd.Timedelta(days=day)
        frame = rows.assign(id=ids, at=at, said=said, score=score)
        ws.log_predictions("flight-delay", frame, id="id", time="at", prediction="said", score="score")
        late = (rows["wind"] + np.random.default_rng(day).normal(size=ROWS) > 0).astype(int)
        ws.log_labels("flight-delay", pd.DataFrame({"id": ids, "late": late}), id="id", label="late")


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path) -> Path:
    """Two models; one of them monitored for 24 days, with a promotion in the middle and drift at the end."""
    project = tmp_path_factory.mktemp("team")
    root = project / ".modelops"
    root.mkdir()
    shutil.copy(mlflow_database, root / "mlflow.db")
    generator = np.random.default_rng(0)
    x = pd.DataFrame({"wind": generator.normal(size=2000), "rain": generator.normal(size=2000)})
    y = (x["wind"] + generator.normal(size=2000) > 0).astype(int)
    with Workspace(Settings(project=project, root=root, actor="ann")) as ws:
        fitted = LogisticRegression().fit(x, y)
        rows = {"data": x[::2], "target": y[::2], "reference": (x[1::2], y[1::2])}
        ws.register(fitted, "flight-delay", **rows, description="Will it be late?", metrics={"complaints": 12.0})
        ws.register(fitted, "flight-delay", **rows)
        ws.register(fitted, "churn", data=x, target=y)
        for version, days in ((1, range(10)), (2, range(10, DAYS))):
            ws.approve(f"flight-delay/{version}", reason="validated")
            ws.promote(f"flight-delay/{version}", reason="better")
            serve_days(ws, x, version, days)
        ws.monitor("flight-delay", segments=["rain"])
    return project


@contextmanager
def running_dashboard(project: Path, *options: str) -> Iterator[str]:
    """Run the shell's command as a user does; yield the address it prints; Ctrl-C must end it with exit code 0."""
    command = [sys.executable, "-m", "modelops_jupyter.cli", "dashboard", "--no-browser", "--json", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--workspace", str(project), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


@pytest.fixture(scope="session")
def dashboard(workspace: Path) -> Iterator[str]:
    """The address of the workspace's dashboard."""
    with running_dashboard(workspace) as url:
        yield url


@pytest.fixture
def open_page(context: BrowserContext) -> Iterator[Callable[..., Page]]:
    """Open an address in a page of its own; a page that raised an error in its script fails the test."""
    pages: list[tuple[Page, list[str]]] = []

    def open_address(url: str, scheme: Literal["light", "dark"] = "light", width: int = 1280) -> Page:
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 2200})
        page.emulate_media(color_scheme=scheme)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: errors.append("a dialog opened"))
        pages.append((page, errors))
        page.goto(url)
        return page

    yield open_address
    for page, errors in pages:
        if not page.is_closed():
            page.goto("about:blank")  # the page's script ends its kernel
            page.close()
        assert errors == []


def shoot(page: Page, name: str) -> None:
    """Keep a picture to look at."""
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"dashboard-{name}.png")
