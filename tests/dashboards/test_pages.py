"""The pages without a browser: what they show and what choosing does; a failing panel fails alone."""

import json
import os
from collections.abc import Callable, Iterator
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import ipywidgets
import nbformat
import pytest

from modelops_jupyter import dashboards
from modelops_jupyter.dashboards import model_panels, page
from modelops_jupyter.dashboards.fleet_page import AT_ONCE, FleetPage
from modelops_jupyter.dashboards.model_page import ModelPage
from modelops_jupyter.dashboards.page import Request, guarded, model_address, read_request
from modelops_jupyter.errors import NotFound
from modelops_jupyter.monitoring import WindowResult
from modelops_jupyter.monitoring.summary import summarise
from modelops_jupyter.settings import Settings
from modelops_jupyter.store import Change, Event, Put
from modelops_jupyter.workspace import Workspace

HOSTILE = "<img src=x onerror=alert(1)>"
SERVED = Request({}, True)


@pytest.fixture(autouse=True)
def widgets_closed() -> Iterator[None]:
    """Every widget of a test is closed after it: ipywidgets keeps them all."""
    yield
    ipywidgets.Widget.close_all()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace, and the kernel's environment pointing to it."""
    monkeypatch.setenv("MODELOPS_WORKSPACE", str(tmp_path))
    monkeypatch.delenv("MODELOPS_DASHBOARD_LOG", raising=False)
    return tmp_path


def puts(name: str, number: int) -> list[Put]:
    """Return the records of one monitored model, as registration and monitoring write them."""
    days = [f"2026-05-{day:02d}T00:00:00+00:00" for day in range(1, 6)]
    figure = {"roc_auc": {"value": 0.8, "reason": None}}
    psi = {"psi": {"value": 0.3, "reason": None}}
    alert = {
        "model": name,
        "kind": "performance" if number % 2 else "drift",
        "column": "",
        "metric": "roc_auc",
        "state": "open",
        "window_start": days[0],
        "message": f"{name}: roc_auc was 0.7",
    }
    version = {
        "name": name,
        "version": 1,
        "metrics": {"roc_auc": 0.8},
        "flavor": "sklearn-skops",
        "unsafe": False,
        "created_by": "ann",
        "created_at": days[0],
    }
    windows = [
        {
            "window_start": start,
            "window_end": end,
            "rows": 400,
            "labelled": 400,
            "versions": {"1": 400},
            "performance": figure,
            "drift": {"wind": psi, "rain": psi},
            "findings": [],
        }
        for start, end in pairwise(days)
    ]
    monitor = {
        "every": "1D",
        "through": days[-1],
        "checked_at": days[-1],
        **summarise([WindowResult.from_dict(window) for window in windows]),
    }
    return [
        Put("model", name, {"name": name, "kind": "ml", "description": HOSTILE}, subject=name),
        Put("version", f"{name}/000001", version, subject=name),
        Put("monitor", f"{name}/1D", monitor, subject=name),
        Put("alert", f"{name}/1D/a", alert, subject=name),
        *(Put("window", f"{name}/1D/{window['window_start']}", window, subject=name) for window in windows),
    ]


def fill(folder: Path, names: list[str]) -> None:
    root = folder / ".modelops"
    root.mkdir()
    with Workspace(Settings(project=folder, root=root)) as ws:
        records = [record for number, name in enumerate(names) for record in puts(name, number)]
        ws.store.commit(Change(puts=tuple(records), event=Event("register", names[0], "ann", "self-asserted", {})))


def test_an_empty_workspace_explains_itself_and_stays_empty(folder: Path) -> None:
    shown = FleetPage(SERVED)
    assert "modelops demo" in shown.table.value
    assert str(folder) in shown.table.value
    assert "No models here yet" in ModelPage(SERVED, None).tiles.value
    assert list(folder.iterdir()) == []


def test_the_fleet_lists_the_worst_first_with_links(folder: Path) -> None:
    fill(folder, ["a", "b", HOSTILE])
    shown = FleetPage(SERVED)
    assert [model.name for model in shown.models] == ["b", HOSTILE, "a"]
    assert 'href="model.ipynb?model=b"' in shown.table.value
    assert model_address(HOSTILE) in shown.table.value
    assert "<img" not in shown.table.value
    assert "href" not in FleetPage(Request({}, False)).table.value


def test_filters_narrow_the_list(folder: Path) -> None:
    fill(folder, ["churn", "fraud", "fraud-eu"])
    shown = FleetPage(SERVED)
    shown.text.value = "FRAUD"
    assert "churn" not in shown.table.value
    shown.health.value = "alert"
    assert ">fraud<" in shown.table.value
    assert "fraud-eu" not in shown.table.value
    shown.kind.value = "decision"
    assert "No model fits" in shown.table.value


