"""Evidently's side of the alerts, in Evidently's own environment: its DataDriftPreset, the label too, by window.

The preset spends seconds a window, nearly all of it on charts. So it is asked for the first window and the last, and
the tests that it chose by itself are called directly for all of them: where both were asked they must agree.
"""

import sys

import pandas as pd
from evidently import Dataset, Report
from evidently.legacy.calculations.stattests import get_stattest
from evidently.presets import DataDriftPreset

Found = dict[str, tuple[float, bool]]


def main(reference: str, windows: str, answer: str) -> None:
    """Write a row per window and column: its value, and whether it is flagged by default."""
    known, rows = pd.read_parquet(reference), pd.read_parquet(windows)
    frames = {int(number): frame.drop(columns="window") for number, frame in rows.groupby("window")}
    first, last = min(frames), max(frames)
    dataset = Dataset.from_pandas(frames[first])
    kinds = {name: dataset.column(name).type for name in known}
    found = {number: directly(known, frame, kinds) for number, frame in frames.items()}
    for number in (first, last):
        of_preset = by_preset(known, frames[number])
        for name, (value, flagged) in found[number].items():
            if abs(value - of_preset[name][0]) > 1e-9 or flagged != of_preset[name][1]:
                raise SystemExit(f"Evidently's preset says {of_preset[name]} of {name!r}, its test {value, flagged}.")
    lines = [(number, name, *said) for number, columns in found.items() for name, said in columns.items()]
    pd.DataFrame(lines, columns=["window", "signal", "value", "flagged"]).to_parquet(answer)


def directly(known: pd.DataFrame, frame: pd.DataFrame, kinds: dict) -> Found:
    """Return what the preset's default test of each column says."""
    found = {}
    for name, kind in kinds.items():
        before, now = known[name].dropna(), frame[name].dropna()
        said = get_stattest(before, now, kind, None)(before, now, kind, None)
        found[name] = float(said.drift_score), bool(said.drifted)
    return found


def by_preset(known: pd.DataFrame, frame: pd.DataFrame) -> Found:
    """Return what the preset says of each column."""
    found = {}
    for metric in Report([DataDriftPreset()]).run(frame, known).dict()["metrics"]:
        config = metric["config"]
        if "column" in config:
            value, limit = float(metric["value"]), float(config["threshold"])
            flagged = value <= limit if "p_value" in config["method"] else value >= limit
            found[config["column"]] = value, flagged
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
