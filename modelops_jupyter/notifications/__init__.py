"""Telling people: messages leave the store's outbox once for each target."""

from modelops_jupyter.notifications.message import InMemoryNotifier, Message, Notifier
from modelops_jupyter.notifications.outbox import DeliveryReport, deliver, target_states
from modelops_jupyter.notifications.targets import import_notifiers, open_notifier

__all__ = [
    "DeliveryReport",
    "InMemoryNotifier",
    "Message",
    "Notifier",
    "deliver",
    "import_notifiers",
    "open_notifier",
    "target_states",
]
