"""Signals of no column: outcomes that follow otherwise, a fall before its labels, rows that stay away."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from modelops_jupyter.monitoring import Alert, AlertBudget, AlertRules, WindowResult, raise_alerts
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.incidents.chronicle import chronicle_of
from modelops_jupyter.monitoring.judging.judge import judge_windows
from modelops_jupyter.monitoring.judging.replay import judge_series, measure_series
from modelops_jupyter.monitoring.record.results import plain_metric
from modelops_jupyter.profiles import Reference, build_reference, scan

START = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday
Rows = dict[str, np.ndarray]


def classified(rows: int, generator: np.random.Generator, *, level: float = 0.0, odds: float = 0.0) -> Rows:
    """Scores that say the chance of a positive; `odds` moves the outcomes away from what they say."""
    x = generator.normal(level, 1, rows)
    score = 1 / (1 + np.exp(-2 * x))
    label = generator.random(rows) < 1 / (1 + np.exp(-2 * x - odds))
    return {
        "x": x,
        "prediction": np.where(score > 0.5, "1", "0"),
        "score": score,
        "label": label.astype(int).astype(str),
    }


def predicted(rows: int, generator: np.random.Generator, *, bias: float = 0.0) -> Rows:
    """A regression whose error turns with the size of the prediction, not on the whole."""
    x = generator.normal(size=rows)
    return {"x": x, "prediction": 10 * x, "label": 10 * x + np.sign(x) * bias + generator.normal(size=rows)}


def reference_of(rows: Rows, task: str = "classification") -> Reference:
    return build_reference(
        pa.table({"x": rows["x"]}),
        scores=rows.get("score"),
        predictions=rows["prediction"],
        labels=rows["label"],
        task=task,
        positive="1" if task == "classification" else None,
    )


def profile(reference: Reference, rows: Rows, labelled: bool = True):
    kept = {name: values for name, values in rows.items() if labelled or name != "label"}
    return scan(pa.table({**kept, "version": np.ones(len(rows["x"]), "int64")}), reference.binning)


def judged(reference: Reference, days: Sequence, budget: str = "1/month") -> tuple[list[WindowResult], list[Alert]]:
    rules, baselines = AlertRules(budget=AlertBudget.parse(budget)), {1: Baseline(reference)}
    series = {START + n * timedelta(days=1): each for n, each in enumerate(days) if each is not None}
    windows = judge_series(baselines, measure_series(baselines, series, "1D"), rules, "1D")
    return list(windows), list(raise_alerts("m", windows, rules))


def day_of(alert: Alert) -> int:
    return (datetime.fromisoformat(alert.window_start) - START).days


@pytest.fixture(scope="module")
def known() -> Reference:
    return reference_of(classified(6000, np.random.default_rng(0)))


# Concept drift.


def test_outcomes_that_no_longer_follow_the_scores_are_found(known: Reference) -> None:
    generator = np.random.default_rng(1)
    days = [profile(known, classified(800, generator, odds=0.8 if n >= 20 else 0.0)) for n in range(24)]
    alerts = {a.metric: a for a in judged(known, days)[1] if a.kind == "concept"}
    assert {(metric, a.column, day_of(a)) for metric, a in alerts.items()} == {
        ("calibration_shift", "", 20),
        ("outcome_excess", "", 20),
    }
    assert all(alert.figure > alert.threshold for alert in alerts.values())
    assert "calibration shift was" in alerts["calibration_shift"].message


def test_a_few_more_positives_than_expected_are_found_within_a_week(known: Reference) -> None:
    generator = np.random.default_rng(11)
    days = [profile(known, classified(800, generator, odds=0.3 if n >= 20 else 0.0)) for n in range(27)]
    alerts = [a for a in judged(known, days)[1] if a.kind == "concept"]
    assert {plain_metric(a.metric) for a in alerts} >= {"outcome_excess"}
    assert all(20 <= day_of(a) <= 26 for a in alerts)


def test_errors_that_turn_with_the_prediction_are_found() -> None:
    generator = np.random.default_rng(2)
    reference = reference_of(predicted(4000, generator), "regression")
    days = [profile(reference, predicted(500, generator, bias=0.6 if n >= 12 else 0.0)) for n in range(15)]
    assert {(a.metric, day_of(a)) for a in judged(reference, days)[1] if a.kind == "concept"} == {("error_shift", 12)}


@pytest.mark.parametrize("factor", [30, 1000, 100_000])
def test_a_few_rows_that_are_far_off_are_a_greater_loss_at_once(factor: int) -> None:
    """The window's own spread, which such rows make as great as the loss, does not excuse them."""
    generator = np.random.default_rng(6)
    reference = reference_of(predicted(4000, generator), "regression")
    days = []
    for n in range(30):
        rows = predicted(500, generator)
        hit = (generator.random(500) < 0.02) & (n >= 25)
        days.append(profile(reference, {**rows, "label": np.where(hit, factor * rows["label"], rows["label"])}))
    found = {a.metric: day_of(a) for a in judged(reference, days)[1] if a.kind == "performance"}
    assert found["mean_absolute_error"] == found["root_mean_squared_error"] == 25


def test_too_few_positives_do_not_keep_an_alert_of_too_many_open(known: Reference) -> None:
    generator = np.random.default_rng(12)
    odds = [0.0] * 20 + [0.8] * 3 + [-0.06] * 14
    days = [profile(known, classified(800, generator, odds=each)) for each in odds]
    excess = [a for a in judged(known, days)[1] if a.kind == "concept" and plain_metric(a.metric) == "outcome_excess"]
    (many,) = (alert for alert in excess if day_of(alert) == 20)
    assert many.state == "recovered"
    assert (datetime.fromisoformat(many.last_window) - START).days <= 22 + 6  # a week together holds the last bad day


