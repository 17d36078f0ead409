"""Speed of monitoring, beside its peers: ``python -m tests.benchmarks.monitoring --help``."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks import peers
from tests.benchmarks.tables import write_log, write_parquet

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PARTS = ("own", "scan", "peers", "spark")


@dataclass(frozen=True)
class Line:
    """One line of the table: what was measured, what it shall be, whether it is."""

    what: str
    found: str
    wanted: str
    met: bool | None

    def __str__(self) -> str:
        mark = {True: "met", False: "MISSED", None: ""}[self.met]
        return f"| {self.what} | {self.found} | {self.wanted} | {mark} |"


def process(command: list[Any], environment: dict[str, str] | None = None) -> tuple[float, float, float, str]:
    """Run a process; return its seconds, its processor's, its greatest memory in MB and what it printed."""
    with tempfile.TemporaryFile("w+") as printed:
        begin = time.perf_counter()
        child = subprocess.Popen(
            [str(word) for word in command], stdout=printed, stderr=subprocess.DEVNULL, env=environment, cwd=ROOT
        )
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        text = printed.read().strip()
    if child.returncode:
        raise SystemExit(f"{command} failed")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, text


def own(script: str, *arguments: Any) -> tuple[float, float, float, str]:
    """Run a script of ours."""
    return process([sys.executable, HERE / script, *arguments], {**os.environ, "PYTHONPATH": str(ROOT)})


def of_peer(peer: str, script: str, *arguments: Any) -> tuple[float, float, float, str]:
    """Run a script in a peer's environment."""
    quiet = {**os.environ, "NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1", "PYTHONPATH": ""}
    return process([peers.python_of(peer), HERE / script, *arguments], quiet)


def compare_peers(cache: Path, rows: int) -> list[Line]:
    """Drift of `rows` × 40 against as many, whole processes from Parquet."""
    files = (
        write_parquet(cache / f"reference{rows}.parquet", rows, 1),
        write_parquet(cache / f"current{rows}.parquet", rows, 2),
    )
    mine, busy, memory, _ = min(own("drift_ours.py", *files) for _ in range(3))
    found = f"{mine:.2f} s, {busy:.2f} s of processor, {memory:.0f} MB"
    lines = [Line(f"drift of {rows:,} x 40 against as many: ours, by day", found, "", None)]
    for peer, factor in (("frouros", 4), ("nannyml", 25), ("evidently", 100)):
        seconds, used, memory, _ = of_peer(peer, f"drift_{peer}.py", *files)
        found = f"{seconds:.1f} s, {used:.1f} s of processor, {memory:.0f} MB: {seconds / mine:.1f} times ours"
        lines.append(Line(peers.PEERS[peer][0], found, f">= {factor} times", seconds / mine >= factor))
    return lines


def compare_scan(cache: Path, rows: int, days: int) -> list[Line]:
    """The whole profile of a log by day, beside DuckDB's bare scan of the same files in the same run."""
    folder = cache / f"log{rows}"
    log = write_log(folder, rows, days)
    files = sorted(log.path("m", "predictions").glob("*.parquet"))
    lines = []
    for what, columns in (("features", 41), ("all", 48)):
        ratios, ours, bare = [], [], []
        for _ in range(5):
            scanned = json.loads(own("scan_ours.py", folder, days, what, 2)[-1])
            ours.append(min(scanned["seconds"]))
            bare.append(min(json.loads(of_peer("duckdb", "bare_scan.py", 2, what, *files)[-1])))
            ratios.append(ours[-1] / bare[-1])
        found = f"{median(ours):.2f} s against {median(bare):.2f} s: {median(ratios):.2f} times"
        name = f"profiles of {rows:,} x {columns} ({what}) in {days} days; DuckDB's bare scan of the same"
        lines.append(Line(name, found, "<= 2.0", median(ratios) <= 2.0))
    return [*lines, Line(f"greatest memory of it, {rows:,} rows", f"{scanned['megabytes']:.0f} MB", "< 1000", None)]


def compare_spark(cache: Path, rows: int) -> list[Line]:
    """Profiles in Spark beside the best hand-written SQL of the same histograms."""
    if importlib.util.find_spec("pyspark") is None:
        return [Line("profiles in Spark", "not measured: install modelops-jupyter[spark]", "", None)]
    path = write_parquet(cache / f"current{rows}.parquet", rows, 2)
    seconds = {name: min(each) for name, each in json.loads(own("spark_speed.py", path, 3)[-1]).items()}
    written = min(seconds["by column"], seconds["exploded"])
    found = f"{seconds['ours']:.1f} s against {written:.1f} s: {seconds['ours'] / written:.2f} times"
    wanted = "<= 1.2"
    return [
        Line(f"Spark: profiles of {rows:,} x 40; histograms by SQL", found, wanted, seconds["ours"] <= 1.2 * written)
    ]


def own_lines(days: int, rows: int) -> list[Line]:
    """What is measured within a process of ours."""
    lines = []
    for row in json.loads(own("own_speed.py", days, rows)[-1]):
        lines.append(Line(row["what"], row["found"], row["wanted"], row["met"]))
    return lines


def main() -> None:
    """Measure what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--cache", type=Path, default=peers.FOLDER, help="folder of the data and the peers' environments"
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of each side against the peers")
    parser.add_argument(
        "--scan", type=int, nargs="*", default=[10_000_000, 50_000_000], help="rows of the scanned logs"
    )
    parser.add_argument("--spark-rows", type=int, default=100_000, help="rows profiled in Spark")
    parser.add_argument("--days", type=int, default=365, help="days before the one more day")
    parser.add_argument("--day-rows", type=int, default=2_000, help="rows of each of those days")
    parser.add_argument("--only", choices=PARTS, nargs="*", default=PARTS)
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    peers.FOLDER = given.cache
    parts: dict[str, Callable[[], list[Line]]] = {
        "own": lambda: own_lines(given.days, given.day_rows),
        "scan": lambda: [line for rows in given.scan for line in compare_scan(given.cache, rows, 365)],
        "peers": lambda: compare_peers(given.cache, given.rows),
        "spark": lambda: compare_spark(given.cache, given.spark_rows),
    }
    print("| measured | found | wanted | |\n|---|---|---|---|", flush=True)
    for name in parts:
        for line in parts[name]() if name in given.only else ():
            print(line, flush=True)


if __name__ == "__main__":
    main()
