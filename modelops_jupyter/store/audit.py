"""The audit chain: each entry carries the hash of the one before, so that no edit goes unseen.

The hash is SHA-256 over the entry's RFC 8785 canonical JSON, with the previous entry's hash inside.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785

from modelops_jupyter.presentable import Presentable
from modelops_jupyter.store.records import AuditEntry, Event

GENESIS = "0" * 64


@dataclass(frozen=True)
class AuditVerification(Presentable):
    """The answer of a recomputation: `first_bad` is the sequence number of the first entry that does not fit."""

    ok: bool
    entries: int
    first_bad: int | None = None
    reason: str | None = None

    def __str__(self) -> str:
        if self.ok:
            return f"The audit chain is whole: {self.entries} entries."
        return f"The audit chain is broken at entry {self.first_bad}: {self.reason}"


def entry_hash(
    sequence: int, at: str, event: Event | AuditEntry, details: Mapping[str, Any], previous_hash: str
) -> str:
    """Return the hash of one entry."""
    canonical = rfc8785.dumps(
        {
            "sequence": sequence,
            "at": at,
            "action": event.action,
            "subject": event.subject,
            "actor": event.actor,
            "assurance": event.assurance,
            "details": dict(details),
            "previous_hash": previous_hash,
        }
    )
    return hashlib.sha256(canonical).hexdigest()


def next_entry(event: Event, at: datetime, last: AuditEntry | None) -> AuditEntry:
    """Return the entry that follows `last`."""
    sequence = last.sequence + 1 if last else 1
    previous = last.hash if last else GENESIS
    digest = entry_hash(sequence, at.isoformat(), event, event.details, previous)
    return AuditEntry(
        sequence,
        at,
        event.action,
        event.subject,
        event.actor,
        event.assurance,
        event.details,
        previous,
        digest,
    )


def verify_chain(entries: Sequence[AuditEntry]) -> AuditVerification:
    """Recompute every hash and name the first entry that was edited, inserted, removed or moved."""
    previous = GENESIS
    for position, entry in enumerate(entries, start=1):
        if entry.sequence != position:
            return AuditVerification(False, len(entries), position, f"entry {position} is missing or out of place.")
        if entry.previous_hash != previous:
            return AuditVerification(False, len(entries), position, "it does not follow the entry before it.")
        if entry.hash != entry_hash(position, entry.at.isoformat(), entry, entry.details, previous):
            return AuditVerification(False, len(entries), position, "its content is not what was recorded.")
        previous = entry.hash
    return AuditVerification(True, len(entries))
