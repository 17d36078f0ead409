"""The panel in a real JupyterLab: the list, its filters, and what it says when there is nothing to show."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import nbformat
import pytest
from lab_pages import FLEET, kernel_idle, look_up, model, open_lab, refreshed, until
from playwright.sync_api import Locator, Page, Route, expect
from servers import TOKEN, Server, serve

pytestmark = pytest.mark.browser

STATUS = re.compile(r"/modelops/api/v1/status(\?|$)")
# Scrolls by over a page a frame and measures how long each frame takes to come with its rows in place.
SCROLL = """async list => {
  const frames = [];
  for (let step = 1; step <= 100; step += 1) {
    const begun = performance.now();
    list.scrollTop = (step * 7919) % (list.scrollHeight - list.clientHeight);
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    frames.push((performance.now() - begun) / 2);
    const top = list.getBoundingClientRect().top + 60;
    const row = document.elementFromPoint(list.getBoundingClientRect().left + 20, top);
    if (!row.closest('[data-name]')) {
      throw new Error('There is a hole in the list.');
    }
  }
  return frames;
}"""


def test_from_the_list_to_a_models_page_and_back_after_a_reload(page: Page, lab: Server) -> None:
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
    page.evaluate("window.jupyterapp.commands.execute('modelops:open-model', {name: 'gone'}).then(() => null)")
    expect(page.get_by_role("region", name="Model gone").get_by_role("alert")).to_contain_text("'gone'")
    page.get_by_role("tab", name="flight-delay").click()
    tab.get_by_role("tab", name="Audit").click()
    expect(tab.get_by_role("region", name="Audit trail")).to_contain_text("rollback")

    saved = f"{lab.address}/lab/api/workspaces/{workspace}?token={TOKEN}"
    kept = re.compile('"modelops-models:flight-delay".{0,200}"audit"')
    until(page, lambda: kept.search(page.request.get(saved).text()) is not None)
    page.goto(f"{lab.address}/lab/workspaces/{workspace}?token={TOKEN}")
    again = page.get_by_role("region", name="Model flight-delay")
    expect(again.get_by_role("region", name="Audit trail")).to_contain_text("rollback")
    expect(page.get_by_role("tab", name="gone")).to_have_count(1)  # several pages come back


def test_the_keyboard_reaches_everything(panel: Locator) -> None:
    page = panel.page
    refreshed(panel, [model(n) for n in range(40)])
    expect(panel).to_contain_text("40 models")
    panel.get_by_role("searchbox", name="Filter models").focus()
    for _ in range(6):  # four buttons of health, one of open alerts, then the list
        page.keyboard.press("Tab")
    focused = panel.locator("[data-name]:focus")
    expect(focused).to_have_attribute("data-name", "model-0002")  # an alert: the worst come first
    page.keyboard.press("ArrowDown")
    expect(focused).to_have_attribute("data-name", "model-0006")
    page.keyboard.press("End")
    expect(focused).to_have_attribute("data-name", "model-0039")  # it was not in the document before
    expect(panel.locator("li:has(:focus)")).to_have_attribute("aria-posinset", "40")
    page.keyboard.press("Enter")
    tab = page.get_by_role("region", name="Model model-0039")
    expect(tab.get_by_role("alert")).to_contain_text("model-0039")  # the server knows no such model, and says so


def test_the_list_is_filtered_by_health_alerts_and_kind(panel: Locator) -> None:
    refreshed(panel, [model(n, kind="decision" if n > 9 else "ml") for n in range(12)])
    rows = panel.locator("[data-name]")
    expect(rows).to_have_count(12)
    panel.get_by_role("button", name="3 alert", exact=True).click()
    expect(rows).to_have_count(3)
    panel.get_by_role("button", name="8 with open alerts").click()
    expect(rows).to_have_count(2)
    panel.get_by_role("button", name="2 decision table").click()
    expect(rows).to_have_count(1)
    panel.get_by_role("searchbox").fill("nothing like it")
    panel.get_by_role("button", name="Show all models").click()
    expect(rows).to_have_count(12)


def test_the_list_is_filtered_by_owner_and_risk_tier(panel: Locator) -> None:
    owners, tiers = ("Olivia", "Omar", None), ("high", None)
    refreshed(panel, [model(n, owner=owners[n % 3], risk_tier=tiers[n % 2]) for n in range(12)])
    rows = panel.locator("[data-name]")
    panel.get_by_role("combobox", name="Filter by owner").select_option("Olivia (4)")
    expect(rows).to_have_count(4)
    panel.get_by_role("combobox", name="Filter by risk tier").select_option("high (6)")
    expect(rows).to_have_count(2)
    panel.get_by_role("combobox", name="Filter by owner").select_option("no owner (4)")
    expect(rows).to_have_count(2)
    panel.get_by_role("combobox", name="Filter by owner").select_option("Any owner")
    expect(rows).to_have_count(6)
    panel.get_by_role("combobox", name="Filter by risk tier").select_option("Any tier")
    panel.get_by_role("searchbox").fill("omar")
    expect(rows).to_have_count(4)
    expect(rows.first).to_have_attribute("title", re.compile("owned by Omar"))
    panel.get_by_role("searchbox").fill("")
    refreshed(panel, [model(n) for n in range(3)])
    expect(panel.get_by_role("combobox")).to_have_count(0)  # where no model has an owner, nobody need choose


def test_an_empty_workspace_says_what_to_do(panel: Locator) -> None:
    refreshed(panel, [])
    expect(panel.get_by_text("No models yet")).to_be_visible()
    expect(panel).to_contain_text("ws.register(")
    expect(panel.get_by_role("button", name="Copy code")).to_be_visible()


def test_models_that_wait_in_mlflow_are_counted_with_the_line_that_takes_them(panel: Locator) -> None:
    note = panel.get_by_role("status", name="Models to adopt")
    expect(note).to_have_count(0)
    panel.page.route(STATUS, lambda route: route.fulfill(json={"unadopted": 1200}))
    refreshed(panel, [])
    expect(note).to_contain_text("1,200 models of the MLflow registry are not adopted yet")
    expect(note).to_contain_text("%modelops adopt --all")
    panel.page.unroute(STATUS)
    panel.page.route(STATUS, lambda route: route.fulfill(status=503, json={"message": "down", "code": "x"}))
    refreshed(panel, [model(0, name="flight-delay")])  # a registry that does not answer takes nothing from the panel
    expect(panel.get_by_role("button", name=re.compile("flight-delay"))).to_be_visible()
    expect(note).to_have_count(0)


def test_a_failure_is_said_in_the_servers_words_and_can_be_retried(panel: Locator, screenshots: Path) -> None:
    def busy(route: Route) -> None:
        route.fulfill(status=503, json={"message": "The store stayed locked: try again.", "code": "store-busy"})

    panel.page.route(FLEET, busy)
    panel.get_by_role("button", name="Refresh").click()
    expect(panel.get_by_role("alert")).to_contain_text("The store stayed locked: try again.")
    expect(panel.get_by_role("alert")).to_contain_text("Not up to date")  # what was read before stays
    panel.page.screenshot(path=screenshots / "lab-stale.png")
    retry = panel.get_by_role("button", name="Retry").element_handle()
    panel.page.unroute(FLEET)
    retry.evaluate("button => button.click()")  # it may be gone already: the panel asks again by itself
    expect(panel.get_by_role("button", name=re.compile("flight-delay"))).to_be_visible()
    expect(panel.get_by_role("alert")).to_have_count(0)
    panel.page.route(FLEET, lambda route: route.abort())
    panel.get_by_role("button", name="Refresh").click()
    expect(panel.get_by_role("alert")).to_contain_text("The Jupyter server cannot be reached")
    retry = panel.get_by_role("button", name="Retry").element_handle()
    panel.page.unroute(FLEET)
    retry.evaluate("button => button.click()")
    expect(panel.get_by_role("alert")).to_have_count(0)


def test_what_did_not_change_is_not_sent_again(panel: Locator) -> None:
    panel.get_by_role("button", name="Refresh").click()
    expect(panel.get_by_role("button", name=re.compile("flight-delay"))).to_be_visible()
    with panel.page.expect_response(FLEET) as caught:
        panel.get_by_role("button", name="Refresh").click()
    assert caught.value.status == 304
    expect(panel.get_by_role("button", name=re.compile("flight-delay"))).to_be_visible()


def test_what_users_wrote_is_text(panel: Locator) -> None:
    refreshed(panel, [model(0, name="<img src=x onerror=document.title='hacked'>", kind="<i>x</i>")])
    expect(panel).to_contain_text("<img src=x")
    expect(panel).to_contain_text("<i>x</i>")
    assert panel.locator("img, i").count() == 0
    assert "hacked" not in panel.page.title()


def test_a_thousand_models_stay_quick(panel: Locator) -> None:
    refreshed(panel, [model(n) for n in range(1000)])
    expect(panel).to_contain_text("250 not judged")
    assert 0 < panel.locator("[data-name]").count() < 60  # the others are not in the document
    started = time.monotonic()
    panel.get_by_role("searchbox", name="Filter models").press_sequentially("model-0777")
    expect(panel.locator("[data-name]")).to_have_count(1)
    filtered = time.monotonic() - started
    print(f"\n1,000 models filtered by ten keys in {filtered:.2f} s")
    assert filtered < 5
    panel.get_by_role("searchbox", name="Filter models").fill("")
    jumps = panel.locator(".jp-ModelOpsPanel-list").evaluate(SCROLL)
    print(f"100 jumps through the list: a frame took {sorted(jumps)[50]:.0f} ms, the slowest {max(jumps):.0f} ms")
    assert sorted(jumps)[50] < 50  # on a machine that does nothing else, every frame of 60 a second


def test_the_palette_and_the_launcher_know_the_commands(panel: Locator) -> None:
    page = panel.page
    found = look_up(page, "modelops")
    for label in ("Show Models", "Refresh Models", "New Pipeline Notebook", "Open Dashboard"):
        expect(found.filter(has_text=label).first).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+Shift+M")
    expect(panel.get_by_role("searchbox")).to_be_focused()
    page.locator(".jp-LauncherCard", has_text="Pipeline notebook").first.click()
    expect(page.locator(".jp-Notebook")).to_contain_text("ws.monitor(model, every=every)")
    cell = page.locator(".jp-Notebook .jp-CodeCell").first
    expect(cell).to_contain_text("name of the model")
    kernel_idle(page)


def test_the_dashboards_are_opened_from_the_launcher(panel: Locator) -> None:
    page, context = panel.page, panel.page.context
    page.evaluate("window.jupyterapp.commands.execute('launcher:create').then(() => null)")
    card = page.locator(".jp-LauncherCard:visible", has_text="Dashboard")
    for _ in range(2):  # the second time they run already
        with context.expect_page() as opened:
            card.click()
        fleet = opened.value
        expect(fleet.get_by_role("link", name="flight-delay").first).to_be_visible()
        assert fleet.evaluate("window.opener") is None
        fleet.close()


def test_a_dashboard_that_does_not_start_says_why(panel: Locator) -> None:
    page = panel.page
    answer = {"message": "Voila did not start: no module named voila.", "code": "dependency-failed"}
    page.route("**/modelops/api/v1/dashboard*", lambda route: route.fulfill(status=503, json=answer))
    page.evaluate("window.jupyterapp.commands.execute('launcher:create').then(() => null)")
    page.locator(".jp-LauncherCard:visible", has_text="Dashboard").click()
    expect(page.locator(".Toastify__toast", has_text="Voila did not start")).to_be_visible()
    assert len(page.context.pages) == 1
    page.locator(".jp-Notification-Toast-Close").first.click()


@pytest.fixture
def voila(tmp_path: Path) -> Iterator[Server]:
    """Run Voila, which loads every installed extension, on a notebook of one line."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print('shown by', 'Voila')")])
    nbformat.write(notebook, tmp_path / "page.ipynb")
    home = tmp_path / "home"
    home.mkdir()
    yield from serve("voila", ["page.ipynb", "--strip_sources=True"], tmp_path / "home", tmp_path, "/")


def test_voila_gets_nothing_from_it(voila: Server, page: Page) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.goto(voila.address, timeout=60_000)
    expect(page.get_by_text("shown by Voila")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert any("modelops-jupyter" in address for address in asked), json.dumps(asked, indent=1)
    assert [address for address in asked if "/modelops/api/" in address] == []
    assert [line for line in said if line.startswith("error") and "modelops" in line] == []
    assert page.locator(".jp-ModelOpsPanel").count() == 0
