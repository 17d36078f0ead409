"""What people said of alerts beforehand: muted until a date, or accepted as the new normal until then.

Dates are those of the data: a suppression covers the windows that begin before its end, whenever they are monitored.
A muted alert opens incidents as always, but nobody is sent a message and health does not count it. An accepted one is
over for incidents, until it passes what was accepted; see `accepted`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from modelops_jupyter.monitoring.incidents.members import DEPENDENCE, DEPENDENCES, Member
from modelops_jupyter.monitoring.incidents.sizes import Size
from modelops_jupyter.monitoring.record.results import plain_metric
from modelops_jupyter.store import Store
from modelops_jupyter.wording import short

KIND = "suppression"
DONE = {"mute": "muted", "accept": "accepted"}


@dataclass(frozen=True)
class Suppression:
    """One mute or one acceptance, as the store keeps it. Times are ISO text in UTC; `at` is when a person said so.

    Attributes
    ----------
    act : {"mute", "accept"}
    incident, column, sign : str
        What it is of: one incident, or the alerts of a model of a column, of a sign, or of a sign of a column.
    since, until : str
        The window after the last one that was monitored by then, of the length that was least far, and the first that
        it does not cover.
    through : mapping of str to str
        By length where the windows that were monitored by then end.
    sizes : tuple of Size
        What was accepted.
    revoked : mapping of str to str, optional
        The same when somebody took it back: its windows from there on are not covered; None where nobody did.
    """

    key: str
    act: str
    model: str
    incident: str
    column: str
    sign: str
    since: str
    until: str
    reason: str
    actor: str
    at: str
    through: Mapping[str, str]
    sizes: tuple[Size, ...] = ()
    revoked: Mapping[str, str] | None = None

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Suppression:
        """Read what `to_dict` wrote."""
        return cls(**{**body, "sizes": tuple(Size.from_dict(size) for size in body["sizes"])})

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {**asdict(self), "sizes": [size.to_dict() for size in self.sizes]}

    def begin(self, every: str) -> str:
        """Return the first window of a length that was not monitored when it was said."""
        return self.through.get(every, self.since)

    def end(self, every: str) -> str:
        """Return the first window of a length that it does not cover."""
        if self.revoked is None:
            return self.until
        return min(self.until, self.revoked.get(every, self.until))

    @property
    def is_void(self) -> bool:
        """Whether it was taken back before another window of any length was monitored: then it was never in force."""
        return self.revoked == self.through

    def holds(self, window: str) -> bool:
        """Tell whether it is in force for a window."""
        return self.revoked is None and window < self.until

    def is_of(self, incident: str, column: str, sign: str) -> bool:
        """Tell whether it was said of just this."""
        return (self.incident, self.column, self.sign) == (incident, column, sign)

    @property
    def did(self) -> str:
        """What a person did, in words: ``muted``, or ``accepted``."""
        return DONE[self.act]

    @property
    def scope(self) -> str:
        """What it is of, in words: the incident, or ``null_rate of air_time``."""
        return self.incident or " of ".join(filter(None, (self.sign, self.column)))

    @property
    def spoken(self) -> dict[str, str]:
        """The arguments of the verbs that it was said with."""
        of = {"column": self.column, "sign": self.sign}
        return {"subject": self.incident or self.model, **{name: value for name, value in of.items() if value}}

    def __str__(self) -> str:
        day = short(datetime.fromisoformat(self.until))
        return f"{DONE[self.act]} until {day} by {self.actor}: {self.reason}"

    def mutes(self, member: Member, incident: str) -> bool:
        """Tell whether it is a mute of an alert of an incident."""
        if self.act != "mute":
            return False
        if self.incident:
            return self.incident == incident
        return self.names(member)

    def names(self, member: Member) -> bool:
        """Tell whether an alert is of the column and the sign."""
        of_column = not self.column or self.column == member.column or self.column in member.columns
        return of_column and (not self.sign or self.sign in (member.kind, member.sign, plain_metric(member.metric)))

    def accepted(self, member: Member) -> Size | None:
        """Return the accepted size of an alert's sign; None where it was not accepted.

        What was accepted of all rows is so of each segment, and that other columns depend otherwise on one follows from
        that one's own change.
        """
        whole = (member.sign, member.column, "")
        for size in self.sizes:
            if size.facet in (member.facet, whole):
                return size
        if member.part == DEPENDENCE:
            for size in self.sizes:
                sign, column, segment = size.facet
                if sign not in DEPENDENCES and column in member.columns and segment in ("", member.segment):
                    return Size(size.facet, size.last, {})
        return None


def suppressions_of(store: Store, model: str | None) -> tuple[Suppression, ...]:
    """Return everything that was ever muted or accepted of a model, or of all, oldest first."""
    found = [Suppression.from_dict(record.body) for record in store.find(KIND, model)]
    return tuple(sorted(found, key=lambda s: (s.since, s.at, s.key)))


def through_of(store: Store, model: str | None) -> dict[str, dict[str, str]]:
    """Return by model and length where its monitored windows end."""
    through: dict[str, dict[str, str]] = {}
    for record in store.find("monitor", model):
        through.setdefault(record.subject, {})[str(record.body["every"])] = str(record.body["through"])
    return through


def furthest(store: Store, model: str) -> str:
    """Return where a model's monitored windows end, of the length that is furthest; empty where there are none."""
    return max(through_of(store, model).get(model, {}).values(), default="")


def in_force(store: Store, model: str | None) -> dict[str, list[Suppression]]:
    """Return what is muted and accepted now, by model and oldest first."""
    found: dict[str, list[Suppression]] = {}
    every = suppressions_of(store, model)
    now = through_of(store, model) if every else {}
    for suppression in every:
        if suppression.holds(max(now.get(suppression.model, {}).values(), default="")):
            found.setdefault(suppression.model, []).append(suppression)
    return found


def why_quiet(store: Store, model: str | None) -> Callable[[Mapping[str, Any]], str]:
    """Return what says by whom and until when an open alert, as the store keeps it, is muted or accepted, or ``""``.

    An accepted alert that has passed what was accepted has an incident of its own again, and is neither.
    """
    current = in_force(store, model)
    homes: dict[tuple[str, ...], list[tuple[str, Member]]] = {}
    for name in current:
        for record in store.find("incident", name):
            for body in record.body["alerts"]:
                member = Member.from_dict(body)
                homes.setdefault((name, *member.identity), []).append((record.key, member))

    def why(alert: Mapping[str, Any]) -> str:
        if alert["state"] != "open" or alert.get("series") or alert["model"] not in current:
            return ""
        member = Member.of(alert)
        placed = homes.get((alert["model"], *member.identity), [])
        return str(covering(member, placed, current[alert["model"]]) or "")

    return why


def covering(
    member: Member, placed: Sequence[tuple[str, Member]], current: Iterable[Suppression]
) -> Suppression | None:
    """Return what mutes or accepts an open alert, mutes first and what lasts longest; `placed` is where it was put."""
    for suppression in sorted(current, key=lambda s: (s.act == "mute", s.until), reverse=True):
        if any(suppression.mutes(member, incident) for incident, _ in placed or [("", member)]):
            return suppression
        size = suppression.accepted(member)
        passed = size and any(not part.closed and part.start > size.last for _, part in placed)
        if size and not passed:
            return suppression
    return None
