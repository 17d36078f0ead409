"""Parameter values, held to what the notebook declares before anything runs."""

from __future__ import annotations

import ast
import datetime as dt
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from modelops_jupyter.errors import InvalidPipeline
from modelops_jupyter.pipelines.parameters import Parameter
from modelops_jupyter.pipelines.written import Written, not_finite, resolved

# Types that a notebook gets by an expression of their text, by the last word of the annotation.
EXPRESSIONS = {
    "date": "__import__('datetime').date.fromisoformat({!r})",
    "datetime": "__import__('datetime').datetime.fromisoformat({!r})",
    "Timestamp": "__import__('pandas').Timestamp({!r})",
    "Path": "__import__('pathlib').Path({!r})",
    "Decimal": "__import__('decimal').Decimal({!r})",
}
_TITLES = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "list": "a list"}
_TITLES |= {"dict": "a mapping", "number": "a number", "date": "a date such as 2013-06-29", "Path": "a path"}
_TITLES |= {name: "a time such as 2013-06-29T12:00:00+00:00" for name in ("datetime", "Timestamp")}
_TITLES |= {"Decimal": "a decimal number"}
_SAME = {"List": "list", "tuple": "list", "Tuple": "list", "Sequence": "list", "Dict": "dict", "Mapping": "dict"}
_MISFIT = object()


@dataclass(frozen=True)
class Declaration:
    """What a parameter takes: one of `kinds`, and None where `optional`; no kinds mean that nothing is declared."""

    kinds: tuple[str, ...]
    optional: bool


def declaration(parameter: Parameter) -> Declaration:
    """Return what a parameter's annotation allows; without one, what its default is like."""
    if parameter.type is not None:
        return _annotated(parameter.type)
    try:
        default = ast.literal_eval(parameter.default)
    except ValueError:
        return Declaration(("number",) if _is_not_finite(parameter.default) else (), True)
    kind = {bool: "bool", str: "str", int: "number", float: "number", list: "list", tuple: "list", dict: "dict"}
    return Declaration((kind[type(default)],) if type(default) in kind else (), True)


def _is_not_finite(default: str) -> bool:
    """Return whether a default is an infinite number or NaN as Python writes them: ``float("inf")``, ``-np.inf``."""
    node = ast.parse(default, mode="eval").body
    node = node.operand if isinstance(node, ast.UnaryOp) else node
    if isinstance(node, ast.Attribute):
        return node.attr in ("inf", "nan")
    if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "float" and len(node.args) == 1):
        return False
    (spelled,) = node.args
    return isinstance(spelled, ast.Constant) and not_finite(str(spelled.value)) is not None


def _annotated(text: str) -> Declaration:
    """Return what an annotation allows, such as ``int``, ``str | None``, ``Optional[date]`` and ``list[str]``."""
    try:
        node = ast.parse(text, mode="eval").body
        if isinstance(node, ast.Constant) and isinstance(node.value, str):  # a quoted annotation
            node = ast.parse(node.value, mode="eval").body
    except SyntaxError:
        return Declaration((), True)
    names = _alternatives(node)
    kinds = tuple(name for name in names if name != "None")
    if any(name not in _TITLES for name in kinds):
        return Declaration((), True)  # a type that is not ours to judge
    return Declaration(kinds, "None" in names)


def _alternatives(node: ast.expr) -> list[str]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [*_alternatives(node.left), *_alternatives(node.right)]
    if isinstance(node, ast.Subscript):
        outer = ast.unparse(node.value).rpartition(".")[2]
        if outer == "Optional":
            return [*_alternatives(node.slice), "None"]
        if outer == "Union" and isinstance(node.slice, ast.Tuple):
            return [name for part in node.slice.elts for name in _alternatives(part)]
        return [
            {"List": "list", "tuple": "list", "Tuple": "list", "Sequence": "list", "Dict": "dict"}.get(outer, outer)
        ]
    name = ast.unparse(node).rpartition(".")[2]
    return ["list" if name == "tuple" else name]


