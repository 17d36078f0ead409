"""Metrics that we measure: the same as scikit-learn's, or a reason."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from modelops_jupyter.actions.measurement import Measurement, measure, recorded
from modelops_jupyter.frames import outcomes
from modelops_jupyter.governance.metric_checks import measurable
from modelops_jupyter.governance.recorded import evidence, metrics_text

OF_CLASSES = {"accuracy": sk.accuracy_score, "balanced_accuracy": sk.balanced_accuracy_score}
OF_ONE_CLASS = {"f1": sk.f1_score, "precision": sk.precision_score, "recall": sk.recall_score}
OF_SCORES = {
    "roc_auc": sk.roc_auc_score,
    "average_precision": sk.average_precision_score,
    "brier_score": sk.brier_score_loss,
    "log_loss": sk.log_loss,
}
OF_VALUES = {
    "mean_absolute_error": sk.mean_absolute_error,
    "mean_squared_error": sk.mean_squared_error,
    "root_mean_squared_error": sk.root_mean_squared_error,
    "r2": sk.r2_score,
    "mean_absolute_percentage_error": sk.mean_absolute_percentage_error,
}
CLASSES = [("0", "1"), ("no", "yes"), ("False", "True")]


def texts(values: Any) -> pd.Series:
    return outcomes(pd.Series(list(values)), "classification")


def by_scikit_learn(labels: list[Any], predicted: list[Any], score: np.ndarray | None, positive: Any) -> dict[str, Any]:
    """Return what scikit-learn says where it is defined, computed on the labels as a user has them."""
    found = {name: compute(labels, predicted) for name, compute in OF_CLASSES.items()}
    came, said = positive in labels, positive in predicted
    defined = {"f1": came or said, "precision": said, "recall": came}
    for name, compute in OF_ONE_CLASS.items():
        if defined[name]:
            found[name] = compute(labels, predicted, pos_label=positive, zero_division=0)
    if score is not None:
        actual = [label == positive for label in labels]
        found |= {name: compute(actual, score) for name, compute in OF_SCORES.items()}
    return found


@pytest.mark.parametrize(
    ("negative", "positive"), [(0, 1), ("no", "yes"), (False, True), (1.0, 2.0), ("é", "ü <b>")], ids=str
)
def test_a_binary_classification_is_measured_as_by_scikit_learn(negative: Any, positive: Any) -> None:
    generator = np.random.default_rng(0)
    actual = generator.random(5000) < 0.2
    score = np.clip(actual * 0.2 + generator.random(5000) * 0.8, 0, 1).round(3)  # with ties
    labels, predicted = (np.where(truth, positive, negative).tolist() for truth in (actual, score > 0.5))
    word = texts([positive])[0]
    found = measure(texts(predicted), score, texts(labels), "classification", word)
    assert found.metrics == pytest.approx(by_scikit_learn(labels, predicted, score, positive), abs=1e-12)
    assert (found.rows, found.reason) == (5000, None)
    assert set(found.metrics) == measurable({"task": "classification", "classes": ["a", "b"]})


def test_a_classification_of_many_classes_is_measured_as_by_scikit_learn() -> None:
    generator = np.random.default_rng(1)
    labels, predicted = (generator.choice(["ant", "bee", "cat", "dog"], 3000).tolist() for _ in range(2))
    labels[:5] = ["eel"] * 5  # which no training row had: predicted wrongly
    found = measure(texts(predicted), None, texts(labels), "classification", None)
    expected = {name: compute(labels, predicted) for name, compute in OF_CLASSES.items()}
    assert found == Measurement(pytest.approx(expected), 3000)
    assert set(found.metrics) == measurable({"task": "classification", "classes": ["a", "b", "c"]})


def test_a_regression_is_measured_as_by_scikit_learn() -> None:
    generator = np.random.default_rng(2)
    labels = generator.normal(50, 20, 2000)
    predicted = labels + generator.normal(1, 5, 2000)
    found = measure(pd.Series(predicted), predicted, pd.Series(labels), "regression", None)
    assert found.metrics == pytest.approx({name: compute(labels, predicted) for name, compute in OF_VALUES.items()})
    assert set(found.metrics) == measurable({"task": "regression", "classes": []})


def test_rows_without_a_label_are_left_out() -> None:
    labels, predicted, score = [1, None, 0, 1, np.nan], [1, 1, 0, 0, 0], np.array([0.9, 0.8, 0.2, 0.4, 0.1])
    found = measure(texts(predicted), score, texts(labels), "classification", "1")
    known = [0, 2, 3]
    expected = by_scikit_learn([1, 0, 1], [1, 0, 0], score[known], 1)
    assert found == Measurement(pytest.approx(expected), 3)
    values = measure(pd.Series([1.0, 2.0, 3.0]), None, pd.Series([1.5, math.nan, 2.0]), "regression", None)
    assert values.rows == 2
    assert values.metrics["mean_absolute_error"] == sk.mean_absolute_error([1.5, 2.0], [1.0, 3.0])


rows = st.lists(
    st.tuples(st.sampled_from([0, 1, None]), st.integers(0, 1), st.floats(0, 1, allow_subnormal=False)),
    min_size=1,
    max_size=60,
)


@given(rows, st.sampled_from(CLASSES))
def test_whatever_the_rows_metrics_are_scikit_learns_or_there_is_a_reason(
    rows: list[tuple[int | None, int, float]], classes: tuple[str, str]
) -> None:
    labels = [None if label is None else classes[label] for label, _, _ in rows]
    predicted, score = [classes[said] for _, said, _ in rows], np.array([score for _, _, score in rows])
    found = measure(texts(predicted), score, texts(labels), "classification", classes[1])
    known = [n for n, label in enumerate(labels) if label is not None]
    assert found.rows == len(known)
    came = [labels[n] for n in known]
    if len(set(came)) < 2:
        assert found.metrics == {}
        assert found.reason
        return
    expected = by_scikit_learn(came, [predicted[n] for n in known], score[known], classes[1])
    assert found.metrics == pytest.approx(expected, rel=1e-9, abs=1e-12)


numbers = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=60))
def test_whatever_the_values_errors_are_scikit_learns(pairs: list[tuple[float, float]]) -> None:
    labels, predicted = (np.array(side) for side in zip(*pairs, strict=True))
    found = measure(pd.Series(predicted), None, pd.Series(labels), "regression", None)
    assert found.rows == len(labels)
    for name, value in found.metrics.items():
        assert value == pytest.approx(OF_VALUES[name](labels, predicted), rel=1e-6), name
    spread = np.mean((labels - labels.mean()) ** 2)
    if not 0 < spread < 1e-290:  # so little is lost or kept by the order in which it is summed
        assert ("r2" in found.metrics) == (spread > 0)
    assert ("mean_absolute_percentage_error" in found.metrics) == bool(np.abs(labels).min() > np.finfo("float64").eps)


@pytest.mark.parametrize(
    ("prediction", "score", "labels", "task", "reason"),
    [
        (["1"], None, None, "classification", "no row has a label"),
        (["1", "0"], None, [None, None], "classification", "no row has a label"),
        (["1", "0"], [0.9, 0.1], ["1", "1"], "classification", "every label is '1'"),
        (["1", "0"], None, ["1", "0"], "classification", "no probabilities"),
        (["1", "0"], [1.9, -3.0], ["1", "0"], "classification", "not probabilities"),
        (["1", "0"], [math.nan, 0.4], ["1", "0"], "classification", "not probabilities"),
        ([1.0, math.nan], None, [1.0, 2.0], "regression", "1 of 2 predictions are not finite"),
        ([1.0, 2.0], None, [1.0, math.inf], "regression", "1 of 2 labels are not finite"),
        (["notify"], None, ["notify"], "decision", "a decision table"),
    ],
)
def test_what_cannot_be_measured_has_a_reason_and_no_number(
    prediction: list[Any], score: list[float] | None, labels: list[Any] | None, task: str, reason: str
) -> None:
    def column(values: list[Any]) -> pd.Series:
        return pd.Series(values, dtype="float64") if task == "regression" else texts(values)

    known = None if labels is None else column(labels)
    found = measure(column(prediction), None if score is None else np.array(score), known, task, "1")
    assert reason in str(found.reason)
    assert not set(found.metrics) & set(OF_SCORES)
    assert all(math.isfinite(value) for value in found.metrics.values())


def test_numbers_too_great_to_square_are_left_out_and_nothing_else() -> None:
    found = measure(pd.Series([1e200, 2.0]), None, pd.Series([-1e200, 2.0]), "regression", None)
    assert set(found.metrics) == {"mean_absolute_error", "mean_absolute_percentage_error"}


def test_the_record_says_what_rules_and_what_was_only_claimed() -> None:
    facts = recorded(Measurement({"roc_auc": 0.71}, 200), {"roc_auc": 0.999, "complaints": 3.0}, "f" * 64)
    assert facts["metrics"] == {"roc_auc": 0.71, "complaints": 3.0}
    assert facts["claimed"] == {"roc_auc": 0.999, "complaints": 3.0}
    assert (facts["measured"]["rows"], facts["measured"]["fingerprint"]) == (200, "f" * 64)
    assert facts["measured"]["by"].startswith("modelops-jupyter ")
    assert "scikit-learn " in facts["measured"]["by"]
    assert metrics_text(facts) == "measured on 200 rows: roc_auc 0.71 (claimed: 0.999); claimed: complaints 3"
    nothing = recorded(Measurement(reason="no row has a label"), {}, None)
    assert nothing["measured"] is None
    assert metrics_text(nothing) == "not measured: no row has a label"
    assert evidence(nothing) == (("not measured", "no row has a label"),)


@pytest.mark.parametrize(("claimed", "shown"), [(0.7, False), (0.705, False), (0.72, True), (0.6, True)])
def test_a_claim_is_shown_beside_the_measured_metric_where_they_clearly_differ(claimed: float, shown: bool) -> None:
    facts = recorded(Measurement({"roc_auc": 0.7012}, 200), {"roc_auc": claimed}, None)
    assert ("claimed" in metrics_text(facts)) is shown
