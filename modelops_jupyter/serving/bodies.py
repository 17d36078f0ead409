"""Bodies as they arrive: of the right type, not too large, not too slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect, Request

from modelops_jupyter.serving.options import ServingOptions
from modelops_jupyter.serving.payload import Overloaded, RequestRefused

MOST_BYTES = 64_000_000  # of bodies that arrive or are read at one time


class Intake:
    """Bounds the bytes of all bodies that are on their way; of the event loop's thread alone."""

    def __init__(self, most: int) -> None:
        self._most, self._bytes = most, 0

    @contextmanager
    def body(self) -> Iterator[Callable[[int], None]]:
        """Lend what counts the bytes of one body, which raises `Overloaded` where there is no room for more."""
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            if self._bytes + size > self._most:
                raise Overloaded
            self._bytes, taken = self._bytes + size, taken + size

        try:
            yield take
        finally:
            self._bytes -= taken


async def read_body(request: Request, options: ServingOptions, take: Callable[[int], None]) -> bytes:
    """Return the body of a request; `take` counts its bytes.

    Raises
    ------
    RequestRefused
        415 for another content type, 413 for too many bytes, 408 for a body that takes too long, 400 for none.
    Overloaded
        If other bodies leave no room for it.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestRefused(
            "Send JSON as it is, with the header 'Content-Type: application/json'.", status=415, field="Content-Type"
        )
    length = request.headers.get("content-length", "")
    if length.isdecimal() and len(length) < 20 and int(length) > options.most_bytes:
        raise _too_large(options)
    try:
        async with asyncio.timeout(options.body_seconds):
            parts, size = [], 0
            async for part in request.stream():
                size += len(part)
                if size > options.most_bytes:
                    raise _too_large(options)
                take(len(part))
                parts.append(part)
    except TimeoutError:
        raise RequestRefused(
            f"The body was not there within {options.body_seconds:g} s: send it at once.", status=408, field="body"
        ) from None
    except ClientDisconnect:
        raise RequestRefused("The client went away before the body was whole.", field="body") from None
    if not size:
        raise RequestRefused("The body is empty: send rows as JSON.", field="body")
    return b"".join(parts)


def _too_large(options: ServingOptions) -> RequestRefused:
    return RequestRefused(
        f"A body has at most {options.most_bytes:,} bytes: send the rows in parts, or score a table with "
        "`modelops predict`.",
        status=413,
        field="body",
    )
