"""Alerts keep to their budget when nothing drifts, and come when something does."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.monitoring import Alert, AlertBudget, AlertRules, Finding, WindowResult, raise_alerts
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.resampling import inject, resample
from modelops_jupyter.monitoring.incidents.alerts import told_apart
from modelops_jupyter.monitoring.judging.budget import chance_of_one
from modelops_jupyter.monitoring.judging.replay import judge_series, measure_series
from modelops_jupyter.profiles import Profile, Reference, build_reference, scan

START = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday
Rows = dict[str, np.ndarray]


def table(rows: Rows) -> pa.Table:
    length = len(next(iter(rows.values())))
    return pa.table({**rows, "version": np.ones(length, "int64")})


def judged(
    reference: Reference,
    profiles: list[Profile],
    *,
    budget: str = "1/month",
    every: str = "1D",
    start: datetime = START,
) -> list[Alert]:
    step = timedelta(hours=1) if every == "1h" else timedelta(days=1)
    rules, baselines = AlertRules(budget=AlertBudget.parse(budget)), {1: Baseline(reference)}
    series = {start + n * step: profile for n, profile in enumerate(profiles)}
    return list(
        raise_alerts("m", judge_series(baselines, measure_series(baselines, series, every), rules, every), rules)
    )


def day_of(alert: Alert) -> int:
    return (datetime.fromisoformat(alert.window_start) - START).days


def classified(rows: int, generator: np.random.Generator, *, shift: float = 0.0, noise: float = 0.0) -> Rows:
    x = generator.normal(shift, 1, rows)
    score = 1 / (1 + np.exp(-2 * x))
    outcome = np.where(generator.random(rows) < noise, generator.random(rows) < 0.5, generator.random(rows) < score)
    return {
        "x": x,
        "other": generator.exponential(size=rows),
        "word": generator.choice(["a", "b", "c", "d"], rows, p=[0.5, 0.3, 0.15, 0.05]),
        "prediction": np.where(score > 0.5, "1", "0"),
        "score": score,
        "label": outcome.astype(int).astype(str),
    }


def reference_of(rows: Rows, task: str = "classification", positive: str | None = "1") -> Reference:
    outputs = ("prediction", "score", "label")
    features = pa.table({name: values for name, values in rows.items() if name not in outputs})
    return build_reference(
        features,
        scores=rows.get("score"),
        predictions=rows.get("prediction"),
        labels=rows.get("label"),
        task=task,
        positive=positive,
    )


@pytest.fixture(scope="module")
def known() -> Reference:
    return reference_of(classified(5000, np.random.default_rng(0)))


def days(
    known: Reference, number: int, change: Callable[[int], Rows] | None = None, rows: int = 800, seed: int = 1
) -> list[Profile]:
    generator = np.random.default_rng(seed)
    made = [change(n) if change else classified(rows, generator) for n in range(number)]
    return [scan(table(each), known.binning) for each in made]


# The budget.


@pytest.mark.parametrize("text", ["1/month", "0.5 / week", "2 per year"])
def test_a_budget_is_a_number_per_period(text: str) -> None:
    assert AlertBudget.parse(AlertBudget.parse(text).text) == AlertBudget.parse(text)


@pytest.mark.parametrize("text", ["", "0/month", "-1/month", "1/fortnight", "month", "1/", "many per day"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="1/month"):
        AlertBudget.parse(text)


@given(st.integers(1, 500), st.integers(0, 6), st.integers(0, 60))
def test_allowances_add_up_to_the_budget(columns: int, metrics: int, segments: int) -> None:
    budget = AlertBudget.parse("1/month")
    signals = {"drift": columns, "quality": 2 * columns, "performance": metrics}
    whole, each = budget.allowances("1D", signals, segments)
    spent = sum(share * signals[kind] for kind, share in whole.items())
    spent += segments * sum(share * signals[kind] for kind, share in each.items())
    assert spent == pytest.approx(budget.per_window("1D"))


def test_two_of_three_take_less_sure_findings_unless_windows_repeat_each_other() -> None:
    alone = 1e-4
    assert alone / 2 < chance_of_one(alone, 2, 3, 0.99) < chance_of_one(alone, 2, 3, 0.3) < chance_of_one(alone, 2, 3)
    assert 2 * chance_of_one(alone, 2, 3) ** 2 == pytest.approx(alone)


@settings(max_examples=4, deadline=None, derandomize=True)
@given(st.sampled_from([60, 300, 3000, 100_000]), st.integers(0, 10**6))
def test_healthy_windows_keep_to_the_budget(rows: int, seed: int) -> None:
    """A hundred windows drawn from the reference's own population, under a budget of half an alert a day."""
    generator = np.random.default_rng(seed)
    population = reference_of(classified(50_000, generator))
    drawn = resample(population.profile, 6000, generator)
    reference = Reference(population.binning, drawn)
    profiles = [resample(population.profile, rows, generator) for _ in range(100)]
    alerts = judged(reference, profiles, budget="0.5/day")
    # Fewer than 50 are expected; of a Poisson number of mean 50 one in a thousand is over 73.
    assert len(alerts) < 73


