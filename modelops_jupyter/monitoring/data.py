"""Comparing two sets of rows that no model has logged: what the monitor says of them, without a workspace."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.columns import Columns
from modelops_jupyter.errors import InvalidFrame, NotFound
from modelops_jupyter.frames import check_times, to_arrow, to_pandas, zones_in_arrow
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.figure import FEWEST_ROWS
from modelops_jupyter.monitoring.incidents.alerts import raise_alerts
from modelops_jupyter.monitoring.judging.budget import DEFAULT_BUDGET, AlertBudget
from modelops_jupyter.monitoring.judging.replay import judge_series, measure_series
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.record.results import MonitorReport, WindowResult
from modelops_jupyter.monitoring.scanning import Part, scan_windows
from modelops_jupyter.profiles import Profile, Reference, build_reference, counting_threads, window_length
from modelops_jupyter.wording import count

SHOWN_AS = "current"
MOST_NAMED = 10


def compare_data(
    reference: Any,
    current: Any,
    *,
    timestamp: str = "timestamp",
    every: str = "1D",
    alert_budget: str = DEFAULT_BUDGET,
) -> MonitorReport:
    """Compare rows, window by window, with a reference: data quality and drift of every column, and alerts.

    Every window is held against the reference alone, whatever the windows before were like: a Monday that differs from
    a reference of weekends is told. Columns of times, lists, records and bytes are left out, and so are those that
    `reference` does not have: the report names them.

    Parameters
    ----------
    reference, current : table, or path of a Parquet file
        pandas, polars, Arrow, or a dict of columns. Files are read column by column, so that they need not fit into
        memory as a whole. `current` may be a Spark table: its rows are counted where they lie.
    timestamp : str
        The column of `current` with the time of each row; its values have a time zone.
    every : str
        Length of a window: ``"1h"``, ``"1D"`` or ``"1W"``, in UTC.
    alert_budget : str
        How many false alerts are accepted, such as ``"1/month"``.

    Returns
    -------
    MonitorReport
        With a window for each stretch of `every` that has rows.

    Raises
    ------
    InvalidFrame
        If one of them is no table or has no rows, they have no column in common, or `current` has no column
        `timestamp` of times with a zone.
    NotFound
        If there is no such file.
    """
    rules = AlertRules(budget=AlertBudget.parse(alert_budget), seasons=False)
    window_length(every)
    known = _columns(reference, "reference", timestamp)
    features = Columns(known.rows, {name: kind for name, kind in known.types.items() if name != timestamp}, known.read)
    baseline = Baseline(build_reference(features, task="decision", segments=()))
    scanned = _scanned_in_spark if type(current).__module__.startswith("pyspark.") else _scanned
    profiles, columns = scanned(current, timestamp, baseline.reference, every)
    if not baseline.reference.binning.columns.keys() & set(columns):
        raise InvalidFrame("reference and current have no column to compare in common: name columns alike in both.")
    windows = judge_series({1: baseline}, measure_series({1: baseline}, profiles, every), rules, every)
    alerts = raise_alerts(SHOWN_AS, windows, rules)
    remark = _remark(baseline.reference, features.types, [name for name in columns if name != timestamp], windows)
    return MonitorReport(SHOWN_AS, every, windows, alerts, len(windows), remark=remark)


def _remark(
    reference: Reference, known: Collection[str], columns: Sequence[str], windows: Sequence[WindowResult]
) -> str:
    """Say what nothing is said of, and why."""
    found = []
    if new := [name for name in columns if name not in known]:
        found.append(f"The reference lacks {_named(new)}: nothing is said of what only current has.")
    if odd := [name for name in columns if name in known and name not in reference.binning.columns]:
        found.append(f"Neither numbers, texts nor truth values, and so not compared: {_named(odd)}.")
    profiles = reference.profile.columns
    if empty := [name for name in columns if name in profiles and profiles[name].missing == profiles[name].n]:
        found.append(f"The reference has no value of {_named(empty)}: nothing is said of numbers there.")
    if reference.profile.rows < FEWEST_ROWS:
        found.append(f"The reference has {reference.profile.rows} rows; {FEWEST_ROWS} are the fewest to compare with.")
    if few := sum(window.rows < FEWEST_ROWS for window in windows):
        found.append(
            f"{count(few, 'window')} of {len(windows):,} with fewer than {FEWEST_ROWS} rows, which are too few to be "
            "judged: take longer windows or more rows."
        )
    return " ".join(found)


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


Scanned = tuple[dict[datetime, Profile], Sequence[str]]


def _scanned(current: Any, timestamp: str, reference: Reference, every: str) -> Scanned:
    rows = _columns(current, "current", timestamp)
    parts = [Part.of(piece, every, _times(piece, timestamp)) for piece in rows.parts or (rows,)]
    with counting_threads(texts=reference.binning.has_texts, purpose="scan") as pool:
        found = scan_windows(parts, {1: reference}, every, (), pool)
        return {window.start: window.profile for window in found}, tuple(rows.types)


def _scanned_in_spark(current: Any, timestamp: str, reference: Reference, every: str) -> Scanned:
    from modelops_jupyter.profiles.spark import scan_spark

    kind = dict(current.dtypes).get(timestamp)
    if kind is None:
        raise _no_column(timestamp, current.columns)
    if kind != "timestamp":
        raise _no_times(timestamp, kind)
    profiles = scan_spark(current, reference.binning, every, times=timestamp)
    if not profiles:
        raise InvalidFrame("current has no rows: pass at least one.")
    return profiles, tuple(current.columns)


def _columns(data: Any, what: str, timestamp: str) -> Columns:
    if isinstance(data, str | os.PathLike):
        path = Path(data)
        if not path.is_file():
            missing = f"{str(path)!r} is a folder" if path.is_dir() else f"There is no file {str(path)!r}"
            raise NotFound(f"{missing}: give the path of a Parquet file, or a table.")
        columns = Columns.of_parquet(path)
    elif isinstance(data, pa.Table):
        columns = Columns.of_table(data)
    else:
        columns = Columns.of_table(_table(data, what, timestamp))
    if not columns.rows:
        raise InvalidFrame(f"{what} has no rows: pass at least one.")
    return columns


def _table(data: Any, what: str, timestamp: str) -> pa.Table:
    """Return a table of any library as Arrow; categories stay what they stand for, as they do in a Parquet file."""
    frame = to_pandas(data, what)
    if frame.index.name == timestamp:
        frame = frame.reset_index()
    try:
        return pa.Table.from_pandas(zones_in_arrow(frame), preserve_index=False)
    except (pa.ArrowException, OverflowError):
        return to_arrow(frame)  # says which column it is


def _times(columns: Columns, timestamp: str) -> pa.ChunkedArray:
    """Return the times of rows, in UTC."""
    kind = columns.types.get(timestamp)
    if kind is None:
        raise _no_column(timestamp, columns.types)
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        raise _no_times(timestamp, kind)
    values = columns.read(timestamp)
    if values is None or values.null_count:
        raise InvalidFrame(f"Column {timestamp!r} of current has missing times: every row needs one.")
    times = values.cast(pa.timestamp("us", tz="UTC"), safe=False)
    span = pc.min_max(times.cast(pa.int64()))
    check_times(span["min"].as_py(), span["max"].as_py(), timestamp)
    return times


def _no_column(timestamp: str, known: Iterable[str]) -> InvalidFrame:
    shown = ", ".join(list(known)[:20])
    return InvalidFrame(f"current has no column {timestamp!r}: name that of the times with timestamp=; it has {shown}.")


def _no_times(timestamp: str, kind: Any) -> InvalidFrame:
    timed = str(kind).startswith("timestamp")
    call = "frame[col].dt.tz_localize('UTC')" if timed else "pd.to_datetime(frame[col], utc=True)"
    return InvalidFrame(
        f"Column {timestamp!r} of current holds {kind}, not times with a time zone: make them, say {call}."
    )
