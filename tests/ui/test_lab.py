"""The extension in a real JupyterLab: the list, a model's page, and what they say when there is nothing to show."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbformat
import pytest
from playwright.sync_api import Locator, Page, Route, expect
from servers import TOKEN, Server, serve

FLEET = re.compile(r"/modelops/api/v1/models(\?|$)")
HEALTHS = ("healthy", "warning", "alert", "unknown")


def open_lab(page: Page, lab: Server, workspace: str | None = None) -> Locator:
    """Open JupyterLab in a fresh layout, show the panel and return it."""
    page.goto(f"{lab.address}/lab/workspaces/{workspace or uuid4().hex}?token={TOKEN}")
    page.get_by_role("tab", name="Models").click(timeout=60_000)
    return page.get_by_role("region", name="Models", exact=True)


def open_page(page: Page, lab: Server, name: str) -> Locator:
    """Open JupyterLab at a model's page and return that."""
    page.goto(f"{lab.address}/lab/workspaces/{uuid4().hex}?token={TOKEN}&modelops={name}")
    tab = page.get_by_role("region", name=f"Model {name}")
    expect(tab.get_by_role("heading", name=name)).to_be_visible(timeout=60_000)
    return tab


def model(n: int, **other: Any) -> dict[str, Any]:
    """Return a row as the server answers it."""
    row = {
        "name": f"model-{n:04d}",
        "kind": "ml",
        "champion": 1,
        "versions": 2,
        "health": HEALTHS[n % 4],
        "open_alerts": n % 3,
        "last_window": "2026-01-01T00:00:00+00:00",
        "metric": "roc_auc",
        "sparkline": [0.8 + 0.05 * ((n * k) % 7) / 7 for k in range(60)],
    }
    return row | other


def answer(page: Page, rows: list[dict[str, Any]]) -> None:
    """Let the server answer with these models."""
    page.route(FLEET, lambda route: route.fulfill(json={"title": "Models", "rows": rows}))


def test_from_the_list_to_a_models_page_and_back_after_a_reload(page: Page, lab: Server) -> None:
    lab.use("Light")
    workspace = uuid4().hex
    panel = open_lab(page, lab, workspace)
    row = panel.get_by_role("button", name=re.compile("flight-delay"))
    for words in ("flight-delay", "ML", "alert", "champion v1", "open alerts"):
        expect(row).to_contain_text(words)
    panel.get_by_role("searchbox", name="Filter models").fill("churn")
    expect(panel.get_by_text("No model fits this filter.")).to_be_visible()
    panel.get_by_role("searchbox", name="Filter models").fill("FLIGHT")
    row.click()

    tab = page.get_by_role("region", name="Model flight-delay")
    expect(tab.get_by_role("heading", name="flight-delay")).to_be_visible()
    expect(tab.locator("header")).to_contain_text("alert")
    expect(tab.locator("dl")).to_contain_text(re.compile("Champion.*version 1"))
    chart = tab.get_by_role("img", name=re.compile("over 15 windows.*2 changes of the serving version"))
    expect(chart.get_by_text("v2 promoted")).to_be_visible()
    expect(chart.get_by_text("back to v1")).to_be_visible()
    expect(chart.locator(".jp-ModelOpsChart-expected")).to_have_count(1)
    expect(tab.get_by_role("region", name="Open alerts")).to_contain_text("wind")
    expect(tab.get_by_role("region", name="Last promotions and rollbacks")).to_contain_text("worse at <b>JFK</b>")
    tab.get_by_role("tab", name="Versions").click()
    expect(tab.get_by_role("region", name="Versions")).to_contain_text("champion")
    tab.get_by_role("tab", name="Audit").click()
    expect(tab.get_by_role("region", name="Audit trail")).to_contain_text("rollback")

    saved = f"{lab.address}/lab/api/workspaces/{workspace}?token={TOKEN}"
    deadline = time.monotonic() + 20
    while not re.search('"modelops-models:flight-delay".{0,200}"audit"', page.request.get(saved).text()):
        assert time.monotonic() < deadline, "JupyterLab did not save its layout"
        page.wait_for_timeout(200)
    page.goto(f"{lab.address}/lab/workspaces/{workspace}?token={TOKEN}")
    again = page.get_by_role("region", name="Model flight-delay")
    expect(again.get_by_role("region", name="Audit trail")).to_contain_text("rollback", timeout=60_000)


def test_the_keyboard_reaches_everything(page: Page, lab: Server) -> None:
    answer(page, [model(n) for n in range(12)])
    panel = open_lab(page, lab)
    expect(panel.locator("[data-name]")).to_have_count(12)
    panel.get_by_role("searchbox", name="Filter models").focus()
    for _ in range(6):  # four buttons of health, one of open alerts, then the list
        page.keyboard.press("Tab")
    names = panel.locator("[data-name]").evaluate_all("rows => rows.map(row => row.dataset.name)")
    expect(panel.locator("[data-name]:focus")).to_have_attribute("data-name", names[0])
    page.keyboard.press("ArrowDown")
    expect(panel.locator("[data-name]:focus")).to_have_attribute("data-name", names[1])
    page.keyboard.press("End")
    expect(panel.locator("[data-name]:focus")).to_have_attribute("data-name", names[-1])
    page.keyboard.press("Enter")
    tab = page.get_by_role("region", name=f"Model {names[-1]}")
    expect(tab.get_by_role("alert")).to_contain_text(names[-1])  # the server knows no such model, and says so


