"""The one way in which anything moves: judge, then write state, history, audit and outbox in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any
from uuid import uuid4

from modelops_jupyter import clock
from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import Conflict, GateClosed, NotFound, Refused, StoreDamaged
from modelops_jupyter.governance.acts import Consequences, Decision, Transition, no_more
from modelops_jupyter.governance.gate import GateReport, closed_by, edited_text, evaluate_gate, rejection
from modelops_jupyter.governance.policy import Policy
from modelops_jupyter.persons import is_same_person
from modelops_jupyter.refs import check_alias, check_name
from modelops_jupyter.store import Change, Event, Put, Record, Store, Vouching, in_order, vouch
from modelops_jupyter.written import check_text

_TRIES = 50  # of a decision that others cross; each of them has put one on record meanwhile
_WHY = "A decision goes on record with a reason: say why."


def gate(
    store: Store, policy: Policy, version: Mapping[str, Any], alias: str, vouching: Vouching | None = None
) -> GateReport:
    """Evaluate the gate of a version to `alias`; nothing is written.

    `vouching` is what the audit chain vouches for, where many gates are asked at once.
    """
    return _gate(store, policy, version, check_alias(alias), vouching)


def check(store: Store, policy: Policy, version: Mapping[str, Any], alias: str) -> GateReport:
    """Evaluate the gate of a version to `alias` and keep the report as evidence."""
    report = _gate(store, policy, version, check_alias(alias))
    key = f"{_key(version)}/{uuid4().hex}"
    store.commit(Change(puts=(Put("gate", key, report.to_dict(), subject=report.model),)))
    return report


def approve(
    store: Store,
    policy: Policy,
    version: Mapping[str, Any],
    reason: str,
    actor: Actor,
    *,
    consequences: Consequences = no_more,
) -> Decision:
    """Put an approval on record."""
    return _decide(store, policy, version, "approve", reason, actor, consequences)


def reject(
    store: Store,
    policy: Policy,
    version: Mapping[str, Any],
    reason: str,
    actor: Actor,
    *,
    consequences: Consequences = no_more,
) -> Decision:
    """Put a rejection on record; earlier approvals count no longer.

    A version that serves is not taken out of service by it: another one must take its place. Its aliases say that it
    was rejected, until they move or it is approved again.
    """
    return _decide(store, policy, version, "reject", reason, actor, consequences)


def comment(store: Store, policy: Policy, version: Mapping[str, Any], text: str, actor: Actor) -> Decision:
    """Put a remark on record."""
    return _decide(store, policy, version, "comment", text, actor, no_more)


def record_measurement(store: Store, version: Mapping[str, Any], facts: Mapping[str, Any], actor: Actor) -> None:
    """Put what was measured of a version on its record, in place of what was measured before.

    A gate that was asked before it is no longer true: a move that rests on it is a `Conflict`.

    Parameters
    ----------
    facts
        ``metrics``, ``claimed``, ``measured`` and ``measured_reason``, as the record has them.
    """
    record = store.get("version", _key(version))
    if record is None:
        raise StoreDamaged(f"{version['name']}/{version['version']} is not on record any more: restore a backup.")
    name, replaced = str(version["name"]), record.body.get("measured")
    details = {"digest": version["digest"], "measured": facts["measured"], "replaces": replaced}
    puts = (
        Put("version", record.key, {**record.body, **facts}, subject=name, expected_revision=record.revision),
        Put("decisions", record.key, {"decided_at": _now()}, subject=name),
    )
    event = Event("evaluate", f"{name}/{version['version']}", actor.name, actor.assurance, details)
    store.commit(Change(puts=puts, event=event))


def promote(
    store: Store,
    policy: Policy,
    version: Mapping[str, Any],
    alias: str,
    reason: str,
    actor: Actor,
    *,
    expected_version: int | None = None,
    consequences: Consequences = no_more,
) -> Transition:
    """Point `alias` at `version` if its gate is open and the alias is where it was believed to be.

    Raises
    ------
    GateClosed
        With every check that failed.
    Conflict
        If another version holds the alias than expected, or somebody moved it meanwhile.
    Refused
        If the version holds the alias already.
    """
    check_alias(alias)
    held = store.get("alias", f"{version['name']}@{alias}")
    judged = _standing(store, version)
    version = _version(store, str(version["name"]), int(version["version"]))  # as it is now that changes are noticed
    holder = None if held is None else held.body["version"]
    if expected_version is not None and holder != expected_version:
        raise Conflict(
            f"{version['name']}@{alias} is at version {holder}, not {expected_version}: look again, then repeat."
        )
    if holder == version["version"]:
        raise Refused(f"{version['name']}/{holder} is the {alias} already: nothing to do.")
    report = _gate(store, policy, version, alias)
    if not report.passed:
        failed = "; ".join(result.message for result in report.checks if not result.passed)
        what = f"{version['name']}/{version['version']}"
        unapproved = any(result.name == "approvals" and not result.passed for result in report.checks)
        first = f" Approve it first: `modelops approve {what} --reason ...`." if unapproved else ""
        raise GateClosed(f"{what} may not become {alias}: {failed}.{first}")
    evidence = {"policy_digest": report.policy_digest, "self_review": report.self_review}
    return _move(store, held, version, judged, alias, "promote", reason, actor, evidence, holder, consequences)


def rollback(
    store: Store,
    policy: Policy,
    name: str,
    alias: str,
    reason: str,
    actor: Actor,
    *,
    check_can_serve: Callable[[Mapping[str, Any]], object],
    consequences: Consequences = no_more,
) -> Transition:
    """Point `alias` back at the version that held it before the last promotion; again, at the one before that.

    Figures are not judged again: a version goes back because another is worse. One that was rejected is passed over.

    Parameters
    ----------
    check_can_serve
        Raises where a version cannot be put in service; nothing has moved then.

    Raises
    ------
    NotFound
        If nobody holds the alias, or nobody held it before.
    GateClosed
        If every version that held it before was rejected.
    """
    held = store.get("alias", f"{check_name(name)}@{check_alias(alias)}")
    record = vouch(store, name)
    if not record.ok:
        raise GateClosed(f"{name}@{alias} cannot go back: {edited_text(record)}.")
    if held is None:
        raise NotFound(f"Model {name!r} has no {alias!r} to roll back: promote a version first.")
    at: int | None = held.body["previous"]
    passed_over: list[int] = []
    if at is None:
        raise NotFound(f"{name}@{alias} has no version before {held.body['version']} to go back to.")
    while at is not None and at not in (*passed_over, held.body["version"]):
        version = _version(store, name, at)
        judged = _standing(store, version)
        before = _before(store, name, alias, at)
        if rejection(_decisions(store, version), version, policy.rule(alias)) is None:
            check_can_serve(version)
            evidence = {"policy_digest": policy.digest, "passed_over": passed_over}
            moved = (version, judged, alias, "rollback", reason, actor, evidence, before, consequences)
            return _move(store, held, *moved)
        passed_over.append(at)
        at = before
    rejected = ", ".join(f"{name}/{number}" for number in passed_over)
    raise GateClosed(
        f"{name}@{alias} cannot go back, since what held it before was rejected ({rejected}): approve one again, or "
        "promote another version."
    )


def _before(store: Store, name: str, alias: str, version: int) -> int | None:
    """Return what held the alias before `version` was promoted to it, the last time it was."""
    moves = [record.body for record in in_order(store.find("transition", name))]
    brought = [m for m in moves if (m["alias"], m["action"], m["to_version"]) == (alias, "promote", version)]
    return brought[-1]["from_version"] if brought else None


def _move(
    store: Store,
    held: Record | None,
    version: Mapping[str, Any],
    judged: Put,
    alias: str,
    action: str,
    reason: str,
    actor: Actor,
    evidence: Mapping[str, Any],
    previous: int | None,
    consequences: Consequences,
) -> Transition:
    """Write a move to `version`.

    Parameters
    ----------
    held
        The alias as it was read.
    judged
        The version's standing as it was read before it was judged: a decision since then is a `Conflict`.
    previous
        The version that a rollback from here leads to.
    """
    at, name, to_version = _now(), str(version["name"]), int(version["version"])
    reason = check_reason(reason)
    before = None if held is None else held.body["version"]
    move = Transition(name, alias, before, to_version, action, reason, actor.name, actor.assurance, at)
    state = {"name": name, "alias": alias, "version": to_version, "previous": previous, "since": at, "rejected": None}
    evidence = {**evidence, "digest": version["digest"], "unsafe": version["unsafe"]}
    state["unsafe"] = version["unsafe"]
    more, messages = consequences(None if held is None else held.body, state)
    puts = (
        Put("alias", f"{name}@{alias}", state, subject=name, expected_revision=0 if held is None else held.revision),
        judged,
        Put("transition", f"{name}/{uuid4().hex}", asdict(move), subject=name),
        *more,
    )
    details = {"alias": alias, "from": before, "to": to_version, "reason": reason, **evidence}
    event = Event(action, f"{name}/{to_version}", actor.name, actor.assurance, details)
    store.commit(Change(puts=puts, event=event, outbox=({"topic": action, **asdict(move)}, *messages)))
    return move


def check_reason(reason: str) -> str:
    """Return the reason of a decision without blanks around it.

    Raises
    ------
    InvalidInput
        If it is empty, too long, or holds characters that steer a terminal.
    """
    return check_text(reason, _WHY)


def _decide(
    store: Store,
    policy: Policy,
    version: Mapping[str, Any],
    word: str,
    reason: str,
    actor: Actor,
    consequences: Consequences,
) -> Decision:
    """Write a decision, and on the aliases of the version whether it stands under a rejection now."""
    at, reason = _now(), check_reason(reason)
    own = is_same_person(actor.name, str(version["created_by"]))
    name, number = str(version["name"]), int(version["version"])
    details = {"reason": reason, "digest": str(version["digest"]), "self_review": own, "policy_digest": policy.digest}
    for tries_left in reversed(range(_TRIES)):
        judged = _standing(store, version)  # read first: whoever moves or decides meanwhile makes this a conflict
        held = [record for record in store.find("alias", name) if record.body["version"] == number]
        aliases = tuple(str(record.body["alias"]) for record in held)
        facts = (name, number, word, reason, actor.name, actor.assurance, at, str(version["digest"]), own, aliases)
        decision = Decision(*facts, policy.digest)
        puts = [Put("decision", f"{_key(version)}/{uuid4().hex}", asdict(decision), subject=name)]
        messages: list[Mapping[str, Any]] = []
        if word != "comment":
            puts.append(replace(judged, body={"decided_at": at}))
            decisions = [*_decisions(store, version), asdict(decision)]
            for record in held:
                state = _marked(record.body, rejection(decisions, version, policy.rule(record.body["alias"])))
                more, outbox = consequences(record.body, state)
                puts += [Put("alias", record.key, state, subject=name, expected_revision=record.revision), *more]
                messages += outbox
        event = Event(word, f"{name}/{number}", actor.name, actor.assurance, details)
        try:
            store.commit(Change(puts=tuple(puts), event=event, outbox=tuple(messages)))
        except Conflict:
            if not tries_left:
                raise
            continue
        break
    return decision


def _marked(alias: Mapping[str, Any], rejected: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the state of an alias whose version stands under a rejection, or under none."""
    mark = None if rejected is None else {"by": rejected["actor"], "reason": rejected["reason"], "at": rejected["at"]}
    return {**alias, "rejected": mark}


