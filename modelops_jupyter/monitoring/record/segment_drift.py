"""One drift metric of every window, segment and column: what a year's maps of segments are drawn from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.record.packed import Array, numbers
from modelops_jupyter.monitoring.record.results import WindowResult
from modelops_jupyter.monitoring.record.sheets import Block


@dataclass(frozen=True, eq=False)
class SegmentDrift:
    """A drift metric by window, segment and column.

    Attributes
    ----------
    starts : tuple of str
        Starts of the windows, oldest first.
    segments, columns : tuple of str
        In the order in which they came.
    values : array of float64 of shape (windows, segments, columns)
        NaN where there is no figure.
    """

    starts: tuple[str, ...]
    segments: tuple[str, ...]
    columns: tuple[str, ...]
    values: Array

    def of(self, segment: str) -> Array:
        """Return the values of one segment, shape (windows, columns)."""
        found: Array = self.values[:, self.segments.index(segment)]
        return found

    def __add__(self, other: SegmentDrift) -> SegmentDrift:
        """Put later windows after these."""
        segments, columns = _union((self.segments, other.segments)), _union((self.columns, other.columns))
        values = np.full((len(self.starts) + len(other.starts), len(segments), len(columns)), np.nan)
        for begin, part in ((0, self), (len(self.starts), other)):
            rows = slice(begin, begin + len(part.starts))
            values[rows, _places(part.segments, segments)[:, None], _places(part.columns, columns)] = part.values
        return SegmentDrift(self.starts + other.starts, segments, columns, values)


def recorded_drift(bodies: Sequence[Mapping[str, Any]], metric: str) -> SegmentDrift:
    """Return a metric from the bodies that `pack_slices` wrote, oldest first."""
    # Hundreds of windows have the same few lists of names: each is looked at once.
    segments = _union(dict.fromkeys(tuple(body["segments"]) for body in bodies))
    columns = _union(dict.fromkeys(tuple(body["drift"]["columns"]) for body in bodies))
    values = np.full((len(bodies), len(segments), len(columns)), np.nan)
    known: dict[tuple[str, ...], Array] = {}
    for n, body in enumerate(bodies):
        table = Block(body["drift"]).table_of(metric)
        if table is None:
            continue
        rows, across = tuple(body["segments"]), tuple(body["drift"]["columns"])
        for names, wanted in ((rows, segments), (across, columns)):
            if names not in known:
                known[names] = _places(names, wanted)
        values[n, known[rows][:, None], known[across][table.at]] = table.values
    return SegmentDrift(tuple(body["window_start"] for body in bodies), segments, columns, values)


def segment_drift(windows: Sequence[WindowResult], metric: str) -> SegmentDrift:
    """Return a metric of any windows; those of no segment are left out."""
    sliced = [window for window in windows if window.segment]
    starts = tuple(sorted({window.window_start for window in sliced}))
    segments = _union([[window.segment for window in sliced]])
    columns = _union(tuple(window.drift) for window in sliced)
    values = np.full((len(starts), len(segments), len(columns)), np.nan)
    place = {start: n for n, start in enumerate(starts)}
    for window in sliced:
        values[place[window.window_start], segments.index(window.segment)] = numbers(window.drift, columns, metric)
    return SegmentDrift(starts, segments, columns, values)


def _union(lists: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in lists for name in names))


def _places(names: Sequence[str], among: Sequence[str]) -> Array:
    place = {name: n for n, name in enumerate(among)}
    return np.array([place[name] for name in names], dtype="int64")
