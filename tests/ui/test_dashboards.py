"""The dashboards as their readers meet them: `modelops dashboard`, Voila, a browser."""

import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psutil
import pytest
from dashboard_fixtures import running_dashboard, shoot
from playwright.sync_api import Browser, Page, expect
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


def test_the_fleet_is_shown_filtered_and_leads_to_a_model(dashboard: str, open_page: Open) -> None:
    page = open_page(dashboard)
    names = page.locator(".mo-name")
    expect(names).to_have_text(["flight-delay", "churn"])
    expect(page.locator("tr", has_text="churn")).to_contain_text("not judged")
    expect(page.locator("tr", has_text="flight-delay")).to_contain_text("version 2")
    assert "token" not in page.url
    page.get_by_placeholder("Filter by name").fill("chu")
    expect(names).to_have_text(["churn"])
    page.get_by_placeholder("Filter by name").fill("")
    expect(names).to_have_count(2)
    page.get_by_role("link", name="flight-delay").click()
    expect(page.locator("h1")).to_have_text("flight-delay")
    expect(page.locator(".mo-drawing svg:not(.mo-bars svg)")).to_have_count(2)
    expect(page.locator(".mo-card", has_text="Performance over time")).to_contain_text("v2 promoted")
    expect(page.locator(".mo-calibration svg")).to_be_visible()
    page.get_by_role("link", name="← All models").click()
    expect(names).to_have_count(2)


def test_a_window_tells_its_figures_and_choosing_updates_in_place(dashboard: str, open_page: Open) -> None:
    page = open_page(dashboard.replace("fleet.ipynb?", "model.ipynb?model=flight-delay&"))
    spread = page.locator(".mo-grid figure")
    expect(spread).to_have_count(3)
    page.locator("[data-pick='window 2013-04-03T00:00:00+00:00']").hover()
    expect(page.locator(".mo-tip:visible")).to_have_text(
        re.compile(r"2013-04-03: ROC AUC 0\.\d+ \(0.+\), estimated 0\.\d+; 320 rows")
    )
    page.locator("[data-pick='cell 2013-04-20T00:00:00+00:00 wind']").click()
    expect(page.locator(".mo-chosen")).to_have_text(re.compile(r"^2013-04-20 · "))
    expect(page.locator(".mo-chosen")).to_contain_text(
        re.compile(r"ROC AUC 0\.\d+ \(0\.\d+ to 0\.\d+\).*320 rows.*version 2")
    )
    expect(spread).to_have_count(1)
    expect(spread).to_contain_text("wind")
    page.locator("text[data-pick='column rain']").press("Enter")
    expect(spread).to_contain_text("rain")
    page.locator("[data-pick='window 2013-04-03T00:00:00+00:00']").click()
    expect(page.locator(".mo-chosen")).to_contain_text("2013-04-03")
    expect(page.locator("[data-selected='window']")).to_have_count(2)
    page.get_by_role("button", name="Show the last 30 together again").click()
    expect(spread).to_have_count(3)
    expect(page.locator("[data-selected]")).to_have_count(0)


def test_the_address_is_data(dashboard: str, open_page: Open) -> None:
    hostile = "model.ipynb?model=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E&"
    page = open_page(dashboard.replace("fleet.ipynb?", hostile))
    expect(page.locator(".mo-advice")).to_contain_text("There is no model '<img src=x")
    expect(page.locator("img")).to_have_count(0)


@pytest.mark.parametrize("path", ["", "voila/render/fleet.ipynb", "voila/render/model.ipynb?model=flight-delay"])
def test_without_the_token_nothing_is_shown(dashboard: str, browser: Browser, path: str) -> None:
    context = browser.new_context()
    answer = context.request.get(dashboard.partition("voila/")[0] + path, max_redirects=0)
    assert answer.status in (302, 403)
    assert "flight-delay" not in answer.text()
    context.close()


def test_an_empty_workspace_explains_itself(tmp_path: Path, open_page: Open) -> None:
    with running_dashboard(tmp_path) as url:
        page = open_page(url)
        expect(page.locator(".mo-advice")).to_contain_text("modelops demo")
        shoot(page, "fleet-empty")
        page.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("letters", [60, 123])
def test_a_long_name_hides_nothing_beside_it(
    tmp_path: Path, mlflow_database: Path, open_page: Open, letters: int
) -> None:
    root = tmp_path / ".modelops"
    root.mkdir()
    shutil.copy(mlflow_database, root / "mlflow.db")
    x, y = pd.DataFrame({"wind": [0.0, 1.0] * 20}), pd.Series([0, 1] * 20)
    with Workspace(Settings(project=tmp_path, root=root, actor="ann")) as ws:
        for name in ("retail-emea-".ljust(letters, "x"), "short"):
            ws.register(LogisticRegression().fit(x, y), name, data=x, target=y)
    with running_dashboard(tmp_path) as url:
        for width in (1280, 390):
            page = open_page(url, width=width)
            expect(page.locator(".mo-name")).to_have_count(2)
            ends = page.eval_on_selector_all(
                "th", "all => all.filter(e => e.offsetParent).map(e => e.getBoundingClientRect().right)"
            )
            assert max(ends) <= width
            within = page.eval_on_selector_all(
                ".mo-name",
                "all => all.every(e => e.firstChild.getBoundingClientRect().right <= e.getBoundingClientRect().right)",
            )
            assert within
            shoot(page, f"fleet-long-names-{letters}-{width}")
            page.close()


def processor_seconds() -> float:
    """Return what the processes that this one started have used: a busy machine does not change it."""
    used = 0.0
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # ended since it was listed
            used += sum(child.cpu_times()[:2])
    return used


def imports_alone() -> float:
    """Return what a process uses that imports Voila and pandas, and does nothing: the machine's own measure."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import voila.app, pandas, ipywidgets"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_the_fleet_is_usable_soon_after_the_command(workspace: Path, browser: Browser) -> None:
    alone = imports_alone()
    begun, used = time.monotonic(), processor_seconds()
    with running_dashboard(workspace) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        expect(page.locator(".mo-name").first).to_be_visible()
        took, used = time.monotonic() - begun, processor_seconds() - used
        page.goto("about:blank")
        context.close()
    print(f"fleet page usable {took:.1f} s after the command, {used:.1f} s of processor, imports alone {alone:.1f} s")
    assert used < 6 * alone  # about three times, with both kernels that wait
