"""Tests of categories, and distances less chance: in healthy windows they are what they should be by chance."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.cells import filled, pearson_tail, split
from modelops_jupyter.monitoring.figures.drift import Methods, drift
from modelops_jupyter.monitoring.figures.figure import Figure
from modelops_jupyter.profiles import build_reference, scan

DEBIASED = ("psi", "psi_debiased", "jensen_shannon", "jensen_shannon_debiased")
METHODS = Methods(numeric=DEBIASED, category=(*DEBIASED, "chi_square", "g_test"))


def figures(before: np.ndarray, now: np.ndarray) -> dict[str, Figure]:
    reference = build_reference(pa.table({"x": before}), segments=())
    current = scan(pa.table({"x": now, "version": np.ones(len(now), "int64")}), reference.binning)
    return drift(Baseline(reference), current, METHODS)["x"]


def healthy(values: int, zipf: bool, n: int, m: int, worlds: int, seed: int = 0) -> list[dict[str, Figure]]:
    """Return the figures of windows of the distribution that the reference has: a text column of so many values."""
    generator, names = np.random.default_rng(seed), np.array([f"v{place}" for place in range(values)])
    shares = 1 / np.arange(1, values + 1) if zipf else np.ones(values)
    shares /= shares.sum()
    draws = ([generator.choice(names, rows, p=shares) for rows in (n, m)] for _ in range(worlds))
    return [figures(before, now) for before, now in draws]


def values_of(found: Sequence[dict[str, Figure]], name: str) -> np.ndarray:
    return np.array([each[name].value for each in found], dtype=float)


def at_most(share: float, worlds: int) -> float:
    """Return how many of `worlds` may pass where each does with chance `share`: in all but 1 of 10,000 tests."""
    return float(stats.binom.ppf(1 - 1e-4, worlds, share))


VALUES = [2, 10, 100, 500, 5_000]
SIZES = [(1_000, 200), (5_000, 1_000), (20_000, 500), (500, 5_000)]
WORLDS = [
    (n, m, values, zipf)
    for n, m in SIZES
    for values in VALUES
    for zipf in (False, True)
    if zipf or n >= values / 4  # else nearly every value is another one: an identifier, which has no distribution
]


@pytest.mark.slow
@pytest.mark.parametrize(("n", "m", "values", "zipf"), WORLDS)
def test_p_values_are_uniform_or_conservative_in_healthy_windows(values: int, zipf: bool, n: int, m: int) -> None:
    """A chi-square of 500 equally likely values was below 0.05 in 32 % of healthy windows."""
    worlds = 200
    tails = np.array([each["chi_square"].p_value for each in healthy(values, zipf, n, m, worlds)])
    for level in (0.01, 0.05, 0.2):
        assert (tails <= level).sum() <= at_most(level, worlds), level


@pytest.mark.slow
@pytest.mark.parametrize(("n", "m", "values", "zipf"), WORLDS)
def test_a_debiased_psi_is_nothing_on_average_in_healthy_windows(values: int, zipf: bool, n: int, m: int) -> None:
    """PSI was 0.1 or more in 93 % of healthy windows of Zipf's values."""
    found = healthy(values, zipf, n, m, 120, seed=1)
    less = values_of(found, "psi_debiased")
    assert abs(less.mean()) <= 4 * less.std() / np.sqrt(len(less)) + 0.002
    assert (less >= 0.1).mean() <= 0.05
    plain, rest = values_of(found, "jensen_shannon"), values_of(found, "jensen_shannon_debiased")
    assert (rest == 0).mean() >= 0.3
    assert np.quantile(rest, 0.95) <= 0.75 * np.quantile(plain, 0.95) + 0.02


@pytest.mark.parametrize(("n", "m"), [(1_000, 40), (1_000, 200), (20_000, 1_000), (300, 5_000)])
def test_a_debiased_psi_of_numbers_is_nothing_on_average(n: int, m: int) -> None:
    generator = np.random.default_rng(2)
    found = [figures(generator.lognormal(size=n), generator.lognormal(size=m)) for _ in range(200)]
    less = values_of(found, "psi_debiased")
    assert abs(less.mean()) <= 4 * less.std() / np.sqrt(len(less)) + 0.01 * values_of(found, "psi").mean()


def test_what_moved_is_seen_less_chance() -> None:
    generator = np.random.default_rng(3)
    names = np.array([f"v{place}" for place in range(500)])
    before, now = generator.choice(names, 5_000), generator.choice(names, 1_000)
    now[:200] = build_reference(pa.table({"x": before}), segments=()).binning.columns["x"].categories[50]
    found = figures(before, now)
    assert found["chi_square"].p_value is not None
    assert found["chi_square"].p_value < 1e-6
    assert (found["psi_debiased"].value or 0) > 0.3
    vanished = figures(before, generator.choice(names[:250], 1_000))
    assert (vanished["chi_square"].p_value or 0) < 1e-6
    moved = figures(generator.normal(size=5_000), generator.normal(0.5, 1, 1_000))
    assert moved["psi_debiased"].value == pytest.approx(moved["psi"].value, abs=0.03)


counts = st.lists(st.integers(0, 60), min_size=2, max_size=30)


@given(counts, st.randoms(use_true_random=False))
def test_cells_keep_every_row_and_have_enough_of_them(before: list[int], shuffler: object) -> None:
    generator = np.random.default_rng(len(before))
    now = generator.poisson(np.array(before) / 2 + 0.5).astype(float)
    left, right = filled(np.array(before, dtype=float), now)
    assert (left.sum(), right.sum()) == (sum(before), now.sum())
    together = left + right
    expected = together * min(left.sum(), right.sum()) / max(together.sum(), 1.0)
    assert (together > 0).sum() <= 1 or (expected[together > 0] >= 5 - 1e-9).all()


@given(counts)
def test_parted_rows_are_rows_of_the_reference(given: list[int]) -> None:
    column = np.array([*given, 0])
    own, compared = split(column)
    assert not own[-1]
    assert ((compared >= 0) & (compared <= column)).all()
    if min((count for count in given if count), default=99) >= 30:
        assert (compared == column).all()
        assert (own[:-1] == (column[:-1] > 0)).all()
    assert (split(column)[1] == compared).all()  # the same again


@pytest.mark.parametrize("rows", [(600, 60), (300, 200)])
def test_the_tail_is_that_of_all_ways_to_part_the_rows(rows: tuple[int, int]) -> None:
    """Against permutation: 16 cells of which most have hardly a row."""
    generator = np.random.default_rng(4)
    together = np.array([*[int(2.2 * sum(rows) / min(rows))] * 12, 20, 40, 60])
    together = np.append(together, sum(rows) - together.sum())
    drawn = generator.multivariate_hypergeometric(together, rows[1], size=20_000).astype(float)
    expected = together * rows[1] / sum(rows)
    statistics = ((drawn - expected) ** 2 * (1 / expected + 1 / (together - expected))).sum(1)
    for share in (0.5, 0.9, 0.99):
        at = int(np.argmin(np.abs(statistics - np.quantile(statistics, share))))
        tail = pearson_tail(float(statistics[at]), together - drawn[at], drawn[at])
        assert 0.75 * (1 - share) - 0.0005 <= tail <= 1.8 * (1 - share) + 0.003