def fit(parameter: Parameter, value: Any, notebook: str) -> Any:
    """Return `value` as JSON data of the type that `parameter` declares; dates, paths and decimals are their text.

    Raises
    ------
    InvalidPipeline
        If it does not fit, or cannot be written into a notebook at all.
    """
    wanted = declaration(parameter)
    try:
        plain = _plain(value)
    except RecursionError:  # it holds itself
        plain = _MISFIT
    if plain is _MISFIT:
        raise InvalidPipeline(
            f"Parameter {parameter.name!r} of {notebook} cannot take a {type(value).__name__}: pass text, a number, "
            "true or false, a date, a path, or lists and mappings of those."
        )
    choices = parameter.choices
    if choices:
        options = [choice for choice in choices if choice == resolved(plain) or str(choice) == plain]
        if options:
            return options[0]
        raise InvalidPipeline(
            f"Parameter {parameter.name!r} of {notebook} is one of {', '.join(map(repr, choices))}, not {value!r}."
        )
    if not wanted.kinds or (wanted.optional and resolved(plain) is None and plain != ""):
        return resolved(plain)
    fitting = (_as(kind, plain) for kind in wanted.kinds)
    result = next((item for item in fitting if item is not _MISFIT), _MISFIT)
    if result is _MISFIT:
        titles = " or ".join(_TITLES[kind] for kind in wanted.kinds)
        shown = str(value) if isinstance(value, Written) else value
        raise InvalidPipeline(f"Parameter {parameter.name!r} of {notebook} is {titles}, not {shown!r}.")
    return result


def _plain(value: Any) -> Any:
    """Return `value` as JSON data; what it is not: the misfit."""
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Decimal):
        return Written(str(value))
    if isinstance(value, dt.date | dt.time):  # a datetime is a date, and pandas' Timestamp a datetime
        return value.isoformat() if value == value else None
    if isinstance(value, UUID | os.PathLike):
        return str(value)
    if isinstance(value, Mapping):
        items = {str(key): _plain(item) for key, item in value.items()}
        return _MISFIT if any(item is _MISFIT for item in items.values()) else resolved(items)
    if isinstance(value, list | tuple):
        parts = [_plain(item) for item in value]
        return _MISFIT if any(part is _MISFIT for part in parts) else resolved(parts)
    return _MISFIT


def _as(kind: str, plain: Any) -> Any:
    """Return `plain` as a kind has it, else the misfit."""
    if kind == "str":
        return str(plain) if isinstance(plain, str) else _MISFIT
    value = resolved(plain)
    if kind == "bool":
        return value if isinstance(value, bool) else _MISFIT
    if kind in ("int", "float", "number"):
        return _number(kind, _as_number(plain, value))
    if kind in ("list", "dict"):
        return value if isinstance(value, list if kind == "list" else dict) else _MISFIT
    return _text_of(kind, plain)


def _as_number(plain: Any, value: Any) -> Any:
    """Return the number that a scalar spells; a finite one that no float can be, such as 1e400, stays its text."""
    if not isinstance(plain, Written):
        return value
    number = not_finite(plain)
    if number is not None:
        return number
    return str(plain) if isinstance(value, float) and math.isinf(value) else value


def _number(kind: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _MISFIT
    if kind == "int" and isinstance(value, float):
        return int(value) if math.isfinite(value) and value.is_integer() else _MISFIT
    return float(value) if kind == "float" else value


def _text_of(kind: str, plain: Any) -> Any:
    """Return the text that a notebook makes a date, a path or a decimal of."""
    if kind == "Decimal" and isinstance(plain, int) and not isinstance(plain, bool):
        plain = str(plain)
    if not isinstance(plain, str):
        return _MISFIT
    text = str(plain)
    if kind == "Decimal" and isinstance(plain, Written):
        number = not_finite(plain)
        text = text if number is None else str(number)
    try:
        if kind == "date":
            dt.date.fromisoformat(text)
        elif kind in ("datetime", "Timestamp"):
            dt.datetime.fromisoformat(text)
        elif kind == "Decimal":
            Decimal(text)
    except (ValueError, InvalidOperation):
        return _MISFIT
    return text


def expression(parameter: Parameter, value: Any) -> str | None:
    """Return the expression that makes a notebook's value of a text, where the declared type is not JSON's."""
    kinds = [kind for kind in declaration(parameter).kinds if kind in EXPRESSIONS]
    return EXPRESSIONS[kinds[0]].format(value) if kinds and isinstance(value, str) else None
