"""Incidents: alerts of one cause become one case, the same one again whenever the monitor runs.

Pure functions of the alerts and of the incidents before. Two alerts have one cause if they were open at the same time
and share a segment or a column, or one of them is of what every cause ends in: the prediction, its score, performance.
Versions are validated on rows of their own, so what is wrong with two of them is two cases.
An alert stays in the incident it once belonged to; one that late labels moved in time is the same alert; what is new
joins the earliest incident it is linked with, or opens one. So a run again changes nothing, and no id is given twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from modelops_jupyter.monitoring.record.results import plain_metric
from modelops_jupyter.profiles import window_length

SLACK = 2  # windows: N of M opens alerts of one cause some windows apart, and labels come later than features
EFFECTS = frozenset({"", "prediction", "score"})  # columns that are no feature


@dataclass(frozen=True)
class Member:
    """An alert as its incident keeps it; times are ISO text in UTC, `last` is the start of its last bad window."""

    kind: str
    segment: str
    column: str
    metric: str
    every: str
    start: str
    last: str
    state: str
    figure: float
    threshold: float
    message: str
    version: int = 0

    @classmethod
    def of(cls, alert: Mapping[str, Any]) -> Member:
        """Read an alert as the store keeps it."""
        return cls(
            alert["kind"],
            alert.get("segment", ""),
            alert["column"],
            alert["metric"],
            alert["every"],
            alert["window_start"],
            alert["last_window"],
            alert["state"],
            alert["figure"],
            alert["threshold"],
            alert["message"],
            alert.get("version", 0),
        )

    @property
    def signal(self) -> tuple[str, str, str, str, str]:
        """What was seen, whenever it was: as `Finding.key` has it, all drift of a column is one thing."""
        metric = "" if self.kind == "drift" else plain_metric(self.metric)
        return self.every, self.kind, self.segment, self.column, metric

    @property
    def key(self) -> tuple[str, ...]:
        """What was seen, and since when."""
        return (*self.signal, self.start)

    @property
    def is_effect(self) -> bool:
        """Whether it tells of the model's answers rather than of a feature."""
        return self.kind in ("performance", "concept") or self.column in EFFECTS

    @property
    def facet(self) -> tuple[str, str]:
        """What it adds to an incident: a feature in a segment, or one of the effects, wherever."""
        if self.kind == "volume":
            return self.kind, ""
        if self.is_effect:
            return ("answers" if self.kind in ("drift", "quality") else "performance"), ""
        return self.column, self.segment

    @cached_property
    def span(self) -> tuple[datetime, datetime]:
        """The half-open interval of its bad windows."""
        return datetime.fromisoformat(self.start), datetime.fromisoformat(self.last) + window_length(self.every)

    @cached_property
    def reach(self) -> datetime:
        """Until when another alert may begin and still have the same cause."""
        return self.span[1] + SLACK * window_length(self.every)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return asdict(self)


@dataclass(frozen=True)
class Case:
    """The alerts of one incident; `joined` and `withdrawn` are what is new and gone since it was last looked at."""

    id: str
    members: tuple[Member, ...]
    known: bool
    joined: tuple[Member, ...] = ()
    withdrawn: tuple[Member, ...] = ()

    @property
    def firing(self) -> bool:
        """Whether one of its alerts is open."""
        return any(member.state == "open" for member in self.members)

    @property
    def spread(self) -> tuple[Member, ...]:
        """The alerts that joined and tell more: another feature or segment, the first fall, or what fires again.

        One more metric of a performance that has an alert already is no news; nor is it that predictions follow scores.
        """
        new = {member.key for member in self.joined}
        before = [member for member in self.members if member.key not in new]
        known, signals = {member.facet for member in before}, {member.signal for member in before}
        return tuple(m for m in self.joined if m.facet not in known or m.signal in signals)


def group(model: str, alerts: Iterable[Mapping[str, Any]], earlier: Mapping[str, Sequence[Member]]) -> tuple[Case, ...]:
    """Sort the alerts of a model into incidents.

    Parameters
    ----------
    alerts
        Every alert of the model, healed ones too.
    earlier
        The members of each incident so far, by id.

    Returns
    -------
    tuple of Case
        Every earlier incident, also where nothing changed or no alert is left, then new ones in order of time.
    """
    free = {member.key: member for member in sorted(map(Member.of, alerts), key=lambda m: (m.start, m.key))}
    held: dict[str, list[Member]] = {}
    joined: dict[str, list[Member]] = {}
    for identity in sorted(earlier, key=lambda i: (min((m.start for m in earlier[i]), default=""), i)):
        held[identity] = [free.pop(member.key) for member in earlier[identity] if member.key in free]
    for identity, members in held.items():  # only now: what stands is never taken for what moved
        kept = {member.key for member in members}
        for gone in (member for member in earlier[identity] if member.key not in kept):
            moved = [m for m in free.values() if _same_signal(m, gone)]
            members += [free.pop(member.key) for member in moved]
    for members in _components(tuple(free.values())):
        home = next((i for i, own in held.items() if any(linked(a, b) for a in own for b in members)), None)
        identity = home or incident_id(model, min(members, key=lambda m: (m.start, m.key)))
        held.setdefault(identity, []).extend(members)
        joined.setdefault(identity, []).extend(members)
    return tuple(_case(identity, members, earlier, joined) for identity, members in held.items())


def linked(a: Member, b: Member) -> bool:
    """Tell whether two alerts may have one cause."""
    related = a.segment == b.segment or a.column == b.column or a.is_effect or b.is_effect
    related = related and (a.version == b.version or "volume" in (a.kind, b.kind))
    return related and a.span[0] < b.reach and b.span[0] < a.reach


def incident_id(model: str, first: Member) -> str:
    """Return the id of the incident that `first` opens, such as ``flight-delay:1f3a9c07``."""
    digest = hashlib.sha256("\n".join((model, *first.key)).encode()).hexdigest()
    return f"{model}:{digest[:8]}"


def _same_signal(alert: Member, gone: Member) -> bool:
    return alert.signal == gone.signal and alert.span[0] < gone.span[1] and gone.span[0] < alert.span[1]


def _case(
    identity: str,
    members: Sequence[Member],
    earlier: Mapping[str, Sequence[Member]],
    joined: Mapping[str, Sequence[Member]],
) -> Case:
    before, now = earlier.get(identity, ()), {member.signal for member in members}
    gone = tuple(member for member in before if member.signal not in now)
    ordered = tuple(sorted(members, key=lambda m: (m.start, m.key)))
    return Case(identity, ordered, identity in earlier, tuple(joined.get(identity, ())), gone)


def _components(members: Sequence[Member]) -> list[list[Member]]:
    """Return groups of alerts that are linked, directly or through others; `members` are in order of time."""
    ended: list[list[Member]] = []
    running: list[list[Member]] = []
    for member in members:
        apart, near = [], [member]
        for group in running:
            if max(other.reach for other in group) <= member.span[0]:
                ended.append(group)
            elif any(linked(member, other) for other in reversed(group)):
                near = group + near
            else:
                apart.append(group)
        running = [*apart, near]
    return sorted([*ended, *running], key=lambda group: min((member.start, member.key) for member in group))
