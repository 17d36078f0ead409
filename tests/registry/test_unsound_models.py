"""A file whose trees refer to what they do not have is refused before compiled code follows them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io as skops
from scipy.sparse import csr_matrix
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.random_projection import SparseRandomProjection
from sklearn.tree import DecisionTreeClassifier

from modelops_jupyter.errors import UnsafeArtifact
from modelops_jupyter.scoring.flavors._soundness import check_sound
from modelops_jupyter.scoring.flavors.sklearn import read_file

X = pd.DataFrame(np.random.default_rng(0).random((80, 3)), columns=["a", "b", "c"])
Y = (X["a"] > 0.5).astype(int)


def tree_with(tree: Any, field: str, value: int) -> None:
    """Set a field of a tree's root."""
    state = tree.__getstate__()
    state["nodes"] = state["nodes"].copy()
    state["nodes"][field][0] = value
    tree.__setstate__(state)


def in_tree(field: str, value: int) -> Callable[[], Any]:
    def make() -> Any:
        model = DecisionTreeClassifier(max_depth=3).fit(X, Y)
        tree_with(model.tree_, field, value)
        return model

    return make


def in_forest(kind: Any) -> Callable[[], Any]:
    def make() -> Any:
        model = kind(n_estimators=3, random_state=0).fit(X, Y)
        model.n_features_in_ = 1
        return model

    return make


def wider(tree: Any, columns: int) -> Any:
    """Return a tree of many columns that looks at the last of them."""
    kind, (_, *others), state = tree.__reduce__()
    other, nodes = kind(columns, *others), state["nodes"].copy()
    nodes["feature"][nodes["left_child"] != -1] = columns - 1
    other.__setstate__({**state, "nodes": nodes})
    return other


def without_a_number_of_columns() -> Any:
    model = DecisionTreeClassifier(max_depth=3).fit(X, Y)
    model.tree_ = wider(model.tree_, 50_000_000)
    del model.n_features_in_, model.feature_names_in_
    return model


def with_columns_for_each(kind: Any) -> Callable[[], Any]:
    """Return what makes an ensemble with trees of many columns, and a word of its own about them."""

    def make() -> Any:
        model = kind(n_estimators=3, random_state=0).fit(X, Y)
        for member in np.ravel(model.estimators_):
            member.tree_, member.n_features_in_ = wider(member.tree_, 50_000_000), 50_000_000
        model.estimators_features_ = [[0], [0], [0]]
        return model

    return make


def in_histogram(field: str, value: int) -> Callable[[], Any]:
    def make() -> Any:
        model = HistGradientBoostingClassifier(max_iter=2).fit(X, Y)
        predictor = model._predictors[1][0]
        predictor.nodes = predictor.nodes.copy()
        predictor.nodes[field][0] = value
        if field == "bitset_idx":
            predictor.nodes["is_categorical"][0] = 1
        return model

    return make


def in_neighbors(algorithm: str, index: int, position: tuple[Any, ...], value: int) -> Callable[[], Any]:
    def make() -> Any:
        model = KNeighborsClassifier(algorithm=algorithm, leaf_size=5).fit(X, Y)
        state = [array.copy() if isinstance(array, np.ndarray) else array for array in model._tree.__getstate__()]
        target = state[index]
        (target if len(position) == 1 else target[position[1]])[position[0]] = value
        model._tree.__setstate__(tuple(state))
        return model

    return make


def in_sparse() -> Any:
    model = SparseRandomProjection(2, density=0.9, random_state=0).fit(X)
    model.components_ = csr_matrix(model.components_)
    model.components_.indices = model.components_.indices.copy()
    model.components_.indices[0] = 10**6
    return model


UNSOUND = {
    "a child beyond the tree": in_tree("left_child", 10**6),
    "a child before the tree": in_tree("right_child", -5),
    "a child that is its parent": in_tree("left_child", 0),
    "a column beyond the rows": in_tree("feature", 10**6),
    "a column before the rows": in_tree("feature", -3),
    "a forest of fewer columns": in_forest(RandomForestClassifier),
    "boosting of fewer columns": in_forest(GradientBoostingRegressor),
    "a tree of no number of columns": without_a_number_of_columns,
    "a forest with columns for each": with_columns_for_each(RandomForestClassifier),
    "boosting with columns for each": with_columns_for_each(GradientBoostingRegressor),
    "bagging with fewer columns for each": with_columns_for_each(BaggingClassifier),
    "isolation with fewer columns for each": with_columns_for_each(IsolationForest),
    "a child beyond the histogram": in_histogram("left", 10**6),
    "a child that is its histogram": in_histogram("right", 0),
    "a column beyond the histogram": in_histogram("feature_idx", 10**6),
    "categories beyond the histogram": in_histogram("bitset_idx", 10**6),
    "a row beyond the neighbours": in_neighbors("kd_tree", 1, (0,), 10**6),
    "a row before the neighbours": in_neighbors("ball_tree", 1, (0,), -1),
    "a node beyond the neighbours": in_neighbors("kd_tree", 2, (0, "idx_end"), 10**6),
    "a node that never ends": in_neighbors("ball_tree", 2, (-1, "is_leaf"), 0),
    "a column beyond the matrix": in_sparse,
}


@pytest.mark.parametrize("make", UNSOUND.values(), ids=UNSOUND)
def test_a_reference_to_nothing_is_refused(tmp_path: Path, make: Callable[[], Any]) -> None:
    file = tmp_path / "model.skops"
    skops.dump(make(), file)
    with pytest.raises(UnsafeArtifact, match="refers to numbers that it does not have"):
        read_file(file)


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 33, 80])
@pytest.mark.parametrize("leaf", [1, 2, 40])
@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
def test_neighbours_of_any_size_are_sound(rows: int, leaf: int, algorithm: str) -> None:
    check_sound(KNeighborsClassifier(1, algorithm=algorithm, leaf_size=leaf).fit(X[:rows], Y[:rows]))


@pytest.mark.parametrize(
    "model",
    [
        BaggingClassifier(DecisionTreeClassifier(), 3, max_features=0.5),
        BaggingClassifier(DecisionTreeClassifier(), 3, max_features=0.7, bootstrap_features=True),
        DecisionTreeClassifier(max_leaf_nodes=7),
        HistGradientBoostingClassifier(max_iter=3, categorical_features=["c"]),
        IsolationForest(n_estimators=3, max_features=0.7),
        RandomForestClassifier(3, max_depth=1),
        VotingClassifier([("tree", DecisionTreeClassifier()), ("forest", RandomForestClassifier(2))]),
    ],
    ids=lambda model: type(model).__name__,
)
def test_trees_of_any_kind_are_sound(model: Any) -> None:
    check_sound(model.fit(X.assign(c=X["c"].round(1).rank(method="dense")), Y))
