"""Realised figures against scikit-learn and SciPy on the raw rows, each within its stated bound."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression

from modelops_jupyter.monitoring import performance
from modelops_jupyter.monitoring.figures import calibration, intervals, ranking
from modelops_jupyter.monitoring.figures.curves import performance_curves
from modelops_jupyter.monitoring.figures.performance import headline
from modelops_jupyter.monitoring.figures.regression import error_quantile
from modelops_jupyter.profiles import Binning, Profile, build_reference, scan
from modelops_jupyter.wording import count

BINARY = Binning("classification", "1", {})
MANY = Binning("classification", None, {})
scores = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0]))
row = st.tuples(scores, st.booleans())


def profile(said: list[str], came: list[str], score: np.ndarray | None = None, binning: Binning = BINARY) -> Profile:
    columns = {"prediction": said, "label": came, "version": np.ones(len(said), "int64")}
    return scan(pa.table(columns if score is None else {**columns, "score": score}), binning)


def binary(values: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray, np.ndarray, Profile]:
    score, y = np.array([v[0] for v in values]), np.array([v[1] for v in values], dtype=int)
    said = (score >= 0.5).astype(int)
    return score, y, said, profile(said.astype(str).tolist(), y.astype(str).tolist(), score)


@given(st.lists(row, min_size=1, max_size=29))
def test_figures_of_few_labels_say_so(values: list[tuple[float, bool]]) -> None:
    *_, seen = binary(values)
    figures = performance(seen, "classification", "1")
    assert set(figures) == set(headline("classification", "1"))
    reason = f"{count(len(values), 'label')}, 30 are needed"
    assert {(figure.value, figure.reason) for figure in figures.values()} == {(None, reason)}


@given(st.lists(row, min_size=30, max_size=90))
def test_figures_of_scores_are_within_their_bounds_of_scikit_learn(values: list[tuple[float, bool]]) -> None:
    score, y, said, seen = binary(values)
    figures = performance(seen, "classification", "1")
    assert set(figures) == set(headline("classification", "1"))
    assert figures["brier_score"].value == pytest.approx(metrics.brier_score_loss(y, score), abs=1e-12)
    assert figures["accuracy"].value == pytest.approx((said == y).mean())
    if y.min() == y.max():
        assert figures["roc_auc"].reason == figures["average_precision"].reason == "one class"
        return
    cells = seen.outcomes.cells
    assert figures["roc_auc"].value == pytest.approx(
        metrics.roc_auc_score(y, score), abs=ranking.roc_auc_bound(cells.negatives, cells.positives) + 1e-9
    )
    assert figures["average_precision"].value == pytest.approx(
        metrics.average_precision_score(y, score),
        abs=ranking.average_precision_bound(cells.negatives, cells.positives) + 1e-9,
    )
    assert figures["log_loss"].value == pytest.approx(metrics.log_loss(y, np.clip(score, 1e-15, 1 - 1e-15)), abs=1e-3)
    assert figures["balanced_accuracy"].value == pytest.approx(metrics.balanced_accuracy_score(y, said))
    f1, found = metrics.f1_score(y, said, zero_division=0), figures["f1"]
    assert found.value == pytest.approx(f1)
    if said.min() != said.max():
        assert figures["matthews_correlation"].value == pytest.approx(metrics.matthews_corrcoef(y, said))
    for figure in figures.values():
        if figure.value is not None and figure.low is not None and figure.high is not None:
            assert figure.low - 1e-12 <= figure.value <= figure.high + 1e-12


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=30, max_size=90))
def test_figures_of_many_classes_agree_with_scikit_learn(values: list[tuple[str, str]]) -> None:
    said, came = [v[0] for v in values], [v[1] for v in values]
    figures = performance(profile(said, came, binning=MANY), "classification", None)
    assert figures["accuracy"].value == pytest.approx(metrics.accuracy_score(came, said))
    assert figures["f1_macro"].value == pytest.approx(metrics.f1_score(came, said, average="macro", zero_division=0))
    hits = [np.mean([s == c for s, c in values if c == name]) for name in sorted(set(came))]
    assert figures["balanced_accuracy"].value == pytest.approx(np.mean(hits))
    if len(set(said)) > 1 and len(set(came)) > 1:
        assert figures["matthews_correlation"].value == pytest.approx(metrics.matthews_corrcoef(came, said))


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-50, 50)), min_size=30, max_size=90), st.integers(0, 90))
def test_figures_of_numbers_agree_with_scikit_learn(values: list[tuple[float, float]], cut: int) -> None:
    y, error = np.array([v[0] for v in values]), np.array([v[1] for v in values])
    said = y + error
    features = pa.table({"x": y})
    reference = build_reference(features, predictions=said, labels=y, task="regression")
    table = pa.table({"x": y, "prediction": said, "label": y, "version": np.ones(len(y), "int64")})
    whole = scan(table, reference.binning)
    halves = scan(table.slice(0, cut), reference.binning) + scan(table.slice(cut), reference.binning)
    for seen in (whole, halves):
        figures = performance(seen, "regression", None)
        assert figures["mean_absolute_error"].value == pytest.approx(np.abs(said - y).mean(), abs=1e-9)
        assert figures["root_mean_squared_error"].value == pytest.approx(np.sqrt(((said - y) ** 2).mean()), abs=1e-9)
        assert figures["mean_error"].value == pytest.approx((said - y).mean(), abs=1e-9)
        if y.std() > 1e-3:
            assert figures["r2"].value == pytest.approx(metrics.r2_score(y, said), rel=1e-6, abs=1e-6)
        for share in (0.1, 0.5, 0.9):
            found = error_quantile(seen.outcomes, reference.binning.errors, share)
            raw = np.quantile(said - y, share, method="inverted_cdf")
            if found.value is not None:
                assert found.low - 1e-9 <= raw <= found.high + 1e-9  # type: ignore[operator]
    assert np.allclose(whole.outcomes.by_prediction, halves.outcomes.by_prediction)
    assert sum(row[0] for row in whole.outcomes.by_prediction) == len(y)


def drawn(n: int, seed: int, power: float = 1.0) -> tuple[np.ndarray, np.ndarray, Profile]:
    generator = np.random.default_rng(seed)
    score = generator.beta(1.2, 3, n)
    y = (generator.random(n) < score**power).astype(int)
    said = (score >= 0.5).astype(int)
    return score, y, profile(said.astype(str).tolist(), y.astype(str).tolist(), score)


def test_calibration_agrees_with_scikit_learn() -> None:
    score, y, seen = drawn(20_000, 1, power=1.4)
    share, promised = calibration_curve(y, score, n_bins=10, strategy="quantile")
    curve = calibration.reliability(seen.outcomes.cells)
    # Bins end at cells here and between rows there: a handful of rows change sides.
    assert curve.share == pytest.approx(share, abs=0.005)
    assert curve.score == pytest.approx(promised, abs=0.002)
    expected = np.mean(np.abs(share - promised))
    assert performance(seen, "classification", "1")["expected_calibration_error"].value == pytest.approx(
        expected, abs=0.002
    )


def test_pooling_agrees_with_scikit_learns_isotonic_regression() -> None:
    _, _, seen = drawn(3000, 2)
    cells = seen.outcomes.cells
    model = IsotonicRegression().fit(cells.scores, cells.positives / cells.rows, sample_weight=cells.rows)
    assert calibration.isotonic(cells.rows, cells.positives) == pytest.approx(model.predict(cells.scores))


def test_recalibration_finds_what_was_put_in() -> None:
    generator = np.random.default_rng(3)
    score = generator.uniform(0.02, 0.98, 40_000)
    logit = np.log(score / (1 - score))
    y = generator.random(40_000) < 1 / (1 + np.exp(-(0.3 + 0.7 * logit)))
    cells = profile(["1"] * 40_000, y.astype(int).astype(str).tolist(), score).outcomes.cells
    found = calibration.recalibrate(cells)
    assert found.intercept.low < 0.3 < found.intercept.high  # type: ignore[operator]
    assert found.slope.low < 0.7 < found.slope.high  # type: ignore[operator]
    assert found.test.p_value < 1e-6  # type: ignore[operator]
    assert calibration.recalibrate(cells.with_counts(cells.table[:, 1:] * [1, 1, 0])).test.reason == "one class"


def test_a_well_calibrated_score_passes_five_times_in_a_hundred() -> None:
    p_values = []
    for seed in range(200):
        _, _, seen = drawn(1000, seed)
        p_values.append(calibration.recalibrate(seen.outcomes.cells).test.p_value)
    assert 0.01 <= np.mean(np.array(p_values) < 0.05) <= 0.10


def test_intervals_hold_what_they_promise() -> None:
    """Of 300 windows, 91 to 98 % of the intervals hold the value of a very large sample."""
    _, _, large = drawn(400_000, 99)
    truth = {name: figure.value for name, figure in performance(large, "classification", "1").items()}
    held = dict.fromkeys(truth, 0)
    for seed in range(300):
        for name, figure in performance(drawn(600, seed)[2], "classification", "1").items():
            held[name] += figure.low is not None and figure.low <= truth[name] <= figure.high
    for name in ("roc_auc", "average_precision", "brier_score", "log_loss", "accuracy", "balanced_accuracy", "f1"):
        assert 0.91 <= held[name] / 300 <= 0.985, name


@given(st.integers(1, 400), st.integers(0, 400))
def test_shares_have_wilsons_interval(n: int, hits: int) -> None:
    hits = min(hits, n)
    found, raw = intervals.share(hits, n), binomtest(hits, n).proportion_ci(method="wilson")
    assert (found.low, found.high) == (pytest.approx(raw.low, abs=1e-12), pytest.approx(raw.high, abs=1e-12))


def test_perfect_separation_still_has_an_error() -> None:
    figure = ranking.roc_auc(np.array([20.0, 0, 0]), np.array([0, 0, 20.0]))
    assert figure.value == 1.0
    assert 0.9 < figure.low < 1.0  # type: ignore[operator]


def test_gain_lift_and_curves() -> None:
    score, y, seen = drawn(5000, 4)
    negatives, positives = seen.outcomes.cells.negatives, seen.outcomes.cells.positives
    best = np.argsort(-score)[:500]
    assert ranking.gain(negatives, positives, 0.1).value == pytest.approx(y[best].sum() / y.sum(), abs=0.003)
    assert ranking.lift(negatives, positives, 0.1).value == pytest.approx(y[best].mean() / y.mean(), abs=0.03)
    curves = performance_curves(seen, BINARY)
    assert np.trapezoid(curves.roc["true_positive_rate"], curves.roc["false_positive_rate"]) == pytest.approx(
        metrics.roc_auc_score(y, score), abs=2e-3
    )
    assert set(curves.to_frame()["curve"]) == {"roc", "precision_recall", "calibration", "gains"}
    assert str(performance_curves(profile([], []), BINARY)).startswith("No labels")


def test_a_constant_label_has_no_r2() -> None:
    reference = build_reference(
        pa.table({"x": np.arange(40.0)}), predictions=np.arange(40.0), labels=np.full(40, 3.0), task="regression"
    )
    assert performance(reference.profile, "regression", None)["r2"].reason == "constant label"
