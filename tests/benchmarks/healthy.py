"""False alerts where nothing drifts: blocks of windows, each with a reference of its own; a line of JSON per block.

    python -m tests.benchmarks.healthy --results FOLDER --windows 10000 --only flights/5/100

Real rows (flights of 2013, scikit-learn's breast cancer and diabetes sets, the sets of `public_sets`) are drawn with
replacement, so that every window comes from where its reference came from. Blocks that FOLDER has already are not run
again: a run that was cut goes on, and runs of different rows may go side by side.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from modelops_jupyter.monitoring import AlertBudget, AlertRules
from tests.benchmarks.worlds import Replay, World

# Source, columns and rows of a window.
RUNS = (
    ("flights", 5, 100),
    ("flights", 20, 1000),
    ("flights", 20, 10_000),
    ("flights", 5, 100_000),
    ("breast cancer", 30, 500),
    ("breast cancer", 200, 100),
    ("breast cancer", 200, 1000),
    ("diabetes", 10, 1000),
    ("census", 20, 1000),
    ("diamonds", 10, 1000),
    ("health insurance", 10, 1000),
    ("loans", 30, 500),
    ("medical costs", 20, 1000),
    ("temperatures", 4, 500),
    ("weather", 10, 1000),
    ("digits", 30, 500),
)
# The faults' world.
FAULTS_RUN = ("flights", 10, 1000)
BUDGETS = ("1/month", "1/day", "1/quarter", "1/year")
BLOCK = 500
Run = tuple[str, int, int]


def block_of(run: Run, block: int, windows: int) -> dict[str, Any]:
    """Replay one block of healthy windows under every budget, and return how many alerts there were, and of what."""
    name, columns, rows = run
    begun = time.process_time()
    world = World.of(name, columns, rows, block)
    replay = Replay(world.baseline, AlertRules())
    replay.add(list(world.profiles(windows, rows)))
    found: dict[str, Any] = {}
    for text in BUDGETS:
        replay.rules = AlertRules(budget=AlertBudget.parse(text))
        alerts = [alert for _, alert in replay.alerts(replay.judge(replay.windows))]
        by = Counter(f"{alert.kind} {alert.metric}" for alert in alerts)
        noisy = len({alert.window_start for alert in alerts})
        found[text] = {"alerts": len(alerts), "noisy_windows": noisy, "by": dict(by)}
    seconds = round(time.process_time() - begun, 1)
    return {"run": [*run], "block": block, "windows": windows, "processor_seconds": seconds, "budgets": found}


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file of results, none where there is no such file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def keep(path: Path, line: dict[str, Any]) -> None:
    """Add a line to a file of results."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def main() -> None:
    """Run the blocks that are not there yet, those of all runs by turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="folder of results")
    parser.add_argument("--windows", type=int, default=10_000, help="windows per run (default: 10000)")
    parser.add_argument("--only", nargs="*", default=[], help="runs as source/columns/rows; default: all")
    parser.add_argument("--minutes", type=float, default=1e9, help="no block begins after so many")
    arguments = parser.parse_args()
    path, until = arguments.results / "healthy.jsonl", time.monotonic() + 60 * arguments.minutes
    runs = [run for run in (*RUNS, FAULTS_RUN) if not arguments.only or "/".join(map(str, run)) in arguments.only]
    for block in range(arguments.windows // BLOCK):
        for run in runs:
            known = {(tuple(line["run"]), line["block"]) for line in lines_of(path)}
            if (run, block) in known or time.monotonic() > until:
                continue
            line = block_of(run, block, BLOCK)
            keep(path, line)
            told = {text: found["alerts"] for text, found in line["budgets"].items()}
            print(*run, block, told, f"{line['processor_seconds']} s", flush=True)


if __name__ == "__main__":
    main()
