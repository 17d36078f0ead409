"""NannyML's side of `estimation`, run in NannyML's environment: reference, windows and answer are Parquet files."""

import sys

import nannyml
import pandas as pd

METRICS = ["roc_auc", "average_precision", "accuracy", "f1"]


def main(reference: str, windows: str, answer: str, period: str) -> None:
    """Estimate every window of one length."""
    estimator = nannyml.CBPE(
        problem_type="classification_binary",
        y_pred_proba="score",
        y_pred="prediction",
        y_true="label",
        timestamp_column_name="time",
        metrics=METRICS,
        chunk_period=period,
    )
    estimator.fit(pd.read_parquet(reference))
    found = estimator.estimate(pd.read_parquet(windows)).filter(period="analysis").to_df()
    table = pd.DataFrame({"start": pd.to_datetime(found[("chunk", "start_date")]).dt.floor("D")})
    for metric in METRICS:
        table[metric] = found[(metric, "value")].to_numpy(dtype=float)
        table[metric + "_low"] = found[(metric, "lower_confidence_boundary")].to_numpy(dtype=float)
        table[metric + "_high"] = found[(metric, "upper_confidence_boundary")].to_numpy(dtype=float)
    table.to_parquet(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
