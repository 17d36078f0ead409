"""False alerts where nothing drifts but days and rows depend on each other: worlds of healthy days as they go by.

    python -m tests.benchmarks.days --results FOLDER --only weekly autocorrelated --series 10 --days 120

Each series is a reference of eight weeks and the days that follow them, both from one process that never changes. Real
flights are drawn with weights that tilt towards high or low values of some columns, by the day's own tilts; outcomes
follow the rows. What is counted is each alert that opened, also one that was recovered or erased later.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from modelops_jupyter.monitoring import AlertBudget, AlertRules
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.judging.holidays import Holidays
from tests.benchmarks.drifts import SEED, source, with_outputs
from tests.benchmarks.healthy import keep, lines_of
from tests.benchmarks.worlds import DAY, START, Replay, profiled_frames, referred

Array = np.ndarray[Any, Any]
Generator = np.random.Generator
REFERENCE_DAYS, BUDGETS = 56, ("1/day", "1/month", "1/quarter", "1/year")
# Columns whose values a day prefers.
TILTED = ("temp", "hour", "distance", "pressure")
# Shares of the values of columns that have few.
FEW = [[0.97, 0.03], [0.6, 0.3, 0.1], [0.7, 0.3], [0.98, 0.015, 0.005], [0.5, 0.5], [0.34, 0.33, 0.33]]


@dataclass(frozen=True)
class Days:
    """How the days of a world differ.

    Attributes
    ----------
    rows : int
        Of an ordinary day.
    weekly : float
        Standard deviation of what a weekday tilts each column by.
    daily, repeats : float
        Standard deviation of what a day tilts, and how much of it the next day keeps.
    weekend : float
        Rows of Saturdays and Sundays, as a part of other days'.
    cluster : int
        Rows of one person together: as many equal ones.
    bursts : float
        Standard deviation of the logarithm of a day's rows.
    holidays : float
        What every thirtieth day tilts each column by.
    calendar : bool
        Whether the monitor knows these days.
    task : str
        What the model does, as in `with_outputs`.
    shape : function or None
        Changes the columns of the population.
    """

    rows: int = 1000
    weekly: float = 0.0
    daily: float = 0.0
    repeats: float = 0.0
    weekend: float = 1.0
    cluster: int = 1
    bursts: float = 0.0
    holidays: float = 0.0
    calendar: bool = False
    task: str = "classification"
    shape: Callable[[pd.DataFrame, Generator], pd.DataFrame] | None = None


def few_values(frame: pd.DataFrame, generator: Generator) -> pd.DataFrame:
    """Return ten columns of two and three values."""
    columns = {
        f"c{n}": generator.choice([f"v{k}" for k in range(len(shares))], size=len(frame), p=shares)
        for n, shares in enumerate(FEW * 2)
    }
    return pd.DataFrame(columns).assign(amount=generator.normal(size=len(frame)))


def heavy_tails(frame: pd.DataFrame, generator: Generator) -> pd.DataFrame:
    """Return columns with heavy tails, one that is zero in most rows, and one that is bound to another."""
    rows = len(frame)
    paid = generator.lognormal(0, 2.5, rows)
    return pd.DataFrame(
        {
            "paid": paid,
            "pareto": generator.pareto(1.2, rows),
            "student": generator.standard_t(2, rows),
            "zeros": np.where(generator.random(rows) < 0.8, 0.0, generator.lognormal(0, 2, rows)),
            "tax": paid * generator.lognormal(0, 0.5, rows),
            "counts": generator.negative_binomial(0.3, 0.02, rows).astype(float),
        }
    )


def many_nulls(frame: pd.DataFrame, generator: Generator) -> pd.DataFrame:
    """Return the columns with 0.2 to 95 % of their values missing."""
    shares = np.geomspace(0.002, 0.95, len(frame.columns))
    return frame.astype(object).where(generator.random(frame.shape) >= shares).infer_objects()


def thousands(frame: pd.DataFrame, generator: Generator) -> pd.DataFrame:
    """Return columns of thousands of categories: by Zipf's law, and equally likely."""
    rows = len(frame)
    return pd.DataFrame(
        {
            "zipf": [f"z{value}" for value in np.minimum(generator.zipf(1.3, rows), 5000)],
            "equal": [f"e{value}" for value in generator.integers(3000, size=rows)],
            "hundreds": [f"h{value}" for value in generator.integers(300, size=rows)],
            "amount": generator.gamma(2, size=rows),
        }
    )


def collinear(frame: pd.DataFrame, generator: Generator) -> pd.DataFrame:
    """Return ten columns that are one and the same but for little noise."""
    base = frame["temp"].fillna(frame["temp"].median()).to_numpy()
    return pd.DataFrame({f"t{n}": base * (n + 1) + generator.normal(0, 0.5 * n, len(frame)) for n in range(10)})


