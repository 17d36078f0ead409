"""Scanning the log: one pass over its rows gives the profile of every window and of every window's segments."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from modelops_jupyter.columns import Columns, Read, numbers_of
from modelops_jupyter.profiles import Groups, Profile, Reference, Runs, Slicing, Tally, slicings, window_length
from modelops_jupyter.profiles.windows import ORIGIN

if TYPE_CHECKING:
    from modelops_jupyter.log import PredictionLog

Array = np.ndarray[Any, Any]
_NONE = np.iinfo("int64").min


@dataclass(frozen=True)
class WindowProfile:
    """The profiles of one window.

    Attributes
    ----------
    version : int
        Whose reference the window is compared with: the one that served most of its rows.
    segments : mapping of str to mapping of str to Profile
        By column, then by segment name; those without a row are left out.
    """

    start: datetime
    version: int
    profile: Profile
    segments: Mapping[str, Mapping[str, Profile]]


def scan_log(
    log: PredictionLog,
    model: str,
    start: datetime,
    end: datetime,
    references: Mapping[int, Reference],
    every: str,
    segments: Sequence[str] = (),
    sample: int = 0,
) -> Iterator[WindowProfile]:
    """Profile the windows of ``[start, end)`` from the log, on all cores; a window without rows is none.

    Segments are profiled for the columns of `segments` that the window's reference is sliced by. Memory grows with
    the rows and windows of two slabs, not with the log. `sample` rows of each window are kept.
    """
    length, origin = _micros(every)

    def window(times: Array) -> Array:
        numbers: Array = (times - origin) // length
        return numbers

    def cut(time: int) -> int:
        return origin + (time - origin) // length * length

    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="modelops-scan") as pool:
        slabs = iter(log.stream(model, start, end, cut, window))
        coming = pool.submit(next, slabs, None)
        while (slab := coming.result()) is not None:
            coming = pool.submit(next, slabs, None)  # its ids and times are read while this one's columns are counted
            parts = [
                Part(p.rows, p.read, _counted(Runs.of_times(p.times, length, origin), p.counted)) for p in slab.pieces
            ]
            yield from scan_windows(parts, references, every, segments, pool, sample)


@dataclass(frozen=True)
class Part:
    """Some rows, what reads their columns, and the numbers of their windows; `_NONE` is none.

    `own` reads what is known of them beside their features; see `Tally.add`.
    """

    rows: int
    read: Read
    windows: Runs
    own: Read | None = None

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
    windows = np.unique(np.concatenate([np.zeros(0, "int64"), *(part.windows.numbers for part in parts)]))
    windows = windows[windows != _NONE]
    if not len(windows):
        return
    places = [_places(part.windows, windows) for part in parts]
    served = _served(parts, places, len(windows), sorted(references))
    found: dict[int, tuple[int, Profile, dict[str, dict[str, Profile]]]] = {}
    for version in sorted(set(served.tolist())):
        reference = references[version]
        slices = slicings(reference.binning, tuple(name for name in segments if name in reference.segments))
        mine = np.flatnonzero(served == version)
        table = np.full(len(windows) + 1, -1)  # the last place is that of rows in no window
        table[mine] = np.arange(len(mine))
        rows = [(part, replace(place, numbers=table[place.numbers])) for part, place in zip(parts, places, strict=True)]
        for k, profiles in enumerate(_scan(rows, len(mine), reference, slices, pool, sample)):
            found[int(mine[k])] = (version, *profiles)
    length = window_length(every)
    for k, number in enumerate(windows.tolist()):
        yield WindowProfile(ORIGIN + number * length, *found[k])


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


def _scan(
    rows: Sequence[tuple[Part, Runs]],
    windows: int,
    reference: Reference,
    slices: Sequence[Slicing],
    pool: Executor | None,
    sample: int,
) -> Iterator[tuple[Profile, dict[str, dict[str, Profile]]]]:
    """Profile rows by window and by window and segment; a window of -1 is none."""
    widths = [len(slicing.labels) for slicing in slices]
    begins = np.cumsum([windows, *(windows * width for width in widths)])
    tally = Tally(reference.binning, int(begins[-1]), sample, windows)
    for part, window in rows:
        if not (window.numbers >= 0).any():
            continue
        groupings = [window.groups()]
        for slicing, begin, width in zip(slices, begins, widths, strict=False):
            each = window.each()
            place = begin + each * width + slicing.places(part.read(slicing.column), part.rows)
            groupings.append(Groups.of(np.where(each < 0, -1, place)))
        tally.add(part.read, groupings, pool, part.own)
    for k in range(windows):
        found: dict[str, dict[str, Profile]] = {}
        for slicing, begin, width in zip(slices, begins, widths, strict=False):
            groups = enumerate(slicing.labels, start=int(begin) + k * width)
            found[slicing.column] = {label: tally.profile(group) for group, label in groups if tally.rows(group)}
        yield tally.profile(k), found
