"""ROC AUC and average precision from cells of the score against scikit-learn on the raw rows, however scores lie."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import reduce
from operator import add

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import psi
from sklearn import metrics

from modelops_jupyter.monitoring import performance
from modelops_jupyter.monitoring.figures import ranking
from modelops_jupyter.profiles import Binning, Outcomes, Profile, ScoreCells, scan
from modelops_jupyter.profiles.score_cells import CERTAIN, MOST_CELLS, keys_of, scores_of

Generator = np.random.Generator
BINARY = Binning("classification", "1", {})
ROWS = 60_000


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


DISTRIBUTIONS: dict[str, Callable[[Generator, int], np.ndarray]] = {
    "uniform": lambda g, n: g.random(n),
    "beta(0.5, 50)": lambda g, n: g.beta(0.5, 50, n),
    "beta(1, 1000)": lambda g, n: g.beta(1, 1000, n),
    "beta(0.3, 0.3)": lambda g, n: g.beta(0.3, 0.3, n),
    "1e-6 to 1e-3": lambda g, n: g.uniform(1e-6, 1e-3, n),
    "1e-6 to 1e-3, by decade": lambda g, n: 10 ** g.uniform(-6, -3, n),
    "1 - 1e-3 to 1": lambda g, n: 1 - g.uniform(0, 1e-3, n),
    "log-odds of -30 to 30": lambda g, n: sigmoid(g.uniform(-30, 30, n)),
    "log-odds of a normal": lambda g, n: sigmoid(g.normal(-3, 2, n)),
    "0.3 to 0.301": lambda g, n: g.uniform(0.3, 0.301, n),
    "0.4999 to 0.5001": lambda g, n: g.uniform(0.4999, 0.5001, n),
    "single precision": lambda g, n: g.beta(1, 100, n).astype("float32").astype("float64"),
    "underflowing": lambda g, n: 10 ** g.uniform(-300, -1, n),
    "a hundred trees": lambda g, n: np.round(g.beta(0.5, 5, n), 2),
    "few": lambda g, n: g.choice([0.0, 0.2, 0.2 + 1e-8, 0.7, 1 - 1e-9, 1.0], n),
    "equal": lambda g, n: np.full(n, 0.5),
}


def labelled(score: np.ndarray, generator: Generator, share: float = 0.03) -> np.ndarray:
    """Draw labels that rise with the rank of the score: few positives, most among the highest scores."""
    ordered = np.sort(score)
    rank = (np.searchsorted(ordered, score, "left") + np.searchsorted(ordered, score, "right")) / 2 / len(score)
    return (generator.random(len(score)) < share * 3 * rank**2).astype(int)


def profile(score: np.ndarray, y: np.ndarray) -> Profile:
    said = (score >= 0.5).astype(int).astype(str)
    columns = {"prediction": said, "label": y.astype(str), "score": score, "version": np.ones(len(y), "int64")}
    return scan(pa.table(columns), BINARY)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("share", [0.005, 0.3])
def test_figures_are_those_of_scikit_learn_however_scores_lie(name: str, share: float) -> None:
    generator = np.random.default_rng(7)
    score = DISTRIBUTIONS[name](generator, ROWS)
    y = labelled(score, generator, share)
    figures = performance(profile(score, y), "classification", "1")
    for metric, raw in (
        ("roc_auc", metrics.roc_auc_score(y, score)),
        ("average_precision", metrics.average_precision_score(y, score)),
    ):
        assert figures[metric].value == pytest.approx(raw, abs=2e-4), metric
        assert figures[metric].low <= raw <= figures[metric].high  # type: ignore[operator]


@given(
    st.sampled_from(sorted(DISTRIBUTIONS)),
    st.integers(2, 20_000),
    st.floats(0.02, 0.3),
    st.integers(0, 2**32 - 1),
    st.lists(st.floats(0, 1), max_size=20),
)
def test_any_window_is_within_its_bound_in_any_order_of_its_parts(
    name: str, rows: int, share: float, seed: int, more: list[float]
) -> None:
    """Parts add up to the cells of all rows, and a window kept as text comes back."""
    generator = np.random.default_rng(seed)
    score = np.append(DISTRIBUTIONS[name](generator, rows), more)
    y = labelled(score, generator, share)
    y[:2] = 0, 1
    whole = ScoreCells.of(score, y + 1)
    pieces = np.array_split(generator.permutation(len(score)), 5)
    parts = [ScoreCells.of(score[piece], y[piece] + 1) for piece in pieces]
    assert reduce(add, parts) == reduce(add, parts[::-1]) == ScoreCells.total(parts) == whole
    assert len(whole) <= MOST_CELLS
    body = json.loads(json.dumps(Outcomes(cells=whole).to_dict()))
    assert Outcomes.from_dict(body).cells == whole
    negatives, positives = whole.negatives, whole.positives
    exact = len(np.unique(keys_of(score))) <= MOST_CELLS
    assert exact == (whole.level == 0)
    # Scores that are one key differ by less than a billionth of themselves, or of their distance from 1.
    told_apart = scores_of(keys_of(score), 0)
    for found, bound, raw in (
        (ranking.roc_auc, ranking.roc_auc_bound, metrics.roc_auc_score),
        (ranking.average_precision, ranking.average_precision_bound, metrics.average_precision_score),
    ):
        off = 0.0 if exact else bound(negatives, positives)
        assert found(negatives, positives).value == pytest.approx(raw(y, told_apart), abs=off + 1e-9)


@pytest.mark.parametrize("rows", [100, 100_000])
def test_a_model_that_is_never_wrong_has_an_average_precision_of_one(rows: int) -> None:
    """Or a last bit less, which has no logit."""
    score = np.random.default_rng(5).random(rows)
    for wrong in (False, True):
        cells = ScoreCells.of(score, ((score > 0.9) ^ wrong) + 1)
        found = ranking.average_precision(cells.negatives, cells.positives, tied=cells.level == 0)
        assert found.value == pytest.approx(metrics.average_precision_score((score > 0.9) ^ wrong, score), abs=2e-4)


def test_digamma_is_that_of_scipy() -> None:
    x = np.append(np.arange(1.0, 100.0), [1e3, 1e6, 1e9])
    assert ranking._digamma(x) == pytest.approx(psi(x), abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=40))
def test_keys_rise_with_the_score(values: list[float]) -> None:
    score = np.sort(np.array(values))
    keys = keys_of(score)
    assert (np.diff(keys) >= 0).all()
    assert scores_of(keys, 0) == pytest.approx(score, rel=1e-9, abs=1e-300)
    assert 1 - scores_of(keys, 0) == pytest.approx(1 - score, rel=1e-9, abs=CERTAIN)


@given(st.integers(0, 2000), st.integers(-4, 4))
def test_the_last_bits_of_a_score_change_no_cell(number: int, steps: int) -> None:
    """Processors compute a score a last bit apart: what comes often in a table stays in its cell."""
    score = np.array([number / 2000])
    moved = score
    for _ in range(abs(steps)):
        moved = np.nextafter(moved, np.inf if steps > 0 else -np.inf)
    assert keys_of(np.clip(moved, 0, 1)) == keys_of(score)


def test_many_groups_are_counted_as_each_by_itself() -> None:
    generator = np.random.default_rng(3)
    score, y = generator.beta(1, 30, 50_000), generator.integers(0, 2, 50_000)
    day = np.sort(generator.integers(0, 6, 50_000))
    day[day == 3] = 2
    table = pa.table(
        {
            "prediction": y.astype(str),
            "label": y.astype(str),
            "score": score,
            "version": np.ones(len(y), "int64"),
            "timestamp": pa.array(day * 86_400_000_000, pa.timestamp("us", tz="UTC")),
        }
    )
    for number in range(6):
        rows = day == number
        alone = scan(table.filter(pa.array(rows)), BINARY).outcomes.cells
        assert alone == ScoreCells.of(score[rows], y[rows] + 1)
