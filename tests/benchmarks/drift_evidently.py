"""Evidently's DataDriftPreset with its defaults, from two Parquet files; runs in Evidently's own environment."""

import sys

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

reference, current = (pd.read_parquet(path).drop(columns="timestamp") for path in sys.argv[1:3])
found = Report([DataDriftPreset()]).run(current, reference).dict()
print(f"{len(found['metrics'])} metrics")
