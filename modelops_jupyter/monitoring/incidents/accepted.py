"""Alerts without what people accepted of them: the part before, and the part from where it passed or ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from modelops_jupyter.monitoring.incidents.alerts import open_alert
from modelops_jupyter.monitoring.incidents.evidence import Evidence
from modelops_jupyter.monitoring.incidents.members import Member
from modelops_jupyter.monitoring.incidents.suppressions import Suppression
from modelops_jupyter.monitoring.record.results import Finding, WindowResult
from modelops_jupyter.wording import short

Hit = tuple[WindowResult, Finding]
_FOREVER = "~"  # after every date


def without_accepted(
    model: str,
    members: Sequence[Member],
    suppressions: Iterable[Suppression],
    evidence: Evidence,
    on_record: Collection[Member],
) -> list[Member]:
    """Return the alerts that incidents are made of.

    What was accepted closes an alert there, and what is alike opens none until the acceptance ends. An alert that is
    clearly stronger than what was accepted, or that goes on after the acceptance, counts from then on: as another one.

    Parameters
    ----------
    on_record
        The alerts that incidents had so far.
    """
    acceptances = [s for s in suppressions if s.act == "accept" and not s.is_void]
    if not acceptances:
        return list(members)
    parts: list[Member] = []
    for member in members:
        own = [s for s in acceptances if s.accepted(member) and (member.closed or _FOREVER) > s.begin(member.every)]
        parts += _parts(model, member, own, evidence, on_record) if own else [member]
    return parts


def _parts(
    model: str, member: Member, acceptances: Sequence[Suppression], evidence: Evidence, on_record: Collection[Member]
) -> list[Member]:
    """Return the parts of an alert that nobody accepted, the oldest first."""
    before = [other for other in on_record if other.identity == member.identity]
    parts: list[Member] = []
    current: Member | None = member
    for acceptance in acceptances:
        size, begin, until = acceptance.accepted(member), acceptance.begin(member.every), acceptance.end(member.every)
        if current is None or size is None or current.start >= until:
            continue
        if evidence.every in ("", member.every):
            hits = _hits(member, evidence, max(current.start, size.last))
            hits = [hit for hit in hits if hit[0].window_start > size.last]
            passes = [hit for hit in hits if hit[0].window_start >= until or size.is_passed_by(hit[1])]
            later = _resumed(model, member, passes[0], acceptance) if passes else None
        else:  # windows of another length are not at hand: as their own last run left it
            later = next((_as_now(other, member) for other in before if other.start > size.last), None)
        end = min(begin, later.start) if later else begin
        if current.start < end and any(other.start < end for other in before):
            last = min(current.last, size.last)
            surges = tuple(surge for surge in current.surges if surge[0] < end)
            parts.append(replace(current, state="accepted", closed=end, last=last, surges=surges))
        current = later
    return [*parts, current] if current else parts


def _hits(member: Member, evidence: Evidence, since: str) -> list[Hit]:
    """Return the findings of an alert from a window on, oldest first: those that may open one."""
    return [
        (window, finding)
        for window in evidence.within(since, member.closed or _FOREVER)
        if window.segment == member.segment
        for finding in window.findings
        if finding.key == member.signal[1:] and finding.level != "lingering"
    ]


def _resumed(model: str, member: Member, hit: Hit, acceptance: Suppression) -> Member:
    """Return the part of an alert from a finding on."""
    window, finding = hit
    alert = open_alert(model, member.version, finding, window)
    part = Member.of({**alert.to_dict(), "every": member.every})
    until = acceptance.end(member.every)
    over = window.window_start >= until
    day = short(datetime.fromisoformat(until))
    note = (
        f"What {acceptance.actor} accepted ({acceptance.reason}) ended on {day}."
        if over
        else f"It is clearly more than {acceptance.actor} accepted ({acceptance.reason})."
    )
    surges = tuple(surge for surge in member.surges if surge[0] > part.start)
    return replace(_as_now(part, member), last=max(member.last, part.start), surges=surges, note=note)


def _as_now(part: Member, member: Member) -> Member:
    return replace(part, last=member.last, state=member.state, closed=member.closed)
