"""Forms and dialogs of JupyterLab: what axe-core says of them in light and dark, and the keyboard alone."""

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import nbformat
import pytest
from lab_pages import (
    close_all,
    kernel_idle,
    look_up,
    open_file,
    palette,
    show_in,
    shown,
    tab_to,
    until,
    violations,
)
from playwright.sync_api import Locator, Page, expect

from modelops_jupyter.settings import find_settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.browser

INSERT = """async source => {
  const {commands, shell} = window.jupyterapp;
  await commands.execute('notebook:insert-cell-below');
  shell.currentWidget.content.activeCell.model.sharedModel.setSource(source);
  await commands.execute('notebook:run-cell');
}"""
CELLS = (
    "rows: int = 100  # how many rows to take\nmode = 'fast'",
    "import numpy as np, pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n"
    "flights = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 2)), columns=['wind', 'rain'])\n"
    "flights['late'] = flights.wind + np.random.default_rng(1).normal(size=200) > 0\n"
    "X, y = flights[['wind', 'rain']], flights.late\n"
    "X_train, X_test, y_train, y_test = X[:150], X[150:], y[:150], y[150:]\n"
    "clf = LogisticRegression().fit(X_train, y_train)",
)


@pytest.fixture
def notebook(project: Path) -> Path:
    """Write a notebook with parameters that fits a model."""
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    cells[0].metadata["tags"] = ["parameters"]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path = project / f"dialogs-{uuid4().hex[:6]}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path


@pytest.fixture
def desk(panel: Locator, notebook: Path) -> Iterator[Page]:
    """Open the notebook in JupyterLab."""
    open_file(panel.page, notebook.name)
    kernel_idle(panel.page)
    yield panel.page
    close_all(panel.page)
    panel.page.evaluate("window.jupyterapp.serviceManager.sessions.shutdownAll()")


@pytest.fixture
def fitted(desk: Page) -> Page:
    """Let the notebook fit its model."""
    desk.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => null)")
    expect(desk.locator(".jp-Notebook .jp-InputPrompt").nth(1)).to_contain_text("[2]:")
    return desk


def run_form(page: Page, notebook: Path) -> Locator:
    """Open the form by its shortcut, from within the notebook."""
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+Shift+R")
    return page.get_by_role("region", name=f"Run {notebook.name} with parameters")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(fitted: Page, notebook: Path, screenshots: Path, theme: str) -> None:
    page = fitted
    show_in(page, theme)
    palette(page, "Register a Model")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Fitted model")).to_have_value("clf")
    dialog.get_by_label("Register as").fill("no good name")
    page.screenshot(path=screenshots / f"lab-register-{theme}.png")
    found = violations(page, ".jp-Dialog")
    page.keyboard.press("Escape")

    form = run_form(page, notebook)
    form.get_by_label("rows").fill("12.5")
    expect(form).to_contain_text("A whole number is wanted here.")
    page.screenshot(path=screenshots / f"lab-run-form-{theme}.png")
    found += violations(page, ".jp-ModelOpsRun")
    form.get_by_label("rows").fill("12")
    form.get_by_role("button", name="Run").click()
    expect(form.get_by_role("status")).to_contain_text("Completed")
    form.get_by_role("button", name="Show the log").click()
    page.screenshot(path=screenshots / f"lab-run-{theme}.png")
    found += violations(page, ".jp-ModelOpsRun")

    shown(page).locator("[data-name='flight-delay']").click()
    tab = page.get_by_role("region", name="Model flight-delay")
    tab.get_by_role("button", name="Resolve…").first.click()
    expect(page.get_by_role("dialog", name="Resolve an incident")).to_be_visible()
    page.screenshot(path=screenshots / f"lab-incident-{theme}.png")
    found += violations(page, ".jp-Dialog")
    page.keyboard.press("Escape")
    assert found == []


def test_a_notebook_is_run_by_keyboard_alone(desk: Page, notebook: Path) -> None:
    page, press = desk, desk.keyboard.press
    form = run_form(page, notebook)
    expect(form.get_by_label("rows")).to_be_visible()
    tab_to(form.get_by_label("rows"))
    page.keyboard.type("7")
    press("Enter")  # as in any form
    expect(form.get_by_role("status")).to_contain_text("Completed")
    tab_to(form.get_by_role("button", name="Open output"))
    press("Enter")
    until(page, lambda: "rows = 7" in page.locator(".jp-Notebook:visible").inner_text())
    kernel_idle(page)


def test_a_model_is_registered_by_keyboard_alone(fitted: Page, project: Path) -> None:
    page, press = fitted, fitted.keyboard.press
    look_up(page, "Register a Model")
    press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Fitted model")).to_have_value("clf")
    tab_to(dialog.get_by_label("Register as"))
    page.keyboard.type("by-keyboard")
    tab_to(dialog.get_by_role("button", name="Insert and run"))
    press("Enter")
    expect(page.locator(".jp-Notebook").get_by_text("by-keyboard/1")).to_be_visible()
    with Workspace(find_settings(project)) as ws:
        assert ws.version("by-keyboard/1").version == 1


