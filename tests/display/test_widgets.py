"""Live views: what they show, what choosing does, how they follow each other, and what is left where no script runs."""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import traitlets
from sklearn.linear_model import LogisticRegression
from stored import HOSTILE, fill

from modelops_jupyter.display.widgets import (
    AlertInbox,
    CardView,
    ComparisonView,
    GateView,
    ModelBrowser,
    MonitorView,
    RunView,
)
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.governance import Comparison, ModelCard, compare
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

DAY = "2026-05-03T00:00:00+00:00"


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    """Three monitored models."""
    fill(tmp_path, ["churn", "fraud", HOSTILE])
    with Workspace(Settings(project=tmp_path, root=tmp_path / ".modelops", actor="ann")) as workspace:
        yield workspace


def comparison() -> Comparison:
    """Return a comparison by origin."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"origin": rng.choice(["JFK", "LGA"], 400)})
    y = rng.integers(0, 2, 400).astype(str)
    return compare("a/1", "a/2", frame, y, y, y[::-1].copy(), None, None, "classification", ("origin",))


def test_a_monitor_follows_the_browser(ws: Workspace) -> None:
    browser, monitor = ModelBrowser(ws), MonitorView(ws)
    traitlets.link((browser, "model"), (monitor, "model"))
    assert "Choose a model" in monitor.html
    browser.picked = {"what": "model fraud", "count": 1}
    assert monitor.model == "fraud"
    assert 'data-pick="window 2026-05-01T00:00:00+00:00"' in monitor.html
    assert 'aria-pressed="true"' in browser.html
    assert "data-selected" not in monitor.html
    monitor.picked = {"what": f"window {DAY}", "count": 1}
    assert (monitor.window, monitor.column) == (DAY, "")
    assert 'data-selected="window"' in monitor.html
    monitor.picked = {"what": f"cell {DAY} rain", "count": 2}
    assert (monitor.window, monitor.column) == (DAY, "rain")
    assert f"no monitored window from {DAY}" in monitor.html  # its profile was never stored here


def test_the_form_filters_and_nothing_is_markup(ws: Workspace) -> None:
    browser = ModelBrowser(ws)
    assert "<img" not in browser.html
    assert "&lt;img" in browser.html
    browser.fields = {"name": "CHU", "health": ""}
    assert "fraud" not in browser.html
    browser.fields = {"name": ["no text"], "health": "alert"}
    assert "fraud" in browser.html
    assert "churn" not in browser.html


def test_every_view_has_static_html_beside_it(ws: Workspace) -> None:
    for view in (ModelBrowser(ws), MonitorView(ws, "churn"), AlertInbox(ws), ComparisonView(comparison())):
        data, _ = view._repr_mimebundle_()
        assert data["text/html"] == view.html
        assert "application/vnd.jupyter.widget-view+json" in data
        assert "<script" not in data["text/html"]


def test_what_goes_wrong_is_a_sentence(ws: Workspace) -> None:
    monitor = MonitorView(ws, "nothing")
    assert "nothing" in monitor.html
    assert 'role="alert"' in monitor.html
    monitor.model = "churn"
    assert "<svg" in monitor.html


def test_what_nobody_foresaw_is_a_sentence_with_an_id_in_the_log(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monitor = MonitorView(ws, "churn")
    monkeypatch.setattr(MonitorView, "_overview", lambda self: {}["gone"])
    monitor.refresh()
    identity = re.search(r"error ([0-9a-f]{8})", monitor.html)
    assert identity is not None
    assert identity[1] in caplog.text
    assert "KeyError" in caplog.text
    assert "KeyError" not in monitor.html


def test_a_selection_is_drawn_within_150_ms(ws: Workspace) -> None:
    monitor = MonitorView(ws, "churn")
    took = []
    for n in range(1, 5):
        begun = time.perf_counter()
        monitor.picked = {"what": f"window 2026-05-0{n}T00:00:00+00:00", "count": n}
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.15


def test_segments_of_the_chosen_metric_and_one_section_of_a_card() -> None:
    view = comparison().widget()
    assert 'data-sort="number"' in view.html
    view.fields = {"metric": "accuracy"}
    assert "Accuracy: a/2 minus a/1" in view.html
    card = ModelCard("fraud/1", (("Purpose", (("why", "because"),)), ("Data", (("rows", "3"),)))).widget()
    card.fields = {"section": "Data"}
    assert "because" not in card.html
    assert isinstance(card, CardView)


def test_results_without_a_view_say_so(ws: Workspace) -> None:
    with pytest.raises(InvalidInput, match="no live view"):
        ws.models().widget()
    with pytest.raises(InvalidInput, match="workspace"):
        ws.overview("churn").widget()
    assert ws.overview("churn").widget(ws).model == "churn"


def test_a_decision_needs_a_reason_and_happens_once(tmp_path: Path, mlflow_database: Path) -> None:
    root = tmp_path / ".modelops"
    root.mkdir()
    shutil.copy(mlflow_database, root / "mlflow.db")
    with Workspace(Settings(project=tmp_path, root=root, actor="ann")) as ws:
        x = pd.DataFrame({"wind": np.linspace(-1, 1, 200)})
        y = (x["wind"] > 0).astype(int)
        ws.register(LogisticRegression().fit(x, y), "delay", data=x[::2], target=y[::2], reference=(x[1::2], y[1::2]))
        view = GateView(ws, "delay/1")
        view.picked = {"what": "approve", "count": 1}
        assert "give a reason" in view.html
        view.fields = {"reason": "reads <b>well</b>"}
        view.picked = {"what": "approve", "count": 2}
        view.picked = {"what": "approve", "count": 3}
        assert "give a reason" in view.html
        assert [r.body["reason"] for r in ws.store.find("decision")] == ["reads <b>well</b>"]
        view.fields = {"reason": "better"}
        view.picked = {"what": "promote", "count": 4}
        assert ws.version("delay@champion").version == 1
        assert isinstance(ws.check("delay/1").widget(ws), GateView)


def test_a_run_tells_its_cells_and_is_stopped_in_the_midst_of_one(tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell(code) for code in ("1 + 1", "import time; time.sleep(600)", "3 / 0")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "three.ipynb")
    (tmp_path / "pipeline.yaml").write_text("name: long\nsteps:\n  one: {notebook: three.ipynb}\n")
    with Workspace(Settings(project=tmp_path, root=tmp_path / ".modelops", actor="ann")) as ws:
        view = RunView(ws, tmp_path / "pipeline.yaml")
        seen: list[str] = []

        def stop(change: dict[str, str]) -> None:
            seen.append(change["new"])
            if "cell 2 of 3" in change["new"]:
                view.picked = {"what": "stop", "count": 2}

        view.observe(stop, names=["html"])
        view.picked = {"what": "run", "count": 1}
        view.wait(60)  # the cell would take ten minutes
        assert view.state == "stopped"
        assert "interrupted" in view.html
        assert any("cell 1 of 3" in html for html in seen)
        assert "Stopping." in "".join(seen)
        assert [record.body["state"] for record in ws.store.find("run")] == ["interrupted"]
        assert ws.store.get("lease", "long") is None  # it can be run again, or gone on with


def test_a_run_is_followed_and_started_once(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "one.ipynb")
    (tmp_path / "pipeline.yaml").write_text("name: short\nsteps:\n  one: {notebook: one.ipynb}\n")
    with Workspace(Settings(project=tmp_path, root=tmp_path / ".modelops", actor="ann")) as ws:
        view = RunView(ws, tmp_path / "pipeline.yaml")
        view.picked = {"what": "run", "count": 1}
        first = view._thread
        view.picked = {"what": "run", "count": 2}
        assert view._thread is first
        view.wait(60)
        assert (view.state, view.result is not None) == ("completed", True)
        assert "completed" in view.html
        assert len(ws.store.find("run")) == 1
