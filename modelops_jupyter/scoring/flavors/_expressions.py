"""What an expression of zen's language reads: zen compiles and evaluates expressions, but does not list their names.

The tokens follow zen's own lexer: names are ASCII, text has no escapes, a template is text between backticks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

Path = tuple[str, ...]

_TOKEN = re.compile(
    r"""'[^']*'|"[^"]*"|`[^`]*`|\d[\d_]*(?:\.\d[\d_]*)?(?:e[+-]?\d+)?|[A-Za-z$_#][A-Za-z0-9$_#]*|\.\.|[=!<>]=|\S"""
)
_NAME = re.compile(r"[A-Za-z$_#][A-Za-z0-9$_#]*")
_KEYWORDS = frozenset({"and", "or", "not", "in", "true", "false", "null", "as"})
_OPENING, _CLOSING = "([{", ")]}"


def paths_read(expression: str) -> list[Path]:
    """Return the paths that an expression reads from its surroundings, in order.

    Functions, methods, keys of objects, names of its own and ``$`` (the value of the column) are none.

    >>> paths_read("customer.age > $root['least age'] and len(orders) > 2")
    [('customer', 'age'), ('least age',), ('orders',)]
    """
    tokens = _TOKEN.findall(expression)
    own = _own_names(tokens)
    paths: list[Path] = []
    opened: list[str] = []
    index = 0
    while index < len(tokens):
        token, following = tokens[index], tokens[index + 1 : index + 2]
        before = tokens[index - 1] if index else ""
        if token in _OPENING:
            opened.append(token)
        elif token in _CLOSING:
            del opened[-1:]
        elif token.startswith("`"):
            for inside in re.findall(r"\$\{([^}]*)\}", token):
                paths += paths_read(inside)
        elif _NAME.fullmatch(token) and token not in _KEYWORDS and before != ".":
            is_key = following == [":"] and opened[-1:] == ["{"] and before in ("{", ",")
            if not is_key and following != ["("]:
                path, index = _path(tokens, index)
                paths += _outside(path, own)
                continue
        index += 1
    return list(dict.fromkeys(paths))


def _own_names(tokens: Sequence[str]) -> set[str]:
    """Return the names that an expression gives itself: ``rate = 2; …`` and ``map(orders as order, …)``."""
    pairs = list(pairwise(tokens))
    return {name for name, after in pairs if after == "="} | {name for before, name in pairs if before == "as"}


def _path(tokens: Sequence[str], start: int) -> tuple[Path, int]:
    """Return the path that begins with the name at `start`, and the index of the token behind it."""
    path, index = [tokens[start]], start + 1
    while True:
        rest = tokens[index : index + 4]
        if rest[:1] == ["."] and len(rest) > 1 and _NAME.fullmatch(rest[1]):
            if rest[2:3] == ["("]:  # a method, as in `born.year()`
                return tuple(path), index + 2
            path.append(rest[1])
            index += 2
        elif rest[:1] == ["["] and len(rest) > 2 and rest[1][0] in "'\"" and rest[2] == "]":
            path.append(rest[1][1:-1])
            index += 3
        else:
            return tuple(path), index


def _outside(path: Path, own: set[str]) -> list[Path]:
    """Return what of a path is read from outside; ``$nodes`` stays, for the document to resolve."""
    first = path[0]
    if first == "$root":
        return [path[1:]] if len(path) > 1 else []
    if first == "$nodes":
        return [path]
    return [] if first[0] in "$#" or first in own else [path]
