"""The example's data: every flight once, nothing from the future, and a model that is worth watching."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).parents[2] / "notebooks" / "flight_delay"))
import flights as flights_module


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


def test_a_first_quarter_model_is_good_and_then_decays(flights: pd.DataFrame) -> None:
    known = flights_module.before_live(flights)
    cut = pd.Timestamp("2013-03-18", tz="UTC")
    train, held_out = known[known["departure"] < cut], known[known["departure"] >= cut]
    model = flights_module.gradient_boosting(rounds=60)
    model.fit(train[flights_module.FEATURES], train["late"].astype(int))

    def auc(rows: pd.DataFrame) -> float:
        rows = rows[rows["late"].notna()]
        return roc_auc_score(rows["late"].astype(int), model.predict_proba(rows[flights_module.FEATURES])[:, 1])

    assert auc(held_out) > 0.6
    assert 0.55 < auc(flights_module.month(flights, 7)) < 0.8
