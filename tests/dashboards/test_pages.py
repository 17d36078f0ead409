"""The pages without a browser: what they show and what choosing does; a failing panel fails alone."""

import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import ipywidgets
import nbformat
import pytest
from stored import HOSTILE, fill, open_incident, slice_windows

from modelops_jupyter import dashboards
from modelops_jupyter import workspace as workspaces
from modelops_jupyter.dashboards import model_panels, page
from modelops_jupyter.dashboards.alerts_page import AlertsPage
from modelops_jupyter.dashboards.app import Dashboard
from modelops_jupyter.dashboards.fleet_page import AT_ONCE, FleetPage
from modelops_jupyter.dashboards.governance_page import GovernancePage
from modelops_jupyter.dashboards.model_page import ModelPage
from modelops_jupyter.dashboards.page import Request, View, document, guarded, model_address, read_request
from modelops_jupyter.errors import NotFound

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


def made(kind: type[View], query: dict[str, str] | None = None, request: Request = SERVED) -> Any:
    """Return a view that shows what a query asks for."""
    view = kind(request)  # type: ignore[call-arg]
    view.show(query or {})
    return view


def test_an_empty_workspace_explains_itself_and_stays_empty(folder: Path) -> None:
    shown = made(FleetPage)
    assert "modelops demo" in shown.list.value
    assert str(folder) in shown.list.value
    assert "No models here yet" in made(ModelPage).tiles.value
    assert "No alerts" in made(AlertsPage).summary.value
    assert "Nothing to decide yet" in made(GovernancePage).tiles.value
    assert list(folder.iterdir()) == []


def test_the_fleet_lists_the_worst_first_with_links(folder: Path) -> None:
    fill(folder, ["a", "b", HOSTILE])
    shown = made(FleetPage)
    assert [model.name for model in shown.models] == ["b", HOSTILE, "a"]
    assert 'href="model.ipynb?model=b"' in shown.list.value
    assert model_address(HOSTILE) in shown.list.value
    assert "<img" not in shown.list.value
    assert "href" not in made(FleetPage, request=Request({}, False)).list.value


def test_filters_narrow_the_list(folder: Path) -> None:
    fill(folder, ["churn", "fraud", "fraud-eu"])
    shown = made(FleetPage)
    shown.text.value = "FRAUD"
    assert "churn" not in shown.list.value
    shown.health.value = "alert"
    assert ">fraud<" in shown.list.value
    assert "fraud-eu" not in shown.list.value
    shown.kind.value = "decision"
    assert "No model fits" in shown.list.value


def test_a_thousand_models_come_in_parts(folder: Path) -> None:
    fill(folder, [f"m{n:04d}" for n in range(1000)])
    shown = made(FleetPage)
    assert shown.list.value.count("href") == AT_ONCE
    assert shown.more.layout.display is None
    shown.show_more()
    assert shown.list.value.count("href") == 2 * AT_ONCE


def test_refresh_reads_again(folder: Path) -> None:
    shown = made(FleetPage)
    fill(folder, ["late"])
    shown.show(shown.query())
    assert "late" in shown.list.value
    assert shown.filters.layout.display is None


def test_the_model_of_the_address_is_shown(folder: Path) -> None:
    fill(folder, ["a", "b"])
    shown = made(ModelPage, {"model": "b"})
    assert ">b</h1>" in shown.head.value
    assert "&lt;img" in shown.head.value
    assert 'data-pick="window 2026-05-01T00:00:00+00:00"' in shown.performance.html


def test_an_unknown_model_is_named_as_text(folder: Path) -> None:
    fill(folder, ["a"])
    shown = made(ModelPage, {"model": HOSTILE})
    assert "There is no model" in shown.tiles.value
    assert "<img" not in shown.tiles.value
    shown.model.value = "a"
    assert ">a</h1>" in shown.head.value


def test_choosing_marks_the_window_and_the_column(folder: Path) -> None:
    fill(folder, ["a"])
    shown = made(ModelPage, {"model": "a"})
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
    shown = made(ModelPage, {"model": "a"})
    assert "no monitored window" in shown.spread.value
    assert "<svg" in shown.performance.html


