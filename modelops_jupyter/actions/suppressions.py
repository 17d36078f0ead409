"""Muting alerts for a while, accepting them as the new normal until a date, and taking either back.

What a person says is a record of kind ``suppression``, with an act on each incident that it is about and an audit
event, in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING
from uuid import uuid4

from modelops_jupyter import clock
from modelops_jupyter.actions.casework import incident, is_incident
from modelops_jupyter.actions.versions import find_model
from modelops_jupyter.derived_names import source_of
from modelops_jupyter.errors import InvalidInput, NotFound, Refused
from modelops_jupyter.listing import Listing
from modelops_jupyter.refs import check_name
from modelops_jupyter.wording import short
from modelops_jupyter.written import check_text

if TYPE_CHECKING:
    from modelops_jupyter.actor import Actor
    from modelops_jupyter.monitoring.incidents.members import Member
    from modelops_jupyter.monitoring.incidents.sizes import Size
    from modelops_jupyter.monitoring.incidents.suppressions import Suppression
    from modelops_jupyter.store import Put, Record, Store

_WHY = "What is muted or accepted goes on record with its reason: say why."
ANSWERS = ("prediction", "score")
# What is not about data, by cause: what it is about, and what to do about it in place of muting it.
_OTHERS = {
    "monitoring": ("monitoring itself", "acknowledge or resolve it"),
    "registry": ("what MLflow shows", "run `modelops incident {}` for what to do, and acknowledge or resolve it"),
    "governance": (
        "a rejected version that serves",
        "roll back, promote another version, or approve it again; `modelops incident {}` names the commands",
    ),
}
_COLUMNS = ("what", "of", "until", "by", "reason")


def suppressions(store: Store, model: str) -> Listing:
    """Return what is muted and accepted of a model now, oldest first."""
    from modelops_jupyter.monitoring.incidents.suppressions import in_force

    rows = tuple(
        {
            "model": model,
            "what": s.did,
            "of": s.scope,
            "incident": s.incident,
            "column": s.column,
            "sign": s.sign,
            "until": s.until,
            "by": s.actor,
            "reason": s.reason,
            "at": s.at,
        }
        for s in in_force(store, model).get(model, [])
    )
    return Listing(f"Muted and accepted of {model}", _COLUMNS, rows, f"Nothing of {model} is muted or accepted.")


def mute(
    store: Store, subject: str, column: str | None, sign: str | None, until: object, reason: str, actor: Actor
) -> Listing:
    """Keep alerts quiet until a date; see `Workspace.mute`."""
    model, identity, records = _subject(store, subject, column, sign, "mute")
    end = _until(store, model, until)
    why = check_text(reason, _WHY)
    made = _made("mute", store, model, identity, column, sign, end, why, actor)
    touched = [r.key for r in records if any(not m.closed and made.mutes(m, r.key) for m in _members(r))]
    return _commit(store, made, {key: False for key in touched or filter(None, [identity])}, actor)


def accept(
    store: Store, subject: str, column: str | None, sign: str | None, until: object, reason: str, actor: Actor
) -> Listing:
    """Take what is wrong as the new normal until a date; see `Workspace.accept`.

    What was accepted of just this and is in force is carried over: the new date and the new reason take the place of
    its own, whatever is wrong now.
    """
    from dataclasses import replace

    model, identity, records = _subject(store, subject, column, sign, "accept")
    end = _until(store, model, until)
    why = check_text(reason, _WHY)
    made = _made("accept", store, model, identity, column, sign, end, why, actor)
    earlier = [s for s in _in_force(store, model, identity, column, sign) if s.act == "accept"]
    chosen: list[Member] = []
    touched = _homes(store, model, earlier)
    for record in records:
        present = [member for member in _members(record) if not member.closed]
        own = [member for member in present if identity or made.names(member)]
        if own:
            chosen += own
            touched[record.key] = len(own) < len(present)
        elif record.key in touched:
            touched[record.key] |= bool(present)
    if not chosen and not earlier:
        what = identity or f"{made.scope} of {model}"
        raise Refused(
            f"Nothing is wrong with {what} now: there is nothing to accept; `modelops mute` keeps quiet what may come."
        )
    by_facet = {size.facet: size for size in _sizes(store, model, chosen)}
    for size in (size for acceptance in earlier for size in acceptance.sizes):
        by_facet[size.facet] = size.joined(by_facet.get(size.facet, size))
    return _commit(store, replace(made, sizes=tuple(by_facet.values())), touched, actor, _taken_back(store, earlier))


def revoke(store: Store, subject: str, column: str | None, sign: str | None, reason: str, actor: Actor) -> Listing:
    """Take back what was muted or accepted; see `Workspace.revoke`."""
    from modelops_jupyter.monitoring.incidents.suppressions import in_force
    from modelops_jupyter.store import Change, Event

    model, identity, _ = _subject(store, subject, column, sign, "revoke")
    why = check_text(reason, _WHY)
    own = _in_force(store, model, identity, column, sign)
    if not own:
        current = in_force(store, model).get(model, [])
        others = ", ".join(f"{s.scope} ({s.did})" for s in current) or "nothing"
        raise NotFound(f"{_named(model, identity, column, sign)} is neither muted nor accepted: in force is {others}.")
    puts = [*_taken_back(store, own)]
    for s in own:
        text = f"no longer {s.did}: {why}"
        puts += [_act(store, model, home, "revoke", text, s, actor) for home in _homes(store, model, [s])]
    details = {"of": own[0].scope, "was": [s.act for s in own], "reason": why}
    event = Event("alerts.revoke", identity or model, actor.name, actor.assurance, details)
    store.commit(Change(puts=tuple(puts), event=event))
    return suppressions(store, model)


def _in_force(store: Store, model: str, identity: str, column: str | None, sign: str | None) -> list[Suppression]:
    """Return what is muted and accepted now of just this."""
    from modelops_jupyter.monitoring.incidents.suppressions import in_force

    return [s for s in in_force(store, model).get(model, []) if s.is_of(identity, column or "", sign or "")]


def _taken_back(store: Store, own: Sequence[Suppression]) -> list[Put]:
    """Return what ends suppressions with the windows that were monitored so far."""
    from dataclasses import replace

    from modelops_jupyter.monitoring.incidents.suppressions import KIND, through_of
    from modelops_jupyter.store import Put

    puts = []
    for s in own:
        record, now = store.get(KIND, s.key), through_of(store, s.model).get(s.model, {})
        body = replace(s, revoked=now).to_dict()
        puts.append(Put(KIND, s.key, body, subject=s.model, expected_revision=record.revision if record else 0))
    return puts


def _homes(store: Store, model: str, own: Sequence[Suppression]) -> dict[str, bool]:
    """Return the incidents that suppressions were said on, and of each whether they left some of it."""
    if not own:
        return {}
    keys = {s.key for s in own}
    acts = [r.body for r in store.find("incident_act", model)]
    acts = sorted((act for act in acts if act.get("suppression") in keys), key=lambda act: str(act["incident"]))
    homes: dict[str, bool] = {}
    for act in acts:
        homes[act["incident"]] = bool(act["partly"]) and homes.get(act["incident"], True)
    return homes


def _subject(
    store: Store, subject: str, column: str | None, sign: str | None, act: str
) -> tuple[str, str, Sequence[Record]]:
    """Return model, incident (or nothing) and the records of the model's incidents, once all of it is checked."""
    if is_incident(subject):
        shown = incident(store, subject)
        if column or sign:
            raise InvalidInput(f"{subject} is one incident: leave out column and sign, or name the model instead.")
        if shown.cause != "data":
            about, advice = _OTHERS[shown.cause]
            raise Refused(f"{subject} is about {about}, not about data: {advice.format(subject)}.")
        if act == "mute" and shown.state not in ("open", "acknowledged"):
            raise Refused(f"{subject} is {shown.state}: only what is open can be muted.")
        records = [record for record in store.find("incident", shown.model) if record.key == subject]
        return shown.model, subject, records
    model = find_model(store, check_name(subject))
    if not column and not sign:
        raise InvalidInput(f"Say what to {act} of {model}: a column, a sign, or the id of an incident in its place.")
    records = [record for record in store.find("incident", model) if record.body["cause"] == "data"]
    _check_column(store, model, column)
    _check_sign(store, model, sign)
    return model, "", records


