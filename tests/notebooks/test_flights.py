"""The example's data: every flight once, nothing from the future, and a model that is worth watching."""

import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline

from modelops_jupyter.monitoring.explaining.segments import Losses, cut_columns, find_segments
from modelops_jupyter.profiles import build_reference

sys.path.insert(0, str(Path(__file__).parents[2] / "notebooks" / "flight_delay"))
import flights as flights_module

CUT = pd.Timestamp("2013-03-18", tz="UTC")


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    return flights_module.load_flights()


def test_every_flight_is_there_once(flights: pd.DataFrame) -> None:
    assert len(flights) == 336_776
    assert flights["flight_id"].is_unique
    assert flights["departure"].is_monotonic_increasing


def test_nothing_known_after_take_off_is_a_feature() -> None:
    after = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "tailnum"}
    assert not after & set(flights_module.FEATURES)


def test_the_weather_is_that_of_the_hour_before(flights: pd.DataFrame) -> None:
    weather = pd.read_csv(flights_module.data_folder() / "weather.csv")
    weather["at"] = pd.to_datetime(weather["time_hour"], utc=True)
    for _, flight in flights.sample(20, random_state=1).iterrows():
        hour = flight["departure"].floor("h") - pd.Timedelta(hours=1)
        seen = weather[(weather["origin"] == flight["origin"]) & (weather["at"] == hour)]
        if len(seen):
            assert flight["temp"] == pytest.approx(seen["temp"].iloc[0], nan_ok=True)


def test_april_to_december_are_275_days_and_the_rate_swings(flights: pd.DataFrame) -> None:
    inside = (flights["departure"] >= flights_module.LIVE_FROM) & (flights["departure"] < flights_module.LIVE_UNTIL)
    assert flights[inside]["departure"].dt.floor("D").nunique() == 275
    rates = [flights_module.month(flights, number)["late"].mean() for number in (9, 12)]
    assert rates[0] < 0.16
    assert rates[1] > 0.28


@pytest.fixture(scope="module")
def model(flights: pd.DataFrame) -> Pipeline:
    known = flights_module.before_live(flights)
    train = known[known["departure"] < CUT]
    return flights_module.gradient_boosting(rounds=60).fit(train[flights_module.FEATURES], train["late"].astype(int))


def test_a_first_quarter_model_is_good_and_then_decays(flights: pd.DataFrame, model: Pipeline) -> None:
    def auc(rows: pd.DataFrame) -> float:
        rows = rows[rows["late"].notna()]
        return roc_auc_score(rows["late"].astype(int), model.predict_proba(rows[flights_module.FEATURES])[:, 1])

    known = flights_module.before_live(flights)
    assert auc(known[known["departure"] >= CUT]) > 0.6
    assert 0.55 < auc(flights_module.month(flights, 7)) < 0.8


def test_weather_and_season_explain_the_fall_in_summer(flights: pd.DataFrame, model: Pipeline) -> None:
    """July against April, day by day, as `explain` compares them: a winter's model does not know warm, humid days."""
    live = pd.concat([flights_module.month(flights, number) for number in (4, 7)]).dropna(subset="late")
    score = model.predict_proba(live[flights_module.FEATURES])[:, 1]
    loss = (score - live["late"].to_numpy(dtype=float)) ** 2
    days, first = pd.factorize(live["departure"].dt.floor("D"))
    columns = pa.Table.from_pandas(live[flights_module.FEATURES], preserve_index=False)
    reference = pa.Table.from_pandas(flights_module.before_live(flights)[flights_module.FEATURES], preserve_index=False)
    binnings = build_reference(reference, segments=()).binning.columns
    losses = Losses(loss, days, (first.month == 7))
    found = find_segments(losses, cut_columns(columns, binnings, binnings))
    leading = {column for segment in found[:3] for column in segment.columns}
    assert leading & {"humid", "dewp", "precip", "pressure", "visib", "wind_speed"}  # the weather
    assert "temp" in {column for segment in found for column in segment.columns}  # the season
