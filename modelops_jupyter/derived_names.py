"""Columns that are derived from another one, such as the length of a text: how they are called, and of what they are.

A text or a date is neither a number nor a category, so numbers and categories are derived from it and watched in its
place. Their names say both: ``comment · length`` is the length of ``comment``.
"""

from __future__ import annotations

SEPARATOR = " · "
# What is derived of a text. The first of each kind is the one that says whether there is a value at all.
TEXT = ("length", "words", "digits", "capitals", "signs", "unfamiliar")
# What is derived of a date: whether it is one, or stands for a missing one or is yet to come; how many days before the
# request it was, and on which day of the week.
DATE = ("kind", "age", "weekday")
DURATION = ("seconds",)
# What is derived of an identifier, whose values say nothing: whether there is one.
PRESENCE = ("presence",)
PRIMARY = frozenset({TEXT[0], DATE[0], DURATION[0], PRESENCE[0]})
DESCRIPTORS = frozenset((*TEXT, *DATE, *DURATION, *PRESENCE))


def derived_name(source: str, descriptor: str) -> str:
    """Return the name of a derived column.

    >>> derived_name("comment", "length")
    'comment · length'
    """
    return f"{source}{SEPARATOR}{descriptor}"


def source_of(column: str) -> str:
    """Return the column that a column is derived from: itself, if it is of none.

    Names say so for certain: no reference is made of a column that has such a name of its own.

    >>> source_of("comment · length"), source_of("age")
    ('comment', 'age')
    """
    source, _, descriptor = column.rpartition(SEPARATOR)
    return source if source and descriptor in DESCRIPTORS else column


def descriptor_of(column: str) -> str:
    """Return what a derived column says of its source; empty for a column of its own."""
    return column[len(source) + len(SEPARATOR) :] if (source := source_of(column)) != column else ""


def is_derived(column: str) -> bool:
    """Tell whether a column is derived from another one."""
    return source_of(column) != column
