"""XGBoost's files, looked at before XGBoost reads them: it follows numbers of nodes and columns without a look."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import InvalidInput
from ._ubjson import read_ubjson

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_MOST_CATEGORIES = 1 << 24  # XGBoost's own limit
_ROOT = 0
_LEAF = -1


def check_content(content: bytes, suffix: str = "") -> None:
    """Return where a file's trees refer to nodes, columns and outputs that they have.

    Parameters
    ----------
    suffix
        Of the file's name: XGBoost goes by it, and by the first bytes where it says nothing.

    Raises
    ------
    InvalidInput
        With the reason, as half a sentence.
    """
    is_text = suffix == ".json" or (suffix != ".ubj" and content[:2] == b'{"')
    try:
        document = json.loads(content, object_pairs_hook=_unique) if is_text else read_ubjson(content)
        check_model(document)
    except InvalidInput:  # it says itself what is wrong
        raise
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise InvalidInput(f"it is cut or edited ({type(error).__name__}: {error})") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    items = dict(pairs)
    if len(items) != len(pairs):  # of two, readers may take either
        raise ValueError("it has a name twice")
    return items


def check_model(document: Mapping[str, Any]) -> None:
    """Return where the trees, or the weights, of a model are sound; see `check_content`."""
    learner = document["learner"]
    sizes = learner["learner_model_param"]
    columns = int(sizes["num_feature"])
    outputs = max(1, int(sizes.get("num_class", 0)), int(sizes.get("num_target", 1)))
    booster = learner["gradient_booster"]
    if booster["name"] == "gblinear":
        if len(booster["model"]["weights"]) != (columns + 1) * outputs:
            raise InvalidInput("it has not one weight for each column and output")
        return
    trees = booster["gbtree"] if booster["name"] == "dart" else booster
    model = trees["model"]
    count = len(model["trees"])
    if "weight_drop" in booster and len(booster["weight_drop"]) != count:
        raise InvalidInput("it has not one weight for each tree")
    _check_order(model, count, outputs)
    for number, tree in enumerate(model["trees"]):
        if not _is_sound(tree, columns, outputs):
            raise InvalidInput(f"tree {number} refers to nodes or columns that it does not have")


def _check_order(model: Mapping[str, Any], count: int, outputs: int) -> None:
    """Check which trees belong to which output and to which round."""
    groups, rounds = _integers(model["tree_info"]), _integers(model.get("iteration_indptr", [0, count]))
    sound = (
        int(model["gbtree_model_param"]["num_trees"]) == count == len(groups)
        and _within(groups, outputs)
        and _ascends(rounds, count)
    )
    if not sound:
        raise InvalidInput("its trees are not those of its outputs and rounds")
    categories = model.get("cats", {})
    order, segments = _integers(categories.get("sorted_idx", [])), _integers(categories.get("feature_segments", []))
    if len(segments) and not (_ascends(segments, len(order)) and _within(order, len(order))):
        raise InvalidInput("it refers to categories that it does not have")


def _is_sound(tree: Mapping[str, Any], columns: int, outputs: int) -> bool:
    """Return whether a tree's nodes are one tree, and look at columns and categories that there are.

    Nodes that were pruned are leaves that nothing leads to.
    """
    import numpy as np

    left, right, parents, features = (
        _integers(tree[side]) for side in ("left_children", "right_children", "parents", "split_indices")
    )
    count = int(tree["tree_param"]["num_nodes"])
    width = int(tree["tree_param"]["size_leaf_vector"])
    if not 0 < count == len(left) == len(right) == len(parents) == len(features) or not 0 <= width <= outputs:
        return False
    inner = np.flatnonzero(left != _LEAF)
    # A node with one parent, and a root with none: no way leads in a circle.
    linked = all(
        _within(child[inner] - 1, count - 1) and (parents[child[inner]] == inner).all() for child in (left, right)
    )
    return bool(
        linked
        and (left[inner] != right[inner]).all()
        and _within(parents[_ROOT + 1 :], count)
        and _within(features[inner], columns)
        and _has_categories(tree, inner, count)
        and (width < 2 or _has_leaves(tree, right[left == _LEAF], width))
    )


def _has_leaves(tree: Mapping[str, Any], places: Array, width: int) -> bool:
    """Return whether the leaves of several outputs at once have their weights; they say where in place of a child."""
    return "leaf_weights" not in tree or _within(places, len(tree["leaf_weights"]) // width)


def _has_categories(tree: Mapping[str, Any], inner: Array, count: int) -> bool:
    """Return whether the nodes that split by categories have their sets of them."""
    import numpy as np

    if "split_type" not in tree:
        return True
    kinds, sets = _integers(tree["split_type"]), _integers(tree["categories"])
    nodes, starts, sizes = (_integers(tree[f"categories_{part}"]) for part in ("nodes", "segments", "sizes"))
    return bool(
        len(kinds) == count
        and len(nodes) == len(starts) == len(sizes)
        and _within(nodes, count)
        and (np.diff(nodes) > 0).all()
        and np.isin(inner[kinds[inner] != 0], nodes).all()
        and _within(starts, len(sets) + 1)
        and _within(sizes, len(sets) + 1)
        and (starts + sizes <= len(sets)).all()
        and _within(sets, _MOST_CATEGORIES)
    )


def _within(numbers: Array, end: int) -> bool:
    return bool(((numbers >= 0) & (numbers < end)).all())


def _ascends(bounds: Array, end: int) -> bool:
    import numpy as np

    return bool(len(bounds) and bounds[0] == 0 and bounds[-1] == end and (np.diff(bounds) >= 0).all())


def _integers(values: Any) -> Array:
    import numpy as np

    numbers = np.asarray(values)
    if numbers.size and numbers.dtype.kind not in "iu":
        raise ValueError("a number of a node is none")
    return numbers.astype("int64").ravel()
