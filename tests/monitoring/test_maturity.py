"""Labels that come late: coverage by age, estimate until then, and what recent windows teach."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modelops_jupyter.monitoring import MonitorReport, WindowResult
from modelops_jupyter.monitoring.figures.confidence import with_range
from modelops_jupyter.monitoring.figures.estimation import widened
from modelops_jupyter.monitoring.figures.learned import RecentWindows
from modelops_jupyter.profiles import Outcomes, ScoreCells

START = datetime(2013, 4, 1, tzinfo=UTC)


def day(number: int, labelled: int, estimated: float = 0.7, realised: float | None = 0.65) -> WindowResult:
    start, end = (START + timedelta(days=n) for n in (number, number + 1))
    known = {"roc_auc": {"value": realised if labelled else None, "reason": None if labelled else "no labels"}}
    said = {"roc_auc": {"value": estimated, "reason": None, "low": 0.6, "high": 0.8, "error": 0.05}}
    result = WindowResult(start.isoformat(), end.isoformat(), 1000, labelled, {"1": 1000}, known, {}, ())
    return WindowResult(**{**vars(result), "estimated": said})


def report(*windows: WindowResult) -> MonitorReport:
    return MonitorReport("m", "1D", windows, (), 0)


def test_the_two_newest_days_wait_for_their_labels() -> None:
    days = [day(n, 970) for n in range(20)] + [day(20, 400), day(21, 0)]
    found = report(*days).maturity
    assert found.coverage[:3] == (0.0, 0.4, 0.97)
    assert (found.mature_after, found.final) == (2, 0.97)
    assert "complete after 2 windows of 1D; 97.0%" in str(found)
    sources = [known.source for known in report(*days).best_known]
    assert sources == ["realised"] * 20 + ["estimated"] * 2


def test_a_day_of_cancelled_flights_does_not_wait_for_ever() -> None:
    days = [day(n, 600 if n == 17 else 970) for n in range(20)]
    assert report(*days).maturity.mature_after == 0


def test_without_labels_everything_is_estimated() -> None:
    unlabelled = report(*(day(n, 0) for n in range(5)))
    assert unlabelled.maturity.mature_after is None
    assert str(unlabelled.maturity) == "No labels yet: performance is estimated."
    assert {known.source for known in unlabelled.best_known} == {"estimated"}
    assert unlabelled.track_record.records == ()
    assert report().maturity.coverage == ()


def test_the_track_record_counts_mature_windows_alone() -> None:
    days = [day(n, 970, realised=0.65 if n % 2 else 0.55) for n in range(10)] + [day(10, 10, realised=0.1)]
    (record,) = report(*days).track_record.records
    assert (record.metric, record.windows) == ("roc_auc", 10)
    assert record.mean_absolute_error == pytest.approx(0.1)
    assert record.mean_error == pytest.approx(0.1)
    assert record.held == 0.5
    assert report(*days).track_record.to_frame()["windows"].tolist() == [10]


def outcomes(positives: int) -> Outcomes:
    cells = ScoreCells.of(np.full(10 + positives, 0.5), np.repeat([1, 2], [10, positives]))
    return Outcomes(cells=cells, labelled=10 + positives)


@pytest.mark.parametrize(("every", "length"), [("1D", timedelta(days=1)), ("1h", timedelta(hours=1))])
def test_labels_younger_than_a_day_are_not_learned_from(every: str, length: timedelta) -> None:
    recent = RecentWindows(every)
    windows = timedelta(days=20) // length
    for number in range(windows):
        recent.add(START + number * length, 1, outcomes(1))
    seen = recent.before(START + windows * length, 1)
    assert seen.labelled is not None
    inside = timedelta(days=14) // length
    assert seen.labelled.positives.sum() == inside
    assert recent.before(START + windows * length, 2).labelled is None
    # Half a day later some windows are no longer too young, but none came.
    later = recent.before(START + windows * length + timedelta(hours=12), 1).labelled
    assert later is not None
    assert later.positives.sum() <= inside


def test_the_spread_is_what_chance_does_not_explain() -> None:
    generator = np.random.default_rng(0)
    recent = RecentWindows("1D")
    for number in range(60):
        came = 0.7 + generator.normal(0, 0.03) + generator.normal(0, 0.04)
        said = {"roc_auc": {"value": 0.7, "error": 0.03}}
        recent.judge(START + timedelta(days=number), said, {"roc_auc": {"value": came}})
    assert recent.before(START + timedelta(days=60), 1).spread["roc_auc"] == pytest.approx(0.04, abs=0.012)
    assert recent.before(START + timedelta(days=0), 1).spread == {}


@pytest.mark.parametrize("checked", [2, 5, 12, 28])
def test_an_interval_holds_as_often_as_it_says_however_few_windows_were_checked(checked: int) -> None:
    """The world changes by twice what chance does."""
    generator, trials, inside = np.random.default_rng(checked), 600, 0
    for _ in range(trials):
        recent = RecentWindows("1D")
        off = generator.normal(0, np.hypot(0.01, 0.02), checked + 1)
        for number in range(checked):
            estimated = {"mean_error": {"value": 0.5 + off[number], "error": 0.01}}
            recent.judge(START + timedelta(days=number), estimated, {"mean_error": {"value": 0.5}})
        spread = recent.before(START + timedelta(days=checked), 1).spread["mean_error"]
        figure = widened("mean_error", with_range("mean_error", 0.5 + off[-1], 0.01), spread)
        inside += figure.low <= 0.5 <= figure.high  # type: ignore[operator]
    assert 0.91 < inside / trials < 0.985
