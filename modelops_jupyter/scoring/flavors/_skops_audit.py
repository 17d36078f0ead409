"""A skops file held to the allow-list, before anything in it is built.

skops asks for a list of trusted names, which then stand for a class and for a call of it, wherever in the file they
appear. We look at its schema ourselves, and hold each part to where it stands (see `_trust`).
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import _trust

PROTOCOLS = (1, 2)  # an older one names functions otherwise
Node = Mapping[str, Any]

# Loaders whose class is always the same: a value that is read, and nothing that is called.
_VALUES = {
    "BytearrayNode": {"builtins.bytearray"},
    "BytesNode": {"builtins.bytes"},
    "DTypeNode": {"numpy.dtype"},
    "DefaultDictNode": {"collections.defaultdict"},
    "DictNode": {"builtins.dict", "collections.OrderedDict", "sklearn.utils._bunch.Bunch"},
    "ListNode": {"builtins.list"},
    "MaskedArrayNode": {"numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray"},
    "RandomGeneratorNode": {"numpy.random._generator.Generator"},
    "RandomStateNode": {"numpy.random.mtrand.RandomState"},
    "SetNode": {"builtins.set"},
    "SliceNode": {"builtins.slice"},
    "TreeNode": {"sklearn.tree._tree.Tree"},
    "TupleNode": {"builtins.tuple"},
}
# What NumPy makes generators of. A file names one by a text, and skops calls what the text names in numpy.random.
_BIT_GENERATORS = {"MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"}
_CONSTRUCTED = {"builtins.frozenset", "builtins.range"}
_SPARSE = "scipy.sparse."
# The attributes under which scikit-learn shows its steps by name.
_BY_NAME = {"steps": "named_steps", "transformers_": "named_transformers_", "transformer_list": "named_transformers"}


class Malformed(Exception):
    """The bytes are no file of skops."""


@dataclass(frozen=True)
class Place:
    """Where a part stands.

    Attributes
    ----------
    path : str
        As a user writes it behind the name of the model: ``.named_steps['select'].score_func``.
    owner : str
        The class of the object that it belongs to.
    attribute : str
        The attribute of that object, however deep in lists and dicts.
    searches : tuple of str
        The paths of the searches (GridSearchCV and its kin) around it, the outermost first.
    """

    path: str = ""
    owner: str = ""
    attribute: str = ""
    searches: tuple[str, ...] = ()

    def below(self, index: object) -> Place:
        """Return the place of an item of a list or dict."""
        return replace(self, path=f"{self.path}[{index!r}]")


@dataclass(frozen=True)
class Refusal:
    """A part of a file that is not on the allow-list.

    Attributes
    ----------
    name : str
        The class or function, or what is wrong with a value.
    place : Place
    kind : str
        ``class``, ``function``, ``value`` or ``replacement``.
    """

    name: str
    place: Place
    kind: str


@dataclass(frozen=True)
class Schema:
    """What a skops file says of its parts.

    Attributes
    ----------
    root : mapping
        The node of the model; below it those of its parts.
    names : tuple of str
        Every class and function that is named: what skops is to trust once the schema has passed.
    """

    root: Node
    names: tuple[str, ...]


def read_schema(content: bytes) -> Schema:
    """Return the schema of a skops file.

    Raises
    ------
    Malformed
        If it is none, or of a protocol that is not known.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            root: Node = json.loads(archive.read("schema.json"))
        protocol = root["protocol"]
        if protocol not in PROTOCOLS or isinstance(protocol, bool):
            raise Malformed(f"it is of skops' protocol {protocol!r}, and {PROTOCOLS} can be read")
        return Schema(root, _identified(root))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from error


def refusals(schema: Schema) -> list[Refusal]:
    """Return what in a schema is not on the allow-list, in the order of the file."""
    try:
        return list(_node(schema.root, Place()))
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from error


def _identified(root: Node) -> tuple[str, ...]:
    """Return the names in a schema, in which no two different parts bear one id.

    skops builds the first part of an id, wherever the others stand. The parts of an object are written anew wherever it
    stands, so that what is audited at a place is what is built there. Ids themselves, and the members of the archive
    that hold bytes, may differ.

    Raises
    ------
    Malformed
        If two different ones do.
    """
    numbers: dict[Any, int] = {}
    seen: dict[Any, int] = {}
    names: set[str] = set()

    def number(value: Any) -> int:
        """Return one number for all equal values, as ids count for nothing."""
        if not isinstance(value, dict):
            key: Any = ("list", *map(number, value)) if isinstance(value, list) else (type(value), value)
            return numbers.setdefault(key, len(numbers))
        items = ((key, inner if type(inner) is str else number(inner)) for key, inner in value.items())
        result = numbers.setdefault(("dict", *(i for i in items if i[0] not in ("__id__", "file"))), len(numbers))
        if "__loader__" in value:
            names.add(_name(value))
            identity = value.get("__id__")
            if identity and seen.setdefault(identity, result) != result:
                raise Malformed(f"two parts of it bear the id {identity!r}")
        return result

    number(root)
    return tuple(sorted(names))


def _name(node: Node) -> str:
    return f"{node['__module__']}.{node['__class__']}"


def _node(node: Node, place: Place) -> Iterator[Refusal]:
    """Yield what is refused of a node and of all below it."""
    loader, name = node["__loader__"], _name(node)
    if not _is_chosen(node, _trust.choices(place.owner, place.attribute)):
        yield Refusal(node["content"] if loader == "JsonNode" else name, place, "value")
    elif loader == "ObjectNode":
        yield from _object(node, name, place)
    elif loader in ("FunctionNode", "TypeNode"):
        as_type = loader == "TypeNode" and _trust.may_name_type(name, place.owner, place.attribute)
        if not as_type and not _trust.may_be_called(name, place.owner, place.attribute):
            yield Refusal(name, place, "function")
    elif loader == "MethodNode":
        yield Refusal(f"{name}.{node['content']['func']}", place, "function")
    elif loader == "PartialNode":
        yield from _partial(node, name, place)
    elif loader != "JsonNode" and not _may_be_built(loader, name):
        yield Refusal(name, place, "class")
    else:
        yield from _inside(node, place)


