"""Scanning the log: one pass over its rows gives the profile of every window and of every window's segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa

from modelops_jupyter.columns import Columns, Read, numbers_of
from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.profiles import (
    GroupedRows,
    Groups,
    Profile,
    Reference,
    Runs,
    Slicing,
    Tally,
    counting_threads,
    slicings,
    window_length,
)
from modelops_jupyter.profiles.calendars import Calendar
from modelops_jupyter.profiles.windows import ORIGIN
from modelops_jupyter.roles import SERVICE, Series

if TYPE_CHECKING:
    from modelops_jupyter.log import PredictionSource
    from modelops_jupyter.log.stream import Slab
    from modelops_jupyter.sources import WatchedSource

Array = np.ndarray[Any, Any]
T = TypeVar("T")
_NONE = np.iinfo("int64").min


@dataclass(frozen=True)
class WindowProfile:
    """The profiles of one window.

    Attributes
    ----------
    end : datetime
    version : int
        Whose reference the window is compared with: the one that served most of its rows.
    segments : mapping of str to mapping of str to Profile
        By column, then by segment name; those without a row are left out.
    series : Series
        What the rows are: those that were served, or those of one version and role.
    windows : int
        How many windows are judged together as this one.
    """

    start: datetime
    end: datetime
    version: int
    profile: Profile
    segments: Mapping[str, Mapping[str, Profile]]
    series: Series = SERVICE
    windows: int = 1


def scan_log(
    log: PredictionSource,
    model: str,
    start: datetime,
    end: datetime,
    references: Mapping[int, Reference],
    every: str,
    segments: Sequence[str] = (),
    sample: int = 0,
    zone: str = "UTC",
) -> Iterator[WindowProfile]:
    """Profile the windows of ``[start, end)`` from the log, on all cores; a window without rows is none.

    What was served is profiled, and each series beside it whose version has a reference, in windows of its own.
    Segments are profiled for the columns of `segments` that the window's reference is sliced by. Memory grows with
    the rows and windows of two slabs, not with the log. `sample` rows of each window are kept. Windows are those of the
    calendar of `zone`.
    """
    from modelops_jupyter.sources import WatchedSource  # with Delta Lake, which rows of no log do without

    if isinstance(log, WatchedSource) and log.lies_in_spark:
        if zone != "UTC":
            raise InvalidInput(f"Windows of a Spark table are in UTC, not {zone}: leave time_zone out.")
        yield from _scanned_in_spark(log, start, end, references, every, segments, sample)
        return
    calendar = Calendar(every, zone)

    def count(slab: Slab) -> list[Counted]:
        others = {series for piece in slab.pieces for series in piece.others if series.version in references}
        counted = []
        for series in (SERVICE, *sorted(others)):
            masks = [(piece, piece.rows_of(series)) for piece in slab.pieces]
            parts = [
                Part(p.rows, p.read, _counted(calendar.runs(p.times), mask), keys=p.keys)
                for p, mask in masks
                if mask.any()
            ]
            own = {series.version: references[series.version]} if series.version else references
            counted += count_windows(parts, own, every, segments, pool, sample, series)
        return counted

    texts = any(reference.binning.has_texts for reference in references.values())
    with (
        counting_threads(texts=texts, purpose="scan") as pool,
        ThreadPoolExecutor(2, thread_name_prefix="modelops-ahead") as beside,
    ):
        # While the profiles of a slab are made and used, the next one is counted and the ids of the one after are read.
        slabs = _ahead(log.stream(model, start, end, calendar.cut, calendar.numbers), beside)
        for counted in _ahead(map(count, slabs), beside):
            yield from _profiles(counted, calendar)


def _scanned_in_spark(
    log: WatchedSource,
    start: datetime,
    end: datetime,
    references: Mapping[int, Reference],
    every: str,
    segments: Sequence[str],
    sample: int,
) -> Iterator[WindowProfile]:
    """Profile the windows of ``[start, end)`` in Spark, where the rows lie."""
    from modelops_jupyter.profiles.spark import scan_spark, versions_in_spark

    if segments:
        raise InvalidInput("Segments of a Spark table are not profiled: leave segments out, or pass () to end them.")
    rows = log.spark_rows(start, end, window_length(every), ORIGIN).persist()
    try:
        by_version: dict[tuple[Series, int], list[datetime]] = {}
        for series, counts in versions_in_spark(rows, every).items():
            if series != SERVICE and series.version not in references:
                continue
            for window, served in counts.items():
                # Of served versions without a reference the newest one's stands in, as in our own log.
                version = max(references, key=lambda number: (served.get(number, 0), number))
                by_version.setdefault((series, version), []).append(window)
        profiled = []
        for (series, version), windows in by_version.items():
            binning = references[version].binning
            profiles = scan_spark(rows, binning, every, sample, windows=windows, series=series)
            profiled += [
                WindowProfile(window, window + window_length(every), version, profile, {}, series)
                for window, profile in profiles.items()
            ]
        yield from sorted(profiled, key=lambda window: (window.start, window.series))
    finally:
        rows.unpersist()


def _ahead(items: Iterator[T], pool: Executor) -> Iterator[T]:
    """Yield items, each while the next one is made."""
    coming = pool.submit(next, items, None)
    while (item := coming.result()) is not None:
        coming = pool.submit(next, items, None)
        yield item


@dataclass(frozen=True)
class Part:
    """Some rows, what reads their columns, and the numbers of their windows; `_NONE` is none.

    `own` reads what is known of them beside their features, and `keys` returns what follows from each row's request id;
    see `GroupedRows`.
    """

    rows: int
    read: Read
    windows: Runs
    own: Read | None = None
    keys: Callable[[], Array] | None = None

    @classmethod
    def of(cls, columns: Columns, every: str, times: pa.ChunkedArray) -> Part:
        """Return rows that no model has logged as a part; `times` are in microseconds (UTC)."""
        windows = Runs.of_times(numbers_of(times), *_micros(every))
        return cls(columns.rows, columns.read, windows, lambda name: times if name == "timestamp" else None)

    @classmethod
    def of_log(cls, table: pa.Table, every: str) -> Part:
        """Return rows of a log, with its own columns, as a part."""
        columns = Columns.of_table(table)
        return replace(cls.of(columns, every, table["timestamp"]), own=None)


def scan_windows(
    parts: Sequence[Part],
    references: Mapping[int, Reference],
    every: str,
    segments: Sequence[str] = (),
    pool: Executor | None = None,
    sample: int = 0,
) -> Iterator[WindowProfile]:
    """Profile all windows of `parts`, in time order; `sample` rows of each are kept."""
    return _profiles(count_windows(parts, references, every, segments, pool, sample), Calendar(every))


@dataclass(frozen=True)
class Counted:
    """Windows of one version, counted, and their segments.

    Attributes
    ----------
    numbers : array of int64 of shape (windows,)
    begins : tuple of int
        By slicing, the group of the first window's first segment.
    """

    version: int
    numbers: Array
    tally: Tally
    slices: Sequence[Slicing]
    begins: Sequence[int]
    series: Series = SERVICE

    def profile(self, place: int, start: datetime, end: datetime) -> WindowProfile:
        """Return the profiles of the window at a place of `numbers`."""
        found: dict[str, dict[str, Profile]] = {}
        for slicing, begin in zip(self.slices, self.begins, strict=True):
            groups = enumerate(slicing.labels, start=begin + place * len(slicing.labels))
            found[slicing.column] = {
                label: self.tally.profile(group) for group, label in groups if self.tally.rows(group)
            }
        return WindowProfile(start, end, self.version, self.tally.profile(place), found, self.series)


def _profiles(counted: Sequence[Counted], calendar: Calendar) -> Iterator[WindowProfile]:
    places = [(number, n, k) for n, one in enumerate(counted) for k, number in enumerate(one.numbers.tolist())]
    for number, n, place in sorted(places):
        yield counted[n].profile(place, calendar.at(number), calendar.at(number + 1))


def count_windows(
    parts: Sequence[Part],
    references: Mapping[int, Reference],
    every: str,
    segments: Sequence[str],
    pool: Executor | None,
    sample: int,
    series: Series = SERVICE,
) -> list[Counted]:
    """Count the rows of `parts` by window, and by window and segment, for each version apart."""
    windows = np.unique(np.concatenate([np.zeros(0, "int64"), *(part.windows.numbers for part in parts)]))
    windows = windows[windows != _NONE]
    if not len(windows):
        return []
    places = [_places(part.windows, windows) for part in parts]
    served = _served(parts, places, len(windows), sorted(references))
    found = []
    for version in sorted(set(served.tolist())):
        reference = references[version]
        slices = slicings(reference.binning, tuple(name for name in segments if name in reference.segments))
        mine = np.flatnonzero(served == version)
        table = np.full(len(windows) + 1, -1)  # the last place is that of rows in no window
        table[mine] = np.arange(len(mine))
        rows = [(part, replace(place, numbers=table[place.numbers])) for part, place in zip(parts, places, strict=True)]
        *begins, groups = np.cumsum([len(mine), *(len(mine) * len(slicing.labels) for slicing in slices)]).tolist()
        tally = Tally(reference.binning, groups, sample, len(mine))
        held = [(part, place) for part, place in rows if (place.numbers >= 0).any()]
        tally.add(*(_grouped(part, place, slices, begins) for part, place in held), pool=pool)
        found.append(Counted(version, windows[mine], tally, slices, begins, series))
    return found


def _grouped(part: Part, windows: Runs, slices: Sequence[Slicing], begins: Sequence[int]) -> GroupedRows:
    """Group rows by window, and by window and segment; a window of -1 is none."""
    groupings = [windows.groups()]
    for slicing, begin in zip(slices, begins, strict=True):
        each = windows.each()
        place = begin + each * len(slicing.labels) + slicing.places(part.read(slicing.column), part.rows)
        groupings.append(Groups.of(np.where(each < 0, -1, place)))
    return GroupedRows(part.read, groupings, part.own, part.keys)


def _micros(every: str) -> tuple[int, int]:
    """Return the length of a window and the start of the one numbered 0, in microseconds (since 1970, UTC)."""
    return window_length(every) // timedelta(microseconds=1), int(ORIGIN.timestamp()) * 1_000_000


def _counted(windows: Runs, counted: Array) -> Runs:
    """Leave out the rows that do not count."""
    return windows if counted.all() else Runs.of(np.where(counted, windows.each(), _NONE))


def _places(numbers: Runs, windows: Array) -> Runs:
    """Return the places of numbers among `windows`, -1 for none."""
    return replace(numbers, numbers=np.where(numbers.numbers == _NONE, -1, np.searchsorted(windows, numbers.numbers)))


def _served(parts: Sequence[Part], places: Sequence[Runs], windows: int, known: Sequence[int]) -> Array:
    """Return the version with a reference that served most rows of each window; the newest one if none did."""
    rows = np.zeros((len(known), windows), dtype="int64")
    for part, place in zip(parts, places, strict=True):
        column = (part.own or part.read)("version")
        versions = np.zeros(part.rows, "int64") if column is None else numbers_of(column)
        for row, version in enumerate(known if part.rows else ()):
            mine = np.add.reduceat((versions == version).astype("int64"), place.starts)
            np.add.at(rows[row], place.numbers[place.numbers >= 0], mine[place.numbers >= 0])
    # Of equal ones the newest: argmax takes the first, so the newest comes first.
    served: Array = np.asarray(known)[len(known) - 1 - np.argmax(rows[::-1], axis=0)]
    return served
