"""The policy in force is on record: another one is an act of somebody's, which the audit chain shows."""

from __future__ import annotations

from dataclasses import asdict

from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import Conflict
from modelops_jupyter.governance.policy import Policy
from modelops_jupyter.store import Change, Event, Put, Store

KIND, KEY = "policy", "in force"


def keep_policy(store: Store, policy: Policy, actor: Actor) -> None:
    """Put a policy on record before anything is decided by it, unless it is there already.

    Which file it is read from is a matter of settings: whoever decides by another one is named as who changed it.
    """
    while True:
        record = store.get(KIND, KEY)
        before = None if record is None else record.body["digest"]
        if before == policy.digest:
            return
        rules = {alias: asdict(rule) for alias, rule in policy.rules.items()}
        body = {"name": policy.name, "digest": policy.digest, "rules": rules}
        put = Put(KIND, KEY, body, expected_revision=0 if record is None else record.revision)
        event = Event("policy", policy.name, actor.name, actor.assurance, {"digest": policy.digest, "replaces": before})
        try:
            store.commit(Change(puts=(put,), event=event))
        except Conflict:  # another process puts one on record now
            continue
        return
