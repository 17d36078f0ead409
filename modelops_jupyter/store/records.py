"""What goes into a store and what comes out of it: plain frozen data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import uuid4

from modelops_jupyter.errors import StoreDamaged

_T = TypeVar("_T")


@dataclass(frozen=True)
class Record:
    """One fact as it stands: `body` is JSON data.

    Attributes
    ----------
    revision : int
        Counts its changes from 1.
    updated_at : datetime
        The time of day of the last one, in UTC: to be shown, never to order by.
    commit_number : int
        The commit that wrote it. Commits are numbered as they are made, so what comes later has a higher number,
        whatever clocks said; entries of the audit chain are in the same order.
    """

    kind: str
    key: str
    subject: str
    revision: int
    body: Mapping[str, Any]
    updated_at: datetime
    commit_number: int

    @property
    def checksum(self) -> str:
        """The SHA-256 of all of it."""
        at = self.updated_at.isoformat()
        return checksum(self.kind, self.key, self.subject, self.revision, written(self.body), at, self.commit_number)


def in_order(records: Iterable[Record]) -> list[Record]:
    """Return records in the order in which they were written, the oldest first."""
    return sorted(records, key=lambda record: (record.commit_number, record.key))


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

    def messages(self, at: datetime, entry: AuditEntry | None) -> tuple[Put, ...]:
        """Return the outbox as records: keys are unique and stay with a message for good.

        A message says where in the audit chain it belongs: who receives it can tell if the chain was rewritten.
        """
        prefix = f"msg_{at:%Y%m%dT%H%M%S%f}"
        place = {} if entry is None else {"audit": {"sequence": entry.sequence, "hash": entry.hash}}
        return tuple(
            Put("outbox", f"{prefix}_{number:03d}_{uuid4().hex[:12]}", {**body, **place}, subject=str(body["topic"]))
            for number, body in enumerate(self.outbox)
        )


@dataclass(frozen=True)
class AuditEntry:
    """One link of the audit chain, as it is recorded; hashes are hexadecimal SHA-256.

    Attributes
    ----------
    recorded_at, recorded_details, recorded_facts : str
        The texts that `at`, `details` and `facts` are read from, which whoever edits the file may have spoilt.
    """

    sequence: int
    recorded_at: str
    action: str
    subject: str
    actor: str
    assurance: str
    recorded_details: str
    previous_hash: str
    hash: str
    recorded_facts: str = "{}"

    @property
    def at(self) -> datetime:
        """When it was written, in UTC."""
        return self._read(datetime.fromisoformat, self.recorded_at)

    @property
    def details(self) -> Mapping[str, Any]:
        """What else there is to say."""
        return self._read(_mapping, self.recorded_details)

    @property
    def facts(self) -> Mapping[str, str]:
        """The digest of every record that the change wrote and that decides what serves, by kind and key."""
        return self._read(_mapping, self.recorded_facts)

    def _read(self, read: Callable[[str], _T], text: str) -> _T:
        try:
            return read(text)
        except (ValueError, TypeError) as error:
            raise StoreDamaged(
                f"Audit entry {self.sequence} cannot be read ({error}): run `modelops verify-audit`, then restore the "
                "store from a backup."
            ) from error


def written(body: Mapping[str, Any]) -> str:
    """Return `body` as the store writes it: always the same text for the same content."""
    return json.dumps(dict(body), allow_nan=False, separators=(",", ":"), sort_keys=True)


def checksum(kind: str, key: str, subject: str, revision: int, body: str, updated_at: str, commit_number: int) -> str:
    """Return the SHA-256 of a record as the database keeps it."""
    columns = (kind, key, subject, str(revision), body, updated_at, str(commit_number))
    return hashlib.sha256("\0".join(columns).encode()).hexdigest()


def _mapping(text: str) -> Mapping[str, Any]:
    return dict(json.loads(text))


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
        keys: Collection[str] | None = None,
        bodies: bool = True,
    ) -> tuple[Record, ...]:
        """Return all facts of a kind (and subject), ordered by key; without `bodies`, those are empty: to count.

        `since` and `until` bound the keys: from the one on, before the other. With `keys`, only those are returned.
        """

    def audit(self, after: int = 0) -> tuple[AuditEntry, ...]:
        """Return the audit chain behind sequence number `after`."""

    def close(self) -> None:
        """Release what the store holds open."""
