"""The workspace behind a request: opened for it, with the person who asks as its actor."""

from __future__ import annotations

import json
import math
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions import catalogue
from modelops_jupyter.actor import Actor
from modelops_jupyter.settings import find_settings
from modelops_jupyter.workspace import Workspace

if TYPE_CHECKING:
    from modelops_jupyter.actions.catalogue import Status
    from modelops_jupyter.store import Store


class UnwrittenWorkspace(Workspace):
    """A workspace that nobody has written to yet: empty, and reading it leaves it so."""

    @cached_property
    def store(self) -> Store:
        """Nothing, as long as it is looked at."""
        from modelops_jupyter.store import InMemoryStore

        return InMemoryStore()

    def status(self) -> Status:
        """See `Workspace.status`; a registry is looked at where there is one, and none is made."""
        from modelops_jupyter.actions import adoption

        there = self.settings.server is not None or self.settings.mlflow_path.is_file()
        waiting = adoption.unadopted(self.store, self.registry) if there else adoption.Waiting()
        return catalogue.status(self.store, self.settings, unadopted=waiting.models, misnamed=waiting.misnamed)


def open_workspace(project: Path, actor: Actor | None, *, write: bool, lenient: bool = False) -> Workspace:
    """Open the workspace of `project`; only with `write` may that create it; `lenient` as in `find_settings`.

    Raises
    ------
    InvalidInput
        If its settings cannot be used.
    """
    settings = find_settings(project, lenient=lenient)
    unwritten = not write and not settings.store_path.exists()
    return (UnwrittenWorkspace if unwritten else Workspace)(settings, actor=actor)


def plain(result: Any) -> Any:
    """Return a verb's result as JSON data: times as ISO text, figures that are no numbers as null."""
    return _plain(result.to_dict())


def text_of(result: Any) -> str:
    """Return a verb's result as JSON text: what `plain` has to put right is the exception."""
    try:
        return written(result.to_dict())
    except (TypeError, ValueError):  # a time, an array, a figure that is no number
        return written(plain(result))


def written(data: Any) -> str:
    """Return JSON text."""
    return json.dumps(data, allow_nan=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if hasattr(value, "tolist"):  # NumPy scalars and arrays
        return _plain(value.tolist())
    return str(value)
