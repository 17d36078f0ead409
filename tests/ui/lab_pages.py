"""JupyterLab as the browser tests use it: the panel, a model's page, and answers in the server's place."""

import re
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect
from servers import TOKEN, Server

FLEET = re.compile(r"/modelops/api/v1/models(\?|$)")
KEYS = "window.jupyterapp.commands.keyBindings.some(({keys}) => keys[0] === 'Shift Enter')"
SESSION = "window.jupyterapp.shell.currentWidget.sessionContext"
THEME = "words => window.jupyterapp.commands.execute('apputils:change-theme', words).then(() => null)"
# A notebook that is closed while its kernel starts leaves an error behind.
CLOSE = """async () => {
  for (const widget of [...window.jupyterapp.shell.widgets('main')]) {
    if (widget.context) {
      const begun = widget.context.ready.then(() => widget.context.sessionContext.ready);
      await Promise.race([begun, new Promise(done => setTimeout(done, 10000))]);
      widget.context.model.dirty = false;
    }
    widget.close();
  }
}"""
HEALTHS = ("healthy", "warning", "alert", "not judged")


def open_lab(page: Page, lab: Server, workspace: str | None = None) -> Locator:
    """Open JupyterLab in a fresh layout, show the panel and return it."""
    page.goto(f"{lab.address}/lab/workspaces/{workspace or uuid4().hex}?token={TOKEN}")
    ready(page)
    return shown(page)


def ready(page: Page) -> None:
    """Wait until JupyterLab has restored its layout and knows its shortcuts: keys that come before are lost."""
    page.wait_for_function("window.jupyterapp !== undefined", timeout=60_000)
    page.evaluate("window.jupyterapp.restored.then(() => null)")
    page.wait_for_function(KEYS)


def shown(page: Page) -> Locator:
    """Show the panel, if it is not, and return it."""
    panel = page.get_by_role("region", name="Models", exact=True)
    if not panel.is_visible():
        page.get_by_role("tab", name="Models").click()
    return panel


def kernel_idle(page: Page) -> None:
    """Wait for the kernel of the notebook in front: what is asked of it before it is there is lost."""
    page.wait_for_function(f"{SESSION}.session?.kernel?.status === 'idle'", timeout=60_000)


def close_all(page: Page) -> None:
    """Close whatever is open in the main area, saved or not."""
    page.evaluate(CLOSE)


def show_in(page: Page, theme: str) -> None:
    """Choose JupyterLab's theme, "light" or "dark", as its menu does."""
    body, light = page.locator("body"), "true" if theme == "light" else "false"
    if body.get_attribute("data-jp-theme-light") != light:
        page.evaluate(THEME, {"theme": f"JupyterLab {theme.capitalize()}"})
    expect(body).to_have_attribute("data-jp-theme-light", light)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)  # JupyterLab covers itself while a theme loads


def open_file(page: Page, path: str) -> None:
    """Open a file in JupyterLab, as the file browser does."""
    page.evaluate("path => window.jupyterapp.commands.execute('docmanager:open', {path}).then(() => null)", path)


def open_page(page: Page, lab: Server, name: str) -> Locator:
    """Open JupyterLab at a model's page and return that."""
    page.goto(f"{lab.address}/lab/workspaces/{uuid4().hex}?token={TOKEN}&modelops={name}")
    ready(page)
    tab = page.get_by_role("region", name=f"Model {name}")
    expect(tab.get_by_role("heading", name=name)).to_be_visible()
    return tab


def page_of(panel: Locator, name: str) -> Locator:
    """Open a model's page from the panel and return that."""
    panel.get_by_role("button", name="Refresh").click()
    panel.locator(f"[data-name='{name}']").click()
    tab = panel.page.get_by_role("region", name=f"Model {name}")
    expect(tab.get_by_role("heading", name=name)).to_be_visible()
    return tab


def model(n: int, **other: Any) -> dict[str, Any]:
    """Return a row as the server answers it."""
    row = {
        "name": f"model-{n:04d}",
        "kind": "ml",
        "champion": 1,
        "versions": 2,
        "health": HEALTHS[n % 4],
        "open_alerts": n % 3,
        "data_through": "2026-01-01T00:00:00+00:00",
        "remarks": [],
        "metric": "roc_auc",
        "sparkline": [0.8 + 0.05 * ((n * k) % 7) / 7 for k in range(60)],
        "owner": None,
        "risk_tier": None,
    }
    return row | other


def refreshed(panel: Locator, rows: list[dict[str, Any]]) -> None:
    """Let the server answer with these models, and have the panel ask it."""
    answer(panel.page, rows)
    panel.get_by_role("button", name="Refresh").click()


def answer(page: Page, rows: list[dict[str, Any]]) -> None:
    """Let the server answer with these models."""
    page.route(FLEET, lambda route: route.fulfill(json={"title": "Models", "rows": rows}))


def until(page: Page, true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something that is not on the page."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)


def drag(what: Locator, onto: Locator) -> None:
    """Drag something onto the beginning of something else, as a hand does."""
    what.scroll_into_view_if_needed()
    start, end, mouse = what.bounding_box(), onto.bounding_box(), what.page.mouse
    assert start
    assert end
    x, y = start["x"] + min(30, start["width"] / 2), start["y"] + min(12, start["height"] / 2)
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 20, y + 20, steps=4)
    mouse.move(end["x"] + 200, end["y"] + 20, steps=8)
    mouse.up()


def look_up(page: Page, words: str) -> Locator:
    """Open the palette by its keys, look for commands, and return those that it found."""
    box, found = page.locator(".lm-CommandPalette-input").first, page.locator(".lm-CommandPalette-item")

    def asked() -> bool:
        # JupyterLab drops keys while it starts, and closes the palette when a page that is late takes the focus.
        if not box.is_visible():
            page.keyboard.press("Control+Shift+C")
        elif box.input_value() != words:
            box.fill(words)
        else:
            return found.first.is_visible()
        return False

    until(page, asked)
    return found


def palette(page: Page, label: str) -> None:
    """Run a command from the palette."""
    look_up(page, label).filter(has_text=label).first.click()


def violations(page: Page, *selectors: str) -> list[str]:
    """Return what axe-core finds of serious or critical impact within some elements."""
    found = Axe().run(page, {"include": [[selector] for selector in selectors]}).response
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def tab_to(wanted: Locator) -> None:
    """Press Tab until something has the focus, as somebody without a mouse does."""
    for _ in range(60):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        wanted.page.keyboard.press("Tab")
    raise AssertionError(f"The Tab key does not lead to {wanted}.")