def _check_column(store: Store, model: str, column: str | None) -> None:
    if not column:
        return
    features = [str(name) for record in store.find("version", model) for name in record.body.get("features", ())]
    columns = list(dict.fromkeys((*features, *ANSWERS)))
    if source_of(column) not in columns:
        raise NotFound(f"{model!r} has no column {column!r}: it has {', '.join(columns)}.")


def _check_sign(store: Store, model: str, sign: str | None) -> None:
    if not sign:
        return
    from modelops_jupyter.monitoring.incidents.members import Member
    from modelops_jupyter.monitoring.incidents.sentences import SIGNS
    from modelops_jupyter.monitoring.judging.budget import PARTS
    from modelops_jupyter.monitoring.record.results import plain_metric

    signs = list(dict.fromkeys((*PARTS, *SIGNS)))
    if sign in signs:
        return
    seen = {plain_metric(Member.of(record.body).metric) for record in store.find("alert", model)}
    windows = store.find("window", model)
    known = seen | {plain_metric(name) for record in windows[-1:] for name in record.body["performance"]}
    if sign not in known:
        raise NotFound(f"There is no sign {sign!r} of alerts: there are {', '.join((*signs, *sorted(known)))}.")


def _until(store: Store, model: str, until: object) -> str:
    """Return a date as ISO text in UTC; it must lie after the newest window that was monitored."""
    from modelops_jupyter.monitoring.incidents.suppressions import furthest

    end = _moment(until)
    through = furthest(store, model)
    now = datetime.fromisoformat(through) if through else clock.now()
    if end <= now:
        newest = f"the newest window of {model} ends on" if through else "it is"
        raise InvalidInput(f"{short(end)} is in the past: {newest} {short(now)}, so give a later date.")
    return end.isoformat()


