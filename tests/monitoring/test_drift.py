"""Drift figures against SciPy and NumPy on the raw rows, each within its stated bound."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.monitoring.figures import distances, transport
from modelops_jupyter.monitoring.figures.baseline import Baseline, NumericColumns
from modelops_jupyter.monitoring.figures.drift import CATEGORY, NUMERIC, Methods, column_drift, drift
from modelops_jupyter.profiles import Profile, Reference, build_reference, scan

ALL = Methods(NUMERIC, CATEGORY)
MESSY = st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(-3, 3), st.sampled_from([np.nan, np.inf, -np.inf]))
# Long enough that figures are computed: of what is drawn, half is usable, and it takes 30 values.
FRAMES = st.tuples(st.lists(MESSY, min_size=31, max_size=80), st.lists(MESSY, min_size=90, max_size=120))


def column(values: list[object]) -> pa.Table:
    numbers = pa.array([None if v is None else float(v) for v in values], pa.float64())  # type: ignore[arg-type]
    return pa.table({"x": numbers, "version": np.ones(len(values), "int64")})


def built(values: list[object]) -> Reference:
    return build_reference(column(values).drop_columns(["version"]))


def known(values: list[object]) -> np.ndarray:
    numbers = np.array([np.nan if v is None else float(v) for v in values])  # type: ignore[arg-type]
    return numbers[np.isfinite(numbers)]


def bounds(reference: Reference, current: Profile) -> tuple[float, float]:
    """Return the bounds of Kolmogorov-Smirnov and Wasserstein."""
    columns = NumericColumns(reference.binning.columns, reference.profile.columns)
    now = [current.columns["x"]]
    p, q = (counts / counts.sum() for counts in (columns.counts, columns.fine([column.counts for column in now])))
    _, slack = transport.wasserstein(p, q, columns.edges, columns.spread, columns.spread_of(now))
    return float(distances.kolmogorov_smirnov_bound(p, q)[0]), float(slack[0])


def check_numbers(before: list[object], now: list[object]) -> None:
    reference = built(before)
    current = scan(column(now), reference.binning)
    figures = drift(Baseline(reference), current, ALL)["x"]
    left, right = known(before), known(now)
    if len(left) == 0 or len(right) < 30:
        check_reasons(figures, NUMERIC)
        return
    ks_bound, w_bound = bounds(reference, current)
    raw = stats.ks_2samp(left, right).statistic
    assert raw - ks_bound - 1e-9 <= figures["kolmogorov_smirnov"].value <= raw + 1e-9
    raw = stats.wasserstein_distance(left, right)
    assert figures["wasserstein"].value == pytest.approx(raw, abs=w_bound + 1e-9 * (1 + np.abs([*left, *right]).max()))
    edges = [reference.binning.columns["x"].edges[i] for i in reference.binning.columns["x"].coarse]
    a, b = (np.bincount(np.searchsorted(edges, side), minlength=len(edges) + 1).astype(float) for side in (left, right))
    check_binned(figures, a, b)


def check_reasons(figures: dict, methods: Sequence[str]) -> None:
    assert set(figures) >= set(methods)
    assert all(figure.value is None and figure.reason for figure in figures.values())


def check_binned(figures: dict, a: np.ndarray, b: np.ndarray) -> None:
    p, q = a / a.sum(), b / b.sum()
    assert figures["jensen_shannon"].value == pytest.approx(jensenshannon(p, q, base=2), abs=1e-7)
    assert figures["hellinger"].value == pytest.approx(np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / np.sqrt(2))
    raised = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
    assert figures["psi"].value == pytest.approx(np.sum((raised[1] - raised[0]) * np.log(raised[1] / raised[0])))
    if "l_infinity" in figures:
        assert figures["l_infinity"].value == pytest.approx(np.abs(p - q).max())
    if "wasserstein" in figures:
        check_tests(figures, a, b)


def check_tests(figures: dict, a: np.ndarray, b: np.ndarray) -> None:
    table = np.array([a, b])[:, a + b > 0]
    for name, method in (("chi_square", "pearson"), ("g_test", "log-likelihood")):
        found = figures[name]
        if table.shape[1] < 2:
            assert (found.value, found.p_value, found.degrees) == (0.0, 1.0, 0)
            continue
        expected = stats.chi2_contingency(table, correction=False, lambda_=method)
        assert found.value == pytest.approx(expected.statistic, abs=1e-8)
        assert found.p_value == pytest.approx(expected.pvalue, abs=1e-12)
        assert found.degrees == expected.dof


@given(FRAMES)
def test_numeric_drift_is_within_its_bounds_of_scipy(frames: tuple[list[object], list[object]]) -> None:
    check_numbers(*frames)


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.5, 8.0])
@pytest.mark.parametrize("draw", ["normal", "lognormal", "standard_cauchy", "exponential"])
def test_the_bounds_are_tight_enough_to_be_of_use(draw: str, shift: float) -> None:
    generator = np.random.default_rng(3)
    before, now = getattr(generator, draw)(size=20_000), getattr(generator, draw)(size=3_000) + shift
    reference = built(list(before))
    current = scan(column(list(now)), reference.binning)
    ks_bound, w_bound = bounds(reference, current)
    figures = drift(Baseline(reference), current, ALL)["x"]
    assert ks_bound < 0.0085
    raw = stats.wasserstein_distance(before, now)
    assert abs(figures["wasserstein"].value - raw) <= w_bound + 1e-9  # type: ignore[operator]
    if draw != "standard_cauchy":
        assert figures["wasserstein"].value == pytest.approx(raw, rel=0.01, abs=0.01 * before.std())
    assert figures["kolmogorov_smirnov"].value == pytest.approx(stats.ks_2samp(before, now).statistic, abs=0.0085)
    # SciPy's asymptotic p-value has a small-sample correction.
    assert figures["kolmogorov_smirnov"].p_value == pytest.approx(
        stats.ks_2samp(before, now, method="asymp").pvalue, abs=0.12
    )


@given(st.lists(MESSY, max_size=29), st.lists(MESSY, max_size=29))
def test_few_numbers_have_a_reason(before: list[object], now: list[object]) -> None:
    check_numbers(before, now)


WORD = st.sampled_from([None, *"abcdef"])


@given(st.lists(WORD, min_size=1, max_size=60), st.one_of(st.lists(WORD, max_size=29), st.lists(WORD, min_size=45)))
def test_category_drift_agrees_with_scipy(before: list[str | None], now: list[str | None]) -> None:
    reference = build_reference(pa.table({"c": pa.array(before, pa.string())}))
    table = pa.table({"c": pa.array(now, pa.string()), "version": np.ones(len(now), "int64")})
    figures = drift(Baseline(reference), scan(table, reference.binning), ALL)["c"]
    left, right = [v for v in before if v], [v for v in now if v]
    if not left or len(right) < 30:
        check_reasons(figures, CATEGORY)
        return
    categories = sorted(set(left))
    a, b = ([*(side.count(c) for c in categories), sum(v not in categories for v in side)] for side in (left, right))
    check_binned(figures, np.array(a, float), np.array(b, float))


def test_columns_measured_together_are_measured_as_alone() -> None:
    generator = np.random.default_rng(5)
    features = {
        "wide": generator.normal(size=600),
        "few": generator.integers(0, 3, 600).astype(float),
        "constant": np.full(600, 7.0),
        "empty": np.full(600, np.nan),
        "word": generator.choice(["a", "b"], 600),
    }
    reference = build_reference(pa.table(features))
    current = scan(pa.table({**features, "version": np.ones(600, "int64")}).slice(0, 200), reference.binning)
    together = drift(Baseline(reference), current, ALL)
    for name, figures in together.items():
        for method, figure in figures.items():
            alone = column_drift(
                method, reference.profile.columns[name], current.columns[name], reference.binning.columns[name]
            )
            assert (alone.value, alone.reason) == (pytest.approx(figure.value), figure.reason)
    assert together["constant"]["wasserstein"].value == 0.0
    assert together["empty"]["psi"].reason == "no values in the reference"


def test_a_constant_that_moved_has_a_distance() -> None:
    reference = built([5.0] * 50)
    figures = drift(Baseline(reference), scan(column([3.0] * 50), reference.binning), ALL)["x"]
    assert figures["wasserstein"].value == pytest.approx(2.0)


def test_a_method_nobody_knows_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"'emd' for numeric columns: choose of psi"):
        Methods(numeric=("emd",))
    with pytest.raises(InvalidInput, match="wasserstein"):
        Methods(category=("wasserstein",))
