"""Faults from barely visible to plain, seen by us and by the peers: a line of JSON per trial of each.

    python -m tests.benchmarks.faults --results FOLDER --tools ours nannyml evidently --worlds 4 --trials 10
    python -m tests.benchmarks.faults --results FOLDER --tools nothing --worlds 60 --trials 5      # our false alerts
    python -m tests.benchmarks.faults --results OTHER --worlds 20 --only "label shift/0.02"        # more of one row

Ten columns of flights, windows of 1,000 rows; each world has a reference of its own and healthy windows before, and all
tools get the same faulty ones. Of a peer's window the logarithm of the least tail of any figure is kept, so
that limits can be set afterwards which healthy windows pass as often as ours raise alerts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from modelops_jupyter.monitoring import AlertRules
from tests.benchmarks.alerts_peers import TAILS, asked, tails
from tests.benchmarks.drifts import FAULTS, faulty
from tests.benchmarks.healthy import FAULTS_RUN, keep, lines_of
from tests.benchmarks.worlds import Replay, World, profiled_frames

HEALTHY, FAULTY = 30, 7
NOTHING = ("nothing", 0.0)
Trial = tuple[str, float, list[pd.DataFrame]]


def trials_of(world: World, trials: int, rows: int, faults: Mapping[str, Sequence[float]]) -> Iterator[Trial]:
    """Yield the trials of every fault and size, and as many in which nothing happens."""
    for fault, size in (NOTHING, *((fault, size) for fault, sizes in faults.items() for size in sizes)):
        for _ in range(trials):
            frames = [world.window(rows) for _ in range(FAULTY)]
            yield (
                fault,
                size,
                [frame if fault == NOTHING[0] else faulty(frame, fault, size, world.generator) for frame in frames],
            )


def ours(world: World, trials: int, rows: int, faults: Mapping[str, Sequence[float]]) -> Iterator[dict[str, Any]]:
    """Yield each trial's days of alerts, under the default budget."""
    made = list(trials_of(world, trials, rows, faults))
    replay = Replay(world.baseline, AlertRules())
    replay.add(list(world.profiles(HEALTHY, rows)))
    # Of a column with a false alert still open nothing new could be told.
    while any(alert.state == "open" for _, alert in replay.alerts(replay.judge(replay.windows))):
        replay.add(list(world.profiles(FAULTY, rows)))
    replay.windows = replay.judge(replay.windows)
    first = len(replay.windows)
    for fault, size, frames in made:
        windows = replay.measured(profiled_frames(frames, world.baseline.reference))
        found = replay.alerts(replay.judge(windows, first=first), first=first)
        by = [[number - first, alert.kind, alert.column, alert.metric] for number, alert in found]
        yield {"fault": fault, "size": size, "alerts": by}


def peer(
    tool: str, world: World, trials: int, rows: int, faults: Mapping[str, Sequence[float]], healthy: int
) -> Iterator[dict[str, Any]]:
    """Yield each trial's least tails by day, those of the healthy windows first."""
    made = list(trials_of(world, trials, rows, faults))
    frames = [world.window(rows) for _ in range(healthy)]
    table = asked(tool, world.known, frames + [frame for *_, trial in made for frame in trial])
    least = tails(table, healthy)
    yield {"fault": "", "size": 0.0, TAILS: least[:healthy].round(4).tolist()}
    for n, (fault, size, _) in enumerate(made):
        days = least[healthy + n * FAULTY : healthy + (n + 1) * FAULTY]
        yield {"fault": fault, "size": size, TAILS: days.round(4).tolist()}


def main() -> None:
    """Run the worlds that are not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="folder of results")
    parser.add_argument("--tools", nargs="*", default=["ours", "nannyml", "evidently"])
    parser.add_argument("--worlds", type=int, default=4, help="references (default: 4)")
    parser.add_argument("--trials", type=int, default=10, help="trials per fault, size and reference (default: 10)")
    parser.add_argument("--peer-windows", type=int, default=500, help="healthy windows that set a peer's limits")
    parser.add_argument("--only", nargs="*", default=[], help="faults as fault/size; default: all")
    arguments = parser.parse_args()
    chosen = {
        fault: sizes
        for fault, every in FAULTS.items()
        if (sizes := [size for size in every if not arguments.only or f"{fault}/{size:g}" in arguments.only])
    }
    name, columns, rows = FAULTS_RUN
    for number in range(arguments.worlds):
        for tool in arguments.tools:
            path = arguments.results / ("nothing_ours.jsonl" if tool == "nothing" else f"faults_{tool}.jsonl")
            if any(line["world"] == number for line in lines_of(path)):
                continue
            begun = time.monotonic()
            # Worlds of their own: the healthy runs have the first blocks.
            world = World.of(name, columns, rows, 1000 + number)
            if tool in ("ours", "nothing"):
                found = list(ours(world, arguments.trials, rows, chosen if tool == "ours" else {}))
            else:
                found = list(peer(tool, world, arguments.trials, rows, chosen, arguments.peer_windows))
            for line in found:
                keep(path, {"world": number, **line})
            print(tool, number, f"{time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