def _standing(store: Store, version: Mapping[str, Any]) -> Put:
    """Return the write that succeeds only while nobody decides anything about a version; to be read before judging."""
    record = store.get("decisions", _key(version))
    body, revision = ({}, 0) if record is None else (record.body, record.revision)
    return Put("decisions", _key(version), body, subject=str(version["name"]), expected_revision=revision)


def _gate(
    store: Store, policy: Policy, version: Mapping[str, Any], alias: str, vouching: Vouching | None = None
) -> GateReport:
    held = store.get("alias", f"{version['name']}@{alias}")
    holder = None if held is None else _version(store, version["name"], held.body["version"])
    report = evaluate_gate(policy, alias, version, _decisions(store, version), holder)
    name = str(version["name"])
    record = vouch(store, name) if vouching is None else vouching.of(name)
    return report if record.ok else closed_by(report, record)


def standing_rejection(
    store: Store, version: Mapping[str, Any], policy: Policy, alias: str
) -> Mapping[str, Any] | None:
    """Return the rejection that a version stands under by the rule of an alias, or None."""
    return rejection(_decisions(store, version), version, policy.rule(alias))


def _decisions(store: Store, version: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return everything decided about a version, in the order in which it went on record."""
    decisions = in_order(store.find("decision", version["name"]))
    return [record.body for record in decisions if record.body["version"] == version["version"]]


def _version(store: Store, name: str, number: int) -> Mapping[str, Any]:
    record = store.get("version", f"{name}/{number:06d}")
    if record is None:
        raise StoreDamaged(f"{name}/{number} held an alias, but is not on record: restore the store from a backup.")
    return record.body


def _key(version: Mapping[str, Any]) -> str:
    return f"{version['name']}/{version['version']:06d}"


def _now() -> str:
    return clock.now().isoformat()
