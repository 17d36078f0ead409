"""False alerts when nothing drifts, and what is seen when something does: ``python -m tests.benchmarks.alerts``.

Real rows (flights of 2013, scikit-learn's breast cancer and diabetes sets) are drawn with replacement, so that every
window comes from where the reference came from; then faults are put into the rows. Seeds are fixed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import gammaincinv
from sklearn.datasets import load_breast_cancer, load_diabetes

from modelops_jupyter.monitoring import AlertBudget, AlertRules, WindowResult, raise_alerts
from modelops_jupyter.monitoring.baseline import Baseline
from modelops_jupyter.monitoring.judge import judge_windows
from modelops_jupyter.monitoring.lookback import with_cycle
from modelops_jupyter.monitoring.measure import measure_window
from modelops_jupyter.profiles import Profile, Reference, build_reference, scan

sys.path.insert(0, str(Path(__file__).parents[2] / "notebooks" / "flight_delay"))
import flights as flights_module

START, DAY = datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=1)
SEED = 20130401
HEALTHY, FAULTY = 30, 7
# Source, columns and rows of a window.
HEALTHY_RUNS = (
    ("flights", 5, 100),
    ("flights", 20, 1000),
    ("flights", 20, 10_000),
    ("flights", 5, 100_000),
    ("breast cancer", 30, 500),
    ("breast cancer", 200, 100),
    ("breast cancer", 200, 1000),
    ("diabetes", 10, 1000),
)
FLIGHT_COLUMNS = ("distance", "hour", "carrier", "origin", "temp", "dest", "wind_speed", "humid", "pressure", "seats")
FAULTS: dict[str, tuple[float, ...]] = {
    "shift": (0.05, 0.1, 0.3),
    "scale": (1.05, 1.1, 1.3),
    "new category": (0.01, 0.03, 0.1),
    "null rate": (0.01, 0.03, 0.1),
    "dependence": (0.5, 1.0),
    "label shift": (0.02, 0.05, 0.1),
    "concept": (0.1, 0.2, 0.4),
}


def source(name: str, columns: int) -> pd.DataFrame:
    """Return real rows with so many columns; where a set has fewer, shuffled copies of them follow."""
    if name == "flights":
        frame = flights_module.load_flights()[list(FLIGHT_COLUMNS)].reset_index(drop=True)
    else:
        loaded = load_breast_cancer if name == "breast cancer" else load_diabetes
        frame = loaded(as_frame=True).data
    generator = np.random.default_rng(SEED)
    parts = [frame]
    while sum(len(part.columns) for part in parts) < columns:
        copy = frame.iloc[generator.permutation(len(frame))].reset_index(drop=True)
        parts.append(copy.add_suffix(f"_{len(parts)}"))
    return pd.concat(parts, axis=1).iloc[:, :columns]


def with_outputs(frame: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """Add a score from the first number and an outcome that follows it."""
    first = next(name for name in frame if pd.api.types.is_numeric_dtype(frame[name]))
    values = frame[first].fillna(frame[first].median())
    score = 1 / (1 + np.exp(-(values - values.mean()) / (values.std() or 1)))
    label = (generator.random(len(frame)) < score).astype(int)
    said = np.where(score > 0.5, "1", "0")
    return frame.assign(score=score.to_numpy(), prediction=said, label=label.astype(str).to_numpy())


def drawn(frame: pd.DataFrame, rows: int, generator: np.random.Generator) -> pd.DataFrame:
    """Return rows drawn with replacement."""
    return frame.iloc[generator.integers(len(frame), size=rows)].reset_index(drop=True)


def referred(frame: pd.DataFrame) -> Reference:
    """Make a reference of a frame with outputs."""
    features = pa.Table.from_pandas(frame.drop(columns=["score", "prediction", "label"]), preserve_index=False)
    outputs = {name: frame[name].to_numpy(dtype=object) for name in ("prediction", "label")}
    return build_reference(
        features,
        scores=frame["score"].to_numpy(),
        predictions=outputs["prediction"],
        labels=outputs["label"],
        positive="1",
    )


def profiled(frame: pd.DataFrame, reference: Reference) -> Profile:
    """Profile a window."""
    table = pa.Table.from_pandas(frame.assign(version=1), preserve_index=False)
    return scan(table, reference.binning)


def judged(
    baseline: Baseline, profiles: list[Profile], rules: AlertRules, first: int = 0
) -> list[tuple[int, str, str]]:
    """Return the number of the window of each alert that opened from window `first` on."""
    windows: list[WindowResult] = [
        measure_window(baseline, profile, START + n * DAY, START + (n + 1) * DAY) for n, profile in enumerate(profiles)
    ]
    stored = {window.window_start: profile for window, profile in zip(windows, profiles, strict=True)}
    seen = with_cycle(windows, stored, lambda at, _: stored[at], [1], lambda *_: baseline, "1D")
    found = raise_alerts("", judge_windows(seen, [1], lambda *_: baseline, rules, "1D"), rules)
    numbers = [(datetime.fromisoformat(alert.window_start) - START) // DAY for alert in found]
    return [number for number in numbers if number >= first]


def false_alerts(windows: int) -> Iterator[str]:
    """Yield the table of false alerts, a row per run."""
    yield "| rows from | columns | rows | windows | budget | expected at most | alerts | 95 % interval | within |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, columns, rows in HEALTHY_RUNS:
        generator = np.random.default_rng([SEED, columns, rows])
        population = with_outputs(source(name, columns), generator)
        count = windows if rows < 100_000 else min(windows, 60)
        baseline = Baseline(referred(drawn(population, 20_000, generator)))
        profiles = [profiled(drawn(population, rows, generator), baseline.reference) for _ in range(count)]
        for text in ("1/month", "1/day"):
            budget = AlertBudget.parse(text)
            alerts = len(judged(baseline, profiles, AlertRules(budget=budget)))
            allowed = count * budget.per_window("1D")
            low = float(gammaincinv(alerts, 0.025)) if alerts else 0.0
            high = float(gammaincinv(alerts + 1, 0.975))
            head = f"| {name} | {columns} | {rows:,} | {count} | {text} | {allowed:.1f} "
            yield f"{head}| {alerts} | {low:.1f} to {high:.1f} | {'yes' if low <= allowed else 'NO'} |"


def faulty(frame: pd.DataFrame, fault: str, size: float, generator: np.random.Generator) -> pd.DataFrame:
    """Return rows with a fault put in."""
    number, word = "distance", "carrier"
    hit = generator.random(len(frame)) < size
    values = frame[number].astype(float)
    if fault == "shift":
        return frame.assign(**{number: values + size * values.std()})
    if fault == "scale":
        return frame.assign(**{number: values.mean() + size * (values - values.mean())})
    if fault == "new category":
        return frame.assign(**{word: frame[word].astype(object).where(~hit, "new")})
    if fault == "null rate":
        return frame.assign(**{number: values.where(~hit)})
    if fault == "dependence":  # the marginal stays, its bond to the other columns goes
        changed = values.to_numpy().copy()
        changed[hit] = generator.permutation(changed[hit])
        return frame.assign(**{number: changed})
    if fault == "label shift":  # more positive outcomes, with the scores that belong to them
        positive = frame[frame["label"] == "1"]
        more = positive.iloc[generator.integers(len(positive), size=int(hit.sum()))]
        return pd.concat([frame[~hit], more], ignore_index=True)
    flipped = np.where(hit, generator.permutation(frame["label"].to_numpy()), frame["label"])
    return frame.assign(label=flipped)


def detections(trials: int, rows: int) -> Iterator[str]:
    """Yield the table of faults found, a row per fault and size."""
    yield f"| fault (windows of {rows:,} rows) | size | found within a week | 95 % interval | median delay (days) |"
    yield "|---|---|---|---|---|"
    rules = AlertRules()
    population = with_outputs(source("flights", 10), np.random.default_rng(SEED))
    generator = np.random.default_rng([SEED, 1])
    baseline = Baseline(referred(drawn(population, 20_000, generator)))
    before = [profiled(drawn(population, rows, generator), baseline.reference) for _ in range(HEALTHY)]
    for fault, sizes in FAULTS.items():
        for size in sizes:
            delays = []
            for _ in range(trials):
                after = [
                    profiled(faulty(drawn(population, rows, generator), fault, size, generator), baseline.reference)
                    for _ in range(FAULTY)
                ]
                found = judged(baseline, [*before, *after], rules, first=HEALTHY)
                delays += [min(found) - HEALTHY] if found else []
            share = len(delays) / trials
            half = 1.96 * np.sqrt(max(share * (1 - share), 0.25 / trials) / trials)
            delay = f"{np.median(delays):.1f}" if delays else "-"
            interval = f"{max(0, share - half):.0%} to {min(1, share + half):.0%}"
            yield f"| {fault} | {size:g} | {share:.0%} | {interval} | {delay} |"


def main() -> None:
    """Print both tables, and write them beside this file if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=300, help="healthy windows per run (default: 300)")
    parser.add_argument("--trials", type=int, default=10, help="trials per fault and size (default: 10)")
    parser.add_argument("--rows", type=int, default=1000, help="rows of a faulty window (default: 1000)")
    parser.add_argument("--write", action="store_true", help="write ALERTS.md")
    arguments = parser.parse_args()
    begun = time.monotonic()
    lines = ["# Alerts: false ones against what is seen", "", "## Nothing drifts", ""]
    parts = (
        (false_alerts(arguments.windows), ""),
        (detections(arguments.trials, arguments.rows), "## Faults, budget 1/month"),
    )
    for part, head in parts:
        if head:
            lines += ["", head, ""]
        for line in part:
            print(line, flush=True)
            lines.append(line)
    lines += ["", f"`python -m tests.benchmarks.alerts`, fixed seeds, {time.monotonic() - begun:.0f} s."]
    if arguments.write:
        (Path(__file__).parent / "ALERTS.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
