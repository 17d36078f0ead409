"""NannyML's univariate drift by day with Jensen-Shannon, from two Parquet files; runs in NannyML's own environment."""

import sys

import nannyml
import pandas as pd

reference, current = (pd.read_parquet(path) for path in sys.argv[1:3])
calculator = nannyml.UnivariateDriftCalculator(
    column_names=[name for name in reference.columns if name != "timestamp"],
    timestamp_column_name="timestamp",
    continuous_methods=["jensen_shannon"],
    categorical_methods=["jensen_shannon"],
    chunk_period="D",
)
print(f"{len(calculator.fit(reference).calculate(current).to_df())} chunks")
