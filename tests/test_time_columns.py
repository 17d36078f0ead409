"""Times in UTC, whatever wrote them: with a zone of their own, or in the zone that is named for them."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from modelops_jupyter.cli import main
from modelops_jupyter.errors import InvalidFrame, InvalidInput
from modelops_jupyter.settings import Settings
from modelops_jupyter.time_columns import check_zone, utc_times
from modelops_jupyter.workspace import Workspace

ZONES = ("UTC", "America/New_York", "Europe/Rome", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
WRITTEN = {
    "nanoseconds": lambda times: pd.Series(times).astype("datetime64[ns]"),
    "microseconds": lambda times: pd.Series(times).astype("datetime64[us]"),
    "text": lambda times: pd.Series([str(time) for time in times]),
    "text with T": lambda times: pd.Series([time.isoformat() for time in times]),
    "objects": lambda times: pd.Series(times, dtype="object"),
    "arrow": lambda times: pd.Series(times).astype("timestamp[us][pyarrow]"),
    "arrow text": lambda times: pd.Series([str(time) for time in times]).astype("string[pyarrow]"),
}


@given(
    times=st.lists(st.datetimes(datetime(1970, 1, 2), datetime(2037, 12, 31)), min_size=1, max_size=4),
    zone=st.sampled_from(ZONES),
    written=st.sampled_from([*WRITTEN]),
)
def test_times_without_a_zone_are_those_of_the_zone_that_is_named(
    times: list[datetime], zone: str, written: str
) -> None:
    there = [time.replace(tzinfo=ZoneInfo(zone)) for time in times]  # fold 0: of an hour that comes twice the first
    for time in there:  # an hour that spring leaves out is none
        assume(time.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == time.replace(tzinfo=None))
    series = WRITTEN[written](times).set_axis(range(5, 5 + len(times)))
    converted = utc_times(series, "at", zone)
    assert converted.tolist() == [pd.Timestamp(time.astimezone(UTC)) for time in there]
    assert converted.index.tolist() == series.index.tolist()
    with pytest.raises(InvalidFrame, match=r"not times with a time zone: name their zone, zone='UTC' \(--zone UTC\)"):
        utc_times(series, "at")


def test_an_hour_that_spring_leaves_out_is_taken_for_the_one_after_it() -> None:
    left_out = pd.Series(pd.to_datetime(["2013-03-31 02:30"]))
    assert utc_times(left_out, "at", "Europe/Rome")[0] == pd.Timestamp("2013-03-31 01:00", tz="UTC")


def test_dates_are_midnights_of_the_zone() -> None:
    days = pd.Series([date(2013, 4, 1)], dtype="object")
    assert utc_times(days, "at", "America/New_York")[0] == pd.Timestamp("2013-04-01 04:00", tz="UTC")


def test_times_of_any_zone_become_utc_and_keep_theirs_whatever_is_named() -> None:
    times = pd.Series(pd.to_datetime(["2013-04-01 05:00"]).tz_localize("America/New_York"))
    for zone in (None, "Asia/Kolkata"):
        assert utc_times(times, "at", zone)[0] == pd.Timestamp("2013-04-01 09:00", tz="UTC")


@pytest.mark.parametrize("values", [[1, 2], [1.5, None], [True, False], ["noon", "2013-04-01"], [1, "2013-04-01"]])
def test_what_is_no_time_is_refused_with_a_zone_too(values: list[object]) -> None:
    with pytest.raises(InvalidFrame, match="Column 'at' holds"):
        utc_times(pd.Series(values), "at", "UTC")


@pytest.mark.parametrize("zone", [None, "America/New_York"])
@pytest.mark.parametrize("kind", ["str", "object", "string[pyarrow]"])
def test_texts_that_name_their_zone_are_taken_by_it(kind: str, zone: str | None) -> None:
    texts = pd.Series(["2026-08-01T00:00:00Z", "2026-08-01 02:00:00.25+02:00"], dtype=kind)
    first = pd.Timestamp("2026-08-01", tz="UTC")
    assert utc_times(texts, "at", zone).tolist() == [first, first + pd.Timedelta(milliseconds=250)]


@pytest.mark.parametrize("turn", [1, -1])
def test_times_of_which_some_name_a_zone_are_refused(turn: int) -> None:
    times = [pd.Timestamp("2026-08-01 12:00"), pd.Timestamp("2026-08-01 12:00", tz="UTC")][::turn]
    for zone in (None, "America/New_York"):
        with pytest.raises(InvalidFrame, match="holds times with a time zone and 1 without: give all of them one"):
            utc_times(pd.Series(times, dtype="object"), "at", zone)


def test_a_missing_time_is_refused() -> None:
    with pytest.raises(InvalidFrame, match="Column 'at' has 1 missing times"):
        utc_times(pd.Series(["2013-04-01", None]), "at", "UTC")


@pytest.mark.parametrize("zone", ["", "Rome", "europe/rome\n", "../UTC"])
def test_a_zone_that_there_is_not_is_named(zone: str) -> None:
    with pytest.raises(InvalidInput, match="There is no time zone"):
        check_zone(zone)


def test_a_csv_file_without_zones_is_logged_scored_and_labelled_in_the_zone_of_the_shell(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project: Path = settings.project
    monkeypatch.chdir(project)
    (project / "modelops.toml").write_text('actor = "ann"\n')
    generator = np.random.default_rng(0)
    x = pd.DataFrame({"a": generator.normal(size=200)})
    with Workspace(settings) as ws:
        ws.register(LogisticRegression().fit(x, x["a"] > 0), "m", data=x, target=x["a"] > 0)
    frame = x[:40].assign(id=[f"r{n}" for n in range(40)], at="2013-06-30 23:30:00", said=True)
    frame.to_csv(project / "rows.csv", index=False)
    frame[["id", "at"]].assign(late=False).to_csv(project / "labels.csv", index=False)
    logged = ["log-predictions", "m/1", "rows.csv", "--id", "id", "--time", "at", "--prediction", "said"]
    assert main(logged) == 2
    assert "name their zone, zone='UTC' (--zone UTC)" in capsys.readouterr().err
    assert main([*logged, "--zone", "Rome"]) == 2
    assert "There is no time zone 'Rome'" in capsys.readouterr().err
    zone = ["--zone", "America/New_York"]
    assert main([*logged, *zone]) == 0
    assert main(["log-labels", "m", "labels.csv", "--id", "id", "--label", "late", "--event-time", "at", *zone]) == 0
    frame.drop(columns="said").assign(id=[f"s{n}" for n in range(40)]).to_csv(project / "more.csv", index=False)
    scored = ["predict", "m/1", "more.csv", "scored.csv", "--log", "--id", "id", "--time", "at", *zone]
    assert main(scored) == 0
    with Workspace(settings) as ws:
        (window,) = ws.monitor("m").windows
        assert (window.window_start[:10], window.rows, window.labelled) == ("2013-07-01", 80, 40)
