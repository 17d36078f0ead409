"""Working on incidents: listing them, and what people do about them; an act and its audit event are one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from modelops_jupyter import clock
from modelops_jupyter.actions.versions import find_model
from modelops_jupyter.actor import Actor
from modelops_jupyter.choices import CHOICES
from modelops_jupyter.errors import InvalidInput, NotFound, Refused
from modelops_jupyter.listing import Listing
from modelops_jupyter.persons import check_person
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.refs import check_name
from modelops_jupyter.roles import SERVED, Series, kind_of
from modelops_jupyter.wording import count, figure_text
from modelops_jupyter.written import check_text

if TYPE_CHECKING:
    import pandas as pd

    from modelops_jupyter.monitoring.incidents.suppressions import Suppression
    from modelops_jupyter.store import Record, Store

STATES = CHOICES["IncidentState"]
_WHY = "What is done about an incident goes on record with its reason: say why."


@dataclass(frozen=True)
class Incident(Presentable):
    """Alerts of one cause: what it is, who has it, and how it went. Times are ISO text in UTC.

    Attributes
    ----------
    id : str
        The model's name and eight hexadecimal digits, such as ``flight-delay:1f3a9c07``; it never changes.
    state : {"open", "acknowledged", "resolved", "recovered", "superseded"}
        recovered: every alert recovered by itself; resolved: a person closed it; superseded: its version was replaced.
    cause : {"data", "monitoring", "registry", "governance"}
        monitoring: the monitor itself stopped or fails. registry: MLflow does not show what is on record. governance:
        a version that serves was rejected.
    follows : str
        The id of the incident that the same cause had before; empty if there is none.
    first_window, last_window : str
        Starts of the first and the last bad window.
    suspects : tuple of mapping
        Features, ranked by importance times magnitude; see `monitoring.incidents.suspects.Suspect`.
    segments : tuple of mapping
        Slices with alerts of their own, the costliest first.
    loss : mapping or None
        Wrong decisions beyond those expected with their 95 % interval, and the money, if the use case says what one
        costs; see `monitoring.incidents.loss.Loss`. Of a regression ``error``, the absolute error of a row beyond that
        of the reference; see `monitoring.incidents.error_loss.ErrorExcess`.
    suppressed : str
        By whom, until when and why all of it that is open is muted or accepted; empty where it is not.
    timeline : tuple of mapping
        What the monitor saw and what people did: ``at, actor, event, text``, oldest first.
    """

    id: str
    model: str
    state: str
    owner: str | None
    cause: str
    title: str
    follows: str
    opened_at: str
    first_window: str
    last_window: str
    suspects: tuple[Mapping[str, Any], ...]
    segments: tuple[Mapping[str, Any], ...]
    loss: Mapping[str, Any] | None
    actions: tuple[str, ...]
    alerts: tuple[Mapping[str, Any], ...]
    timeline: tuple[Mapping[str, Any], ...]
    suppressed: str = ""

    @property
    def comments(self) -> tuple[Mapping[str, Any], ...]:
        """What people remarked."""
        return tuple(event for event in self.timeline if event["event"] == "comment")

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """Return the timeline, a row per event."""
        import pandas as pd

        return pd.DataFrame(self.timeline, columns=["at", "actor", "event", "text"])

    def __str__(self) -> str:
        head = f"{self.id} ({self.state}, {f'owned by {self.owner}' if self.owner else 'no owner'}): {self.title}"
        of = " of what was served" if self.cause == "data" else ""
        lines = [
            head,
            f"  bad windows from {self.first_window} to {self.last_window}{of}, {count(len(self.alerts), 'alert')}",
        ]
        lines += [f"  {self.suppressed}"] if self.suppressed else []
        lines += [f"  again: the same was wrong in {self.follows}"] if self.follows else []
        lines += [_suspect_line(suspect) for suspect in self.suspects[:5]]
        lines += [f"  segment {part['segment']}: {', '.join(part['columns'])}" for part in self.segments[:5]]
        if loss := loss_text(self.loss):
            lines.append(f"  {loss}")
        lines += [f"  next: {action}" for action in self.actions]
        if self.state == "open" and not self.suppressed:
            lines.append(f"  next: Take it: `modelops acknowledge {self.id} --reason ...`.")
        lines += [f"  {e['at'][:16]} {e['actor']}: {e['event']}, {e['text']}" for e in self.timeline]
        return "\n".join(lines)


def loss_text(loss: Mapping[str, Any] | None) -> str:
    """Return a sentence about wrong decisions and money, or errors; nothing where chance alone may explain them."""
    from modelops_jupyter.monitoring.incidents.loss import is_loss

    error = (loss or {}).get("error")
    if error and is_loss(error["low"]):
        interval = f"95 % interval {error['low']:.3g} to {error['high']:.3g}"
        of = f"{error['expected']:.3g} on the reference, {count(error['rows'], 'row')} with labels"
        return f"mean absolute error {error['value']:.3g} greater than expected ({of}; {interval})"
    if loss is None or not is_loss(loss.get("low")):
        return ""
    value, low, high = loss["wrong_decisions"], loss["low"], loss["high"]
    text = f"{value:,.0f} more wrong decisions than expected ({loss['basis']}; 95 % interval {low:,.0f} to {high:,.0f})"
    if loss["money"] is None:
        return text
    price = loss["money"] / value
    return f"{text}: {loss['money']:,.0f} {loss['currency']}".rstrip() + f" ({low * price:,.0f} to {high * price:,.0f})"


def incidents(store: Store, name: str | None, state: str | None) -> Listing:
    """Return incidents, newest first; see `Workspace.incidents`."""
    from modelops_jupyter.monitoring.incidents.standing import acts_of
    from modelops_jupyter.monitoring.incidents.suppressions import in_force

    if name is not None:
        find_model(store, check_name(name))
    if state not in (None, *STATES):
        raise InvalidInput(f"An incident is {', '.join(STATES)}, not {state!r}.")
    acts, current = acts_of(store, name), in_force(store, name)
    found = [
        _row(record.body, acts.get(record.key, []), current.get(record.subject, []))
        for record in store.find("incident", name)
    ]
    rows = sorted((row for row in found if state in (None, row["state"])), key=lambda r: str(r["opened_at"]))
    rows = sorted(rows, key=lambda row: str(row["first_window"]), reverse=True)
    currency = ("currency",) if any(row["currency"] for row in rows) else ()
    cost = ("wrong_decisions", "wrong_decisions_low", "wrong_decisions_high", "money", *currency)
    quiet = ("suppressed",) if any(row["suppressed"] for row in rows) else ()
    columns = ("id", "state", "owner", "role", "first_window", "last_window", "alerts", *cost, *quiet, "title")
    note = " ".join(filter(None, (_alerts_beside(store, name), _suppressed_beside(current))))
    return Listing("Incidents", columns, tuple(rows), "No incidents.", note)


def _alerts_beside(store: Store, name: str | None) -> str:
    """Say how many alerts there are that open no incident, being of no answer that a request got."""
    alerts = store.find(kind_of("alert", Series(1)), name)
    open_alerts = sum(record.body["state"] == "open" for record in alerts)
    if not open_alerts:
        return ""
    opens = "opens" if open_alerts == 1 else "open"
    what = f"{count(open_alerts, 'open alert')} of shadow or canary predictions"
    return f"{what} {opens} no incident: see `modelops alerts`."


def _suppressed_beside(current: Mapping[str, Sequence[Suppression]]) -> str:
    """Say what is muted or accepted by column or sign, whatever incident it may come to."""
    every = [s for own in current.values() for s in own if not s.incident]
    return " ".join(f"{s.model}, {s.scope}: {str(s).rstrip('.')}." for s in every)


def incident(store: Store, identity: str) -> Incident:
    """Return one incident.

    Raises
    ------
    NotFound
        With the ids of the open ones.
    """
    return _read(store, _record(store, identity))


def _read(store: Store, record: Record) -> Incident:
    """Return the incident of a record, with what people did about it."""
    from modelops_jupyter.monitoring.incidents.standing import acts_of, standing, timeline
    from modelops_jupyter.monitoring.incidents.suppressions import in_force

    identity, body = record.key, record.body
    acts = acts_of(store, body["model"]).get(identity, [])
    state, owner = standing(body, acts)
    return Incident(
        id=identity,
        model=body["model"],
        state=state,
        owner=owner,
        cause=body["cause"],
        title=body["title"],
        follows=body["follows"],
        opened_at=body["opened_at"],
        first_window=body["first_window"],
        last_window=body["last_window"],
        suspects=tuple(body["suspects"]),
        segments=tuple(body["segments"]),
        loss=body["loss"],
        actions=tuple(body["actions"]),
        alerts=tuple(body["alerts"]),
        timeline=timeline(body, acts),
        suppressed=str(_suppressed(body, state, in_force(store, body["model"]).get(body["model"], [])) or ""),
    )


def acknowledge(store: Store, identity: str, reason: str, actor: Actor) -> Incident:
    """Take an open incident; whoever does owns it, if nobody did."""
    record = _record(store, identity)
    seen = _read(store, record)
    if seen.state != "open":
        raise Refused(f"{identity} is {seen.state}: only an open incident can be acknowledged.")
    owner = None if seen.owner else actor.name
    return _act(store, record, "acknowledge", check_text(reason, _WHY), actor, owner=owner)


def resolve(store: Store, identity: str, reason: str, actor: Actor) -> Incident:
    """Close an incident; the same cause is another incident from then on, which names this one."""
    record = _record(store, identity)
    if _read(store, record).state == "resolved":
        raise Refused(f"{identity} is resolved already: comment on it instead.")
    return _act(store, record, "resolve", check_text(reason, _WHY), actor)


def assign(store: Store, identity: str, owner: str, actor: Actor) -> Incident:
    """Give an incident to `owner`."""
    name = check_person(owner)
    return _act(store, _record(store, identity), "assign", f"to {name}", actor, owner=name)


def comment(store: Store, identity: str, text: str, actor: Actor) -> Incident:
    """Put a remark on an incident's timeline."""
    return _act(store, _record(store, identity), "comment", check_text(text, _WHY), actor)


