"""Delivery: every message of the outbox to every target that wants it, once, however often and by whomever it is tried.

A ledger record for each message and target is taken by compare-and-swap before sending, with a lease: of two processes
one sends. It is settled afterwards; who is killed in between leaves a lease that runs out, and the message goes again
under the same id, which the receiver knows. A target that fails is left alone for a while, doubling from 5 seconds to
an hour; the others do not wait for it. After three days and twenty attempts in vain a message is given up, which
`status` says. A clock that is set prolongs no pause and no lease, and ages no message that was not tried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from modelops_jupyter.clock import Moment, moment
from modelops_jupyter.errors import Conflict, ModelOpsError
from modelops_jupyter.notifications.message import Message, Notifier
from modelops_jupyter.notifications.targets import import_notifiers, open_notifier
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.settings import Target
from modelops_jupyter.store import Change, Delete, Put, Record, Store

if TYPE_CHECKING:
    import pandas as pd

LEASE = timedelta(minutes=2)  # longer than any attempt takes
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
MOST_AT_ONCE = 8  # targets that are served side by side: a slow one keeps none of the others waiting
KEPT = timedelta(days=3)  # for so long a message is tried, and then forgotten
ENOUGH_ATTEMPTS = 20  # in a row, which take 11 hours by their pauses alone


@dataclass(frozen=True)
class TargetState:
    """How a target stands; times are ISO text in UTC.

    Attributes
    ----------
    sent, waiting : int
        Messages of the last three days that it has taken, and that it has not.
    given_up : int
        Messages that it never took.
    failures : int
        Attempts that failed since the last that did not.
    next_attempt : str or None
        Before then nothing is tried.
    """

    name: str
    sent: int
    waiting: int
    given_up: int
    failures: int
    error: str | None
    next_attempt: str | None
    last_success: str | None


@dataclass(frozen=True)
class DeliveryReport(Presentable):
    """What one delivery did: messages sent and attempts failed, and how each target stands now."""

    sent: int
    failed: int
    targets: tuple[TargetState, ...]

    @property
    def exit_code(self) -> int:
        """0, or 3 where a target failed."""
        return 3 if self.failed else 0

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per target."""
        import pandas as pd

        return pd.DataFrame([asdict(target) for target in self.targets])

    def __str__(self) -> str:
        if not self.targets:
            return "Nobody is told yet: add a [notify.NAME] with a url to modelops.toml."
        lines = [f"{self.sent} sent, {self.failed} failed."]
        for t in self.targets:
            trouble = f", {t.failures} failures: {t.error}" if t.failures else ""
            lines.append(f"  {t.name}: {t.waiting} waiting, {t.given_up} given up{trouble}")
        return "\n".join(lines)


def deliver(
    store: Store,
    targets: Sequence[Target],
    *,
    open_notifier: Callable[[Target], Notifier] = open_notifier,
    clock: Callable[[], Moment] = moment,
    now: bool = False,
) -> DeliveryReport:
    """Send what waits; returns when every target has taken it or failed once.

    `now` tries targets too that are left alone for a while after a failure; what another process is sending stays its.

    Raises
    ------
    StoreBusy, StoreFull, StoreDamaged
        If the ledger cannot be kept; what targets do raises nothing.
    """
    _forget(store, targets, clock())
    if not targets:
        return DeliveryReport(0, 0, ())
    import_notifiers(targets)
    with ThreadPoolExecutor(min(len(targets), MOST_AT_ONCE), "modelops-delivery") as pool:
        served = list(pool.map(lambda target: _serve(store, target, open_notifier, clock, now), targets))
    sent, failed = sum(count for count, _ in served), sum(error is not None for _, error in served)
    return DeliveryReport(sent, failed, target_states(store, targets))


def target_states(store: Store, targets: Sequence[Target]) -> tuple[TargetState, ...]:
    """Return how each target stands."""
    messages = store.find("outbox") if targets else ()
    states = []
    for target in targets:
        ledger = {record.key: record.body["state"] for record in store.find("delivery", target.name)}
        mine = [ledger.get(_key(target, record)) for record in messages if _wanted(target, record)]
        record = store.get("target", target.name)
        known: Mapping[str, Any] = {} if record is None else record.body
        states.append(
            TargetState(
                target.name,
                mine.count("delivered"),
                len(mine) - mine.count("delivered"),
                known.get("given_up", 0),
                known.get("failures", 0),
                known.get("error"),
                _end_of(known.get("pause")),
                known.get("last_success"),
            )
        )
    return tuple(states)


