"""The windows of a time zone: days and weeks of its own calendar, a day of 23 or 25 hours among them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from modelops_jupyter.profiles.runs import Runs
from modelops_jupyter.profiles.windows import ORIGIN, window_length

Array = np.ndarray[Any, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def wall_time(at: datetime | str) -> datetime:
    """Return what a clock on the wall says at a time that is written with its offset; every day has 24 hours by it."""
    return (datetime.fromisoformat(at) if isinstance(at, str) else at).replace(tzinfo=None)


@dataclass(frozen=True)
class Calendar:
    """Windows of one length in one time zone; their starts are written with the zone's offset at that time.

    Attributes
    ----------
    every : str
        ``1h``, ``1D`` or ``1W``. Hours are those of UTC in every zone, so that none comes twice.
    zone : str
        The name of a time zone.
    """

    every: str
    zone: str = "UTC"

    @cached_property
    def length(self) -> timedelta:
        """The length of a window on the wall clock."""
        return window_length(self.every)

    def start(self, at: datetime) -> datetime:
        """Return the start of the window that holds `at`."""
        if self._absolute:
            return self._local(ORIGIN + (at - ORIGIN) // self.length * self.length)
        number = self._number(at)
        start = self.at(number)  # where midnight itself is left out, the day begins at one
        return start if start <= at else self.at(number - 1)

    def end(self, start: datetime) -> datetime:
        """Return the end of the window that begins at `start`."""
        return self._local(start + self.length) if self._absolute else self.at(self._number(start) + 1)

    def at(self, number: int) -> datetime:
        """Return the start of a window by its number; number 0 is that of 1970-01-05, a Monday."""
        start = ORIGIN + number * self.length
        return self._local(start if self._absolute else start.replace(tzinfo=self._info))

    def on_wall(self, wall: datetime) -> datetime:
        """Return the time at which a clock on the wall says `wall`; of two the first."""
        return self._local(wall.replace(tzinfo=self._info))

    def runs(self, times: Array) -> Runs:
        """Return the numbers of the windows of times, microseconds since 1970 (UTC), run by run."""
        if self._absolute:
            return Runs.of_times(times, self.length // _MICROSECOND, _micros(ORIGIN))
        return Runs.of(self.numbers(times))

    def numbers(self, times: Array) -> Array:
        """Return the number of the window of each time."""
        if self._absolute:
            numbers: Array = (times - _micros(ORIGIN)) // (self.length // _MICROSECOND)
            return numbers
        if not len(times):
            return np.zeros(0, "int64")
        first, last = (self._number(_EPOCH + int(time) * _MICROSECOND) for time in (times.min(), times.max()))
        edges = np.array([_micros(self.at(number)) for number in range(first - 1, last + 2)])
        return np.searchsorted(edges, times, side="right") + first - 2

    def cut(self, time: int) -> int:
        """Return the start of the window that holds a time, both in microseconds since 1970 (UTC)."""
        return _micros(self.start(_EPOCH + time * _MICROSECOND))

    @property
    def _absolute(self) -> bool:
        return self.zone == "UTC" or self.every == "1h"

    @cached_property
    def _info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def _number(self, at: datetime) -> int:
        return (wall_time(at.astimezone(self._info)) - wall_time(ORIGIN)) // self.length

    def _local(self, at: datetime) -> datetime:
        """Return a time with the zone's offset then, which arithmetic and ISO text keep."""
        if self.zone == "UTC":
            return at.astimezone(UTC)
        local = at.astimezone(UTC).astimezone(self._info)
        return local.astimezone(timezone(local.utcoffset() or timedelta()))


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND
