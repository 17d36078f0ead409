"""Holidays: days that are known beforehand to be like no others, so that their windows are shown and not judged.

Nothing in the rows tells a holiday from a fault that comes back each month; a calendar does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.profiles import window_length

# A window of a week has a holiday in it as often as not: it is judged.
LONGEST = timedelta(days=1)
# Holidays of so long before the last window are named.
RECENT = timedelta(days=30)


@dataclass(frozen=True)
class Holidays:
    """The days whose windows are not judged.

    Attributes
    ----------
    calendars : tuple of str
        Countries by ISO 3166, a part of one behind a hyphen (``US``, ``US-NY``), markets by ISO 10383 (``XNYS``), and
        single days (``2013-11-29``).
    """

    calendars: tuple[str, ...] = ()

    @classmethod
    def parse(cls, calendars: str | Iterable[str]) -> Holidays:
        """Read calendars and days; a text is one of them.

        Raises
        ------
        InvalidInput
            If one is no day and no calendar that is known.

        Examples
        --------
        >>> from datetime import UTC, datetime
        >>> Holidays.parse(["US", "2013-11-29"]).name_of(datetime(2013, 7, 4, tzinfo=UTC), "1D")
        'Independence Day'
        """
        named = (calendars,) if isinstance(calendars, str) else tuple(dict.fromkeys(calendars))
        for calendar in named:
            _check(calendar)
        return cls(named)

    def name_of(self, start: datetime, every: str) -> str:
        """Return what the day of a window is called, by its date where the window starts; empty if it is no holiday."""
        if not self.calendars or window_length(every) > LONGEST:
            return ""
        return _name_of(self.calendars, start.date())


NO_HOLIDAYS = Holidays()


def holidays_sentence(days: Mapping[str, str], through: str) -> str:
    """Say which windows of the last month were not judged.

    Parameters
    ----------
    days
        What each holiday is called, by its date.
    through
        End of the last window, as ISO text.

    Examples
    --------
    >>> holidays_sentence({"2013-01-01": "New Year's Day", "2013-07-04": "Independence Day"}, "2013-07-10")
    "2013-07-04 (Independence Day) is a holiday: it is shown, not judged."
    """
    since = (datetime.fromisoformat(through) - RECENT).date().isoformat()
    recent = [day if name == day else f"{day} ({name})" for day, name in sorted(days.items()) if day >= since]
    if not recent:
        return ""
    is_one = f"{recent[0]} is a holiday: it is shown, not judged."
    return is_one if len(recent) == 1 else f"{', '.join(recent)} are holidays: they are shown, not judged."


@lru_cache(maxsize=4096)
def _name_of(calendars: tuple[str, ...], day: date) -> str:
    for calendar in calendars:
        dated = _as_date(calendar)
        name = (calendar if dated == day else None) if dated else _calendar(calendar).get(day)
        if name:
            return str(name)
    return ""


def _check(calendar: str) -> None:
    if not isinstance(calendar, str) or not (_as_date(calendar) or _is_known(calendar)):
        hint = "write a country as US or US-NY, a market as XNYS, or a day as 2013-11-29"
        raise InvalidInput(f"No calendar of holidays is called {calendar!r}{_nearest(calendar)}: {hint}.")


def _as_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if "-" in text else None
    except ValueError:
        return None


def _is_known(calendar: str) -> bool:
    try:
        _calendar(calendar)
    except NotImplementedError:  # how the library says so
        return False
    return True


@lru_cache(maxsize=64)
def _calendar(calendar: str) -> Any:
    # Deferred: few monitors have one.
    import holidays

    country, _, part = calendar.partition("-")
    if country in holidays.list_supported_financial():
        return holidays.financial_holidays(country, subdiv=part or None)
    return holidays.country_holidays(country, subdiv=part or None)


def _nearest(calendar: object) -> str:
    import holidays

    known = [*holidays.list_supported_countries(), *holidays.list_supported_financial()]
    near = get_close_matches(str(calendar).upper(), known, n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""
