"""One drift metric of every window, segment and column: what a year's map of segments is drawn from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.record.packed import Array, numbers
from modelops_jupyter.monitoring.record.results import WindowResult, is_drift
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
    found : array of bool of shape (windows, segments)
        Whether the monitor found drift of any column's values.
    """

    starts: tuple[str, ...]
    segments: tuple[str, ...]
    columns: tuple[str, ...]
    values: Array
    found: Array

    def of(self, segment: str) -> Array:
        """Return the values of one segment, shape (windows, columns)."""
        found: Array = self.values[:, self.segments.index(segment)]
        return found

    def __add__(self, other: SegmentDrift) -> SegmentDrift:
        """Put later windows after these."""
        segments, columns = _union((self.segments, other.segments)), _union((self.columns, other.columns))
        both = _nothing(self.starts + other.starts, segments, columns)
        for begin, part in ((0, self), (len(self.starts), other)):
            rows, places = slice(begin, begin + len(part.starts)), _places(part.segments, segments)
            both.values[rows, places[:, None], _places(part.columns, columns)] = part.values
            both.found[rows, places] = part.found
        return both


def recorded_drift(bodies: Sequence[Mapping[str, Any]], metric: str) -> SegmentDrift:
    """Return a metric from the bodies that `pack_slices` wrote, oldest first."""
    # Hundreds of windows have the same few lists of names: each is looked at once.
    segments = _union(dict.fromkeys(tuple(body["segments"]) for body in bodies))
    columns = _union(dict.fromkeys(tuple(body["drift"]["columns"]) for body in bodies))
    found = _nothing(tuple(body["window_start"] for body in bodies), segments, columns)
    rows_of: dict[tuple[str, ...], Array] = {}
    across_of: dict[tuple[str, ...], Array] = {}
    for n, body in enumerate(bodies):
        rows = _known(rows_of, tuple(body["segments"]), segments)
        across = _known(across_of, tuple(body["drift"]["columns"]), columns)
        table = Block(body["drift"]).table_of(metric)
        if table is not None:
            found.values[n, rows[:, None], across[table.at]] = table.values
        found.found[n, rows] = [any(is_drift(f["kind"], f["metric"]) for f in each) for each in body["findings"]]
    return found


def segment_drift(windows: Sequence[WindowResult], metric: str) -> SegmentDrift:
    """Return a metric of any windows; those of no segment are left out."""
    sliced = [window for window in windows if window.segment]
    starts = tuple(sorted({window.window_start for window in sliced}))
    segments = _union([[window.segment for window in sliced]])
    columns = _union(tuple(window.drift) for window in sliced)
    found = _nothing(starts, segments, columns)
    for window in sliced:
        place = starts.index(window.window_start), segments.index(window.segment)
        found.values[place] = numbers(window.drift, columns, metric)
        found.found[place] = any(is_drift(finding.kind, finding.metric) for finding in window.findings)
    return found


def _nothing(starts: tuple[str, ...], segments: tuple[str, ...], columns: tuple[str, ...]) -> SegmentDrift:
    shape = len(starts), len(segments)
    values, found = np.full((*shape, len(columns)), np.nan), np.zeros(shape, dtype=bool)
    return SegmentDrift(starts, segments, columns, values, found)


def _known(places: dict[tuple[str, ...], Array], names: tuple[str, ...], among: Sequence[str]) -> Array:
    if names not in places:
        places[names] = _places(names, among)
    return places[names]


def _union(lists: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in lists for name in names))


def _places(names: Sequence[str], among: Sequence[str]) -> Array:
    place = {name: n for n, name in enumerate(among)}
    return np.array([place[name] for name in names], dtype="int64")
