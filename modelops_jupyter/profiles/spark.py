"""The profile of a table that lies in Spark: every partition is counted where it lies, by the local scan's own code.

Spark hands its executors' Python workers the partitions as Arrow batches; each returns a packed profile per window,
and the driver adds them up. Bins, extremes and sampled categories are therefore the local scan's to the bit. The
workers need this package. The same counts in SQL alone (a search of 127 edges per value and a group per bin) are
several times as dear: Spark SQL has no look-up among sorted edges.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from modelops_jupyter.columns import Columns, numbers_of
from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.profiles.binning import Binning
from modelops_jupyter.profiles.groups import Groups
from modelops_jupyter.profiles.profile import Profile
from modelops_jupyter.profiles.scan import GroupedRows, Tally
from modelops_jupyter.profiles.windows import ORIGIN, window_length
from modelops_jupyter.roles import ROLES, SERVED, SERVICE, Series
from modelops_jupyter.time_columns import check_times

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

ROWS_AT_ONCE = 250_000
_OWN = ("timestamp", "version", "prediction", "score", "label")


def scan_spark(
    rows: DataFrame,
    binning: Binning,
    every: str,
    sample: int = 0,
    times: str | None = None,
    windows: Collection[datetime] | None = None,
    series: Series = SERVICE,
) -> dict[datetime, Profile]:
    """Profile a Spark table by window, in one pass.

    Parameters
    ----------
    rows
        The log's columns (``timestamp`` of Spark's TimestampType, ``version``, the outputs, the features), with
        ``label`` where outcomes are known. A request counts as often as it is in the table. Or rows that no model
        has logged: then `times` names the column of their times.
    every
        Length of a window, as `window_length` takes it.
    sample
        Rows to keep of each window.
    windows
        The starts of the windows to profile; all of them without it.
    series
        Which of the log's rows count: without it those that were served, else those of one version and role.

    Returns
    -------
    dict of datetime to Profile
        By the start of the window, in UTC and in time order; a window without rows is not there.

    Raises
    ------
    InvalidFrame
        If a row has no time.
    """
    if times is None:
        rows = _of_series(rows, series)
    own = (times,) if times is not None else (*_OWN, "request_id") if sample else _OWN
    wanted = {f"c{k}": name for k, name in enumerate(rows.columns) if name in own or name in binning.sources}
    # By position: Spark cannot select a column whose name has a backtick.
    chosen = rows.toDF(*(f"c{k}" for k in range(len(rows.columns)))).select(*wanted)
    length = window_length(every)
    if windows is not None:
        numbers = _number(chosen[_place(wanted, times)], length)
        chosen = chosen.filter(numbers.isin([(window - ORIGIN) // length for window in windows]))
    found: dict[int, Profile] = {}
    counting = _counting(binning, length, list(wanted.values()), sample, times)
    for row in chosen.mapInArrow(counting, "period long, body string").toLocalIterator(prefetchPartitions=True):
        if row["period"] is None:
            raise InvalidFrame(f"Column {times or 'timestamp'!r} has missing times: every row needs one.")
        profile = Profile.from_dict(json.loads(row["body"]))
        if profile.first is not None and profile.last is not None:
            check_times(profile.first, profile.last, times or "timestamp")
        found[row["period"]] = found[row["period"]] + profile if row["period"] in found else profile
    return {ORIGIN + number * length: found[number] for number in sorted(found)}


def versions_in_spark(rows: DataFrame, every: str) -> dict[Series, dict[datetime, dict[int, int]]]:
    """Return how many rows of each version every window has: of those that were served, and of each other series."""
    length = window_length(every)
    number = _number(rows["timestamp"], length).alias("number")
    counts: dict[Series, dict[datetime, dict[int, int]]] = {}
    for row in rows.groupBy(number, "version", "role").count().collect():
        version = int(row["version"] or 0)
        series = SERVICE if row["role"] == SERVED else Series(version, row["role"])
        window = ORIGIN + int(row["number"]) * length
        counts.setdefault(series, {}).setdefault(window, {})[version] = int(row["count"])
    return counts


def _number(times: Column, length: timedelta) -> Column:
    """Return the number of the window of each time."""
    from pyspark.sql import functions as F

    origin = int(ORIGIN.timestamp()) * 1_000_000
    return F.floor((F.unix_micros(times) - origin) / (length // timedelta(microseconds=1)))


def _place(wanted: Mapping[str, str], times: str | None) -> str:
    return next(place for place, name in wanted.items() if name == (times or "timestamp"))


def _of_series(rows: DataFrame, series: Series) -> DataFrame:
    """Return the rows of a log that are of a series; one from before roles holds served rows alone."""
    from pyspark.sql.functions import col

    if dict(rows.dtypes).get("role") == "string":
        others = [role for role in ROLES if role != SERVED]
        was_served = col("role").isNull() | ~col("role").isin(others)
        rows = rows.filter(was_served if series.role == SERVED else col("role") == series.role)
    elif series.role != SERVED:
        rows = rows.limit(0)
    return rows.filter(col("version") == series.version) if series.version else rows


def _counting(
    binning: Binning, length: timedelta, names: list[str], sample: int, times: str | None
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return what profiles the batches of one partition; `names` are those of its columns.

    A partition with a row that has no time gives a row without a period.
    """

    def count(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        found: dict[int, Profile] = {}
        for table in _gathered(batches):
            named = table.rename_columns(names)
            if named[times or "timestamp"].null_count:
                yield _answer([None], [""])
                return
            for number, profile in _by_window(named, binning, length, sample, times):
                found[number] = found[number] + profile if number in found else profile
        yield _answer(list(found), [json.dumps(profile.to_dict(), allow_nan=False) for profile in found.values()])

    return count


def _answer(periods: list[int | None], bodies: list[str]) -> pa.RecordBatch:
    arrays = [pa.array(periods, pa.int64()), pa.array(bodies, pa.string())]
    return pa.RecordBatch.from_arrays(arrays, names=["period", "body"])


def _gathered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Put Spark's small batches together: a call per column costs the same for many rows as for few."""
    kept: list[pa.RecordBatch] = []
    for batch in batches:
        kept.append(batch)
        if sum(part.num_rows for part in kept) >= ROWS_AT_ONCE:
            yield pa.Table.from_batches(kept)
            kept = []
    if kept:
        yield pa.Table.from_batches(kept)


def _by_window(
    table: pa.Table, binning: Binning, length: timedelta, sample: int, times: str | None
) -> Iterator[tuple[int, Profile]]:
    at = table[times or "timestamp"].cast(pa.timestamp("us", tz="UTC"))
    origin = int(ORIGIN.timestamp()) * 1_000_000
    periods = (numbers_of(at) - origin) // (length // timedelta(microseconds=1))
    numbers, places = np.unique(periods, return_inverse=True)
    tally, read = Tally(binning, len(numbers), sample, len(numbers)), Columns.of_table(table).read
    own = read if times is None else lambda name: at if name == "timestamp" else None
    tally.add(GroupedRows(read, [Groups.of(places)], own))
    for place, number in enumerate(numbers.tolist()):
        yield number, tally.profile(place)