def test_a_concept_that_swings_by_nature_is_no_news(known: Reference) -> None:
    generator = np.random.default_rng(3)
    swings = np.random.default_rng(4).normal(0, 0.6, 60)
    days = [profile(known, classified(800, generator, odds=odds)) for odds in swings]
    assert len([a for a in judged(known, days)[1] if a.kind == "concept"]) <= 1


def test_large_windows_do_not_alarm_at_a_concept_that_hardly_moved(known: Reference) -> None:
    """By a point in a hundred, half of what counts."""
    generator = np.random.default_rng(5)
    days = [profile(known, classified(60_000, generator, odds=0.06 if n >= 10 else 0.0)) for n in range(14)]
    assert not [a for a in judged(known, days)[1] if a.kind == "concept"]


# Estimated performance.


def harder(n: int, generator: np.random.Generator) -> Rows:
    """From day 15 on only cases near the decision come: the model will be worse, its concept is the same."""
    rows = classified(4000, generator)
    kept = np.abs(rows["x"]) < (0.4 if n >= 15 else np.inf)
    return {name: values[kept][:800] for name, values in rows.items()}


def test_a_fall_is_told_before_its_labels_are_there_and_once(known: Reference) -> None:
    generator = np.random.default_rng(6)
    rows = [harder(n, generator) for n in range(18)]
    early = [profile(known, each, labelled=n < 15) for n, each in enumerate(rows)]
    _, before = judged(known, early)
    told = {a.metric: day_of(a) for a in before if a.kind == "performance"}
    assert told["estimated_roc_auc"] == 15
    assert all(metric.startswith("estimated_") for metric in told)
    _, after = judged(known, [profile(known, each) for each in rows])
    came = {a.metric.removeprefix("recent_"): day_of(a) for a in after if a.kind == "performance"}
    assert came["roc_auc"] == 15
    assert not [metric for metric in came if metric.startswith("estimated_")]
    # What was estimated and then came true is one incident.
    (first,) = chronicle_of("m", [{**a.to_dict(), "every": "1D"} for a in before]).book.cases.values()
    later = chronicle_of("m", [{**a.to_dict(), "every": "1D"} for a in after], [replace(first, on_record=True)])
    (case,) = later.book.cases.values()
    assert case.id == first.id
    assert any(not member.closed for member in case.members.values())
    assert not later.events.get(first.id)


def test_estimates_are_quiet_where_nothing_changes(known: Reference) -> None:
    generator = np.random.default_rng(7)
    days = [profile(known, classified(800, generator), labelled=False) for _ in range(120)]
    assert not [a for a in judged(known, days)[1] if a.kind == "performance"]


# Volume.


def served(known: Reference, rows: Callable[[int], int], days: int) -> list:
    generator = np.random.default_rng(8)
    return [profile(known, classified(rows(n), generator)) if rows(n) else None for n in range(days)]


def volumes(known: Reference, rows: Callable[[int], int], days: int) -> list[tuple[int, bool]]:
    found = [a for a in judged(known, served(known, rows, days))[1] if a.kind == "volume"]
    return [(day_of(a), a.figure < 1) for a in found]


@pytest.mark.parametrize(("after", "fell"), [(250, True), (1600, False)])
def test_too_few_and_too_many_rows_are_found(known: Reference, after: int, fell: bool) -> None:
    assert volumes(known, lambda n: after if n >= 20 else 600 + n % 5, 22) == [(20, fell)]


def test_a_day_without_rows_is_found_when_rows_come_again(known: Reference) -> None:
    assert volumes(known, lambda n: 0 if n == 20 else 600 + n % 5, 23) == [(21, True)]


def test_weekends_are_no_outage_once_they_are_known(known: Reference) -> None:
    assert volumes(known, lambda n: 90 if n % 7 >= 5 else 700 + 10 * (n % 3), 56) == []


def test_closed_on_sundays_is_no_outage(known: Reference) -> None:
    assert volumes(known, lambda n: 0 if n % 7 == 6 else 300 + n % 4, 50) == []


def test_a_day_that_is_not_over_is_not_blamed(known: Reference) -> None:
    days = served(known, lambda n: 40 if n == 20 else 600 + n % 5, 21)
    baseline = Baseline(known)
    series = {START + n * timedelta(days=1): each for n, each in enumerate(days)}
    windows = measure_series({1: baseline}, series, "1D")
    found = {}
    for hours in (8, 24):
        until = START + timedelta(days=20, hours=hours)
        last = judge_windows(windows, [1], lambda *_: baseline, AlertRules(), "1D", until=until)[-1]
        found[hours] = [finding.metric for finding in last.findings if finding.kind == "volume"]
    assert found == {8: [], 24: ["volume"]}
    assert last.quality["volume"]["value"] == pytest.approx(40 / 602, rel=0.01)


def test_another_version_is_no_new_model(known: Reference) -> None:
    """Traffic is the model's, whichever version answers it."""
    baseline = Baseline(known)
    days = served(known, lambda n: 600 + n % 5 if n < 20 else 200, 21)
    days[-1] = replace(days[-1], versions={2: 200})
    series = {START + n * timedelta(days=1): each for n, each in enumerate(days)}
    baselines = {1: baseline, 2: baseline}
    windows = judge_series(baselines, measure_series(baselines, series, "1D"), AlertRules(), "1D")
    assert "volume" in [finding.metric for finding in windows[-1].findings]
