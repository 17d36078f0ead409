"""Many alerts of one cause are one incident, the same at every run, and people act without waiting for the monitor."""

import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.actions import casework
from modelops_jupyter.actor import Actor
from modelops_jupyter.display.plain import alert_sentence
from modelops_jupyter.errors import Conflict, InvalidInput, NotFound, Refused
from modelops_jupyter.monitoring import AlertRules, raise_alerts
from modelops_jupyter.monitoring.figures import intervals
from modelops_jupyter.monitoring.figures.quality import vanished_values
from modelops_jupyter.monitoring.incidents.analysis import analyse
from modelops_jupyter.monitoring.incidents.cases import update_incidents
from modelops_jupyter.monitoring.incidents.causes import Case
from modelops_jupyter.monitoring.incidents.chronicle import chronicle_of
from modelops_jupyter.monitoring.incidents.evidence import Evidence
from modelops_jupyter.monitoring.incidents.magnitude import magnitude
from modelops_jupyter.monitoring.record.results import Finding, WindowResult
from modelops_jupyter.profiles import ColumnProfile
from modelops_jupyter.store import Change, InMemoryStore, verify_chain

ANN, BOB = Actor("ann"), Actor("bob")
DAY = datetime(2013, 4, 1, tzinfo=UTC)
REFERENCE = intervals.share(8_000, 10_000)


def at(day: int) -> str:
    return (DAY + timedelta(days=day)).isoformat()


def alert(
    column: str, first: int, last: int, segment: str = "", kind: str = "drift", closed: int = -1, **more: Any
) -> dict[str, Any]:
    """Return an alert as the monitor writes it, open unless it was `closed`."""
    body = {
        "model": "delay",
        "kind": kind,
        "column": column,
        "metric": "roc_auc" if kind == "performance" else "psi",
        "figure": 0.5,
        "threshold": 0.2,
        "window_start": at(first),
        "window_end": at(first + 1),
        "last_window": at(last),
        "state": "open" if closed < 0 else "recovered",
        "closed": "" if closed < 0 else at(closed),
        "message": f"{column} drifted",
        "segment": segment,
        "every": "1D",
    }
    return {**body, **more}


def run(store: InMemoryStore, alerts: Iterable[Mapping[str, Any]], evidence: Evidence | None = None) -> list[str]:
    """Do what the monitor does, and return the topics of its messages."""
    now = datetime.now(UTC).isoformat()
    puts, messages = update_incidents(store, "delay", alerts, evidence or Evidence(), now)
    store.commit(Change(puts=puts))
    return [message["topic"] for message in messages]


def cases_of(alerts: Iterable[Mapping[str, Any]]) -> list[Case]:
    return [*chronicle_of("delay", alerts).book.cases.values()]


def columns_of(alerts: Iterable[Mapping[str, Any]], before: Iterable[Case] = ()) -> list[list[str]]:
    """Return the columns of the incidents that alerts make, in the order in which they began."""
    cases = chronicle_of("delay", alerts, before).book.cases.values()
    members = [sorted(case.members.values(), key=lambda m: (m.start, m.column)) for case in cases]
    return [[m.column for m in own] for own in sorted(members, key=lambda own: (own[0].start, own[0].column))]


def window(day: int, accuracy: float | None, findings: tuple[Finding, ...] = (), **more: Any) -> WindowResult:
    figures = {} if accuracy is None else {"accuracy": {"value": accuracy, "reason": None}}
    return WindowResult(at(day), at(day + 1), 1000, 1000, {"1": 1000}, figures, {}, findings, **more)


def test_a_thousand_columns_that_drift_at_once_are_one_incident_and_one_message() -> None:
    store = InMemoryStore()
    began = time.perf_counter()
    assert run(store, [alert(f"c{n}", 3, 5) for n in range(1000)]) == ["incident.opened"]
    assert time.perf_counter() - began < 5
    (row,) = casework.incidents(store, None, None)
    assert row["alerts"] == 1000


