"""What is shared out beyond the budget: no more than figures leave unspent, and only where days are alike."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.monitoring import AlertRules, WindowResult
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.intervals import poisson
from modelops_jupyter.monitoring.judging.judge import judge_track
from modelops_jupyter.monitoring.judging.spending import COLUMN, spent_of, spent_part
from modelops_jupyter.monitoring.judging.thresholds import Track
from modelops_jupyter.profiles import build_reference
from tests.benchmarks.spending import opened

START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("bins", "number", "rows"),
    [(20, True, 500), (20, False, 1000), (3, False, 300)],
)
def test_a_column_spends_no_more_than_is_said_and_not_much_less(bins: int, number: bool, rows: int) -> None:
    allowance = 3e-3
    count, granted = opened(bins, number, rows, allowance, 500, 60, 1)
    low, high = poisson(count)
    assert low <= spent_of(COLUMN, allowance) * granted
    assert high >= 0.5 * spent_of(COLUMN, allowance) * granted


def baseline_of(numbers: int, categories: int) -> Baseline:
    generator = np.random.default_rng(0)
    columns = {f"x{n}": pa.array(generator.normal(size=300)) for n in range(numbers)}
    columns |= {f"c{n}": pa.array(generator.choice(["a", "b", "c"], 300)) for n in range(categories)}
    return Baseline(build_reference(pa.table(columns)))


NUMBERS, CATEGORIES = baseline_of(4, 0), baseline_of(0, 4)


KINDS = ("performance", "concept", "quality", "volume", "drift")


@given(allowances=st.dictionaries(st.sampled_from(KINDS), st.floats(1e-9, 1), min_size=1))
def test_never_less_is_granted_than_if_all_were_spent_and_never_five_times_as_much(
    allowances: dict[str, float],
) -> None:
    rarer = {kind: allowance / 10 for kind, allowance in allowances.items()}
    for known in (NUMBERS, CATEGORIES):
        assert 0.2 <= spent_part(known, allowances) <= spent_part(known, rarer) <= 1


def track_of(days: int, differs: list[float]) -> Track:
    cycle = {f"elsewhere {n}": {"differs": differ} for n, differ in enumerate(differs)}
    window = WindowResult("", "", 100, 0, {"1": 100}, {}, {}, (), cycle=cycle)
    starts = [(START + timedelta(days=n)).isoformat() for n in range(days)]
    return Track(NUMBERS, [replace(window, window_start=start, window_end=start) for start in starts], "1D")


@pytest.mark.parametrize(
    ("days", "differs", "alike"),
    [
        (40, [0.0] * 8, True),
        (40, [1.0] + [0.0] * 7, True),
        (40, [1.0] * 2 + [0.0] * 6, False),
        (40, [1.0] * 12 + [0.0] * 88, True),
        (40, [1.0] * 13 + [0.0] * 87, False),
        (40, [1.0], False),
        (40, [], False),
        (20, [0.0] * 8, False),
    ],
)
def test_more_is_granted_only_where_three_weeks_have_shown_that_days_are_alike(
    days: int, differs: list[float], alike: bool
) -> None:
    track, asked = track_of(days, differs), []

    def granted(known_alike: bool) -> dict[str, float]:
        asked.append(known_alike)
        return {}

    judge_track(track, granted, AlertRules(), [days - 1])
    assert asked == [alike]
