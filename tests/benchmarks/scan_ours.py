"""The whole profile of a log by day: 128 bins, moments, categories, outcomes; as `scan_log` makes it.

Arguments: the log's folder, days, how often. Prints the seconds of each run and the greatest memory as JSON.
"""

import json
import resource
import sys
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from modelops_jupyter.log import PredictionLog
from modelops_jupyter.monitoring.scanning import scan_log
from modelops_jupyter.profiles import Reference, build_reference
from tests.benchmarks.tables import BEGIN, features


def reference(numbers: int = 30, texts: int = 10) -> Reference:
    """Return a reference of the benchmark's columns."""
    rows = 50_000
    score = np.random.default_rng(0).random(rows)
    said = np.where(score > 0.5, "1", "0")
    table = pa.table(features(rows, 99, numbers, texts))
    return build_reference(table, scores=score, predictions=said, labels=said, positive="1")


if __name__ == "__main__":
    log, days, known = PredictionLog(Path(sys.argv[1])), int(sys.argv[2]), {1: reference()}
    seconds = []
    for _ in range(int(sys.argv[3])):
        begin = time.perf_counter()
        rows = sum(w.profile.rows for w in scan_log(log, "m", BEGIN, BEGIN + timedelta(days=days), known, "1D"))
        seconds.append(time.perf_counter() - begin)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "rows": rows, "megabytes": megabytes}))
