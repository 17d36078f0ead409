"""A request that comes twice is carried out once: what ``Idempotency-Key`` promises, kept in the store."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from modelops_jupyter.store import Store

KIND = "request"
KEPT = timedelta(days=1)
WAIT_SECONDS = 20.0
LONGEST_KEY = 200


def once(store: Store, key: str | None, caller: str, request: Mapping[str, Any], act: Callable[[], Any]) -> Any:
    """Return what `act` returns, JSON data; for a `key` that `caller` has used, what it returned then.

    A refusal or failure is not kept: the same key may be sent again.

    Raises
    ------
    InvalidInput
        If the key is unusable, or was used for another request.
    Conflict
        If the first request of that key has not ended: it is going on, or its server was killed in the middle.
    """
    from modelops_jupyter.store import Change, Delete, Put

    if key is None:
        return act()
    if not 0 < len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise InvalidInput(f"Idempotency-Key is up to {LONGEST_KEY} printable ASCII characters.")
    name = hashlib.sha256(json.dumps([caller, key]).encode()).hexdigest()
    body = {"request": _digest(request), "at": datetime.now(UTC).isoformat(), "answer": None}
    try:
        old = [Delete(KIND, r.key) for r in store.find(KIND) if datetime.now(UTC) - r.updated_at > KEPT]
        store.commit(Change(puts=(Put(KIND, name, body, expected_revision=0),), deletes=tuple(old)))
    except Conflict:
        return _first(store, name, body["request"])
    try:
        answer = act()
    except BaseException:
        store.commit(Change(deletes=(Delete(KIND, name),)))
        raise
    store.commit(Change(puts=(Put(KIND, name, {**body, "answer": {"body": answer}}),)))
    return answer


def _first(store: Store, name: str, request: Any) -> Any:
    """Return what the first request was answered, waiting for it a while."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (record := store.get(KIND, name)) is not None:
        if record.body["request"] != request:
            raise InvalidInput("This Idempotency-Key was used for another request: make a new one for each.")
        if record.body["answer"] is not None:
            return record.body["answer"]["body"]
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    raise Conflict(
        "The same request was sent before and has not been answered, or was refused: look at the audit trail, then "
        "repeat it with a new Idempotency-Key."
    )


def _digest(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
