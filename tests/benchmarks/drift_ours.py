"""Drift of every column by day against a reference, from two Parquet files, as a whole process of ours."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from modelops_jupyter.columns import Columns
from modelops_jupyter.monitoring.baseline import Baseline
from modelops_jupyter.monitoring.measure import measure_window
from modelops_jupyter.monitoring.scanning import Part, scan_windows
from modelops_jupyter.profiles import build_reference

baseline = Baseline(build_reference(Columns.of_parquet(sys.argv[1]), task="decision", segments=()))
rows = Columns.of_parquet(sys.argv[2])
greatest = 0.0
with ThreadPoolExecutor(os.cpu_count()) as pool:
    for window in scan_windows([Part.of(rows, "1D")], {1: baseline.reference}, "1D", (), pool):
        result = measure_window(baseline, window.profile, window.start, window.start + timedelta(days=1))
        greatest = max(greatest, *(figures["psi"]["value"] for figures in result.drift.values()))
print(f"greatest PSI {greatest:.4f}")
