"""Running a notebook with parameters from JupyterLab, as a person does it: form, progress, log, cancel, output."""

import json
import re
from pathlib import Path
from uuid import uuid4

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect
from servers import TOKEN, Server

PARAMETERS = """\
rows: int = 100  # how many rows to take
title = "spring"
alpha: float | None = None
seconds: float = 0.2  # how long a step takes
"""


@pytest.fixture
def notebook(project: Path) -> Path:
    """Write a notebook that declares parameters."""
    cell = nbformat.v4.new_code_cell
    cells = [
        nbformat.v4.new_markdown_cell("# Train"),
        cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        cell("import time\nfor step in range(3):\n    print('step', step, title)\n    time.sleep(seconds)"),
        cell("assert rows != 13, 'thirteen rows bring bad luck'"),
        cell("rows + 1"),
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path = project / f"train-{uuid4().hex[:6]}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path


def run_tab(page: Page, lab: Server, notebook: Path, workspace: str) -> Locator:
    """Open "Run with Parameters…" from the file browser's context menu."""
    page.goto(f"{lab.address}/lab/workspaces/{workspace}?token={TOKEN}")
    page.locator(".jp-DirListing-item", has_text=notebook.name).click(button="right", timeout=60_000)
    page.get_by_role("menuitem", name="Run with Parameters…").click()
    return page.get_by_role("region", name=f"Run {notebook.name} with parameters")


def test_a_run_from_the_form_to_its_output_and_through_a_reload(
    page: Page, lab: Server, notebook: Path, screenshots: Path
) -> None:
    workspace = uuid4().hex
    tab = run_tab(page, lab, notebook, workspace)
    expect(tab).to_contain_text("how many rows to take · default 100")
    rows = tab.get_by_label("rows")
    rows.fill("12.5")
    expect(tab).to_contain_text("A whole number is wanted here.")
    expect(tab.get_by_role("button", name="Run")).to_be_disabled()
    rows.fill("14")
    page.screenshot(path=screenshots / "lab-run-form.png")
    output = tab.get_by_label("Output").input_value()
    tab.get_by_label("seconds").fill("1.5")
    tab.get_by_role("button", name="Run").click()
    expect(tab.get_by_role("status")).to_contain_text(re.compile(r"Running cell 3 of 5"), timeout=30_000)
    saved = f"{lab.address}/lab/api/workspaces/{workspace}?token={TOKEN}"
    for _ in range(100):
        if '"job"' in page.request.get(saved).text():
            break
        page.wait_for_timeout(100)
    page.reload()
    tab = page.get_by_role("region", name=f"Run {notebook.name} with parameters")
    expect(tab.get_by_role("status")).to_contain_text("Completed", timeout=60_000)
    cells = tab.get_by_role("list", name="Cells")
    expect(cells).to_contain_text("step 2 spring")
    expect(cells.get_by_role("listitem")).to_have_count(5)
    page.screenshot(path=screenshots / "lab-run-done.png")
    tab.get_by_role("button", name="Open output").click()
    expect(page.get_by_role("tab", name=output)).to_be_visible()
    ran = nbformat.read(notebook.parent / output, as_version=4)
    given = next(cell.source for cell in ran.cells if "injected-parameters" in cell.metadata.get("tags", ()))
    assert "rows = 14" in given
    assert "title" not in given
    assert ran.cells[-1].outputs[0]["data"]["text/plain"] == "15"


def test_a_failure_says_which_cell_and_another_run_keeps_the_answers(page: Page, lab: Server, notebook: Path) -> None:
    tab = run_tab(page, lab, notebook, uuid4().hex)
    tab.get_by_label("rows").fill("13")
    tab.get_by_role("button", name="Run").click()
    expect(tab.get_by_role("alert")).to_contain_text("thirteen rows bring bad luck", timeout=30_000)
    expect(tab.get_by_role("list", name="Cells")).to_contain_text("failed after")
    tab.get_by_role("button", name="Run again…").click()
    expect(tab.get_by_label("rows")).to_have_value("13")


def test_a_run_is_cancelled(page: Page, lab: Server, notebook: Path) -> None:
    tab = run_tab(page, lab, notebook, uuid4().hex)
    tab.get_by_label("seconds").fill("60")
    tab.get_by_role("button", name="Run").click()
    expect(tab.get_by_role("status")).to_contain_text("Running cell 3", timeout=30_000)
    tab.get_by_role("button", name="Cancel").click()
    expect(tab.get_by_role("status")).to_contain_text("Cancelled.", timeout=30_000)
    jobs = page.request.get(f"{lab.address}/modelops/api/v1/jobs?token={TOKEN}").text()
    assert json.loads(jobs)["rows"][0]["state"] == "cancelled"
