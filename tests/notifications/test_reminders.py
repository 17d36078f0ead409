"""What lasts is told again by rules: not never, not daily for ever, and not more often because more processes look."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.actions.reminding import say_what_lasts
from modelops_jupyter.clock import Moment
from modelops_jupyter.errors import Conflict
from modelops_jupyter.monitoring import Finding, WindowResult
from modelops_jupyter.monitoring.incidents.cases import monitoring_incident, recover
from modelops_jupyter.monitoring.incidents.members import Member
from modelops_jupyter.monitoring.incidents.reminders import AGAIN, DIGEST, MOST, spells
from modelops_jupyter.notifications.message import Message
from modelops_jupyter.store import Change, InMemoryStore, Put

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def at(days: float, set_by: timedelta = timedelta(0)) -> Moment:
    return Moment(BEGIN + days * DAY + set_by, "b", days * DAY.total_seconds())


def day(number: int) -> str:
    return (BEGIN + number * DAY).isoformat()


def incident(identity: str, *kinds: str, muted: bool = False) -> dict[str, Any]:
    """Return an open incident with an alert of each kind; of none it is about monitoring."""
    members = [Member(k, "", "wind", "psi", "1D", day(0), day(0), "open", 1.0, 0.1, "it moved") for k in kinds]
    body = monitoring_incident(identity, "m", "wind changed", (), day(0), day(0), "ann")
    body["history"][0] |= {"muted": True} if muted else {}
    return {**body, "cause": "data" if kinds else "monitoring", "alerts": [member.to_dict() for member in members]}


def keep(store: InMemoryStore, *bodies: dict[str, Any]) -> None:
    store.commit(Change(puts=tuple(Put("incident", body["id"], body, subject="m") for body in bodies)))


def act(store: InMemoryStore, identity: str, kind: str) -> None:
    body = {"incident": identity, "act": kind, "seen": 1, "at": day(1), "actor": "ann", "text": "x"}
    store.commit(Change(puts=(Put("incident_act", f"{identity}/{kind}", body, subject="m"),)))


def told(store: InMemoryStore) -> list[tuple[str, str]]:
    return [(r.body["topic"], (r.body.get("incident") or {}).get("id", "")) for r in store.find("outbox")]


def look(store: InMemoryStore, days: int, each: float = 1.0) -> list[tuple[float, int]]:
    """Look for some days, and return when something was said, and how much."""
    moments = [n * each for n in range(int(days / each) + 1)]
    return [(moment, said) for moment in moments if (said := say_what_lasts(store, at(moment)))]


@pytest.mark.parametrize(("kinds", "severity"), [((), "high"), (("concept", "drift"), "high"), (("drift",), "normal")])
def test_an_incident_that_lasts_is_told_again_and_then_in_a_digest_alone(kinds: tuple[str, ...], severity: str) -> None:
    store = InMemoryStore()
    keep(store, incident("m:1", *kinds))
    step = AGAIN[severity].days
    days = step * MOST + 1 + 3 * DIGEST.days  # whoever looks next begins the week
    said = look(store, days)
    assert [when for when, _ in said[:MOST]] == [step * n for n in range(1, MOST + 1)]
    counts = Counter(told(store))
    assert counts["incident.reminded", "m:1"] == MOST
    assert counts["incident.digest", ""] == 3
    assert [b - a for (a, _), (b, _) in zip(said[MOST:], said[MOST + 1 :], strict=False)] == [DIGEST.days] * 2
    texts = [record.body["text"] for record in store.find("outbox")]
    assert "weekly digest alone" in texts[MOST - 1]
    assert texts[-1].startswith("m:1 (open since 2026-03-01): wind changed")
    assert all(Message.of(record).body for record in store.find("outbox"))


@given(
    each=st.sampled_from([0.01, 0.3, 1.0, 2.5]),
    clocks=st.lists(st.integers(-400, 400), min_size=1, max_size=5),
)
def test_who_looks_how_often_and_by_which_clock_makes_no_difference(each: float, clocks: list[int]) -> None:
    store = InMemoryStore()
    keep(store, incident("m:1", "performance"))
    for number in range(int(3.2 / each) + 1):
        say_what_lasts(store, at(number * each, clocks[number % len(clocks)] * DAY))
    assert len(told(store)) in ((3, 2) if each < 1 else (3,) if each == 1.0 else (1,))


def test_what_is_muted_resolved_or_over_is_told_no_more() -> None:
    store = InMemoryStore()
    bodies = [incident("m:muted", "drift", muted=True), incident("m:resolved"), incident("m:seen", "concept")]
    keep(store, *bodies, recover(incident("m:over"), day(1), "it runs again"))
    act(store, "m:resolved", "resolve")
    act(store, "m:seen", "acknowledge")
    look(store, 15)
    assert told(store) == [("incident.digest", "")] * 2  # of what was acknowledged, and lasts
    assert [record.body["incidents"] for record in store.find("outbox")] == [["m:seen"]] * 2
    keep(store, recover(bodies[2], day(15), "it is over"))
    assert look(store, 60) == []
    assert store.get("reminder", "digest") is None


def test_what_happens_meanwhile_was_told_and_the_count_begins_anew() -> None:
    store = InMemoryStore()
    body = incident("m:1", "performance")
    keep(store, body)
    assert len(look(store, 2)) == 2
    keep(store, {**body, "history": [*body["history"], {"at": day(2), "event": "grew", "text": "more"}]})
    assert say_what_lasts(store, at(3.5)) == say_what_lasts(store, at(4.4)) == 0
    assert say_what_lasts(store, at(4.6)) == 1


def window(number: int, *columns: str) -> Put:
    findings = tuple(Finding("drift", column, "psi", 1.0, 0.1) for column in columns)
    result = WindowResult(day(number), day(number + 1), 100, 0, {"1": 100}, {}, {}, findings)
    return Put("window", f"m/1D/{day(number)}", result.packed(), subject="m")


def test_what_comes_and_goes_is_said_to() -> None:
    """Two days on, two days off: one alert for thirty days."""
    store = InMemoryStore()
    keep(store, incident("m:1", "drift"), incident("m:2", "drift"))
    steady = {**incident("m:2", "drift"), "alerts": [{**incident("m:2", "drift")["alerts"][0], "column": "rain"}]}
    keep(store, steady)
    store.commit(Change(puts=tuple(window(n, "rain", *(["wind"] if n % 4 < 2 else [])) for n in range(31))))
    look(store, 30)
    texts = {r.body["incident"]["id"]: r.body["text"] for r in store.find("outbox") if "incident" in r.body}
    assert "It comes and goes since 2026-03-01: seen in 16 of 31 windows, 8 times anew." in texts["m:1"]
    assert texts["m:2"].startswith("It lasts since 2026-03-01.")


@given(hits=st.lists(st.booleans(), max_size=40))
def test_spells_are_counted_by_their_begins(hits: list[bool]) -> None:
    text = "".join("x" if hit else " " for hit in hits)
    assert spells(hits) == len(text.split())


def test_two_processes_say_it_once() -> None:
    class Late(InMemoryStore):
        """A store in which somebody else is first, once."""

        behind = False

        def commit(self, change: Change):  # type: ignore[no-untyped-def]
            if self.behind and change.outbox:
                self.behind = False
                super().commit(change)
                raise Conflict("somebody else was first")
            return super().commit(change)

    store = Late()
    keep(store, incident("m:1", "performance"))
    say_what_lasts(store, at(0))
    store.behind = True
    assert say_what_lasts(store, at(1.1)) == say_what_lasts(store, at(1.2)) == 0
    assert told(store) == [("incident.reminded", "m:1")]
