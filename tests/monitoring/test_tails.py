"""Limits by chance are passed as often as promised, not more, whatever the tails of columns and errors are."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from modelops_jupyter.monitoring.figures.bonds import Bonds
from modelops_jupyter.monitoring.figures.concept import error_shift
from modelops_jupyter.monitoring.figures.dependence_tails import influences_of_ranks, normal_scores, null_shares
from modelops_jupyter.profiles import Outcomes, build_reference, scan

Generator = np.random.Generator
Rows = dict[str, np.ndarray]
LETTERS = np.array(list("abcdefgh"))


def independent(g: Generator, n: int) -> Rows:
    counts = {f"counts{i}": np.where(g.random(n) < 0.7, 0, g.poisson(2, n)).astype(float) for i in range(2)}
    words = {f"word{i}": LETTERS[np.minimum(g.geometric(0.4, n) - 1, 7)] for i in range(2)}
    return {"amount": g.lognormal(0, 2, n), "change": g.standard_t(3, n), **counts, **words}


def rare(g: Generator, n: int) -> Rows:
    numbers = {
        f"rare{p}": np.where(g.random(n) < 1 - p, 0.0, 1.0 + g.poisson(2, n)) for p in (0.01, 0.02, 0.03, 0.05, 0.1)
    }
    return {**numbers, "word": np.where(g.random(n) < 0.98, "a", np.where(g.random(n) < 0.5, "b", "c"))}


def close(g: Generator, n: int) -> Rows:
    """Columns that say the same but for a few rows."""
    z, word = g.normal(size=n), g.integers(0, 6, n)
    numbers = {f"x{i}": np.where(g.random(n) < 0.03, g.normal(size=n), z + 0.1 * g.normal(size=n)) for i in range(3)}
    return {**numbers, **{f"w{i}": LETTERS[np.where(g.random(n) < 0.02, g.integers(0, 6, n), word)] for i in range(2)}}


def heavy(g: Generator, n: int) -> Rows:
    """Columns that depend on each other in their tails."""
    z, scale = g.normal(size=n), np.sqrt(g.chisquare(3, n) / 3)
    numbers = {f"t{i}": (0.6 * z + 0.8 * g.normal(size=n)) / scale for i in range(2)}
    counts = {f"n{i}": np.where(g.random(n) < 0.6, 0, g.poisson(np.exp(1.2 * z))).astype(float) for i in range(2)}
    return {
        **numbers,
        **counts,
        "e": np.exp(z + g.normal(size=n)),
        "w": LETTERS[np.clip((2 * z).astype(int) + 3, 0, 7)],
    }


WORLDS: dict[str, Callable[[Generator, int], Rows]] = {
    "independent": independent,
    "rare": rare,
    "close": close,
    "heavy": heavy,
}


def tails_of_windows(world: str, rows: int, references: int, windows: int) -> np.ndarray:
    """Return the tail of the most changed bond of every column in healthy windows, by the limits that judges take."""
    found = []
    for seed in range(references):
        g = np.random.default_rng(seed)
        reference = build_reference(pa.table(WORLDS[world](g, 10_000)), task="decision", segments=())
        bonds, total = Bonds(reference), rows * windows
        times = pa.array(np.arange(total) * 1000).cast(pa.timestamp("us", tz="UTC"))
        table = pa.table({**WORLDS[world](g, total), "version": np.ones(total, "int64"), "timestamp": times})
        codes = scan(table, reference.binning, total).sample.table[g.permutation(total)]
        for at in range(0, total, rows):
            for bond in bonds.changes(codes[at : at + rows]).values():
                alone = 2 * stats.norm.sf(abs(bond.change) / bond.error)
                found.append(-np.expm1(bond.looked_at * np.log1p(-min(alone, 1 - 1e-9))))
    return np.array(found)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [200, 1_000])
@pytest.mark.parametrize("world", sorted(WORLDS))
def test_a_bond_passes_its_limit_as_often_as_promised_at_most(world: str, rows: int) -> None:
    """At 1e-3 the bonds of columns with rare values were passed 50 times as often as promised, of close ones 250."""
    tails = tails_of_windows(world, rows, 6, 200)
    windows = 6 * 200  # columns of one window share their pairs: count windows' worth of evidence, not columns'
    for level in (1e-2, 1e-3):
        passed = (tails <= level).mean() * windows
        assert passed <= stats.binom.ppf(1 - 1e-4, windows, level), level


def test_influences_have_no_mean_and_are_those_of_one_row_more() -> None:
    g = np.random.default_rng(1)
    x, y = g.integers(0, 8, 4_000), g.integers(0, 8, 4_000)
    y = np.where(g.random(4_000) < 0.5, x, y)
    table = np.zeros((1, 8, 8))
    np.add.at(table[0], (x, y), 1)
    influences = influences_of_ranks(table / table.sum())[0]
    assert (influences * table[0]).sum() == pytest.approx(0, abs=1e-6)
    before = stats.spearmanr(x, y).statistic
    for a, b in ((0, 0), (7, 0), (3, 4), (7, 7)):
        more = stats.spearmanr(np.append(x, [a] * 4), np.append(y, [b] * 4)).statistic
        assert (more - before) * 4_004 / 4 == pytest.approx(influences[a, b], abs=0.03)


def test_the_shares_of_cells_have_the_windows_margins() -> None:
    g = np.random.default_rng(2)
    table = g.poisson(5, (3, 6, 6)).astype(float)
    left, right = g.dirichlet(np.full(6, 20.0), 3), g.dirichlet(np.full(6, 20.0), 3)
    shares = null_shares(table, left, right)
    assert shares.sum((1, 2)) == pytest.approx(np.ones(3))
    assert shares.sum(2) == pytest.approx(left, abs=1e-3)
    assert shares.sum(1) == pytest.approx(right, abs=1e-3)


def test_scores_of_a_sum_of_rare_rows_are_those_of_the_binomial() -> None:
    """The sum of 200 rows of which one in a thousand counts: 3 are 1e-3, where a normal distribution says 1e-10.

    Sums that are whole numbers are passed in steps: between two of them the tail is that of neither.
    """
    rows, share = 200, 1e-3
    shares, terms = np.array([[[1 - share, share]]]), np.array([[[-share, 1 - share]]])
    for hits in (2, 3, 5):
        change = hits / rows - share
        score = normal_scores(np.array([change]), terms, shares, np.array([float(rows)]), np.zeros(1))[0]
        exact = stats.binom.sf(hits - 1, rows, share)
        assert exact / 4 <= stats.norm.sf(score) <= 2 * exact
    large = normal_scores(
        np.array([0.1]), np.array([[[-1.0, 1.0]]]), np.array([[[0.5, 0.5]]]), np.array([1e3]), np.zeros(1)
    )
    assert large[0] == pytest.approx(0.1 * np.sqrt(1_000), rel=0.02)


def errors_of(kind: str, g: Generator, n: int) -> Outcomes:
    """Return the sums of a regression's errors by bin of its prediction, of labels of some distribution."""
    said = np.exp(0.5 + g.normal(size=n))
    labels = {
        "poisson": lambda: g.poisson(said),
        "negative binomial": lambda: g.negative_binomial(0.15, 0.15 / (0.15 + said)),
        "zero-inflated": lambda: np.where(g.random(n) < 0.9, 0, g.poisson(10 * said)),
        "lognormal": lambda: said * g.lognormal(-(1.5**2) / 2, 1.5, n),
        "student": lambda: said + g.standard_t(3, n),
    }[kind]()
    error, bins = said - labels, np.searchsorted(np.exp(0.5 + stats.norm.ppf(np.arange(1, 20) / 20)), said)
    powers = (np.ones(n), error, np.abs(error), error**2, error**4)
    sums = np.column_stack([np.bincount(bins, weights=power, minlength=20) for power in powers])
    return Outcomes(labelled=n, by_prediction=tuple(map(tuple, sums.tolist())))