def is_incident(reference: object) -> bool:
    """Tell an incident's id from a model reference, which never has a colon but in front of ``models:/``."""
    return isinstance(reference, str) and ":" in reference and not reference.startswith("models:/")


def _act(store: Store, record: Record, act: str, text: str, actor: Actor, owner: str | None = None) -> Incident:
    """Put an act on record, with how much of the monitor's history whoever acts had seen."""
    from modelops_jupyter.store import Change, Event, Put

    identity, seen, at = record.key, len(record.body["history"]), clock.now().isoformat()
    body = {"incident": identity, "act": act, "text": text, "owner": owner, "actor": actor.name, "at": at, "seen": seen}
    put = Put("incident_act", f"{identity}/{uuid4().hex}", body, subject=record.subject)
    details = {"text": text, **({"owner": owner} if owner else {})}
    event = Event(f"incident.{act}", identity, actor.name, actor.assurance, details)
    store.commit(Change(puts=(put,), event=event))
    return incident(store, identity)


def _record(store: Store, identity: str) -> Record:
    record = store.get("incident", identity) if isinstance(identity, str) else None
    if record is None:
        known = ", ".join(row["id"] for row in incidents(store, None, "open").rows[:5]) or "none"
        raise NotFound(f"There is no incident {identity!r}: open are {known}.")
    return record