# What drifts is found.


@pytest.mark.parametrize("begins", [0, 30])
def test_a_plain_shift_is_found_in_the_first_windows(known: Reference, begins: int) -> None:
    generator = np.random.default_rng(3)
    alerts = judged(
        known, days(known, begins + 5, lambda n: classified(800, generator, shift=3.0 if n >= begins else 0.0))
    )
    drift = [alert for alert in alerts if (alert.kind, alert.column) == ("drift", "x")]
    assert [day_of(alert) for alert in drift] == [begins]
    assert drift[0].state == "open"
    assert drift[0].figure > drift[0].threshold
    assert f"{drift[0].threshold:.3g}" in drift[0].message
    assert "of x was" in drift[0].message


def test_a_small_shift_that_stays_is_found_within_a_cycle(known: Reference) -> None:
    generator = np.random.default_rng(4)
    alerts = judged(known, days(known, 44, lambda n: classified(800, generator, shift=0.15 if n >= 30 else 0.0)))
    found = [day_of(alert) for alert in alerts if alert.column == "x"]
    assert found
    assert 30 <= found[0] < 37


def test_a_shift_that_stays_is_one_alert(known: Reference) -> None:
    generator = np.random.default_rng(5)
    alerts = judged(known, days(known, 60, lambda n: classified(800, generator, shift=0.5 if n >= 20 else 0.0)))
    assert [(day_of(a), a.state, a.last_window[:10]) for a in alerts if (a.kind, a.column) == ("drift", "x")] == [
        (20, "open", "2024-02-29")
    ]


def test_a_large_window_does_not_alarm_at_nothing(known: Reference) -> None:
    generator = np.random.default_rng(6)
    population = known.profile
    profiles = [resample(population, 200_000, generator) for _ in range(30)]
    moved = [inject(profile, known.binning, "shift", 0.03, "x") for profile in profiles]
    assert judged(known, moved) == []


def test_windows_too_small_to_tell_are_judged_together_or_not_at_all(known: Reference) -> None:
    generator = np.random.default_rng(7)
    alerts = judged(known, days(known, 20, lambda n: classified(12, generator, shift=3.0, noise=1.0)))
    assert {alert.column for alert in alerts if alert.kind == "drift"} >= {"x", "score"}
    assert all(alert.metric.startswith("recent_") for alert in alerts)
    rows = classified(1, generator)
    assert judged(known, [scan(table(rows), known.binning)] * 3) == []


@pytest.mark.parametrize("share", [0.05, 0.4])
def test_a_rising_null_rate_is_found(known: Reference, share: float) -> None:
    generator = np.random.default_rng(8)

    def day(n: int) -> Rows:
        rows = classified(1000, generator)
        rows["x"][generator.random(1000) < (share if n >= 3 else 0)] = np.nan
        return rows

    alerts = [a for a in judged(known, days(known, 8, day)) if a.metric == "null_rate"]
    assert [(a.kind, a.column, day_of(a)) for a in alerts] == [("quality", "x", 3)]


def test_a_column_that_is_gone_is_found_at_once(known: Reference) -> None:
    generator = np.random.default_rng(9)
    profiles = [scan(table(classified(500, generator)).drop_columns(["x"]), known.binning) for _ in range(3)]
    assert ("quality", "x", "null_rate") in {(a.kind, a.column, a.metric) for a in judged(known, profiles)}


def test_scores_that_were_never_logged_are_not_missed(known: Reference) -> None:
    generator = np.random.default_rng(10)
    profiles = [scan(table(classified(500, generator)).drop_columns(["score"]), known.binning) for _ in range(10)]
    assert not [a for a in judged(known, profiles) if a.column == "score"]
    logged = days(known, 5, rows=500)
    assert [a for a in judged(known, [*logged, *profiles]) if (a.column, a.metric) == ("score", "null_rate")]


