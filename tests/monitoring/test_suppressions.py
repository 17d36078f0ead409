"""What is muted is found and not told, what is accepted is over until it grows or its date comes."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.actions import casework, suppressions
from modelops_jupyter.actions.catalogue import alerts as list_alerts
from modelops_jupyter.actions.fleet import read_fleet
from modelops_jupyter.actor import Actor
from modelops_jupyter.display import cases, listings
from modelops_jupyter.errors import InvalidInput, ModelOpsError, NotFound, Refused
from modelops_jupyter.monitoring.incidents.cases import monitoring_incident, update_incidents
from modelops_jupyter.monitoring.incidents.evidence import Evidence
from modelops_jupyter.monitoring.record.results import Finding, WindowResult
from modelops_jupyter.store import Change, Delete, InMemoryStore, Put, verify_chain

ANA, BOB = Actor("ana"), Actor("bob")
DAY = datetime(2013, 4, 1, tzinfo=UTC)
SIGNS = ("jensen_shannon", "null_rate", "roc_auc")
KINDS = {"jensen_shannon": "drift", "null_rate": "quality", "roc_auc": "performance"}
Fault = tuple[str, str, int, int, float]  # column, metric, first day, day after the last, figure


def at(day: int) -> str:
    return (DAY + timedelta(days=day)).isoformat()


def date(day: int) -> str:
    return at(day)[:10]


class Model:
    """A model whose monitor sees some faults day by day, each an alert while it lasts and for three days after."""

    def __init__(self) -> None:
        self.store, self.day, self.sent = InMemoryStore(), 0, list[str]()
        version = Put("version", "delay/1", {"version": 1, "features": ["wind", "temp"]}, subject="delay")
        self.store.commit(Change(puts=(Put("model", "delay", {"name": "delay", "kind": "ml"}), version)))
        self.run([], 1)

    def run(self, faults: Iterable[Fault], through: int) -> list[str]:
        """Monitor until before day `through`, and return the topics of the messages of this run."""
        faults, self.day = list(faults), through
        alerts = [self._alert(fault) for fault in faults if fault[2] < through]
        windows = [self._window(faults, day) for day in range(through)]
        puts, messages = update_incidents(
            self.store, "delay", alerts, Evidence(windows, every="1D"), datetime.now(UTC).isoformat()
        )
        volume = {"windows": through, "small": 0, "pooled": 0, "rows_per_day": 1000.0}
        state = {"every": "1D", "through": at(through), "checked_at": at(through), "windows": through, "realised": 0}
        state |= {"metric": None, "line": [], "tracks": [], "without_rows": [], "volume": volume}
        keys = {f"{a['window_start']}/{a['metric']}/{a['column']}": a for a in alerts}
        gone = tuple(Delete("alert", r.key) for r in self.store.find("alert", "delay") if r.key not in keys)
        own = tuple(Put("alert", key, alert, subject="delay") for key, alert in keys.items())
        monitor = Put("monitor", "delay/1D", state, subject="delay")
        self.store.commit(Change(puts=(*puts, *own, monitor), deletes=gone))
        topics = [message["topic"] for message in messages]
        self.sent += topics
        return topics

    def days(self, faults: Iterable[Fault], first: int, last: int) -> list[str]:
        """Monitor day by day, and return the topics of all messages."""
        faults = list(faults)
        return [topic for day in range(first, last) for topic in self.run(faults, day + 1)]

    @property
    def health(self) -> str:
        return read_fleet(self.store, "delay")[0].health

    @property
    def incidents(self) -> list[Mapping[str, Any]]:
        return [*reversed(casework.incidents(self.store, "delay", None).rows)]

    def events(self, number: int = 0) -> list[str]:
        return [event["event"] for event in casework.incident(self.store, self.incidents[number]["id"]).timeline]

    def _alert(self, fault: Fault) -> dict[str, Any]:
        column, metric, first, after, figure = fault
        closed = at(after + 2) if after + 2 < self.day else ""
        return {
            "model": "delay",
            "kind": KINDS[metric],
            "column": column,
            "metric": metric,
            "figure": figure,
            "threshold": 0.5 if metric == "roc_auc" else 0.1,
            "window_start": at(first),
            "window_end": at(first + 1),
            "last_window": at(min(after, self.day) - 1),
            "state": "recovered" if closed else "open",
            "closed": closed,
            "message": f"{column} drifted",
            "segment": "",
            "every": "1D",
            "version": 1,
            "surges": [],
        }

    def _window(self, faults: Iterable[Fault], day: int) -> WindowResult:
        found = tuple(
            Finding(KINDS[metric], column, metric, figure, 0.5 if metric == "roc_auc" else 0.1)
            for column, metric, first, after, figure in faults
            if first <= day < after
        )
        return WindowResult(at(day), at(day + 1), 1000, 1000, {"1": 1000}, {}, {}, found)


WIND: Fault = ("wind", "jensen_shannon", 3, 60, 0.3)
TEMP: Fault = ("temp", "null_rate", 20, 60, 0.3)
FELL: Fault = ("", "roc_auc", 4, 60, 0.4)


def test_what_is_muted_is_found_and_neither_told_nor_counted_until_it_ends_by_itself() -> None:
    model = Model()
    (row,) = suppressions.mute(model.store, "delay", "wind", None, date(30), "new sensor", ANA).rows
    assert (row["what"], row["of"], row["by"]) == ("muted", "wind", "ana")
    assert model.days([WIND], 0, 29) == []
    assert model.health == "healthy"
    (case,) = model.incidents
    assert (case["state"], case["suppressed"]) == ("open", "muted until 2013-05-01 by ana: new sensor")
    assert (
        "Muted until 2013-05-01 by ana: new sensor." in casework.incident(model.store, case["id"]).timeline[0]["text"]
    )
    (shown,) = list_alerts(model.store, "delay", "open").rows
    assert shown["suppressed"] == case["suppressed"]
    assert model.days([WIND], 29, 40) == ["incident.expired"]
    assert (model.health, model.events()) == ("warning", ["opened", "expired"])
    assert "It goes on: wind changed." in casework.incident(model.store, case["id"]).timeline[-1]["text"]
    assert model.days([(*WIND[:3], 40, 0.3)], 40, 50) == ["incident.recovered"]


def test_what_ends_while_it_is_muted_is_not_told_to_end() -> None:
    model = Model()
    suppressions.mute(model.store, "delay", None, "distribution", date(30), "new sensor", ANA)
    brief: Fault = ("wind", "jensen_shannon", 3, 6, 0.3)
    assert model.days([brief], 0, 40) == []
    assert model.events() == ["opened", "recovered"]


def test_another_sign_beside_a_muted_one_is_told() -> None:
    model = Model()
    suppressions.mute(model.store, "delay", "wind", None, date(50), "new sensor", ANA)
    assert model.days([WIND, FELL], 0, 10) == ["incident.grew"]
    assert (model.health, model.incidents[0]["suppressed"]) == ("alert", "")


def test_an_incident_is_muted_whole_and_loud_again_once_that_is_taken_back() -> None:
    model = Model()
    model.days([WIND], 0, 6)
    identity = model.incidents[0]["id"]
    suppressions.mute(model.store, identity, None, None, date(50), "known", ANA)
    assert model.health == "healthy"
    assert model.days([WIND, ("", "roc_auc", 7, 60, 0.4)], 6, 10) == []
    suppressions.revoke(model.store, identity, None, None, "was wrong", BOB)
    assert (model.health, model.incidents[0]["suppressed"]) == ("alert", "")
    assert model.events() == ["opened", "mute", "grew", "revoke"]
    with pytest.raises(NotFound, match="neither muted nor accepted: in force is nothing"):
        suppressions.revoke(model.store, identity, None, None, "again", BOB)


def test_what_is_accepted_is_resolved_and_the_same_opens_nothing_until_its_date() -> None:
    model = Model()
    model.days([WIND, FELL], 0, 10)
    identity = model.incidents[0]["id"]
    suppressions.accept(model.store, identity, None, None, date(40), "a new fleet", ANA)
    assert (model.incidents[0]["state"], model.health) == ("resolved", "healthy")
    assert model.incidents[0]["suppressed"] == "accepted until 2013-05-11 by ana: a new fleet"
    again: list[Fault] = [(*WIND[:3], 15, 0.3), ("wind", "jensen_shannon", 22, 60, 0.33), FELL]  # it went and came
    assert model.days(again, 10, 39) == []
    assert (len(model.incidents), model.health) == (1, "healthy")
    assert model.days(again, 39, 45) == ["incident.opened"]
    old, new = model.incidents
    assert (old["state"], new["state"], new["follows"], model.health) == ("resolved", "open", old["id"], "alert")
    assert model.events(0)[-2:] == ["accept", "expired"]
    assert (
        "What ana accepted (a new fleet) ended on 2013-05-11."
        in casework.incident(model.store, new["id"]).timeline[0]["text"]
    )


def test_what_is_clearly_stronger_or_another_sign_is_told_while_the_rest_is_accepted() -> None:
    model = Model()
    model.days([WIND], 0, 10)
    suppressions.accept(model.store, "delay", "wind", None, date(50), "a new fleet", ANA)
    assert model.incidents[0]["state"] == "resolved"
    assert model.days([WIND, TEMP], 10, 25) == ["incident.opened"]
    assert model.incidents[-1]["title"] == "temp is missing more often"
    stronger = Model()
    stronger.days([WIND], 0, 10)
    suppressions.accept(stronger.store, "delay", "wind", None, date(50), "a new fleet", ANA)
    grown: list[Fault] = [(*WIND[:3], 20, 0.3), ("wind", "jensen_shannon", 20, 60, 0.8)]
    # One alert goes on with another figure: the monitor has one of both.
    assert stronger.days(grown, 10, 30) == ["incident.opened"]
    assert (
        "It is clearly more than ana accepted (a new fleet)."
        in casework.incident(stronger.store, stronger.incidents[-1]["id"]).timeline[0]["text"]
    )


def test_of_an_incident_that_is_accepted_in_part_the_rest_stays() -> None:
    model = Model()
    temp: Fault = ("temp", "jensen_shannon", 3, 60, 0.3)
    model.days([WIND, temp], 0, 10)
    suppressions.accept(model.store, "delay", "wind", None, date(50), "a new fleet", ANA)
    assert model.days([WIND, temp], 10, 12) == []
    (case,) = model.incidents
    assert (case["state"], case["title"], model.health) == ("open", "temp changed", "warning")
    assert model.days([WIND, (*temp[:3], 20, 0.3)], 12, 30) == ["incident.recovered"]
    assert model.health == "healthy"


def test_what_is_taken_back_at_once_was_never_accepted() -> None:
    model = Model()
    model.days([WIND], 0, 10)
    identity = model.incidents[0]["id"]
    suppressions.accept(model.store, identity, None, None, date(50), "a new fleet", ANA)
    suppressions.revoke(model.store, identity, None, None, "wrong incident", ANA)
    assert (model.incidents[0]["state"], model.health) == ("open", "warning")
    assert model.days([WIND], 10, 20) == []
    assert [case["state"] for case in model.incidents] == ["open"]


def test_what_is_taken_back_later_is_an_incident_again() -> None:
    model = Model()
    model.days([WIND], 0, 10)
    suppressions.accept(model.store, "delay", "wind", None, date(50), "a new fleet", ANA)
    assert model.days([WIND], 10, 20) == []
    suppressions.revoke(model.store, "delay", "wind", None, "it is not", ANA)
    assert model.health == "warning"
    assert model.days([WIND], 20, 22) == ["incident.opened"]


@pytest.mark.parametrize("first", [3, 8])  # before and after the weeks that were monitored end
def test_what_was_in_force_for_one_length_of_windows_is_not_void_where_another_lagged(first: int) -> None:
    fault: Fault = ("wind", "jensen_shannon", first, 60, 0.3)
    for last, state in ((10, "open"), (13, "resolved")):
        model = Model()
        model.days([fault], 0, 10)
        daily = model.store.get("monitor", "delay/1D")
        assert daily is not None
        weekly = {**daily.body, "every": "1W", "through": at(7)}
        model.store.commit(Change(puts=(Put("monitor", "delay/1W", weekly, subject="delay"),)))
        suppressions.accept(model.store, "delay", "wind", None, date(50), "a new fleet", ANA)
        assert model.days([fault], 10, last) == []
        suppressions.revoke(model.store, "delay", "wind", None, "it is not", ANA)
        assert (model.incidents[0]["state"], model.health) == (state, "warning")
        assert model.days([fault], last, 20) == (["incident.opened"] if state == "resolved" else [])
        assert model.events(0) == ["opened", "accept", "revoke"]
        assert model.incidents[-1]["first_window"] == at(last if state == "resolved" else first)


def test_what_is_accepted_is_extended_under_the_new_reason_and_ends_once() -> None:
    model = Model()
    model.days([WIND], 0, 10)
    identity = model.incidents[0]["id"]
    suppressions.accept(model.store, identity, None, None, date(30), "a new fleet", ANA)
    model.days([WIND], 10, 20)
    (row,) = suppressions.accept(model.store, identity, None, None, date(50), "it stays", BOB).rows
    assert (row["until"], row["by"], row["reason"]) == (at(50), "bob", "it stays")
    assert model.days([WIND], 20, 49) == []
    assert (len(model.incidents), model.incidents[0]["state"], model.health) == (1, "resolved", "healthy")
    assert model.days([WIND], 49, 55) == ["incident.opened"]
    assert model.events(0) == ["opened", "accept", "accept", "expired"]
    assert [e.details["reason"] for e in model.store.audit()] == ["a new fleet", "it stays"]


def test_what_is_accepted_in_part_is_extended_in_part_and_may_end_sooner() -> None:
    model = Model()
    temp: Fault = ("temp", "jensen_shannon", 3, 60, 0.3)
    model.days([WIND, temp], 0, 10)
    suppressions.accept(model.store, "delay", "wind", None, date(50), "a new fleet", ANA)
    model.days([WIND, temp], 10, 20)
    suppressions.accept(model.store, "delay", "wind", None, date(30), "until the new model", ANA)
    assert (model.incidents[0]["state"], model.incidents[0]["title"]) == ("open", "temp changed")
    assert model.days([WIND, temp], 20, 29) == []
    assert model.days([WIND, temp], 29, 35) == ["incident.opened"]
    assert model.health == "warning"


def test_what_is_extended_and_taken_back_at_once_was_accepted_until_then() -> None:
    for first, state in ((10, "open"), (20, "resolved")):
        model = Model()
        model.days([WIND], 0, 10)
        suppressions.accept(model.store, "delay", "wind", None, date(30), "a new fleet", ANA)
        model.days([WIND], 10, first)
        suppressions.accept(model.store, "delay", "wind", None, date(50), "it stays", ANA)
        suppressions.revoke(model.store, "delay", "wind", None, "it does not", ANA)
        assert (model.incidents[0]["state"], model.health) == (state, "warning")
        assert model.days([WIND], first, first + 5) == (["incident.opened"] if first == 20 else [])


def test_every_act_is_in_the_audit_chain_with_its_reason() -> None:
    model = Model()
    model.days([WIND], 0, 6)
    suppressions.mute(model.store, "delay", "temp", "null_rate", date(50), "known", ANA)
    suppressions.accept(model.store, "delay", "wind", None, date(50), "a new fleet", ANA)
    suppressions.revoke(model.store, "delay", "temp", "null_rate", "over", BOB)
    entries = model.store.audit()
    assert [(e.action, e.actor, e.details["reason"]) for e in entries] == [
        ("alerts.mute", "ana", "known"),
        ("alerts.accept", "ana", "a new fleet"),
        ("alerts.revoke", "bob", "over"),
    ]
    assert entries[0].details["of"] == "null_rate of temp"
    assert verify_chain(entries).ok


def test_status_pages_and_lists_say_by_whom_until_when_and_why() -> None:
    model, says = Model(), "muted until 2013-05-21 by ana: new sensor"
    model.days([WIND], 0, 6)
    suppressions.mute(model.store, "delay", "wind", None, date(50), "new sensor", ANA)
    listed = casework.incidents(model.store, None, None)
    assert says in str(listed)
    assert f"delay, wind: {says}." in listed.note
    assert f"wind: {says}" in read_fleet(model.store)[0].remarks
    assert says in str(list_alerts(model.store, None, None))
    (row,) = listed
    assert row["revocable"] == {"subject": "delay", "column": "wind"}
    shown = casework.incident(model.store, row["id"])
    assert says in str(shown)
    assert "next: Take it" not in str(shown)
    for page in (cases.incident(shown), listings.listing(listed)):
        assert "◌" in page
        assert "uted until 2013-05-21 by ana: new sensor" in page
    assert ">●<" not in listings.state_cell(row)
    assert "open" in listings.state_cell({**row, "suppressed": ""})


@pytest.mark.parametrize(
    ("subject", "column", "sign", "until", "reason", "error", "says"),
    [
        ("delay", "wnd", None, date(90), "x", NotFound, "no column 'wnd': it has wind, temp, prediction, score"),
        ("delay", None, "nulls", date(90), "x", NotFound, "no sign 'nulls' of alerts: there are performance"),
        ("delay", None, None, date(90), "x", InvalidInput, "a column, a sign, or the id of an incident"),
        ("delay", "wind", None, date(10), "x", InvalidInput, "2013-04-11 is in the past: the newest window"),
        ("delay", "wind", None, "soon", "x", InvalidInput, "'soon' is no date"),
        ("delay", "wind", None, date(90), " ", InvalidInput, "goes on record with its reason"),
        ("delay:12345678", None, None, date(90), "x", NotFound, "no incident 'delay:12345678'"),
        ("late", "wind", None, date(90), "x", NotFound, "no model 'late'"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    subject: str, column: str, sign: str, until: str, reason: str, error: type[ModelOpsError], says: str
) -> None:
    model = Model()
    model.days([WIND], 0, 10)
    for act in (suppressions.mute, suppressions.accept):
        with pytest.raises(error, match=says) as caught:
            act(model.store, subject, column, sign, until, reason, ANA)
        assert "\n" not in str(caught.value)
    assert not model.store.find("suppression")
    assert not model.store.audit()


def test_nothing_is_accepted_where_nothing_is_wrong() -> None:
    model = Model()
    model.days([WIND], 0, 10)
    with pytest.raises(Refused, match="Nothing is wrong with temp of delay now"):
        suppressions.accept(model.store, "delay", "temp", None, date(50), "x", ANA)
    with pytest.raises(InvalidInput, match="is one incident: leave out column and sign"):
        suppressions.mute(model.store, model.incidents[0]["id"], "wind", None, date(50), "x", ANA)


@pytest.mark.parametrize(
    ("cause", "says"),
    [
        ("monitoring", "is about monitoring itself, not about data: acknowledge or resolve it"),
        ("registry", "is about what MLflow shows, not about data: run `modelops incident delay:0a0a0a0a` for"),
        ("governance", "is about a rejected version that serves, not about data: roll back, promote another version"),
    ],
)
def test_an_incident_that_is_not_about_data_is_refused_by_what_it_is_about(cause: str, says: str) -> None:
    model = Model()
    body = monitoring_incident("delay:0a0a0a0a", "delay", "So it is", ["Do it."], at(1), at(1), None, cause)
    model.store.commit(Change(puts=(Put("incident", "delay:0a0a0a0a", body, subject="delay"),)))
    for act in (suppressions.mute, suppressions.accept):
        with pytest.raises(Refused, match=says):
            act(model.store, "delay:0a0a0a0a", None, None, date(50), "x", ANA)
    with pytest.raises(Refused, match=says):
        suppressions.revoke(model.store, "delay:0a0a0a0a", None, None, "x", ANA)


faults = st.lists(
    st.tuples(
        st.sampled_from(["wind", "temp"]),
        st.sampled_from(["jensen_shannon", "null_rate"]),
        st.integers(0, 20),
        st.integers(1, 12),
        st.sampled_from([0.2, 0.3, 0.8]),
    ),
    max_size=4,
    unique_by=lambda fault: fault[:2],
)


@given(faults, st.integers(2, 20), st.integers(1, 15), st.booleans())
def test_a_year_at_once_and_day_by_day_have_the_same_incidents_whatever_is_accepted(
    drawn: list[tuple[str, str, int, int, float]], when: int, days: int, mutes: bool
) -> None:
    planted: list[Fault] = [(c, m, first, first + length, figure) for c, m, first, length, figure in drawn]
    act = suppressions.mute if mutes else suppressions.accept
    daily, at_once = Model(), Model()
    for model, steps in ((daily, range(when, 36)), (at_once, [35])):
        model.run(planted, when)
        with suppress(Refused):
            act(model.store, "delay", "wind", None, date(when + days), "so it is", ANA)
        for step in steps:
            model.run(planted, step + 1)
    shown = [
        [(case["id"], case["state"], case["title"], case["first_window"], case["follows"]) for case in model.incidents]
        for model in (daily, at_once)
    ]
    assert shown[0] == shown[1]
    assert daily.health == at_once.health


@given(faults, st.integers(2, 12), st.integers(1, 8), st.integers(1, 15), st.integers(1, 15))
def test_what_is_extended_has_the_same_incidents_a_month_at_once_and_day_by_day(
    drawn: list[tuple[str, str, int, int, float]], when: int, wait: int, days: int, more: int
) -> None:
    planted: list[Fault] = [(c, m, first, first + length, figure) for c, m, first, length, figure in drawn]
    daily, at_once = Model(), Model()
    for model in (daily, at_once):
        for now, until in ((when, when + days), (when + wait, when + wait + more)):
            for through in range(model.day + 1, now) if model is daily else ():
                model.run(planted, through)
            model.run(planted, now)
            with suppress(Refused):
                suppressions.accept(model.store, "delay", "wind", None, date(until), "so it is", ANA)
        for through in range(model.day + 1, 36) if model is daily else ():
            model.run(planted, through)
        model.run(planted, 36)
    shown = [
        [(case["id"], case["state"], case["title"], case["first_window"], case["follows"]) for case in model.incidents]
        for model in (daily, at_once)
    ]
    assert shown[0] == shown[1]
    assert daily.health == at_once.health


@given(faults, st.integers(2, 20), st.integers(1, 15))
def test_while_a_column_is_accepted_at_most_what_is_stronger_or_new_is_told_of_it(
    drawn: list[tuple[str, str, int, int, float]], when: int, days: int
) -> None:
    planted: list[Fault] = [(c, m, first, first + length, figure) for c, m, first, length, figure in drawn]
    model = Model()
    model.run(planted, when)
    before = {case["id"] for case in model.incidents}
    try:
        suppressions.accept(model.store, "delay", "wind", None, date(when + days), "so it is", ANA)
    except Refused:
        return
    accepted = {m for c, m, first, after, _ in planted if c == "wind" and first < when < after + 3}
    model.run(planted, when + days)
    for case in model.incidents:
        if case["id"] not in before:
            own = casework.incident(model.store, case["id"]).alerts
            assert not [a for a in own if a["column"] == "wind" and a["metric"] in accepted]
