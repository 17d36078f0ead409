"""What people write: what of it goes on record, and how whatever is on record is shown in a terminal."""

from __future__ import annotations

import sys
import unicodedata

from modelops_jupyter.errors import InvalidInput

LONGEST_TEXT = 10_000
_JOINER = "\u200d"  # emoji and some scripts need it; it moves nothing


def check_text(text: str, why: str) -> str:
    """Return what somebody wrote, without blanks around it; `why` says what it is asked for.

    Raises
    ------
    InvalidInput
        If it is empty, too long, or holds what could drive a terminal or turn the direction of writing.
    """
    if not isinstance(text, str) or not text.strip():
        raise InvalidInput(why)
    return check_remark(text)


def check_remark(text: str) -> str:
    """Return what somebody wrote or left out, as `check_text`."""
    if not isinstance(text, str) or any(_is_control(sign) for sign in text):
        raise InvalidInput(f"{text!r} holds control characters, which no page shows: leave them out.")
    kept = text.strip()
    if len(kept) > LONGEST_TEXT:
        raise InvalidInput(f"A text of {len(kept)} characters is too long to go on record: {LONGEST_TEXT} fit.")
    return kept


def check_line(name: str) -> str:
    """Return the name of a person or service without blanks around it, which is one line."""
    if not isinstance(name, str) or not name.strip() or "\n" in name or any(_is_control(sign) for sign in name):
        raise InvalidInput(f"{name!r} is no name of a person or service: write it in one line of letters.")
    return name.strip()


def printable(text: str) -> str:
    """Return `text` with every character that could drive a terminal spelled out: data may hold what texts may not."""
    return "".join(repr(sign)[1:-1] if _is_control(sign) else sign for sign in text)


def _is_control(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cf", "Cs") and sign not in ("\n", "\t", _JOINER)


def cleared() -> str:
    """Return what wipes the line of a terminal that something passing was shown on; nothing where no terminal is."""
    return "\r\x1b[2K" if sys.stderr.isatty() else ""
