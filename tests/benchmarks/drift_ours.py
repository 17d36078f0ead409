"""Drift of every column by day against a reference, from two Parquet files, as a whole process of ours."""

import sys

from modelops_jupyter.monitoring import compare_data

report = compare_data(sys.argv[1], sys.argv[2])
greatest = max(figures["psi"]["value"] for window in report.windows for figures in window.drift.values())
print(f"greatest PSI {greatest:.4f} in {len(report.windows)} windows, {len(report.alerts)} alerts")
