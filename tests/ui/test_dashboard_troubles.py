"""What a reader of the dashboards meets when something is wrong: a damaged fact, a page that nobody touched."""

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dashboard_fixtures import running_dashboard, shoot
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
ASLEEP = """async () => {
  while (!document.querySelector(".mo-asleep")) {
    document.dispatchEvent(new Event("visibilitychange"));
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}"""


@pytest.fixture(scope="module")
def damaged(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the workspace in which profiles have lost their content."""
    project = shutil.copytree(workspace, tmp_path_factory.mktemp("damaged") / "team")
    with sqlite3.connect(project / ".modelops" / "modelops.db") as database:
        database.execute("UPDATE records SET body = '{}' WHERE kind = 'profile'")
    return project


@pytest.fixture(scope="module")
def drowsy(damaged: Path) -> Iterator[str]:
    """Serve it; pages go to sleep after 25 seconds: less is over before a page is drawn where the machine is busy."""
    with running_dashboard(damaged, "--idle", "25") as url:
        yield url


def test_an_error_is_a_sentence_with_an_id_that_is_in_the_log(drowsy: str, damaged: Path, open_page: Open) -> None:
    page = open_page(drowsy.replace("fleet.ipynb?", "model.ipynb?model=flight-delay&"))
    told = page.locator(".mo-failed").first
    expect(told).to_contain_text("This part could not be drawn. The rest of the page is not affected.")
    expect(page.locator(".mo-drawing svg").first).to_be_visible()
    identity = re.search(r"error ([0-9a-f]{8})", told.inner_text())
    assert identity is not None
    assert "KeyError" not in page.locator("body").inner_text()
    kept = (damaged / ".modelops" / "dashboard.log").read_text()
    assert identity[1] in kept
    assert "KeyError" in kept
    shoot(page, "error")


def test_a_page_that_slept_wakes_up_where_it_was(drowsy: str, open_page: Open) -> None:
    page = open_page(drowsy)
    page.get_by_placeholder("Filter by name").fill("chu")
    expect(page.locator(".mo-name")).to_have_text(["churn"])
    expect(page).to_have_url(re.compile("name=chu"))
    page.evaluate(ASLEEP)
    expect(page.get_by_role("alert")).to_contain_text("This page has gone to sleep.")
    shoot(page, "asleep")
    page.get_by_role("button", name="Wake it up").click()
    expect(page.locator(".mo-asleep")).to_have_count(0)
    expect(page.locator(".mo-name")).to_have_text(["churn"])
    expect(page.get_by_placeholder("Filter by name")).to_have_value("chu")
