"""How the tests of the server ask, and who is let in."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from jupyter_server.auth import Authorizer
from tornado.httpclient import HTTPClientError, HTTPResponse

Fetch = Callable[..., Awaitable[HTTPResponse]]
Ask = Callable[..., Awaitable[Any]]
PREFIX = ("modelops", "api", "v1")
ASKED: list[tuple[str, str]] = []


class Recording(Authorizer):
    """Allows all but Mallory, and keeps what was asked."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        ASKED.append((action, resource))
        return "Mallory" not in handler.request.headers


async def refused(answer: Awaitable[Any]) -> tuple[int, dict[str, Any]]:
    """Return status and body of a request that must not succeed."""
    with pytest.raises(HTTPClientError) as caught:
        await answer
    assert caught.value.response is not None
    body: dict[str, Any] = json.loads(caught.value.response.body)
    assert set(body) == {"message", "code"}
    return caught.value.code, body
