"""An alert reaches whoever sits in JupyterLab: as a notification that is opened, or acknowledged with a reason."""

import json
import re
from pathlib import Path

import pytest
from lab_pages import open_lab
from made_flights import log_day, register
from playwright.sync_api import Page, expect
from servers import Server

from modelops_jupyter.settings import find_settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.browser

MODELS = ("tide", "surf")


@pytest.fixture
def healthy(project: Path) -> Workspace:
    """Put two models in service that do well so far."""
    ws = Workspace(find_settings(project))
    for name in MODELS:
        register(ws, name, seed=0)
        ws.approve(f"{name}/1", reason="reads well")
        ws.promote(f"{name}/1", reason="first")
        for day in range(6):
            log_day(ws, name, day)
        ws.monitor(name)
    return ws


def test_who_wants_no_count_in_the_status_bar_gets_none(page: Page, lab: Server) -> None:
    chosen = lab.home / "settings" / "modelops-jupyter" / "plugin.jupyterlab-settings"
    chosen.parent.mkdir(parents=True, exist_ok=True)
    chosen.write_text(json.dumps({"statusBar": False}))
    panel = open_lab(page, lab)
    expect(panel.locator("[data-name]").first).to_be_visible()
    expect(page.locator(".jp-ModelOpsStatus:visible")).to_have_count(0)
    chosen.unlink()


def test_a_new_incident_is_told_opened_and_acknowledged(
    page: Page, lab: Server, healthy: Workspace, screenshots: Path
) -> None:
    with healthy as ws:
        with page.expect_response(re.compile("/incidents")):  # what is open already is no news
            panel = open_lab(page, lab)
        expect(panel.locator("[data-name='tide']")).to_contain_text("healthy")
        for name in MODELS:
            for day in range(6, 10):
                log_day(ws, name, day, shift=2.0, noise=9.0)
            ws.monitor(name)
        panel.get_by_role("button", name="Refresh").click()
        toasts = page.locator(".Toastify__toast")
        expect(toasts).to_have_count(2)
        told = toasts.filter(has_text="tide")
        expect(told).to_contain_text(re.compile("tide: .*wind"))
        told.hover()  # it has come to rest, and stays
        page.screenshot(path=screenshots / "lab-notification.png")

        told.get_by_role("button", name="Acknowledge…").click()
        dialog = page.get_by_role("dialog", name="Acknowledge an incident")
        expect(dialog.get_by_role("button", name="Acknowledge", exact=True)).to_be_disabled()  # nobody has said why
        dialog.get_by_role("textbox").fill("a storm; we look at it")
        dialog.get_by_role("button", name="Acknowledge", exact=True).dblclick()
        expect(dialog).to_have_count(0)
        expect(told).to_have_count(0)
        (incident,) = ws.incidents("tide")
        assert (incident["state"], incident["owner"]) == ("acknowledged", "ann")
        timeline = [entry["text"] for entry in ws.incident(incident["id"]).timeline if entry["event"] == "acknowledge"]
        assert timeline == ["a storm; we look at it"]

        toasts.filter(has_text="surf").get_by_role("button", name="Open").click()
        tab = page.get_by_role("region", name="Model surf")
        expect(tab.get_by_role("tab", name="Monitoring")).to_have_attribute("aria-selected", "true")
        expect(toasts.filter(has_text="surf")).to_have_count(0)
        panel.get_by_role("button", name="Refresh").click()
        tab.get_by_role("tab", name="Overview").click()
        expect(tab.get_by_role("region", name="Incidents")).to_contain_text("nobody yet")
        expect(toasts.filter(has_text=re.compile("tide|surf"))).to_have_count(0)  # told once
