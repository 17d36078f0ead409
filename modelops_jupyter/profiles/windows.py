"""Windows: half-open UTC intervals, aligned with the calendar; weeks begin on Monday."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from modelops_jupyter.errors import InvalidInput

LENGTHS = {"1h": timedelta(hours=1), "1D": timedelta(days=1), "1W": timedelta(days=7)}
ORIGIN = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday


def window_length(every: str) -> timedelta:
    """Return the length of a window.

    Raises
    ------
    InvalidInput
        If `every` is not ``1h``, ``1D`` or ``1W``.
    """
    if every not in LENGTHS:
        raise InvalidInput(f"Windows are {', '.join(LENGTHS)} long, not {every!r}.")
    return LENGTHS[every]


def window_start(at: datetime, every: str) -> datetime:
    """Return the start of the window that holds `at`."""
    length = window_length(every)
    return ORIGIN + ((at - ORIGIN) // length) * length


def time_of(words: str, zone: str = "UTC") -> datetime:
    """Read a time as people write it, in `zone` where it names none.

    Raises
    ------
    InvalidInput
        If it is no time.
    """
    try:
        at = datetime.fromisoformat(words)
    except ValueError:
        raise InvalidInput(f"{words!r} is no time: write it as 2013-07-01 or 2013-07-01T13:00.") from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
