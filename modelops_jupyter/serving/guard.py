"""Who may ask: whoever has the token; without one, whoever is on this machine and says so."""

from __future__ import annotations

import hmac
import json

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from modelops_jupyter.network import is_loopback
from modelops_jupyter.serving.options import ServingOptions

OPEN = ("/ping",)  # a probe of life tells nothing and needs no token
_LOCAL = ("localhost", "127.0.0.1", "[::1]")


class Guard:
    """Lets requests through to an application, or answers 401 or 421 itself.

    Without a token a server on loopback takes only requests that name this machine as their host: a page on the web
    that a browser here shows, whose name resolves to 127.0.0.1, is no caller of ours.
    """

    def __init__(self, app: ASGIApp, options: ServingOptions) -> None:
        self._app = app
        self._token = options.token.encode()
        own = f"[{options.host}]" if ":" in options.host else options.host.lower()
        self._hosts = None if self._token or not is_loopback(options.host) else {*_LOCAL, own}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self._token and not self._is_token(headers.get("authorization", "")):
            message = "This endpoint asks for its token: send the header 'Authorization: Bearer TOKEN'."
            await _refuse(send, 401, "unauthorized", message, (b"www-authenticate", b"Bearer"))
        elif self._hosts is not None and _host(headers.get("host", "")) not in self._hosts:
            message = "This endpoint answers requests to this machine alone: ask 127.0.0.1 or localhost."
            await _refuse(send, 421, "misdirected-request", message)
        else:
            await self._app(scope, receive, send)

    def _is_token(self, header: str) -> bool:
        scheme, _, token = header.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token)


def _host(header: str) -> str:
    name, _, port = header.lower().rpartition(":")
    return name if name and port.isdecimal() else header.lower()


async def _refuse(send: Send, status: int, code: str, message: str, *more: tuple[bytes, bytes]) -> None:
    body = json.dumps({"error_code": code, "message": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