def test_a_panel_says_what_failed(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    def wanted() -> str:
        raise NotFound("There is no <thing>.")

    def broken() -> str:
        raise KeyError("x")

    monkeypatch.setattr(page._log, "propagate", False)
    assert "There is no &lt;thing&gt;." in guarded(wanted)
    caplog.set_level("ERROR")
    page._log.addHandler(caplog.handler)
    told = guarded(broken)
    page._log.removeHandler(caplog.handler)
    assert "KeyError" not in told
    identity = re.search(r"error ([0-9a-f]{8})", told)
    assert identity is not None
    assert identity[1] in caplog.text
    assert "KeyError" in caplog.text


@pytest.mark.parametrize("show", [dashboards.fleet, dashboards.model, dashboards.alerts, dashboards.governance])
def test_a_damaged_store_is_a_sentence_on_the_page(folder: Path, show: Callable[[], ipywidgets.Widget]) -> None:
    (folder / ".modelops").mkdir()
    (folder / ".modelops" / "modelops.db").write_bytes(b"no database at all" * 100)
    shown = "".join(words(show()))
    assert "mo-failed" in shown
    assert "Traceback" not in shown


def words(widget: ipywidgets.Widget) -> Iterator[str]:
    """Return everything that a page says."""
    yield str(getattr(widget, "value", ""))
    for child in getattr(widget, "children", ()):
        yield from words(child)


def test_a_view_can_be_left_and_found_again(folder: Path) -> None:
    fill(folder, ["churn", "fraud"])
    shown = made(ModelPage, {"model": "fraud"})
    shown.range.value = 0
    shown.drift.picked = {"what": "cell 2026-05-03T00:00:00+00:00 rain", "count": 1}
    query = {"model": "fraud", "last": "all", "window": "2026-05-03T00:00:00+00:00", "column": "rain"}
    assert shown.query() == query
    again = made(ModelPage, query)
    assert (again.query(), again.performance.html) == (query, shown.performance.html)
    fleet = made(FleetPage, {"name": "chu", "health": "nonsense"})
    assert fleet.query() == {"name": "chu"}
    assert ">fraud<" not in fleet.list.value


def test_dates_of_the_address_cut_the_windows(folder: Path) -> None:
    fill(folder, ["a"])
    shown = made(ModelPage, {"model": "a", "from": "2026-05-02", "to": "2026-05-03"})
    assert [window.start[:10] for window in shown.shown.windows] == ["2026-05-02", "2026-05-03"]
    assert shown.query() == {"model": "a", "from": "2026-05-02", "to": "2026-05-03"}
    shown.range.value = 30
    assert (shown.since.value, len(shown.shown.windows)) == (None, 4)
    shown.since.value = date(2027, 1, 1)
    assert shown.range.value is None
    assert "Nothing was watched in this time" in shown.performance.html
    assert made(ModelPage, {"model": "a", "from": "<script>"}).query() == {"model": "a"}


def test_what_is_shown_can_be_taken_away(folder: Path) -> None:
    fill(folder, ["a", "=cmd()"])
    name, table = made(ModelPage, {"model": "a", "from": "2026-05-03"}).table()
    assert name == "a"
    assert table.splitlines()[0].startswith(
        "start,end,version,rows,labelled,roc_auc,low,high,estimated,reason,psi_debiased of"
    )
    assert len(table.splitlines()) == 3
    assert "'=cmd()" in made(FleetPage).table()[1]
    slice_windows(folder, "a", {"origin=JFK": 0.7})
    text = document("a", made(ModelPage, {"model": "a"}).document()[1])
    for title in ("Performance over time", "How far each input has moved", "How good for each group", "Audit trail"):
        assert f"<h2>{title}</h2>" in text
    assert "href" not in text
    assert text.startswith("<!DOCTYPE html>")
    assert "<script" not in text
    assert "&lt;img" in text  # the description
    assert "<svg" in text


def test_alerts_of_every_model_lead_to_their_windows(folder: Path) -> None:
    fill(folder, ["a", "b", HOSTILE])
    shown = made(AlertsPage)
    assert shown.list.value.count("href") == 3
    assert "window=2026-05-01T00%3A00%3A00%2B00%3A00" in shown.list.value
    shown.kind.value = "performance"
    assert shown.list.value.count("href") == 1
    assert shown.query() == {"kind": "performance"}
    shown.state.value = "closed"
    assert "No alert fits" in shown.list.value
    assert len(made(AlertsPage, {"state": "all"}).table()[1].splitlines()) == 4
    assert "<img" not in made(AlertsPage).list.value


def test_an_incident_has_an_address_of_its_own(folder: Path) -> None:
    fill(folder, ["a", "b"])
    first, second = (open_incident(folder, name) for name in ("a", "b"))
    told = made(AlertsPage).cases.value
    assert 'href="alerts.ipynb?incident=a%3A1f3a9c07"' in told
    assert "<details open" not in told
    shown = made(AlertsPage, {"incident": second})
    assert shown.query() == {"incident": second}
    assert shown.cases.value.index(second) < shown.cases.value.index(first)
    assert shown.cases.value.count("<details open") == 1
    with workspaces.open(folder) as ws:
        ws.resolve(second, reason="mended")
    assert second not in made(AlertsPage).cases.value
    assert second in made(AlertsPage, {"incident": second}).cases.value
    assert made(AlertsPage, {"incident": "<b>x</b>"}).query() == {}


def test_incidents_are_told_with_cause_and_next_step(folder: Path) -> None:
    fill(folder, ["a", "b"])
    assert made(AlertsPage).open.layout.display == "none"
    open_incident(folder, "a")
    shown = made(AlertsPage)
    assert shown.open.layout.display is None
    told = shown.cases.value
    assert "ROC AUC fell after wind moved &lt;img" in told
    assert "nobody yet" in told
    assert "Look at wind." in told
    assert "70.0%" in told
    assert "model=a&amp;last=all&amp;window=2026-05-01" in told
    name, alone = shown.document()
    assert (name, "Incidents to look after" in alone, "href" in alone) == ("alerts", True, False)


def test_segments_follow_the_chosen_window(folder: Path) -> None:
    fill(folder, ["a"])
    assert made(ModelPage, {"model": "a"}).parts.layout.display == "none"
    slice_windows(folder, "a", {"origin=JFK": 0.7, f"origin={HOSTILE}": 0.6})
    shown = made(ModelPage, {"model": "a"})
    assert shown.parts.layout.display is None
    assert shown.segments.html.index("origin=&lt;img") < shown.segments.html.index("origin=JFK")
    assert 'data-sort="number"' in shown.segments.html
    shown.choose("2026-05-02T00:00:00+00:00", None)
    assert "all rows together, 0.800" in shown.segments.html


def test_one_dashboard_holds_every_view(folder: Path) -> None:
    fill(folder, ["a", "b"])
    board = Dashboard(Request({"model": "b"}, True), "model")
    assert board.shell.place["query"] == {"model": "b"}
    board.shell.asked = {"page": "model", "query": {"model": "b"}, "step": 1}  # the browser's first word, drawn already
    model = board.shown
    board.shell.asked = {"page": "fleet", "query": {"health": "alert", "token": "secret"}, "step": 2}
    assert board.shell.place == {
        "page": "fleet",
        "query": {"health": "alert"},
        "title": "Models",
        "push": True,
        "step": 2,
    }
    assert 'aria-current="page"' in board.links.value
    board.shell.asked = {"page": "model", "query": {"model": "a"}, "step": 3}
    assert board.shown is model
    assert "a" in board.shown.query()["model"]
    board.shell.asked = {"page": "../etc", "query": ["nonsense"], "step": 4}
    assert board.shown is board.views["fleet"]


def test_an_early_page_waits_for_its_address(folder: Path) -> None:
    fill(folder, ["a", "b"])
    board = Dashboard(Request({}, True, early=True), "model")
    assert board.stage.layout.display == "none"
    assert board.view("model").head.value == ""  # what was read while it waited is not shown
    board.shell.asked = {"page": "model", "query": {"model": "b"}, "step": 1}
    assert [view.query() for view in board.views.values()] == [{"model": "b"}]
    assert len(board.stage.children) == 1
    assert board.stage.layout.display is None


def test_refreshing_keeps_what_was_chosen(folder: Path) -> None:
    fill(folder, ["a"])
    board = Dashboard(Request({"model": "a", "column": "rain", "last": "all"}, True), "model")
    before = board.shown.query()
    board.refresh()
    assert board.shown.query() == before == {"model": "a", "column": "rain", "last": "all"}


def test_the_request_leaves_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOILA_REQUEST_URL", "http://x/?token=secret")
    monkeypatch.setenv("QUERY_STRING", "model=a%2Fb&token=secret")
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    request = read_request()
    assert request == Request({"model": "a/b"}, True)
    assert not [key for key, value in os.environ.items() if "secret" in value]


def test_the_notebooks_are_one_cell_and_carry_nothing_else() -> None:
    for name in ("fleet", "model", "alerts", "governance"):
        file = files("modelops_jupyter.dashboards") / "pages" / f"{name}.ipynb"
        notebook = nbformat.reads(file.read_text(), as_version=4)
        assert [cell.cell_type for cell in notebook.cells] == ["code"]
        assert notebook.cells[0].outputs == []
        assert f"{name}()" in notebook.cells[0].source
        assert json.loads(file.read_text())["metadata"]["kernelspec"]["name"] == "python3"


def test_details_of_the_audit_are_sentences() -> None:
    entry = {"detail": "why", "details": {"reason": "why", "digest": "x", "new_alerts": 2}}
    assert model_panels._details(entry) == "why, new alerts 2"


def test_the_board_counts_what_it_does_not_list(folder: Path) -> None:
    fill(folder, [f"m{n:03d}" for n in range(203)])
    shown = made(GovernancePage)
    assert (len(shown.board.waiting), shown.board.more) == (200, 3)
    assert ">203<" in shown.tiles.value
    assert "and 153 more" in shown.waiting.value
    name, text = shown.table()
    assert name == "governance"
    assert text.splitlines()[:2] == [
        "what,at,model,version,who,why",
        "waits,2026-05-01T00:00:00+00:00,m000,1,ann,0 of 1 approvals",
    ]
