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

reference, current = (pq.read_schema(path) for path in sys.argv[1:3])
texts = [field.name for field in reference if field.type == pa.string()]
known = pq.read_table(sys.argv[1], read_dictionary=texts).drop_columns("timestamp")
baseline = Baseline(build_reference(known, task="decision", segments=()))
rows = pq.read_table(sys.argv[2], read_dictionary=texts)
rows = rows.append_column("version", pa.nulls(rows.num_rows, pa.int64()).fill_null(1))
greatest = 0.0
with ThreadPoolExecutor(os.cpu_count()) as pool:
    for window in scan_windows([Part.of(rows, "1D")], {1: baseline.reference}, "1D", (), pool):
        result = measure_window(baseline, window.profile, window.start, window.start + timedelta(days=1))
        greatest = max(greatest, *(figures["psi"]["value"] for figures in result.drift.values()))
print(f"greatest PSI {greatest:.4f}")
