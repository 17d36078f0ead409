"""Multivariate drift: what no single column shows is seen, and nothing is seen where there is nothing."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from modelops_jupyter.monitoring.explaining.multivariate import MultivariateDrift, _area, two_sample_test


def rows(n: int, seed: int, correlation: float = 0.0, shift: float = 0.0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    x = generator.multivariate_normal([0, shift], [[1, correlation], [correlation, 1]], n)
    origin = generator.choice(["JFK", "LGA", "EWR"], n)
    frame = pd.DataFrame({"wind": x[:, 0], "rain": x[:, 1], "origin": origin, "hour": generator.integers(0, 24, n)})
    frame.loc[generator.random(n) < 0.05, "wind"] = np.nan
    return frame


def apart(before: pd.DataFrame, now: pd.DataFrame) -> MultivariateDrift:
    return two_sample_test(before, now)


def test_alike_rows_are_not_told_apart() -> None:
    """Of 12 pairs without drift 2 at most have a p-value under 0.05, overall and by dependence."""
    found = [apart(rows(300, 2 * seed), rows(200, 2 * seed + 1)) for seed in range(12)]
    for figures in ([f.roc_auc for f in found], [f.dependence for f in found]):
        p_values = np.array([figure.p_value for figure in figures])
        assert (p_values < 0.05).sum() <= 2
        assert 0.25 < p_values.mean() < 0.75


def test_drift_of_dependence_alone_is_seen() -> None:
    found = apart(rows(2000, 0), rows(1000, 1, correlation=0.7))
    assert found.roc_auc.p_value < 1e-6  # type: ignore[operator]
    assert found.dependence.p_value < 1e-6  # type: ignore[operator]
    assert {share.column for share in found.columns[:2]} == {"wind", "rain"}


def test_a_shift_of_one_column_is_no_change_of_dependence() -> None:
    found = apart(rows(2000, 0, 0.3), rows(1000, 1, 0.3, shift=1.0))
    assert found.roc_auc.p_value < 1e-6  # type: ignore[operator]
    assert found.dependence.p_value > 0.01  # type: ignore[operator]
    assert found.columns[0].column == "rain"
    assert "rain" in str(found)


def test_a_new_category_is_seen() -> None:
    now = rows(500, 1)
    now["origin"] = np.where(np.arange(500) % 3 == 0, "BOS", now["origin"])
    found = apart(rows(500, 0), now)
    assert found.roc_auc.p_value < 1e-6  # type: ignore[operator]
    assert found.columns[0].column == "origin"


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        (rows(10, 0), rows(500, 1), "too few rows"),
        (rows(100, 0), rows(100, 1).rename(columns=str.upper), "no columns"),
    ],
)
def test_where_there_is_no_figure_there_is_a_reason(before: pd.DataFrame, now: pd.DataFrame, reason: str) -> None:
    found = apart(before, now)
    assert found.roc_auc.reason == found.dependence.reason == reason
    assert found.to_frame().empty
    assert reason in str(found)


def test_columns_that_are_constant_or_empty_do_no_harm() -> None:
    before, now = (rows(200, seed).assign(constant=1.0, empty=None, void=np.nan) for seed in (0, 1))
    found = apart(before, now)
    assert 0.35 < found.roc_auc.value < 0.65  # type: ignore[operator]
    assert found.to_dict()["roc_auc"]["value"] == found.roc_auc.value


def test_the_area_is_scikit_learns() -> None:
    generator = np.random.default_rng(0)
    score, is_now = generator.integers(0, 30, 400) / 7, generator.random(400) < 0.4
    assert _area(score, is_now)[0] == pytest.approx(roc_auc_score(is_now, score))
