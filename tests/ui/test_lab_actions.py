"""Acting on a model in JupyterLab: the policy's answer before one confirms, the reason, and what is done."""

import importlib
import re
from pathlib import Path

import pytest
from lab_pages import open_page, page_of, tab_to
from made_flights import flights
from playwright.sync_api import Locator, Page, Route, expect
from servers import Server
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from modelops_jupyter.settings import find_settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.browser


@pytest.fixture
def churn(project: Path) -> str:
    """Register three versions of a model; the first is the champion, the third too poor for the gate."""
    x, y = flights(300, 1)
    with Workspace(find_settings(project)) as ws:
        if "churn" not in [row["name"] for row in ws.models().rows]:
            for target in (y, y, 1 - y):
                model = LogisticRegression().fit(x, target)
                ws.register(model, "churn", data=x, target=target, reference=flights(300, 2))
            ws.approve("churn/1", reason="reads well")
            ws.promote("churn/1", reason="first")
    return "churn"


@pytest.fixture
def fares(project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Register a version that calls a function of the project."""
    (project / "fare_features.py").write_text("def halved(rows):\n    return rows / 2  # <b>half</b>\n")
    monkeypatch.syspath_prepend(str(project))
    halved = importlib.import_module("fare_features").halved
    x, y = flights(300, 1)
    model = make_pipeline(FunctionTransformer(halved), LogisticRegression()).fit(x, y)
    with Workspace(find_settings(project)) as ws:
        ws.register(model, "fares", data=x, target=y, reference=flights(300, 2))
    return "fares"


def dialog_of(tab: Locator, version: int, action: str) -> Locator:
    """Open an action's dialog for a version."""
    tab.get_by_role("tab", name="Versions").click()
    tab.get_by_role("button", name=f"Version {version}", exact=True).click()
    tab.get_by_role("button", name=action).click()
    return tab.page.get_by_role("dialog")


def test_who_approves_reads_the_code_of_the_project_first(page: Page, lab: Server, fares: str) -> None:
    tab = open_page(page, lab, fares)
    tab.get_by_role("tab", name="Versions").click()
    expect(tab.get_by_role("row", name=re.compile("Version 1"))).to_contain_text("(calls project code)")
    dialog = dialog_of(tab, 1, "Approve…")
    expect(dialog).to_contain_text("it calls fare_features.halved of the project it was made in")
    dialog.get_by_text("Source of code/project/fare_features.py").click()
    expect(dialog.get_by_text("return rows / 2 # <b>half</b>")).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    tab.get_by_role("tab", name="Governance").click()
    tab.get_by_text("Source of code/project/fare_features.py").click()
    expect(tab.get_by_text("return rows / 2 # <b>half</b>")).to_be_visible()


def test_a_version_is_approved_promoted_and_rolled_back(page: Page, lab: Server, churn: str) -> None:
    tab = open_page(page, lab, churn)
    dialog = dialog_of(tab, 2, "Promote…")
    gate = dialog.get_by_role("group", name="Gate report")
    expect(gate).to_contain_text("The gate is closed: churn/2 may not become champion yet.")
    expect(gate).to_contain_text("0 of 1 approvals")
    dialog.get_by_role("textbox").fill("it is better")
    expect(dialog.get_by_role("button", name="Promote")).to_be_disabled()  # the policy has said no
    dialog.get_by_role("button", name="Cancel").click()

    dialog = dialog_of(tab, 2, "Approve…")
    expect(dialog.get_by_role("button", name="Approve")).to_be_disabled()  # nobody has said why
    dialog.get_by_role("textbox").fill("<b>checked</b> by hand")
    dialog.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("churn/2 is approved.").first).to_be_visible()

    dialog = dialog_of(tab, 2, "Promote…")
    expect(dialog).to_contain_text("The gate is open: churn/2 may become champion.")
    expect(dialog).to_contain_text("Version 1 holds champion now.")
    dialog.get_by_role("textbox").fill("it is better")
    dialog.get_by_role("button", name="Promote").click()
    expect(tab.get_by_role("row", name=re.compile("Version 2"))).to_contain_text("champion")

    dialog = dialog_of(tab, 1, "Roll back champion…")
    dialog.get_by_role("textbox").fill("worse at night")
    dialog.get_by_role("button", name="Roll back").click()
    expect(tab.get_by_role("row", name=re.compile("Version 1"))).to_contain_text("champion")
    tab.get_by_role("tab", name="Governance").click()
    expect(tab.get_by_role("region", name="Approvals, rejections, comments")).to_contain_text("<b>checked</b> by hand")
    expect(tab.get_by_role("region", name="Promotions and rollbacks")).to_contain_text("worse at night")


