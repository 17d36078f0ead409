"""A store that lives in memory: for tests of whatever is built on a store."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from modelops_jupyter import clock
from modelops_jupyter.errors import Conflict
from modelops_jupyter.store.audit import head, next_entry
from modelops_jupyter.store.records import AuditEntry, Change, Put, Record


class InMemoryStore:
    """Keeps the contract of `Store` without a file; gone when the process ends."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], Record] = {}
        self._audit: list[AuditEntry] = []
        self._keys: dict[str, AuditEntry | None] = {}
        self._commits = 0
        self._lock = threading.Lock()

    def commit(self, change: Change) -> AuditEntry | None:
        """See `Store.commit`."""
        with self._lock:
            if change.idempotency_key is not None and change.idempotency_key in self._keys:
                return self._keys[change.idempotency_key]
            at, number = clock.now(), self._commits + 1
            records = dict(self._records)
            put = [self._put(records, put, at, number) for put in change.puts]
            entry = None
            if change.event is not None:
                entry = next_entry(change.event, at, self._audit[-1] if self._audit else None, put)
            for told in (*change.messages(at, entry), *(() if entry is None else (head(entry),))):
                self._put(records, told, at, number)
            for gone in change.deletes:
                records.pop((gone.kind, gone.key), None)
            if entry is not None:
                self._audit.append(entry)
            self._records, self._commits = records, number
            if change.idempotency_key is not None:
                self._keys[change.idempotency_key] = entry
            return entry

    @staticmethod
    def _put(records: dict[tuple[str, str], Record], put: Put, at: datetime, number: int) -> Record:
        current = records.get((put.kind, put.key))
        revision = current.revision if current else 0
        if put.expected_revision not in (None, revision):
            raise Conflict(f"{put.kind} {put.key!r} is at revision {revision}, expected {put.expected_revision}.")
        body = json.loads(json.dumps(dict(put.body), allow_nan=False))
        record = records[put.kind, put.key] = Record(put.kind, put.key, put.subject, revision + 1, body, at, number)
        return record

    def get(self, kind: str, key: str) -> Record | None:
        """See `Store.get`."""
        return self._records.get((kind, key))

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
        """See `Store.find`."""
        same = (r for r in self._records.values() if r.kind == kind and subject in (None, r.subject))
        same = (r for r in same if keys is None or r.key in keys)
        found = (r for r in same if (since is None or since <= r.key) and (until is None or r.key < until))
        return tuple(r if bodies else replace(r, body={}) for r in sorted(found, key=lambda record: record.key))

    def audit(self, after: int = 0) -> tuple[AuditEntry, ...]:
        """See `Store.audit`."""
        return tuple(self._audit[after:])

    def close(self) -> None:
        """See `Store.close`."""
