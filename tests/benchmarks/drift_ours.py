"""Drift of every column by day against a reference, from two Parquet files, as a whole process of ours."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from modelops_jupyter.monitoring.baseline import Baseline
from modelops_jupyter.monitoring.measure import measure_window
from modelops_jupyter.monitoring.scanning import Part, scan_windows
from modelops_jupyter.profiles import build_reference


def read(path: str) -> pa.Table:
    """Read a file; mapped, as it is not copied then."""
    texts = [field.name for field in pq.read_schema(path) if field.type == pa.string()]
    return pq.ParquetFile(path, read_dictionary=texts, memory_map=True).read()


baseline = Baseline(build_reference(read(sys.argv[1]).drop_columns("timestamp"), task="decision", segments=()))
rows = read(sys.argv[2])
rows = rows.append_column("version", pa.nulls(rows.num_rows, pa.int64()).fill_null(1))
greatest = 0.0
with ThreadPoolExecutor(os.cpu_count()) as pool:
    for window in scan_windows([Part.of(rows, "1D")], {1: baseline.reference}, "1D", (), pool):
        result = measure_window(baseline, window.profile, window.start, window.start + timedelta(days=1))
        greatest = max(greatest, *(figures["psi"]["value"] for figures in result.drift.values()))
print(f"greatest PSI {greatest:.4f}")
