"""Comparing two sets of rows that no model has logged, without a workspace."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelops_jupyter.data_files import dataset_address, read_file
from modelops_jupyter.errors import InvalidInput

if TYPE_CHECKING:
    from modelops_jupyter.monitoring.record.comparison import DataComparison


def compare_data(
    reference: Any,
    current: Any,
    *,
    timestamp: str | None = None,
    every: str = "1D",
    zone: str | None = None,
    alert_budget: str = "1/month",
    fail_on: str | None = None,
    junit: str | os.PathLike[str] | None = None,
) -> DataComparison:
    """Compare rows with a reference: data quality and drift of every column, and all that differs, the strongest first.

    With a column of times rows are compared window by window, each window with the reference alone, whatever the
    windows before were like: a Monday that differs from a reference of weekends is told. Without one they are compared
    once, all together, at the budget of one window. Columns of times, lists, records and bytes are left out, and so are
    those that `reference` does not have: the comparison names them.

    Parameters
    ----------
    reference, current : table, or path of one
        pandas, polars, Arrow, or a dict of columns; the path of a Parquet or CSV file, or ``delta:FOLDER@VERSION``.
        Parquet files are read column by column, so that they need not fit into memory as a whole. `current` may be a
        Spark table: its rows are counted where they lie.
    timestamp : str or None
        The column of `current` with the time of each row; by default ``timestamp``, where there is one.
    every : str
        Length of a window: ``"1h"``, ``"1D"`` or ``"1W"``, in UTC.
    zone : str or None
        The time zone of times that do not say theirs, such as ``"Europe/Rome"``; without it they are refused. Of an
        hour that comes twice in autumn the first is taken.
    alert_budget : str
        How many false alerts are accepted, such as ``"1/month"``.
    fail_on : {"alert"} or None
        What makes the comparison fail as a check: see `DataComparison.passed`.
    junit : path or None
        Where to write a JUnit report, a test case per column.

    Returns
    -------
    DataComparison
        With a window for each stretch of `every` that has rows, or one.

    Raises
    ------
    InvalidFrame
        If one of them is no table or has no rows, they have no column in common, or the times of `current` are none,
        or have no zone.
    InvalidInput
        If there is no such length of a window, time zone, budget or way to fail, or the report cannot be written.
    NotFound
        If there is no such file.

    Examples
    --------
    >>> import pandas as pd
    >>> before = pd.DataFrame({"wind": range(1000)})
    >>> compare_data(before, before + 500).alerts[0].column
    'wind'
    """
    from modelops_jupyter.monitoring.data import compare_tables

    if fail_on not in (None, "alert"):
        raise InvalidInput(f"A comparison fails on 'alert' or not at all, not on {fail_on!r}.")
    comparison = compare_tables(
        _table(reference, "reference"),
        _table(current, "current"),
        timestamp=timestamp,
        every=every,
        zone=zone,
        alert_budget=alert_budget,
    )
    if junit is not None:
        try:
            Path(junit).write_text(comparison.to_junit(), encoding="utf-8")
        except OSError as error:
            raise InvalidInput(f"The report cannot be written to {str(junit)!r}: {error.strerror}.") from error
    return replace(comparison, fail_on=fail_on)


def _table(data: Any, what: str) -> Any:
    """Return a table, or the path of a Parquet file, which is read column by column."""
    if not isinstance(data, str | os.PathLike) or str(data).endswith(".parquet"):
        return data
    address = str(data)
    if not (address.endswith(".csv") or dataset_address(address)):
        raise InvalidInput(f"{what} cannot be {address!r}: give a .parquet or .csv file, or delta:FOLDER@VERSION.")
    return read_file(address)
