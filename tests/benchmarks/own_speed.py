"""What is measured within one process of ours: a small log, one more day after a year, a year redrawn. Prints JSON.

Arguments: the days of the year, and the rows of a day.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from modelops_jupyter.actor import Actor
from modelops_jupyter.display.series import report_drift, report_series
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.monitoring import load_report, run_monitor
from modelops_jupyter.monitoring.scanning import scan_log
from modelops_jupyter.store import open_store
from tests.benchmarks.scan_ours import reference
from tests.benchmarks.tables import predictions

KNOWN = {1: reference()}
LARGE_DAY = 27_400  # rows: those of ten million a year
ANN = Actor("ann", "self-asserted")


def monitored(folder: Path, log: PredictionLog, before: Path | None = None) -> float:
    """Return the seconds of one run of the monitor; it goes on from the store in `before`."""
    if before is None:
        folder.mkdir(parents=True)
    else:
        shutil.copytree(before, folder)
        os.sync()  # else the run's own commit would wait until the copy is on the disk
    store = open_store(folder / "store.db", folder / "lock")
    begin = time.perf_counter()
    run_monitor("m", store=store, log=log, references=KNOWN, actor=ANN)
    return time.perf_counter() - begin


def line(what: str, found: str, wanted: str, met: bool | None) -> dict[str, object]:
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
        line("the whole monitor run of it, judged and kept", f"{whole:.2f} s", "", None),
    ]


def one_more_day(folder: Path, rows: int, days: int) -> dict[str, object]:
    """The last of a year's days, against the same day in a log of its own."""
    folder = folder / f"days of {rows}"
    year, alone = PredictionLog(folder / "year"), PredictionLog(folder / "alone")
    for day in range(days):
        year.append_predictions("m", predictions(rows, 1, day, day))
    monitored(folder / "year store", year)
    last = predictions(rows, 1, days, days)
    year.append_predictions("m", last)
    alone.append_predictions("m", last)
    pairs = [
        (monitored(folder / f"year store {k}", year, folder / "year store"), monitored(folder / f"day {k}", alone))
        for k in range(7)
    ]
    after, by_itself = np.median(pairs, axis=0).tolist()
    found = f"{after:.2f} s against {by_itself:.2f} s: {after / by_itself:.1f} times"
    return line(f"one more day of {rows:,} after a year; that day alone", found, "<= 1.5", after / by_itself <= 1.5)


def redrawn(folder: Path, rows: int, days: int) -> list[dict[str, object]]:
    """A year of 52 columns, as a whole and in ten segments, read from the store as a page draws it."""
    known = {1: reference(40, 10)}
    log, store = PredictionLog(folder / "sliced"), open_store(folder / "sliced.db", folder / "lock")
    for day in range(days):
        log.append_predictions("m", predictions(rows, 1, day, day, numbers=40, texts=10))
    run_monitor("m", store=store, log=log, references=known, segments=("c1",), actor=ANN)

    def page() -> None:
        report = load_report(store, "m")
        report_drift(report)
        report_series(report)

    def sliced() -> None:
        load_report(store, "m").segment_drift("psi")

    found = []
    for what, draw in (("drift map and performance of all rows", page), ("PSI of every column and segment", sliced)):
        seconds = []
        for _ in range(5):
            begin = time.perf_counter()
            draw()
            seconds.append(time.perf_counter() - begin)
        name = f"{what}: {days} days x 52 columns, from the store"
        found.append(line(name, f"{np.median(seconds):.3f} s", "<= 0.1 s", bool(np.median(seconds) <= 0.1)))
    return found


if __name__ == "__main__":
    asked_days, asked_rows = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as place:
        at = Path(place)
        more = [one_more_day(at, rows, asked_days) for rows in (asked_rows, LARGE_DAY)]
        print(json.dumps([*small(at), *more, *redrawn(at, asked_rows, asked_days)]))
