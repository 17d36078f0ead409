"""How far a slow piece of work is, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class WorkEvent:
    """Progress: `number` of `total` pieces of the work are done, and it goes on with `step`.

    Attributes
    ----------
    state : {"running", "completed"}
    """

    step: str
    state: str
    number: int
    total: int

    def __str__(self) -> str:
        return f"{self.step}: {self.number / self.total:.0%}"


class Pace:
    """Counts the pieces of a work and tells of every full percent."""

    def __init__(self, step: str, total: int, tell: Callable[[WorkEvent], None] | None) -> None:
        self._step, self._total, self._tell, self._done = step, total, tell, 0
        self._say()

    def one_more(self) -> None:
        """Count a piece that is done."""
        self._done += 1
        if self._done * 100 // self._total > (self._done - 1) * 100 // self._total:
            self._say()

    def _say(self) -> None:
        if self._tell is not None:
            state = "completed" if self._done == self._total else "running"
            self._tell(WorkEvent(self._step, state, self._done, self._total))
