"""The audit chain: each entry carries the hash of the one before, so that no edit goes unseen.

The hash is SHA-256 over the entry's RFC 8785 canonical JSON, with the previous entry's hash inside. An entry also holds
the digest of every record it speaks of, all of it: whom it is about, which revision it is, when and in which commit it
was written, and what it says. A record of its own says where the chain ends.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import rfc8785

from modelops_jupyter.errors import InvalidInput, NotFound, StoreDamaged
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.store.records import AuditEntry, Event, Put, Record, Store, written

GENESIS = "0" * 64
# What decides which bytes serve.
ATTESTED = ("alias", "decision", "decisions", "policy", "transition", "version")
_HEAD = ("audit", "head")
_seen_whole: set[int] = set()


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


@dataclass(frozen=True)
class AuditHead(Presentable):
    """Where the audit chain ended: number and hash of its last entry, which stand for all before it.

    Kept elsewhere, as in a ticket or in another repository, it shows that nothing before it was written anew since.
    """

    sequence: int
    hash: str
    at: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the head as plain data, which `read_head` reads."""
        return asdict(self)

    def __str__(self) -> str:
        return f"The audit chain ends at entry {self.sequence}, {self.hash} ({self.at[:19] or 'nothing on record'})."


def read_head(path: Path) -> AuditHead:
    """Read a head that was exported: what ``modelops audit-head --json`` printed, or the body of a webhook.

    Raises
    ------
    NotFound
        If there is no such file.
    InvalidInput
        If it holds no head.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}: write one with `modelops audit-head --json > {path.name}`.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} holds no exported head ({error}): write one with `modelops audit-head`.") from error
    for inside in ("data", "audit"):
        body = body.get(inside, body) if isinstance(body, dict) else body
    number, digest = (body.get("sequence"), body.get("hash")) if isinstance(body, dict) else (None, None)
    if type(number) is int and number >= 0 and isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest):
        return AuditHead(number, digest, str(body.get("at", "")))
    raise InvalidInput(f"{path} holds no exported head: write one with `modelops audit-head --json > {path.name}`.")


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


def head_of(store: Store) -> AuditHead:
    """Return where the chain ends."""
    sequence, _ = _end(store)
    last = store.audit(after=max(sequence - 1, 0))[-1:]
    return AuditHead(last[0].sequence, last[0].hash, last[0].recorded_at) if last else AuditHead(0, GENESIS, "")


def verify(store: Store, exported: AuditHead | None = None) -> AuditVerification:
    """Recompute the chain, hold its end against what the store says of it, and records against their entries.

    With a head that was exported, the chain must lead on from there: one that was written anew, or a database that was
    restored to before it, does not.
    """
    reading = _Reading.of(store, lambda: [record for kind in ATTESTED for record in store.find(kind)])
    chain = reading.chain()
    if chain.ok and exported is not None:
        chain = _verify_exported(reading.entries, exported)
    return reading.hold(reading.records) if chain.ok else chain


def _verify_exported(entries: Sequence[AuditEntry], exported: AuditHead) -> AuditVerification:
    if exported.sequence > len(entries):
        what = f"it is missing, though a head was exported at entry {exported.sequence}: the store was restored or cut."
        return _broken(entries, len(entries) + 1, what)
    if exported.sequence and entries[exported.sequence - 1].hash != exported.hash:
        what = "it is not the entry whose head was exported: it, or one before it, was written anew."
        return _broken(entries, exported.sequence, what)
    return AuditVerification(True, len(entries))


@dataclass(frozen=True)
class _Reading:
    """Records and the chain, read while others may write: records lie between the two ends, entries before the last.

    Attributes
    ----------
    first, last : tuple of int and str
        Number and hash of the chain's end as the store said before anything else was read, and after.
    """

    first: tuple[int, str]
    records: Sequence[Record]
    entries: Sequence[AuditEntry]
    last: tuple[int, str]

    @classmethod
    def of(cls, store: Store, records: Callable[[], Sequence[Record]]) -> _Reading:
        """Read an end, the records, the chain and its end again, in this order."""
        return cls(_end(store), records(), store.audit(), _end(store))

    def chain(self) -> AuditVerification:
        """Return whether the chain is whole and ends where the store says."""
        entries = self.entries
        chain = verify_chain(entries)
        if not chain.ok:
            return chain
        if self.first[0] > len(entries):
            return _broken(entries, len(entries) + 1, "it is missing, though the store says that it was written.")
        for sequence, digest in (self.first, self.last):
            if 0 < sequence <= len(entries) and entries[sequence - 1].hash != digest:
                return _broken(entries, sequence, "the store does not know it as the chain's end.")
        if self.last[0] < len(entries):
            return _broken(entries, len(entries), "the store does not know it as the chain's end.")
        return chain

    @cached_property
    def _facts(self) -> dict[str, tuple[str, int]]:
        """The digest of each record when reading began, and the entry that says so."""
        return _spoken_of(self.entries[: self.first[0]])

    @cached_property
    def _later(self) -> dict[str, set[str]]:
        """The digests of records that were written while reading went on."""
        later: dict[str, set[str]] = {}
        for entry in self.entries[self.first[0] :]:
            for name, digest in entry.facts.items():
                later.setdefault(name, set()).add(digest)
        return later

    def hold(self, records: Sequence[Record], model: str | None = None) -> AuditVerification:
        """Return whether records are what the chain says of them, and none that it speaks of is gone.

        Those that were written while reading went on may be as they were before or after. With `model`, only its
        records are expected.
        """
        facts = {name: said for name, said in self._facts.items() if model in (None, _model_of(name))}
        there = {f"{record.kind} {record.key}": record.checksum for record in records}
        bad = [
            (sequence, name)
            for name, (digest, sequence) in facts.items()
            if there.get(name) != digest and there.get(name) not in self._later.get(name, ())
        ]
        if bad:
            sequence, name = min(bad)
            state = "not what it put on record" if name in there else "gone"
            return _broken(self.entries, sequence, f"{name} is {state}.")
        for name in sorted(there.keys() - facts.keys()):
            if there[name] not in self._later.get(name, ()):
                what = f"it is missing: {name} is on record without one."
                return _broken(self.entries, len(self.entries) + 1, what)
        return AuditVerification(True, len(self.entries))


def _end(store: Store) -> tuple[int, str]:
    """Return number and hash of the chain's last entry, as the store says."""
    record = store.get(*_HEAD)
    return (0, GENESIS) if record is None else (record.body["sequence"], record.body["hash"])


