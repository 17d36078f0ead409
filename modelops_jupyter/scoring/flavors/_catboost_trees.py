"""The trees in a CatBoost file, looked at before CatBoost follows them: they must refer to the model's own numbers.

A .cbm file is ``CBM1``, the size of the model's core, the core as a FlatBuffer (catboost/libs/model/flatbuffers), and
tables of categories. CatBoost checks that the buffer is whole, and takes for granted that splits, nodes and leaves are
those of the model.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

MAGIC = b"CBM1"
DEEPEST = 16  # the deepest tree that CatBoost grows
_TREES = 1  # of the core
_DIMENSION, _SPLITS, _SIZES, _STARTS = range(4)  # of the trees
_FLOATS, _ONE_HOT, _CTRS, _LEAVES, _STEPS, _LEAF_OF_NODE, _ESTIMATED = 5, 6, 7, 8, 10, 11, 13
_BORDERS = {_FLOATS: 3, _ONE_HOT: 1, _CTRS: 1, _ESTIMATED: 3}  # the field with a feature's borders or values


@dataclass(frozen=True)
class _Table:
    """A table of a FlatBuffer: where its fields are is told by a table of offsets before or behind it."""

    buffer: bytes
    at: int

    def _place(self, field: int) -> int | None:
        offsets = self.at - self._number("<i", self.at)
        if offsets < 0 or 4 + 2 * field + 2 > self._number("<H", offsets):
            return None
        offset = self._number("<H", offsets + 4 + 2 * field)
        return self.at + offset if offset else None

    def _number(self, form: str, at: int) -> int:
        return int(struct.unpack_from(form, self.buffer, at)[0])

    def integer(self, field: int) -> int:
        """Return a field of 32 bits, 0 where it is not there."""
        place = self._place(field)
        return 0 if place is None else self._number("<i", place)

    def table(self, field: int) -> _Table:
        """Return a table that a field leads to."""
        place = self._place(field)
        if place is None:
            raise ValueError("a table is missing")
        return _Table(self.buffer, place + self._number("<I", place))

    def vector(self, field: int, kind: str) -> Array:
        """Return a vector of numbers, empty where it is not there."""
        import numpy as np

        place = self._place(field)
        if place is None:
            return np.empty(0, dtype=kind)
        start = place + self._number("<I", place)
        return np.frombuffer(self.buffer, kind, self._number("<I", start), start + 4)

    def tables(self, field: int) -> list[_Table]:
        """Return a vector of tables."""
        place = self._place(field)
        start = 0 if place is None else place + self._number("<I", place) + 4
        offsets = self.vector(field, "<u4").tolist()
        return [_Table(self.buffer, start + 4 * index + offset) for index, offset in enumerate(offsets)]


def check_trees(content: bytes) -> None:
    """Raise `ValueError` where the bytes of a .cbm file are cut, or its trees refer to what the model does not have."""
    try:
        if content[:4] != MAGIC:
            raise ValueError("it does not begin as a CatBoost model")
        size = struct.unpack_from("<I", content, 4)[0]
        core = content[8 : 8 + size]
        if len(core) != size:
            raise ValueError("it was cut short")
        reason = _fault(_Table(core, struct.unpack_from("<I", core, 0)[0]).table(_TREES))
    except struct.error as error:
        raise ValueError(f"an address in it leads out of it ({error})") from error
    if reason:
        raise ValueError(reason)


def _fault(trees: _Table) -> str:
    """Return what of the trees does not fit together, as half a sentence."""
    import numpy as np

    splits, sizes, starts = (trees.vector(field, "<i4").astype("int64") for field in (_SPLITS, _SIZES, _STARTS))
    leaves, dimension = len(trees.vector(_LEAVES, "<f8")), trees.integer(_DIMENSION)
    known = sum(len(feature.vector(_BORDERS[f], "<i4")) for f in _BORDERS for feature in trees.tables(f))
    if dimension < 1 or (sizes < 0).any() or sizes.sum() != len(splits):
        return "its trees have other sizes than their splits"
    if len(starts) and (len(starts) != len(sizes) or (starts != np.cumsum(sizes) - sizes).any()):
        return "its trees begin elsewhere than their splits"
    if not len(trees.vector(_STEPS, "<u4")):
        if ((splits < 0) | (splits >= known)).any():
            return "a tree splits by a feature that the model does not have"
        if (sizes > DEEPEST).any() or (2**sizes).sum() * dimension != leaves:
            return "its trees have other leaves than their splits"
        return ""
    return _fault_of_steps(trees, splits, sizes, known, leaves // dimension * dimension, dimension)


def _fault_of_steps(trees: _Table, splits: Array, sizes: Array, known: int, leaves: int, dimension: int) -> str:
    """Return what is wrong with trees whose nodes each have a split of their own, and steps to their two children."""
    import numpy as np

    steps = trees.vector(_STEPS, "<u4")
    left, right = (steps & 0xFFFF).astype("int64"), (steps >> 16).astype("int64")
    leaf_of = trees.vector(_LEAF_OF_NODE, "<u4").astype("int64")
    if not len(left) == len(leaf_of) == len(splits):
        return "its nodes have other steps than splits"
    numbers, ends = np.arange(len(splits)), np.repeat(np.cumsum(sizes), sizes)
    if ((numbers + left >= ends) | (numbers + right >= ends)).any():
        return "a node leads out of its tree"
    inner = (left > 0) & (right > 0)
    if ((splits[inner] < 0) | (splits[inner] >= known)).any():
        return "a tree splits by a feature that the model does not have"
    ends_here = (left == 0) | (right == 0)
    if (leaf_of[ends_here] + dimension > leaves).any():
        return "a node leads to a leaf that the model does not have"
    return ""