def test_a_failed_check_closes_the_gate_and_another_hand_is_noticed(
    panel: Locator, churn: str, project: Path, screenshots: Path
) -> None:
    page, tab = panel.page, page_of(panel, churn)
    dialog = dialog_of(tab, 3, "Promote…")
    expect(dialog.get_by_role("group", name="Gate report")).to_contain_text(re.compile("failed.*ROC AUC 0.1"))
    page.screenshot(path=screenshots / "lab-gate.png")
    dialog.get_by_role("combobox", name="Version").select_option("2")
    expect(dialog).to_contain_text("The gate is open: churn/2")
    dialog.get_by_role("combobox", name="Alias").select_option("challenger")
    expect(dialog).to_contain_text("may become challenger")
    dialog.get_by_role("combobox", name="Alias").select_option("champion")
    expect(dialog).to_contain_text("may become champion")
    with Workspace(find_settings(project)) as ws:  # somebody else is quicker
        ws.promote("churn/2", reason="by another hand")
    dialog.get_by_role("textbox").fill("mine")
    dialog.get_by_role("button", name="Promote").click()
    expect(dialog.get_by_role("alert")).to_contain_text("churn@champion is at version 2, not 1")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_second_click_and_a_lost_answer_do_it_once(panel: Locator, churn: str, project: Path) -> None:
    page, tab = panel.page, page_of(panel, churn)
    dialog = dialog_of(tab, 3, "Comment…")
    keys: list[str] = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.fetch()  # it arrives and is done, but nobody hears of it
        page.wait_for_timeout(300)
        route.abort()

    page.route("**/modelops/api/v1/comment*", lose)
    dialog.get_by_role("textbox").fill("said once")
    button = dialog.locator(".jp-mod-accept")
    button.dblclick()
    expect(button).to_be_disabled()
    expect(dialog.get_by_role("alert")).to_contain_text("cannot be reached")
    page.unroute("**/modelops/api/v1/comment*")
    button.click()
    expect(dialog).to_have_count(0)
    assert len(keys) == 1
    with Workspace(find_settings(project)) as ws:
        said = [row for row in ws.audit().rows if row["action"] == "comment"]
    assert [row["details"]["reason"] for row in said] == ["said once"]


def test_a_version_is_promoted_by_keyboard_alone(panel: Locator, churn: str, project: Path) -> None:
    """From the filter to the model, its tabs, the dialog and the reason; Tab and Enter do it all."""
    page, press = panel.page, panel.page.keyboard.press
    with Workspace(find_settings(project)) as ws:
        if ws.version("churn@champion").version != 1:  # where another test has left it
            ws.promote("churn/1", reason="for the next one")
    panel.get_by_role("button", name="Refresh").click()
    expect(panel.locator("[data-name='churn']")).to_be_visible()
    press("Alt+Shift+M")
    page.keyboard.type("churn")
    expect(panel.locator("[data-name]")).to_have_count(1)
    tab_to(panel.locator("[data-name='churn']"))
    press("Enter")
    tab = page.get_by_role("region", name="Model churn")
    expect(tab.get_by_role("heading", name="churn")).to_be_visible()
    tab_to(tab.get_by_role("tab", name="Overview"))
    press("ArrowRight")
    expect(tab.get_by_role("region", name="Versions")).to_be_visible()
    tab_to(tab.get_by_role("button", name="Version 2", exact=True))
    press("Enter")
    tab_to(tab.get_by_role("button", name="Approve…"))
    press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox")).to_be_focused()
    page.keyboard.type("read by keyboard")
    tab_to(dialog.get_by_role("button", name="Approve"))
    press("Enter")
    expect(dialog).to_have_count(0)
    tab_to(tab.get_by_role("button", name="Promote…"))
    press("Enter")
    expect(dialog).to_contain_text("The gate is open")
    press("Escape")
    expect(dialog).to_have_count(0)
    tab_to(tab.get_by_role("button", name="Promote…"))
    press("Enter")
    expect(dialog).to_contain_text("The gate is open")
    expect(dialog.get_by_role("textbox")).to_be_focused()
    page.keyboard.type("moved by keyboard")
    tab_to(dialog.get_by_role("button", name="Promote"))
    press("Enter")
    press("Enter")  # a second time, for whoever is impatient
    expect(dialog).to_have_count(0)
    expect(tab.get_by_role("row", name=re.compile("Version 2"))).to_contain_text("champion")
    with Workspace(find_settings(project)) as ws:
        reasons = [row["details"]["reason"] for row in ws.audit().rows if row["action"] == "promote"]
        assert reasons.count("moved by keyboard") == 1
