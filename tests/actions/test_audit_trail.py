"""The audit trail by model and kind; runs of the monitor neither hide decisions nor push them out."""

import pytest

from modelops_jupyter.actions import catalogue
from modelops_jupyter.actions.overview import AUDIT_ENTRIES, read_overview
from modelops_jupyter.dashboards import model_panels
from modelops_jupyter.errors import InvalidInput, NotFound
from modelops_jupyter.store import Change, Event, InMemoryStore, Put

RUNS = 3 * AUDIT_ENTRIES


@pytest.fixture
def store() -> InMemoryStore:
    """A model that was decided about long ago and has been monitored and looked after ever since."""
    store = InMemoryStore()
    for name in ("delay", "fraud"):
        body = {"name": name, "kind": "ml", "description": ""}
        store.commit(
            Change(puts=(Put("model", name, body),), event=Event("register", f"{name}/1", "ann", "self-asserted"))
        )
    for action in ("approve", "comment", "reject"):
        store.commit(Change(event=Event(action, "delay/1", "bob", "self-asserted", {"reason": action})))
    store.commit(Change(event=Event("promote", "delay@champion", "ann", "self-asserted", {"reason": "best"})))
    for number in range(RUNS):
        store.commit(Change(event=Event("monitor", "delay", "watch", "self-asserted", {"windows": 1})))
        if number % 2:
            store.commit(Change(event=Event("incident.comment", "delay:1f3a9c07", "ann", "self-asserted")))
    return store


def test_every_decision_is_on_the_page_however_much_came_after_it(store: InMemoryStore) -> None:
    page = read_overview(store, "delay")
    assert [entry["action"] for entry in page.decisions] == ["reject", "comment", "approve"]
    assert len(page.audit) == AUDIT_ENTRIES
    assert {entry["kind"] for entry in page.audit} == {"incident"}
    assert (len(page.monitor_runs), page.monitored) == (AUDIT_ENTRIES, RUNS)


def test_the_page_folds_runs_of_the_monitor_and_shows_one_kind(store: InMemoryStore) -> None:
    page = read_overview(store, "delay")
    html = model_panels.audit(page)
    before, _, folded = html.partition("<details")
    assert f"{RUNS} runs of the monitor" in folded
    assert "<td>monitor</td>" not in before
    assert "<td>monitor</td>" in folded
    decisions = model_panels.audit(page, "decision")
    assert "<td>approve</td>" in decisions
    assert "<details" not in decisions
    assert [kind for _, kind in model_panels.audit_kinds(page)] == ["", "decision", "incident", "monitor"]


def test_the_trail_is_filtered_by_model_and_kind(store: InMemoryStore) -> None:
    assert len(catalogue.audit(store)) == len(store.audit())
    assert [row["action"] for row in catalogue.audit(store, "fraud")] == ["register"]
    assert [row["subject"] for row in catalogue.audit(store, kind="move")] == ["delay@champion"]
    store.commit(
        Change(event=Event("incident.acknowledge", "delay:1f3a9c07", "ann", "self-asserted", {"text": "mine"}))
    )
    assert catalogue.audit(store, "delay", "incident", 1).rows[0]["detail"] == "mine"
    assert [row["action"] for row in catalogue.audit(store, "delay", "decision", 2)] == ["reject", "comment"]
    with pytest.raises(InvalidInput, match="of kind decision, move, version, incident, monitor, run, other, not 'x'"):
        catalogue.audit(store, kind="x")
    with pytest.raises(NotFound, match="no model 'late'"):
        catalogue.audit(store, "late")
