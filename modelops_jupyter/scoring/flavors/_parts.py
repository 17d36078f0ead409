"""The parts of a live model: what its attributes, lists and dicts hold, and theirs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any

_OPAQUE = (str, bytes, int, float, complex, type(None), type, FunctionType, MethodType, ModuleType)
_WHOLE = ("pandas.", "catboost.", "xgboost.core", "lightgbm.basic")  # they have attributes, and no parts of ours


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a value and all of its parts, each once, with the path that a user writes behind the model's name."""
    seen: dict[int, Any] = {}
    waiting = [(path, value)]
    while waiting:
        path, part = waiting.pop()
        if isinstance(part, _OPAQUE) or id(part) in seen:
            continue
        seen[id(part)] = part  # it is held, so that no other gets its id
        yield path, part
        waiting += reversed(list(children(part, path)))


def children(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the parts directly below a value, with their paths."""
    if isinstance(value, Mapping):
        yield from ((f"{path}[{key!r}]", part) for key, part in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"{path}[{index}]", part) for index, part in enumerate(value))
    elif type(value).__module__ == "numpy":
        if _holds_objects(value):
            yield from ((f"{path}.flat[{index}]", part) for index, part in enumerate(value.flat))
    elif not _is_whole(value):
        yield from ((f"{path}.{name}", part) for name, part in vars(value).items())


def replaced(value: Any, swap: Callable[[Any], Any]) -> Any:
    """Return `value` with every part that `swap` changes changed; the original, and what has none, stay as they are.

    `swap` returns its argument where there is nothing to change.
    """
    if isinstance(value, _OPAQUE):
        return swap(value) if isinstance(value, FunctionType) else value
    swapped = swap(value)
    if swapped is not value:
        return swapped
    if type(value) in (list, tuple):
        parts = [replaced(part, swap) for part in value]
        return value if all(new is old for new, old in zip(parts, value, strict=True)) else type(value)(parts)
    if isinstance(value, dict):
        changed = {key: new for key, old in value.items() if (new := replaced(old, swap)) is not old}
        return value if not changed else _with_items(value, changed)
    if type(value).__module__ == "numpy":
        return _replaced_cells(value, swap)
    if _is_whole(value):
        return value
    changed = {name: new for name, old in vars(value).items() if (new := replaced(old, swap)) is not old}
    if not changed:
        return value
    other = copy.copy(value)
    vars(other).update(changed)
    return other


def _with_items(value: dict[Any, Any], items: Mapping[Any, Any]) -> dict[Any, Any]:
    other = copy.copy(value)
    other.update(items)
    return other


def _replaced_cells(value: Any, swap: Callable[[Any], Any]) -> Any:
    if not _holds_objects(value):
        return value
    cells = [replaced(cell, swap) for cell in value.flat]
    if all(new is old for new, old in zip(cells, value.flat, strict=True)):
        return value
    other = value.copy()
    for index, cell in enumerate(cells):
        other.flat[index] = cell
    return other


def _holds_objects(value: Any) -> bool:
    return getattr(getattr(value, "dtype", None), "kind", None) == "O"


def _is_whole(value: Any) -> bool:
    return not hasattr(value, "__dict__") or f"{type(value).__module__}.".startswith(_WHOLE)
