"""How an incident stands, and how it went: a function of what the monitor saw and of what people did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelops_jupyter.monitoring.incidents.chronicle import RAISED
from modelops_jupyter.monitoring.incidents.suppressions import suppressions_of
from modelops_jupyter.store import Store, in_order

Act = Mapping[str, Any]


def acts_of(store: Store, model: str | None) -> dict[str, list[Act]]:
    """Return what people did about the incidents of a model, or of all, by incident and oldest first.

    What was accepted and taken back before the monitor ran again is ``void``: it is told, and changes nothing.
    """
    acts: dict[str, list[Act]] = {}
    bodies = [record.body for record in in_order(store.find("incident_act", model))]
    revocable = any(body["act"] == "accept" for body in bodies)
    void = {s.key for s in suppressions_of(store, model) if s.is_void} if revocable else set()
    for body in bodies:
        acts.setdefault(body["incident"], []).append({**body, "void": body.get("suppression") in void})
    return acts


def standing(body: Mapping[str, Any], acts: Sequence[Act]) -> tuple[str, str | None]:
    """Return state and owner of an incident.

    A resolution holds unless what was resolved becomes much worse, for whatever begins later is another incident; an
    acknowledgement holds until it has recovered and come again. A version that serves again finds both as they were.
    What people had seen when they acted is how many events the monitor had put down by then, whatever clocks said.
    """
    raised = _last(body, RAISED)
    again = _last(body, ("opened", "reopened"))
    ended = body["ended"] or "recovered"
    owner, state = body["owner"], "open" if body["firing"] else ended
    for act in acts:
        owner = act.get("owner") or owner
        if act["act"] in ("resolve", "accept") and not act.get("void") and not act.get("partly"):
            state = "resolved" if act["seen"] >= raised else "open" if body["firing"] else ended
        elif act["act"] == "acknowledge" and state == "open" and act["seen"] >= again:
            state = "acknowledged"
    return state, owner


def timeline(body: Mapping[str, Any], acts: Sequence[Act]) -> tuple[Mapping[str, Any], ...]:
    """Return what the monitor saw and what people did, oldest first."""
    events = [
        ((number, 0), {"at": e["at"], "actor": "monitor", "event": e["event"], "text": e["text"]})
        for number, e in enumerate(body["history"], start=1)
    ]
    done = [
        ((a["seen"], number), {"at": a["at"], "actor": a["actor"], "event": a["act"], "text": a["text"]})
        for number, a in enumerate(acts, start=1)
    ]
    return tuple(event for _, event in sorted((*events, *done), key=lambda item: item[0]))


def _last(body: Mapping[str, Any], events: Sequence[str]) -> int:
    """Return the number of the last of some events that the monitor put down, counted from 1; 0 where there is none."""
    numbers = (n for n, event in enumerate(body["history"], start=1) if event["event"] in events)
    return max(numbers, default=0)
