"""What is measured within one process of ours: a small log, and one more day after a year. Prints JSON.

Arguments: the days of the year, and the rows of a day.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from modelops_jupyter.actor import Actor
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.monitoring import run_monitor
from modelops_jupyter.monitoring.scanning import scan_log
from modelops_jupyter.store import open_store
from tests.benchmarks.scan_ours import reference
from tests.benchmarks.tables import predictions

KNOWN = {1: reference()}
ANN = Actor("ann", "self-asserted")


def monitored(folder: Path, log: PredictionLog) -> float:
    """Return the seconds of one run of the monitor."""
    folder.mkdir(exist_ok=True)
    store = open_store(folder / "store.db", folder / "lock")
    begin = time.perf_counter()
    run_monitor("m", store=store, log=log, references=KNOWN, actor=ANN)
    return time.perf_counter() - begin


def line(what: str, found: str, wanted: str, met: bool) -> dict[str, object]:
    """Return one line of the table."""
    return {"what": what, "found": found, "wanted": wanted, "met": met}


def small(folder: Path) -> list[dict[str, object]]:
    """100,000 rows in 60 days: the profiles alone, and with judging and keeping them."""
    log = PredictionLog(folder / "small")
    log.append_predictions("m", predictions(100_000, 60))
    extent = log.extent("m")
    assert extent is not None
    seconds = []
    for _ in range(4):
        begin = time.perf_counter()
        list(scan_log(log, "m", extent.start, extent.end, KNOWN, "1D"))
        seconds.append(time.perf_counter() - begin)
    scanned, whole = min(seconds), monitored(folder / "small store", log)
    return [
        line("profiles of 100,000 x 48 in 60 days, in process", f"{scanned:.2f} s", "<= 0.3 s", scanned <= 0.3),
        line("the whole monitor run of it", f"{whole:.2f} s", "<= 0.3 s", whole <= 0.3),
    ]


def one_more_day(folder: Path, rows: int, days: int) -> dict[str, object]:
    """The last of a year's days, against the same day in a log of its own."""
    year, alone = PredictionLog(folder / "year"), PredictionLog(folder / "alone")
    for day in range(days):
        year.append_predictions("m", predictions(rows, 1, day, day))
    monitored(folder / "year store", year)
    last = predictions(rows, 1, days, days)
    year.append_predictions("m", last)
    alone.append_predictions("m", last)
    after = monitored(folder / "year store", year)
    by_itself = float(np.median([monitored(folder / f"alone store {k}", alone) for k in range(3)]))
    found = f"{after:.2f} s against {by_itself:.2f} s: {after / by_itself:.1f} times"
    return line(f"one more day of {rows:,} after a year; that day alone", found, "<= 1.5", after / by_itself <= 1.5)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps([*small(Path(place)), one_more_day(Path(place), int(sys.argv[2]), int(sys.argv[1]))]))
