"""The panel and a model's page in a real JupyterLab, in a real browser, beside JupyterLab's own running-kernels panel
and a text file.

    python -m tests.benchmarks.lab [MODELS] [DAYS]

A workspace of 1,000 models (or MODELS) of 5 versions, one of them watched for 365 days (or DAYS) with 40 inputs and 3
segments; the server is warm. The panel is filled once its rows are on screen, a page can be used once its chart and its
table of alerts are; both are asked for by their commands, so that nobody's hand is timed. Before that nothing reads
models: the count in the status bar and the notifications, which would have them ready, are switched off. Each figure
is the median of visits that begin with a fresh page.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from playwright.sync_api import Browser, Page, sync_playwright

from modelops_jupyter.settings import Settings
from modelops_jupyter.store import Change, Put, open_store
from tests.benchmarks.dashboard import WATCHED, watch
from tests.benchmarks.panel import fill

sys.path.insert(0, str(Path(__file__).parents[1] / "ui"))
from browser import launch
from lab_pages import ready
from servers import TOKEN, Server, serve

VISITS = 5
# Milliseconds from a command to the picture in which all that is named is to be seen.
UNTIL = """async ([command, given, ...shown]) => {
  const seen = (name) => [...document.querySelectorAll(name)].some((one) => one.getClientRects().length > 0);
  const begun = performance.now();
  void window.jupyterapp.commands.execute(command, given);
  while (!shown.every(seen)) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}"""
ACTS = {
    "JupyterLab's running-kernels panel": ("running:show-panel", {}, ".jp-RunningSessions-section"),
    "panel of models": ("modelops:show-models", {}, ".jp-ModelOpsPanel [data-name]"),
    "a text file in JupyterLab": ("docmanager:open", {"path": "notes.txt"}, ".jp-FileEditor .cm-line"),
    "a model's page": (
        "modelops:open-model",
        {"name": WATCHED},
        ".jp-ModelOpsPage .jp-ModelOpsChart-line",
        ".jp-ModelOpsPage section table",
    ),
}
WANTED = {"panel of models": 300.0, "a model's page": 1000.0}


@contextmanager
def lab(folder: Path) -> Iterator[Server]:
    """Run JupyterLab on a workspace."""
    home = folder / "home"
    chosen = home / "settings" / "modelops-jupyter" / "plugin.jupyterlab-settings"
    chosen.parent.mkdir(parents=True)
    chosen.write_text(json.dumps({"statusBar": False, "notifications": False}))
    arguments = [f"--IdentityProvider.token={TOKEN}", "--allow-root", f"--ServerApp.root_dir={folder}"]
    arguments += ["--LabApp.expose_app_in_browser=True"]
    for server in serve("jupyterlab", arguments, home, folder, f"/api/status?token={TOKEN}"):
        server.use("Light")
        yield server


def milliseconds(browser: Browser, server: Server) -> dict[str, float]:
    """Return how long each act takes, in the median of the visits; the first, which warms all, is left out."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    took: dict[str, list[float]] = {what: [] for what in ACTS}
    for visit in range(VISITS + 1):
        page = context.new_page()
        page.goto(f"{server.address}/lab/workspaces/{uuid4().hex}?token={TOKEN}")
        ready(page)
        page.wait_for_load_state("networkidle")
        for what, act in ACTS.items():
            found = timed(page, act)
            if visit > 0:
                took[what].append(found)
        page.close()
    context.close()
    return {what: statistics.median(found) for what, found in took.items()}


def timed(page: Page, act: tuple[object, ...]) -> float:
    """Return the milliseconds until what an act asks for is on screen, and let the page come to rest."""
    found = float(page.evaluate(UNTIL, list(act)))
    page.wait_for_timeout(500)
    return found


def main(models: int, days: int) -> int:
    """Measure and print; 1 if a target is missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(project=folder, root=folder / ".modelops")
        store = open_store(settings.store_path, settings.lock_path)
        fill(store, models)
        watch(store, settings.log_path, days)
        alert = {"model": WATCHED, "kind": "drift", "column": "c0", "metric": "psi", "figure": 1.0, "threshold": 0.2}
        alert |= {"state": "open", "segment": "", "message": f"{WATCHED}: psi", "window_start": "2026-01-01T00:00:00Z"}
        store.commit(Change(puts=(Put("alert", f"{WATCHED}/x", alert, subject=WATCHED),)))
        store.close()
        (folder / "notes.txt").write_text("one line\n")
        with lab(folder) as server, sync_playwright() as playwright:
            found = milliseconds(launch(playwright), server)
    print(f"{models} models x 5 versions, one of {days} days; median of {VISITS} visits; load {os.getloadavg()[0]:.0f}")
    for what, took in found.items():
        most = WANTED.get(what)
        wanted = "" if most is None else f"   wanted {most:.0f} ms: {'met' if took <= most else 'missed'}"
        print(f"{what:36} {took:6.0f} ms{wanted}")
    return 1 if any(found[what] > most for what, most in WANTED.items()) else 0


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*(given or [1000]), *([365] if len(given) < 2 else [])))