class Vouching:
    """What the chain vouches for, to be asked about one model at a time; read once, as the store was then."""

    def __init__(self, store: Store, model: str | None = None) -> None:
        def records() -> list[Record]:
            if model is None:
                return [record for kind in ATTESTED for record in store.find(kind)]
            return [record for kind in ATTESTED for record in _records_of(store, kind, model)]

        self._reading = _Reading.of(store, records)
        self._chain = self._reading.chain()
        self._of: dict[str, list[Record]] = {}
        for record in self._reading.records:
            for name in {record.subject, _model_of(f"{record.kind} {record.key}")}:
                self._of.setdefault(name, []).append(record)

    def of(self, model: str) -> AuditVerification:
        """Return whether the chain is whole and every record that decides about `model` is one that it vouches for.

        A record is looked for under its key as well as under its model: one that was hidden is missing here, and one
        that was planted is there.
        """
        return self._reading.hold(self._of.get(model, []), model) if self._chain.ok else self._chain


def vouch(store: Store, model: str) -> AuditVerification:
    """Return whether the chain vouches for everything that decides about `model`, now."""
    return Vouching(store, model).of(model)


def _records_of(store: Store, kind: str, model: str) -> list[Record]:
    """Return the records of a kind that say that they are about a model, or whose keys do."""
    by_key = [store.find(kind, since=f"{model}{sign}", until=f"{model}{chr(ord(sign) + 1)}") for sign in "/@"]
    found = {record.key: record for record in (*store.find(kind, model), *by_key[0], *by_key[1])}
    own = store.get(kind, model)
    return [*found.values(), *([own] if own is not None and own.key not in found else [])]


def _spoken_of(entries: Sequence[AuditEntry]) -> dict[str, tuple[str, int]]:
    """Return the digest of each record and the entry that says so last."""
    return {name: (digest, entry.sequence) for entry in entries for name, digest in entry.facts.items()}


def _model_of(name: str) -> str:
    """Return the model of a record by its kind and key."""
    return re.split("[/@]", name.partition(" ")[2])[0]


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
    """Return whether an entry is what its hash says; one that this process has seen whole is not computed again."""
    try:
        seen = hash(entry)  # of all its texts, with a secret of this process
        if seen in _seen_whole:
            return True
        as_written = (written(entry.details), written(entry.facts)) == (entry.recorded_details, entry.recorded_facts)
        whole = as_written and entry.at.isoformat() == entry.recorded_at and entry.hash == _hash(entry)
    except (StoreDamaged, ValueError, TypeError):  # no JSON, no time, no text
        return False
    if whole:
        _seen_whole.add(seen)
    return whole


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
    return hashlib.sha256(_canonical_json(canonical)).hexdigest()


def _canonical_json(body: Mapping[str, Any]) -> bytes:
    """Return a body as RFC 8785 has it; the standard library is faster by far where it writes the same."""
    if _is_written_alike(body):
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    return rfc8785.dumps(dict(body))


def _is_written_alike(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii()
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and name.isascii() and _is_written_alike(v) for name, v in value.items())
    if isinstance(value, list):
        return all(map(_is_written_alike, value))
    return value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**53)
