"""The audit chain: each entry carries the hash of the one before, so that no edit goes unseen.

The hash is SHA-256 over the entry's RFC 8785 canonical JSON, with the previous entry's hash inside. An entry also holds
the digest of every record it speaks of, all of it: whom it is about, which revision it is, when and in which commit it
was written, and what it says. A record of its own says where the chain ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import rfc8785

from modelops_jupyter.errors import StoreDamaged
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.store.records import AuditEntry, Event, Put, Record, Store, written

GENESIS = "0" * 64
# What decides which bytes serve.
ATTESTED = ("alias", "decision", "decisions", "policy", "transition", "version")
_HEAD = ("audit", "head")
_TRIES = 20


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


def next_entry(event: Event, at: datetime, last: AuditEntry | None, records: Iterable[Record]) -> AuditEntry:
    """Return the entry that follows `last`, of a change that wrote `records`."""
    facts = {f"{record.kind} {record.key}": record.checksum for record in records if record.kind in ATTESTED}
    entry = AuditEntry(
        last.sequence + 1 if last else 1,
        at.isoformat(),
        event.action,
        event.subject,
        event.actor,
        event.assurance,
        written(event.details),
        last.hash if last else GENESIS,
        "",
        written(facts),
    )
    return replace(entry, hash=_hash(entry))


def head(entry: AuditEntry) -> Put:
    """Return the record that says where the chain ends."""
    return Put(*_HEAD, {"sequence": entry.sequence, "hash": entry.hash})


def verify(store: Store) -> AuditVerification:
    """Recompute the chain, hold its end against what the store says of it, and records against their entries."""
    for _ in range(_TRIES):  # who writes meanwhile makes the parts differ
        before = store.get(*_HEAD)
        found = _verify(store)
        if found.ok or before == store.get(*_HEAD):
            break
    return found


def _verify(store: Store) -> AuditVerification:
    entries = store.audit()
    chain = verify_chain(entries)
    if not chain.ok:
        return chain
    end = store.get(*_HEAD)
    sequence, digest = (0, GENESIS) if end is None else (end.body["sequence"], end.body["hash"])
    if sequence > len(entries):
        return _broken(entries, len(entries) + 1, "it is missing, though the store says that it was written.")
    if sequence < len(entries) or (entries and entries[-1].hash != digest):
        return _broken(entries, len(entries), "the store does not know it as the chain's end.")
    return _verify_records(store, entries)


def _verify_records(store: Store, entries: Sequence[AuditEntry]) -> AuditVerification:
    """Hold every record that entries speak of against the last that does."""
    said = {name: (digest, entry.sequence) for entry in entries for name, digest in entry.facts.items()}
    there = {f"{kind} {record.key}": record.checksum for kind in ATTESTED for record in store.find(kind)}
    bad = [(sequence, name) for name, (digest, sequence) in said.items() if there.get(name) != digest]
    if bad:
        sequence, name = min(bad)
        state = "not what it put on record" if name in there else "gone"
        return _broken(entries, sequence, f"{name} is {state}.")
    stranger = min(there.keys() - said.keys(), default=None)
    if stranger is not None:
        return _broken(entries, len(entries) + 1, f"it is missing: {stranger} is on record without one.")
    return AuditVerification(True, len(entries))


def verify_chain(entries: Sequence[AuditEntry]) -> AuditVerification:
    """Recompute every hash and name the first entry that was edited, inserted, removed or moved."""
    previous = GENESIS
    for position, entry in enumerate(entries, start=1):
        if entry.sequence != position:
            return _broken(entries, position, "it is missing or out of place.")
        if entry.previous_hash != previous:
            return _broken(entries, position, "it does not follow the entry before it.")
        if not _unedited(entry):
            return _broken(entries, position, "its content is not what was recorded.")
        previous = entry.hash
    return AuditVerification(True, len(entries))


def _broken(entries: Sequence[AuditEntry], sequence: int, reason: str) -> AuditVerification:
    return AuditVerification(False, len(entries), sequence, reason)


def _unedited(entry: AuditEntry) -> bool:
    try:
        as_written = (written(entry.details), written(entry.facts)) == (entry.recorded_details, entry.recorded_facts)
        return as_written and entry.at.isoformat() == entry.recorded_at and entry.hash == _hash(entry)
    except (StoreDamaged, ValueError, TypeError):  # no JSON, no time, no text
        return False


def _hash(entry: AuditEntry) -> str:
    canonical: dict[str, Any] = {
        "sequence": entry.sequence,
        "at": entry.recorded_at,
        "action": entry.action,
        "subject": entry.subject,
        "actor": entry.actor,
        "assurance": entry.assurance,
        "details": dict(entry.details),
        "previous_hash": entry.previous_hash,
        **({"facts": dict(entry.facts)} if entry.facts else {}),
    }
    return hashlib.sha256(rfc8785.dumps(canonical)).hexdigest()
