"""A version that was rejected while it serves: its incident, from the rejection until another version serves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelops_jupyter import clock

if TYPE_CHECKING:
    from modelops_jupyter.governance import Consequences
    from modelops_jupyter.settings import Settings
    from modelops_jupyter.store import Put, Store


def sentence(alias: Mapping[str, Any]) -> str:
    """Return that the version that has an alias was rejected, and what to do; nothing where it was not."""
    rejected, name = alias.get("rejected"), alias["name"]
    if not rejected:
        return ""
    from modelops_jupyter.governance import out_of_service

    advice = out_of_service(name, alias["alias"])
    return f"{_title(alias)}, and still serves: {advice}, or approve it again if it should serve."


def incidents_of(store: Store, settings: Settings) -> Consequences:
    """Return what opens an incident when a version that serves is rejected, and closes it when none serves so."""

    def consequences(
        before: Mapping[str, Any] | None, after: Mapping[str, Any]
    ) -> tuple[list[Put], list[Mapping[str, Any]]]:
        puts: list[Put] = []
        messages: list[Mapping[str, Any]] = []
        same = before is not None and before["version"] == after["version"]
        if before is not None and before.get("rejected") and not (same and after["rejected"]):
            text = "It was approved again." if same else f"Version {after['version']} is {after['alias']} now."
            _close(store, before, text, puts, messages)
        if after["rejected"] and not (same and before is not None and before.get("rejected")):
            use_case = settings.use_cases.get(after["name"])
            _open(store, after, use_case.owner if use_case else None, puts, messages)
        return puts, messages

    return consequences


def _open(
    store: Store, alias: Mapping[str, Any], owner: str | None, puts: list[Put], messages: list[Mapping[str, Any]]
) -> None:
    from modelops_jupyter.governance import out_of_service
    from modelops_jupyter.monitoring.incidents.cases import message_of, monitoring_incident
    from modelops_jupyter.store import Put

    name, identity, at = str(alias["name"]), _identity(alias), clock.now().isoformat()
    advice = out_of_service(name, alias["alias"])
    actions = (
        f"{advice[:1].upper()}{advice[1:]}.",
        f"If it should serve: `modelops approve {name}/{alias['version']} --reason ...`.",
    )
    body = monitoring_incident(identity, name, _title(alias), actions, at, at, owner, cause="governance")
    record, event = store.get("incident", identity), "opened"
    if record is not None:
        event = "reopened"
        history = [*record.body["history"], {"at": at, "event": event, "text": _title(alias)}]
        body = {**body, "opened_at": record.body["opened_at"], "owner": record.body["owner"], "history": history}
    revision = 0 if record is None else record.revision
    puts.append(Put("incident", identity, body, subject=name, expected_revision=revision))
    messages.append(message_of(body, event))


def _close(
    store: Store, alias: Mapping[str, Any], text: str, puts: list[Put], messages: list[Mapping[str, Any]]
) -> None:
    from modelops_jupyter.monitoring.incidents.cases import message_of, recover
    from modelops_jupyter.store import Put

    record = store.get("incident", _identity(alias))
    if record is not None and record.body["firing"]:
        body = recover(record.body, clock.now().isoformat(), text)
        puts.append(Put("incident", record.key, body, subject=record.subject, expected_revision=record.revision))
        messages.append(message_of(body, "recovered"))


def _title(alias: Mapping[str, Any]) -> str:
    rejected, what = alias["rejected"], f"{alias['name']}/{alias['version']}"
    return f"{what}, which is {alias['alias']}, was rejected by {rejected['by']} ({rejected['reason']})"


def _identity(alias: Mapping[str, Any]) -> str:
    text = "\n".join(("rejected", alias["name"], alias["alias"], str(alias["version"])))
    return f"{alias['name']}:{hashlib.sha256(text.encode()).hexdigest()[:8]}"
