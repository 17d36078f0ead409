"""Healthy days that differ: by their weekday, by following each other, by rows that come together."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.monitoring import Alert, AlertRules, WindowResult, raise_alerts
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.intervals import poisson
from modelops_jupyter.monitoring.figures.noise import f_limit, one_direction_limit
from modelops_jupyter.monitoring.judging.history import usual
from modelops_jupyter.monitoring.judging.replay import judge_series, measure_series
from modelops_jupyter.monitoring.judging.seasons import unseen_season
from modelops_jupyter.monitoring.judging.thresholds import Track
from modelops_jupyter.profiles import build_reference, scan

START, ROWS, COLUMNS = datetime(2024, 1, 1, tzinfo=UTC), 1000, 8


def follows(days: int, series: int, repeats: float, generator: np.random.Generator) -> np.ndarray:
    """Return standard normal series of which each value keeps so much of the one before, (days, series)."""
    values = generator.normal(size=(days, series))
    for day in range(1, days):
        values[day] = repeats * values[day - 1] + np.sqrt(1 - repeats**2) * values[day]
    return values


@pytest.mark.parametrize("repeats", [0.0, 0.5, 0.8])
@pytest.mark.parametrize("days", [10, 30, 60])
def test_the_next_day_passes_a_learned_limit_as_seldom_as_promised(repeats: float, days: int) -> None:
    values = follows(days + 1, 20_000, repeats, np.random.default_rng(days))
    before = np.vstack([np.full((60 - days, 20_000), np.nan), values[:-1]])
    learned = usual(before, np.full(before.shape, -1), -1)
    for chance in (0.01, 0.001):
        often = chance + 4 * np.sqrt(chance / 20_000)
        # A process that follows itself closely is known from a few days no better than this.
        assert np.mean(values[-1] > learned.limit(chance)) < often * (2 if repeats == 0.8 else 1.5)


@pytest.mark.parametrize("weeks", [3, 8])
def test_a_week_passes_seldom_though_weeks_differ_in_one_direction_alone(weeks: int) -> None:
    """Twenty bins, one of which a week moves by three times what chance does; a week is judged by those before it."""
    generator, bins, chance = np.random.default_rng(weeks), 20, 0.001
    residuals = generator.normal(size=(weeks + 1, 40_000, bins))
    residuals[..., 0] *= 3
    squares = (residuals**2).sum(-1)
    before, now = squares[:-1].mean(0) / bins, squares[-1] / bins
    dispersion = np.maximum(before, 1)
    seen = np.full(len(now), float(weeks))
    passes = now > dispersion * one_direction_limit(np.full(len(now), float(bins)), dispersion, seen, chance)
    assert passes.mean() < 3 * chance
    # A limit as if weeks differed in all directions alike is passed ten times as often as promised, or more.
    assert (now > dispersion * f_limit(bins, bins * (weeks - 1), chance)).mean() > 10 * chance


def test_days_that_follow_each_other_are_worth_fewer() -> None:
    generator = np.random.default_rng(3)
    alike, closely = (usual(follows(60, 200, r, generator), np.full((60, 200), -1), -1) for r in (0.0, 0.9))
    assert np.median(alike.independent) > 30
    assert np.median(closely.independent) < 8


def test_one_weekday_that_is_further_off_is_a_season_though_all_others_are_alike() -> None:
    generator = np.random.default_rng(4)
    phases = np.repeat((np.arange(56) % 7)[:, None], 300, axis=1)
    values = generator.normal(size=(56, 300)) + 3 * (phases == 3)
    assert np.mean(usual(values, phases, 3).season > 2) > 0.9
    assert np.mean(usual(values, phases, 4).season < 1) > 0.9


def empty_track(days: int) -> Track:
    ends = [(START + timedelta(days=n)).isoformat() for n in range(days + 1)]
    windows = [WindowResult(begin, end, 100, 100, {"1": 100}, {}, {}, ()) for begin, end in pairwise(ends)]
    return Track(None, windows, "1D")  # type: ignore[arg-type]


@given(better=st.floats(0, 1), seen=st.integers(3, 6))
def test_what_was_better_before_may_come_back_as_one_day_that_is_worse(better: float, seen: int) -> None:
    """The reference is the mix of all weekdays: `seen` days better by b and the others as it is but one."""
    worse = np.full(seen, -better)
    assert unseen_season(empty_track(seen + 1), worse, 0.01, seen, two_sided=False) >= seen * better
    assert unseen_season(empty_track(40), worse, 0.01, 39, two_sided=False) == 0


def test_until_three_weeks_are_over_only_a_record_is_news() -> None:
    worse = np.array([0.0, 0.0, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert unseen_season(empty_track(10), worse, 0.01, 9, two_sided=False) > 0.2
    assert unseen_season(empty_track(22), np.pad(worse, (0, 12)), 0.01, 21, two_sided=False) == 0


def alerts_of(days: list[pd.DataFrame], known: pd.DataFrame) -> list[Alert]:
    reference = build_reference(pa.Table.from_pandas(known, preserve_index=False))
    baselines, rules = {1: Baseline(reference)}, AlertRules()
    series = {}
    for n, rows in enumerate(days):
        table = pa.Table.from_pandas(rows.assign(version=1), preserve_index=False)
        series[START + n * timedelta(days=1)] = scan(table, reference.binning)
    windows = judge_series(baselines, measure_series(baselines, series, "1D"), rules, "1D")
    return list(raise_alerts("m", windows, rules))


def rows_of(tilts: np.ndarray, rows: int, together: int, generator: np.random.Generator) -> pd.DataFrame:
    values = generator.normal(size=(rows // together, COLUMNS)) + tilts
    return pd.DataFrame(values, columns=[f"c{n}" for n in range(COLUMNS)]).loc[lambda f: f.index.repeat(together)]


def told(seed: int, weekly: float, daily: float, repeats: float, together: int, days: int = 90) -> int:
    """Return how many alerts there are in healthy days, those of the reference from the same process."""
    generator = np.random.default_rng(seed)
    weekdays = weekly * generator.normal(size=(7, COLUMNS))
    weekdays -= weekdays.mean(0)
    moves = daily * follows(56 + days, COLUMNS, repeats, generator)
    frames = [rows_of(weekdays[n % 7] + moves[n], ROWS, together, generator) for n in range(56 + days)]
    return len(alerts_of(frames[56:], pd.concat(frames[:56])))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("weekly", "daily", "repeats", "together"),
    [(0.3, 0, 0, 1), (0.1, 0, 0, 1), (0, 0.2, 0, 1), (0, 0.15, 0.6, 1), (0.3, 0.1, 0.6, 1), (0, 0, 0, 5)],
    ids=["weekly", "weekly, a little", "days", "follow", "weekly and follow", "together"],
)
def test_healthy_days_that_differ_keep_to_the_budget(
    weekly: float, daily: float, repeats: float, together: int
) -> None:
    series = 6
    count = sum(told(seed, weekly, daily, repeats, together) for seed in range(series))
    allowed = series * 90 / 30.4375
    assert poisson(count)[0] <= allowed, f"{count} alerts where {allowed:.0f} are allowed"


@pytest.mark.parametrize("together", [1, 5])
def test_a_unit_error_is_seen_on_its_first_day_though_rows_come_together(together: int) -> None:
    generator = np.random.default_rng(7)
    days = [rows_of(np.zeros(COLUMNS), ROWS, together, generator).reset_index(drop=True) for _ in range(40)]
    known = pd.concat(rows_of(np.zeros(COLUMNS), ROWS, together, generator) for _ in range(20))
    days[-1].loc[:29, "c3"] *= 1000
    begun = (START + timedelta(days=39)).isoformat()
    assert "c3" in {alert.column for alert in alerts_of(days, known) if alert.window_start == begun}
