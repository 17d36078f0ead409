"""Profiles: the mergeable summary of one window, and the reference that it is compared with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelops_jupyter.profiles.binning import SCORE_BINS, Binning, ColumnBinning


@dataclass(frozen=True)
class ColumnProfile:
    """One column of one window.

    Attributes
    ----------
    n, nulls : int
        Rows, and rows without a value (null, NaN or infinite).
    counts : tuple of int
        Values per bin of the binning.
    unseen : int
        Values of no category of the reference.
    total, squares : float
        Sum of the finite values, and of their squares.
    """

    kind: str
    n: int
    nulls: int
    counts: tuple[int, ...]
    unseen: int = 0
    total: float = 0.0
    squares: float = 0.0

    def __add__(self, other: ColumnProfile) -> ColumnProfile:
        if self.kind != other.kind or len(self.counts) != len(other.counts):
            raise ValueError("Profiles of different binnings do not add up.")
        return ColumnProfile(
            self.kind,
            self.n + other.n,
            self.nulls + other.nulls,
            tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)),
            self.unseen + other.unseen,
            math.fsum((self.total, other.total)),
            math.fsum((self.squares, other.squares)),
        )


@dataclass(frozen=True)
class ScoreTable:
    """Labelled rows by score: sparse counts over equal cells of [0, 1], for each outcome.

    `cells` maps a cell's number to ``(negatives, positives)``; figures computed from it are off by at most half the
    share of pairs that share a cell.
    """

    cells: Mapping[int, tuple[int, int]]
    correct: int
    labelled: int
    brier: float = 0.0
    log_loss: float = 0.0
    absolute_error: float = 0.0
    squared_error: float = 0.0

    def __add__(self, other: ScoreTable) -> ScoreTable:
        cells = dict(self.cells)
        for cell, (negatives, positives) in other.cells.items():
            n, p = cells.get(cell, (0, 0))
            cells[cell] = (n + negatives, p + positives)
        return ScoreTable(
            cells,
            self.correct + other.correct,
            self.labelled + other.labelled,
            self.brier + other.brier,
            self.log_loss + other.log_loss,
            self.absolute_error + other.absolute_error,
            self.squared_error + other.squared_error,
        )

    def arrays(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return negatives and positives by cell, each of shape (2000,)."""
        negatives, positives = np.zeros(SCORE_BINS), np.zeros(SCORE_BINS)
        for cell, (n, p) in self.cells.items():
            negatives[cell], positives[cell] = n, p
        return negatives, positives


@dataclass(frozen=True)
class Profile:
    """The summary of some rows. `versions` counts rows by model version."""

    rows: int
    versions: Mapping[int, int]
    columns: Mapping[str, ColumnProfile]
    scores: ScoreTable

    def __add__(self, other: Profile) -> Profile:
        if set(self.columns) != set(other.columns):
            raise ValueError("Profiles of different columns do not add up.")
        versions = dict(self.versions)
        for version, rows in other.versions.items():
            versions[version] = versions.get(version, 0) + rows
        columns = {name: column + other.columns[name] for name, column in self.columns.items()}
        return Profile(self.rows + other.rows, versions, columns, self.scores + other.scores)

    def to_dict(self) -> dict[str, Any]:
        """Return the profile as JSON data."""
        return {
            "rows": self.rows,
            "versions": {str(k): v for k, v in sorted(self.versions.items())},
            "columns": {name: {**vars(c), "counts": list(c.counts)} for name, c in self.columns.items()},
            "scores": {
                **vars(self.scores),
                "cells": {str(k): list(v) for k, v in sorted(self.scores.cells.items())},
            },
        }

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Profile:
        """Read what `to_dict` wrote."""
        scores = dict(body["scores"])
        scores["cells"] = {int(k): (v[0], v[1]) for k, v in scores["cells"].items()}
        columns = {name: ColumnProfile(**{**c, "counts": tuple(c["counts"])}) for name, c in body["columns"].items()}
        versions = {int(k): v for k, v in body["versions"].items()}
        return cls(body["rows"], versions, columns, ScoreTable(**scores))


def merge(a: Profile, b: Profile) -> Profile:
    """Return the profile of both sets of rows; associative and commutative up to rounding of the sums."""
    return a + b


@dataclass(frozen=True)
class Reference:
    """What a version was validated on: the binning, and the profile of those rows under it."""

    binning: Binning
    profile: Profile

    def to_dict(self) -> dict[str, Any]:
        """Return the reference as JSON data."""
        columns = {
            name: {"kind": c.kind, "edges": list(c.edges), "categories": list(c.categories)}
            for name, c in self.binning.columns.items()
        }
        binning = {"task": self.binning.task, "positive": self.binning.positive, "columns": columns}
        return {"format": 1, "binning": binning, "profile": self.profile.to_dict()}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Reference:
        """Read what `to_dict` wrote."""
        binning = body["binning"]
        columns = {
            name: ColumnBinning(c["kind"], tuple(c["edges"]), tuple(c["categories"]))
            for name, c in binning["columns"].items()
        }
        return cls(Binning(binning["task"], binning["positive"], columns), Profile.from_dict(body["profile"]))