def _serve(
    store: Store,
    target: Target,
    open_notifier: Callable[[Target], Notifier],
    clock: Callable[[], Moment],
    impatient: bool,
) -> tuple[int, str | None]:
    """Send what a target wants, oldest and least tried first, until it fails; return how many, and the failure."""
    state = _state(store, target)
    if not impatient and _lasts(state.get("pause"), clock()):
        return 0, None
    ledger = {record.key: record for record in store.find("delivery", target.name)}
    due = [record for record in store.find("outbox") if _wanted(target, record)]
    due = [record for record in due if _is_due(ledger.get(_key(target, record)), clock(), impatient)]
    due.sort(key=lambda record: (_attempts(ledger.get(_key(target, record))), record.commit_number, record.key))
    sent, notifier = 0, None
    for record in due:
        claim = _claim(store, target, record, ledger.get(_key(target, record)), clock())
        if claim is None:
            continue
        try:
            notifier = notifier or open_notifier(target)
            notifier.send(Message.of(record))
        except ModelOpsError as error:
            _settle(store, target, claim, str(error), clock())
            return sent, str(error)
        except Exception as error:  # a library's own fault, whose text may hold the target's secrets
            _settle(store, target, claim, f"{type(error).__name__} while sending", clock())
            return sent, type(error).__name__
        _settle(store, target, claim, None, clock())
        sent += 1
    return sent, None


def _claim(store: Store, target: Target, message: Record, earlier: Record | None, now: Moment) -> Put | None:
    """Take one message for one target, or return None where another process has it."""
    revision = 0 if earlier is None else earlier.revision
    body = {"state": "sending", "attempts": _attempts(earlier) + 1, "pause": _pause(now, LEASE)}
    try:
        store.commit(Change(puts=(Put("delivery", _key(target, message), body, target.name, revision),)))
    except Conflict:
        return None
    return Put("delivery", _key(target, message), body, target.name, revision + 1)


def _settle(store: Store, target: Target, claim: Put, error: str | None, now: Moment) -> None:
    """Write down how an attempt ended, and how the target stands after it."""
    state = _state(store, target)
    failures = 0 if error is None else state.get("failures", 0) + 1
    body = {
        "state": "delivered" if error is None else "waiting",
        "attempts": claim.body["attempts"],
        "pause": None if error is None else _pause(now, pause(claim.body["attempts"])),
        "at": now.at.isoformat(),
        "error": error,
    }
    standing = {
        **state,
        "failures": failures,
        "error": error,
        "pause": None if error is None else _pause(now, pause(failures)),
        "last_success": now.at.isoformat() if error is None else state.get("last_success"),
    }
    puts = (
        Put("delivery", claim.key, body, target.name, claim.expected_revision),
        Put("target", target.name, standing),
    )
    try:
        store.commit(Change(puts=puts))
    except Conflict:  # the lease had run out and another process has taken it: what it finds out counts
        return


def pause(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(failures - 1, 20)))


def _pause(now: Moment, length: timedelta) -> dict[str, Any]:
    """Return a pause from now on, as it is kept."""
    return {"since": now.to_dict(), "seconds": length.total_seconds()}


def _lasts(pause: Mapping[str, Any] | None, now: Moment) -> bool:
    """Return whether a pause is not over yet."""
    return pause is not None and Moment.of(pause["since"]).is_within(timedelta(seconds=pause["seconds"]), now)


def _end_of(pause: Mapping[str, Any] | None) -> str | None:
    """Return when a pause ends, to be shown."""
    return None if pause is None else (Moment.of(pause["since"]).at + timedelta(seconds=pause["seconds"])).isoformat()


def _forget(store: Store, targets: Sequence[Target], now: Moment) -> None:
    """Remove messages that are too old and were tried often enough, and count what was never taken."""
    old = [message for message in store.find("outbox") if now.at - message.updated_at >= KEPT]
    ledger = {record.key: record for record in store.find("delivery")} if old else {}
    for message in old:
        lost = [(t, ledger.get(_key(t, message))) for t in targets if _wanted(t, message)]
        lost = [(t, record) for t, record in lost if record is None or record.body["state"] != "delivered"]
        states = [(target, _state(store, target)) for target, _ in lost]
        tries = [_attempts(record) for _, record in lost], [state.get("failures", 0) for _, state in states]
        if any(max(each) < ENOUGH_ATTEMPTS for each in zip(*tries, strict=True)):
            continue
        puts = (Put("target", t.name, {**state, "given_up": state.get("given_up", 0) + 1}) for t, state in states)
        gone = [Delete("delivery", key) for key in ledger if key.endswith(f"/{message.key}")]
        key = f"forget/{message.key}"  # two processes that forget the same message count it once
        store.commit(Change(puts=tuple(puts), deletes=(Delete("outbox", message.key), *gone), idempotency_key=key))


def _wanted(target: Target, message: Record) -> bool:
    return any(fnmatchcase(str(message.body["topic"]), pattern) for pattern in target.topics)


def _is_due(ledger: Record | None, now: Moment, impatient: bool) -> bool:
    if ledger is None or (impatient and ledger.body["state"] == "waiting"):
        return True
    return ledger.body["state"] != "delivered" and not _lasts(ledger.body["pause"], now)


def _attempts(ledger: Record | None) -> int:
    return 0 if ledger is None else int(ledger.body["attempts"])


def _state(store: Store, target: Target) -> Mapping[str, Any]:
    record = store.get("target", target.name)
    return {} if record is None else record.body


def _key(target: Target, message: Record) -> str:
    return f"{target.name}/{message.key}"
