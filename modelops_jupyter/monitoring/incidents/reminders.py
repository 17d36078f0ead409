"""What is said again of incidents that last: by rules that do not depend on who looks how often.

An incident that nobody has acknowledged is told again after a day where it touches what the model is for (performance,
outcomes, monitoring itself, what serves), after a week where it does not; four times at most. What is left alone then,
and what was acknowledged and lasts, is in one digest a week. Muted incidents, and those that were resolved or have
ended, are told no more. Times between are counted on a clock that nobody sets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from modelops_jupyter.clock import Moment
from modelops_jupyter.wording import count

AGAIN = {"high": timedelta(days=1), "normal": timedelta(days=7)}
MOST = 4
DIGEST = timedelta(days=7)
LEAST_SPELLS = 3  # from so many on, an incident comes and goes
LONGEST_DIGEST = 20  # lines

Hits = Callable[[Mapping[str, Any]], Sequence[bool]]


@dataclass(frozen=True)
class Lasting:
    """An incident that lasts, and what was said of it.

    Attributes
    ----------
    body : mapping
        The incident, as it is on record.
    state : str
        ``open`` or ``acknowledged``.
    events : int
        How many events it had when the count began: more of them were told, and the count begins anew.
    since : Moment
        When it was last told.
    times : int
        How often it was told again since its last event.
    """

    body: Mapping[str, Any]
    state: str
    events: int
    since: Moment
    times: int = 0

    @property
    def severity(self) -> str:
        """``high`` where it touches what the model is for, else ``normal``."""
        kinds = {alert["kind"] for alert in self.body["alerts"] if not alert["closed"]}
        return "high" if self.body["cause"] != "data" or kinds & {"performance", "concept"} else "normal"

    @property
    def is_left_alone(self) -> bool:
        """Whether it is told in the digest alone."""
        return self.state == "acknowledged" or self.times >= MOST

    def is_due(self, now: Moment) -> bool:
        """Return whether it is to be told again."""
        return not self.is_left_alone and not self.since.is_within(AGAIN[self.severity], now)


def reminder(lasting: Lasting, hits: Sequence[bool]) -> str:
    """Return what is said again: since when, whether it comes and goes, and when the next is said."""
    body = lasting.body
    since = f" since {str(body['first_window'])[:10]}" if body["first_window"] else ""
    lasts = f"It comes and goes{since}: {spells_text(hits)}." if spells(hits) >= LEAST_SPELLS else f"It lasts{since}."
    days = AGAIN[lasting.severity].days
    then = (
        f"Nobody has acknowledged it; it is told again in {count(days, 'day')}."
        if lasting.times + 1 < MOST
        else "Nobody has acknowledged it; from now on it is in the weekly digest alone."
    )
    return f"{lasts} {then}"


def digest(lasting: Iterable[Lasting]) -> dict[str, Any]:
    """Return the message about everything that is left alone, the oldest first."""
    ordered = sorted(lasting, key=lambda one: (str(one.body["opened_at"]), str(one.body["id"])))
    since = [f"{one.state} since {str(one.body['opened_at'])[:10]}" for one in ordered]
    lines = [f"{one.body['id']} ({when}): {one.body['title']}" for one, when in zip(ordered, since, strict=True)]
    more = len(lines) - LONGEST_DIGEST
    rest = [f"and {more} more: run `modelops incidents`"] if more > 0 else []
    return {
        "topic": "incident.digest",
        "title": f"{count(len(lines), 'incident')} last",
        "text": "\n".join([*lines[:LONGEST_DIGEST], *rest]),
        "incidents": [str(one.body["id"]) for one in ordered],
    }


def spells(hits: Sequence[bool]) -> int:
    """Return how often something came in a row of windows: after one without it, or at the begin."""
    return sum(hit and not before for before, hit in zip((False, *hits), hits, strict=False))


def spells_text(hits: Sequence[bool]) -> str:
    """Return how often something came, in words."""
    return f"seen in {sum(hits)} of {count(len(hits), 'window')}, {spells(hits)} times anew"
