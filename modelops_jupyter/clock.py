"""The clock: times to show people, and moments whose age stays right when somebody sets the clock.

Nothing is decided by the time of day: what was decided is in the order of its commits, and how long ago something was
is counted from the start of the machine, which every process on it counts alike.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Goes on while the machine sleeps, where there is such a clock.
_SINCE_BOOT: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> datetime:
    """Return the time of day in UTC, to be shown."""
    return datetime.now(UTC)


@cache
def boot_id() -> str | None:
    """Return what tells this start of this machine from any other; None where the system does not say."""
    try:
        return _BOOT_ID.read_text().strip() or None
    except OSError:
        return None


@dataclass(frozen=True)
class Moment:
    """A point in time.

    Attributes
    ----------
    at : datetime
        The time of day, in UTC.
    boot : str or None
        The start of the machine that `ticks` are counted from.
    ticks : float
        Seconds since then.
    """

    at: datetime
    boot: str | None = None
    ticks: float = 0.0

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Moment:
        """Read what `to_dict` wrote."""
        return cls(datetime.fromisoformat(body["at"]), body["boot"], float(body["ticks"]))

    def to_dict(self) -> dict[str, Any]:
        """Return the moment as plain data."""
        return {"at": self.at.isoformat(), "boot": self.boot, "ticks": self.ticks}

    def is_within(self, length: timedelta, current: Moment) -> bool:
        """Return whether less than `length` has passed until `current`.

        Of another machine, or before a restart, the time of day must do: it is believed as far as it is `length` away,
        so that a clock that was ahead by a day keeps nothing for a day.
        """
        if self.boot is not None and self.boot == current.boot:
            return current.ticks - self.ticks < length.total_seconds()
        return abs(current.at - self.at) < length


def moment() -> Moment:
    """Return this moment."""
    return Moment(now(), boot_id(), time.clock_gettime(_SINCE_BOOT))
