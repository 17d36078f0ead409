"""How the divergence of each column of a reference strays, worked out once for all numbers of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from modelops_jupyter.monitoring.figures import noise
from modelops_jupyter.monitoring.figures.distances import jensen_shannon

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
        self._limits, self._usual = _table(rows, 1.0), _table(rows, 0.0)
        # No window is further from the reference than one that holds nothing but its rarest value, or an end of it.
        self.greatest = {
            "jensen_shannon": np.array([_greatest_divergence(counts) for counts in rows]),
            "kolmogorov_smirnov": np.array([_greatest_step(profiles[name].counts) for name in self.names]),
        }

    def _counts(self, baseline: Baseline, name: str) -> Array:
        column, binning = baseline.reference.profile.columns[name], baseline.reference.binning.columns[name]
        counts = [*binning.coarsen(column.counts)] if sum(column.counts) or column.counts else [0]
        return np.array([*counts, column.unseen] if column.kind == "category" else counts, dtype=float)

    def at(self, rows: Array, columns: Array | None = None) -> noise.Stray:
        """Return how far the divergences of the columns (all by default) may stray at `rows` paired rows each."""
        return self._read(self._limits, rows, columns)

    def usual(self, rows: Array) -> noise.Stray:
        """Return how the divergences of all columns stray if the reference's shares are the true ones."""
        return self._read(self._usual, rows, None)

    def _read(self, tables: Array, rows: Array, columns: Array | None) -> noise.Stray:
        place = np.interp(np.log(np.maximum(rows, 1.0)), np.log(_ROWS), np.arange(len(_ROWS)))
        low = np.minimum(place.astype(int), len(_ROWS) - 2)
        part = (place - low)[:, None]
        column = (
            np.tile(np.arange(len(self.names)), len(rows) // max(len(self.names), 1)) if columns is None else columns
        )
        table = np.moveaxis(tables, 1, 2)
        start, step, degrees = ((1 - part) * table[column, low] + part * table[column, low + 1]).T
        return noise.Stray(start, step, degrees)


def _table(counts: Sequence[Array], more: float) -> Array:
    tables = [noise.divergence(np.tile(each, (len(_ROWS), 1)), _ROWS, more) for each in counts]
    return np.array([(table.start, table.step, table.degrees) for table in tables])


def _greatest_divergence(counts: Array) -> float:
    filled = counts[counts > 0]
    if len(filled) < 2:
        return 1.0
    shares = filled / filled.sum()
    return float(jensen_shannon(shares, np.eye(len(shares))[shares.argmin()]))


def _greatest_step(counts: Sequence[int]) -> float:
    filled = [count for count in counts if count]
    return 1 - min(filled[0], filled[-1]) / sum(filled) if len(filled) > 1 else 1.0
