"""An incident is muted, accepted and taken back in JupyterLab, and the audit trail says so by kind."""

from pathlib import Path

import pytest
from lab_pages import page_of, show_in, until, violations
from playwright.sync_api import Locator, expect

from modelops_jupyter.settings import find_settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.browser


def incident_of(project: Path) -> dict[str, object]:
    with Workspace(find_settings(project)) as ws:
        return dict(next(row for row in ws.incidents("flight-delay") if row["state"] != "recovered"))


def act(tab: Locator, button: str, dialog: str, reason: str, until_date: str = "") -> None:
    """Do something about the first incident through its dialog."""
    tab.get_by_role("region", name="Incidents").get_by_role("button", name=button).first.click()
    asked = tab.page.get_by_role("dialog", name=dialog)
    if until_date:
        asked.get_by_label("Until, in the time of the data").fill(until_date)
    asked.get_by_role("textbox", name="Reason (required; goes on record)").fill(reason)
    asked.locator(".jp-mod-accept").click()


def test_an_incident_is_muted_taken_back_and_accepted(panel: Locator, project: Path, screenshots: Path) -> None:
    page, tab = panel.page, page_of(panel, "flight-delay")
    incidents = tab.get_by_role("region", name="Incidents")
    act(tab, "Mute…", "Mute an incident", "sensor is being replaced", "2013-01-01")
    refused = page.get_by_role("dialog", name="Mute an incident")
    expect(refused.get_by_role("alert")).to_contain_text("2013-01-01 is in the past: the newest window of flight-delay")
    for theme in ("light", "dark"):
        show_in(page, theme)
        page.screenshot(path=screenshots / f"lab-mute-{theme}.png")
        assert violations(page, ".jp-Dialog") == []
    show_in(page, "light")
    refused.get_by_label("Until, in the time of the data").fill("2013-07-01")
    refused.locator(".jp-mod-accept").click()
    expect(refused).to_have_count(0)
    expect(incidents).to_contain_text("Muted until 2013-07-01 by ann: sensor is being replaced")
    assert incident_of(project)["suppressed"] == "muted until 2013-07-01 by ann: sensor is being replaced"
    for theme in ("light", "dark"):
        show_in(page, theme)
        page.screenshot(path=screenshots / f"lab-muted-{theme}.png")
        assert violations(page, ".jp-ModelOpsPage") == []
    show_in(page, "light")
    act(tab, "Take back…", "Take back what was muted or accepted", "it is replaced")
    until(page, lambda: incident_of(project)["suppressed"] == "")
    expect(incidents.get_by_role("button", name="Accept…").first).to_be_visible()
    act(tab, "Accept…", "Accept an incident as the new normal", "a new fleet", "2013-08-01")
    expect(incidents).to_contain_text("Accepted until 2013-08-01 by ann: a new fleet")
    assert incident_of(project)["state"] == "resolved"

    tab.get_by_role("tab", name="Audit").click()
    trail = tab.get_by_role("region", name="Audit trail")
    expect(trail).to_contain_text("alerts.accept")
    expect(trail.get_by_role("cell", name="monitor", exact=True)).to_have_count(0)
    tab.get_by_role("button", name="1 run of the monitor").click()
    expect(tab.get_by_role("region", name="Runs of the monitor").get_by_role("cell", name="monitor")).to_have_count(1)
    for theme in ("light", "dark"):
        show_in(page, theme)
        page.screenshot(path=screenshots / f"lab-audit-kinds-{theme}.png")
        assert violations(page, ".jp-ModelOpsPage") == []
    show_in(page, "light")
    tab.get_by_label("Kind").select_option("move")
    expect(trail).to_contain_text("promote")
    expect(trail).not_to_contain_text("alerts.accept")
    tab.get_by_label("Model").select_option("every")
    expect(trail).to_contain_text("rollback")
    # Everything counts again: other tests find the incident as it was.
    tab.get_by_role("tab", name="Overview").click()
    act(tab, "Take back…", "Take back what was muted or accepted", "a test")
    until(page, lambda: incident_of(project)["state"] in ("open", "acknowledged"))