WORLDS: Mapping[str, Days] = {
    "alike": Days(),
    "alike, 5,000 rows": Days(rows=5000),
    "weekly": Days(weekly=0.3),
    "weekly, small weekends": Days(weekly=0.3, weekend=0.15),
    "autocorrelated": Days(daily=0.15, repeats=0.8),
    "autocorrelated slowly": Days(daily=0.15, repeats=0.95),
    "weekly and autocorrelated": Days(weekly=0.3, daily=0.15, repeats=0.6, weekend=0.3),
    "days differ": Days(daily=0.2),
    "clustered": Days(cluster=5),
    "bursts": Days(bursts=1.0),
    "holidays": Days(weekly=0.1, holidays=0.5),
    "holidays of a calendar": Days(weekly=0.1, holidays=0.5, calendar=True),
    "weekly, holidays of a calendar": Days(weekly=0.3, holidays=0.5, calendar=True, weekend=0.3),
    "regression": Days(task="regression"),
    "regression, weekly": Days(weekly=0.3, task="regression"),
    "three classes": Days(task="classes"),
    "three classes, days differ": Days(daily=0.2, task="classes"),
    "few values": Days(shape=few_values),
    "heavy tails": Days(shape=heavy_tails),
    "many nulls": Days(shape=many_nulls),
    "thousands of categories": Days(shape=thousands),
    "collinear": Days(shape=collinear),
}


class Process:
    """Draws the days of a world, one after the other."""

    def __init__(self, days: Days, population: pd.DataFrame, generator: Generator) -> None:
        self.days, self.population, self.generator = days, population, generator
        names = [name for name in TILTED if name in population]
        numbers = population[names].astype(float).fillna(population[names].astype(float).median())
        self.standard = ((numbers - numbers.mean()) / numbers.std()).clip(-3, 3).to_numpy()
        self.weekdays = days.weekly * generator.normal(size=(7, len(names)))
        self.now = days.daily * generator.normal(size=len(names))
        self.day = 0

    def next(self) -> pd.DataFrame:
        """Return the rows of the next day."""
        days, weekday = self.days, self.day % 7
        self.now = days.repeats * self.now + days.daily * np.sqrt(1 - days.repeats**2) * self.generator.normal(
            size=self.now.shape
        )
        self.day += 1
        rows = days.rows * (days.weekend if weekday >= 5 else 1) * np.exp(days.bursts * self.generator.normal())
        people = max(1, round(rows / days.cluster))
        holiday = days.holidays if is_holiday(self.day) else 0.0
        tilt = self.weekdays[weekday] + self.now + holiday
        if not tilt.any():
            places = self.generator.integers(len(self.population), size=people)
        else:
            weights = np.exp(self.standard @ tilt)
            below = np.cumsum(weights / weights.sum())
            places = np.minimum(np.searchsorted(below, self.generator.random(people)), len(below) - 1)
        return self.population.iloc[np.repeat(places, days.cluster)].reset_index(drop=True)


def is_holiday(day: int) -> bool:
    """Tell whether a day is a holiday, by its number from the reference's first, which is 1."""
    return day % 30 == 10


def population_of(days: Days, generator: Generator, rows: int = 60_000) -> pd.DataFrame:
    """Return the rows that a world's days are drawn from."""
    frame = source("flights", 10)
    frame = frame.iloc[generator.integers(len(frame), size=rows)].reset_index(drop=True)
    if days.shape is not None:
        frame = days.shape(frame, generator)
    return with_outputs(frame, generator, days.task)


def series_of(name: str, number: int, days: int) -> dict[str, Any]:
    """Watch one series under every budget, and return how many alerts opened, and of what."""
    world, begun = WORLDS[name], time.process_time()
    generator = np.random.default_rng([SEED, *name.encode(), number])
    process = Process(world, population_of(world, generator), generator)
    known = pd.concat([process.next() for _ in range(REFERENCE_DAYS)], ignore_index=True)
    off = [n for n in range(days) if world.calendar and is_holiday(REFERENCE_DAYS + n + 1)]
    holidays = Holidays.parse((START + n * DAY).date().isoformat() for n in off)
    replay = Replay(Baseline(referred(known)), AlertRules(holidays=holidays))
    replay.add(profiled_frames([process.next() for _ in range(days)], replay.baseline.reference))
    budgets: dict[str, Any] = {}
    for text in BUDGETS:
        replay.rules = AlertRules(budget=AlertBudget.parse(text), holidays=holidays)
        windows = replay.judge(replay.windows)
        alerts = [[number, alert.kind, alert.column, alert.metric] for number, alert in replay.alerts(windows)]
        budgets[text] = {"alerts": len(alerts), "told": alerts}
    seconds = round(time.process_time() - begun, 1)
    return {"world": name, "series": number, "days": days, "processor_seconds": seconds, "budgets": budgets}


def main() -> None:
    """Watch the series that are not there yet, those of all worlds by turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="folder of results")
    parser.add_argument("--series", type=int, default=20, help="series of each world (default: 20)")
    parser.add_argument("--days", type=int, default=180, help="days of a series after the reference (default: 180)")
    parser.add_argument("--only", nargs="*", default=[], help="worlds; default: all")
    arguments = parser.parse_args()
    path = arguments.results / "days.jsonl"
    for number in range(arguments.series):
        for name in arguments.only or WORLDS:
            if any((line["world"], line["series"]) == (name, number) for line in lines_of(path)):
                continue
            line = series_of(name, number, arguments.days)
            keep(path, line)
            counts = {text: figures["alerts"] for text, figures in line["budgets"].items()}
            print(name, number, counts, f"{line['processor_seconds']} s", flush=True)


if __name__ == "__main__":
    main()
