"""Comparing two sets of rows that no model has logged: what the monitor says of them, without a workspace."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.columns import Columns, numbers_of
from modelops_jupyter.derived_names import source_of
from modelops_jupyter.errors import InvalidFrame, NotFound
from modelops_jupyter.frames import to_arrow, to_pandas, zones_in_arrow
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.figure import FEWEST_ROWS
from modelops_jupyter.monitoring.incidents.alerts import raise_alerts
from modelops_jupyter.monitoring.incidents.magnitude import magnitude
from modelops_jupyter.monitoring.judging.budget import AlertBudget
from modelops_jupyter.monitoring.judging.replay import judge_series, measure_series
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.record.comparison import DataComparison
from modelops_jupyter.monitoring.record.results import Alert, Key, WindowResult
from modelops_jupyter.monitoring.scanning import Part, scan_windows
from modelops_jupyter.profiles import Profile, Reference, build_reference, counting_threads, window_length
from modelops_jupyter.time_columns import check_times, check_zone, times_in_zone, zoned_texts_as_times
from modelops_jupyter.wording import count, left_out_sentence

Array = np.ndarray[Any, Any]
SHOWN_AS = "current"
MOST_NAMED = 10
DEFAULT_TIMESTAMP = "timestamp"


@dataclass(frozen=True)
class TimeColumn:
    """Where the times of rows are.

    Attributes
    ----------
    name : str
    required : bool
        Whether rows without it are refused; otherwise they are one window, that of the day on which they are compared.
    zone : str or None
        The zone of times that do not say theirs; None refuses them.
    """

    name: str
    required: bool
    zone: str | None


def compare_tables(
    reference: Any, current: Any, *, timestamp: str | None, every: str, zone: str | None, alert_budget: str
) -> DataComparison:
    """Compare rows with a reference; paths are those of Parquet files. See `modelops_jupyter.compare_data`."""
    rules = AlertRules(budget=AlertBudget.parse(alert_budget), seasons=False)
    window_length(every)
    times = TimeColumn(timestamp or DEFAULT_TIMESTAMP, required=timestamp is not None, zone=check_zone(zone))
    before = _columns(reference, "reference", times.name)
    types = {name: kind for name, kind in before.types.items() if name != times.name}
    features = Columns(before.rows, types, before.read)
    at = _reference_times(before, times)
    baseline = Baseline(build_reference(features, task="decision", segments=(), times=at))
    scanned = _scanned_in_spark if type(current).__module__.startswith("pyspark.") else _scanned
    profiles, columns = scanned(current, times, baseline.reference, every)
    compared = [name for name in baseline.reference.binning.columns if source_of(name) in set(columns)]
    if not compared:
        raise InvalidFrame("reference and current have no column to compare in common: name columns alike in both.")
    windows = judge_series({1: baseline}, measure_series({1: baseline}, profiles, every), rules, every)
    alerts = _strongest_first(raise_alerts(SHOWN_AS, windows, rules), windows)
    remark = _remark(baseline.reference, features.types, [name for name in columns if name != times.name], windows)
    timed = times.required or times.name in columns
    return DataComparison(
        SHOWN_AS, every, windows, alerts, len(windows), remark=remark, columns=tuple(compared), timed=timed
    )


def _strongest_first(alerts: Sequence[Alert], windows: Sequence[WindowResult]) -> tuple[Alert, ...]:
    """Return alerts by how far the furthest of their findings is beyond its threshold."""
    greatest: dict[Key, float] = {}
    for finding in (finding for window in windows for finding in window.findings):
        size = magnitude(finding.figure, finding.threshold)
        greatest[finding.key] = max(greatest.get(finding.key, 0.0), size)
    return tuple(sorted(alerts, key=lambda alert: (-greatest.get(alert.key, 0.0), alert.place())))


def _remark(
    reference: Reference, known: Collection[str], columns: Sequence[str], windows: Sequence[WindowResult]
) -> str:
    """Say what nothing is said of, and why."""
    found = []
    if new := [name for name in columns if name not in known]:
        found.append(f"The reference lacks {_named(new)}: nothing is said of what only current has.")
    binning = reference.binning
    if identifiers := [name for name in columns if name in binning.left_out]:
        found.append(left_out_sentence(identifiers))
    compared = {*binning.sources, *binning.left_out}
    if odd := [name for name in columns if name in known and name not in compared]:
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


def _scanned(current: Any, times: TimeColumn, reference: Reference, every: str) -> Scanned:
    rows = _columns(current, "current", times.name)
    parts = [Part.of(piece, every, _times(piece, times)) for piece in rows.parts or (rows,)]
    with counting_threads(texts=reference.binning.has_texts, purpose="scan") as pool:
        windows = scan_windows(parts, {1: reference}, every, (), pool)
        return {window.start: window.profile for window in windows}, tuple(rows.types)


def _scanned_in_spark(current: Any, times: TimeColumn, reference: Reference, every: str) -> Scanned:
    from modelops_jupyter.profiles.spark import scan_spark

    kind = dict(current.dtypes).get(times.name)
    if kind is None:
        raise _no_column(times.name, current.columns)
    if kind != "timestamp":
        raise _no_times(times.name, kind)
    profiles = scan_spark(current, reference.binning, every, times=times.name)
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


def _reference_times(columns: Columns, times: TimeColumn) -> Array | None:
    """Return the times of a reference's rows, in microseconds (UTC), by which it is known how old dates were.

    Nothing else depends on them: where one is missing, or says no zone, they are not known.
    """
    values = columns.read(times.name) if pa.types.is_timestamp(columns.types.get(times.name, pa.null())) else None
    if values is None or values.null_count:
        return None
    if times.zone is not None:
        values = times_in_zone(values, times.name, times.zone)
    return None if values.type.tz is None else numbers_of(values.cast(pa.timestamp("us", tz="UTC"), safe=False))


def _times(columns: Columns, times: TimeColumn) -> pa.ChunkedArray:
    """Return the times of rows, in UTC."""
    kind = columns.types.get(times.name)
    if kind is None and not times.required:
        today = datetime.combine(datetime.now(UTC).date(), time(), UTC)
        return pa.chunked_array([pa.repeat(pa.scalar(today, pa.timestamp("us", tz="UTC")), columns.rows)])
    if kind is None:
        raise _no_column(times.name, columns.types)
    values = columns.read(times.name)
    if values is not None:
        values = zoned_texts_as_times(values)
        kind = values.type
    if times.zone is not None and values is not None:
        values = times_in_zone(values, times.name, times.zone)
        kind = values.type
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        raise _no_times(times.name, kind)
    if values is None or values.null_count:
        raise InvalidFrame(f"Column {times.name!r} of current has missing times: every row needs one.")
    return _checked(values.cast(pa.timestamp("us", tz="UTC"), safe=False), times.name)


def _checked(times: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    span = pc.min_max(times.cast(pa.int64()))
    check_times(span["min"].as_py(), span["max"].as_py(), name)
    return times


def _no_column(timestamp: str, known: Iterable[str]) -> InvalidFrame:
    shown = ", ".join(list(known)[:20])
    return InvalidFrame(f"current has no column {timestamp!r}: name its column of times; it has {shown}.")


def _no_times(timestamp: str, kind: Any) -> InvalidFrame:
    return InvalidFrame(
        f"Column {timestamp!r} of current holds {kind}, not times with a time zone: name the zone, say "
        "zone='UTC', if they are times."
    )
