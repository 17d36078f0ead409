"""Columns of few values: a day's distance is a chi-square of few degrees, healthy days alike or not."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelops_jupyter.monitoring import AlertBudget, AlertRules, Finding, raise_alerts
from modelops_jupyter.monitoring.figures import noise
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.distances import jensen_shannon
from modelops_jupyter.monitoring.judging.drift_findings import POWERS, DriftJudge
from modelops_jupyter.monitoring.judging.history import usual
from modelops_jupyter.monitoring.judging.replay import judge_series, measure_series
from modelops_jupyter.monitoring.judging.thresholds import Track
from modelops_jupyter.profiles import Profile, Reference, build_reference, scan

START, REFERENCE_ROWS = datetime(2024, 1, 1, tzinfo=UTC), 20_000
KINDS = ("word", "number")
# A column's part of the default budget, where it is one of twenty.
ALLOWANCE = 1 / 30 / 20
Array = np.ndarray


def shares_of(values: int, first: float) -> Array:
    """The first value has a share of its own, the others have equal ones."""
    return np.array([first] + [(1 - first) / (values - 1)] * (values - 1))


def table(kind: str, counts: Array) -> pa.Table:
    """Return a column per row of `counts`, which says how often each value comes."""
    values = np.arange(counts.shape[1]) if kind == "number" else np.array([f"v{n}" for n in range(counts.shape[1])])
    return pa.table({f"c{n:02d}": np.repeat(values, row) for n, row in enumerate(counts)})


def day(shares: Array, dispersion: float, rows: int, columns: int, generator: np.random.Generator) -> Array:
    """Draw a day's counts; days differ so many times as much as by chance (a Dirichlet-multinomial)."""
    if dispersion == 1:
        return generator.multinomial(rows, shares, columns)
    concentration = (rows - 1) / (dispersion - 1) - 1
    return np.array(
        [generator.multinomial(rows, each) for each in generator.dirichlet(shares * concentration, columns)]
    )


def profiled(reference: Reference, kind: str, counts: Array) -> Profile:
    rows = table(kind, counts)
    return scan(rows.append_column("version", pa.array(np.ones(rows.num_rows, "int64"))), reference.binning)


def alerts(reference: Reference, kind: str, days: Sequence[Array], budget: str = "1/month") -> list[tuple[str, int]]:
    """Return the column and day of each alert of drift."""
    rules, baselines = AlertRules(budget=AlertBudget.parse(budget)), {1: Baseline(reference)}
    series = {START + n * timedelta(days=1): profiled(reference, kind, counts) for n, counts in enumerate(days)}
    windows = judge_series(baselines, measure_series(baselines, series, "1D"), rules, "1D")
    opened = [alert for alert in raise_alerts("m", windows, rules) if alert.kind == "drift"]
    return [(alert.column, (datetime.fromisoformat(alert.window_start) - START).days) for alert in opened]


def last_findings(reference: Reference, kind: str, days: Sequence[Array]) -> list[Finding]:
    """Return what is found of the last day."""
    baseline = Baseline(reference)
    series = {START + n * timedelta(days=1): profiled(reference, kind, counts) for n, counts in enumerate(days)}
    track = Track(baseline, list(measure_series({1: baseline}, series, "1D")), "1D")
    return DriftJudge(track, ALLOWANCE, AlertRules()).judge(len(days) - 1, "")


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(KINDS),
    values=st.integers(2, 5),
    first=st.floats(0.1, 0.8),
    rows=st.sampled_from([100, 1000, 5000]),
    spread=st.sampled_from([0.0, 0.02, 0.05, 0.1]),
    before=st.integers(7, 60),
    seed=st.integers(0, 10**6),
)
def test_a_limit_lies_between_chance_and_the_greatest_distance(
    kind: str, values: int, first: float, rows: int, spread: float, before: int, seed: int
) -> None:
    """However many days there were, and however they differed: a day of nothing but the rarest value is beyond it."""
    generator = np.random.default_rng(seed)
    shares = shares_of(values, first)
    dispersion = 1 + rows * spread**2 / (first * (1 - first))
    known = generator.multinomial(REFERENCE_ROWS, shares, 1)
    reference = build_reference(table(kind, known))
    days = [day(shares, dispersion, rows, 1, generator) for _ in range(before)]
    rarest = np.eye(values, dtype=int)[[known[0].argmin()]]
    found = last_findings(reference, kind, [*days, rows * rarest])
    (plain,) = (f for f in found if (f.metric, f.level) == ("jensen_shannon", "plain"))
    greatest = float(jensen_shannon(known[0] / REFERENCE_ROWS, rarest[0].astype(float)))
    assert plain.figure == pytest.approx(greatest)
    steps = [f.threshold for f in found if f.metric == "kolmogorov_smirnov"]
    assert all(each < 1 - known[0][[0, -1]].min() / REFERENCE_ROWS for each in steps)
    paired = noise.paired_rows(REFERENCE_ROWS, rows)
    by_chance = noise.chi_square_limit(values - 1, ALLOWANCE / 3) * (values - 1)
    assert np.sqrt(by_chance / noise.JENSEN_SHANNON_SCALE / paired) < plain.threshold < greatest