@pytest.mark.slow
@pytest.mark.parametrize(("before", "rows"), [(3_000, 300), (10_000, 1_000)])
@pytest.mark.parametrize("kind", ["poisson", "negative binomial", "zero-inflated", "lognormal", "student"])
def test_an_error_shift_passes_its_limit_as_often_as_promised(kind: str, before: int, rows: int) -> None:
    """At 1e-3 zero-inflated counts passed 790 times as often as promised."""
    tails = []
    for seed in range(10):
        g = np.random.default_rng(seed)
        reference = errors_of(kind, g, before)
        tails += [error_shift(reference, errors_of(kind, g, rows)).p_value for _ in range(200)]
    for level in (0.05, 1e-2, 1e-3):
        passed = float((np.array(tails) <= level).sum())
        # The windows of one reference share what chance made of it.
        assert passed <= 1.5 * stats.binom.ppf(1 - 1e-4, len(tails), level), level


def test_an_error_that_shifted_is_seen() -> None:
    g = np.random.default_rng(3)
    reference, now = errors_of("poisson", g, 10_000), errors_of("poisson", g, 1_000)
    moved = np.array(now.by_prediction)
    moved[:, 1] += 0.5 * moved[:, 0]
    shifted = error_shift(reference, Outcomes(labelled=1_000, by_prediction=tuple(map(tuple, moved.tolist()))))
    assert (shifted.p_value or 0) < 1e-5
    assert (error_shift(reference, now).p_value or 0) > 1e-3
