"""Wasserstein's distance from profiles: within its bound of SciPy's on the raw rows, whatever the tails."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.drift import Methods, drift
from modelops_jupyter.monitoring.figures.figure import Figure
from modelops_jupyter.profiles import build_reference, scan

Draw = Callable[[np.random.Generator, int], np.ndarray]
TAILS: dict[str, Draw] = {
    "normal": lambda g, n: g.normal(size=n),
    "exponential": lambda g, n: g.exponential(size=n),
    "lognormal": lambda g, n: g.lognormal(0, 3, n),
    "cauchy": lambda g, n: g.standard_cauchy(n),
    "pareto": lambda g, n: g.pareto(1.1, n),
    "student": lambda g, n: g.standard_t(3, n),
    "zero-inflated": lambda g, n: np.where(g.random(n) < 0.7, 0.0, g.lognormal(0, 2, n)),
    "counts": lambda g, n: g.negative_binomial(0.2, 0.01, n).astype(float),
    "constant": lambda g, n: np.full(n, 2.0),
}


def table(values: np.ndarray) -> pa.Table:
    return pa.table({"x": values, "version": np.ones(len(values), "int64")})


def distance(before: np.ndarray, now: np.ndarray) -> Figure:
    reference = build_reference(table(before).drop_columns(["version"]))
    current = scan(table(now), reference.binning)
    return drift(Baseline(reference), current, Methods(numeric=("wasserstein",)))["x"]["wasserstein"]


@given(
    st.sampled_from(sorted(TAILS)),
    st.sampled_from(sorted(TAILS)),
    st.integers(0, 10_000),
    st.integers(1, 3_000),
    st.integers(30, 3_000),
    st.sampled_from([0.0, 0.0, 0.1, 5.0, -1e4]),
    st.sampled_from([1.0, 1e-9, 1e9]),
)
def test_the_true_distance_lies_between_the_ends(
    one: str, other: str, seed: int, n: int, m: int, shift: float, scale: float
) -> None:
    generator = np.random.default_rng(seed)
    before, now = TAILS[one](generator, n) * scale, (TAILS[other](generator, m) + shift) * scale
    found, raw = distance(before, now), stats.wasserstein_distance(before, now)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    slack = 1e-9 * max(raw, np.abs(before).max(), np.abs(now).max())
    assert found.low - slack <= raw <= found.high + slack
    assert found.low <= found.value <= found.high


# How far off the middle of 15 draws may be, and any of them: with 38 and 0.02 times before, on such tails.
@pytest.mark.parametrize("name", ["normal", "lognormal", "cauchy", "pareto", "student", "zero-inflated", "constant"])
@pytest.mark.parametrize(("n", "m"), [(20_000, 3_000), (2_000, 500), (500, 20_000)])
def test_heavy_tails_are_near_the_truth(name: str, n: int, m: int) -> None:
    ratios = []
    for seed in range(15):
        generator = np.random.default_rng(seed)
        before = TAILS[name](generator, n)
        now = TAILS["normal"](generator, m) + 2 if name == "constant" else TAILS[name](generator, m)
        value = distance(before, now).value
        assert value is not None
        ratios.append(value / stats.wasserstein_distance(before, now))
    assert np.median(ratios) == pytest.approx(1.0, abs=0.12)
    assert 0.55 < min(ratios) <= max(ratios) < 1.8
    assert np.mean(np.abs(np.array(ratios) - 1) < 0.15) > 0.5


def test_distributions_beside_each_other_are_as_far_as_their_means() -> None:
    for name in ("normal", "lognormal", "cauchy", "pareto"):
        before = TAILS[name](np.random.default_rng(1), 5_000)
        found = distance(before, before + 3 * np.ptp(before))
        assert found.value == pytest.approx(3 * np.ptp(before), rel=1e-6)
        assert found.high == pytest.approx(found.value, rel=1e-6)
