"""Answers that are kept as long as the store stays as it is, so that a panel that polls costs next to nothing."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelops_jupyter.store import ChangeWatch

MOST = 64
OLDEST_SECONDS = 60.0  # what depends on the time of day is not shown for longer


class Kept:
    """The answers of one server."""

    def __init__(self) -> None:
        self._watches: dict[Path, ChangeWatch] = {}
        self._answers: OrderedDict[Hashable, tuple[object, float, str]] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, store: Path, question: Hashable, compute: Callable[[], str]) -> str:
        """Return what `compute` returns, or what it returned since the last change of the file `store`."""
        mark = self._watch(store).mark()
        if mark is None:
            return compute()
        with self._lock:
            known = self._answers.get((store, question))
        if known is not None and known[0] == mark and time.monotonic() - known[1] < OLDEST_SECONDS:
            return known[2]
        text = compute()  # after the mark: it may be newer than that, never older
        with self._lock:
            self._answers[store, question] = (mark, time.monotonic(), text)
            self._answers.move_to_end((store, question))
            while len(self._answers) > MOST:
                self._answers.popitem(last=False)
        return text

    def close(self) -> None:
        """Release the stores' files."""
        with self._lock:
            for watch in self._watches.values():
                watch.close()
            self._watches.clear()

    def _watch(self, store: Path) -> ChangeWatch:
        from modelops_jupyter.store import ChangeWatch

        with self._lock:
            return self._watches.setdefault(store, ChangeWatch(store))
