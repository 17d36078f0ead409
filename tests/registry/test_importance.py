"""What a model rests on is found at registration: the model's own say where it has one, else by permutation."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from modelops_jupyter.frames import outcomes
from modelops_jupyter.registry import DecisionTable, feature_importance
from modelops_jupyter.scoring.predictions import predict


@pytest.fixture(scope="module")
def rows() -> tuple[pd.DataFrame, pd.Series]:
    generator = np.random.default_rng(3)
    x = pd.DataFrame({"wide": generator.normal(0, 100, 3000), "strong": generator.normal(0, 1, 3000)})
    x["noise"] = generator.normal(0, 1, 3000)
    y = pd.Series((x["strong"] * 2 + x["wide"] / 100 + generator.normal(0, 1, 3000) > 0).astype(int))
    return x, y


def test_coefficients_count_in_standard_deviations(rows: tuple[pd.DataFrame, pd.Series]) -> None:
    x, y = rows
    found = feature_importance(LogisticRegression().fit(x, y), x, outcomes(y, "classification"), "classification", "1")
    assert found.source == "coef_"
    assert sum(found.shares.values()) == pytest.approx(1)
    assert found.shares["strong"] / found.shares["wide"] == pytest.approx(2, rel=0.2)
    assert found.shares["noise"] < 0.05


def test_a_forest_says_it_itself(rows: tuple[pd.DataFrame, pd.Series]) -> None:
    x, y = rows
    model = RandomForestRegressor(20, max_depth=6, random_state=0).fit(x, y)
    found = feature_importance(model, x, outcomes(y, "regression"), "regression", None)
    assert found.source == "feature_importances_"
    assert list(found.shares.values()) == pytest.approx(model.feature_importances_)


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize(
    "model",
    [HistGradientBoostingClassifier(max_iter=30), make_pipeline(StandardScaler(), LinearSVC())],
    ids=["trees", "svc"],
)
def test_others_are_asked_by_permutation(model: object, labelled: bool, rows: tuple[pd.DataFrame, pd.Series]) -> None:
    x, y = rows
    labels = outcomes(y, "classification") if labelled else None
    found = feature_importance(model.fit(x, y), x, labels, "classification", "1")  # type: ignore[attr-defined]
    assert found.source == "permutation"
    assert sorted(found.shares, key=found.shares.get, reverse=True)[:2] == ["strong", "wide"]
    assert found.shares["noise"] < 0.1
    assert found == feature_importance(model, x, labels, "classification", "1")


def test_a_model_of_many_classes_and_missing_labels(rows: tuple[pd.DataFrame, pd.Series]) -> None:
    x, _ = rows
    y = pd.cut(x["strong"], [-9, -0.5, 0.5, 9], labels=["low", "mid", "high"]).astype(str)
    model = HistGradientBoostingClassifier(max_iter=20).fit(x, y)
    labels = y.where(np.arange(len(y)) % 2 == 0)
    found = feature_importance(model, x, labels, "classification", None)
    assert found.shares["strong"] > 0.9


class Strict(HistGradientBoostingClassifier):
    """A model that takes its columns as they were alone."""

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        assert X.dtypes.to_dict() == self.types
        return super().predict_proba(X)


def test_permuting_changes_no_type_and_no_name() -> None:
    generator = np.random.default_rng(0)
    x = pd.DataFrame({"kind": pd.Categorical(generator.choice(list("abc"), 500)), "n": pd.array([1, 2] * 250, "Int64")})
    x["day"] = pd.date_range("2026-01-01", periods=500, tz="Europe/Berlin")
    model = Strict(max_iter=5, categorical_features="from_dtype").fit(x[["kind", "n"]], x["kind"] == "a")
    model.types = x[["kind", "n"]].dtypes.to_dict()
    assert feature_importance(model, x[["kind", "n"]], None, "classification", "True").shares["kind"] > 0.9


def test_what_answers_always_the_same_rests_on_nothing(rows: tuple[pd.DataFrame, pd.Series]) -> None:
    x, y = rows
    model = LogisticRegression().fit(x * 0, y)
    found = feature_importance(model, x * 0, None, "classification", "1")
    assert (found.shares, found.reason) == ({}, "no feature changes its answers")


def test_too_many_columns_to_permute_is_said() -> None:
    x = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 301))).rename(columns=str)
    model = HistGradientBoostingClassifier(max_iter=2).fit(x, x["0"] > 0)
    assert "301 columns" in str(feature_importance(model, x, None, "classification", "True").reason)


def test_rules_are_asked_about_rows_that_none_of_them_decides() -> None:
    """Shuffling a column may make rows that no rule is for; they count as decided otherwise."""
    rules = [{"x": "true", "y": "1", "o": "'a'"}, {"x": "false", "y": "2", "o": "'b'"}]
    content = {
        "hitPolicy": "first",
        "inputs": [{"id": "x", "field": "late"}, {"id": "y", "field": "tier"}],
        "outputs": [{"id": "o", "field": "care"}],
        "rules": rules,
    }
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode"},
        {"id": "t", "name": "t", "type": "decisionTableNode", "content": content},
    ]
    edges = [{"id": "1", "sourceId": "in", "targetId": "t"}]
    table = DecisionTable.from_text(json.dumps({"nodes": nodes, "edges": edges}))
    frame = pd.DataFrame({"late": [True, False] * 50, "tier": [1, 2] * 50, "noise": range(100)})
    assert set(predict(table, frame).prediction) == {"a", "b"}
    found = feature_importance(table, frame, None, "decision", None)
    assert found.shares["late"] == pytest.approx(0.5, abs=0.1)
    assert found.shares["noise"] == 0
