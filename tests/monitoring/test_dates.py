"""Dates and durations are watched by their age, weekday and length, and dates that stand for none are named."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier

import modelops_jupyter as mo
from modelops_jupyter.frames import zones_in_arrow
from modelops_jupyter.profiles import build_reference
from modelops_jupyter.profiles.dates import describe_dates
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

DAYS, ROWS = 14, 100
SINCE = 10 * ROWS


def rows(seed: int) -> pd.DataFrame:
    generator, number = np.random.default_rng(seed), DAYS * ROWS
    times = pd.date_range("2026-05-01", periods=number, freq=pd.Timedelta(days=1) / ROWS, tz="UTC")
    ages = pd.to_timedelta(generator.gamma(3, 100, number), unit="D")
    return pd.DataFrame(
        {
            "timestamp": times,
            "amount": generator.normal(50, 9, number),
            "signup": (times - ages).tz_convert(None).astype("datetime64[us]"),
            "wait": pd.to_timedelta(generator.gamma(2, 60, number), unit="s"),
        }
    )


REFERENCE = rows(1)


def test_healthy_dates_raise_no_alert() -> None:
    report = mo.compare_data(REFERENCE, rows(2))
    assert report.alerts == ()
    assert set(report.columns) == {"amount", "signup · age", "signup · kind", "signup · weekday", "wait · seconds"}
    assert report.remark == ""


@pytest.mark.parametrize("stamp", ["0001-01-01", "1900-01-01", "9999-12-31"])
@pytest.mark.parametrize("kind", ["date", "timestamp"])
def test_a_date_that_stands_for_none_is_named(stamp: str, kind: str) -> None:
    current = rows(2)
    dates = [day.date() for day in current["signup"]]
    dates[SINCE::20] = [dt.date.fromisoformat(stamp)] * len(dates[SINCE::20])
    table = pa.Table.from_pandas(zones_in_arrow(current.drop(columns="signup")), preserve_index=False)
    column = pa.array(dates, pa.date32())
    table = table.append_column("signup", column if kind == "date" else column.cast(pa.timestamp("us")))
    (named,) = [alert for alert in mo.compare_data(REFERENCE, table).alerts if alert.metric == "unseen_rate"]
    assert f"`{stamp}` (5 % of rows) of signup was never seen in training" in named.message
    assert named.window_start.startswith("2026-05-11")


def shifted(column: str, by: pd.Timedelta | None) -> pd.DataFrame:
    current = rows(2)
    current.loc[current.index >= SINCE, column] = (current[column] + by if by is not None else pd.NaT).loc[SINCE:]
    return current


@pytest.mark.parametrize(
    ("column", "by", "words"),
    [
        ("signup", -pd.Timedelta(days=365), "`signup`: age rose from"),
        ("signup", pd.Timedelta(days=3000), "`in the future` (1e+02 % of rows) of signup was never seen in training"),
        ("wait", pd.Timedelta(seconds=90), "`wait`: duration rose from"),
    ],
)
def test_dates_that_move_are_named_with_how(column: str, by: pd.Timedelta, words: str) -> None:
    alerts = mo.compare_data(REFERENCE, shifted(column, by)).alerts
    first = [alert for alert in alerts if alert.window_start.startswith("2026-05-11")]
    assert any(words in alert.message for alert in first), [alert.message for alert in alerts]
    assert {alert.column.partition(" · ")[0] for alert in alerts} == {column}


def test_missing_dates_are_told_once() -> None:
    current = rows(2)
    current.loc[SINCE:, "signup"] = pd.NaT
    alerts = mo.compare_data(REFERENCE, current).alerts
    rates = [(alert.column, alert.metric) for alert in alerts if alert.kind == "quality"]
    assert rates == [("signup · kind", "null_rate")]
    assert "signup has no value at all" in next(a.message for a in alerts if a.metric == "null_rate")


def test_dates_of_a_model_are_watched_and_its_rows_say_when_they_were_asked(tmp_path: Path) -> None:
    ws = Workspace(Settings(project=tmp_path, root=tmp_path / "w"))
    labels = np.arange(len(REFERENCE)) % 2
    features = REFERENCE.set_index("timestamp")
    ws.register(DummyClassifier().fit(np.zeros((len(labels), 3)), labels), "m", data=features, target=labels)
    current = shifted("signup", -pd.Timedelta(days=365)).rename(columns={"timestamp": "t"})
    current["wait"] = current["wait"].dt.total_seconds()  # the log holds no durations
    current = current.assign(i=[f"r{at}" for at in range(len(current))], p=0, s=0.5)
    ws.log_predictions("m/1", current, id="i", time="t", prediction="p", score="s")
    ws.monitor("m")
    (incident,) = ws.incidents("m").rows
    assert incident["title"].startswith("`signup`: age rose from ")


EDGES = [dt.datetime.min, dt.datetime.max, dt.datetime(1970, 1, 1), dt.datetime(1677, 1, 1), dt.datetime(2262, 12, 31)]


# Whatever dates come, they are described as Python describes them, and none is too far away.
@given(st.lists(st.none() | st.datetimes() | st.sampled_from(EDGES), max_size=6), st.sampled_from(["s", "ms", "us"]))
def test_dates_are_described_as_python_does(dates: list[dt.datetime | None], unit: str) -> None:
    dates = [date.replace(microsecond=0) if date else None for date in dates]
    column = pa.chunked_array([pa.array(dates, pa.timestamp(unit))])
    now = dt.datetime(2026, 5, 1)
    micros = np.full(len(dates), int(now.replace(tzinfo=dt.UTC).timestamp()) * 1_000_000)
    found = {k: v.to_pylist() for k, v in describe_dates(column, ("kind", "age", "weekday"), micros, "future").items()}
    for place, date in enumerate(dates):
        kind, age, weekday = (found[name][place] for name in ("kind", "age", "weekday"))
        if date is None:
            assert (kind, age, weekday) == (None, None, None)
        elif kind in ("a date", "in the future"):
            assert age == pytest.approx((now - date) / dt.timedelta(days=1))
            assert weekday == date.strftime("%A")
            assert (kind == "in the future") == (date > now + dt.timedelta(days=1))
        else:
            assert kind == f"{date.year:04}-{date:%m-%d}"
            assert (age, weekday) == (None, None)


def test_segments_of_a_reference_know_how_old_their_dates_were() -> None:
    signups = REFERENCE["signup"].to_numpy()
    table = pa.table({"signup": signups, "plan": np.where(np.arange(len(signups)) % 2, "a", "b")})
    asked = REFERENCE["timestamp"].dt.as_unit("us").astype("int64").to_numpy()
    reference = build_reference(table, task="decision", segments=("plan",), times=asked)
    whole, parts = reference.profile, reference.segments["plan"].values()
    for name in ("signup · age", "signup · kind"):
        assert sum(part.columns[name].missing for part in parts) == 0
        assert np.sum([part.columns[name].counts for part in parts], axis=0).tolist() == list(
            whole.columns[name].counts
        )
