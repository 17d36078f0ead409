"""Limits by chance, against draws: passed no more often than they say."""

import numpy as np
import pytest

from modelops_jupyter.monitoring import distances, noise

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


@pytest.mark.parametrize("rate", [0.0, 0.0005, 0.01, 0.2, 0.6])
@pytest.mark.parametrize(("now", "before"), [(50, 5000), (1000, 1000), (10_000, 5000)])
def test_rates_pass_their_limits_as_often_as_said(rate: float, now: int, before: int) -> None:
    generator = np.random.default_rng(2)
    known, hits = generator.binomial(before, rate, DRAWS), generator.binomial(now, rate, DRAWS)
    ones = np.ones(DRAWS)
    for chance in (0.1, 0.01, 0.001):
        limits = noise.share_limit(known, ones * before, ones * now, chance)
        # Where a hit more or less decides, up to three times as often: floors and N of M stand behind it.
        assert np.mean(hits / now > limits) < 3 * chance + 4 * np.sqrt(chance / DRAWS)


def test_a_column_of_one_bin_strays_not_at_all() -> None:
    strays = noise.divergence(np.array([[500.0]]), np.array([100.0]))
    assert np.isfinite(strays.limit(0.001)).all()
