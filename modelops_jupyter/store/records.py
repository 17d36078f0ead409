"""What goes into a store and what comes out of it: plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4


@dataclass(frozen=True)
class Record:
    """One fact as it stands: `body` is JSON data, `revision` counts its changes from 1, `updated_at` is in UTC."""

    kind: str
    key: str
    subject: str
    revision: int
    body: Mapping[str, Any]
    updated_at: datetime


@dataclass(frozen=True)
class Put:
    """Write one fact.

    `expected_revision` None accepts whatever is there; 0 demands that nothing is; n demands revision n.
    """

    kind: str
    key: str
    body: Mapping[str, Any]
    subject: str = ""
    expected_revision: int | None = None


@dataclass(frozen=True)
class Delete:
    """Remove one fact; removing what is not there is no error."""

    kind: str
    key: str


@dataclass(frozen=True)
class Event:
    """What somebody did, for the audit chain."""

    action: str
    subject: str
    actor: str
    assurance: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """Everything that one operation writes: all of it, or nothing.

    Each body in `outbox` is a message to tell, with its ``topic``; it becomes a record of kind ``outbox``.
    """

    puts: tuple[Put, ...] = ()
    deletes: tuple[Delete, ...] = ()
    event: Event | None = None
    outbox: tuple[Mapping[str, Any], ...] = ()
    idempotency_key: str | None = None

    def messages(self, at: datetime) -> tuple[Put, ...]:
        """Return the outbox as records: keys are in order of time, unique, and stay with a message for good."""
        prefix = f"msg_{at:%Y%m%dT%H%M%S%f}"
        return tuple(
            Put("outbox", f"{prefix}_{number:03d}_{uuid4().hex[:12]}", body, subject=str(body["topic"]))
            for number, body in enumerate(self.outbox)
        )


@dataclass(frozen=True)
class AuditEntry:
    """One link of the audit chain; `at` is in UTC, hashes are hexadecimal SHA-256."""

    sequence: int
    at: datetime
    action: str
    subject: str
    actor: str
    assurance: str
    details: Mapping[str, Any]
    previous_hash: str
    hash: str


class Store(Protocol):
    """Where a workspace keeps its facts: five methods, whatever the database."""

    def commit(self, change: Change) -> AuditEntry | None:
        """Write `change` in one transaction and return its audit entry, if it has an event.

        A change whose `idempotency_key` was committed before has no second effect and returns the first entry.

        Raises
        ------
        Conflict
            If a record is not at the revision a put expects.
        StoreBusy, StoreFull, StoreDamaged
            If the database cannot take it; nothing is written then.
        """

    def get(self, kind: str, key: str) -> Record | None:
        """Return one fact, or None."""

    def find(
        self,
        kind: str,
        subject: str | None = None,
        *,
        since: str | None = None,
        until: str | None = None,
        bodies: bool = True,
    ) -> tuple[Record, ...]:
        """Return all facts of a kind (and subject), ordered by key; without `bodies`, those are empty: to count.

        `since` and `until` bound the keys: from the one on, before the other.
        """

    def audit(self, after: int = 0) -> tuple[AuditEntry, ...]:
        """Return the audit chain behind sequence number `after`."""

    def close(self) -> None:
        """Release what the store holds open."""