def test_what_shares_neither_segment_nor_column_is_two_incidents() -> None:
    alerts = [alert("wind", 3, 5, "origin=JFK"), alert("temp", 3, 5, "origin=JFK"), alert("fuel", 3, 5, "carrier=UA")]
    assert columns_of(alerts) == [["fuel"], ["temp", "wind"]]
    fell = alert("", 4, 5, "origin=JFK", kind="performance")  # an effect follows the cause of its segment
    assert columns_of([*alerts, fell]) == [["fuel"], ["temp", "wind", ""]]


def test_what_is_wrong_with_two_versions_is_two_incidents() -> None:
    alerts = [alert("wind", 1, 3, version=1), alert("temp", 3, 4, version=1), alert("wind", 4, 6, version=2)]
    assert columns_of(alerts) == [["wind", "temp"], ["wind"]]
    volume = alert("", 3, 5, kind="volume", metric="volume", figure=0.1, version=2)
    assert columns_of([*alerts, volume]) == [["wind", "", "temp"], ["wind"]]  # traffic is the model's


def test_what_begins_at_another_time_is_another_incident() -> None:
    alerts = [alert("wind", 1, 3, closed=6), alert("temp", 6, 9), alert("wind", 20, 22)]
    assert columns_of(alerts) == [["wind"], ["temp"], ["wind"]]
    assert columns_of([alert("wind", 1, 30), alert("temp", 3, 30), alert("fuel", 20, 30)]) == [
        ["wind", "temp"],
        ["fuel"],
    ]


def test_what_shows_in_a_week_alone_may_have_begun_with_it() -> None:
    slow = alert("fuel", 8, 30, metric="recent_jensen_shannon")
    assert columns_of([alert("wind", 1, 30), slow]) == [["wind", "fuel"]]
    assert columns_of([alert("wind", 1, 30), {**slow, "window_start": at(9)}]) == [["wind"], ["fuel"]]


def test_an_effect_follows_the_latest_cause_before_it() -> None:
    causes = [alert("wind", 1, 90), alert("fuel", 40, 90)]
    fell = alert("", 44, 90, kind="performance")
    assert columns_of([*causes, fell]) == [["wind"], ["fuel", ""]]
    assert columns_of([*causes, {**fell, "window_start": at(60)}]) == [["wind"], ["fuel"], [""]]  # long after either


def test_a_dependence_is_charged_to_the_column_that_moved() -> None:
    dependence = alert("load", 1, 9, metric="dependence", beside="temp")
    case = next(iter(chronicle_of("delay", [alert("temp", 2, 9), dependence]).book.cases.values()))
    said = analyse(case, Evidence())
    assert (said["title"], [s["column"] for s in said["suspects"]]) == ("temp changed", ["temp"])
    alone = analyse(next(iter(chronicle_of("delay", [dependence]).book.cases.values())), Evidence())
    assert alone["title"] == "load and temp no longer depend on each other as they did"


@given(st.randoms(use_true_random=False))
def test_the_order_of_alerts_does_not_matter_and_a_second_run_changes_nothing(shuffler: random.Random) -> None:
    alerts = [alert(f"c{n}", shuffler.randint(0, 30), 0, segment=f"s={n % 3}") for n in range(12)]
    alerts = [{**a, "last_window": at(shuffler.randint(0, 5) + int(a["window_start"][8:10]))} for a in alerts]
    first = chronicle_of("delay", alerts)
    mixed = list(alerts)
    shuffler.shuffle(mixed)
    assert {c.id: c.members for c in chronicle_of("delay", mixed).book.cases.values()} == {
        c.id: c.members for c in first.book.cases.values()
    }
    again = chronicle_of("delay", mixed, [Case(c.id, dict(c.members)) for c in first.book.cases.values()])
    assert {c.id: c.members for c in again.book.cases.values()} == {c.id: c.members for c in first.book.cases.values()}
    assert not any(again.events.values())


