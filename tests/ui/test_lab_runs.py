"""Running a notebook with parameters from JupyterLab, as a person does it: form, progress, log, cancel, output."""

import json
import re
from pathlib import Path
from uuid import uuid4

import nbformat
import pytest
from lab_pages import open_lab, until
from playwright.sync_api import Locator, Page, expect
from servers import TOKEN, Server

pytestmark = pytest.mark.browser

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


def asked(page: Page, notebook: Path) -> Locator:
    """Open "Run with Parameters…" from the file browser's context menu."""
    page.get_by_role("tab", name=re.compile("File Browser")).click()
    page.get_by_role("button", name="Refresh the file browser.").click()
    page.locator(".jp-DirListing-item", has_text=notebook.name).click(button="right")
    page.get_by_role("menuitem", name="Run with Parameters…").click()
    return page.get_by_role("region", name=f"Run {notebook.name} with parameters")


def test_a_run_from_the_form_to_its_output_and_through_a_reload(
    page: Page, lab: Server, notebook: Path, screenshots: Path
) -> None:
    workspace = uuid4().hex
    open_lab(page, lab, workspace)
    tab = asked(page, notebook)
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
    expect(tab.get_by_role("status")).to_contain_text(re.compile(r"Running cell 3 of 5"))
    saved = f"{lab.address}/lab/api/workspaces/{workspace}?token={TOKEN}"
    until(page, lambda: '"job"' in page.request.get(saved).text())
    page.reload()
    tab = page.get_by_role("region", name=f"Run {notebook.name} with parameters")
    expect(tab.get_by_role("status")).to_contain_text("Completed")
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


def test_a_failure_says_which_cell_and_another_run_keeps_the_answers(panel: Locator, notebook: Path) -> None:
    tab = asked(panel.page, notebook)
    tab.get_by_label("rows").fill("13")
    tab.get_by_role("button", name="Run").click()
    expect(tab.get_by_role("alert")).to_contain_text("thirteen rows bring bad luck")
    expect(tab.get_by_role("list", name="Cells")).to_contain_text("failed after")
    tab.get_by_role("button", name="Show the log").click()
    expect(tab.get_by_label("Log")).not_to_be_empty()
    tab.get_by_role("button", name="Run again…").click()
    expect(tab.get_by_label("rows")).to_have_value("13")


def test_a_run_outlives_a_lost_connection_and_is_cancelled(panel: Locator, notebook: Path, lab: Server) -> None:
    page, events = panel.page, re.compile("/events")
    tab = asked(page, notebook)
    tab.get_by_label("seconds").fill("60")
    page.route(events, lambda route: route.abort())
    tab.get_by_role("button", name="Run").dblclick()
    expect(tab.get_by_role("status")).to_contain_text("The connection is lost: trying again.")
    page.unroute(events)
    page.route(events, lambda route: route.fulfill(status=503, body="<h1>Service unavailable</h1>"))  # a hub's proxy
    with page.expect_response(events):
        pass
    page.unroute(events)
    expect(tab.get_by_role("status")).to_have_text(re.compile(r"Running cell 3 of 5\.$"))
    expect(tab.get_by_role("alert")).to_have_count(0)  # neither was the end of it
    tab.get_by_role("button", name="Cancel").click()
    expect(tab.get_by_role("status")).to_contain_text("Cancelled.")
    jobs = json.loads(page.request.get(f"{lab.address}/modelops/api/v1/jobs?token={TOKEN}").text())["rows"]
    assert [job["state"] for job in jobs if job["arguments"].get("path") == notebook.name] == ["cancelled"]  # just one
