"""Estimated against realised performance in the order of time, beside NannyML's CBPE on the same windows.

    pip install vega_datasets
    python -m tests.benchmarks.estimation

The rows of each world are in `estimated_worlds`. Each day or week is estimated without its labels. Printed per figure:
the mean absolute error of the estimate, and the share of windows whose interval holds the realised figure. "reference"
is our estimate from the reference alone, as CBPE's is; "matured" learns from the labels of the last two (days) or four
weeks (weeks) too, as the monitor does: labels come a day late. Windows of under 50 rows or of one class are left out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn import metrics

from modelops_jupyter.monitoring import estimate, performance
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.learned import RecentWindows
from modelops_jupyter.profiles import Profile, build_reference, scan
from tests.benchmarks.estimated_worlds import drawn, scored_flights, scored_rain, scored_temperatures
from tests.benchmarks.peers import run_peer

METRICS = ("roc_auc", "average_precision", "accuracy", "f1")
FEWEST_ROWS = 50


def realised(rows: pd.DataFrame) -> dict[str, float]:
    """Return the figures of the raw rows by scikit-learn."""
    y, score, said = rows["label"], rows["score"], rows["prediction"]
    return {
        "roc_auc": metrics.roc_auc_score(y, score),
        "average_precision": metrics.average_precision_score(y, score),
        "accuracy": metrics.accuracy_score(y, said),
        "f1": metrics.f1_score(y, said, zero_division=0),
    }


def ours(reference: pd.DataFrame, windows: list[pd.DataFrame], every: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a row per window: estimated from the reference alone, and from labels that have matured too."""
    known = build_reference(
        pa.table({"hour": np.zeros(len(reference))}),
        scores=reference["score"].to_numpy(),
        predictions=reference["prediction"].astype(str).to_numpy(),
        labels=reference["label"].astype(str).to_numpy(),
        positive="1",
    )
    baseline = Baseline(known)
    profiles = [_profile(rows, baseline) for rows in windows]
    starts = [rows["time"].min().floor("D").tz_localize("UTC").to_pydatetime() for rows in windows]
    before = RecentWindows(every)
    alone, matured = [], []
    for start, profile in zip(starts, profiles, strict=True):
        alone.append(estimate(baseline, profile))
        matured.append(estimate(baseline, profile, before.before(start, 1)))
        before.add(start, 1, profile.outcomes)
        came = performance(profile, "classification", "1")
        before.judge(start, *({name: f.to_dict() for name, f in found.items()} for found in (matured[-1], came)))
    return _table(alone), _table(matured)


def _profile(rows: pd.DataFrame, baseline: Baseline) -> Profile:
    table = pa.table(
        {
            "prediction": rows["prediction"].astype(str).to_numpy(),
            "label": rows["label"].astype(str).to_numpy(),
            "score": rows["score"].to_numpy(),
            "version": np.ones(len(rows), "int64"),
        }
    )
    return scan(table, baseline.reference.binning)


def _table(estimates: list[dict]) -> pd.DataFrame:
    rows = [
        {
            **{name: found[name].value for name in METRICS},
            **{f"{name}_low": found[name].low for name in METRICS},
            **{f"{name}_high": found[name].high for name in METRICS},
        }
        for found in estimates
    ]
    return pd.DataFrame(rows).astype(float)


def worlds() -> Iterator[tuple[str, tuple[pd.DataFrame, pd.DataFrame], str]]:
    """Yield a name, reference and live rows, and the length of the windows."""
    flights, rain = scored_flights(), scored_rain()
    yield "flights", flights, "1D"
    yield "flights", flights, "1W"
    yield "rain", rain, "1D"
    yield "rain", rain, "1W"
    yield "temperatures", scored_temperatures(), "1W"
    for reference, rows in ((5000, 5000), (3000, 1000), (20_000, 500)):
        yield f"unchanged, {rows:,} rows", drawn(reference, rows, 120, rows), "1D"


def windows_of(live: pd.DataFrame, every: str) -> list[pd.DataFrame]:
    """Return the windows that have rows enough, and both classes."""
    parts = [rows for _, rows in live.groupby(live["time"].dt.to_period(every[-1]))]
    return [rows for rows in parts if len(rows) >= FEWEST_ROWS and rows["label"].nunique() == 2]


def cbpe(reference: pd.DataFrame, windows: list[pd.DataFrame], every: str) -> pd.DataFrame:
    """Return NannyML's estimates, a row per window."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("reference.parquet", "live.parquet", "answer.parquet")]
        reference.to_parquet(paths[0])
        pd.concat(windows, ignore_index=True).to_parquet(paths[1])
        run_peer("nannyml", "nannyml_cbpe.py", *paths, every[-1])
        return pd.read_parquet(paths[2]).sort_values("start", ignore_index=True)


def main() -> int:
    """Print the table; return 1 if any of our errors is greater than NannyML's."""
    worse = 0
    print("| world | figure | NannyML's CBPE | reference | matured |\n|---|---|---|---|---|")
    for name, (reference, live), every in worlds():
        windows = windows_of(live, every)
        truth = pd.DataFrame([realised(rows) for rows in windows])
        tables = [cbpe(reference, windows, every), *ours(reference, windows, every)]
        assert all(len(table) == len(truth) for table in tables)
        world = f"{name}: {len(windows)} {'days' if every == '1D' else 'weeks'}"
        for metric in METRICS:
            errors = [float((table[metric] - truth[metric]).abs().mean()) for table in tables]
            hold = [float(truth[metric].between(t[f"{metric}_low"], t[f"{metric}_high"]).mean()) for t in tables]
            cells = [f"{error:.4f}, {100 * share:.0f} %" for error, share in zip(errors, hold, strict=True)]
            print(f"| {world} | {metric} | {' | '.join(cells)} |", flush=True)
            worse += min(errors[1:]) > errors[0]
    return int(worse > 0)


if __name__ == "__main__":
    raise SystemExit(main())
