"""Limits by chance, against draws: passed no more often than they say."""

import numpy as np
import pytest
from scipy import stats

from modelops_jupyter.monitoring.figures import distances, noise
from modelops_jupyter.monitoring.judging.thresholds import STAYS

DRAWS = 20_000
UNIFORM = np.full(20, 0.05)
RARE = (1 / np.arange(1, 51) ** 1.3) / (1 / np.arange(1, 51) ** 1.3).sum()


@pytest.mark.parametrize("shares", [UNIFORM, RARE, np.array([0.5, 0.3, 0.2])], ids=["uniform", "rare", "three"])
@pytest.mark.parametrize(("now", "before"), [(50, 5000), (1000, 5000), (1000, 1000), (100_000, 5000)])
def test_distances_pass_their_limits_as_often_as_said(shares: np.ndarray, now: int, before: int) -> None:
    generator = np.random.default_rng(1)
    reference = generator.multinomial(before, shares, DRAWS).astype(float)
    window = generator.multinomial(now, shares, DRAWS).astype(float)
    p, q = reference / before, window / now
    rows = noise.paired_rows(before, now)
    scaled = noise.JENSEN_SHANNON_SCALE * rows * distances.jensen_shannon(p, q) ** 2
    steps = np.sqrt(rows) * distances.kolmogorov_smirnov(p, q)
    strays = noise.divergence(reference, np.full(DRAWS, float(rows)))
    for chance in (0.1, 0.01, 0.001):
        often = chance + 4 * np.sqrt(chance / DRAWS)
        assert np.mean(scaled > strays.limit(chance)) < often
        assert np.mean(steps > noise.kolmogorov_limit(chance)) < often
    # And not only because they are wide: where bins are full, they are as wide as chance makes them.
    if shares is UNIFORM and now >= 1000:
        assert np.mean(scaled > strays.limit(0.01)) > 0.005


@pytest.mark.parametrize(("now", "before"), [(100, 5000), (1000, 1000), (100_000, 5000)])
def test_rank_shifts_pass_a_chi_square_as_often_as_said(now: int, before: int) -> None:
    generator = np.random.default_rng(3)
    shares = np.full(120, 1 / 120)
    p, q = (generator.multinomial(rows, shares, DRAWS // 4) / rows for rows in (before, now))
    rows = noise.paired_rows(before, now)
    scaled = noise.JENSEN_SHANNON_SCALE * rows * distances.rank_shift(distances.rank_scores(p), q) ** 2
    for chance in (0.1, 0.01, 0.001):
        passed = np.mean(scaled / 2 > noise.chi_square_limit(np.array(2.0), chance))
        assert abs(passed - chance) < 4 * np.sqrt(chance / len(scaled)) + 0.2 * chance


def test_the_shift_of_ranks_is_that_of_mann_and_whitney() -> None:
    generator = np.random.default_rng(4)
    before, now = generator.poisson(3.0, 400), generator.poisson(3.4, 300)
    p, q = (np.bincount(values, minlength=20) / len(values) for values in (before, now))
    place = distances.rank_scores(p)[:, 0]
    share = stats.mannwhitneyu(now, before).statistic / (300 * 400)
    # Half the difference of two mid-ranks from -1 to 1, in their standard deviations.
    ranks = stats.rankdata(before, method="average") / 200
    assert (q * place).sum() == pytest.approx((share - 0.5) * 2 / ranks.std())


def test_a_small_shift_is_as_far_by_ranks_as_by_jensen_and_shannon() -> None:
    edges = stats.norm.ppf(np.arange(1, 120) / 120)
    p, q = (np.diff(stats.norm.cdf(edges, at), prepend=0.0, append=1.0) for at in (0.0, 0.1))
    by_ranks = distances.rank_shift(distances.rank_scores(p), q)
    assert by_ranks == pytest.approx(distances.jensen_shannon(p, q), rel=0.05)


def test_windows_together_that_pass_by_chance_stay_and_are_one_alert() -> None:
    """Sums of seven windows that pass at STAYS times a chance open alerts, three windows apart, at that chance."""
    draws = np.random.default_rng(5).normal(size=2_000_000)
    sums = np.convolve(draws, np.ones(7), "valid") / np.sqrt(7)
    for chance in (1e-3, 1e-4, 3e-5):
        passed = np.flatnonzero(np.abs(sums) > -stats.norm.ppf(STAYS * chance / 2))
        opened = 1 + np.sum(np.diff(passed) > 3)
        assert opened <= chance * len(sums) + 3 * np.sqrt(chance * len(sums))


@pytest.mark.parametrize("rate", [0.0, 0.0005, 0.01, 0.2, 0.6])
@pytest.mark.parametrize(("now", "before"), [(50, 5000), (1000, 1000), (10_000, 5000)])
def test_rates_pass_their_limits_as_often_as_said(rate: float, now: int, before: int) -> None:
    generator = np.random.default_rng(2)
    known, hits = generator.binomial(before, rate, DRAWS), generator.binomial(now, rate, DRAWS)
    ones = np.ones(DRAWS)
    for chance in (0.1, 0.01, 0.001):
        limits = noise.share_limit(known, ones * before, ones * now, chance)
        # Where a hit more or less decides, up to three times as often: floors and N of M stand behind it.
        assert np.mean(hits / now >= limits) < 3 * chance + 4 * np.sqrt(chance / DRAWS)


def test_a_column_of_one_bin_strays_not_at_all() -> None:
    strays = noise.divergence(np.array([[500.0]]), np.array([100.0]))
    assert np.isfinite(strays.limit(0.001)).all()
