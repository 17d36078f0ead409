"""The backtest: more budget, more alarms and smaller faults seen; what it says, it says of these windows."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from modelops_jupyter.errors import NotFound
from modelops_jupyter.monitoring import AlertRules, Backtest, run_backtest
from modelops_jupyter.monitoring.figures.drift import psi
from modelops_jupyter.monitoring.figures.performance import performance
from modelops_jupyter.monitoring.figures.quality import null_rate
from modelops_jupyter.monitoring.figures.resampling import inject, resample
from modelops_jupyter.monitoring.pace import WorkEvent
from modelops_jupyter.profiles import Profile, Reference, build_reference, scan

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

START = datetime(2024, 1, 1, tzinfo=UTC)


def rows(number: int, seed: int, level: float = 0.0) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = generator.normal(level, 1, number)
    score = 1 / (1 + np.exp(-2 * x))
    return {
        "x": x,
        "prediction": np.where(score > 0.5, "1", "0"),
        "score": score,
        "label": (generator.random(number) < score).astype(int).astype(str),
    }


@pytest.fixture(scope="module")
def reference() -> Reference:
    known = rows(4000, 0)
    features = pa.table({"x": known["x"]})
    outcomes = {"predictions": known["prediction"], "labels": known["label"], "scores": known["score"]}
    return build_reference(features, **outcomes, positive="1")


def window(reference: Reference, seed: int, number: int = 700, level: float = 0.0) -> Profile:
    table = pa.table({**rows(number, seed, level), "version": np.ones(number, "int64")})
    return scan(table, reference.binning)


@pytest.fixture(scope="module")
def told() -> list[WorkEvent]:
    """What whoever waits for the backtest is told."""
    return []


@pytest.fixture(scope="module")
def backtest(reference: Reference, told: list[WorkEvent]) -> Backtest:
    profiles = {START + timedelta(days=n): window(reference, n + 1) for n in range(30)}
    return run_backtest("m", {1: reference}, profiles, AlertRules(), "1D", trials=2, on_progress=told.append)


def test_whoever_waits_is_told_of_every_percent(backtest: Backtest, told: list[WorkEvent]) -> None:
    assert [str(told[0]), str(told[-1])] == ["backtest of m: 0%", "backtest of m: 100%"]
    assert [event.state for event in told] == ["running"] * (len(told) - 1) + ["completed"]
    shares = [event.number / event.total for event in told]
    assert shares == sorted(set(shares))
    assert 50 <= len(told) <= 101
    assert max(b - a for a, b in pairwise(shares)) < 0.02


def test_the_curve_runs_from_silence_to_sight(backtest: Backtest) -> None:
    budgets = [point.budget for point in backtest.points]
    assert budgets == ["1/year", "1/quarter", "1/month", "1/week", "1/day"]
    alerts = [point.false_alerts for point in backtest.points]
    assert alerts == sorted(alerts)
    for point, allowed in zip(backtest.points, (1 / 12, 1 / 3, 1, 4.35, 30.4), strict=True):
        assert point.low <= allowed, point.budget
        assert point.low <= point.false_alerts <= point.high
    by_fault = [point.smallest["shift"] for point in backtest.points]
    assert by_fault == sorted(by_fault, reverse=True)
    assert all(size is not None and size <= 0.5 for size in by_fault)


def test_it_says_how_soon_and_how_small(backtest: Backtest) -> None:
    month = next(point for point in backtest.points if point.budget == "1/month")
    plain = next(d for d in month.detections if (d.fault, d.size) == ("shift", 2.0))
    assert (plain.found, plain.delay) == (1.0, 0)
    gone = next(d for d in month.detections if (d.fault, d.size) == ("performance", 0.7))
    assert gone.found == 1.0
    assert gone.drop == pytest.approx(0.7 * (0.89 - 0.5), abs=0.04)
    assert (backtest.metric, backtest.windows, backtest.budget) == ("roc_auc", 30, "1/month")
    said = str(backtest)
    assert "* 1/month" in said
    assert "false alerts a month" in said
    frame = backtest.to_frame()
    assert len(frame) == 5 * sum(len(sizes) for sizes in ((1,) * 6, (1,) * 5, (1,) * 5))
    assert json.loads(json.dumps(backtest.to_dict()))["points"][0]["budget"] == "1/year"


def test_a_history_that_changed_is_said_to_have_changed(reference: Reference, backtest: Backtest) -> None:
    assert backtest.explanation == ""
    levels = np.repeat([0.0, 0.0, 0.0, 1.5, 0.0, -2.0, 0.0, 3.0], 8)
    profiles = {START + timedelta(days=n): window(reference, n + 1, level=level) for n, level in enumerate(levels)}
    found = run_backtest("m", {1: reference}, profiles, AlertRules(), "1D", trials=1)
    month = next(point for point in found.points if point.budget == "1/month")
    assert month.in_history > 4
    assert found.explanation.startswith("In this history the data themselves changed (")
    assert month.told[0] in found.explanation
    assert {"x", "score", "prediction"} & set(month.told)
    assert str(found).endswith(found.explanation)
    assert found.to_dict()["explanation"] == found.explanation


def test_few_windows_are_said_to_be_few(reference: Reference) -> None:
    profiles = {START + timedelta(days=n): window(reference, n) for n in range(3)}
    found = run_backtest("m", {1: reference}, profiles, AlertRules(), "1D", trials=1)
    assert "only 3 windows are stored" in found.healthy


def test_nothing_stored_says_what_to_do(reference: Reference) -> None:
    with pytest.raises(NotFound, match="modelops monitor m"):
        run_backtest("m", {1: reference}, {}, AlertRules(), "1D")


def test_a_drawn_window_is_like_the_one_it_is_drawn_from(reference: Reference) -> None:
    drawn = resample(reference.profile, 100_000, np.random.default_rng(1))
    column, binning = reference.profile.columns["x"], reference.binning.columns["x"]
    assert psi(column, drawn.columns["x"], binning).value == pytest.approx(0, abs=0.001)
    before, after = (performance(p, "classification", "1") for p in (reference.profile, drawn))
    for metric in ("roc_auc", "log_loss", "accuracy"):
        assert after[metric].value == pytest.approx(before[metric].value, abs=0.01)


def test_faults_are_as_large_as_they_say(reference: Reference) -> None:
    profile = window(reference, 1, 50_000)
    binning = reference.binning
    shifted = inject(profile, binning, "shift", 0.5, "x").columns["x"]
    real = window(reference, 2, 50_000, level=0.5).columns["x"]
    assert psi(real, shifted, binning.columns["x"]).value == pytest.approx(0, abs=0.01)
    assert null_rate(inject(profile, binning, "missing", 0.3, "x").columns["x"]).value == pytest.approx(0.3, abs=0.001)
    spoilt = performance(inject(profile, binning, "performance", 0.5), "classification", "1")["roc_auc"]
    whole = performance(profile, "classification", "1")["roc_auc"]
    assert spoilt.value - 0.5 == pytest.approx((whole.value - 0.5) / 2, abs=0.01)
