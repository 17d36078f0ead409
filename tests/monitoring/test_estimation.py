"""Estimated performance: right where what it assumes holds, with intervals that keep their promise."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from modelops_jupyter.monitoring import estimate, performance
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.calibrator import Calibrator, Line, Steps
from modelops_jupyter.monitoring.figures.confidence import _average_precision, _roc_auc
from modelops_jupyter.monitoring.figures.learned import Recent
from modelops_jupyter.profiles import Profile, Reference, build_reference, scan


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def drawn(n: int, seed: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return scores that are too sure of themselves, and labels."""
    generator = np.random.default_rng(seed)
    x = generator.normal(-0.5 + shift, 1, n)
    return sigmoid(1.6 * x + 0.4), generator.random(n) < sigmoid(x)


def binary(score: np.ndarray, y: np.ndarray | None, reference: Reference) -> Profile:
    columns = {"prediction": np.where(score >= 0.6, "1", "0"), "score": score, "version": np.ones(len(score), "int64")}
    labels = {} if y is None else {"label": y.astype(int).astype(str)}
    return scan(pa.table({"x": score, **columns, **labels}), reference.binning)


def made(n: int = 20_000, seed: int = 0) -> Reference:
    score, y = drawn(n, seed)
    said, came = np.where(score >= 0.6, "1", "0"), y.astype(int).astype(str)
    return build_reference(pa.table({"x": score}), scores=score, predictions=said, labels=came, positive="1")


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return Baseline(made())


@pytest.mark.parametrize("shift", [0.0, -0.8, 0.8])
def test_without_labels_the_estimate_is_what_comes(baseline: Baseline, shift: float) -> None:
    """Also under a shift of the inputs, which changes every figure."""
    score, y = drawn(200_000, 1, shift)
    estimated = estimate(baseline, binary(score, None, baseline.reference))
    realised = performance(binary(score, y, baseline.reference), "classification", "1")
    assert set(estimated) == set(realised)
    for name, figure in estimated.items():
        assert figure.value == pytest.approx(realised[name].value, abs=0.015), name


def test_intervals_hold_what_comes() -> None:
    """Of 250 windows, each with its own reference, 90 to 98.5 % of the intervals hold the realised figure."""
    held: dict[str, list[bool]] = {}
    for seed in range(250):
        own = Baseline(made(3000, 1000 + seed))
        score, y = drawn(600, seed, -0.3)
        realised = performance(binary(score, y, own.reference), "classification", "1")
        for name, figure in estimate(own, binary(score, None, own.reference)).items():
            if figure.low is not None and figure.high is not None and realised[name].value is not None:
                held.setdefault(name, []).append(figure.low <= realised[name].value <= figure.high)
    assert len(held) == 8
    for name, inside in held.items():
        assert 0.90 <= np.mean(inside) <= 0.985, (name, np.mean(inside))


def test_labels_that_came_since_correct_the_estimate(baseline: Baseline) -> None:
    score, _ = drawn(30_000, 2)
    y = np.random.default_rng(3).random(30_000) < 0.6 - 0.4 * score  # the world was turned round
    truth = performance(binary(score, y, baseline.reference), "classification", "1")["brier_score"].value
    learned = Recent(binary(score[:5000], y[:5000], baseline.reference).outcomes.cells)
    window = binary(score, None, baseline.reference)
    before, after = (estimate(baseline, window, known)["brier_score"].value for known in (None, learned))
    assert abs(after - truth) < 0.006 < 0.05 < abs(before - truth)  # type: ignore[operator]
    few = Recent(binary(score[:100], y[:100], baseline.reference).outcomes.cells)
    assert abs(estimate(baseline, window, few)["brier_score"].value - before) < 0.003  # type: ignore[operator]


def test_labels_that_came_since_cost_nothing_where_nothing_changed(baseline: Baseline) -> None:
    """They are learned from beside the reference's rows, so the estimate errs less than with either alone."""
    squares: dict[str, list[float]] = {"reference": [], "both": []}
    for seed in range(40):
        score, y = drawn(4_000, 100 + seed)
        window = binary(score[:2000], None, baseline.reference)
        truth = performance(binary(score[:2000], y[:2000], baseline.reference), "classification", "1")
        recent = Recent(binary(score[2000:], y[2000:], baseline.reference).outcomes.cells)
        for name, known in (("reference", None), ("both", recent)):
            estimated = estimate(baseline, window, known)["log_loss"].value
            squares[name].append((estimated - truth["log_loss"].value) ** 2)  # type: ignore[operator]
    assert np.mean(squares["both"]) <= 1.02 * np.mean(squares["reference"])


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=12))
def test_slopes_are_the_derivatives_of_the_figures(cells: list[tuple[int, int, int]]) -> None:
    negatives, positives = np.zeros(20), np.zeros(20)
    for place, n, p in cells:
        negatives[place], positives[place] = n + 0.5, p + 0.5
    for compute in (_roc_auc, _average_precision):
        slope = compute(negatives, positives)[1]
        for place in np.flatnonzero(positives):
            turn = np.zeros(20)
            turn[place] = 1e-5
            high, low = compute(negatives - turn, positives + turn)[0], compute(negatives + turn, positives - turn)[0]
            assert (high - low) / 2e-5 == pytest.approx(slope[place], abs=1e-5)
    weights, y = np.concatenate([negatives, positives]), np.repeat([0, 1], 20)
    raw = metrics.average_precision_score(y, np.tile(np.arange(20), 2), sample_weight=weights)
    assert _average_precision(negatives, positives)[0] == pytest.approx(raw)


