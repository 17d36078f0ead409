"""Bodies as they arrive: of the right type, not too large, not too slowly."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from modelops_jupyter.serving.options import ServingOptions
from modelops_jupyter.serving.payload import RequestRefused


async def read_body(request: Request, options: ServingOptions) -> bytes:
    """Return the body of a request.

    Raises
    ------
    RequestRefused
        415 for another content type, 413 for too many bytes, 408 for a body that takes too long, 400 for none.
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