def test_late_labels_move_an_alert_and_its_incident_stays_the_same() -> None:
    store = InMemoryStore()
    run(store, [alert("", 5, 6, kind="performance"), alert("wind", 5, 6)])
    (before,) = casework.incidents(store, None, None)
    assert run(store, [alert("", 4, 7, kind="performance"), alert("wind", 5, 7)]) == []
    (after,) = casework.incidents(store, None, None)
    assert (after["id"], after["first_window"], after["alerts"]) == (before["id"], at(4), 2)
    assert run(store, []) == ["incident.recovered"]
    assert casework.incident(store, before["id"]).state == "recovered"
    assert run(store, [alert("wind", 5, 7)]) == ["incident.reopened"]  # what it began with: the same case


def test_what_begins_and_what_ends_is_told() -> None:
    store, over = InMemoryStore(), alert("wind", 1, 3, closed=6)
    assert run(store, [alert("wind", 1, 3)]) == ["incident.opened"]
    assert run(store, [alert("wind", 1, 3)]) == []
    assert run(store, [over]) == ["incident.recovered"]
    assert run(store, [over]) == []
    assert run(store, [over, alert("wind", 9, 9)]) == ["incident.reopened"]  # within a cycle it is the same
    assert run(store, [over, alert("wind", 9, 9), alert("temp", 10, 10)]) == ["incident.grew"]
    assert [row["state"] for row in casework.incidents(store, None, None)] == ["open"]


def test_the_same_after_a_quiet_spell_is_another_incident_that_names_the_one_before() -> None:
    store, over = InMemoryStore(), alert("wind", 1, 3, closed=6)
    run(store, [over])
    assert run(store, [over, alert("wind", 13, 13)]) == ["incident.opened"]
    new, old = casework.incidents(store, None, None)
    assert (new["follows"], old["follows"]) == (old["id"], "")
    assert old["id"] in casework.incident(store, new["id"]).timeline[0]["text"]


def test_the_same_after_a_resolution_is_another_incident() -> None:
    store = InMemoryStore()
    run(store, [alert("wind", 1, 3)])
    (row,) = casework.incidents(store, None, None)
    casework.resolve(store, row["id"], "sensor replaced", ANN)
    assert run(store, [alert("wind", 1, 4)]) == []  # the same alert: what was resolved
    nulls = alert("wind", 5, 5, kind="quality", metric="null_rate")
    assert run(store, [alert("wind", 1, 5), nulls]) == ["incident.opened"]
    over = alert("wind", 1, 5, closed=8)
    assert run(store, [over, nulls]) == []  # what a person closed is not told to end
    again = alert("wind", 10, 10)
    assert run(store, [over, {**nulls, "closed": at(9), "state": "recovered"}, again]) == ["incident.reopened"]
    states = {row["id"]: row["state"] for row in casework.incidents(store, None, None)}
    assert states.pop(row["id"]) == "resolved"
    assert [*states.values()] == ["open"]


def test_what_is_wrong_with_a_version_waits_until_it_serves_again() -> None:
    store, wind = InMemoryStore(), alert("wind", 1, 3, version=1)
    run(store, [wind])
    (row,) = casework.incidents(store, None, None)
    casework.acknowledge(store, row["id"], "looking", ANN)
    left = {**wind, "state": "superseded", "closed": at(6)}
    assert run(store, [left]) == ["incident.superseded"]
    assert casework.incident(store, row["id"]).state == "superseded"
    assert run(store, [left, alert("wind", 40, 41, version=1)]) == ["incident.returned"]
    back = casework.incident(store, row["id"])
    assert (back.state, back.owner) == ("acknowledged", "ann")
    assert "Version 1 serves again" in back.timeline[-1]["text"]


def test_another_sign_of_a_column_is_told_and_so_is_what_becomes_much_worse() -> None:
    store, wind = InMemoryStore(), alert("wind", 1, 3)
    run(store, [wind])
    nulls = alert("wind", 30, 30, kind="quality", metric="null_rate")
    assert run(store, [{**wind, "last_window": at(30)}, nulls]) == ["incident.grew"]
    (row,) = casework.incidents(store, None, None)
    assert row["title"] == "wind is missing more often"  # what says most; a distribution differs by that alone
    worse = {**wind, "last_window": at(31), "surges": [[at(31), 3.0, 0.2]]}
    assert run(store, [worse, nulls]) == ["incident.grew"]
    assert run(store, [worse, nulls]) == []


