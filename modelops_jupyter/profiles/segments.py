"""Segments: the slices of one column's values by which rows are profiled apart.

A column of categories has a segment for each of its 20 most frequent categories in the reference; a numeric column one
for each quarter of the reference's values. Whatever is left, missing values among it, is one more segment, so that the
segments of a column add up to all rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from modelops_jupyter.columns import numbers_of, texts
from modelops_jupyter.profiles.binning import Binning, ColumnBinning, is_number
from modelops_jupyter.profiles.categories import encoded, places_of

Array = np.ndarray[Any, Any]

MOST_SEGMENTS = 20
# What a reference is sliced by without being asked: the columns of fewest categories, as far as it stays cheap.
MOST_COLUMNS = 10
MOST_COLUMN_PROFILES = 20_000
REST = "(other)"


@dataclass(frozen=True)
class Slicing:
    """The segments of one column under its binning."""

    column: str
    binning: ColumnBinning

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The categories that have a segment of their own."""
        kept = self.binning.categories[:MOST_SEGMENTS]
        return tuple(category for category in kept if category != REST)

    @cached_property
    def cuts(self) -> tuple[float, ...]:
        """The numbers between segments, each the greatest of the one below it."""
        places = self.binning.coarse
        return tuple(sorted({self.binning.edges[places[k * len(places) // 4]] for k in (1, 2, 3)})) if places else ()

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The segments' names, such as ``origin=JFK``; the rest is the last."""
        return tuple(f"{self.column}={value}" for value in (*self._values(), REST))

    def _values(self) -> tuple[str, ...]:
        if self.binning.kind != "numeric":
            return self.categories
        if not self.cuts:
            return ("any",)
        shown = [f"{cut:.6g}" for cut in self.cuts]
        inner = [f"{low} to {high}" for low, high in pairwise(shown)]
        return (f"up to {shown[0]}", *inner, f"over {shown[-1]}")

    def places(self, values: pa.ChunkedArray | None, rows: int) -> Array:
        """Return each row's segment as its position in `labels`; int64 of shape (rows,)."""
        rest = len(self.labels) - 1
        if values is None or (self.binning.kind == "numeric") != is_number(values.type):
            return np.full(rows, rest)
        if self.binning.kind == "numeric":
            numbers = numbers_of(values).astype("float64", copy=False)
            places = np.searchsorted(np.asarray(self.cuts), numbers, side="left")
            return np.where(np.isfinite(numbers), places, rest)
        words, codes = encoded(values)
        table = np.append(places_of(words, texts(self.categories), rest), rest)
        places = table[codes]
        return places


def slicings(binning: Binning, columns: tuple[str, ...]) -> tuple[Slicing, ...]:
    """Return how rows are sliced by those of `columns` that are columns of their own: derived ones are not read."""
    own = (name for name in columns if name in binning.columns and not binning.columns[name].source)
    return tuple(Slicing(name, binning.columns[name]) for name in own)


def usual_columns(columns: Mapping[str, ColumnBinning]) -> tuple[str, ...]:
    """Return the feature columns that a reference is sliced by: those of fewest categories first, then numbers."""
    offered = [
        (column.kind == "numeric", column.bins, name)
        for name, column in columns.items()
        if name not in ("prediction", "score")
        and not column.source
        and (column.edges if column.kind == "numeric" else column.bins > 1)
    ]
    kept: list[str] = []
    cost = 0
    for _, _, name in sorted(offered)[:MOST_COLUMNS]:
        cost += len(Slicing(name, columns[name]).labels) * len(columns)
        if cost > MOST_COLUMN_PROFILES:
            break
        kept.append(name)
    return tuple(kept)
