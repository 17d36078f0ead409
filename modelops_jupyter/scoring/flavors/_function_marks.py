"""Functions of a project inside a model, written as values: a file only names what is kept beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from types import FunctionType
from typing import Any

from ...errors import UnsafeArtifact
from ._parts import children, replaced, walk

MARK = "__project_function__"  # the key under which a dict names the function that it stands for


def functions_in(model: Any) -> Iterator[tuple[str, FunctionType]]:
    """Yield every function that a part of a model holds, with the path that a user writes behind the model's name."""
    for path, part in walk(model):
        for inner_path, inner in children(part, path):
            function = inner.func if type(inner) is partial else inner
            if isinstance(function, FunctionType):
                yield inner_path, function


def with_marks(model: Any, names: Mapping[FunctionType, str]) -> Any:
    """Return a model that holds a mark for each function of `names`; the model itself if it holds none of them."""

    def mark(part: Any) -> Any:
        if isinstance(part, FunctionType) and part in names:
            return {MARK: names[part]}
        if type(part) is partial and isinstance(part.func, FunctionType) and part.func in names:
            return {MARK: names[part.func], "args": part.args, "keywords": part.keywords}
        return part

    return replaced(model, mark) if names else model


def with_functions(model: Any, functions: Mapping[str, FunctionType]) -> Any:
    """Return a model that holds for each mark the function it stands for.

    Raises
    ------
    UnsafeArtifact
        If one stands for a function that is not among `functions`.
    """

    def function(part: Any) -> Any:
        if not isinstance(part, dict) or MARK not in part:
            return part
        name = part[MARK]
        if name not in functions:
            raise UnsafeArtifact(
                f"The model calls {name}, a function of the project that it was fitted in, which is not on record with "
                "it: register the model from the Python that fitted it."
            )
        named = functions[name]
        return partial(named, *part["args"], **part["keywords"]) if "args" in part else named

    return replaced(model, function)