def _suppressed(body: Mapping[str, Any], state: str, current: Sequence[Suppression]) -> Suppression | None:
    """Return what mutes an incident as a whole, or accepted it, longest; None where nothing does."""
    from modelops_jupyter.monitoring.incidents.members import Member
    from modelops_jupyter.monitoring.incidents.suppressions import covering

    if not current or state not in ("open", "acknowledged", "resolved"):
        return None
    members = [Member.from_dict(alert) for alert in body["alerts"]]
    present = [member for member in members if not member.closed]
    if not present:
        accepted = [s for s in current if s.act == "accept" and s.incident == body["id"]]
        return accepted[-1] if accepted else None
    covers = [covering(member, [(body["id"], member)], current) for member in present]
    return covers[0] if all(covers) else None


def _row(body: Mapping[str, Any], acts: list[Mapping[str, Any]], current: Sequence[Suppression]) -> dict[str, Any]:
    from modelops_jupyter.monitoring.incidents.loss import is_loss
    from modelops_jupyter.monitoring.incidents.standing import standing

    state, owner = standing(body, acts)
    suppression = _suppressed(body, state, current)
    loss = body["loss"] or {}
    loss = loss if is_loss(loss.get("low")) else {}
    return {
        "id": body["id"],
        "model": body["model"],
        "state": state,
        "owner": owner,
        "cause": body["cause"],
        "role": SERVED if body["cause"] == "data" else "",
        "title": body["title"],
        "follows": body["follows"],
        "opened_at": body["opened_at"],
        "first_window": body["first_window"],
        "last_window": body["last_window"],
        "alerts": len(body["alerts"]),
        "suspects": [suspect["column"] for suspect in body["suspects"]],
        "segments": [part["segment"] for part in body["segments"]],
        "wrong_decisions": loss.get("wrong_decisions"),
        "wrong_decisions_low": loss.get("low"),
        "wrong_decisions_high": loss.get("high"),
        "money": loss.get("money"),
        "currency": loss.get("currency", "") if loss.get("money") is not None else "",
        "suppressed": str(suppression or ""),
        "revocable": None if suppression is None else suppression.spoken,
    }


def _suspect_line(suspect: Mapping[str, Any]) -> str:
    share = "" if suspect["importance"] is None else f", {suspect['importance']:.0%} of importance"
    where = f" where {suspect['segment']}" if suspect["segment"] else ""
    return (
        f"  suspect {suspect['column']}{where}: {suspect['metric']} {figure_text(suspect['figure'])} against "
        f"{figure_text(suspect['threshold'])}{share}"
    )
