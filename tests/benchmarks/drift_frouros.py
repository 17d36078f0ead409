"""frouros: Jensen-Shannon of numbers and chi-square of texts, from two Parquet files; runs in its own environment."""

import sys

import pandas as pd
from frouros.detectors.data_drift import JS, ChiSquareTest

reference, current = (pd.read_parquet(path).drop(columns="timestamp") for path in sys.argv[1:3])
greatest = 0.0
for name in reference.columns:
    number = pd.api.types.is_numeric_dtype(reference[name])
    detector = JS() if number else ChiSquareTest()
    before, now = (frame[name].dropna().to_numpy() for frame in (reference, current))
    detector.fit(X=before)
    result = detector.compare(X=now)[0]
    greatest = max(greatest, float(result.distance if number else result.statistic))
print(f"greatest figure {greatest:.4f}")
