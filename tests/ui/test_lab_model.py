"""A model's page in JupyterLab: its tabs, comparing on given rows, pipelines' runs, code, and failures."""

import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from lab_pages import kernel_idle, page_of
from made_flights import flights, register
from playwright.sync_api import Locator, Route, expect

from modelops_jupyter.actions import registration
from modelops_jupyter.settings import find_settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.browser


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
    recorded = tab.get_by_role("region", name="Evaluation on record")
    expect(recorded.get_by_role("row", name=re.compile("ROC AUC"))).to_contain_text("–")  # no change is shown
    expect(recorded.get_by_role("row", name=re.compile("ROC AUC"))).to_contain_text("measured (claimed: 0.990)")
    expect(recorded).to_contain_text("Metrics of different rows have no change to show")
    tab.get_by_role("tab", name="Monitoring").click()
    tab.get_by_role("button", name="wind").click()
    expect(tab.get_by_role("region", name="Distribution of wind")).to_contain_text("%")
    tab.get_by_role("tab", name="Governance").click()
    tab.get_by_role("button", name="Check the gate").click()
    expect(tab.get_by_role("group", name="Gate report")).to_contain_text("The gate is open")
    expect(tab.get_by_role("region", name=re.compile("Model card"))).to_contain_text("What it is")
    tab.get_by_role("tab", name="Runs").click()
    expect(tab.get_by_role("region", name="Training runs").get_by_role("row")).to_have_count(3)


def test_two_versions_are_compared_on_given_rows(panel: Locator, project: Path, screenshots: Path) -> None:
    x, y = flights(300, 7)
    x.assign(late=y, origin=["JFK", "EWR", "LGA"] * 100).to_parquet(project / "spring.parquet")
    page, tab = panel.page, page_of(panel, "flight-delay")
    tab.get_by_role("tab", name="Compare").click()
    form = tab.get_by_role("form", name="Rows to compare on")
    expect(form.get_by_role("button", name="Compare")).to_be_disabled()
    form.get_by_role("button", name="Browse…").click()
    files = page.get_by_role("dialog")
    files.locator(".jp-DirListing-item", has_text="spring.parquet").click()
    files.get_by_role("button", name="Select").click()
    expect(form.get_by_label("Rows")).to_have_value("spring.parquet")
    form.get_by_label("Outcomes").fill("lat")
    form.get_by_role("button", name="Compare").click()
    expect(tab.get_by_role("alert")).to_contain_text("There is no column 'lat' in the data, which has wind, rain")
    form.get_by_label("Outcomes").fill("late")
    form.get_by_label("Segments").fill("origin")
    form.get_by_role("button", name="Compare").dblclick()
    table = tab.get_by_role("region", name="flight-delay/1 and flight-delay/2 on 300 rows")
    expect(table).to_contain_text(re.compile(r"ROC AUC.*[+−]?0\.\d+.*\[.*\]"))
    table.get_by_role("button", name=re.compile("Show all")).click()
    expect(table.get_by_role("row", name=re.compile("origin=JFK"))).not_to_have_count(0)
    page.screenshot(path=screenshots / "lab-compare-rows.png")
    tab.get_by_role("tab", name="Audit").click()
    tab.get_by_role("tab", name="Compare").click()
    expect(table).to_be_visible(timeout=10_000)  # the last comparison is there again, as after a reload
    with Workspace(find_settings(project)) as ws:
        jobs = [path for path in (ws.settings.root / "jobs").iterdir() if "late" in (path / "job.json").read_text()]
    assert len(jobs) == 1  # the second click has started nothing


def test_a_pipelines_run_leads_to_the_version_it_made_and_to_its_output(
    panel: Locator, project: Path, monkeypatch: pytest.MonkeyPatch, screenshots: Path
) -> None:
    cells = [nbformat.v4.new_code_cell("print('fitted', 'anew')")]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), project / "fit.ipynb")
    (project / "nightly.yaml").write_text("name: nightly\nsteps: {fit: {notebook: fit.ipynb}}")
    with Workspace(find_settings(project)) as ws:
        run = ws.run(project / "nightly.yaml")
        monkeypatch.setenv("MODELOPS_STEP", f"{run.origin}/{run.steps[0].inputs}")
        monkeypatch.setattr(registration, "_registered_by_this_process", Counter())
        register(ws, "punctual", seed=3)
    page, tab = panel.page, page_of(panel, "punctual")
    tab.get_by_role("tab", name="Runs").click()
    row = tab.get_by_role("region", name="Pipeline runs").get_by_role("row", name=re.compile("nightly"))
    expect(row).to_contain_text(re.compile("completed.*punctual/1.*fit"))
    page.screenshot(path=screenshots / "lab-pipeline-runs.png")
    row.get_by_role("button", name="fit").click()
    expect(page.locator(".jp-Notebook")).to_contain_text("fitted anew")
    kernel_idle(page)


def test_a_page_that_cannot_be_read_again_says_so_and_goes_on(panel: Locator, screenshots: Path) -> None:
    panel.get_by_role("button", name="Refresh").click()
    panel.get_by_role("button", name=re.compile("flight-delay")).click()
    page = panel.page
    tab = page.get_by_role("region", name="Model flight-delay")
    expect(tab.get_by_role("heading", name="flight-delay")).to_be_visible()

    def gone(route: Route) -> None:
        route.abort()

    page.route(re.compile("/modelops/"), gone)
    page.get_by_role("toolbar", name="main area toolbar").get_by_role("button", name="Refresh").click()
    warning = tab.get_by_role("alert").first
    expect(warning).to_contain_text(re.compile(r"Not up to date: read at \d{4}-\d\d-\d\d \d\d:\d\d"))
    expect(warning).to_contain_text("The Jupyter server cannot be reached: is it still running?")
    expect(tab.get_by_role("heading", name="flight-delay")).to_be_visible()  # what was known stays
    page.screenshot(path=screenshots / "lab-model-stale.png")
    page.unroute(re.compile("/modelops/"), gone)
    tab.get_by_role("button", name="Retry").first.click()
    expect(tab.get_by_role("alert")).to_have_count(0)


def test_code_is_copied_from_the_page_by_keyboard(panel: Locator) -> None:
    page = panel.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel.get_by_role("button", name="Refresh").click()
    panel.get_by_role("button", name=re.compile("flight-delay")).click()
    tab = page.get_by_role("region", name="Model flight-delay")
    tab.get_by_role("tab", name="Versions").click()
    tab.get_by_role("button", name="Code of flight-delay/2").press("Enter")
    expect(page.get_by_text("The code of flight-delay/2 is copied").first).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").endswith('model = ws.load("flight-delay/2")')
