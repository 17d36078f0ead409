"""Model references: ``name``, ``name/3``, ``name@champion`` and MLflow's own spelling of the same."""

from __future__ import annotations

import re
from dataclasses import dataclass

from modelops_jupyter.errors import InvalidReference

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,63}")


@dataclass(frozen=True)
class ModelReference:
    """A model, one of its versions, or whatever an alias points at.

    At most one of `version` and `alias` is set; with neither, the model itself is meant,
    and where a version is asked for, its champion.
    """

    name: str
    version: int | None = None
    alias: str | None = None

    def __str__(self) -> str:
        if self.version is not None:
            return f"{self.name}/{self.version}"
        return f"{self.name}@{self.alias}" if self.alias else self.name


def parse(text: str | ModelReference) -> ModelReference:
    """Read a model reference.

    Raises
    ------
    InvalidReference
        If `text` is not ``name``, ``name/3``, ``name@alias`` or the same behind ``models:/``.

    Examples
    --------
    >>> parse("flight-delay/3")
    ModelReference(name='flight-delay', version=3, alias=None)
    >>> parse("models:/flight-delay@champion").alias
    'champion'
    """
    if isinstance(text, ModelReference):
        return text
    if not isinstance(text, str):
        raise InvalidReference(f"A model reference is text such as 'flight-delay/3', not {type(text).__name__}.")
    body = text.removeprefix("models:/")
    if "@" in body:
        name, _, alias = body.partition("@")
        if _NAME.fullmatch(name) and _ALIAS.fullmatch(alias):
            return ModelReference(name, alias=alias)
    elif "/" in body:
        name, _, number = body.partition("/")
        if _NAME.fullmatch(name) and number.isascii() and number.isdigit() and 0 < int(number) < 10**9:
            return ModelReference(name, version=int(number))
    elif _NAME.fullmatch(body):
        return ModelReference(body)
    raise InvalidReference(f"{text!r} is not a model reference: write name, name/3 or name@champion.")


def check_name(name: str) -> str:
    """Return `name` if it may name a model, else raise `InvalidReference`."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidReference(
            f"{name!r} cannot name a model: use up to 128 letters, digits, '.', '_' or '-', beginning with a letter "
            "or digit."
        )
    return name


def check_alias(alias: str) -> str:
    """Return `alias` if it may be an alias, else raise `InvalidReference`."""
    if not isinstance(alias, str) or not _ALIAS.fullmatch(alias):
        raise InvalidReference(f"{alias!r} cannot be an alias: use lower-case letters, digits, '_' or '-'.")
    return alias
