"""How many of something there are and how long something lasted, as every face says it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal

from modelops_jupyter.derived_names import is_derived, source_of

UNITS = {"1h": "hour", "1D": "day", "1W": "week"}


def count(n: int, one: str, many: str | None = None) -> str:
    """Return how many of something.

    >>> count(1, "model"), count(2, "model"), count(2, "entry", "entries")
    ('1 model', '2 models', '2 entries')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def pooled_text(start: str, end: str, windows: int, rows: int) -> str:
    """Return of how many windows one is that is judged as a whole, and its rows.

    >>> pooled_text("2013-12-24T00:00:00+00:00", "2013-12-27T00:00:00+00:00", 3, 72)
    '3 days, 72 rows'
    """
    length = (datetime.fromisoformat(end) - datetime.fromisoformat(start)) / windows
    unit = "1h" if length < timedelta(hours=12) else "1D" if length < timedelta(days=2) else "1W"
    return f"{count(windows, UNITS[unit])}, {count(rows, 'row')}"


def is_several(values: str) -> bool:
    """Tell whether a text such as ``new_values`` writes names more than one value.

    >>> is_several("`a, b` (5 % of rows)"), is_several("`a` (5 % of rows), `b` (1 % of rows)")
    (False, True)
    """
    return "`, `" in values or ") and " in values or "), " in values


def left_out_sentence(identifiers: Sequence[str]) -> str:
    """Return what alone is watched of columns of identifiers; empty where there are none.

    >>> left_out_sentence(["order_id"])
    'Nearly every value is another one, so that only missing ones and their type are watched (an identifier): order_id.'
    """
    if not identifiers:
        return ""
    more = f" and {len(identifiers) - 10:,} more" if len(identifiers) > 10 else ""
    names = ", ".join(sorted(identifiers)[:10]) + more
    what = "an identifier" if len(identifiers) == 1 else "identifiers"
    return f"Nearly every value is another one, so that only missing ones and their type are watched ({what}): {names}."


def gone_words(values: str, column: str) -> str:
    """Return what is said of categories that no longer come, or of how what is derived from a column changed.

    >>> gone_words("`B` (12 % of rows in training)", "unit")
    '`B` (12 % of rows in training) of unit no longer comes'
    >>> gone_words("length fell from 84 to 15 characters", "comment · length")
    '`comment`: length fell from 84 to 15 characters'
    """
    if is_derived(column) and not values.startswith("`"):
        return f"`{source_of(column)}`: {values}"
    return f"{values} of {source_of(column)} no longer {'come' if is_several(values) else 'comes'}"


def figure_text(value: float, digits: int = 3) -> str:
    """Return a figure as people write it: whole from so many digits on, and never by a power of ten.

    >>> figure_text(14780.4), figure_text(0.38114), figure_text(0.0000123), figure_text(-1234.5, 5)
    ('14,780', '0.381', '0.0000123', '-1,234.5')
    """
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 10**digits:
        return f"{value:,.0f}"
    return f"{Decimal(f'{value:.{digits}g}'):,f}"


def short(at: datetime) -> str:
    """Return a time, without the hour where it is midnight."""
    return f"{at:%Y-%m-%d}" if (at.hour, at.minute, at.second) == (0, 0, 0) else f"{at:%Y-%m-%d %H:%M}"


def last_moment(end: str) -> str:
    """Return the last day before the end of a window, or the last minute if it ends within a day.

    A window holds what is before its end: a reader would take the end for a day with data.

    >>> last_moment("2014-01-01T00:00:00+00:00"), last_moment("2013-12-31T05:00:00+00:00")
    ('2013-12-31T00:00:00+00:00', '2013-12-31T04:59:00+00:00')
    """
    at = datetime.fromisoformat(end)
    return (at - (timedelta(days=1) if at.time() == time() else timedelta(minutes=1))).isoformat()


def span(start: str, end: str) -> str:
    """Return the time from `start` to before `end`, both as ISO has them.

    >>> span("2013-12-24T00:00:00+00:00", "2014-01-01T00:00:00+00:00")
    '2013-12-24 to 2013-12-31'
    >>> span("2013-12-31T00:00:00+00:00", "2014-01-01T00:00:00+00:00")
    '2013-12-31'
    """
    first, last = short(datetime.fromisoformat(start)), short(datetime.fromisoformat(last_moment(end)))
    return first if first == last else f"{first} to {last}"
