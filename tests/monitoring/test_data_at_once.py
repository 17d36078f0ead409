"""Two tables compared at once: without times, from any file, all that differs, as a check."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import modelops_jupyter as mo
from modelops_jupyter.cli import main
from modelops_jupyter.errors import InvalidFrame, InvalidInput
from modelops_jupyter.monitoring.record.comparison import DataComparison


def people(rows: int, seed: int, *, older: float = 0.0, other: float = 0.0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    jobs = np.where(generator.random(rows) < other, "diver", generator.choice(["clerk", "smith", "<b>"], rows))
    age = generator.normal(40 + older, 10, rows)
    return pd.DataFrame({"age": age, "job": jobs, "pay": generator.lognormal(size=rows)})


@pytest.fixture
def reference() -> pd.DataFrame:
    return people(5000, 0)


def test_without_times_all_rows_are_compared_once_and_what_differs_comes_strongest_first(
    reference: pd.DataFrame,
) -> None:
    comparison = mo.compare_data(reference, people(2000, 1, older=2.0, other=0.1))
    assert [len(comparison.windows), comparison.timed] == [1, False]
    assert comparison.columns == ("age", "job", "pay")
    assert comparison.alerts[0].column == "job"
    assert {alert.column for alert in comparison.alerts} == {"age", "job"}
    lines = str(comparison).splitlines()
    assert lines[0].startswith("current: 2,000 rows at once, 3 columns; ")
    assert [line.strip() for line in lines[1:]] == [alert.message for alert in comparison.alerts]
    same = mo.compare_data(reference, people(2000, 2))
    assert (same.alerts, str(same)) == ((), "current: 2,000 rows at once, 3 columns; 0 alerts.")


def test_with_times_what_is_over_is_told_too(reference: pd.DataFrame) -> None:
    """What a week in the middle had is not lost because the days after it were fine."""
    days = [people(500, 10 + day, older=8.0 * (5 <= day < 8)).assign(timestamp=day) for day in range(25)]
    current = pd.concat(days, ignore_index=True)
    current["timestamp"] = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(current["timestamp"], unit="D")
    comparison = mo.compare_data(reference, current)
    (age,) = [alert for alert in comparison.alerts if alert.column == "age"][:1]
    assert (age.state, age.window_start[:10]) == ("recovered", "2026-01-06")
    assert age.message in str(comparison)
    assert "age" in comparison._repr_mimebundle_()["text/html"]


def test_every_way_to_bring_the_rows_says_the_same(reference: pd.DataFrame, tmp_path: Path) -> None:
    current = people(2000, 1, older=2.0)
    expected = mo.compare_data(reference, current)
    for frame, name in ((reference, "before"), (current, "now")):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        frame.to_parquet(tmp_path / f"{name}.parquet")
    for before, now in (
        (tmp_path / "before.csv", str(tmp_path / "now.csv")),
        (tmp_path / "before.parquet", tmp_path / "now.csv"),
        (pl.from_pandas(reference), pl.from_pandas(current)),
    ):
        comparison = mo.compare_data(before, now)
        assert [alert.key for alert in comparison.alerts] == [alert.key for alert in expected.alerts]


@given(st.permutations(range(6)))
@settings(max_examples=15, deadline=None)
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    parts = [people(300, 30 + part, older=5.0) for part in range(6)]
    mixed = pd.concat([parts[part] for part in order], ignore_index=True)
    reference = people(3000, 0)
    first, second = (mo.compare_data(reference, rows) for rows in (pd.concat(parts, ignore_index=True), mixed))
    assert [(a.key, a.figure) for a in first.alerts] == [(a.key, pytest.approx(a.figure)) for a in second.alerts]


def test_times_without_a_zone_are_those_of_the_zone_that_is_named(reference: pd.DataFrame, tmp_path: Path) -> None:
    current = people(96 * 10, 1)
    local = pd.date_range("2026-03-24", periods=len(current), freq="15min")
    naive = current.assign(timestamp=local)
    skipped = local.tz_localize("Europe/Rome", nonexistent="shift_forward", ambiguous=True)
    expected = mo.compare_data(reference, current.assign(timestamp=skipped))
    naive.to_csv(tmp_path / "now.csv", index=False)
    for rows in (naive, pl.from_pandas(naive), tmp_path / "now.csv"):
        with pytest.raises(InvalidFrame, match="name the zone"):
            mo.compare_data(reference, rows)
        windows = mo.compare_data(reference, rows, zone="Europe/Rome").windows
        assert [(w.window_start, w.rows) for w in windows] == [(w.window_start, w.rows) for w in expected.windows]
    with pytest.raises(InvalidInput, match="no time zone 'Mars'"):
        mo.compare_data(reference, naive, zone="Mars")
    with pytest.raises(InvalidFrame, match="text that is no time"):
        mo.compare_data(reference, current.assign(timestamp="soon"), zone="UTC")


def test_as_a_check_it_fails_on_any_alert_and_writes_a_case_per_column(
    reference: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    reference.to_csv("before.csv", index=False)
    people(2000, 1, older=5.0).to_csv("now.csv", index=False)
    people(2000, 2).to_csv("same.csv", index=False)
    assert main(["compare-data", "before.csv", "same.csv", "--fail-on", "alert", "--junit", "same.xml"]) == 0
    assert main(["compare-data", "before.csv", "now.csv"]) == 0
    assert main(["compare-data", "before.csv", "now.csv", "--fail-on", "alert", "--junit", "now.xml"]) == 1
    assert "current: 2,000 rows at once" in capsys.readouterr().out
    cases = {file: list(ElementTree.parse(file).iter("testcase")) for file in ("same.xml", "now.xml")}
    failed = {file: [c.get("name") for c in tests if c.find("failure") is not None] for file, tests in cases.items()}
    assert failed == {"same.xml": [], "now.xml": ["age"]}
    with pytest.raises(InvalidInput, match="fails on 'alert' or not at all"):
        mo.compare_data("before.csv", "now.csv", fail_on="drift")
    with pytest.raises(InvalidInput, match=r"cannot be written to 'no/where\.xml'"):
        mo.compare_data("before.csv", "same.csv", junit="no/where.xml")
    suite = ElementTree.parse("now.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("4", "1")


@given(st.text(max_size=30))
def test_any_name_of_a_column_is_well_formed_in_a_junit_report(name: str) -> None:
    comparison = DataComparison("current", "1D", (), (), 0, columns=(name,))
    assert len(list(ElementTree.fromstring(comparison.to_junit()).iter("testcase"))) == 2
