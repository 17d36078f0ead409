"""The Voila pages in a real browser, beside an empty Voila notebook: until a reader can use them, and how they answer.

    python -m tests.benchmarks.dashboard [MODELS] [DAYS]

A workspace of 1,000 models (or MODELS), one of them watched for 365 days (or DAYS) with 40 inputs and 3 segments. A
page is usable once its list or its charts are on screen; each figure is the median of the visits, each with a browser
context of its own, so that nothing is cached. "Cold" starts a kernel, "preheated" takes one that waits. The baseline
is a notebook that shows one line by ipywidgets, served by the same Voila with the same template.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
import psutil
import pyarrow as pa
from playwright.sync_api import Browser, sync_playwright

from modelops_jupyter.actor import Actor
from modelops_jupyter.dashboards import serve as serving
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.monitoring import run_monitor
from modelops_jupyter.settings import Settings
from modelops_jupyter.store import Change, Put, Store, open_store
from tests.benchmarks.panel import fill
from tests.benchmarks.scan_ours import reference
from tests.benchmarks.tables import predictions
from tests.ui.browser import launch

VISITS, ANSWERS, ROWS = 5, 9, 200
WATCHED = "m"
EMPTY = "import ipywidgets\nipywidgets.HTML('<p class=\"mo-name\">Ready</p>')"
# Answers in milliseconds, from the reader's act to the last picture that follows.
PICK = """async ([pick, shown, words]) => {
  const target = document.querySelector(pick);
  const begun = performance.now();
  target.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  while (!document.querySelector(shown)?.textContent.includes(words)) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}"""
TYPE = """async ([name, count]) => {
  const field = document.querySelector("input[type=text]");
  const begun = performance.now();
  field.value = name;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  while (document.querySelectorAll("td.mo-name").length !== count) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}"""


def watch(store: Store, folder: Path, days: int) -> None:
    """Put a model on record that was watched every day, by segment."""
    known, at = reference(), "2026-01-01T00:00:00+00:00"
    model = {"name": WATCHED, "kind": "ml", "description": "", "created_at": at}
    version = {"name": WATCHED, "version": 1, "metrics": {"roc_auc": 0.9}, "flavor": "sklearn", "unsafe": False}
    version |= {"created_at": at, "created_by": "ann"}
    puts = (
        Put("model", WATCHED, model, subject=WATCHED),
        Put("version", f"{WATCHED}/000001", version, subject=WATCHED),
        Put("reference", f"{WATCHED}/000001", known.to_dict(), subject=WATCHED),
    )
    store.commit(Change(puts=puts))
    log = PredictionLog(folder)
    rows = predictions(days * ROWS, days)
    log.append_predictions(WATCHED, rows)
    drawn = np.random.default_rng(7).random(len(rows)) < rows["score"].to_numpy()
    labels = {
        "request_id": rows["request_id"],
        "label": pa.array(drawn.astype(int).astype(str)),
        "event_time": rows["timestamp"],
        "arrival_time": rows["timestamp"],
    }
    log.append_labels(WATCHED, pa.table(labels))
    references = {1: known}
    run_monitor(
        WATCHED, store=store, log=log, references=references, segments=("c0",), actor=Actor("ann", "self-asserted")
    )


def pages(folder: Path) -> Path:
    """Return our notebooks, once more where no kernel waits for them, and the baseline."""
    shutil.copytree(serving.PAGES, folder)
    shutil.copytree(serving.PAGES, folder / "cold")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(EMPTY)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "empty.ipynb")
    return folder


@dataclass(frozen=True)
class Visitor:
    """Visits the pages of one server with one browser."""

    board: serving.Dashboard
    browser: Browser

    def settle(self) -> None:
        """Wait until the server and its kernels have nothing left to do: the next one's kernel is started by then."""
        quiet = 0
        while quiet < 3:
            before = self._processor()
            time.sleep(0.5)
            quiet = quiet + 1 if self._processor() - before < 0.05 else 0

    def _processor(self) -> float:
        used = 0.0
        server = psutil.Process(self.board.process.pid)
        for process in (server, *server.children(recursive=True)):
            try:
                used += sum(process.cpu_times()[:2])
            except psutil.NoSuchProcess:  # a kernel that has just ended
                continue
        return used

    def seconds(self, page: str, ready: str) -> float:
        """Return how long a visit takes until `ready` is on screen, in the median."""
        took = []
        for _ in range(VISITS):
            self.settle()
            context = self.browser.new_context(viewport={"width": 1280, "height": 1000})
            begun = time.perf_counter()
            tab = context.new_page()
            tab.goto(self.board.url.replace("fleet.ipynb?", page))
            tab.wait_for_selector(ready, timeout=120_000)
            took.append(time.perf_counter() - begun)
            tab.goto("about:blank")  # the page's script ends its kernel
            context.close()
        return statistics.median(took)

    def answers(self) -> dict[str, float]:
        """Return the milliseconds that choosing takes, in the median."""
        self.settle()
        tab = self.browser.new_page(viewport={"width": 1280, "height": 1000})
        tab.goto(self.board.url)
        tab.wait_for_selector("td.mo-name", timeout=120_000)
        names = [(f"model-00{n}", 10) for n in range(ANSWERS)]
        typed = [tab.evaluate(TYPE, list(name)) for name in names]
        tab.goto(self.board.url.replace("fleet.ipynb?", f"model.ipynb?model={WATCHED}&"))
        tab.wait_for_selector(".mo-calibration svg", timeout=120_000)
        starts = tab.eval_on_selector_all("rect[data-pick^='window']", "rects => rects.map(r => r.dataset.pick)")
        chosen = starts[-ANSWERS - 1 : -1]
        picked = [
            tab.evaluate(PICK, [f"[data-pick='{pick}']", ".mo-grid figcaption", pick.split()[1][:10]])
            for pick in chosen
        ]
        tab.goto("about:blank")
        return {"a name typed, 1,000 models": statistics.median(typed), "a window chosen": statistics.median(picked)}


