"""Live views in a real front end: a browser, a monitor that follows it, bars that sort, a gate that decides."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from dashboard_fixtures import shoot
from playwright.sync_api import Browser, expect

from modelops_jupyter import workspace as workspaces

pytestmark = pytest.mark.browser

CELL = """
import traitlets, ipywidgets, modelops_jupyter as mo
from modelops_jupyter.display.chart import Chart
from modelops_jupyter.display.bars import Bar, bar_list
from modelops_jupyter.display.widgets import AlertInbox, GateView, ModelBrowser, MonitorView
ws = mo.open({project!r})
browser, monitor, inbox = ModelBrowser(ws), MonitorView(ws), AlertInbox(ws)
traitlets.link((browser, "model"), (monitor, "model"))
bars = Chart(html=bar_list([Bar("origin=JFK", 30, 0.7), Bar("origin=EWR", 200, 0.5)], "roc_auc"))
ipywidgets.VBox([browser, monitor, inbox, bars, GateView(ws, "churn/1")])
"""


@pytest.fixture(scope="module")
def team(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the workspace to decide in: other tests look at what nobody decided."""
    return shutil.copytree(workspace, tmp_path_factory.mktemp("decided") / "team")


@pytest.fixture(scope="module")
def page_url(team: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a notebook of live views by Voila, as anybody would."""
    folder = tmp_path_factory.mktemp("live")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL.format(project=str(team)))])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "live.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    allowed = "['@voila-dashboards/widgets-manager8', '@jupyter-widgets/jupyterlab-manager', 'anywidget']"
    command = [sys.executable, "-m", "voila", "live.ipynb", f"--port={port}", "--no-browser", "--Voila.ip=127.0.0.1"]
    command += [f"--VoilaConfiguration.extension_allowlist={allowed}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env={**os.environ}, stdout=log, stderr=log)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}/"
    process.terminate()
    process.wait(30)


def test_views_answer_and_follow_each_other(page_url: str, browser: Browser, team: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 2200})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(page_url)
    models = page.locator("button[data-pick^='model ']")
    expect(models).to_have_count(2)
    page.get_by_label("Name").fill("fli")
    expect(models).to_have_count(1)
    models.click()
    expect(models).to_have_attribute("aria-pressed", "true")
    expect(page.locator("rect[data-pick^='window']")).to_have_count(24)
    begun = time.monotonic()
    page.locator("[data-pick='cell 2013-04-20T00:00:00+00:00 wind']").click()
    expect(page.locator("[data-selected='column']")).to_have_count(1)
    print(f"a selection took {time.monotonic() - begun:.2f} s from click to picture")
    expect(page.locator("h4", has_text="wind")).to_be_visible()

    table = page.locator(".mo-bars")
    table.locator("th", has_text="Rows").click()
    expect(table.locator("tbody td:first-child")).to_have_text(["origin=JFK", "origin=EWR"])
    table.locator("th", has_text="Rows").press("Enter")
    expect(table.locator("tbody td:first-child")).to_have_text(["origin=EWR", "origin=JFK"])
    expect(table.locator("th", has_text="Rows")).to_have_attribute("aria-sort", "descending")

    page.locator("button[data-pick^='incident ']").click()
    expect(page.locator(".mo-bars, h4", has_text="flight-delay: ").first).to_be_visible()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("alert")).to_contain_text("write why")
    page.get_by_label("Reason, owner or comment").fill("looking into it")
    page.get_by_role("button", name="Acknowledge").dblclick()
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    expect(page.locator("tr", has=page.locator("button[data-pick^='incident ']"))).to_contain_text("acknowledged")

    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_contain_text("give a reason")
    page.get_by_label("Reason", exact=True).fill("reads well")
    page.get_by_role("button", name="Approve").dblclick()
    expect(page.get_by_label("Reason", exact=True)).to_have_value("")
    shoot(page, "live-views")
    with workspaces.open(team) as ws:
        deadline = time.monotonic() + 5
        while not (kept := ws.store.find("decision", "churn")) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert [record.body["reason"] for record in kept] == ["reads well"]
    page.close()
    assert errors == []
