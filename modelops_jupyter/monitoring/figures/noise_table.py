"""How the divergence of each column of a reference strays, worked out once for all numbers of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modelops_jupyter.monitoring.figures import noise

if TYPE_CHECKING:
    from modelops_jupyter.monitoring.figures.baseline import Baseline

Array = np.ndarray[Any, Any]
_ROWS = np.geomspace(10, 1e7, 61)


class NoiseTable:
    """How the divergence of each column strays by chance, by number of rows: worked out once per reference."""

    def __init__(self, baseline: Baseline) -> None:
        self.names = (*baseline.numbers.names, *baseline.categories)
        profiles = baseline.reference.profile.columns
        self.before = np.array([profiles[name].n - profiles[name].missing for name in self.names], dtype=float)
        rows = [self._counts(baseline, name) for name in self.names]
        tables = [noise.divergence(np.tile(counts, (len(_ROWS), 1)), _ROWS) for counts in rows]
        self._table = np.array([(table.start, table.step, table.degrees) for table in tables])

    def _counts(self, baseline: Baseline, name: str) -> Array:
        column, binning = baseline.reference.profile.columns[name], baseline.reference.binning.columns[name]
        counts = [*binning.coarsen(column.counts)] if sum(column.counts) or column.counts else [0]
        return np.array([*counts, column.unseen] if column.kind == "category" else counts, dtype=float)

    def at(self, rows: Array, columns: Array | None = None) -> noise.Stray:
        """Return how the divergences of the columns (all by default) stray at `rows` paired rows each."""
        place = np.interp(np.log(np.maximum(rows, 1.0)), np.log(_ROWS), np.arange(len(_ROWS)))
        low = np.minimum(place.astype(int), len(_ROWS) - 2)
        part = (place - low)[:, None]
        column = np.arange(len(self.names)) if columns is None else columns
        table = np.moveaxis(self._table, 1, 2)
        start, step, degrees = ((1 - part) * table[column, low] + part * table[column, low + 1]).T
        return noise.Stray(start, step, degrees)
