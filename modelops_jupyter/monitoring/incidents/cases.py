"""Keeping incidents: what the monitor writes about them.

The monitor alone writes records of kind ``incident``, people alone add records of kind ``incident_act``: neither ever
waits for the other, and how an incident stands is a function of both; see `standing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from modelops_jupyter.monitoring.incidents.accepted import without_accepted
from modelops_jupyter.monitoring.incidents.analysis import analyse
from modelops_jupyter.monitoring.incidents.causes import Case
from modelops_jupyter.monitoring.incidents.chronicle import RAISED, Event, chronicle_of
from modelops_jupyter.monitoring.incidents.evidence import Evidence
from modelops_jupyter.monitoring.incidents.members import Member
from modelops_jupyter.monitoring.incidents.standing import acts_of, standing
from modelops_jupyter.monitoring.incidents.suppressions import Suppression, furthest, suppressions_of
from modelops_jupyter.store import Put, Record, Store

# What ends an incident by itself: because its alerts did, or its version was replaced.
ENDED = ("recovered", "superseded")
BEGINS = ("opened", "reopened", "returned")


def update_incidents(
    store: Store,
    model: str,
    alerts: Iterable[Mapping[str, Any]],
    evidence: Evidence,
    at: str,
    owner: str | None = None,
) -> tuple[tuple[Put, ...], tuple[Mapping[str, Any], ...]]:
    """Return what is to be written about the incidents of a model, and the messages to send: one for each that changed.

    Parameters
    ----------
    alerts
        Every alert of the model as it is now, with its ``every``.
    at
        The time of this run, ISO text in UTC.
    owner
        Who has the model's new incidents until somebody else does.
    """
    records = {r.key: r for r in store.find("incident", model) if r.body["cause"] == "data"}
    acts = acts_of(store, model)
    cases = [_case(r, acts.get(r.key, ())) for r in records.values()]
    suppressions = suppressions_of(store, model)
    on_record = [member for case in cases for member in case.members.values()]
    members = without_accepted(model, [*map(Member.of, alerts)], suppressions, evidence, on_record)
    chronicle = chronicle_of(model, members, cases, [s for s in suppressions if s.act == "mute"])
    now = max((window.window_end for window in evidence.windows), default="")
    chronicle.expire(_ended(suppressions, furthest(store, model), now, acts), now)
    puts, messages = [], []
    for case in chronicle.book.cases.values():
        record, events = records.get(case.id), chronicle.events.get(case.id, [])
        body = _body(case, record, events, evidence, model, at, owner)
        if record is None or body != record.body:
            revision = 0 if record is None else record.revision
            puts.append(Put("incident", case.id, body, subject=model, expected_revision=revision))
        news = _news(events, case.resolved, was_told(record))
        if news is not None:
            messages.append(message_of(body, news.event, news.text))
    return tuple(puts), tuple(messages)


def monitoring_incident(
    identity: str,
    model: str,
    title: str,
    actions: Sequence[str],
    since: str,
    at: str,
    owner: str | None,
    cause: str = "monitoring",
) -> dict[str, Any]:
    """Return the body of an incident that is not about data but about monitoring itself, or about the registry."""
    return {
        "id": identity,
        "model": model,
        "cause": cause,
        "firing": True,
        "ended": "",
        "follows": "",
        "owner": owner,
        "opened_at": at,
        "first_window": since,
        "last_window": since,
        "title": title,
        "alerts": [],
        "suspects": [],
        "segments": [],
        "loss": None,
        "actions": list(actions),
        "history": [{"at": at, "event": "opened", "text": title}],
    }


def recover(body: Mapping[str, Any], at: str, text: str) -> dict[str, Any]:
    """Return the body of an incident whose cause is gone."""
    return {
        **body,
        "firing": False,
        "ended": "recovered",
        "history": [*body["history"], {"at": at, "event": "recovered", "text": text}],
    }


def message_of(body: Mapping[str, Any], news: str, text: str | None = None) -> dict[str, Any]:
    """Return what is sent about an incident: small, whatever its size; `text` is that of its last event by default."""
    return {
        "topic": f"incident.{news}",
        "model": body["model"],
        "title": f"{body['model']}: {body['title']}",
        "text": body["history"][-1]["text"] if text is None else text,
        "incident": {
            "id": body["id"],
            "cause": body["cause"],
            "firing": body["firing"],
            "first_window": body["first_window"],
            "last_window": body["last_window"],
            "alerts": len(body["alerts"]),
            "suspects": body["suspects"][:3],
            "segments": body["segments"][:3],
            "loss": body["loss"],
            "actions": body["actions"],
        },
    }


def _case(record: Record, acts: Sequence[Mapping[str, Any]]) -> Case:
    """Return an incident as the last run left it, and people since."""
    body = record.body
    members = [Member.from_dict(alert) for alert in body["alerts"]]
    resolved = standing(body, acts)[0] == "resolved"
    return Case(record.key, {m.key: m for m in members}, resolved, body["follows"], on_record=True)


def _body(
    case: Case,
    record: Record | None,
    events: Sequence[Event],
    evidence: Evidence,
    model: str,
    at: str,
    owner: str | None,
) -> dict[str, Any]:
    """Return the body of an incident after this run."""
    before: Mapping[str, Any] = {} if record is None else record.body
    members = sorted(case.members.values(), key=lambda m: (m.start, m.key))
    alerts = [member.to_dict() for member in members]
    last = max((member.last for member in members), default="")
    if record is not None and not events and alerts == before["alerts"] and last < evidence.settled:
        return dict(before)
    ends = [event.event for event in events if event.event in ENDED]
    firing = any(not member.closed for member in members)
    body = {
        "id": case.id,
        "model": model,
        "cause": "data",
        "firing": firing,
        "ended": "" if firing else ends[-1] if ends else before.get("ended", "recovered"),
        "follows": case.follows,
        "owner": before.get("owner", owner),
        "opened_at": before.get("opened_at", at),
        "alerts": alerts,
    }
    same = {key: before[key] for key in ("first_window", "last_window", "title", "suspects") if key in before}
    said = analyse(case, evidence) if members else {**same, "segments": [], "loss": None, "actions": []}
    told = [
        {"at": at, "event": e.event, "window": e.window, "text": e.text, **({"muted": True} if e.muted else {})}
        for e in events
    ]
    return {**body, **said, "history": [*before.get("history", ()), *told]}


def _news(events: Sequence[Event], resolved: bool, was_told: bool) -> Event | None:
    """Return which event of a run to send a message about, if any: what began or grew, else that it ended.

    What a person closed is not told to end, nor what was muted all along; what became less is on the timeline alone.
    """
    loud = [event for event in events if not event.muted]
    told = (*RAISED, "expired")
    raised = sorted((e for e in loud if e.event in told), key=lambda e: told.index(e.event))
    raised = [event for event in raised if event.event != "expired" or not resolved]
    ended = [event for event in events if event.event in ENDED and not resolved and was_told]
    return raised[0] if raised else ended[-1] if ended else None


def was_told(record: Record | None) -> bool:
    """Tell whether a message was sent about an incident since it last began."""
    history = [] if record is None else record.body["history"]
    began = max((n for n, e in enumerate(history) if e["event"] in BEGINS), default=0)
    return any(e["event"] in (*RAISED, "expired") and not e.get("muted") for e in history[began:])


def _ended(
    suppressions: Iterable[Suppression], before: str, now: str, acts: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[tuple[Suppression, list[str]]]:
    """Return what ended by itself since the last run, which reached `before`, with the incidents it was said on."""
    return [
        (s, [identity for identity, own in acts.items() if any(act.get("suppression") == s.key for act in own)])
        for s in suppressions
        if before < s.until <= now and s.revoked is None
    ]
