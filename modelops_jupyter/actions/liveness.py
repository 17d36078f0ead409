"""Whether the monitors still run: each round leaves a heartbeat, and whoever looks next sees one that is missing.

Who looks is another process than the one that stopped: a second `modelops watch`, or `modelops deliver` in cron. How
long a monitor has been silent is counted from the machine's start, so that a clock that is set silences nothing. A
heartbeat of another machine, or of before a restart, that lies ahead of the clock here is no proof of life either.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from modelops_jupyter.clock import Moment
from modelops_jupyter.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from modelops_jupyter.store import Record, Store

LATE = 1.5  # intervals without success: whoever looks twice an interval says so within two
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_interval(text: str) -> timedelta:
    """Read ``30s``, ``15m``, ``1h`` or ``1d``.

    Raises
    ------
    InvalidInput
        If it is none of these.
    """
    found = re.fullmatch(r"([1-9][0-9]{0,4})([smhd])", text) if isinstance(text, str) else None
    if found is None:
        raise InvalidInput(f"An interval is written 30s, 15m, 1h or 1d, not {text!r}.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def beat(
    store: Store, model: str, every: str, interval: timedelta, at: Moment, error: str | None, owner: str | None
) -> None:
    """Write down that a monitor ran, or failed; what was said of it as stopped recovers when it runs again."""
    from modelops_jupyter.monitoring.incidents.cases import message_of, recover
    from modelops_jupyter.store import Change, Put

    key = f"{model}/{every}"
    record = store.get("heartbeat", key)
    before: Mapping[str, Any] = {} if record is None else record.body
    body = {
        "model": model,
        "every": every,
        "interval": interval.total_seconds(),
        "first": before.get("first", at.to_dict()),
        "ran": at.to_dict() if error is None else before.get("ran"),
        "tried": at.to_dict(),
        "error": error,
        "owner": owner,
    }
    puts, outbox = [Put("heartbeat", key, body, subject=model)], []
    stopped = _incident(store, before) if before and error is None else None
    if stopped is not None and stopped.body["firing"]:
        recovered = recover(stopped.body, at.at.isoformat(), f"The monitor of {model} every {every} runs again.")
        puts.append(Put("incident", stopped.key, recovered, subject=model, expected_revision=stopped.revision))
        outbox.append(message_of(recovered, "recovered"))
    store.commit(Change(puts=tuple(puts), outbox=tuple(outbox)))


def overdue(store: Store, now: Moment) -> tuple[Mapping[str, Any], ...]:
    """Return the heartbeats of monitors without success for over an interval and a half."""
    return tuple(record.body for record in store.find("heartbeat") if _is_late(record.body, now))


def say_what_stopped(store: Store, now: Moment) -> int:
    """Open an incident for every monitor that stopped, once, and return how many are new."""
    from modelops_jupyter.monitoring.incidents.cases import message_of, monitoring_incident
    from modelops_jupyter.store import Change, Put

    said = 0
    for body in overdue(store, now):
        if _incident(store, body) is not None:
            continue
        model, every = str(body["model"]), str(body["every"])
        last = _last(body)
        since = last.at.isoformat()
        why = f": {body['error']}" if body["error"] else ""
        what = "fails" if body["error"] else "has stopped"
        ahead = " by its own clock, which is ahead of the clock here" if last.at > now.at else ""
        title = f"the monitor every {every} {what}; it last ran well at {since[:16]} UTC{ahead}{why}"
        actions = (
            "See that `modelops watch` runs on its machine, or `modelops watch --once` in its schedule.",
            f"Run it by hand to see what it says: `modelops monitor {model} --every {every}`.",
        )
        identity = _identity(body)
        incident = monitoring_incident(identity, model, title, actions, since, now.at.isoformat(), body["owner"])
        put = Put("incident", identity, incident, subject=model, expected_revision=0)
        try:
            store.commit(Change(puts=(put,), outbox=(message_of(incident, "opened"),)))
        except Conflict:  # another process was first to say so
            continue
        said += 1
    return said


def _is_late(body: Mapping[str, Any], now: Moment) -> bool:
    return not _last(body).is_within(LATE * timedelta(seconds=body["interval"]), now)


def _last(body: Mapping[str, Any]) -> Moment:
    """Return when a monitor last ran well, or was first tried if it never did."""
    return Moment.of(body["ran"] or body["first"])


def _incident(store: Store, body: Mapping[str, Any]) -> Record | None:
    return store.get("incident", _identity(body))


def _identity(body: Mapping[str, Any]) -> str:
    """Return the id of the incident of one stop: it is known by the last run before it."""
    text = "\n".join(("stopped", body["model"], body["every"], _last(body).at.isoformat()))
    return f"{body['model']}:{hashlib.sha256(text.encode()).hexdigest()[:8]}"