def test_what_is_over_is_no_longer_in_the_title() -> None:
    store, temp = InMemoryStore(), alert("temp", 2, 9)
    run(store, [alert("wind", 1, 3), temp, alert("", 3, 4, kind="performance")])
    (row,) = casework.incidents(store, None, None)
    assert row["title"] == "temp and wind changed; roc_auc got worse"
    over = [alert("wind", 1, 3, closed=6), temp, alert("", 3, 4, kind="performance", closed=7)]
    assert run(store, over) == []
    after = casework.incident(store, row["id"])
    assert (after.title, [s["column"] for s in after.suspects]) == ("temp changed", ["temp"])
    assert [e["event"] for e in after.timeline] == ["opened", "grew", "grew", "narrowed", "narrowed"]
    assert "rollback" not in " ".join(after.actions)


def test_new_values_are_named() -> None:
    store = InMemoryStore()
    named = "`50%` (0.7 % of rows)"
    run(store, [alert("discount", 1, 1, kind="quality", metric="unseen_rate", beside=named)])
    (row,) = casework.incidents(store, None, None)
    assert row["title"] == "`50%` (0.7 % of rows) of discount was never seen in training"


def test_categories_that_no_longer_come_are_named_as_long_as_they_do_not() -> None:
    gone = "`B` (12 % of rows in training)"
    found = (Finding("drift", "discount", "jensen_shannon", 0.3, 0.1),)
    figures = {"discount": {"jensen_shannon": {"value": 0.3, "reason": None, "with": gone}}}
    opened = replace(window(1, None, found), drift=figures)
    assert opened.vanished("discount") == gone
    (told,) = raise_alerts("delay", [opened], AlertRules())
    assert told.message.startswith(f"delay: {gone} of discount no longer comes, in the window from 2013-04-02;")
    store = InMemoryStore()
    run(store, [{**told.to_dict(), "every": "1D"}], Evidence([opened]))
    (row,) = casework.incidents(store, None, None)
    assert row["title"] == f"{gone} of discount no longer comes"
    assert f"{gone} of discount no longer comes" in casework.incident(store, row["id"]).timeline[0]["text"]
    assert alert_sentence(told.to_dict()).startswith(f"{gone} of “discount” no longer comes")
    back = replace(window(2, None, found), drift={"discount": {"jensen_shannon": {"value": 0.3, "reason": None}}})
    run(store, [{**told.to_dict(), "every": "1D", "last_window": at(2)}], Evidence([opened, back]))
    assert casework.incidents(store, None, None)[0]["title"] == "discount changed"


@given(st.lists(st.integers(0, 400), min_size=2, max_size=6), st.data())
def test_what_chance_may_leave_out_is_not_called_gone(reference: list[int], data: st.DataObject) -> None:
    now = [data.draw(st.integers(0, 60)) for _ in reference]
    before, current = (
        ColumnProfile("category", sum(reference), 0, (*reference,)),
        ColumnProfile("category", sum(now), 0, (*now,)),
    )
    names = [f"c{n}" for n in range(len(reference))]
    text = vanished_values(before, current, names)
    gone = [n for n, hits in enumerate(now) if not hits and reference[n] * sum(now) >= 10 * sum(reference) > 0]
    assert all(f"`{names[n]}`" in text for n in gone) or len(gone) > 3
    assert not any(f"`{name}`" in text for n, name in enumerate(names) if n not in gone)


def test_what_more_rows_explain_is_no_suspect_and_what_differs_by_itself_is() -> None:
    volume = alert("", 3, 5, kind="volume", metric="volume", figure=2000.0, threshold=1500.0)
    noise = alert("wind", 3, 5, figure=0.13, threshold=0.1)
    (case,) = cases_of([volume, noise, alert("temp", 3, 5, figure=0.3, threshold=0.1)])
    said = analyse(case, Evidence())
    assert [s["column"] for s in said["suspects"]] == ["temp"]
    assert said["title"] == "the number of predictions rose; temp changed"
    (case,) = cases_of([{**volume, "closed": at(5), "state": "recovered"}, noise])
    said = analyse(case, Evidence())
    assert (said["title"], said["suspects"]) == ("the number of predictions rose on 2013-04-04", [])


