"""Scanning the log: one pass over its rows gives the profile of every window and of every window's segments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from modelops_jupyter.profiles import Groups, Profile, Reference, Slicing, Tally, reader, slicings, window_length
from modelops_jupyter.profiles.windows import ORIGIN

Array = np.ndarray[Any, Any]


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


def scan_windows(
    rows: pa.Table, references: Mapping[int, Reference], every: str, segments: Sequence[str] = ()
) -> Iterator[WindowProfile]:
    """Profile all windows of `rows`, those of one version in time order; a window without rows is none.

    Segments are profiled for the columns of `segments` that the window's reference is sliced by.
    """
    if not rows.num_rows:
        return
    length = window_length(every)
    numbers = window_numbers(rows["timestamp"], every)
    windows, window = np.unique(numbers, return_inverse=True)
    served = _served(rows["version"].to_numpy(), window, len(windows), sorted(references))
    for version in sorted(set(served.tolist())):
        reference = references[version]
        slices = slicings(reference.binning, tuple(name for name in segments if name in reference.segments))
        mine = np.flatnonzero(served == version)
        place = np.full(len(windows), -1)
        place[mine] = np.arange(len(mine))
        for k, found in enumerate(_scan(rows, place[window], len(mine), reference, slices)):
            yield WindowProfile(ORIGIN + int(windows[mine[k]]) * length, version, *found)


def window_numbers(times: pa.ChunkedArray, every: str) -> Array:
    """Return the number of the window that holds each time, counted from the first Monday of 1970."""
    length = window_length(every) // timedelta(microseconds=1)
    origin = int(ORIGIN.timestamp()) * 1_000_000
    numbers: Array = (times.cast(pa.int64()).to_numpy() - origin) // length
    return numbers


def _served(versions: Array, window: Array, windows: int, known: Sequence[int]) -> Array:
    """Return the version with a reference that served most rows of each window; the newest one if none did."""
    rows = np.stack([np.bincount(window[versions == version], minlength=windows) for version in known])
    # Of equal ones the newest: argmax takes the first, so the newest comes first.
    most = len(known) - 1 - np.argmax(rows[::-1], axis=0)
    served: Array = np.asarray(known)[most]
    return served


def _scan(
    rows: pa.Table, window: Array, windows: int, reference: Reference, slices: Sequence[Slicing]
) -> Iterator[tuple[Profile, dict[str, dict[str, Profile]]]]:
    """Profile rows by window and by window and segment; a window of -1 is none."""
    widths = [len(slicing.labels) for slicing in slices]
    begins = np.cumsum([windows, *(windows * width for width in widths)])
    groupings = [Groups.of(window)]
    read = reader(rows)
    for slicing, begin, width in zip(slices, begins, widths, strict=False):
        place = begin + window * width + slicing.places(read(slicing.column), rows.num_rows)
        groupings.append(Groups.of(np.where(window < 0, -1, place)))
    tally = Tally(reference.binning, int(begins[-1]))
    tally.add(read, groupings)
    for k in range(windows):
        found: dict[str, dict[str, Profile]] = {}
        for slicing, begin, width in zip(slices, begins, widths, strict=False):
            groups = enumerate(slicing.labels, start=int(begin) + k * width)
            found[slicing.column] = {label: tally.profile(group) for group, label in groups if tally.rows(group)}
        yield tally.profile(k), found