@pytest.mark.parametrize("kind", KINDS)
def test_a_season_that_reaches_the_greatest_distance_is_no_news(kind: str) -> None:
    """Every tenth day, a holiday, holds nothing but the rare value."""
    generator = np.random.default_rng(3)
    shares = np.array([0.9, 0.1])
    reference = build_reference(table(kind, generator.multinomial(REFERENCE_ROWS, shares, 1)))
    days = [np.array([[0, 500]] if n % 10 == 9 else [[500, 0]]) for n in range(90)]
    assert not [each for each in alerts(reference, kind, days) if each[1] >= 30]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("values", [2, 3, 4])
def test_a_doubled_share_is_seen_on_its_first_day(kind: str, values: int) -> None:
    seen = doubled(kind, values, 0.3, columns=20, seeds=range(2))
    assert np.mean(seen) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("values", [2, 3, 4])
@pytest.mark.parametrize("first", [0.1, 0.3, 0.45])
def test_a_doubled_share_is_nearly_always_seen_on_its_first_day(kind: str, values: int, first: float) -> None:
    seen = doubled(kind, values, first, columns=40, seeds=range(10, 15))
    assert np.mean(seen) >= 0.95


def doubled(kind: str, values: int, first: float, columns: int, seeds: Sequence[int]) -> list[bool]:
    """Tell of each column whether a share that doubles after thirty equal days is seen on the day it does."""
    seen = []
    for seed in seeds:
        generator = np.random.default_rng([seed, values])
        shares = shares_of(values, first)
        reference = build_reference(table(kind, generator.multinomial(REFERENCE_ROWS, shares, columns)))
        days = [day(shares, 1, 1000, columns, generator) for _ in range(30)]
        days.append(day(shares_of(values, 2 * first), 1, 1000, columns, generator))
        opened = dict(alerts(reference, kind, days))
        seen += [opened.get(f"c{n:02d}") == 30 for n in range(columns) if opened.get(f"c{n:02d}", 30) >= 30]
    return seen


@pytest.mark.parametrize(("kind", "values", "dispersion"), [("word", 2, 1), ("number", 2, 4), ("number", 3, 20)])
def test_days_that_differ_keep_to_the_budget(kind: str, values: int, dispersion: float) -> None:
    """An alert in two days is allowed, three quarters of which are drift's where nothing else is looked at."""
    assert healthy(kind, values, dispersion, days=60, seed=1) < 38  # of a mean of 23, one in a thousand is more


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("values", [2, 3, 5])
@pytest.mark.parametrize("dispersion", [1, 4, 20])
def test_a_year_of_days_that_differ_keeps_to_the_budget(kind: str, values: int, dispersion: float) -> None:
    total = sum(healthy(kind, values, dispersion, days=90, seed=seed, budget="1/week") for seed in range(2, 6))
    assert total < 60  # of a mean of 40, one in a thousand is more


def healthy(kind: str, values: int, dispersion: float, days: int, seed: int, budget: str = "0.5/day") -> int:
    """Return how many alerts healthy days of twenty columns bring."""
    generator = np.random.default_rng([seed, values])
    shares = shares_of(values, 0.3)
    reference = build_reference(table(kind, generator.multinomial(REFERENCE_ROWS, shares, 20)))
    return len(alerts(reference, kind, [day(shares, dispersion, 1000, 20, generator) for _ in range(days)], budget))


@pytest.mark.parametrize("degrees", [1.0, 2.0, 4.0, 19.0])
def test_days_are_compared_on_a_scale_on_which_a_chi_square_is_normal(degrees: float) -> None:
    power = POWERS["jensen_shannon"]
    draws = (np.random.default_rng(1).chisquare(degrees, 1_000_000) / degrees) ** power
    middle, spread = noise.chi_square_power(power, np.array(degrees))
    for chance in (0.1, 0.01, 0.001):
        assert np.mean(draws > middle + noise.normal_limit(chance) * spread) == pytest.approx(chance, rel=0.5)


def test_chance_makes_no_seasons_and_their_limits_are_not_passed_more_often() -> None:
    generator = np.random.default_rng(2)
    for days in (28, 60):
        values = generator.normal(size=(days + 1, 5000))
        phases = np.tile((np.arange(days) % 7)[:, None], (1, 5000))
        known = usual(values[:-1], phases, days % 7)
        assert np.mean(known.of < known.windows) < 0.1
        for chance in (0.1, 0.01):
            assert np.mean(values[-1] > known.limit(chance)) < 1.3 * chance
