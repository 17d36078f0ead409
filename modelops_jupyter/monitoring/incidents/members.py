"""Alerts as incidents keep them: what each is a sign of, when it was open, and how early its cause may lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from modelops_jupyter.derived_names import source_of
from modelops_jupyter.monitoring.figures.cycle import cycle_length
from modelops_jupyter.monitoring.record.results import is_drift, is_recent, plain_metric, signal
from modelops_jupyter.profiles import window_length

# N of M windows open alerts of one cause some windows apart, and labels come later than features.
SLACK = 2
# Columns that are the model's answers.
ANSWERS = frozenset({"prediction", "score"})
DEPENDENCES = frozenset({"dependence", "unseen_combinations"})
CAUSE, DEPENDENCE, EFFECT = range(3)
Surge = tuple[str, float, float]


@dataclass(frozen=True)
class Member:
    """An alert as its incident keeps it; times are ISO text in UTC, `last` is the start of its last bad window.

    Attributes
    ----------
    closed : str
        Start of the window that closed it; empty while it is open.
    beside : str
        The other column of a dependence, or the values that are new.
    surges : tuple of (str, float, float)
        Windows in which it became much worse, with figure and threshold.
    note : str
        Why it counts though a person had accepted its sign; empty where nobody had.
    window_end : str
        End of the window that opened it, which is longer than others where windows are judged together.
    last_end : str
        End of its last bad window; both are empty where they are not known.
    """

    kind: str
    segment: str
    column: str
    metric: str
    every: str
    start: str
    last: str
    state: str
    figure: float
    threshold: float
    message: str
    version: int = 0
    closed: str = ""
    beside: str = ""
    surges: tuple[Surge, ...] = ()
    note: str = ""
    window_end: str = ""
    last_end: str = ""

    @classmethod
    def of(cls, alert: Mapping[str, Any]) -> Member:
        """Read an alert as the store keeps it."""
        same = ("kind", "column", "metric", "every", "state", "figure", "threshold", "message")
        optional = ("segment", "version", "closed", "beside", "window_end", "last_end")
        more = {name: alert[name] for name in optional if name in alert}
        surges = tuple((start, figure, limit) for start, figure, limit in alert.get("surges", ()))
        own = {"segment": "", **{name: alert[name] for name in same}, **more, "surges": surges}
        return cls(start=alert["window_start"], last=alert["last_window"], **own)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Member:
        """Read what `to_dict` wrote."""
        return cls(**{**body, "surges": tuple((start, figure, limit) for start, figure, limit in body["surges"])})

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {**asdict(self), "surges": [list(surge) for surge in self.surges]}

    @cached_property
    def signal(self) -> tuple[str, str, str, str, str]:
        """What was seen, whenever it was and by whichever statistic; see `Finding.key`."""
        return (self.every, *signal(self.kind, self.segment, self.column, self.metric))

    @cached_property
    def key(self) -> tuple[str, ...]:
        """What was seen, and since when."""
        return (*self.signal, self.start)

    @property
    def identity(self) -> tuple[str, ...]:
        """What was seen of which version."""
        return (*self.signal, str(self.version))

    @cached_property
    def part(self) -> int:
        """Whether it may be a cause, a dependence that changes as columns do, or an effect of either."""
        if self.kind in ("performance", "concept") or self.column in ANSWERS:
            return EFFECT
        return DEPENDENCE if self.sign in DEPENDENCES else CAUSE

    @cached_property
    def sign(self) -> str:
        """By what it shows: ``distribution``, ``dependence``, a rate of data quality, or its kind."""
        if is_drift(self.kind, self.metric):
            return "distribution"
        return plain_metric(self.metric) if self.kind in ("drift", "quality") else self.kind

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns that it is of, both of a dependence; of derived ones those from which they are."""
        named = {self.column, *self.beside.split(" and ")} if self.part == DEPENDENCE else {self.column}
        return frozenset(source_of(name) for name in named - {""})

    @cached_property
    def source(self) -> str:
        """The column that it is of, or from which that is derived."""
        return source_of(self.column)

    @property
    def facet(self) -> tuple[str, str, str]:
        """What it adds to an incident: a sign of a column in a segment, or one of the effects, wherever."""
        if self.part == EFFECT:
            return "answers" if self.kind in ("drift", "quality") else "performance", "", ""
        return self.sign, self.column, self.segment

    @cached_property
    def length(self) -> timedelta:
        """The length of the window that opened it."""
        return datetime.fromisoformat(self.window_end) - self.begin if self.window_end else window_length(self.every)

    @cached_property
    def over(self) -> datetime:
        """When its last bad window ended; by the length of the one that opened it where that is not known."""
        return (
            datetime.fromisoformat(self.last_end) if self.last_end else datetime.fromisoformat(self.last) + self.length
        )

    @cached_property
    def begin(self) -> datetime:
        """When the window began that opened it."""
        return datetime.fromisoformat(self.start)

    @cached_property
    def onset(self) -> datetime:
        """How early what opened it may have begun: windows looked at together show it late."""
        return self.begin - (self.cycle if is_recent(self.metric) else SLACK * self.length)

    @cached_property
    def cycle(self) -> timedelta:
        """How long a cycle of its windows lasts: one without any sign is a quiet spell."""
        return cycle_length(self.every)

    @property
    def end(self) -> datetime | None:
        """When the window began that closed it."""
        return datetime.fromisoformat(self.closed) if self.closed else None

    def is_open(self, at: datetime) -> bool:
        """Tell whether it was open on the evening of a window."""
        return self.begin <= at and (self.end is None or at < self.end)

    def until(self, at: str) -> Member:
        """Return it as it was on the evening of a window."""
        if self.closed and self.closed > at:
            return replace(self, state="open", closed="")
        return self
