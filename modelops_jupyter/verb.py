"""What a verb is, to every face that offers it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from modelops_jupyter.workspace import Workspace

Read = Callable[[str], Any]
Call = Callable[["Workspace", argparse.Namespace, Read], Any]


@dataclass(frozen=True)
class Verb:
    """One verb: its name, what it does, its arguments, and the `Workspace` call behind it.

    Attributes
    ----------
    effect : {"read", "write", "execute"}
        What a caller must be allowed to do: look, put something on record, or run code.
    slow : bool
        It may take longer than a person waits for an answer: a server runs it as a job.
    """

    name: str
    help: str
    call: Call
    arguments: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = field(default=())
    effect: Literal["read", "write", "execute"] = "write"
    slow: bool = False
