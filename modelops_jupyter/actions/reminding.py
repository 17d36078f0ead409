"""Saying again what lasts, whoever delivers: each time once, however many processes do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelops_jupyter.clock import Moment
from modelops_jupyter.errors import Conflict

if TYPE_CHECKING:
    from modelops_jupyter.monitoring.incidents.reminders import Lasting
    from modelops_jupyter.store import Change, Record, Store

_DIGEST = "digest"  # no incident has such an id: theirs end with a number


def say_what_lasts(store: Store, now: Moment) -> int:
    """Put into the outbox what is to be told again by the rules of `reminders`, and return how many messages.

    Raises
    ------
    StoreBusy, StoreFull, StoreDamaged
        If the store cannot take them; nothing is lost then, and whoever delivers next says it.
    """
    from modelops_jupyter.monitoring.incidents.cases import message_of
    from modelops_jupyter.monitoring.incidents.reminders import reminder
    from modelops_jupyter.store import Change, Put

    records = {record.key: record for record in store.find("reminder")}
    lasting = _lasting(store, records, now)
    said = 0
    for identity, one in lasting.items():
        record = records.get(identity)
        begins = record is None or record.body["events"] != one.events
        if not begins and not one.is_due(now):
            continue
        body = {"events": one.events, "since": now.to_dict(), "times": 0 if begins else one.times + 1}
        put = Put("reminder", identity, body, str(one.body["model"]), 0 if record is None else record.revision)
        text = "" if begins else reminder(one, _hits(store, one.body))
        outbox = () if begins else (message_of(one.body, "reminded", text),)
        said += _committed(store, Change(puts=(put,), outbox=outbox))
    return said + _say_digest(store, records.get(_DIGEST), lasting, now)


def _say_digest(store: Store, record: Record | None, lasting: Mapping[str, Lasting], now: Moment) -> int:
    from modelops_jupyter.monitoring.incidents.reminders import DIGEST, digest
    from modelops_jupyter.store import Change, Delete, Put

    left = [one for one in lasting.values() if one.is_left_alone]
    if not left:
        if record is not None:
            store.commit(Change(deletes=(Delete("reminder", _DIGEST),)))
        return 0
    if record is not None and Moment.of(record.body["since"]).is_within(DIGEST, now):
        return 0
    revision = 0 if record is None else record.revision
    put = Put("reminder", _DIGEST, {"since": now.to_dict()}, expected_revision=revision)
    return _committed(store, Change(puts=(put,), outbox=() if record is None else (digest(left),)))


def _committed(store: Store, change: Change) -> int:
    """Return how many messages were put into the outbox: none where another process was first."""
    try:
        store.commit(change)
    except Conflict:
        return 0
    return len(change.outbox)


def _lasting(store: Store, records: Mapping[str, Record], now: Moment) -> dict[str, Lasting]:
    """Return the incidents that last and were told, by id."""
    from modelops_jupyter.monitoring.incidents.cases import was_told
    from modelops_jupyter.monitoring.incidents.reminders import Lasting
    from modelops_jupyter.monitoring.incidents.standing import acts_of, standing

    firing = [record for record in store.find("incident") if record.body["firing"] and was_told(record)]
    acts = acts_of(store, None) if firing else {}
    lasting = {}
    for record in firing:
        state = standing(record.body, acts.get(record.key, ()))[0]
        if state not in ("open", "acknowledged"):
            continue
        kept = records.get(record.key)
        events = len(record.body["history"])
        before: Mapping[str, Any] = {"since": now.to_dict(), "times": 0} if kept is None else kept.body
        since = Moment.of(before["since"])
        lasting[record.key] = Lasting(record.body, state, events, since, int(before["times"]))
    return lasting


def _hits(store: Store, body: Mapping[str, Any]) -> list[bool]:
    """Return in which windows since its begin an incident's alerts that are open had a finding, oldest first."""
    from modelops_jupyter.monitoring.incidents.members import Member
    from modelops_jupyter.monitoring.kept import KeptWindows
    from modelops_jupyter.monitoring.record.results import signal

    members = [Member.from_dict(alert) for alert in body["alerts"] if not alert["closed"]]
    seen: dict[str, bool] = {}
    for every in {member.every for member in members}:
        own = {member.signal[1:] for member in members if member.every == every}
        kept, since = KeptWindows(store, str(body["model"]), every), str(body["first_window"])
        windows = [*kept.whole(since=since), *(kept.segments(since=since) if any(key[1] for key in own) else ())]
        for window in windows:
            found = {signal(f.kind, f.segment, f.column, f.metric) for f in window.findings}
            seen[window.window_start] = seen.get(window.window_start, False) or bool(own & found)
    return [seen[start] for start in sorted(seen)]
