"""Paths on record: from a folder on, so that a copy of the folder, or the folder elsewhere, keeps them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any


def recorded_path(path: str | os.PathLike[str], folder: Path) -> str:
    """Return a path as it goes on record: from `folder` on where it is below it, else as it is.

    >>> recorded_path("/team/runs/1.ipynb", Path("/team")), recorded_path("/data/x.csv", Path("/team"))
    ('runs/1.ipynb', '/data/x.csv')
    """
    below = Path(path).is_absolute() and Path(path).is_relative_to(folder)
    return Path(path).relative_to(folder).as_posix() if below else os.fspath(path)


def absolute_path(recorded: str, folder: Path) -> str:
    """Return a path on record as it is where `folder` is now.

    >>> absolute_path("runs/1.ipynb", Path("/copy"))
    '/copy/runs/1.ipynb'
    """
    return str(folder / recorded)


def with_fields(data: Any, names: Collection[str], change: Callable[[str], str]) -> Any:
    """Return JSON data with every text under one of `names` changed, however deep it lies."""
    if isinstance(data, list):
        return [with_fields(item, names, change) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        name: change(value) if name in names and isinstance(value, str) else with_fields(value, names, change)
        for name, value in data.items()
    }
