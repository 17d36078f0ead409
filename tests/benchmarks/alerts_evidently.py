"""Evidently's side of `alerts`, in Evidently's own environment: its DataDriftPreset, the label too, by window."""

import sys

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset


def main(reference: str, windows: str, answer: str) -> None:
    """Write a row per window and column: its value, and whether it is flagged by default."""
    known, rows = pd.read_parquet(reference), pd.read_parquet(windows)
    found = []
    for number, frame in rows.groupby("window"):
        run = Report([DataDriftPreset()]).run(frame.drop(columns="window"), known).dict()
        for metric in run["metrics"]:
            config = metric["config"]
            if "column" in config:
                value, limit = float(metric["value"]), float(config["threshold"])
                flagged = value <= limit if "p_value" in config["method"] else value >= limit
                found.append((int(number), config["column"], value, flagged))
    pd.DataFrame(found, columns=["window", "signal", "value", "flagged"]).to_parquet(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