def test_a_bent_score_takes_the_isotonic_fit_and_a_straight_one_does_not(baseline: Baseline) -> None:
    generator = np.random.default_rng(4)
    score = generator.random(20_000)
    bent = np.where(score < 0.5, 0.1, 0.9)
    found = Calibrator.learn(binary(score, generator.random(20_000) < bent, baseline.reference).outcomes.cells)
    assert found is not None
    assert isinstance(found.fit, Steps)
    assert found.at(np.array([0.2, 0.8]))[0] == pytest.approx([0.1, 0.9], abs=0.02)
    assert baseline.calibrator is not None
    assert isinstance(baseline.calibrator.fit, Line)


def numbers(n: int, seed: int, shift: float = 0.0) -> pa.Table:
    """Return predictions whose error grows with them."""
    generator = np.random.default_rng(seed)
    said = generator.gamma(3, 2, n) + shift
    label = said + generator.normal(0.1 * said, 0.2 + 0.3 * said)
    return pa.table({"prediction": said, "label": label, "version": np.ones(n, "int64")})


def regression(seed: int = 0, n: int = 20_000) -> Baseline:
    rows = numbers(n, seed)
    said, label = rows["prediction"].to_numpy(), rows["label"].to_numpy()
    features = pa.table({"x": said})
    return Baseline(build_reference(features, predictions=said, labels=label, task="regression"))


@pytest.mark.parametrize("shift", [0.0, 2.0])
def test_errors_go_by_the_prediction(shift: float) -> None:
    before = regression()
    rows = numbers(100_000, 5, shift)
    estimated = estimate(before, scan(rows.drop_columns(["label"]), before.reference.binning))
    realised = performance(scan(rows, before.reference.binning), "regression", None)
    assert set(estimated) == set(realised) - {"r2"}
    for name, figure in estimated.items():
        assert figure.value == pytest.approx(realised[name].value, rel=0.04), name


def test_intervals_of_errors_hold_what_comes() -> None:
    held: dict[str, list[bool]] = {}
    for seed in range(200):
        before, rows = regression(1000 + seed, 2000), numbers(400, seed)
        realised = performance(scan(rows, before.reference.binning), "regression", None)
        for name, figure in estimate(before, scan(rows, before.reference.binning)).items():
            held.setdefault(name, []).append(figure.low <= realised[name].value <= figure.high)  # type: ignore[operator]
    assert all(0.90 <= np.mean(inside) <= 0.99 for inside in held.values()), held


def classes(n: int, seed: int, shares: tuple[float, ...] = (0.5, 0.3, 0.2)) -> pa.Table:
    generator = np.random.default_rng(seed)
    said = generator.choice(3, n, p=shares)
    came = np.where(generator.random(n) < np.array([0.9, 0.7, 0.5])[said], said, generator.integers(0, 3, n))
    names = np.array(["a", "b", "c"])
    return pa.table({"prediction": names[said], "label": names[came], "version": np.ones(n, "int64")})


def many(seed: int, n: int) -> Baseline:
    rows = classes(n, seed)
    features = pa.table({"x": np.zeros(n)})
    said, came = rows["prediction"].to_numpy(), rows["label"].to_numpy()
    return Baseline(build_reference(features, predictions=said, labels=came))


def test_many_classes_go_by_what_was_said() -> None:
    held: dict[str, list[bool]] = {}
    for seed in range(200):
        before, rows = many(1000 + seed, 2000), classes(500, seed, (0.2, 0.3, 0.5))
        realised = performance(scan(rows, before.reference.binning), "classification", None)
        estimated = estimate(before, scan(rows.drop_columns(["label"]), before.reference.binning))
        assert set(estimated) == set(realised)
        for name, figure in estimated.items():
            held.setdefault(name, []).append(figure.low <= realised[name].value <= figure.high)  # type: ignore[operator]
    assert all(0.90 <= np.mean(inside) <= 0.99 for inside in held.values()), {k: np.mean(v) for k, v in held.items()}


def test_where_there_is_no_estimate_there_is_a_reason(baseline: Baseline) -> None:
    score, y = drawn(100, 6)
    few = estimate(baseline, binary(score[:10], None, baseline.reference))
    assert {figure.reason for figure in few.values()} == {"10 rows, 30 are needed"}
    unlabelled = Baseline(build_reference(pa.table({"x": score}), scores=score, predictions=y, positive="1"))
    silent = estimate(unlabelled, binary(score, y, baseline.reference))
    assert {figure.reason for figure in silent.values()} == {"the reference has no labels"}
    before = many(0, 2000)
    strange = pa.table({"prediction": ["d"] * 50, "version": np.ones(50, "int64")})
    said = estimate(before, scan(strange, before.reference.binning))
    assert {figure.reason for figure in said.values()} == {"a predicted class is not in the reference"}
