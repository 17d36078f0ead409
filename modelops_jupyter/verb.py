"""What a verb is, to every face that offers it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from modelops_jupyter.errors import InvalidInput

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
    lenient : bool
        It has something to say of settings that cannot be used, too.
    method : str
        The method of `Workspace` behind it, where that has another name than the verb.
    """

    name: str
    help: str
    call: Call
    arguments: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = field(default=())
    effect: Literal["read", "write", "execute"] = "write"
    slow: bool = False
    lenient: bool = False
    method: str = ""

    @property
    def operation(self) -> str:
        """The method of `Workspace` behind it."""
        return self.method or self.name.replace("-", "_")


class Parser(argparse.ArgumentParser):
    """A parser that raises our error instead of ending the process, so that a notebook can use it."""

    def error(self, message: str) -> NoReturn:
        """Raise `InvalidInput` with one sentence; a verb that does not exist is answered with the nearest one."""
        from difflib import get_close_matches

        unknown = re.fullmatch(r"argument VERB: invalid choice: '(.*)' \(choose from (.*)\)", message, flags=re.S)
        if unknown is None:
            raise InvalidInput(f"{message[:1].upper()}{message[1:]}. See `{self.prog} --help`.")
        near = get_close_matches(unknown[1], re.findall(r"[\w-]+", unknown[2]), n=1)
        meant = f": did you mean {near[0]!r}?" if near else "."
        raise InvalidInput(f"There is no verb {unknown[1]!r}{meant} See `{self.prog} --help`.")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse a line; an option that its verb does not have is answered with what the verb has."""
        from difflib import get_close_matches

        parsed, rest = super().parse_known_args(args, namespace)
        unknown = next((word.partition("=")[0] for word in rest if word.startswith("--")), None)
        if unknown is None:
            return parsed, rest
        options = sorted(name for action in self._actions for name in action.option_strings if name.startswith("--"))
        near = get_close_matches(unknown, options, n=1, cutoff=0.75)
        meant = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(options)}."
        raise InvalidInput(f"`{self.prog}` has no option {unknown!r}: {meant}")