@pytest.mark.parametrize("share", [0.01, 0.06])
def test_a_new_category_is_found_on_its_first_day(known: Reference, share: float) -> None:
    generator = np.random.default_rng(11)

    def day(n: int) -> Rows:
        rows = classified(800, generator)
        rows["word"] = np.where(generator.random(800) < (share if n >= 10 else 0), "new", rows["word"])
        return rows

    alerts = judged(known, days(known, 14, day))
    assert ("quality", "word", "unseen_rate", 10) in {(a.kind, a.column, a.metric, day_of(a)) for a in alerts}
    (named,) = (alert for alert in alerts if alert.metric == "unseen_rate")
    new = day(10)["word"] == "new"  # of another day: about as many
    assert named.beside.startswith("`new` (")
    assert f"{named.beside} of word was never seen in training" in named.message
    assert float(named.beside.split("(")[1].split(" %")[0]) / 100 == pytest.approx(new.mean(), abs=0.03)


@pytest.mark.parametrize("exponent", [1.6, 2.0])
def test_words_as_rare_as_the_reference_promises_are_no_unseen_ones(exponent: float) -> None:
    """Of 1.6 a reference has more words than are kept, of 2 it keeps all it has; new ones come every day."""
    generator = np.random.default_rng(13)

    def day(rows: int) -> Rows:
        return {"word": np.minimum(generator.zipf(exponent, rows), 10**6).astype(str)}

    known = reference_of(day(5000))
    profiles = [scan(table(day(800)), known.binning) for _ in range(60)]
    assert np.mean([profile.columns["word"].unseen for profile in profiles]) > 5
    assert not [alert for alert in judged(known, profiles) if alert.metric == "unseen_rate"]


# Seasons.


def test_weekdays_in_daily_windows_are_quiet() -> None:
    generator = np.random.default_rng(12)

    def rows(number: int, weekday: np.ndarray) -> Rows:
        free = weekday >= 5
        return {
            "weekday": weekday.astype(float),
            "weekend": np.where(free, "yes", "no"),
            "x": generator.normal(np.where(free, 1.0, 0.0), 1, number),
        }

    reference = reference_of(rows(7000, generator.integers(0, 7, 7000)), positive=None)
    for first in (0, 2, 5):
        start = START + timedelta(days=first)
        profiles = [
            scan(table(rows(900, np.full(900, (start + timedelta(days=n)).weekday()))), reference.binning)
            for n in range(42)
        ]
        assert judged(reference, profiles, start=start) == []


# Performance.


def test_a_worse_model_is_found_by_falling_and_rising_figures(known: Reference) -> None:
    generator = np.random.default_rng(13)
    alerts = judged(known, days(known, 25, lambda n: classified(800, generator, noise=0.5 if n >= 15 else 0.0)))
    found = {a.metric: a for a in alerts if a.kind == "performance"}
    assert set(found) == {"roc_auc", "accuracy", "log_loss"}
    assert {day_of(a) for a in found.values()} == {15}
    assert found["roc_auc"].figure < found["roc_auc"].threshold
    assert "fell below" in found["roc_auc"].message
    assert found["log_loss"].figure > found["log_loss"].threshold
    assert "passed" in found["log_loss"].message
    assert not [a for a in alerts if a.kind == "drift"]


def predicted(rows: int, generator: np.random.Generator, spread: float = 1.0) -> Rows:
    x = generator.normal(size=rows)
    return {"x": x, "prediction": 10 * x, "label": 10 * x + generator.normal(0, spread, rows)}


def test_a_regression_alarms_when_its_errors_rise_and_only_then() -> None:
    generator = np.random.default_rng(14)
    reference = reference_of(predicted(4000, generator), "regression", None)
    made = [predicted(500, generator, 1.5 if n >= 15 else 1.0) for n in range(20)]
    alerts = judged(reference, [scan(table(rows), reference.binning) for rows in made])
    assert {(a.kind, a.metric, day_of(a)) for a in alerts} == {
        ("performance", "mean_absolute_error", 15),
        ("performance", "root_mean_squared_error", 15),
    }
    better = [predicted(500, generator, 0.5 if n >= 5 else 1.0) for n in range(20)]
    assert judged(reference, [scan(table(rows), reference.binning) for rows in better]) == []


def test_performance_waits_for_the_labels(known: Reference) -> None:
    """The labels that come first are of the worst cases; with the rest all is well."""
    generator = np.random.default_rng(15)

    def early(rows: Rows) -> Rows:
        wrong = rows["prediction"] != rows["label"]
        return {**rows, "label": np.where(wrong | (np.arange(len(wrong)) % 10 == 0), rows["label"], None)}

    whole = [classified(800, generator) for _ in range(20)]
    profiles = [scan(table(rows), known.binning) for rows in [*whole[:-1], early(whole[-1])]]
    assert not [a for a in judged(known, profiles) if a.kind == "performance"]
    all_labels = [scan(table(rows), known.binning) for rows in [*whole[:-1], classified(800, generator, noise=1.0)]]
    assert [a for a in judged(known, all_labels) if a.kind == "performance"]


