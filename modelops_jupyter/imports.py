"""Importing what threads use before they start.

Many libraries are imported where they are first used, so that a start stays light. Two threads that do so at the same
time may wait for each other for ever: a module's lock is held until all that it imports is there, and the modules of
pandas, for one, import each other. So whatever starts threads first imports, in its own thread, what they will use.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib import import_module


def import_ahead(modules: Iterable[str]) -> None:
    """Import modules by name in the calling thread, each with what it names in ``LATER``."""
    for _ in each_import(modules):
        pass


def each_import(modules: Iterable[str]) -> Iterator[str]:
    """Do the same, and stop after each import of one that was not there yet.

    ``LATER`` of a module lists those that its functions, or the libraries behind them, import at their first call.
    """
    for name in modules:
        fresh = name not in sys.modules
        module = import_module(name)
        if fresh:
            yield name
        yield from each_import(getattr(module, "LATER", ()))
