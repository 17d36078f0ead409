"""A model's page in JupyterLab: its tabs, comparing on given rows, pipelines' runs, code, and failures."""

import re

from playwright.sync_api import Locator, expect


def test_single_windows_can_be_read_off_the_chart(panel: Locator) -> None:
    panel.get_by_role("button", name="Refresh").click()
    panel.get_by_role("button", name=re.compile("flight-delay")).click()
    tab = panel.page.get_by_role("region", name="Model flight-delay")
    tab.get_by_role("img").focus()
    panel.page.keyboard.press("Home")
    expect(tab.locator("output")).to_contain_text(re.compile(r"2013-04-01 · .*expected .*version 1 · 400 rows"))
    tab.get_by_role("button", name="Show the figures").click()
    expect(tab.get_by_role("region", name="Windows")).to_contain_text("2013-04-15")


def test_every_tab_of_a_models_page(panel: Locator) -> None:
    panel.get_by_role("button", name="Refresh").click()
    panel.get_by_role("button", name=re.compile("flight-delay")).click()
    tab = panel.page.get_by_role("region", name="Model flight-delay")
    tab.get_by_role("tab", name="Overview").click()
    panel.page.keyboard.press("End")
    expect(tab.get_by_role("region", name="Audit trail")).to_contain_text("rollback")
    tab.get_by_role("button", name="Verify the chain").click()
    expect(tab.get_by_role("status")).to_contain_text("The chain is whole")
    panel.page.keyboard.press("Shift+Tab")
    tab.get_by_role("tab", name="Compare").click()
    expect(tab.get_by_role("region", name="Evaluation on record")).to_contain_text("ROC AUC")
    tab.get_by_role("tab", name="Monitoring").click()
    tab.get_by_role("button", name="wind").click()
    expect(tab.get_by_role("region", name="Distribution of wind")).to_contain_text("%")
    tab.get_by_role("tab", name="Governance").click()
    tab.get_by_role("button", name="Check the gate").click()
    expect(tab.get_by_role("group", name="Gate report")).to_contain_text("The gate is open")
    expect(tab.get_by_role("region", name=re.compile("Model card"))).to_contain_text("What it is")
    tab.get_by_role("tab", name="Runs").click()
    expect(tab.get_by_role("region", name="Training runs").get_by_role("row")).to_have_count(3)