def test_a_thousand_models_come_in_parts(folder: Path) -> None:
    fill(folder, [f"m{n:04d}" for n in range(1000)])
    shown = FleetPage(SERVED)
    assert shown.table.value.count("href") == AT_ONCE
    assert shown.more.layout.display is None
    shown.show_more()
    assert shown.table.value.count("href") == 2 * AT_ONCE


def test_refresh_reads_again(folder: Path) -> None:
    shown = FleetPage(SERVED)
    fill(folder, ["late"])
    shown.refresh.click()
    assert "late" in shown.table.value
    assert shown.filters.layout.display is None


def test_the_model_of_the_address_is_shown(folder: Path) -> None:
    fill(folder, ["a", "b"])
    shown = ModelPage(Request({"model": "b"}, True), None)
    assert "<h1>b</h1>" in shown.head.value
    assert "&lt;img" in shown.head.value
    assert "Performance" in shown.root.children[-1].children[0].children[0].children[0].value
    assert 'data-pick="window 2026-05-01T00:00:00+00:00"' in shown.performance.html


def test_an_unknown_model_is_named_as_text(folder: Path) -> None:
    fill(folder, ["a"])
    shown = ModelPage(Request({"model": HOSTILE}, True), None)
    assert "There is no model" in shown.tiles.value
    assert "<img" not in shown.tiles.value
    shown.model.value = "a"
    assert "<h1>a</h1>" in shown.head.value


def test_choosing_marks_the_window_and_the_column(folder: Path) -> None:
    fill(folder, ["a"])
    shown = ModelPage(SERVED, "a")
    shown.performance.picked = {"what": "window 2026-05-02T00:00:00+00:00", "count": 1}
    assert 'data-selected="window"' in shown.performance.html
    assert shown.which_window.value == "2026-05-02T00:00:00+00:00"
    shown.drift.picked = {"what": "cell 2026-05-03T00:00:00+00:00 rain", "count": 2}
    assert (shown.window, shown.column) == ("2026-05-03T00:00:00+00:00", "rain")
    assert "2026-05-03" in shown.chosen.value
    shown.which_column.value = "wind"
    assert shown.column == "wind"
    shown.clear.click()
    assert (shown.window, shown.column) == (None, None)
    shown.drift.picked = {"what": "cell nonsense nowhere", "count": 3}
    assert (shown.window, shown.column) == (None, None)


def test_one_failing_panel_fails_alone(folder: Path) -> None:
    fill(folder, ["a"])  # windows without profiles: distributions cannot be drawn
    shown = ModelPage(SERVED, "a")
    assert "no monitored window" in shown.spread.value
    assert "<svg" in shown.performance.html


def test_a_panel_says_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wanted() -> str:
        raise NotFound("There is no <thing>.")

    def broken() -> str:
        raise KeyError("x")

    monkeypatch.setattr(page._log, "propagate", False)
    assert "There is no &lt;thing&gt;." in guarded(wanted)
    assert "KeyError" in guarded(broken)


@pytest.mark.parametrize("show", [dashboards.fleet, dashboards.model])
def test_a_damaged_store_is_a_sentence_on_the_page(folder: Path, show: Callable[[], ipywidgets.Widget]) -> None:
    (folder / ".modelops").mkdir()
    (folder / ".modelops" / "modelops.db").write_bytes(b"no database at all" * 100)
    shown = "".join(getattr(child, "value", "") for child in show().children)
    assert "mo-failed" in shown
    assert "Traceback" not in shown


def test_the_request_leaves_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOILA_REQUEST_URL", "http://x/?token=secret")
    monkeypatch.setenv("QUERY_STRING", "model=a%2Fb&token=secret")
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    request = read_request()
    assert request == Request({"model": "a/b"}, True)
    assert not [key for key, value in os.environ.items() if "secret" in value]


def test_the_notebooks_are_one_cell_and_carry_nothing_else() -> None:
    for name in ("fleet", "model"):
        file = files("modelops_jupyter.dashboards") / "pages" / f"{name}.ipynb"
        notebook = nbformat.reads(file.read_text(), as_version=4)
        assert [cell.cell_type for cell in notebook.cells] == ["code"]
        assert notebook.cells[0].outputs == []
        assert f"{name}()" in notebook.cells[0].source
        assert json.loads(file.read_text())["metadata"]["kernelspec"]["name"] == "python3"


def test_details_of_the_audit_are_sentences() -> None:
    assert model_panels._reason({"reason": "why", "digest": "x", "new_alerts": 2}) == "why, new alerts 2"
