"""The whole profile of a log by day: 128 bins, moments, categories; as `scan_log` makes it.

Of ``all``, repeated requests are looked for and the score is counted by outcome, too; ``features`` are the forty
columns and the time alone, as they lie in the same files.

Arguments: the log's folder, days, ``all`` or ``features``, how often. Prints the seconds of each run and the greatest
memory as JSON.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from modelops_jupyter.columns import Columns
from modelops_jupyter.log import PredictionLog
from modelops_jupyter.monitoring.scanning import Part, WindowProfile, scan_log, scan_windows
from modelops_jupyter.profiles import Reference, build_reference
from tests.benchmarks.tables import BEGIN, features


def reference(numbers: int = 30, texts: int = 10) -> Reference:
    """Return a reference of the benchmark's columns."""
    rows = 50_000
    score = np.random.default_rng(0).random(rows)
    said = np.where(score > 0.5, "1", "0")
    table = pa.table(features(rows, 99, numbers, texts))
    return build_reference(table, scores=score, predictions=said, labels=said, positive="1")


def scan_features(log: PredictionLog, known: Reference) -> Iterator[WindowProfile]:
    """Profile the features of a log's files by day."""
    pieces = [Columns.of_parquet(file) for file in sorted(log.path("m", "predictions").glob("*.parquet"))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        times = pool.map(lambda piece: piece.read("timestamp"), pieces)
        parts = [Part.of(piece, "1D", values) for piece, values in zip(pieces, times, strict=True)]
        yield from scan_windows(parts, {1: known}, "1D", (), pool)


if __name__ == "__main__":
    log, days, known = PredictionLog(Path(sys.argv[1])), int(sys.argv[2]), {1: reference()}
    plain = build_reference(pa.table(features(50_000, 99)), task="decision", segments=())
    seconds = []
    for _ in range(int(sys.argv[4])):
        begin = time.perf_counter()
        if sys.argv[3] == "all":
            windows = scan_log(log, "m", BEGIN, BEGIN + timedelta(days=days), known, "1D")
        else:
            windows = scan_features(log, plain)
        rows = sum(window.profile.rows for window in windows)
        seconds.append(time.perf_counter() - begin)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "rows": rows, "megabytes": megabytes}))
