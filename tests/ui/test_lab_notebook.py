"""Models in notebooks: registered from a live kernel, completed in magic lines, dragged in as code."""

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import nbformat
import pytest
from lab_pages import SESSION, close_all, drag, kernel_idle, open_file, palette, shown
from playwright.sync_api import Locator, expect

from modelops_jupyter.settings import find_settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.browser

BESIDE = """async () => {
  const {commands, shell} = window.jupyterapp;
  const notebook = shell.currentWidget;
  await commands.execute('modelops:open-model', {name: 'flight-delay'});
  shell.add(shell.currentWidget, 'main', {mode: 'split-right', ref: notebook.id});
}"""
FIT = """\
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression

X_train = pd.DataFrame({"wind": np.arange(60.0) % 7, "rain": np.arange(60.0) % 5})
y_train = pd.Series((X_train.wind > 3).astype(int), name="late")
X_valid, y_valid = X_train.head(20), y_train.head(20)
X = X_train.assign(rain=1)
clf = LogisticRegression().fit(X_train, y_train)
"""


@pytest.fixture
def notebook(panel: Locator, project: Path) -> Iterator[Locator]:
    """Open a notebook that fits a model, in JupyterLab, its kernel idle."""
    page = panel.page
    path = project / f"fit-{uuid4().hex[:6]}.ipynb"
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(FIT)], metadata=metadata), path)
    open_file(page, path.name)
    notebook = page.locator(".jp-Notebook:visible")
    kernel_idle(page)
    notebook.locator(".jp-Cell").first.locator(".cm-content").click()
    yield notebook
    close_all(page)
    page.evaluate("window.jupyterapp.serviceManager.sessions.shutdownAll()")


def run_first_cell(notebook: Locator) -> None:
    """Run the cell and wait for its end."""
    notebook.locator(".cm-content").first.press("Shift+Enter")
    expect(notebook.locator(".jp-InputPrompt").first).to_contain_text(re.compile(r"\[\d+\]:"))


def test_a_fitted_model_is_registered_and_the_code_stays(notebook: Locator, project: Path, screenshots: Path) -> None:
    page = notebook.page
    run_first_cell(notebook)
    palette(page, "Register a Model")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Fitted model")).to_have_value("clf")
    expect(dialog.get_by_role("button", name="Insert and run")).to_be_disabled()  # it has no name yet
    expect(dialog.get_by_label("Training rows", exact=True)).to_have_value("X_train")
    expect(dialog.get_by_label("Labels of the training rows")).to_have_value("y_train")
    dialog.get_by_label("Validation rows", exact=True).select_option("")
    expect(dialog.get_by_role("status")).to_contain_text("nothing is measured")
    dialog.get_by_label("Register as").fill("no spaces here")
    expect(dialog).to_contain_text("A name has letters, digits, dots, dashes and underscores.")
    dialog.get_by_label("Register as").fill("storm")
    dialog.get_by_label("What it is for").fill("says whether it's <b>windy</b>")
    page.screenshot(path=screenshots / "lab-register.png")
    dialog.get_by_role("button", name="Insert and run").click()
    expect(notebook.get_by_text("storm/1")).to_be_visible()
    code = notebook.locator(".jp-CodeCell").nth(1)
    expect(code).to_contain_text("%modelops register clf storm --data X_train --target y_train --description")
    with Workspace(find_settings(project)) as ws:
        assert ws.overview("storm").description == "says whether it's <b>windy</b>"
    panel = shown(page)
    expect(panel.get_by_role("button", name=re.compile("storm"))).to_be_visible()  # at once, without a refresh


def test_a_kernel_that_is_gone_is_said_and_asked_again(notebook: Locator) -> None:
    page = notebook.page
    run_first_cell(notebook)
    page.evaluate("window.jupyterapp.commands.execute('kernelmenu:shutdown').then(() => null)")
    expect(page.get_by_role("button", name="No Kernel", exact=True)).to_be_visible()
    page.evaluate("void window.jupyterapp.commands.execute('modelops:register-model')")
    dialog = page.get_by_role("dialog", name="Register a model")
    expect(dialog.get_by_role("alert")).to_contain_text("The kernel is not running: start or restart it")
    page.evaluate(f"{SESSION}.changeKernel({{name: 'python3'}}).then(() => null)")
    dialog.get_by_role("button", name="Retry").click()
    expect(dialog).to_contain_text("This notebook holds no fitted model: run the cell that fits one first.")
    dialog.get_by_role("button", name="Cancel").click()


def test_references_are_completed_in_magic_lines(notebook: Locator) -> None:
    page = notebook.page
    notebook.locator(".cm-content").first.click()
    page.keyboard.press("Control+a")
    page.keyboard.type("%modelops overview flight")
    page.keyboard.press("Tab")
    menu = page.locator(".jp-Completer")
    expect(menu.get_by_text("flight-delay@champion").first).to_be_visible()
    expect(menu.get_by_text("flight-delay/2").first).to_be_visible()


def test_a_model_is_dragged_into_a_notebook(notebook: Locator) -> None:
    page = notebook.page
    panel = shown(page)
    row = panel.locator("[data-name='flight-delay']")
    drag(row, notebook.locator(".jp-Cell").first)
    expect(notebook.locator(".jp-CodeCell")).to_have_count(2)
    expect(notebook).to_contain_text('model = ws.load("flight-delay@champion")')


def test_versions_and_alerts_are_dragged_into_a_notebook(notebook: Locator) -> None:
    page = notebook.page
    page.evaluate(BESIDE)
    tab = page.get_by_role("region", name="Model flight-delay")
    tab.get_by_role("tab", name="Versions").click()
    drag(tab.get_by_role("button", name="Code of flight-delay/2"), notebook.locator(".jp-Cell").first)
    expect(notebook).to_contain_text('model = ws.load("flight-delay/2")')
    tab.get_by_role("tab", name="Overview").click()
    handle = tab.get_by_role("region", name="Open alerts").get_by_role("button", name="Code of alerts of flight-delay")
    drag(handle.first, notebook.locator(".jp-Cell").first)
    expect(notebook).to_contain_text('alerts = ws.alerts("flight-delay").to_frame()')
    cell = notebook.locator(".jp-CodeCell", has_text="ws.alerts(")
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    expect(cell.locator(".jp-OutputArea-output")).to_contain_text("window_start")


def test_the_status_bar_counts_open_alerts_and_leads_to_the_models(notebook: Locator) -> None:
    page = notebook.page
    page.locator(".jp-ModelOpsStatus").get_by_role("button", name=re.compile(r"\d+ open alerts")).click()
    panel = page.get_by_role("region", name="Models", exact=True)
    expect(panel.get_by_role("searchbox")).to_be_focused()
