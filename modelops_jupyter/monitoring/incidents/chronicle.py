"""What happened to incidents, in the order of time: alerts opened, joined, grew worse and closed.

Alerts are played back from where the last run left them: at each window in which one opened, became much worse or
closed, incidents are looked at as they were that evening. So a year that is monitored at once has the same incidents
with the same events as one that was monitored day by day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from modelops_jupyter.monitoring.incidents.causes import Case, Casebook, is_swollen, order
from modelops_jupyter.monitoring.incidents.members import CAUSE, DEPENDENCE, EFFECT, Member
from modelops_jupyter.monitoring.incidents.sentences import describe
from modelops_jupyter.monitoring.incidents.suppressions import Suppression
from modelops_jupyter.wording import short

RAISED = ("opened", "reopened", "returned", "grew")
Key = tuple[str, ...]


@dataclass(frozen=True)
class Event:
    """What happened to an incident, by which window.

    Attributes
    ----------
    event : str
        ``opened``, ``grew``, ``narrowed``, ``recovered``, ``superseded`` (the version was replaced), ``reopened``, or
        ``returned`` (the version that was replaced serves again); ``expired`` (what a person had muted or accepted).
    muted : bool
        Nobody is sent a message about it.
    """

    event: str
    window: str
    text: str
    muted: bool = False


@dataclass
class Chronicle:
    """The incidents of a model, and what happened to each since the last run; `mutes` are those of the model."""

    book: Casebook
    mutes: Sequence[Suppression] = ()
    events: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))

    def play(self, alerts: Iterable[Member]) -> None:
        """Bring incidents from where the last run left them to where these alerts, all of the model, are."""
        now = {member.key: member for member in alerts}
        homes = self._keep(now)
        before = {key: homes[key].members[key] for key in homes}
        changes: dict[str, list[Member]] = defaultdict(list)
        for key, member in now.items():
            for at in _changes(member, before.get(key)):
                changes[at].append(member)
        for at in sorted(changes):
            self._evening(at, sorted(changes[at], key=order), homes)
        self._settle(now, homes)

    def _keep(self, now: dict[Key, Member]) -> dict[Key, Case]:
        """Take out what is gone, follow what late labels moved in time, and return where each other alert is."""
        homes = {key: case for case in self.book.cases.values() for key in case.members if key in now}
        for case in self.book.cases.values():
            firing, gone = _is_open(case.members.values()), [k for k in case.members if k not in now]
            for key in gone:
                old = case.forget(key)
                for member in [m for m in now.values() if m.key not in homes and _moved(m, old)]:
                    case.put(member)
                    homes[member.key] = case
            if gone and firing and not case.members:
                self._tell(case, "recovered", "", "Rows and labels that came later took every alert back.")
        return homes

    def _evening(self, at: str, changed: Sequence[Member], homes: dict[Key, Case]) -> None:
        """Look at the incidents whose alerts changed in a window."""
        touched: dict[str, tuple[Case, list[Member]]] = {}
        opened: list[Key] = []
        for member in changed:
            if member.key in homes:
                case = homes[member.key]
                touched.setdefault(case.id, (case, list(case.members.values())))
                case.put(member.until(at))
        for member in changed:
            if member.key not in homes:
                case = homes[member.key] = self.book.place(member.until(at))
                if case.id not in touched:
                    touched[case.id] = case, [other for key, other in case.members.items() if key != member.key]
                opened.append(member.key)
        for case, earlier in touched.values():
            self._compare(case, earlier, [case.members[key] for key in opened if key in case.members], at)

    def _compare(self, case: Case, earlier: Sequence[Member], opened: Sequence[Member], at: str) -> None:
        """Tell what changed about an incident in a window."""
        time = datetime.fromisoformat(at)
        was, now, day = [m for m in earlier if not m.closed], case.open_at(time), short(time)
        worse = [m for m in now if any(start == at for start, _, _ in m.surges)]
        if opened and not was:
            self._begin(case, earlier, opened, at)
        elif news := [m for m in opened if _is_news(m, case, earlier, time)]:
            self._tell(case, "grew", at, f"Also {describe(news)}, from {day} on.{_notes(news)}", news)
        if worse and not opened:
            self._tell(case, "grew", at, f"Much more than before, from {day} on: {describe(worse)}.", worse)
        accepted = {key for key, m in case.members.items() if m.state == "accepted"}
        if now and (gone := _gone([m for m in was if m.key not in accepted], now)):
            self._tell(case, "narrowed", at, f"No longer since {day}: {describe(gone)}.")
        if was and not now:
            ended = [m for m in case.members.values() if m.closed == at]
            if not ended or any(m.state != "accepted" for m in ended):  # else a person said so
                self._end(case, ended or list(case.members.values()), at)

    def _begin(self, case: Case, earlier: Sequence[Member], opened: Sequence[Member], at: str) -> None:
        day = short(datetime.fromisoformat(at))
        back = {m.identity for m in earlier if m.state == "superseded"}
        what = describe(opened)
        if not earlier and not case.on_record:
            again = f" The same was seen in {case.follows}." if case.follows else ""
            self._tell(case, "opened", at, f"From {day} on: {what}.{again}{_notes(opened)}", opened)
        elif any(m.identity in back for m in opened):
            text = f"Version {opened[0].version} serves again, and from {day} on: {what}."
            self._tell(case, "returned", at, text, opened)
        else:
            self._tell(case, "reopened", at, f"It came again, from {day} on: {what}.{_notes(opened)}", opened)

    def _end(self, case: Case, ended: Sequence[Member], at: str) -> None:
        day = short(datetime.fromisoformat(at)) if at else ""
        replaced = [m for m in ended if m.state == "superseded"]
        if replaced:
            text = f"Version {replaced[0].version} was replaced: what was wrong with it is left as it was on {day}."
            self._tell(case, "superseded", at, text)
        else:
            self._tell(case, "recovered", at, f"Every alert has recovered{f', by {day}' if day else ''}.")

    def _settle(self, now: Mapping[Key, Member], homes: Mapping[Key, Case]) -> None:
        """Take every alert as it is now: late labels may have closed one in the past, or opened it again."""
        for case in {case.id: case for case in homes.values()}.values():
            firing = _is_open(case.members.values())
            for key in case.members:
                case.put(now[key])
            opened = [member for member in case.members.values() if not member.closed]
            if opened and not firing:
                at = max(member.last for member in opened)
                self._tell(case, "reopened", at, f"It goes on after all: {describe(opened)}.", opened)
            elif firing and not opened:
                self._end(case, list(case.members.values()), max(m.closed for m in case.members.values()))

    def _tell(self, case: Case, event: str, window: str, text: str, about: Sequence[Member] = ()) -> None:
        """Note an event, and by whom all that it is about is muted."""
        by = [self._muted_by(case, member, window) for member in about]
        muted = bool(by) and all(by)
        said = f"{text} {str(by[0])[:1].upper()}{str(by[0])[1:].rstrip('.')}." if muted else text
        self.events[case.id].append(Event(event, window, said, muted))

    def _muted_by(self, case: Case, member: Member, window: str) -> Suppression | None:
        return next((s for s in self.mutes if s.holds(window) and s.mutes(member, case.id)), None)

    def expire(self, ended: Iterable[tuple[Suppression, Collection[str]]], window: str) -> None:
        """Say which suppressions ended, on the incidents named and on those whose open alerts are muted no more."""
        for suppression, incidents in ended:
            for case in self.book.cases.values():
                left = [m for m in case.members.values() if not m.closed and suppression.mutes(m, case.id)]
                if left or case.id in incidents:
                    day = short(datetime.fromisoformat(suppression.until))
                    goes_on = f" It goes on: {describe(left)}." if left else ""
                    text = f"No longer {suppression.did}: that ended on {day}.{goes_on}"
                    if left:
                        self._tell(case, "expired", window, text, left)
                    else:
                        self.events[case.id].append(Event("expired", window, text, muted=True))


def chronicle_of(
    model: str,
    alerts: Iterable[Mapping[str, Any] | Member],
    cases: Iterable[Case] = (),
    mutes: Sequence[Suppression] = (),
) -> Chronicle:
    """Return the incidents of a model from where the last run left them to its alerts as they are now."""
    chronicle = Chronicle(Casebook(model, cases), mutes)
    chronicle.play(alert if isinstance(alert, Member) else Member.of(alert) for alert in alerts)
    return chronicle


def _changes(member: Member, before: Member | None) -> set[str]:
    """Return the windows in which something happened to an alert since it was last looked at."""
    ends = {member.closed} - {""}
    surges = {start for start, _, _ in member.surges}
    if before is None:
        return {member.start} | ends | surges
    return (ends - {before.closed}) | (surges - {start for start, _, _ in before.surges})


def _moved(alert: Member, gone: Member) -> bool:
    """Tell whether an alert is one that is gone, moved in time: late labels show where something really began."""
    if alert.identity != gone.identity:
        return False
    return alert.begin < gone.over and gone.begin < alert.over


def _is_open(members: Iterable[Member]) -> bool:
    return any(not member.closed for member in members)


def _is_news(member: Member, case: Case, earlier: Sequence[Member], at: datetime) -> bool:
    """Tell whether an alert says more than its incident did since it last began.

    One more metric of a performance that has an alert is no news, nor is a segment of what changed everywhere, nor that
    other columns depend otherwise on one that moved, nor that distributions differ where more rows came than usual.
    """
    since = case.began(at) or member.begin
    present = [m for m in earlier if m.begin >= since]
    facets = {m.facet for m in present}
    if member.part == EFFECT:
        return member.facet not in facets
    present_now = case.open_at(at)
    if member.part == DEPENDENCE and any(m.part == CAUSE and m.columns & member.columns for m in present_now):
        return False
    if member.kind == "drift" and any(map(is_swollen, present)):
        return False
    return member.facet not in facets and (member.sign, member.column, "") not in facets


def _notes(members: Sequence[Member]) -> str:
    """Return why alerts count that somebody had accepted."""
    return "".join(f" {note}" for note in dict.fromkeys(member.note for member in members if member.note))


def _gone(was: Sequence[Member], now: Sequence[Member]) -> list[Member]:
    """Return alerts of what is wrong no more: of a column, or of the effects."""
    left = {_topic(member) for member in now}
    gone = {_topic(member): replace(member, segment="") for member in was if _topic(member) not in left}
    causes = {member.column for member in (*was, *now) if member.part == CAUSE}
    return [m for m in gone.values() if m.part != DEPENDENCE or not m.columns & causes]


def _topic(member: Member) -> tuple[str, ...]:
    return member.facet[:1] if member.part == EFFECT else member.facet[:2]
