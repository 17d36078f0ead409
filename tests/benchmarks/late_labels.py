"""False alerts where nothing drifts and labels come late: a real workspace, monitored every day, all that was told.

    python -m tests.benchmarks.late_labels --late 1 7 14 30 --days 180 --series 3

Six normal columns, 500 rows a day, a classification and a regression. An alert counts once it was on record, also where
labels took it back later.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression

import modelops_jupyter as mo
from modelops_jupyter.monitoring import AlertBudget
from modelops_jupyter.monitoring.figures.intervals import poisson
from tests.benchmarks.drifts import SEED

COLUMNS, ROWS, KNOWN, BUDGET = 6, 500, 5000, "1/month"
START = pd.Timestamp("2026-01-01", tz="UTC")
WEIGHTS = np.array([1, 0.7, -0.5, 0, 0, 0])


def rows_of(task: str, rows: int, generator: np.random.Generator) -> tuple[pd.DataFrame, pd.Series]:
    """Return inputs and outcomes."""
    inputs = pd.DataFrame(generator.normal(size=(rows, COLUMNS)), columns=[f"c{n}" for n in range(COLUMNS)])
    means = inputs.to_numpy() @ WEIGHTS
    if task == "classification":
        return inputs, pd.Series(means + generator.logistic(size=rows) > 0).astype(int)
    return inputs, pd.Series(3 + means + generator.normal(size=rows))


def told(task: str, late: int, days: int, series: int, folder: Path) -> int:
    """Return how many alerts were on record on one day or another."""
    generator = np.random.default_rng([SEED, late, series, *task.encode()])
    (folder / "modelops.toml").write_text('workspace = ".modelops"\n')
    inputs, outcomes = rows_of(task, KNOWN, generator)
    half = KNOWN // 2
    model = (LogisticRegression() if task == "classification" else LinearRegression()).fit(
        inputs[:half], outcomes[:half]
    )
    alerts: set[tuple[str, ...]] = set()
    waiting: list[pd.DataFrame] = []
    with mo.open(folder) as ws:
        ws.register(model, "m", reference=inputs[half:], outcomes=outcomes[half:])
        for day in range(days):
            inputs, outcomes = rows_of(task, ROWS, generator)
            frame = inputs.assign(id=[f"{day}-{n}" for n in range(ROWS)], at=START + pd.Timedelta(days=day))
            frame["said"], score = model.predict(inputs), None
            if task == "classification":
                frame["p"], score = model.predict_proba(inputs)[:, 1], "p"
            ws.log_predictions("m/1", frame, id="id", time="at", prediction="said", score=score)
            waiting.append(frame[["id"]].assign(label=outcomes))
            if day >= late:
                ws.log_labels("m", waiting.pop(0), id="id", label="label")
            ws.monitor("m", alert_budget=BUDGET)
            alerts |= {(a["kind"], a["column"], a["metric"], a["window_start"]) for a in ws.alerts("m")}
    return len(alerts)


def main() -> None:
    """Print a line per task and delay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--late", nargs="*", type=int, default=[1, 7, 14, 30], help="days until labels come")
    parser.add_argument("--days", type=int, default=180, help="days of a series (default: 180)")
    parser.add_argument("--series", type=int, default=3, help="series of each (default: 3)")
    arguments = parser.parse_args()
    allowed = arguments.days * arguments.series * AlertBudget.parse(BUDGET).per_window("1D")
    for task in ("classification", "regression"):
        for late in arguments.late:
            count = 0
            for number in range(arguments.series):
                with tempfile.TemporaryDirectory() as name:
                    count += told(task, late, arguments.days, number, Path(name))
            low, high = poisson(count)
            print(
                f"{task:14} {late:3} days late: {count} alerts ({low:.1f} to {high:.1f}), {allowed:.1f} allowed",
                flush=True,
            )


if __name__ == "__main__":
    main()
