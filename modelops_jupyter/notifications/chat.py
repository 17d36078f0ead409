"""Slack, Teams, e-mail and a hundred more, by apprise."""

from __future__ import annotations

from typing import Any

from modelops_jupyter.errors import DeliveryFailed, LibraryMissing
from modelops_jupyter.notifications.addresses import checked_addresses
from modelops_jupyter.notifications.message import Message
from modelops_jupyter.notifications.outbound import guarded

# Topics that ask nobody to do anything.
QUIET = ("incident.superseded", "promote")


class AppriseNotifier:
    """Sends plain text through one apprise URL."""

    def __init__(self, url: str, *, allow_private: bool = False) -> None:
        self._scheme = url.partition(":")[0]
        self._allow_private = allow_private
        self._service = self._open(url)

    @property
    def where(self) -> str:
        """See `Notifier.where`: the scheme, as the rest of the URL holds tokens."""
        return self._scheme

    def send(self, message: Message) -> None:
        """See `Notifier.send`."""
        import apprise

        host = getattr(self._service, "host", None)
        if isinstance(host, str) and host:
            checked_addresses(host, getattr(self._service, "port", None) or 0, allow_private=self._allow_private)
        kind = {"incident.recovered": apprise.NotifyType.SUCCESS, **dict.fromkeys(QUIET, apprise.NotifyType.INFO)}
        try:
            with guarded(self.where, allow_private=self._allow_private):
                taken = self._service.notify(
                    title=message.title,
                    body=message.body,
                    notify_type=kind.get(message.topic, apprise.NotifyType.WARNING),
                    body_format=apprise.NotifyFormat.TEXT,
                )
        except (TypeError, OSError) as error:
            raise DeliveryFailed(f"{self.where} did not take it ({type(error).__name__}).") from error
        if not taken:
            raise DeliveryFailed(f"{self.where} did not take it: the log of `apprise` says why.")

    def _open(self, url: str) -> Any:
        try:
            import apprise
        except ImportError as error:
            raise LibraryMissing(
                f"{self._scheme}:// needs apprise: pip install 'modelops-jupyter[notify]', or use an https:// webhook."
            ) from error
        service = apprise.Apprise.instantiate(
            url, asset=apprise.AppriseAsset(async_mode=False), suppress_exceptions=True
        )
        if service is None:
            raise DeliveryFailed(f"apprise cannot read the target's {self._scheme}:// url: see its documentation.")
        return service
