"""What is sent, and the seam behind which it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from modelops_jupyter.errors import DeliveryFailed
from modelops_jupyter.store import Record


@dataclass(frozen=True)
class Message:
    """One thing to tell.

    Attributes
    ----------
    id : str
        The same at every attempt, so that a receiver knows a repetition.
    topic : str
        ``incident.opened``, ``incident.grew``, ``incident.reopened``, ``incident.returned``, ``incident.recovered``,
        ``incident.superseded``, ``incident.expired`` (it was muted until now), ``incident.reminded`` (it lasts),
        ``incident.digest`` (what is left alone), ``promote`` or ``rollback``.
    at : str
        When it happened: ISO text in UTC.
    title, text : str
        Plain text for people.
    data : mapping
        The same for programs, as JSON data.
    """

    id: str
    topic: str
    at: str
    title: str
    text: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, record: Record) -> Message:
        """Read a message as the store's outbox keeps it."""
        data = {key: value for key, value in record.body.items() if key not in ("topic", "title", "text")}
        topic, at = str(record.body["topic"]), record.updated_at.isoformat()
        title = str(record.body.get("title") or _move(data))
        return cls(record.key, topic, at, title, str(record.body.get("text") or data.get("reason", "")), data)

    @property
    def body(self) -> str:
        """The text and, for an incident, what people need to act on it."""
        incident = self.data.get("incident", {})
        lines = [self.text] if self.text else []
        lines += [f"Suspect: {suspect['column']}" for suspect in incident.get("suspects", ())]
        lines += [f"Segment: {part['segment']}" for part in incident.get("segments", ())]
        lines += [str(action) for action in incident.get("actions", ())]
        return "\n".join([*lines, *([f"Incident {incident['id']}"] if incident else [])]) or self.title


class Notifier(Protocol):
    """A way out for messages."""

    @property
    def where(self) -> str:
        """Where it leads, in words that hold no secret."""

    def send(self, message: Message) -> None:
        """Hand a message over; return only when the other side has taken it.

        Raises
        ------
        DeliveryFailed
            If it was not taken, or nobody knows.
        """


class InMemoryNotifier:
    """Keeps the contract of `Notifier` without a network; `down` makes every attempt fail."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.down = False

    @property
    def where(self) -> str:
        """See `Notifier.where`."""
        return "memory"

    def send(self, message: Message) -> None:
        """See `Notifier.send`."""
        if self.down:
            raise DeliveryFailed("memory is down: set `down` to False.")
        self.messages.append(message)


def _move(data: Mapping[str, Any]) -> str:
    if "alias" in data and "to_version" in data:
        return f"{data['name']}@{data['alias']} is version {data['to_version']} now, by {data['actor']}"
    return "modelops"
