"""NannyML's side of `alerts`, in NannyML's own environment: reference, windows and answer are Parquet files.

Its defaults: Jensen-Shannon per column, the reconstruction error of all numbers, and the realised ROC AUC.
"""

import sys

import nannyml
import pandas as pd


def main(reference: str, windows: str, answer: str) -> None:
    """Write a row per window and signal: its value, and whether it is flagged by default."""
    known, rows = pd.read_parquet(reference), pd.read_parquet(windows)
    window = rows.pop("window").to_numpy()
    size = int((window == window[0]).sum())
    for frame in (known, rows):
        frame["label"] = frame["label"].astype(int)
        frame["prediction"] = frame["prediction"].astype(int)
    features = [name for name in known if name not in ("prediction", "label")]
    numbers = [name for name in features if pd.api.types.is_numeric_dtype(known[name])]
    univariate = nannyml.UnivariateDriftCalculator(column_names=features, chunk_size=size)
    found = univariate.fit(known).calculate(rows).filter(period="analysis").to_df()
    tables = []
    for name in features:
        method = next(iter(found[name].columns.get_level_values(0)))
        tables.append(_table(name, found[name][method]))
    if len(numbers) > 1:
        joint = nannyml.DataReconstructionDriftCalculator(column_names=numbers, chunk_size=size)
        frame = joint.fit(known).calculate(rows).filter(period="analysis").to_df()
        tables.append(_table("reconstruction", frame["reconstruction_error"]))
    performance = nannyml.PerformanceCalculator(
        metrics=["roc_auc"],
        problem_type="classification_binary",
        y_true="label",
        y_pred="prediction",
        y_pred_proba="score",
        chunk_size=size,
    )
    frame = performance.fit(known).calculate(rows).filter(period="analysis").to_df()
    tables.append(_table("roc_auc", frame["roc_auc"]))
    pd.concat(tables).to_parquet(answer)


def _table(signal: str, found: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "window": range(len(found)),
            "signal": signal,
            "value": found["value"].to_numpy(dtype=float),
            "flagged": found["alert"].to_numpy(dtype=bool),
        }
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