def test_single_windows_can_be_read_off_the_chart(page: Page, lab: Server) -> None:
    panel = open_lab(page, lab)
    panel.get_by_role("button", name=re.compile("flight-delay")).click()
    tab = page.get_by_role("region", name="Model flight-delay")
    tab.get_by_role("img").focus()
    page.keyboard.press("Home")
    expect(tab.locator("output")).to_contain_text(re.compile(r"2013-04-01 · .*expected .*version 1 · 400 rows"))
    tab.get_by_role("button", name="Show the figures").click()
    expect(tab.get_by_role("region", name="Windows")).to_contain_text("2013-04-15")


def test_an_empty_workspace_says_what_to_do(page: Page, lab: Server, screenshots: Path) -> None:
    answer(page, [])
    panel = open_lab(page, lab)
    expect(panel.get_by_text("No models yet")).to_be_visible()
    expect(panel).to_contain_text("ws.register(")
    expect(panel.get_by_role("button", name="Copy code")).to_be_visible()
    page.screenshot(path=screenshots / "lab-empty.png")


def test_a_failure_is_said_in_the_servers_words_and_can_be_retried(page: Page, lab: Server, screenshots: Path) -> None:
    def busy(route: Route) -> None:
        route.fulfill(status=503, json={"message": "The store stayed locked: try again.", "code": "store-busy"})

    page.route(FLEET, busy)
    panel = open_lab(page, lab)
    expect(panel.get_by_role("alert")).to_contain_text("The store stayed locked: try again.")
    page.screenshot(path=screenshots / "lab-error.png")
    page.unroute(FLEET)
    panel.get_by_role("button", name="Retry").click()
    expect(panel.get_by_role("button", name=re.compile("flight-delay"))).to_be_visible()
    expect(panel.get_by_role("alert")).to_have_count(0)
    page.route(FLEET, busy)
    panel.get_by_role("button", name="Refresh").click()
    expect(panel.get_by_role("alert")).to_contain_text("Not up to date")
    expect(panel.get_by_role("button", name=re.compile("flight-delay"))).to_be_visible()


def test_what_did_not_change_is_not_sent_again(page: Page, lab: Server) -> None:
    panel = open_lab(page, lab)
    expect(panel.get_by_role("button", name=re.compile("flight-delay"))).to_be_visible()
    with page.expect_response(FLEET) as caught:
        panel.get_by_role("button", name="Refresh").click()
    assert caught.value.status == 304
    expect(panel.get_by_role("button", name=re.compile("flight-delay"))).to_be_visible()


def test_what_users_wrote_is_text(page: Page, lab: Server) -> None:
    answer(page, [model(0, name="<img src=x onerror=document.title='hacked'>", kind="<i>x</i>")])
    panel = open_lab(page, lab)
    expect(panel).to_contain_text("<img src=x")
    expect(panel).to_contain_text("<i>x</i>")
    assert panel.locator("img, i").count() == 0
    assert "hacked" not in page.title()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_a_thousand_models_stay_quick(page: Page, lab: Server, screenshots: Path, theme: str) -> None:
    lab.use(theme)
    answer(page, [model(n) for n in range(1000)])
    started = time.monotonic()
    panel = open_lab(page, lab)
    expect(panel).to_contain_text("250 not monitored")
    assert 0 < panel.locator("[data-name]").count() < 60  # the others are not in the document
    page.screenshot(path=screenshots / f"lab-thousand-{theme.lower()}.png")
    opened = time.monotonic()
    panel.get_by_role("searchbox", name="Filter models").press_sequentially("model-0777")
    expect(panel.locator("[data-name]")).to_have_count(1)
    filtered = time.monotonic()
    print(f"\n1,000 models, {theme}: opened {opened - started:.2f} s, filtered by ten keys {filtered - opened:.2f} s")
    assert filtered - opened < 5


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_pictures_for_people(page: Page, lab: Server, screenshots: Path, theme: str) -> None:
    lab.use(theme)
    panel = open_lab(page, lab)
    panel.get_by_role("button", name=re.compile("flight-delay")).click()
    tab = page.get_by_role("region", name="Model flight-delay")
    expect(tab.get_by_role("img")).to_be_visible()
    page.screenshot(path=screenshots / f"lab-model-{theme.lower()}.png")
    tab.evaluate("page => page.scrollTo(0, page.scrollHeight)")
    page.screenshot(path=screenshots / f"lab-model-end-{theme.lower()}.png")
    assert (page.locator("body").get_attribute("data-jp-theme-light") == "true") == (theme == "Light")


def test_the_palette_knows_the_commands(page: Page, lab: Server) -> None:
    open_lab(page, lab)
    page.keyboard.press("Control+Shift+C")
    palette = page.locator("#command-palette, .lm-CommandPalette").first
    expect(palette).to_be_visible()
    page.keyboard.type("modelops")
    for label in ("Show Models", "Refresh Models"):
        expect(palette.get_by_text(label)).to_be_visible()


@pytest.fixture
def voila(tmp_path: Path) -> Iterator[Server]:
    """Run Voila, which loads every installed extension, on a notebook of one line."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print('shown by', 'Voila')")])
    nbformat.write(notebook, tmp_path / "page.ipynb")
    home = tmp_path / "home"
    home.mkdir()
    yield from serve("voila", ["page.ipynb", "--strip_sources=True"], tmp_path / "home", tmp_path, "/")


def test_voila_gets_nothing_from_it(page: Page, voila: Server) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.goto(voila.address, timeout=60_000)
    expect(page.get_by_text("shown by Voila")).to_be_visible(timeout=60_000)
    page.wait_for_load_state("networkidle")
    assert any("modelops-jupyter" in address for address in asked), json.dumps(asked, indent=1)
    assert [address for address in asked if "/modelops/api/" in address] == []
    assert [line for line in said if line.startswith("error") and "modelops" in line] == []
    assert page.locator(".jp-ModelOpsPanel").count() == 0
