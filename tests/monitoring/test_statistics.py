"""Figures against scikit-learn, SciPy and NumPy on the raw rows; a reason wherever there is no figure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score

from modelops_jupyter.monitoring import jensen_shannon, measure_window, performance, psi
from modelops_jupyter.profiles import ColumnBinning, ColumnProfile, Profile, Reference, build_reference, scan

HALVES = ColumnBinning("numeric", edges=(0.0,), coarse=(0,))
START = datetime(2013, 4, 1, tzinfo=UTC)


def data(rows: int, seed: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.normal(shift, 1, rows)
    score = 1 / (1 + np.exp(-x))
    return x, score, (generator.random(rows) < score).astype(int)


def window(x: np.ndarray, score: np.ndarray, y: np.ndarray) -> pa.Table:
    said = np.where(score >= 0.5, "1", "0")
    columns = {"x": x, "prediction": said, "score": score, "label": y.astype(str), "version": np.ones(len(x), "int64")}
    return pa.table(columns)


def reference(rows: int = 5000) -> Reference:
    x, score, y = data(rows, 0)
    said = np.where(score >= 0.5, "1", "0")
    return build_reference(pa.table({"x": x}), scores=score, predictions=said, labels=y.astype(str), positive="1")


@pytest.mark.parametrize("seed", range(5))
def test_realised_figures_agree_with_scikit_learn(seed: int) -> None:
    x, score, y = data(900, seed + 1)
    figures = performance(scan(window(x, score, y), reference().binning), "classification", "1")
    assert figures["roc_auc"].value == pytest.approx(roc_auc_score(y, score), abs=1e-3)
    assert figures["brier_score"].value == pytest.approx(brier_score_loss(y, score))
    assert figures["log_loss"].value == pytest.approx(log_loss(y, score))
    assert figures["accuracy"].value == pytest.approx(accuracy_score(y, score >= 0.5))


@pytest.mark.parametrize("shift", [0.0, 0.1, 1.0])
def test_drift_agrees_with_raw_rows(shift: float) -> None:
    before, now = data(5000, 0)[0], data(800, 9, shift)[0]
    profile = scan(window(*data(800, 9, shift)), reference().binning)
    edges = np.unique(np.quantile(before, np.arange(1, 20) / 20))
    p = np.bincount(np.searchsorted(edges, before), minlength=len(edges) + 1) / len(before)
    q = np.bincount(np.searchsorted(edges, now), minlength=len(edges) + 1) / len(now)
    found = psi(reference().profile.columns["x"], profile.columns["x"], reference().binning.columns["x"])
    p_, q_ = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
    assert found.value == pytest.approx(np.sum((q_ - p_) * np.log(q_ / p_)))
    distance = jensen_shannon(reference().profile.columns["x"], profile.columns["x"], reference().binning.columns["x"])
    assert distance.value == pytest.approx(jensenshannon(p, q, base=2))


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (ColumnProfile("numeric", 100, 100, (0, 0)), "all missing"),
        (ColumnProfile("numeric", 0, 0, (0, 0)), "no rows"),
        (ColumnProfile("numeric", 5, 0, (5, 0)), "5 rows, 30 are needed"),
    ],
)
def test_where_there_is_no_figure_there_is_a_reason(column: ColumnProfile, reason: str) -> None:
    assert psi(ColumnProfile("numeric", 100, 0, (50, 50)), column, HALVES).reason == reason


def test_constant_columns_do_not_drift() -> None:
    constant = ColumnProfile("numeric", 100, 0, (100, 0))
    assert psi(constant, constant, HALVES).value == 0.0


def test_one_class_and_no_labels_have_a_reason() -> None:
    x, score, y = data(100, 3)
    binning = reference().binning
    assert performance(scan(window(x, score, y * 0), binning), "classification", "1")["roc_auc"].reason == "one class"
    unlabelled = window(x, score, y).drop_columns(["label"])
    assert performance(scan(unlabelled, binning), "classification", "1")["roc_auc"].reason == "no labels"


def test_merged_days_judge_like_the_whole() -> None:
    x, score, y = data(1000, 7)
    whole = scan(window(x, score, y), reference().binning)
    half = [scan(window(x[i], score[i], y[i]), reference().binning) for i in (slice(0, 500), slice(500, None))]
    merged: Profile = half[0] + half[1]
    a = performance(replace(merged), "classification", "1")
    b = performance(whole, "classification", "1")
    assert {k: v.value for k, v in a.items()} == pytest.approx({k: v.value for k, v in b.items()})


def test_gaps_and_freshness_are_those_of_the_raw_times() -> None:
    known = reference()
    times = np.sort(np.random.default_rng(5).integers(0, 86_000, 40))
    rows = window(*data(40, 6))
    at = pa.array((times + int(START.timestamp())) * 1_000_000).cast(pa.timestamp("us", tz="UTC"))
    profile = scan(rows.append_column("timestamp", at), known.binning)

    quality = measure_window(known, profile, START, START + timedelta(days=1)).quality

    assert quality["mean_gap"]["value"] == pytest.approx(np.diff(times).mean())
    assert quality["freshness"]["value"] == 86_400 - times[-1]
    alone = scan(rows[:1].append_column("timestamp", at[:1]), known.binning)
    assert (
        measure_window(known, alone, START, START + timedelta(days=1)).quality["mean_gap"]["reason"] == "too few rows"
    )
