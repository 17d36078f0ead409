"""Rates of rows that are missing, or beyond what the reference has: where it has none, a few of them are news."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from modelops_jupyter.monitoring import Alert, AlertBudget, AlertRules, raise_alerts
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.judging.replay import judge_series, measure_series
from modelops_jupyter.profiles import build_reference, scan

START, COLUMNS = datetime(2024, 1, 1, tzinfo=UTC), 20
Rows = dict[str, np.ndarray]
SHAPES = (
    lambda generator, rows: generator.normal(size=rows),
    lambda generator, rows: generator.lognormal(0, 2, rows),
    lambda generator, rows: generator.standard_t(2, rows),
    lambda generator, rows: generator.poisson(2, rows).astype(float),
)


def rows_of(rows: int, generator: np.random.Generator, rare: float = 0.0) -> Rows:
    """Columns of four shapes; of each a part of the rows is missing."""
    made = {f"c{n:02d}": SHAPES[n % 4](generator, rows) for n in range(COLUMNS)}
    return {name: np.where(generator.random(rows) < rare, np.nan, values) for name, values in made.items()}


def rate_alerts(known: Rows, days: list[Rows], budget: str = "1/month") -> list[Alert]:
    reference = build_reference(pa.table(known))
    baselines, rules = {1: Baseline(reference)}, AlertRules(budget=AlertBudget.parse(budget))
    series = {}
    for n, rows in enumerate(days):
        version = np.ones(len(rows["c00"]), "int64")
        series[START + n * timedelta(days=1)] = scan(pa.table({**rows, "version": version}), reference.binning)
    windows = judge_series(baselines, measure_series(baselines, series, "1D"), rules, "1D")
    return [alert for alert in raise_alerts("m", windows, rules) if alert.kind == "quality"]


@pytest.mark.parametrize(("fault", "share"), [("missing", 0.01), ("unit", 0.02)])
def test_a_few_rows_such_as_the_reference_has_none_of_are_seen_on_the_first_day(fault: str, share: float) -> None:
    generator = np.random.default_rng(1)
    known, days = rows_of(20_000, generator), [rows_of(1000, generator) for _ in range(15)]
    for name, values in days[-1].items():
        hit = generator.random(1000) < share
        wrong = np.nan if fault == "missing" else 1000 * np.abs(values) + 1000
        days[-1][name] = np.where(hit, wrong, values)
    begun = (START + timedelta(days=14)).isoformat()
    seen = {alert.column for alert in rate_alerts(known, days) if alert.window_start == begun}
    # A heavy tail may hold even that.
    assert len(seen) >= (0.9 if fault == "missing" else 0.7) * COLUMNS


def test_a_reference_that_has_next_to_none_hides_no_more_than_chance_does() -> None:
    generator = np.random.default_rng(4)
    known, days = rows_of(20_000, generator, 1e-4), [rows_of(1000, generator, 1e-4) for _ in range(15)]
    days[-1] = rows_of(1000, generator, 0.012)
    begun = (START + timedelta(days=14)).isoformat()
    seen = {alert.column for alert in rate_alerts(known, days) if alert.window_start == begun}
    assert len(seen) >= 0.8 * COLUMNS


def test_a_few_missing_values_more_where_there_were_some_are_no_news() -> None:
    generator = np.random.default_rng(2)
    known, days = rows_of(20_000, generator, 0.02), [rows_of(1000, generator, 0.02) for _ in range(15)]
    days[-1] = rows_of(1000, generator, 0.03)
    assert rate_alerts(known, days) == []


@pytest.mark.parametrize(("before", "rows", "rare"), [(5000, 1000, 0.0), (5000, 1000, 2e-4), (20_000, 100, 5e-5)])
def test_healthy_rates_keep_to_the_budget(before: int, rows: int, rare: float) -> None:
    """What the reference has none of by chance may come: of an alert a day, a seventh is theirs."""
    generator = np.random.default_rng(3)
    days = [rows_of(rows, generator, rare) for _ in range(60)]
    assert len(rate_alerts(rows_of(before, generator, rare), days, "1/day")) < 20  # of a mean of 9, one in a thousand
