"""How the panel and a model's page look, and what axe-core says of them, in light and dark."""

import re
from pathlib import Path

import pytest
from lab_pages import model, refreshed, show_in, violations
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_looks_and_accessibility(panel: Locator, screenshots: Path, theme: str) -> None:
    page = panel.page
    show_in(page, theme)
    panel.get_by_role("button", name="Refresh").click()
    panel.get_by_role("button", name=re.compile("flight-delay")).click()
    tab = page.get_by_role("region", name="Model flight-delay")
    expect(tab.get_by_role("img")).to_be_visible()
    found = violations(page, ".jp-ModelOpsPanel", ".jp-ModelOpsStatus")
    for name in ("Overview", "Versions", "Compare", "Monitoring", "Governance", "Runs", "Audit"):
        tab.get_by_role("tab", name=name).click()
        if name == "Monitoring":
            tab.get_by_role("button", name="wind").click()
            expect(tab.get_by_role("region", name="Distribution of wind")).to_contain_text("%")
        if name == "Governance":
            tab.get_by_role("button", name="Check the gate").click()
            expect(tab.get_by_role("group", name="Gate report")).to_be_visible()
        page.screenshot(path=screenshots / f"lab-{name.lower()}-{theme}.png")
        found += violations(page, ".jp-ModelOpsPage")
    tab.get_by_role("tab", name="Versions").click()
    tab.get_by_role("button", name="Promote…").click()
    expect(page.get_by_role("dialog").get_by_role("group", name="Gate report")).to_be_visible()
    page.screenshot(path=screenshots / f"lab-promote-{theme}.png")
    found += violations(page, ".jp-Dialog")
    page.keyboard.press("Escape")
    for count in (0, 1000):
        refreshed(panel, [model(n) for n in range(count)])
        expect(panel).to_contain_text("250 not judged" if count else "No models yet")
        page.screenshot(path=screenshots / f"lab-{count}-models-{theme}.png")
        found += violations(page, ".jp-ModelOpsPanel")
    assert found == []
