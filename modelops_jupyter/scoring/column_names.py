"""Columns by name, also where a library has spelled the name otherwise, and what to say of one that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

_WORD = re.compile(r"\W")
_BLANKS = re.compile(r"[\s_\ufeff-]+")
_SEPARATORS = {";": "';'", "\t": "a tab", "|": "'|'"}
_MOST_NAMES, _LONGEST_NAME = 20, 40


def columns_named(names: Sequence[str], columns: Iterable[Any]) -> list[Any]:
    """Return those of `columns` that have these names, None where there is none.

    LightGBM and ONNX respell ``mean radius`` as ``mean_radius``: the one stands for the other.
    """
    exact = {str(column): column for column in columns}
    if all(name in exact for name in names):
        return [exact[name] for name in names]
    respelt = {_WORD.sub("_", name): column for name, column in exact.items()}
    return [exact.get(name, respelt.get(_WORD.sub("_", name))) for name in names]


def absence(subject: str, name: str, names: Iterable[object], *, why: str = "") -> str:
    """Return the sentence that a table has no column of a name, with what it has and what is probably wrong.

    Parameters
    ----------
    subject
        The table and its verb, as in ``frame has``.
    names
        The columns that are there.
    why
        What the column is needed for, as it follows the name.

    Examples
    --------
    >>> absence("frame has", "age", ["Age ", "wind"])
    "frame has no column 'age': rename 'Age ', which differs in case or blanks only; it has 'Age ', 'wind'."
    >>> absence("'a.csv' has", "age", ["age;wind"], why=", a feature of delay/1")
    "'a.csv' has no column 'age', a feature of delay/1: its only column is 'age;wind', so ';' seems to separate its \
columns; write them with commas."
    """
    there = [str(other) for other in names]
    missing = f"{subject} no column {name!r}{why}"
    mark = separator(there[0]) if len(there) == 1 else None
    if mark is not None:
        return (
            f"{missing}: its only column is {_shown(there[0])}, so {mark} seems to separate its columns; write them "
            "with commas."
        )
    alike = [other for other in there if _spelling(other) == _spelling(name)]
    hint = f"rename {_shown(alike[0])}, which differs in case or blanks only; " if alike else ""
    return f"{missing}: {hint}it has {listed(there)}."


def listed(names: Sequence[str]) -> str:
    """Return the names of columns as a sentence has them: long ones shortened, and the first 20 of many."""
    shown = ", ".join(map(_shown, names[:_MOST_NAMES]))
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{shown}{more}" or "none"


def separator(header: str) -> str | None:
    """Return what seems to separate the columns of a header that holds no comma, in words; None for nothing known."""
    return next((words for mark, words in _SEPARATORS.items() if mark in header), None)


def _spelling(name: str) -> str:
    return _BLANKS.sub("", name).casefold()


def _shown(name: str) -> str:
    return repr(name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…")