def test_more_of_the_same_is_no_news() -> None:
    store, wind = InMemoryStore(), alert("wind", 1, 3, "origin=JFK")
    run(store, [wind])
    fell = alert("", 2, 3, kind="performance")
    assert run(store, [wind, fell]) == ["incident.grew"]  # it has consequences now
    more = [wind, fell, alert("", 3, 3, kind="performance", metric="log_loss")]
    assert run(store, more) == []
    assert run(store, [*more, alert("wind", 3, 3, "origin=LGA")]) == ["incident.grew"]
    (row,) = casework.incidents(store, None, None)
    assert row["alerts"] == 4


def test_people_act_and_everything_is_on_record() -> None:
    store = InMemoryStore()
    run(store, [alert("wind", 1, 3)])
    (row,) = casework.incidents(store, None, "open")
    taken = casework.acknowledge(store, row["id"], "looking", ANN)
    assert (taken.state, taken.owner) == ("acknowledged", "ann")
    with pytest.raises(Refused, match="acknowledged"):
        casework.acknowledge(store, row["id"], "me too", BOB)
    assert casework.assign(store, row["id"], "bob", ANN).owner == "bob"
    assert [e["text"] for e in casework.comment(store, row["id"], "a <b>sensor</b> broke", BOB).comments] == [
        "a <b>sensor</b> broke"
    ]
    done = casework.resolve(store, row["id"], "sensor replaced", BOB)
    assert done.state == "resolved"
    with pytest.raises(Refused, match="resolved already"):
        casework.resolve(store, row["id"], "again", BOB)
    assert [e["event"] for e in done.timeline] == ["opened", "acknowledge", "assign", "comment", "resolve"]
    assert [e.action for e in store.audit()] == [
        f"incident.{act}" for act in ("acknowledge", "assign", "comment", "resolve")
    ]
    assert verify_chain(store.audit()).ok
    assert run(store, [alert("wind", 1, 3), alert("temp", 3, 3)]) == ["incident.opened"]
    assert casework.incident(store, row["id"]).state == "resolved"  # whatever begins later is another incident


@pytest.mark.parametrize("text", ["", "  ", "\x1b[2Jgone", "abc\u202edef", "x" * 10_001])
def test_a_text_that_says_nothing_or_hides_something_is_refused(text: str) -> None:
    store = InMemoryStore()
    run(store, [alert("wind", 1, 3)])
    (row,) = casework.incidents(store, None, None)
    for act in (casework.acknowledge, casework.resolve, casework.comment):
        with pytest.raises(InvalidInput):
            act(store, row["id"], text, ANN)
    assert store.audit() == ()


def test_an_unknown_incident_is_named_with_those_that_are_open() -> None:
    store = InMemoryStore()
    run(store, [alert("wind", 1, 3)])
    (row,) = casework.incidents(store, None, None)
    with pytest.raises(NotFound, match=row["id"]):
        casework.incident(store, "delay:nothing")


def test_two_monitors_at_once_do_not_tell_it_twice() -> None:
    store = InMemoryStore()
    runs = [update_incidents(store, "delay", [alert("wind", 1, 3)], Evidence(), at(9)) for _ in range(2)]
    store.commit(Change(puts=runs[0][0], outbox=runs[0][1]))
    with pytest.raises(Conflict):
        store.commit(Change(puts=runs[1][0], outbox=runs[1][1]))


