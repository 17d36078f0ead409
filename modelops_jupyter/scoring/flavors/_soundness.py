"""Numbers inside a model that scikit-learn's compiled code follows without a look: they must point into the model.

A file is held to its types before it is built; what its trees refer to is known only afterwards. Where a number points
elsewhere, predicting would read memory that is not the model's, or never end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import UnsafeArtifact
from ._parts import walk

_LEAF = -1


def check_sound(model: Any) -> None:
    """Raise `UnsafeArtifact`, naming the part, where a tree of a model refers to what it does not have."""
    for path, part in walk(model):
        module = type(part).__module__
        if module == "sklearn.tree._tree":
            sound = _tree(part)
        elif module in ("sklearn.neighbors._kd_tree", "sklearn.neighbors._ball_tree"):
            sound = _neighbors(part)
        elif module.startswith("scipy.sparse."):
            sound = _sparse(part)
        elif hasattr(part, "__dict__"):
            sound = _features(part)
        else:
            continue
        if not sound:
            raise UnsafeArtifact(
                f"model{path} refers to numbers that it does not have, which would read memory that is not its own: "
                "register the model from the Python that fitted it."
            )


def _tree(tree: Any) -> bool:
    """Return whether every node has its children behind it."""
    import numpy as np

    count = tree.node_count
    left, right = tree.children_left, tree.children_right
    inner = left != _LEAF
    numbers = np.arange(count)[inner]
    behind = [(child[inner] > numbers).all() and (child[inner] < count).all() for child in (left, right)]
    features = tree.feature[inner]
    return bool(count > 0 and all(behind) and (features >= 0).all() and (features < tree.n_features).all())


def _features(estimator: Any) -> bool:
    """Return whether the trees that an estimator asks itself look at columns that its rows have.

    Without a number of columns scikit-learn takes rows of any width.
    """
    attributes = vars(estimator)
    predictors = [predictor for stage in attributes.get("_predictors", ()) for predictor in stage]
    members = attributes.get("estimators_", ())
    of_members = [vars(member).get("tree_") for member in getattr(members, "flat", members) if _has_tree(member)]
    trees = [attributes["tree_"], *of_members] if "tree_" in attributes else of_members
    if not trees and not predictors:
        return True
    most = getattr(estimator, "n_features_in_", None)
    if most is None or any(type(tree).__module__ != "sklearn.tree._tree" for tree in trees):
        return False
    widths = _widths(estimator, attributes, len(trees), most)
    looking = len(widths) == len(trees) and all(
        (tree.feature < width).all() for tree, width in zip(trees, widths, strict=True)
    )
    return bool(looking and all(_predictor(predictor, most) for predictor in predictors))


def _has_tree(member: Any) -> bool:
    return "tree_" in getattr(member, "__dict__", ())


def _widths(estimator: Any, attributes: Mapping[str, Any], trees: int, most: int) -> list[int]:
    """Return how many columns each tree of an estimator is given: bagging cuts the rows to the columns of each."""
    from sklearn.ensemble._bagging import BaseBagging

    if not isinstance(estimator, BaseBagging) or "estimators_features_" not in attributes:
        return [most] * trees
    return [min(len(columns), most) for columns in attributes["estimators_features_"]]


def _predictor(predictor: Any, most: int) -> bool:
    """Return whether the nodes of a histogram-based tree refer to its own."""
    import numpy as np

    nodes = predictor.nodes
    inner = nodes["is_leaf"] == 0
    numbers = np.arange(len(nodes))[inner]
    behind = [(nodes[s][inner] > numbers).all() and (nodes[s][inner] < len(nodes)).all() for s in ("left", "right")]
    features = nodes["feature_idx"][inner]
    categories = nodes["bitset_idx"][inner & (nodes["is_categorical"] != 0)]
    sets = (predictor.raw_left_cat_bitsets, predictor.binned_left_cat_bitsets)
    return bool(
        len(nodes)
        and all(behind)
        and (features >= 0).all()
        and (features < most).all()
        and all((categories < len(bitsets)).all() and bitsets.shape[1:] == (8,) for bitsets in sets)
    )


def _neighbors(tree: Any) -> bool:
    """Return whether a tree of neighbours refers to rows and nodes of its own."""
    rows, order, nodes, bounds = tree.get_arrays()
    count = len(rows)
    split = nodes["is_leaf"][: len(nodes) // 2] if len(nodes) > 1 else nodes["is_leaf"][:0]
    return bool(
        len(order) == count
        and ((order >= 0) & (order < count)).all()
        and ((nodes["idx_start"] >= 0) & (nodes["idx_end"] >= nodes["idx_start"]) & (nodes["idx_end"] <= count)).all()
        and (nodes["is_leaf"][len(split) :] != 0).all()
        and bounds.shape[1] >= len(nodes)
        and bounds.shape[2] == rows.shape[1]
    )


def _sparse(matrix: Any) -> bool:
    """Return whether the indices of a sparse matrix are those of its rows and columns."""
    try:
        if hasattr(matrix, "check_format"):
            matrix.check_format(full_check=True)
    except ValueError:
        return False
    return True
