"""Which incident an alert belongs to: the one whose cause it shares, or whose cause it follows.

Alerts are taken in the order in which they opened, and each is placed by what was on record then. So the same history
makes the same incidents, whether days are looked at one by one or all at once.

- A sign of a column belongs to the incident in which that column is wrong now, or was less than a cycle ago.
- Causes that began together are one: two columns that change on one day. Those that begin later are another incident.
- A dependence that changes belongs to the incident in which one of its columns moved.
- An effect, such as worse performance, belongs to the incident of the latest cause that began not long before it and
  in no other segment; effects that began together without any cause are one incident.
- What is resolved stays so: the same again is another incident, which names the one before. What ended because the
  version was replaced goes on once the version is back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from modelops_jupyter.monitoring.incidents.members import CAUSE, DEPENDENCE, EFFECT, Member


@dataclass
class Case:
    """The alerts of one incident, as far as they are placed.

    Attributes
    ----------
    members : mapping of tuple to Member
        By their keys.
    resolved : bool
        A person closed it: no more alerts join.
    follows : str
        The id of the incident that the same cause had before.
    on_record : bool
        It is from an earlier run, whatever became of its alerts.
    """

    id: str
    members: dict[tuple[str, ...], Member] = field(default_factory=dict)
    resolved: bool = False
    follows: str = ""
    on_record: bool = False
    _open: tuple[datetime, list[Member]] | None = field(default=None, repr=False)

    def put(self, member: Member) -> None:
        """Add an alert, or take it as it is now."""
        if self._open is not None and member.begin == self._open[0] and member.key not in self.members:
            self._open[1].append(member)
        else:
            self._open = None
        self.members[member.key] = member

    def forget(self, key: tuple[str, ...]) -> Member:
        """Take out an alert that is no more, and return it."""
        self._open = None
        return self.members.pop(key)

    def open_at(self, at: datetime) -> list[Member]:
        """Return the alerts that were open on the evening of a window."""
        if self._open is None or self._open[0] != at:
            self._open = at, [member for member in self.members.values() if member.is_open(at)]
        return self._open[1]

    def began(self, at: datetime) -> datetime | None:
        """Return since when alerts have been open without a break; None where none is."""
        now = self.open_at(at)
        start = min((member.begin for member in now), default=None)
        if start is not None:
            for member in sorted(self.members.values(), key=lambda m: m.begin, reverse=True):
                if member.begin < start and (member.end is None or member.end >= start):
                    start = member.begin
        return start


class Casebook:
    """All incidents of a model, while its alerts are placed in the order in which they opened."""

    def __init__(self, model: str, cases: Iterable[Case]) -> None:
        self.model = model
        self.cases = {case.id: case for case in cases}
        self._alike: dict[tuple[object, ...], dict[tuple[str, ...], Case]] = {}
        for case in self.cases.values():
            for member in case.members.values():
                self._note(member, case)

    def place(self, member: Member) -> Case:
        """Put an alert into the incident, an old or a new one, that it belongs to."""
        home = self._same(member) or _related(
            member, [case for case in self._running(member) if _version(member, case)]
        )
        if home is None:
            identity = incident_id(self.model, member)
            home = self.cases.setdefault(identity, Case(identity, follows=self._before(member)))
        home.put(member)
        self._note(member, home)
        return home

    def _note(self, member: Member, case: Case) -> None:
        self._alike.setdefault(_likeness(member), {})[member.key] = case

    def _running(self, member: Member) -> list[Case]:
        return [case for case in self.cases.values() if not case.resolved and case.open_at(member.begin)]

    def _same(self, member: Member) -> Case | None:
        """Return where the same is wrong, or was until lately, or until its version was replaced; the latest of all."""
        found: list[tuple[str, str, Case]] = []
        for key, case in self._alike.get(_likeness(member), {}).items():
            other = case.members.get(key)
            if case.resolved or other is None or other.version != member.version:
                continue
            back = other.state == "superseded" and other.signal == member.signal
            if other.is_open(member.begin) or back or (other.end and member.begin - other.end < other.cycle):
                found.append((other.start, case.id, case))
        return max(found, key=lambda place: place[:2])[2] if found else None

    def _before(self, member: Member) -> str:
        """Return the latest incident with the same sign; an effect is one of its own only where no cause is known."""
        found = []
        for key, case in self._alike.get(_likeness(member), {}).items():
            other = case.members.get(key)
            alone = member.part != EFFECT or all(m.part == EFFECT for m in case.members.values())
            if other is not None and other.sign == member.sign and alone:
                found.append((other.start, case.id))
        return max(found, default=("", ""))[1]


def order(member: Member) -> tuple[str, int, bool, tuple[str, ...]]:
    """Return what alerts are placed in the order of: of one window causes first, whole windows before segments."""
    return member.start, member.part, bool(member.segment), member.key


def incident_id(model: str, first: Member) -> str:
    """Return the id of the incident that `first` opens, such as ``flight-delay:1f3a9c07``."""
    digest = hashlib.sha256("\n".join((model, *first.key, str(first.version))).encode()).hexdigest()
    return f"{model}:{digest[:8]}"


def _likeness(member: Member) -> tuple[object, ...]:
    """Return what alerts of one cause share: the column, or the same effect in the same segment."""
    if member.part == CAUSE:
        return CAUSE, member.source or member.sign
    return member.signal


def _related(member: Member, cases: Sequence[Case]) -> Case | None:
    if member.part == EFFECT:
        return _followed(member, cases)
    if member.part == DEPENDENCE:
        moved = _moved(member, cases)
        if moved is not None:
            return moved
    return _together(member, cases)


def _moved(member: Member, cases: Sequence[Case]) -> Case | None:
    """Return where one of a dependence's columns moved last, or where its dependence with others changed."""
    found = [
        (other.part != DEPENDENCE, other.start, case.id, case)
        for case in cases
        for other in case.open_at(member.begin)
        if other.part != EFFECT and other.columns & member.columns
    ]
    return max(found, key=lambda place: place[:3])[3] if found else None


def _followed(member: Member, cases: Sequence[Case]) -> Case | None:
    """Return where the latest cause began that an effect may follow, else where other effects began with it."""
    earliest = member.onset - member.cycle
    found = []
    for case in cases:
        for other in case.open_at(member.begin):
            if _share_segment(member, other) and other.begin >= earliest:
                found.append((other.part != EFFECT, other.start, case.id, case))
    return max(found, key=lambda place: place[:3])[3] if found else None


def _together(member: Member, cases: Sequence[Case]) -> Case | None:
    """Return where something began together with a cause; more rows than usual make distributions vary too."""
    found = []
    for case in cases:
        now = case.open_at(member.begin)
        start = case.began(member.begin)
        near = start is not None and member.onset <= start and any(_share_segment(member, other) for other in now)
        swollen = member.kind == "drift" and any(map(is_swollen, now))
        if start is not None and (near or swollen):
            found.append((swollen, start, case.id, case))
    return max(found, key=lambda place: place[:3])[3] if found else None


def is_swollen(member: Member) -> bool:
    """Tell whether an alert says that more rows came: such as come twice make distributions differ more than chance."""
    return member.kind == "volume" and member.figure > member.threshold


def _share_segment(a: Member, b: Member) -> bool:
    return a.segment == b.segment or not a.segment or not b.segment


def _version(member: Member, case: Case) -> bool:
    """Tell whether an incident is of the same version: each is validated on rows of its own; traffic is of all."""
    return any(m.version == member.version or "volume" in (m.kind, member.kind) for m in case.members.values())