def _moment(until: object) -> datetime:
    wrong = InvalidInput(f"{until!r} is no date: write it as 2013-07-01.")
    try:
        at = until if isinstance(until, date) else datetime.fromisoformat(str(until).strip())
        at = at if isinstance(at, datetime) else datetime.combine(at, time())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError, TypeError):
        raise wrong from None


def _made(
    act: str,
    store: Store,
    model: str,
    identity: str,
    column: str | None,
    sign: str | None,
    until: str,
    reason: str,
    actor: Actor,
) -> Suppression:
    from modelops_jupyter.monitoring.incidents.suppressions import Suppression, through_of

    at, through = clock.now().isoformat(), through_of(store, model).get(model, {})
    since = min(through.values(), default="")
    key = f"{model}/{at}/{uuid4().hex[:8]}"
    own = "" if identity else column or "", "" if identity else sign or ""
    return Suppression(key, act, model, identity, *own, since, until, reason, actor.name, at, through)


def _sizes(store: Store, model: str, members: Sequence[Member]) -> tuple[Size, ...]:
    """Return how large these open alerts have been so far, one size of each sign."""
    from modelops_jupyter.monitoring.incidents.sizes import Size
    from modelops_jupyter.monitoring.kept import KeptWindows

    by_facet: dict[tuple[str, str, str], Size] = {}
    for member in members:
        windows = KeptWindows(store, model, member.every).both(member.start, "")
        findings = [
            finding
            for window in windows
            if window.segment == member.segment
            for finding in window.findings
            if finding.key == member.signal[1:] and finding.level != "lingering"
        ]
        size = Size.of(member, findings)
        other = by_facet.get(member.facet)
        by_facet[member.facet] = size if other is None else other.joined(size)
    return tuple(by_facet.values())


def _commit(
    store: Store, made: Suppression, touched: Mapping[str, bool], actor: Actor, replaced: Sequence[Put] = ()
) -> Listing:
    """Put a suppression on record; `touched` says of each incident that it is about whether it leaves some of it."""
    from modelops_jupyter.monitoring.incidents.suppressions import KIND
    from modelops_jupyter.store import Change, Event, Put

    puts = [*replaced, Put(KIND, made.key, made.to_dict(), subject=made.model, expected_revision=0)]
    for home, partly in touched.items():
        what = f"{made.scope} is {made}" if not made.incident else str(made)
        puts.append(_act(store, made.model, home, made.act, what, made, actor, partly=partly))
    details: dict[str, object] = {"of": made.scope, "until": made.until, "reason": made.reason}
    if touched:
        details["incidents"] = sorted(touched)
    event = Event(f"alerts.{made.act}", made.incident or made.model, actor.name, actor.assurance, details)
    store.commit(Change(puts=tuple(puts), event=event))
    return suppressions(store, made.model)


def _act(
    store: Store,
    model: str,
    home: str,
    act: str,
    text: str,
    suppression: Suppression,
    actor: Actor,
    *,
    partly: bool = False,
) -> Put:
    from modelops_jupyter.store import Put

    record = store.get("incident", home)
    seen, at = 0 if record is None else len(record.body["history"]), clock.now().isoformat()
    said = {"incident": home, "act": act, "text": text, "owner": None, "actor": actor.name, "at": at, "seen": seen}
    body = {**said, "suppression": suppression.key, "partly": partly}
    return Put("incident_act", f"{home}/{uuid4().hex}", body, subject=model)


def _members(record: Record) -> list[Member]:
    from modelops_jupyter.monitoring.incidents.members import Member

    return [Member.from_dict(alert) for alert in record.body["alerts"]]


def _named(model: str, identity: str, column: str | None, sign: str | None) -> str:
    return identity or f"{' of '.join(filter(None, (sign, column)))} of {model}"
