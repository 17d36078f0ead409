"""From a target in the settings to the notifier behind it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress

from modelops_jupyter.errors import DeliveryFailed, InvalidInput, LibraryMissing
from modelops_jupyter.imports import import_ahead
from modelops_jupyter.notifications.message import Notifier
from modelops_jupyter.settings import Target
from modelops_jupyter.trust import fill_secrets

# What the libraries behind import when they first send: names of hosts are encoded, and a password is looked for.
FOR_SENDING = ("encodings.idna", "netrc")


def import_notifiers(targets: Sequence[Target], environ: Mapping[str, str] = os.environ) -> None:
    """Import what sending to `targets` takes, before a thread sends: opening a notifier imports its library."""
    import_ahead(FOR_SENDING if targets else ())
    for target in targets:
        with suppress(DeliveryFailed, LibraryMissing):  # the delivery puts it on record
            open_notifier(target, environ)


def open_notifier(target: Target, environ: Mapping[str, str] = os.environ) -> Notifier:
    """Return the way out that a target describes.

    Raises
    ------
    DeliveryFailed
        If its settings cannot be used, or name an environment variable that is not set.
    LibraryMissing
        If it needs apprise, which is not installed.
    """
    url = _filled(target, "url", environ)
    is_webhook = url.partition(":")[0].lower() in ("http", "https")
    if is_webhook and url != target.url:
        raise DeliveryFailed(
            f"notify.{target.name}.url names a variable: what is secret of a webhook belongs in its secret, as servers "
            "and proxies keep the addresses that they are asked for. Write the address out."
        )
    if is_webhook:
        from modelops_jupyter.notifications.webhook import WebhookNotifier

        return WebhookNotifier(url, _filled(target, "secret", environ), allow_private=target.allow_private)
    from modelops_jupyter.notifications.chat import AppriseNotifier

    return AppriseNotifier(url, allow_private=target.allow_private)


def _filled(target: Target, key: str, environ: Mapping[str, str]) -> str:
    try:
        return fill_secrets(f"notify.{target.name}.{key}", getattr(target, key), environ)
    except InvalidInput as error:
        raise DeliveryFailed(str(error)) from None
