"""What a route accepts: the arguments of a `Workspace` method, each with the JSON Schema of its values."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator

from modelops_jupyter.choices import CHOICES
from modelops_jupyter.errors import InvalidInput

LONGEST_TEXT = 10_000
_TEXT = {"type": "string", "maxLength": LONGEST_TEXT}
_PLAIN: Mapping[str, Mapping[str, Any]] = {
    "str": _TEXT,
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "Sequence[str]": {"type": "array", "items": _TEXT, "maxItems": 1000},
    "Mapping[str, float]": {"type": "object", "additionalProperties": {"type": "number"}},
    "Mapping[str, Any]": {"type": "object"},
}


@dataclass(frozen=True)
class Field:
    """One named value of a query or of a JSON body.

    Attributes
    ----------
    name : str
        The Python argument's name.
    schema : mapping
        JSON Schema (2020-12) of its values; ``format`` says where text is an address: ``path`` (any file), ``data``
        (a table) or ``model``, all under the server's root folder.
    required : bool
    help : str
    """

    name: str
    schema: Mapping[str, Any]
    required: bool
    help: str = ""

    def check(self, value: Any) -> Any:
        """Return `value` if the field takes it.

        Raises
        ------
        InvalidInput
            Naming the field.
        """
        if value is None and not self.required:
            return value
        wrong = next(Draft202012Validator(self.schema).iter_errors(value), None)
        if wrong is not None:
            raise InvalidInput(f"Field {self.name!r}: {_short(wrong.message)}.")
        return value

    def parse(self, texts: Sequence[str]) -> Any:
        """Return the value that a query's texts mean."""
        if self.schema["type"] == "array":
            return self.check(list(texts))
        if len(texts) > 1:
            raise InvalidInput(f"Field {self.name!r} is given {len(texts)} times: give it once.")
        text = texts[0]
        if self.schema["type"] in ("integer", "number", "boolean", "object"):
            try:
                value = json.loads(text, parse_constant=_no_constant)
            except (ValueError, RecursionError):
                raise InvalidInput(f"Field {self.name!r}: {_short(repr(text))} is no {self.schema['type']}.") from None
            return self.check(value)
        return self.check(text)


def fields_of(method: Callable[..., Any], helps: Mapping[str, str]) -> tuple[Field, ...]:
    """Return the fields of a method's arguments; `self`, callbacks and other spellings of arguments are left out.

    Raises
    ------
    TypeError
        If an argument's type has no JSON form: a verb that no server could offer.
    """
    found = []
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        annotation = str(parameter.annotation)
        if parameter.kind is not parameter.VAR_KEYWORD and not annotation.startswith("Callable["):
            required = parameter.default is parameter.empty
            schema: dict[str, Any] = dict(_schema(parameter.name, annotation))
            if isinstance(parameter.default, str | int | float | bool):
                schema["default"] = parameter.default
            found.append(Field(parameter.name, schema, required, helps.get(parameter.name, "")))
    return tuple(found)


def _schema(name: str, annotation: str) -> Mapping[str, Any]:
    choices = [part.strip() for part in re.split(r"\|(?![^\[]*\])", annotation)]
    if "Any" in choices:
        return {**_TEXT, "format": "model" if name == "model" else "data"}
    if any("PathLike" in part or part == "Path" for part in choices):
        return {**_TEXT, "format": "path"}
    for part in choices:
        if part in CHOICES:
            return {"type": "string", "enum": [*CHOICES[part]]}
        if part in _PLAIN:
            return _PLAIN[part]
    raise TypeError(f"Argument {name!r} is a {annotation}, which has no JSON form: give it one in {__name__}.")


def read_body(body: bytes) -> dict[str, Any]:
    """Read a JSON object strictly: no NaN, no lone surrogates, no name twice.

    Raises
    ------
    InvalidInput
        If it is no such object.
    """
    try:
        value = json.loads(body or b"{}", parse_constant=_no_constant, object_pairs_hook=_once)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"The body is no JSON object: {_short(str(error))}.") from None
    if not isinstance(value, dict):
        raise InvalidInput(f"The body must be a JSON object, not {_short(json.dumps(value))}.")
    return value


def take(fields: Sequence[Field], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checked values of a body; a field nobody knows is named, not ignored.

    Raises
    ------
    InvalidInput
    """
    known = {field.name: field for field in fields}
    for name in given:
        if name not in known:
            raise InvalidInput(f"Unknown field {_short(name)!r}: known are {', '.join(known) or 'none'}.")
    for field in fields:
        if field.required and field.name not in given:
            raise InvalidInput(f"Field {field.name!r} is missing: {field.help or 'it is required'}.")
    return {name: known[name].check(value) for name, value in given.items()}


def take_query(fields: Sequence[Field], given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the checked values of a query.

    Raises
    ------
    InvalidInput
    """
    known = {field.name: field for field in fields}
    return take(fields, {name: known[name].parse(texts) if name in known else texts for name, texts in given.items()})


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"
