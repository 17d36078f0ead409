"""How an incident stands, and how it went: a function of what the monitor saw and of what people did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelops_jupyter.monitoring.incidents.chronicle import RAISED
from modelops_jupyter.monitoring.incidents.suppressions import suppressions_of
from modelops_jupyter.store import Store

Act = Mapping[str, Any]


def acts_of(store: Store, model: str | None) -> dict[str, list[Act]]:
    """Return what people did about the incidents of a model, or of all, by incident and oldest first.

    What was accepted and taken back before the monitor ran again is ``void``: it is told, and changes nothing.
    """
    acts: dict[str, list[Act]] = {}
    bodies = [record.body for record in store.find("incident_act", model)]
    revocable = any(body["act"] == "accept" for body in bodies)
    void = {s.key for s in suppressions_of(store, model) if s.is_void} if revocable else set()
    for body in bodies:
        acts.setdefault(body["incident"], []).append({**body, "void": body.get("suppression") in void})
    return {identity: sorted(own, key=lambda act: str(act["at"])) for identity, own in acts.items()}


def standing(body: Mapping[str, Any], acts: Sequence[Act]) -> tuple[str, str | None]:
    """Return state and owner of an incident.

    A resolution holds unless what was resolved becomes much worse, for whatever begins later is another incident; an
    acknowledgement holds until it has recovered and come again. A version that serves again finds both as they were.
    """
    raised = max((e["at"] for e in body["history"] if e["event"] in RAISED), default="")
    again = max((e["at"] for e in body["history"] if e["event"] in ("opened", "reopened")), default="")
    ended = body["ended"] or "recovered"
    owner, state = body["owner"], "open" if body["firing"] else ended
    for act in acts:
        owner = act.get("owner") or owner
        if act["act"] in ("resolve", "accept") and not act.get("void") and not act.get("partly"):
            state = "resolved" if act["at"] >= raised else "open" if body["firing"] else ended
        elif act["act"] == "acknowledge" and state == "open" and act["at"] >= again:
            state = "acknowledged"
    return state, owner


def timeline(body: Mapping[str, Any], acts: Sequence[Act]) -> tuple[Mapping[str, Any], ...]:
    """Return what the monitor saw and what people did, oldest first."""
    seen = [{"at": e["at"], "actor": "monitor", "event": e["event"], "text": e["text"]} for e in body["history"]]
    done = [{"at": a["at"], "actor": a["actor"], "event": a["act"], "text": a["text"]} for a in acts]
    return tuple(sorted((*seen, *done), key=lambda event: str(event["at"])))
