"""YAML as its author wrote it: 1.2's plain scalars, whose text is kept until a declaration says what they are.

PyYAML reads YAML 1.1, where the country code NO is false, 12:30 is 750 and the postcode 02142 is 1122.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_NOT_FINITE = re.compile(r"[-+]?(\.(inf|Inf|INF|nan|NaN|NAN)|inf|Inf|INF|infinity|Infinity|nan|NaN|NAN)")


def not_finite(text: str) -> float | None:
    """Return the infinite number or NaN that a text spells as YAML (``.inf``) or Python (``inf``) does, else None."""
    return float(text.replace(".", "")) if _NOT_FINITE.fullmatch(text) else None


class Written(str):
    """A scalar without quotation marks, as its author wrote it."""

    __slots__ = ()

    @property
    def value(self) -> Any:
        """What the scalar is where no type is declared: null, a truth value, a number, else text (YAML 1.2.2, 10.3)."""
        text = str(self)
        if text in ("", "~", "null", "Null", "NULL"):
            return None
        if text.lower() in ("true", "false") and text in (text.lower(), text.upper(), text.title()):
            return text.lower() == "true"
        if re.fullmatch(r"[-+]?(0|[1-9][0-9]*)", text):  # a number with leading zeros is a postcode or an account
            return int(text)
        if re.fullmatch(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
            return float(text)
        if text[0] in "[{":
            try:
                return resolved(load(text))
            except yaml.YAMLError:  # a text that only begins like a list
                return text
        number = not_finite(text) if "." in text else None  # without a point it is text
        return text if number is None else number


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, without its guesses."""


def _scalar(loader: _Loader, node: yaml.ScalarNode) -> str:
    text = str(loader.construct_scalar(node))
    return Written(text) if node.style is None else text


# The merge key << alone is told by its look.
_Loader.yaml_implicit_resolvers = {"<": yaml.SafeLoader.yaml_implicit_resolvers["<"]}
_Loader.add_constructor("tag:yaml.org,2002:str", _scalar)


def load(text: str) -> Any:
    """Return a YAML document whose plain scalars are `Written`; keys are plain text.

    Raises
    ------
    yaml.YAMLError
        If it is not YAML.
    """
    return yaml.load(text, Loader=_Loader)


def from_shell(text: str) -> str:
    """Return what follows ``name=`` in a shell: as written; what stands in quotation marks is text."""
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return str(load(text)) if quoted else Written(text)


def resolved(value: Any) -> Any:
    """Return `value` with every `Written` scalar in it as what it is where no type is declared."""
    if isinstance(value, Written):
        return value.value
    if isinstance(value, dict):
        return {str(key): resolved(item) for key, item in value.items()}
    return [resolved(item) for item in value] if isinstance(value, list) else value
