"""Models in Notebook 7: pages beside its files, the panel and the toolbar button beside a notebook."""

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import nbformat
import pytest
from playwright.sync_api import Browser, expect
from servers import TOKEN, Server, serve

pytestmark = pytest.mark.browser


@pytest.fixture
def notebook7(project: Path, tmp_path: Path) -> Iterator[Server]:
    """Run Jupyter Notebook on the project."""
    arguments = [f"--IdentityProvider.token={TOKEN}", "--allow-root", f"--ServerApp.root_dir={project}"]
    yield from serve("notebook", arguments, tmp_path, project, f"/api/status?token={TOKEN}")


def test_notebook_7_has_pages_panel_and_toolbar_button(
    browser: Browser, notebook7: Server, project: Path, screenshots: Path
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{notebook7.address}/tree?token={TOKEN}&modelops=flight-delay")
    tab = page.get_by_role("region", name="Model flight-delay")
    expect(tab.get_by_role("heading", name="flight-delay")).to_be_visible()
    page.screenshot(path=screenshots / "notebook-model.png")
    name = f"plain-{uuid4().hex[:6]}.ipynb"
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(metadata=metadata), project / name)
    page.goto(f"{notebook7.address}/notebooks/{name}?token={TOKEN}")
    expect(page.locator(".jp-Notebook")).to_be_visible()
    page.keyboard.press("Alt+Shift+M")
    panel = page.get_by_role("region", name="Models", exact=True)
    with context.expect_page() as opened:  # a notebook's page has room for nothing else
        panel.get_by_role("button", name=re.compile("flight-delay")).click()
    expect(opened.value.get_by_role("heading", name="flight-delay")).to_be_visible()
    with context.expect_page() as opened:
        page.locator(".jp-NotebookPanel-toolbar [data-command='modelops:run-notebook']").click()
    expect(opened.value.get_by_role("heading", name="Run with parameters")).to_be_visible()
    context.close()
