"""Keeping incidents: what the monitor writes about them, and how they stand once people have acted.

The monitor alone writes records of kind ``incident``, people alone add records of kind ``incident_act``: neither ever
waits for the other, and how an incident stands is a function of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from modelops_jupyter.monitoring.incidents.incidents import Case, Member, group
from modelops_jupyter.monitoring.incidents.suspects import Evidence, analyse
from modelops_jupyter.store import Put, Record, Store

RAISED = ("opened", "grew", "reopened")


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
    earlier = {key: [Member(**alert) for alert in record.body["alerts"]] for key, record in records.items()}
    puts, messages = [], []
    for case in group(model, alerts, earlier):
        record = records.get(case.id)
        body, news = _next(case, record, evidence, model, at, owner)
        if record is None or body != record.body:
            revision = 0 if record is None else record.revision
            puts.append(Put("incident", case.id, body, subject=model, expected_revision=revision))
        if news:
            messages.append(message_of(body, news))
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


def heal(body: Mapping[str, Any], at: str, text: str) -> dict[str, Any]:
    """Return the body of an incident whose cause is gone."""
    return {
        **body,
        "firing": False,
        "history": [*body["history"], {"at": at, "event": "healed", "text": text}],
    }


def message_of(body: Mapping[str, Any], news: str) -> dict[str, Any]:
    """Return what is sent about an incident: small, whatever its size."""
    return {
        "topic": f"incident.{news}",
        "model": body["model"],
        "title": f"{body['model']}: {body['title']}",
        "text": body["history"][-1]["text"],
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


def standing(body: Mapping[str, Any], acts: Sequence[Mapping[str, Any]]) -> tuple[str, str | None]:
    """Return state and owner of an incident.

    A resolution holds until the monitor sees more of it; an acknowledgement until it has healed and come again.
    """
    raised = max((e["at"] for e in body["history"] if e["event"] in RAISED), default="")
    again = max((e["at"] for e in body["history"] if e["event"] in ("opened", "reopened")), default="")
    owner, state = body["owner"], "open" if body["firing"] else "healed"
    for act in acts:
        owner = act.get("owner") or owner
        if act["act"] == "resolve":
            state = "resolved" if act["at"] >= raised else "open" if body["firing"] else "healed"
        elif act["act"] == "acknowledge" and state == "open" and act["at"] >= again:
            state = "acknowledged"
    return state, owner


def timeline(body: Mapping[str, Any], acts: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Return what the monitor saw and what people did, oldest first."""
    seen = [{"at": e["at"], "actor": "monitor", "event": e["event"], "text": e["text"]} for e in body["history"]]
    done = [{"at": a["at"], "actor": a["actor"], "event": a["act"], "text": a["text"]} for a in acts]
    return tuple(sorted((*seen, *done), key=lambda event: str(event["at"])))


def _next(
    case: Case, record: Record | None, evidence: Evidence, model: str, at: str, owner: str | None
) -> tuple[dict[str, Any], str | None]:
    """Return the body of an incident after this run, and what is new about it."""
    before: Mapping[str, Any] = {} if record is None else record.body
    alerts = [member.to_dict() for member in case.members]
    last = max((member.last for member in case.members), default="")
    if record is not None and alerts == before["alerts"] and last < evidence.settled:
        return dict(before), None
    history = list(before.get("history", ()))
    news = [*_events(case, before)]
    body = {
        "id": case.id,
        "model": model,
        "cause": "data",
        "firing": case.firing,
        "owner": before.get("owner", owner),
        "opened_at": before.get("opened_at", at),
        "alerts": alerts,
    }
    kept = {key: before[key] for key in ("first_window", "last_window", "title", "suspects") if key in before}
    said = analyse(case, evidence) if case.members else {**kept, "segments": [], "loss": None, "actions": []}
    history += [{"at": at, "event": event, "text": text} for event, text in news]
    return {**body, **said, "history": history}, news[0][0] if news else None


def _events(case: Case, before: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield what happened to an incident since the last run: the most important first."""
    fired = bool(before.get("firing"))
    told = case.spread if before else case.joined
    names = ", ".join(sorted({_name(member) for member in told})[:5])
    more = f" and {len(told) - 5} more" if len(told) > 5 else ""
    if not before:
        yield "opened", f"{len(case.members)} alert{'s' * (len(case.members) != 1)}: {names}{more}."
        fired = True
    elif case.firing and not fired:
        yield "reopened", f"It came again: {names or 'an alert'}{more}."
    elif told:
        yield "grew", f"It spread to {names}{more}."
    if case.withdrawn and not case.members:
        yield "healed", "Rows and labels that came later took every alert back."
    elif fired and not case.firing:
        yield "healed", "Every alert has healed."


def _name(member: Member) -> str:
    what = f"{member.metric} of {member.column}" if member.column else member.metric
    return f"{what} where {member.segment}" if member.segment else what