def _is_chosen(node: Node, choices: frozenset[Any] | None) -> bool:
    """Return whether a node holds one of a few values, or a list of them."""
    if choices is None:
        return True
    if node["__loader__"] in ("ListNode", "TupleNode"):
        return all(_is_chosen(item, choices) for item in node["content"])
    return node["__loader__"] == "JsonNode" and json.loads(node["content"]) in choices


def _may_be_built(loader: str, name: str) -> bool:
    """Return whether a loader may build what it names: a value, or a part of an estimator that is written as one."""
    if loader == "NdArrayNode":
        return name == "numpy.ndarray" or _trust.is_scalar(name)
    if loader == "SparseMatrixNode":
        return name.startswith(_SPARSE)
    if loader == "LossNode":
        return _trust.is_loss(name)
    if loader == "ConstructorFromReduceNode":
        return name in _CONSTRUCTED
    return name in _VALUES.get(loader, ())


def _object(node: Node, name: str, place: Place) -> Iterator[Refusal]:
    if not _trust.may_stand(name, place.owner, place.attribute):
        yield Refusal(name, place, "class")
        return
    state = node.get("content")
    inside = replace(place, owner=name, attribute="")
    if _trust.is_search(name):
        inside = replace(inside, searches=(*place.searches, place.path))
    if not isinstance(state, dict) or state["__loader__"] != "DictNode":
        if state is not None:
            yield from _node(state, inside)
        return
    yield from _keys(state, inside)
    for attribute, value in state["content"].items():
        there = replace(inside, path=f"{place.path}.{attribute}", attribute=attribute)
        if _trust.replaces(name, attribute):
            yield Refusal(attribute, there, "replacement")
        if attribute in _BY_NAME and value["__loader__"] == "ListNode":
            yield from _steps(value, there)
        else:
            yield from _node(value, there)


def _steps(node: Node, place: Place) -> Iterator[Refusal]:
    """Yield what is refused of a list of named steps."""
    by_name = f"{place.path.rpartition('.')[0]}.{_BY_NAME[place.attribute]}"
    for index, step in enumerate(node["content"]):
        parts = step.get("content")
        if step["__loader__"] != "TupleNode" or len(parts) < 2 or parts[0]["__loader__"] != "JsonNode":
            yield from _node(step, place.below(index))
            continue
        for number, part in enumerate(parts):
            named = replace(place, path=f"{by_name}[{json.loads(parts[0]['content'])!r}]")
            yield from _node(part, named if number == 1 else place.below(index).below(number))


def _partial(node: Node, name: str, place: Place) -> Iterator[Refusal]:
    """Yield what is refused of a `functools.partial`: a function with options that are values."""
    if name != "functools.partial":
        yield Refusal(name, place, "class")
        return
    parts = node["content"]
    function = parts["func"]
    if function["__loader__"] not in ("FunctionNode", "TypeNode"):
        yield Refusal(f"functools.partial of {_name(function)}", place, "function")
        return
    for refusal in _node(function, place):
        yield replace(refusal, name=f"functools.partial of {refusal.name}")
    for part in ("args", "kwds", "namespace"):
        yield from _node(parts[part], replace(place, attribute="dtype"))


def _inside(node: Node, place: Place) -> Iterator[Refusal]:
    """Yield what is refused of the parts of a value."""
    loader = node["__loader__"]
    if loader == "DictNode":
        yield from _keys(node, place)
        for key, value in node["content"].items():
            if not _is_chosen(value, _trust.choices(place.owner, key)):
                yield Refusal(_name(value), place.below(key), "value")
            yield from _node(value, place.below(key))
        return
    if loader == "DefaultDictNode":
        factory = node["content"]["default_factory"]
        if not (factory["__loader__"] == "TypeNode" and _trust.may_be_factory(_name(factory))):
            yield from _node(factory, replace(place, path=f"{place.path}.default_factory", attribute=""))
        yield from _node(node["content"]["main"], place)
        return
    if loader == "RandomGeneratorNode":
        state = node["content"]["bit_generator"]
        named = state["content"]["bit_generator"]
        name = json.loads(named["content"])
        if (state["__loader__"], named["__loader__"]) != ("DictNode", "JsonNode") or name not in _BIT_GENERATORS:
            yield Refusal(f"numpy.random.{name}", place, "class")
    if loader in ("ListNode", "TupleNode", "SetNode"):
        for index, value in enumerate(node["content"]):
            yield from _node(value, place.below(index))
        return
    for key, value in node.items():
        if key != "__id__":
            yield from _below(value, place)


def _below(value: Any, place: Place) -> Iterator[Refusal]:
    """Yield what is refused of nodes at whatever depth."""
    if isinstance(value, dict) and "__loader__" in value:
        yield from _node(value, place)
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _below(inner, place)


def _keys(node: Node, place: Place) -> Iterator[Refusal]:
    """Yield what is refused of the types of a dict's keys: each is called with the key's text."""
    types = node["key_types"]
    if types["__loader__"] != "ListNode":
        yield Refusal(_name(types), place, "class")
        return
    for type_ in types["content"]:
        if type_["__loader__"] != "TypeNode" or not _trust.may_be_key(_name(type_)):
            yield Refusal(f"a key of type {_name(type_)}", place, "class")
