"""The inbox: incidents and alerts, what choosing does, and what can be done about an incident, once per click."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import traitlets
from stored import HOSTILE, fill, open_incident

from modelops_jupyter.display.widgets import AlertInbox, MonitorView
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    """Three monitored models, two of them with an incident."""
    fill(tmp_path, ["churn", "fraud", HOSTILE])
    for name in ("fraud", HOSTILE):
        open_incident(tmp_path, name)
    with Workspace(Settings(project=tmp_path, root=tmp_path / ".modelops", actor="ann")) as workspace:
        yield workspace


def test_an_alert_leads_to_its_window(ws: Workspace) -> None:
    inbox, monitor = AlertInbox(ws), MonitorView(ws)
    for trait in ("model", "window", "column"):
        traitlets.link((inbox, trait), (monitor, trait))
    inbox.picked = {"what": "alert 1", "count": 1}
    assert monitor.model in ("churn", "fraud", HOSTILE)
    assert 'data-selected="window"' in monitor.html
    inbox.picked = {"what": "alert 99", "count": 2}
    inbox.fields = {"state": "closed"}
    assert "No alerts" in inbox.html


def test_an_incident_leads_to_its_cause(ws: Workspace) -> None:
    inbox, monitor = AlertInbox(ws, "fraud"), MonitorView(ws)
    for trait in ("model", "window", "column"):
        traitlets.link((inbox, trait), (monitor, trait))
    assert 'data-pick="acknowledge"' not in inbox.form
    inbox.picked = {"what": "incident fraud:1f3a9c07", "count": 1}
    assert (monitor.model, monitor.window, monitor.column) == ("fraud", "2026-05-01T00:00:00+00:00", "wind")
    assert "Look at wind." in inbox.html
    assert 'aria-pressed="true"' in inbox.html
    assert 'data-pick="acknowledge"' in inbox.form
    assert HOSTILE not in inbox.html


def test_acts_need_words_and_happen_once(ws: Workspace) -> None:
    inbox = ws.incident("fraud:1f3a9c07").widget(ws)
    assert isinstance(inbox, AlertInbox)
    inbox.picked = {"what": "acknowledge", "count": 2}
    assert "write why" in inbox.html
    assert "Look at wind." in inbox.html
    inbox.fields = {"state": "open", "reason": "looking <b>into</b> it"}
    inbox.picked = {"what": "acknowledge", "count": 3}
    inbox.picked = {"what": "acknowledge", "count": 4}
    assert ws.incident("fraud:1f3a9c07").owner == "ann"
    assert inbox.fields["reason"] == ""
    assert 'data-pick="acknowledge"' not in inbox.form
    for n, (act, words) in enumerate((("assign", "bob"), ("comment", "sensor replaced"), ("resolve", "mended"))):
        inbox.fields = {"reason": words}
        inbox.picked = {"what": act, "count": 5 + n}
    shown = ws.incident("fraud:1f3a9c07")
    assert (shown.state, shown.owner) == ("resolved", "bob")
    done = [event["event"] for event in shown.timeline if event["actor"] == "ann"]
    assert done == ["acknowledge", "assign", "comment", "resolve"]
    assert "looking &lt;b&gt;into" in inbox.html
    assert 'data-pick="incident fraud' not in inbox.html  # closed: no longer among those to look after
    inbox.fields = {"state": "closed"}
    assert 'data-pick="incident fraud' in inbox.html


def test_an_act_without_an_incident_says_so(ws: Workspace) -> None:
    inbox = AlertInbox(ws)
    inbox.picked = {"what": "resolve", "count": 1}
    assert "Choose an incident first." in inbox.html
    inbox.picked = {"what": "incident nowhere", "count": 2}
    assert inbox.incident == ""


def test_a_refusal_stands_above_what_is_shown(ws: Workspace) -> None:
    inbox, other = (ws.incident("fraud:1f3a9c07").widget(ws) for _ in range(2))
    other.fields = {"reason": "mine"}
    other.picked = {"what": "resolve", "count": 2}
    inbox.fields = {"reason": "mine"}
    inbox.picked = {"what": "resolve", "count": 2}
    assert "is resolved already" in inbox.html
    assert 'role="alert"' in inbox.html
    assert "Look at wind." in inbox.html