def test_a_model_that_is_registered_in_the_dialog_passes_the_gate(fitted: Page, project: Path) -> None:
    page = fitted
    palette(page, "Register a Model")
    dialog = page.get_by_role("dialog")
    preselected = {
        "Fitted model": "clf",
        "Training rows": "X_train",
        "Labels of the training rows": "y_train",
        "Validation rows": "X_test",
        "Labels of the validation rows": "y_test",
    }
    for label, value in preselected.items():
        expect(dialog.get_by_label(label, exact=True)).to_have_value(value)
    expect(dialog.get_by_role("status")).to_contain_text("Metrics are measured on X_test, and gates read those.")
    dialog.get_by_label("Register as").fill("gated")
    dialog.get_by_role("button", name="Insert and run").click()
    notebook = page.locator(".jp-Notebook")
    expect(notebook).to_contain_text(
        "%modelops register clf gated --data X_train --target y_train --validated-on X_test --outcomes y_test"
    )
    expect(notebook.locator(".jp-OutputArea-output").last).to_contain_text("on 50 rows")

    shown(page).locator("[data-name='gated']").click()
    tab = page.get_by_role("region", name="Model gated")
    tab.get_by_role("tab", name="Versions").click()
    expect(tab.get_by_role("row", name=re.compile("Version 1"))).to_contain_text("measured on 50 rows: ROC AUC 0.")
    for action, button in (("Approve…", "Approve"), ("Promote…", "Promote")):
        tab.get_by_role("button", name=action).click()
        expect(dialog.get_by_role("group", name="Gate report")).to_contain_text("measured on 50 rows")
        dialog.get_by_role("textbox").fill("measured on rows that it has not seen")
        dialog.get_by_role("button", name=button, exact=True).click()
        expect(dialog).to_have_count(0)
    expect(tab.get_by_role("row", name=re.compile("Version 1"))).to_contain_text("champion")
    with Workspace(find_settings(project)) as ws:
        champion = ws.version("gated@champion")
    assert champion.body["measured"]["rows"] == 50
    assert champion.body["features"] == ["wind", "rain"]


def test_a_claim_is_told_from_a_measurement_and_the_gate_says_what_to_do(
    fitted: Page, project: Path, screenshots: Path
) -> None:
    page = fitted
    line = "%load_ext modelops_jupyter\n%modelops register clf boast --data X --target y --metric roc_auc=0.999"
    page.locator(".jp-Notebook .jp-Cell").last.click()
    page.evaluate(INSERT, line)
    expect(page.locator(".jp-Notebook")).to_contain_text("ClaimedROC AUC 0.999")
    shown(page).get_by_role("button", name="Refresh").click()
    shown(page).locator("[data-name='boast']").click()
    tab = page.get_by_role("region", name="Model boast")
    tab.get_by_role("tab", name="Versions").click()
    expect(tab.get_by_role("row", name=re.compile("Version 1"))).to_contain_text("claimed: ROC AUC 0.999")
    tab.get_by_role("button", name="Promote…").click()
    report = page.get_by_role("dialog").get_by_role("group", name="Gate report")
    expect(report).to_contain_text("ROC AUC 0.999 is only claimed, and for champion a metric must be measured")
    expect(report.locator("code")).to_contain_text(
        ["--validated-on FILE --outcomes COLUMN", "modelops evaluate boast/1"]
    )
    page.screenshot(path=screenshots / "lab-gate-claimed.png")
    page.keyboard.press("Escape")
    with Workspace(find_settings(project)) as ws:
        assert ws.version("boast/1").body["measured"] is None


def test_an_incident_is_acknowledged_by_keyboard_alone(panel: Locator, project: Path) -> None:
    page, press = panel.page, panel.page.keyboard.press
    press("Alt+Shift+M")
    expect(shown(page).get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("flight-delay")
    tab_to(shown(page).locator("[data-name='flight-delay']"))
    press("Enter")
    tab = page.get_by_role("region", name="Model flight-delay")
    button = tab.get_by_role("button", name="Acknowledge…").first
    expect(button).to_be_visible()
    tab_to(button)
    press("Enter")
    dialog = page.get_by_role("dialog", name="Acknowledge an incident")
    expect(dialog.get_by_role("textbox")).to_be_focused()
    page.keyboard.type("seen by keyboard")
    tab_to(dialog.get_by_role("button", name="Acknowledge", exact=True))
    press("Enter")
    expect(dialog).to_have_count(0)
    with Workspace(find_settings(project)) as ws:
        taken = [row for row in ws.incidents("flight-delay") if row["state"] == "acknowledged"]
        assert len(taken) == 1
