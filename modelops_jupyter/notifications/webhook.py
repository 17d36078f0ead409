"""Signed webhooks as https://www.standardwebhooks.com has them: id, time and HMAC-SHA256 in the headers."""

from __future__ import annotations

import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

import urllib3
from standardwebhooks import Webhook

from modelops_jupyter.errors import DeliveryFailed
from modelops_jupyter.notifications.addresses import checked_addresses
from modelops_jupyter.notifications.message import Message
from modelops_jupyter.notifications.outbound import guarded

CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0
SHORTEST_SECRET = 24  # bytes; the standard's own least


class WebhookNotifier:
    """Posts JSON to one URL; redirects and proxies are not followed.

    Several secrets, with blanks between, sign side by side: so one is replaced by another while receivers still know
    only the old one.
    """

    def __init__(self, url: str, secret: str, *, allow_private: bool = False) -> None:
        parts = urlsplit(url)
        try:
            self._port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise DeliveryFailed(f"The webhook's url has no valid port ({error}): mend it.") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise DeliveryFailed("A webhook's url is https://host/path, without user and password: mend it.")
        if parts.scheme == "http" and not allow_private:
            raise DeliveryFailed(f"http://{parts.hostname} is not encrypted: write https://, or set allow_private.")
        self._scheme, self._host, self._allow_private = parts.scheme, parts.hostname, allow_private
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._signers = [_signer(each) for each in secret.split() or [""]]

    @property
    def where(self) -> str:
        """See `Notifier.where`: scheme and host, as a path may hold a token."""
        return f"{self._scheme}://{self._host}"

    def send(self, message: Message) -> None:
        """See `Notifier.send`."""
        addresses = checked_addresses(self._host, self._port, allow_private=self._allow_private)
        now = datetime.now(UTC)
        payload = {
            "type": message.topic,
            "timestamp": message.at,
            "data": {"title": message.title, "text": message.text, **message.data},
        }
        body = json.dumps(payload, separators=(",", ":"), allow_nan=False)
        headers = {
            "Content-Type": "application/json",
            "Host": self._host if self._port in (80, 443) else f"{self._host}:{self._port}",
            "User-Agent": "modelops-jupyter",
            "webhook-id": message.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signer.sign(message.id, now, body) for signer in self._signers),
        }
        with guarded(self.where, allow_private=self._allow_private):
            status = self._first_answer(addresses, body.encode(), headers)
        if not 200 <= status < 300:
            raise DeliveryFailed(f"{self.where} answered {status}: look at the receiver.")

    def _first_answer(self, addresses: Sequence[str], body: bytes, headers: dict[str, str]) -> int:
        for number, address in enumerate(addresses, start=1):
            try:
                return self._post(address, body, headers)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                unheard = isinstance(
                    error, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
                )
                if number == len(addresses) or not unheard:
                    raise DeliveryFailed(f"{self.where} did not take it ({_reason(error)}).") from error
        raise DeliveryFailed(f"{self.where} has no address.")

    def _post(self, address: str, body: bytes, headers: dict[str, str]) -> int:
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        pool: urllib3.HTTPConnectionPool
        if self._scheme == "https":
            pool = urllib3.HTTPSConnectionPool(
                address,
                self._port,
                timeout=timeout,
                cert_reqs="CERT_REQUIRED",
                server_hostname=self._host,
                assert_hostname=self._host,
            )
        else:
            pool = urllib3.HTTPConnectionPool(address, self._port, timeout=timeout)
        with pool:
            answer = pool.urlopen(
                "POST", self._path, body, headers, retries=False, redirect=False, preload_content=False
            )
            answer.close()  # the status says it all: nothing else is read
            return int(answer.status)


def _signer(secret: str) -> Webhook:
    try:
        key = binascii.a2b_base64(secret.removeprefix("whsec_"), strict_mode=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith("whsec_") or len(key) < SHORTEST_SECRET:
        raise DeliveryFailed(
            'A webhook needs secret = "whsec_…", base64 of at least 24 random bytes: `openssl rand -base64 32` makes '
            "the part behind whsec_."
        )
    return Webhook(key)


def _reason(error: Exception) -> str:
    """Return what went wrong without the address: urllib3 puts whole URLs in its messages."""
    cause = error.__cause__ or error.__context__ or error
    text = getattr(cause, "strerror", None) or getattr(cause, "verify_message", None)
    return str(text) if text else type(error).__name__