def test_suspects_are_ranked_by_importance_times_magnitude() -> None:
    (case,) = cases_of([alert(name, 1, 3) for name in ("wind", "temp", "fuel", "score")])
    findings = (Finding("drift", "temp", "psi", 3.2, 0.2), Finding("drift", "wind", "psi", 0.4, 0.2))
    shares = {1: {"wind": 0.7, "temp": 0.25, "fuel": 0.05}}
    said = analyse(case, Evidence([window(1, None, findings)], shares))
    # wind 0.7 × (1 + log2(0.5 / 0.2)), temp 0.25 × (1 + log2(16)), fuel 0.05 × (1 + log2(2.5))
    scores = {s["column"]: s["score"] for s in said["suspects"]}
    assert scores == pytest.approx({"wind": 0.7 * 2.3219, "temp": 0.25 * 5, "fuel": 0.05 * 2.3219}, abs=1e-3)
    assert [s["column"] for s in said["suspects"]] == ["wind", "temp", "fuel"]
    assert magnitude(0.2, 0.2) == 1
    assert magnitude(0.3, 0.6) == magnitude(0.6, 0.3) == 2


def test_the_segment_with_the_loss_comes_first_and_the_money_is_named() -> None:
    alerts = [alert("wind", 1, 2, f"origin={o}") for o in ("EWR", "JFK")] + [alert("", 1, 2, kind="performance")]
    (case,) = cases_of(alerts)
    windows = [window(day, 0.8 - 0.1 * (day > 1)) for day in (0, 1, 2, 3)]
    windows += [window(1, 0.5, segment="origin=JFK"), window(1, 0.6, segment="origin=EWR")]
    of_segment = {"origin=JFK": REFERENCE, "origin=EWR": intervals.share(6_000, 10_000)}  # EWR was never better
    evidence = Evidence(windows, {}, {1: REFERENCE}, 20.0, "EUR", of_segment=lambda version, name: of_segment[name])
    said = analyse(case, evidence)
    assert [part["segment"] for part in said["segments"]] == ["origin=JFK", "origin=EWR"]
    assert [part["wrong_decisions"] for part in said["segments"]] == pytest.approx([300, 0])
    assert said["loss"]["wrong_decisions"] == pytest.approx(100)  # day 2 only: day 3 is not in the incident
    assert (said["loss"]["money"], said["loss"]["basis"]) == (pytest.approx(2000), "realised")
    assert casework.loss_text(said["loss"]) == (
        "100 more wrong decisions than expected (realised; 95 % interval 60 to 142): 2,000 EUR (1,195 to 2,837)"
    )


@pytest.mark.parametrize(("cost", "currency", "shown"), [(20.0, "EUR", True), (20.0, "", False), (None, "EUR", False)])
def test_a_list_names_the_currency_of_its_money(cost: float | None, currency: str, shown: bool) -> None:
    store, windows = InMemoryStore(), [window(day, 0.8 - 0.1 * (day > 1)) for day in (0, 1, 2, 3)]
    run(store, [alert("", 1, 2, kind="performance")], Evidence(windows, {}, {1: REFERENCE}, cost, currency))
    listed = casework.incidents(store, None, None)
    assert listed[0]["money"] == (None if cost is None else pytest.approx(2000))
    assert ("currency" in listed.columns, "EUR" in str(listed)) == (shown, shown)


def test_without_labels_the_loss_is_estimated_or_says_why_not() -> None:
    (case,) = cases_of([alert("wind", 1, 1)])
    estimated = {"accuracy": {"value": 0.6, "reason": None, "low": 0.57, "high": 0.63}}
    said = analyse(case, Evidence([window(1, None, estimated=estimated)], {}, {1: REFERENCE}))
    assert (said["loss"]["wrong_decisions"], said["loss"]["basis"]) == (pytest.approx(200), "estimated")
    assert said["loss"]["money"] is None
    assert "neither labels" in analyse(case, Evidence([window(1, None)], {}, {1: REFERENCE}))["loss"]["reason"]


def test_what_to_do_follows_from_what_was_seen() -> None:
    def said(*alerts: dict[str, Any]) -> str:
        (case,) = cases_of(alerts)
        return "\n".join(analyse(case, Evidence())["actions"])

    assert f"multivariate-drift delay --window {at(1)}" in said(alert("wind", 1, 2, metric="recent_dependence"))
    assert "number of predictions" in said(alert("", 1, 2, kind="volume", metric="volume"))
    concept = said(alert("", 1, 2, kind="concept", metric="calibration_shift"))
    assert "rollback" in concept
    assert "multivariate-drift" not in concept
