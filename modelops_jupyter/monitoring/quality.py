"""Data quality of a column, from profiles alone."""

from __future__ import annotations

from modelops_jupyter.monitoring.figure import Figure, figure
from modelops_jupyter.profiles import ColumnProfile


def null_rate(column: ColumnProfile) -> Figure:
    """Share of rows without a usable value: null, NaN or infinite."""
    return figure(column.missing / column.n) if column.n else Figure(None, "no rows")


def unseen_rate(column: ColumnProfile) -> Figure:
    """Share of values that are no category of the reference."""
    if column.kind != "category":
        return Figure(None, "numbers have no categories")
    present = column.n - column.missing
    return figure(column.unseen / present) if present else Figure(None, "all missing" if column.n else "no rows")
