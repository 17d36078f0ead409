"""How the panel and a model's page look, and what axe-core says of them, in light and dark."""

import re
from pathlib import Path

import pytest
from lab_pages import model, open_lab, refreshed, violations
from playwright.sync_api import Page, expect
from servers import Server


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_looks_and_accessibility(page: Page, lab: Server, screenshots: Path, theme: str) -> None:
    lab.use(theme)
    panel = open_lab(page, lab)
    panel.get_by_role("button", name=re.compile("flight-delay")).click()
    tab = page.get_by_role("region", name="Model flight-delay")
    expect(tab.get_by_role("img")).to_be_visible()
    assert (page.locator("body").get_attribute("data-jp-theme-light") == "true") == (theme == "Light")
    found = violations(page, ".jp-ModelOpsPanel", ".jp-ModelOpsStatus")
    for name in ("Overview", "Versions", "Compare", "Monitoring", "Governance", "Runs", "Audit"):
        tab.get_by_role("tab", name=name).click()
        if name == "Monitoring":
            tab.get_by_role("button", name="wind").click()
            expect(tab.get_by_role("region", name="Distribution of wind")).to_contain_text("%")
        if name == "Governance":
            tab.get_by_role("button", name="Check the gate").click()
            expect(tab.get_by_role("group", name="Gate report")).to_be_visible()
        page.screenshot(path=screenshots / f"lab-{name.lower()}-{theme.lower()}.png")
        found += violations(page, ".jp-ModelOpsPage")
    tab.get_by_role("tab", name="Versions").click()
    tab.get_by_role("button", name="Promote…").click()
    expect(page.get_by_role("dialog").get_by_role("group", name="Gate report")).to_be_visible()
    page.screenshot(path=screenshots / f"lab-promote-{theme.lower()}.png")
    found += violations(page, ".jp-Dialog")
    page.keyboard.press("Escape")
    for count in (0, 1000):
        refreshed(panel, [model(n) for n in range(count)])
        expect(panel).to_contain_text("250 not monitored" if count else "No models yet")
        page.screenshot(path=screenshots / f"lab-{count}-models-{theme.lower()}.png")
        found += violations(page, ".jp-ModelOpsPanel")
    assert found == []
