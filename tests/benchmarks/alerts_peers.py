"""What the peers say of windows, each in its own environment, and limits that make them as silent as we are.

python -m tests.benchmarks.alerts_peers --results FOLDER      # healthy windows that they flag by their defaults
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.benchmarks.healthy import RUNS, keep, lines_of
from tests.benchmarks.peers import run_peer
from tests.benchmarks.worlds import World

Array = np.ndarray[Any, Any]
TAILS = "tails"
# Figures of which too little is as odd as too much; the others are distances.
TWO_SIDED = ("roc_auc", "reconstruction")
# Limits follow from this part of the healthy windows, those that are furthest off.
FITTED = 0.1
# Healthy windows that a peer is asked for at most, and rows times columns of them together: else a run takes hours.
MOST_WINDOWS, MOST_CELLS, MOST_COLUMNS = {"nannyml": 300, "evidently": 60}, 12_000_000, 30
# The block whose reference and windows the peers get.
OF_PEERS = 2000


def asked(peer: str, known: pd.DataFrame, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return what a peer says of windows: ``window, signal, value, flagged``."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"{name}.parquet") for name in ("reference", "windows", "answer")]
        known.to_parquet(paths[0])
        pd.concat([frame.assign(window=n) for n, frame in enumerate(frames)]).to_parquet(paths[1])
        run_peer(peer, f"alerts_{peer}.py", *paths)
        return pd.read_parquet(paths[2])


def tails(table: pd.DataFrame, healthy: int) -> Array:
    """Return of each window the logarithm of its least tail among the healthy windows, the first ones, of any figure.

    Distances by chance are like roots of chi-squares: above nine in ten of the healthy windows their squares fall off
    exponentially, at the mean excess of those. Below that a tail is none.
    """
    wide = table.pivot(index="window", columns="signal", values="value").sort_index()
    least = np.zeros(len(wide))
    for signal in wide:
        values = wide[signal].to_numpy(dtype=float)
        if signal in TWO_SIDED:
            values = values - np.nanmedian(values[:healthy])
        squares = values**2
        usual = squares[:healthy]
        begin = np.nanquantile(usual, 1 - FITTED)
        excess = (squares - begin) / np.nanmean(usual[usual > begin] - begin)
        least = np.fmin(least, np.where(excess > 0, np.log(FITTED) - excess, 0.0))
    return least


def beyond(least: Array, healthy: Array, rate: float) -> Array:
    """Tell which windows lie beyond the limits that other healthy windows pass at `rate`.

    The next window is below the k-th least of n with a chance of k / (n + 1): that rank is Weibull's quantile.
    """
    found: Array = least < np.quantile(healthy, rate, method="weibull")
    return found


def flagged(run: tuple[str, int, int], peer: str) -> dict[str, Any] | None:
    """Return of how many healthy windows of a run a peer flags something by its defaults; None where it takes hours."""
    name, columns, rows = run
    if peer == "evidently" and columns > MOST_COLUMNS:
        return None
    windows = min(MOST_WINDOWS[peer], MOST_CELLS // (rows * columns))
    world = World.of(name, columns, rows, OF_PEERS)
    table = asked(peer, world.known, [world.window(rows) for _ in range(windows)])
    hits = int(table.groupby("window")["flagged"].any().sum())
    return {"run": [*run], "peer": peer, "windows": windows, "flagged": hits}


def main() -> None:
    """Ask the peers for healthy windows of every run, where that is not on record yet."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--results", type=Path, required=True, help="folder of results")
    parser.add_argument("--peers", nargs="*", default=[*MOST_WINDOWS])
    arguments = parser.parse_args()
    for peer in arguments.peers:
        path = arguments.results / f"healthy_{peer}.jsonl"
        for run in RUNS:
            if run not in {tuple(line["run"]) for line in lines_of(path)}:
                found = flagged(run, peer)
                if found is not None:
                    keep(path, found)
                    print(found, flush=True)


if __name__ == "__main__":
    main()
