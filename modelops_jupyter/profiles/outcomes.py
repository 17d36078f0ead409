"""The mergeable summary of what a model said and what came of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelops_jupyter.profiles.score_cells import ScoreCells

CERTAIN_SCORE = 2.0**-44  # a score so near to 1 is 1: its last bits would move the logarithm of what is left by 2
LEAST_LIKELIHOOD = 1e-15  # of a label, in the logarithm of a loss: what scikit-learn took for the nearest to 0


@dataclass(frozen=True)
class Outcomes:
    """Predictions, scores and labels of some rows.

    Attributes
    ----------
    cells : ScoreCells
        By cell of the score: rows without label, with a negative, with a positive one. Up to 2,048 different scores
        have a cell each; beyond that figures are off by at most half the share of pairs that share a cell.
    confusion : mapping of str to mapping of str to int
        Labelled rows by prediction, then label.
    labelled : int
        Rows with a prediction and a label.
    brier, log_loss : float
        Sums over labelled rows with a score.
    error, absolute_error, squared_error : float
        Sums of e, |e|, e² over labelled rows of a regression, e being prediction minus label.
    fourth_error : float
        Sum of e⁴ over the same rows: what the accuracy of the mean of e² takes.
    label_total, label_squares : float
        Sums of the labels of a regression and of their squares, both about the reference's mean prediction.
    errors : tuple of int
        Labelled rows of a regression by bin of e.
    by_prediction : tuple of tuple of float
        By coarse bin of the prediction of a regression: labelled rows, and the sums of e, |e|, e², e⁴.
    """

    cells: ScoreCells = field(default_factory=ScoreCells)
    confusion: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    labelled: int = 0
    brier: float = 0.0
    log_loss: float = 0.0
    error: float = 0.0
    absolute_error: float = 0.0
    squared_error: float = 0.0
    fourth_error: float = 0.0
    label_total: float = 0.0
    label_squares: float = 0.0
    errors: tuple[int, ...] = ()
    by_prediction: tuple[tuple[float, ...], ...] = ()

    @property
    def scored(self) -> int:
        """Labelled rows with a score."""
        return int(self.cells.table[:, 2:].sum())

    def __add__(self, other: Outcomes) -> Outcomes:
        if self.errors and other.errors and len(self.errors) != len(other.errors):
            raise ValueError("Outcomes of different binnings do not add up.")
        confusion = {said: dict(row) for said, row in self.confusion.items()}
        for said, row in other.confusion.items():
            mine = confusion.setdefault(said, {})
            for label, count in row.items():
                mine[label] = mine.get(label, 0) + count
        left, right = self.errors or (0,) * len(other.errors), other.errors or (0,) * len(self.errors)
        sums = {name: math.fsum((getattr(self, name), getattr(other, name))) for name in SUMS}
        errors = tuple(a + b for a, b in zip(left, right, strict=True))
        return Outcomes(
            self.cells + other.cells,
            confusion,
            self.labelled + other.labelled,
            errors=errors,
            by_prediction=_add_rows(self.by_prediction, other.by_prediction),
            **sums,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the outcomes as JSON data; what is empty is left out."""
        body: dict[str, Any] = {"labelled": self.labelled}
        body |= {name: value for name in SUMS if (value := getattr(self, name))}
        if len(self.cells):
            body["cells"] = self.cells.to_dict()
        if self.confusion:
            body["confusion"] = {said: dict(sorted(row.items())) for said, row in sorted(self.confusion.items())}
        if self.errors:
            body["errors"] = list(self.errors)
        if self.by_prediction:
            body["by_prediction"] = [list(row) for row in self.by_prediction]
        return body

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Outcomes:
        """Read what `to_dict` wrote."""
        given = dict(body)
        if "cells" in given:
            given["cells"] = ScoreCells.from_dict(given["cells"])
        given["errors"] = tuple(given.get("errors", ()))
        given["by_prediction"] = tuple(tuple(row) for row in given.get("by_prediction", ()))
        return cls(**given)


def labelled_from_dict(body: Mapping[str, Any]) -> ScoreCells:
    """Read the labelled scores of what `Outcomes.to_dict` wrote."""
    return ScoreCells.from_dict(body["cells"]).labelled if "cells" in body else ScoreCells()


def _add_rows(a: tuple[tuple[float, ...], ...], b: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    if not a or not b:
        return a or b
    if len(a) != len(b):
        raise ValueError("Outcomes of different binnings do not add up.")
    return tuple(tuple(math.fsum(pair) for pair in zip(*rows, strict=True)) for rows in zip(a, b, strict=True))


SUMS = (
    "brier",
    "log_loss",
    "error",
    "absolute_error",
    "squared_error",
    "fourth_error",
    "label_total",
    "label_squares",
)
