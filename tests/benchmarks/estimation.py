"""Estimated against realised performance on real flights, beside NannyML's CBPE on the same windows.

    python -m tests.benchmarks.estimation

A gradient-boosted tree learns from January to March 2013; a quarter of those flights, held out, is the reference. Each
day and each week from April to December is estimated without its labels. Printed per figure: the mean absolute error
of the estimate, and the share of windows whose interval holds the realised figure. "reference" is our estimate from the
reference alone, as CBPE's is; "matured" learns from the labels of the last two (days) or four weeks (weeks) too, as the
monitor does: labels come a day late.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn import metrics

from modelops_jupyter.monitoring import estimate, performance
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.learned import RecentWindows
from modelops_jupyter.profiles import Profile, build_reference, scan
from tests.benchmarks.peers import run_peer

sys.path.insert(0, str(Path(__file__).parents[2] / "notebooks" / "flight_delay"))

METRICS = ("roc_auc", "average_precision", "accuracy", "f1")


def scored_flights() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the reference and the live flights with ``time, score, prediction, label``; unlabelled ones left out."""
    import flights

    every = flights.load_flights()
    known = flights.before_live(every)
    held_out = (pd.util.hash_pandas_object(known["flight_id"], index=False) % 4 == 0).to_numpy()
    train = known[~held_out]
    model = flights.gradient_boosting().fit(train[flights.FEATURES], train["late"].astype(int))
    live = every[(every["departure"] >= flights.LIVE_FROM) & (every["departure"] < flights.LIVE_UNTIL)]

    def score(rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows.dropna(subset="late")
        chance = model.predict_proba(rows[flights.FEATURES])[:, 1]
        time = rows["departure"].dt.tz_localize(None)
        return pd.DataFrame(
            {
                "time": time,
                "score": chance,
                "prediction": (chance >= 0.5).astype(int),
                "label": rows["late"].astype(int),
            }
        ).reset_index(drop=True)

    return score(known[held_out]), score(live)


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


def main() -> int:
    """Print the table; return 1 if any of our errors is greater than NannyML's."""
    reference, live = scored_flights()
    worse = 0
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("reference.parquet", "live.parquet", "answer.parquet")]
        reference.to_parquet(paths[0])
        live.to_parquet(paths[1])
        print(
            f"{'windows':8} {'figure':18} {'NannyML':>16} {'reference':>16} {'matured':>16}   (MAE, held by interval)"
        )
        for every, period in (("1D", "D"), ("1W", "W")):
            run_peer("nannyml", "nannyml_cbpe.py", *paths, period)
            windows = [rows for _, rows in live.groupby(live["time"].dt.to_period(period))]
            truth = pd.DataFrame([realised(rows) for rows in windows])
            tables = [
                pd.read_parquet(paths[2]).sort_values("start", ignore_index=True),
                *ours(reference, windows, every),
            ]
            assert all(len(table) == len(truth) for table in tables)
            for name in METRICS:
                errors = [float((table[name] - truth[name]).abs().mean()) for table in tables]
                held = [float(truth[name].between(t[f"{name}_low"], t[f"{name}_high"]).mean()) for t in tables]
                shown = [f"{error:8.4f} {100 * share:5.0f} %" for error, share in zip(errors, held, strict=True)]
                print(f"{len(windows):4} {every:3} {name:18} " + " ".join(f"{text:>16}" for text in shown))
                worse += min(errors[1:]) > errors[0]
    return int(worse > 0)


if __name__ == "__main__":
    raise SystemExit(main())
