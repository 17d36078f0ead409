"""The share that moved furthest: against exact tests, and passed by healthy windows as seldom as it says."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.cells import CategoryColumns
from modelops_jupyter.monitoring.figures.drift import column_drift
from modelops_jupyter.monitoring.figures.figure import Figure
from modelops_jupyter.monitoring.figures.shares import share_shift
from modelops_jupyter.profiles import build_reference
from modelops_jupyter.profiles.scan import scan_column

N, M = 20_000, 1_000


def score(before: int, now: int, rises: bool) -> float:
    shift = share_shift(
        np.array([[float(before)]]),
        np.array([[float(now)]]),
        np.array([float(N)]),
        np.array([float(M)]),
        np.array([[True]]),
        rises=rises,
    )
    return float(shift.distance[0] / shift.error[0])


def deviations(figure: Figure) -> float:
    assert figure.value is not None
    assert figure.error is not None
    return figure.value / figure.error


@pytest.mark.parametrize(("before", "now"), [(0, 4), (3, 3), (20, 8), (200, 25)])
def test_a_rise_is_as_seldom_as_the_exact_conditional_test_says(before: int, now: int) -> None:
    tail = stats.binomtest(now, now + before, M / (N + M), alternative="greater").pvalue
    passed = 2 * stats.norm.sf(score(before, now, rises=True))
    assert passed == pytest.approx(tail, rel=0.1)


@pytest.mark.parametrize(("before", "now"), [(10_000, 560), (10_000, 440), (2_000, 140), (19_000, 915), (600, 10)])
def test_a_change_is_as_seldom_as_fishers_exact_test_says(before: int, now: int) -> None:
    tail = stats.fisher_exact([[now, M - now], [before, N - before]])[1]
    assert score(before, now, rises=False) == pytest.approx(-stats.norm.ppf(tail / 2), abs=0.2)


def test_a_share_is_looked_at_from_either_side_alike() -> None:
    assert score(18_000, 870, rises=False) == pytest.approx(score(2_000, 130, rises=False))


def test_of_two_values_that_hold_all_rows_the_one_says_all() -> None:
    columns = CategoryColumns({"two": np.array([14_000, 6_000, 0]), "three": np.array([14_000, 5_000, 1_000, 0])})
    assert columns.alone.sum(-1).tolist() == [1, 3]
    assert not columns.alone[:, -1].any()  # what is unseen is told by its own rate


@pytest.mark.parametrize("draw", ["pareto", "normal", "words"])
@pytest.mark.parametrize("chance", [0.05, 0.005])
def test_healthy_windows_pass_no_more_often_than_they_may(draw: str, chance: float) -> None:
    generator, passed, trials = np.random.default_rng(5), 0, 25
    shares = np.array([0.4, 0.3, 0.1, 0.1, 0.05, 0.03, 0.02])
    for _ in range(trials):
        if draw == "words":
            columns = CategoryColumns({"x": np.append(generator.multinomial(N, shares), 0)})
            counts = generator.multinomial(M, shares, 80)
            shifts = [columns.share_shift(np.append(each, 0.0)[None, :]) for each in counts]
        else:
            many = (generator.pareto(1.5, (N,)), generator.normal(size=N))[draw == "normal"]
            columns = Baseline(build_reference(pa.table({"x": many}))).numbers
            now = (generator.pareto(1.5, (80, M)), generator.normal(size=(80, M)))[draw == "normal"]
            edges = columns.edges[0]
            bins = [np.bincount(np.searchsorted(edges, each), minlength=len(edges) + 1) for each in now]
            shifts = [columns.share_shift(counts[None, :].astype(float)) for counts in bins]
        limit = -stats.norm.ppf(chance / 2)
        passed += sum(float(shift.distance[0] / shift.error[0]) > limit for shift in shifts)
    # Windows of one reference go together: four standard errors of a mean over references.
    assert passed <= 80 * trials * chance + 4 * np.sqrt(80 * trials * chance * 2)


@pytest.mark.parametrize("factor", [1000.0, 60.0, 1 / 60, 1 / 1000])
def test_another_unit_in_two_of_a_hundred_rows_is_seen_within_the_extremes(factor: float) -> None:
    generator = np.random.default_rng(1)
    reference = build_reference(pa.table({"x": generator.lognormal(0, 1.5, N)}))
    seen = []
    for _ in range(20):
        values = generator.lognormal(0, 1.5, M)
        values[:20] *= factor
        now = scan_column(pa.chunked_array([values.clip(None, 250)]), reference.binning.columns["x"])
        figure = column_drift("share_shift", reference.profile.columns["x"], now, reference.binning.columns["x"])
        seen.append(deviations(figure))
    assert np.mean(seen) > (3.0 if abs(np.log(factor)) < 5 else 5.0)


def test_columns_without_a_cell_to_look_at_have_not_moved() -> None:
    reference = build_reference(pa.table({"x": np.ones(200)}))
    binning = reference.binning.columns["x"]
    now = scan_column(pa.chunked_array([np.ones(100)]), binning)
    assert deviations(column_drift("share_shift", reference.profile.columns["x"], now, binning)) < 0.1