# Folding.


def fold(pattern: str) -> list[tuple[int, str]]:
    """Fold days of plain (P), likely (x), lingering (l) and no (.) findings."""
    level = {"P": "plain", "x": "likely", "l": "lingering"}

    def day(number: int, mark: str) -> WindowResult:
        start = (START + timedelta(days=number)).isoformat()
        findings = () if mark == "." else (Finding("drift", "x", "psi", 0.4, 0.2, level=level[mark]),)
        return WindowResult(start, start, 500, 0, {}, {}, {}, findings)

    found = raise_alerts("m", [day(n, mark) for n, mark in enumerate(pattern)], AlertRules())
    return [(day_of(alert), alert.state) for alert in found]


@pytest.mark.parametrize(
    ("pattern", "alerts"),
    [
        ("x..x..x", []),
        ("x.x", [(2, "open")]),
        ("P", [(0, "open")]),
        ("lll", []),
        ("P...", [(0, "recovered")]),
        ("Pl.l..l", [(0, "open")]),
        ("xx...xx", [(1, "recovered"), (6, "open")]),
        ("xx..x..", [(1, "open")]),
        ("P...P...P...", [(0, "recovered"), (4, "recovered"), (8, "recovered")]),
    ],
)
def test_it_takes_more_to_open_than_to_stay_open(pattern: str, alerts: list[tuple[int, str]]) -> None:
    assert fold(pattern) == alerts


@pytest.mark.parametrize(
    ("served", "alerts"),
    [
        ("1111", [(1, 0, "open")]),
        ("11122", [(1, 0, "open"), (2, 3, "open")]),
        ("111222", [(1, 0, "superseded"), (2, 3, "open")]),
        ("112211", [(1, 0, "open"), (2, 2, "open")]),
        ("11122221", [(1, 0, "superseded"), (1, 7, "open"), (2, 3, "open")]),
    ],
)
def test_another_version_is_another_model(served: str, alerts: list[tuple[int, int, str]]) -> None:
    """What was wrong with a version closes when it is replaced, not while two of them take turns."""

    def day(number: int, version: str) -> WindowResult:
        start = (START + timedelta(days=number)).isoformat()
        return WindowResult(start, start, 500, 0, {version: 500}, {}, {}, (Finding("drift", "x", "psi", 0.4, 0.2),))

    found = raise_alerts("m", [day(n, version) for n, version in enumerate(served)], AlertRules())
    assert sorted((a.version, day_of(a), a.state) for a in found) == alerts


def test_a_version_that_comes_back_is_not_judged_by_one_day_as_a_week(known: Reference) -> None:
    """Its weekdays of long ago are no part of the cycle, and the one day of this cycle is no whole one."""
    generator = np.random.default_rng(16)

    def rows(number: int, weekday: int) -> Rows:
        return {"weekday": np.full(number, float(weekday)), "x": generator.normal(size=number)}

    mixed = [rows(1000, weekday) for weekday in range(7)]
    reference = reference_of({name: np.concatenate([day[name] for day in mixed]) for name in ("weekday", "x")})
    days = {START + timedelta(days=n): n for n in [*range(28), *range(60, 67)]}
    baselines = {1: Baseline(reference)}
    profiles = {at: scan(table(rows(900, n % 7)), reference.binning) for at, n in days.items()}
    windows = judge_series(baselines, measure_series(baselines, profiles, "1D"), AlertRules(), "1D")
    found = raise_alerts("m", windows, AlertRules())
    # That nothing came for a month is told when something comes again.
    assert [(a.kind, day_of(a)) for a in found] == [("volume", 60)]


def test_all_drift_of_a_column_is_one_alert() -> None:
    def day(number: int, metric: str) -> WindowResult:
        start = (START + timedelta(days=number)).isoformat()
        return WindowResult(start, start, 500, 0, {}, {}, {}, (Finding("drift", "x", metric, 0.4, 0.2),))

    names = ("jensen_shannon", "recent_kolmogorov_smirnov", "kolmogorov_smirnov")
    found = raise_alerts("m", [day(n, metric) for n, metric in enumerate(names)], AlertRules())
    assert [(alert.metric, day_of(alert), alert.state) for alert in found] == [("jensen_shannon", 0, "open")]


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9))
def test_a_figure_and_its_threshold_read_alike_only_if_they_are(figure: float, threshold: float) -> None:
    texts = told_apart(figure, threshold)
    assert (texts[0] == texts[1]) == (figure == threshold)
    assert told_apart(0.5, 0.25) == ("0.5", "0.25")
    assert told_apart(0.38114, 0.38101) == ("0.3811", "0.381")
