"""Holidays are shown and not judged, and nothing else is judged otherwise for it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelops_jupyter.actor import Actor
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.monitoring import AlertRules, MonitorReport, WindowResult, raise_alerts, run_monitor
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.judging.holidays import Holidays, holidays_sentence
from modelops_jupyter.monitoring.judging.replay import judge_series, measure_series
from modelops_jupyter.monitoring.kept import load_report
from modelops_jupyter.monitoring.monitor import alert_rules
from modelops_jupyter.profiles import Profile, build_reference, scan
from modelops_jupyter.settings import Settings
from modelops_jupyter.store import InMemoryStore

START, DAY = datetime(2013, 1, 1, tzinfo=UTC), timedelta(days=1)
ANN = Actor("ann", "self-asserted")
DAYS, ROWS = 40, 80


def drawn(day: int, rows: int = ROWS) -> pa.Table:
    """Return the rows of a day; every tenth one has other winds, origins and far fewer rows."""
    generator = np.random.default_rng(day)
    odd = day % 10 == 9
    rows = rows // 4 if odd else rows
    origin = generator.choice(["JFK", "LGA"], rows, p=[0.05, 0.95] if odd else [0.6, 0.4])
    return pa.table({"wind": generator.normal(3.0 if odd else 0.0, 1.0, rows), "origin": origin})


REFERENCE = build_reference(drawn(1000, 5000))
BASELINES = {1: Baseline(REFERENCE)}


def profile(table: pa.Table) -> Profile:
    return scan(table.append_column("version", pa.array(np.ones(table.num_rows, "int64"))), REFERENCE.binning)


PROFILES = {START + n * DAY: profile(drawn(n)) for n in range(DAYS)}


def judged(days: Sequence[int], off: Sequence[int], every: str = "1D") -> dict[str, WindowResult]:
    """Judge some days under a calendar that has the days `off`."""
    holidays = Holidays.parse((START + n * DAY).date().isoformat() for n in off)
    profiles = {START + n * DAY: PROFILES[START + n * DAY] for n in days}
    windows = measure_series(BASELINES, profiles, every, holidays)
    rules = AlertRules(holidays=holidays)
    return {window.window_start: window for window in judge_series(BASELINES, windows, rules, every)}


def of_alerts(windows: Sequence[WindowResult]) -> list[tuple[str, str, str]]:
    found = raise_alerts("m", windows, AlertRules())
    return [(alert.column, alert.metric, alert.window_start[:10]) for alert in found]


@settings(max_examples=5, deadline=None, derandomize=True)
@given(st.sets(st.integers(1, DAYS - 1), max_size=8))
def test_other_days_are_judged_as_if_a_holiday_had_not_come(off: set[int]) -> None:
    """Whether it has rows or none: it is no history, no part of a week, no missing day."""
    everyday = [n for n in range(DAYS) if n not in off]
    windows, without = judged(range(DAYS), sorted(off)), judged(everyday, sorted(off))
    assert [windows[start] for start in without] == list(without.values())
    for n in off:
        window = windows[(START + n * DAY).isoformat()]
        assert not window.findings
        assert window.holiday == (START + n * DAY).date().isoformat()
        assert window.drift  # it is measured and drawn all the same


def test_what_holidays_alone_bring_is_no_alert() -> None:
    odd = [n for n in range(DAYS) if n % 10 == 9]
    assert of_alerts(list(judged(range(DAYS), []).values()))
    assert of_alerts(list(judged(range(DAYS), odd).values())) == []


def test_a_holiday_closes_no_alert() -> None:
    """It is neither a finding nor clean."""
    windows = list(judged(range(10), []).values())

    def closed(later: Sequence[WindowResult]) -> list[str]:
        return [alert.closed for alert in raise_alerts("m", [*windows, *later], AlertRules())]

    clean = [replace(windows[8], window_start=(START + n * DAY).isoformat(), findings=()) for n in range(10, 16)]
    assert closed(clean) != closed([])
    assert closed([replace(window, holiday="Carnival") for window in clean]) == closed([])


@pytest.mark.parametrize(
    ("calendar", "day", "name"),
    [
        ("US", date(2013, 7, 4), "Independence Day"),
        ("US", date(2013, 7, 5), ""),
        ("US-NY", date(2013, 2, 12), "Lincoln's Birthday"),
        ("US-TX", date(2013, 2, 12), ""),
        ("XNYS", date(2013, 3, 29), "Good Friday"),
        ("2013-11-29", date(2013, 11, 29), "2013-11-29"),
        ("2013-11-29", date(2014, 11, 29), ""),
    ],
)
def test_calendars_of_countries_their_parts_markets_and_days(calendar: str, day: date, name: str) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    holidays = Holidays.parse(calendar)
    assert holidays.name_of(start, "1D").partition(" (")[0] == name
    assert bool(holidays.name_of(start + timedelta(hours=23), "1h")) == bool(name)
    assert holidays.name_of(start, "1W") == ""


@pytest.mark.parametrize(
    ("calendar", "hint"),
    [("us", "'US'"), ("XX", ""), ("US-ZZ", ""), ("2013-02-30", ""), ("", ""), ("<script>", ""), (7, "")],
)
def test_a_calendar_that_nobody_knows_is_named(calendar: str, hint: str) -> None:
    with pytest.raises(InvalidInput, match=r"No calendar of holidays is called .*2013-11-29") as raised:
        Holidays.parse([calendar])
    assert repr(calendar) in str(raised.value)
    assert hint in str(raised.value)


def test_the_sentence_names_the_days_of_the_last_month() -> None:
    days = {"2013-01-01": "New Year's Day", "2013-05-27": "Memorial Day", "2013-06-14": "2013-06-14"}
    assert holidays_sentence(days, "2013-04-01T00:00:00+00:00") != ""
    assert holidays_sentence({}, "2013-04-01T00:00:00+00:00") == ""
    assert holidays_sentence(days, "2013-06-20T00:00:00+00:00") == (
        "2013-05-27 (Memorial Day), 2013-06-14 are holidays: they are shown, not judged."
    )


def test_the_monitor_goes_on_by_the_calendar_of_its_last_run(tmp_path: Path) -> None:
    store, log = InMemoryStore(), PredictionLog(tmp_path)
    generator = np.random.default_rng(3)
    for n in range(30):
        log.append_predictions("m", _logged(n, generator))

    def run(holidays: list[str] | None) -> tuple[MonitorReport, dict[str, object]]:
        rules = alert_rules(store, "m", "1D", None, holidays, Settings(tmp_path, tmp_path, holidays=("US",)))
        report = run_monitor("m", store=store, log=log, references={1: REFERENCE}, every="1D", rules=rules, actor=ANN)
        record = store.get("monitor", "m/1D")
        assert record is not None
        return report, dict(record.body)

    report, state = run(None)
    assert (state["holidays"], state["days_off"]) == (
        ["US"],
        {"2013-01-01": "New Year's Day", "2013-01-21": "Martin Luther King Jr. Day"},
    )
    assert [w.holiday for w in report.windows if w.holiday] == ["New Year's Day", "Martin Luther King Jr. Day"]
    days = [f"2013-01-{n:02d}" for n in (10, 20, 30)]
    report, state = run(days)
    assert state["days_off"] == dict(zip(days, days, strict=True))
    assert report.alerts == ()
    assert run(None)[1]["holidays"] == days
    kept = load_report(store, "m")
    assert [(w.window_start[:10], w.holiday) for w in kept.windows if w.holiday] == [(day, day) for day in days]
    assert [w.findings for w in kept.windows if w.holiday] == [(), (), ()]
    log.append_predictions("m", _logged(30, generator))
    fresh = at_once(log, days)
    assert [what_is_kept(w) for w in run(None)[0].windows] == [what_is_kept(w) for w in fresh.windows]
    report, state = run([])
    assert (state["holidays"], state["days_off"]) == ([], {})
    assert {alert.window_start[:10] for alert in report.alerts} & set(days)


def at_once(log: PredictionLog, days: list[str]) -> MonitorReport:
    """Return what one run over all says."""
    rules = AlertRules(holidays=Holidays.parse(days))
    return run_monitor(
        "m", store=InMemoryStore(), log=log, references={1: REFERENCE}, every="1D", rules=rules, actor=ANN
    )


def what_is_kept(window: WindowResult) -> tuple[object, ...]:
    quality = {metric: dict(figure) for metric, figure in window.quality.items()}
    return window.window_start, window.holiday, window.findings, window.rows, quality


def _logged(day: int, generator: np.random.Generator) -> pa.Table:
    rows = drawn(day)
    times = START + day * DAY + np.sort(generator.integers(0, 86_400, rows.num_rows)) * timedelta(seconds=1)
    own = {
        "request_id": [f"{day}-{n}" for n in range(rows.num_rows)],
        "timestamp": pa.array(times.tolist(), pa.timestamp("us", tz="UTC")),
        "model": ["m"] * rows.num_rows,
        "version": pa.array([1] * rows.num_rows, pa.int64()),
        "alias": [""] * rows.num_rows,
        "prediction": ["1"] * rows.num_rows,
        "score": [0.5] * rows.num_rows,
        "decision": [""] * rows.num_rows,
    }
    return pa.table({**own, **{name: rows[name] for name in rows.column_names}})
