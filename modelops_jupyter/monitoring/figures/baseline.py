"""The reference made ready for comparing: its columns as arrays, once for all windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.bonds import Bonds
from modelops_jupyter.monitoring.figures.calibration import Recalibration, recalibrate
from modelops_jupyter.monitoring.figures.calibrator import Calibrator
from modelops_jupyter.monitoring.figures.cells import CategoryColumns
from modelops_jupyter.monitoring.figures.distances import rank_scores
from modelops_jupyter.monitoring.figures.figure import Figure
from modelops_jupyter.monitoring.figures.noise_table import NoiseTable
from modelops_jupyter.monitoring.figures.performance import performance
from modelops_jupyter.monitoring.figures.shares import TAIL, ShareShift, share_shift, tails_of
from modelops_jupyter.monitoring.figures.tails import Spread
from modelops_jupyter.profiles import ColumnBinning, ColumnProfile, Reference

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Baseline:
    """A reference and what is derived from it; comparing many windows costs its preparation once."""

    reference: Reference

    @cached_property
    def numbers(self) -> NumericColumns:
        """The numeric columns."""
        return NumericColumns(self._of_kind("numeric"), self.reference.profile.columns)

    @cached_property
    def categories(self) -> Mapping[str, ColumnBinning]:
        """The columns of categories."""
        return self._of_kind("category")

    @cached_property
    def cells(self) -> CategoryColumns:
        """The columns of categories, by the cells that windows are compared by."""
        columns = self.reference.profile.columns
        return CategoryColumns({name: columns[name].all_counts for name in self.categories})

    @cached_property
    def calibrator(self) -> Calibrator | None:
        """What the scores of a binary classifier stand for; None where the reference has too few labels."""
        return Calibrator.learn(self.reference.profile.outcomes.cells)

    @cached_property
    def recalibration(self) -> Recalibration:
        """How positives depend on the score of a binary classifier in the reference."""
        return recalibrate(self.reference.profile.outcomes.cells)

    @cached_property
    def performance(self) -> Mapping[str, Figure]:
        """What the model's performance was on the reference."""
        binning = self.reference.binning
        return performance(self.reference.profile, binning.task, binning.positive)

    @cached_property
    def bonds(self) -> Bonds:
        """How the columns hang together."""
        return Bonds(self.reference)

    @cached_property
    def strays(self) -> NoiseTable:
        """How the columns' divergences stray by chance."""
        return NoiseTable(self)

    def _of_kind(self, kind: str) -> dict[str, ColumnBinning]:
        known = self.reference.binning.columns
        return {name: known[name] for name in self.reference.profile.columns if known[name].kind == kind}


class Baselines:
    """The references made ready for comparing, each when it is first needed."""

    def __init__(self, references: Mapping[int, Reference]) -> None:
        self._references = references
        self._known: dict[tuple[int, str, str], Baseline] = {}

    def of(self, version: int, column: str = "", segment: str = "") -> Baseline:
        """Return what the rows of a window, or of one segment of it, are compared with."""
        key = (version, column, segment)
        if key not in self._known:
            reference = self._references[version]
            self._known[key] = Baseline(reference.of_segment(column, segment) if column else reference)
        return self._known[key]

    def of_segment(self, version: int, segment: str) -> Baseline:
        """Return the same by the segment's name alone."""
        columns = (c for c, segments in self._references[version].segments.items() if segment in segments)
        return self.of(version, next(columns, ""), segment) if segment else self.of(version)


class NumericColumns:
    """Numeric columns side by side, padded to the greatest number of bins by empty bins of no width."""

    def __init__(self, binnings: Mapping[str, ColumnBinning], profiles: Mapping[str, ColumnProfile]) -> None:
        self.names = tuple(binnings)
        self._binnings = tuple(binnings.values())
        self._most = max([2, *(binning.bins for binning in self._binnings)])
        self.edges = np.zeros((len(self.names), self._most - 1))
        self._cuts = np.zeros((len(self.names), max([1, *(len(b.coarse) for b in self._binnings)])), dtype="int64")
        for row, binning in enumerate(self._binnings):
            if binning.edges:
                self.edges[row, : len(binning.edges)] = binning.edges
                self.edges[row, len(binning.edges) :] = binning.edges[-1]
                self._cuts[row, : len(binning.coarse)] = binning.coarse
                self._cuts[row, len(binning.coarse) :] = binning.coarse[-1]
        self.pivots = np.array([binning.pivot for binning in self._binnings])
        self.scales = np.array([binning.scale for binning in self._binnings])
        columns = [profiles[name] for name in self.names]
        self.counts, self.spread = self.fine([column.counts for column in columns]), self.spread_of(columns)

    @cached_property
    def scores(self) -> Array:
        """Scores of the ranks of each column's bins: see `distances.rank_scores`."""
        return rank_scores(self.counts / np.maximum(self.counts.sum(-1, keepdims=True), 1.0))

    @cached_property
    def greatest_score(self) -> Array:
        """The greatest squared score of each column: what one row may bring."""
        greatest: Array = np.where(self.counts > 0, (self.scores**2).sum(-1), 0.0).max(-1)
        return greatest

    @cached_property
    def tails(self) -> Array:
        """Which tails are looked at by themselves, of those that `shares.tails_of` gives."""
        share = tails_of(self.counts) / np.maximum(self.counts.sum(-1), 1.0)[:, None]
        edges = np.array([len(binning.edges) for binning in self._binnings])
        own = np.arange(self._most - 1) < edges[:, None]
        chosen: Array = (share <= TAIL) & np.concatenate([own, own], axis=-1)
        return chosen

    def share_shift(self, fine: Array) -> ShareShift:
        """Return how far the tails of each column have moved, of a window's counts by fine bin."""
        totals = self.counts.sum(-1), fine.sum(-1)
        return share_shift(tails_of(self.counts), tails_of(fine), *totals, self.tails, rises=True)

    def fine(self, columns: Sequence[Sequence[int] | Array]) -> Array:
        """Return the counts of the columns by fine bin, a row per column."""
        table = np.zeros((len(columns), self._most))
        for row, counts in enumerate(columns):
            table[row, : len(counts) - 1] = counts[:-1]
            table[row, -1] = counts[-1]
        return table

    def coarse(self, fine: Array) -> Array:
        """Return counts by coarse bin, a row per column."""
        sums = np.cumsum(fine, -1)
        upto = np.take_along_axis(sums, self._cuts, axis=1)
        return np.diff(np.column_stack([upto, sums[:, -1]]), axis=1, prepend=0.0)

    def spread_of(self, columns: Sequence[ColumnProfile]) -> Spread:
        """Return rows, extremes, means and mean squares; columns without a value have zeros."""
        counted = np.array([max(1, column.n - column.missing) for column in columns], dtype=float)
        powers = np.array([column.powers[:2] for column in columns], dtype=float).reshape(-1, 2)
        return Spread(
            counted,
            np.array([column.minimum or 0.0 for column in columns]),
            np.array([column.maximum or 0.0 for column in columns]),
            self.pivots + self.scales * powers[:, 0] / counted,
            self.scales**2 * powers[:, 1] / counted,
            self.pivots,
        )
