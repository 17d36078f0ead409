"""Concept drift: silent where only the inputs move, loud where the world does."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import chi2_contingency
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.concept import concept_drift
from modelops_jupyter.profiles import Profile, build_reference, scan


def binary(n: int, seed: int, shift: float = 0.0, more: float = 0.0) -> pa.Table:
    generator = np.random.default_rng(seed)
    x = generator.normal(shift, 1, n)
    y = np.where(generator.random(n) < 1 / (1 + np.exp(-x - more)), "1", "0")
    said = np.where(x > 0, "1", "0")
    score = 1 / (1 + np.exp(-1.3 * x))
    return pa.table({"prediction": said, "score": score, "label": y, "version": np.ones(n, "int64")})


def many(n: int, seed: int, shares: tuple[float, ...] = (0.6, 0.3, 0.1), right: float = 0.8) -> pa.Table:
    generator = np.random.default_rng(seed)
    said = generator.choice(3, n, p=shares)
    came = np.where(generator.random(n) < right, said, generator.integers(0, 3, n))
    names = np.array(["a", "b", "c"])
    return pa.table({"prediction": names[said], "label": names[came], "version": np.ones(n, "int64")})


def numbers(n: int, seed: int, shift: float = 0.0, more: float = 0.0) -> pa.Table:
    generator = np.random.default_rng(seed)
    said = generator.normal(10 + shift, 2, n)
    label = said + 0.2 * (said - 10) + generator.normal(-more, 1, n)
    return pa.table({"prediction": said, "label": label, "version": np.ones(n, "int64")})


def baseline_of(table: pa.Table, **kind: str) -> Baseline:
    columns = {name: table[name].to_numpy() for name in table.column_names}
    scores = columns.get("score")
    said, came = columns["prediction"], columns["label"]
    features = pa.table({"x": np.zeros(len(said))})
    return Baseline(build_reference(features, scores=scores, predictions=said, labels=came, **kind))


TASKS = {
    "calibration_shift": (binary, {"positive": "1"}),
    "label_shift": (many, {}),
    "error_shift": (numbers, {"task": "regression"}),
}


def p_value(name: str, seed: int, **change: object) -> float:
    draw, kind = TASKS[name]
    baseline = baseline_of(draw(2000, seed), **kind)
    found = concept_drift(baseline, scan(draw(800, 10_000 + seed, **change), baseline.reference.binning))[name]
    assert found.p_value is not None
    return found.p_value


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("calibration_shift", {"shift": 0.7}),
        ("label_shift", {"shares": (0.2, 0.3, 0.5)}),
        ("error_shift", {"shift": 1.0}),
    ],
)
def test_a_shift_of_the_inputs_is_no_concept_drift(name: str, change: dict) -> None:
    """P-values are uniform: of 80, at most 12 % are under 0.05."""
    p_values = np.array([p_value(name, seed, **change) for seed in range(80)])
    assert (p_values < 0.05).mean() <= 0.12
    assert 0.4 < p_values.mean() < 0.6


@pytest.mark.parametrize(
    ("name", "change"),
    [("calibration_shift", {"more": 0.6}), ("label_shift", {"right": 0.6}), ("error_shift", {"more": 0.4})],
)
def test_a_changed_world_is_seen(name: str, change: dict) -> None:
    assert max(p_value(name, seed, **change) for seed in range(10)) < 0.01


def test_the_change_of_the_intercept_is_what_was_put_in() -> None:
    baseline = baseline_of(binary(20_000, 0), positive="1")
    found = concept_drift(baseline, scan(binary(20_000, 1, more=0.5), baseline.reference.binning))
    assert found["intercept_change"].low < 0.5 < found["intercept_change"].high  # type: ignore[operator]
    assert found["slope_change"].low < 0 < found["slope_change"].high  # type: ignore[operator]


def test_the_g_test_by_prediction_is_scipys() -> None:
    before, now = many(2000, 0), many(900, 1)
    baseline = baseline_of(before)
    found = concept_drift(baseline, scan(now, baseline.reference.binning))["label_shift"]
    statistic, degrees = 0.0, 0
    for said in "abc":
        counts = [
            [
                sum((t["prediction"][n].as_py(), t["label"][n].as_py()) == (said, came) for n in range(len(t)))
                for came in "abc"
            ]
            for t in (before, now)
        ]
        raw = chi2_contingency(np.array(counts), correction=False, lambda_="log-likelihood")
        statistic, degrees = statistic + raw.statistic, degrees + raw.dof
    assert found.value == pytest.approx(statistic)
    assert found.degrees == degrees


def test_where_there_is_no_figure_there_is_a_reason() -> None:
    baseline = baseline_of(binary(500, 0), positive="1")

    def reasons(profile: Profile) -> set[str | None]:
        return {figure.reason for figure in concept_drift(baseline, profile).values()}

    binning = baseline.reference.binning
    assert reasons(scan(binary(10, 1), binning)) == {"10 labels, 30 are needed"}
    assert reasons(scan(binary(100, 1).drop_columns(["label"]), binning)) == {"no labels"}
    # Where all outcomes are positive there is no slope to them, but it shows that there are more than expected.
    assert reasons(scan(binary(100, 1, more=50.0), binning)) == {"one class", None}


def test_the_excess_of_positives_is_observed_less_expected_by_scikit_learns_recalibration() -> None:
    before, now = binary(20_000, 3), binary(5000, 4, shift=0.5, more=0.2)
    baseline = baseline_of(before, positive="1")
    found = concept_drift(baseline, scan(now, baseline.reference.binning))["outcome_excess"]
    logits, hits = ({n: f(t) for n, t in (("before", before), ("now", now))} for f in (logit_of, hits_of))
    fitted = LogisticRegression(C=np.inf).fit(logits["before"], hits["before"])
    expected = fitted.predict_proba(logits["now"])[:, 1]
    assert found.value == pytest.approx(hits["now"].mean() - expected.mean(), abs=2e-4)
    assert found.error == pytest.approx(np.sqrt((expected * (1 - expected)).sum()) / 5000, rel=0.15)


def logit_of(table: pa.Table) -> np.ndarray:
    score = table["score"].to_numpy()
    return np.log(score / (1 - score)).reshape(-1, 1)


def hits_of(table: pa.Table) -> np.ndarray:
    return table["label"].to_numpy(zero_copy_only=False) == "1"


def test_the_excess_strays_as_far_as_its_interval_says() -> None:
    """Of 200 pairs of reference and window without a change, the inputs moved, the interval holds none in 95 %."""
    held = 0
    for seed in range(200):
        baseline = baseline_of(binary(2000, seed), positive="1")
        found = concept_drift(baseline, scan(binary(500, 5000 + seed, shift=0.4), baseline.reference.binning))
        held += found["outcome_excess"].low <= 0 <= found["outcome_excess"].high
    assert 180 <= held <= 199
