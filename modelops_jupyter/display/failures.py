"""What a reader is told of a failure that nobody foresaw, and what the log keeps of it."""

from __future__ import annotations

import logging
from secrets import token_hex

from modelops_jupyter.display.html import Html, element, join


def unforeseen(error: Exception, log: logging.Logger, advice: str) -> Html:
    """Return a plain sentence with an id, by which the log has the error with its traceback.

    Parameters
    ----------
    advice
        Where the reader is to look, or whom to ask.
    """
    identity = token_hex(4)
    log.error("Error %s: %s", identity, type(error).__name__, exc_info=error)
    return join(f"This part could not be drawn. {advice} ", element("code", f"error {identity}"))