def main(models: int, days: int) -> int:
    """Measure and print; 1 if a target is missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(project=folder, root=folder / ".modelops")
        store = open_store(settings.store_path, settings.lock_path)
        fill(store, models)
        watch(store, folder / "log", days)
        store.close()
        serving.PAGES = pages(folder / "pages")
        with serving.serve(settings, port=0) as board, sync_playwright() as playwright:
            visitor = Visitor(board, launch(playwright))
            fleet, model = "td.mo-name", ".mo-calibration svg"
            empty = visitor.seconds("empty.ipynb?", ".mo-name")
            rows = [
                ("an empty Voila notebook, cold", empty, None),
                ("fleet page, cold", visitor.seconds("cold/fleet.ipynb?", fleet), 1.3 * empty),
                ("fleet page, preheated", visitor.seconds("fleet.ipynb?", fleet), 2.0),
                ("model page, cold", visitor.seconds(f"cold/model.ipynb?model={WATCHED}&", model), None),
                ("model page, preheated", visitor.seconds(f"model.ipynb?model={WATCHED}&", model), None),
            ]
            answers = visitor.answers()
    print(f"{models} models; one of {days} days, 40 inputs, 3 segments; median of {VISITS} visits")
    for what, took, most in rows:
        wanted = "" if most is None else f"   wanted {most:.2f} s: {'met' if took <= most else 'missed'}"
        print(f"{what:34} {took:6.2f} s   {took / empty:4.2f} times the empty notebook{wanted}")
    for what, took in answers.items():
        print(f"{what:34} {took:6.0f} ms   wanted 150 ms: {'met' if took <= 150 else 'missed'}")
    missed = any(most is not None and took > most for _, took, most in rows) or max(answers.values()) > 150
    return 1 if missed else 0


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*(given or [1000]), *([365] if len(given) < 2 else [])))
