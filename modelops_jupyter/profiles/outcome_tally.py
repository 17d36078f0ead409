"""Counting what was said and what came of it, for every group of rows in one pass."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.columns import numbers_of
from modelops_jupyter.profiles.binning import Binning
from modelops_jupyter.profiles.categories import encoded
from modelops_jupyter.profiles.groups import Array, Groups
from modelops_jupyter.profiles.outcomes import CERTAIN_SCORE, LEAST_LIKELIHOOD, Outcomes
from modelops_jupyter.profiles.score_cells import ScoreCells, cells_by_group


class ClassTally:
    """Confusion table and cells of the score, for every group."""

    def __init__(self, binning: Binning, groups: int) -> None:
        self._positive = binning.positive
        self._labelled = np.zeros(groups, dtype="int64")
        self._losses = np.zeros((groups, 2))
        self._confusion: dict[int, dict[str, dict[str, int]]] = {}
        self._cells: dict[int, list[ScoreCells]] = {}

    def add(
        self, prediction: pa.ChunkedArray, score: pa.ChunkedArray | None, label: pa.ChunkedArray | None, groups: Groups
    ) -> None:
        """Count the rows of a piece; None where nothing is known of what came."""
        if not groups.rows:
            return
        said, saying = encoded(prediction)
        saying = groups.arranged(saying)
        told = saying < len(said)
        state = np.zeros(groups.rows, dtype="int64")
        if label is not None:
            came, coming = encoded(label)
            coming = groups.arranged(coming)
            known = told & (coming < len(came))
            self._confuse(said, came, groups.local[known], saying[known], coming[known], groups)
            positive = pc.fill_null(pc.equal(came, self._positive or ""), False).to_numpy(zero_copy_only=False)
            state = np.append(np.where(positive, 2, 1), 0)[coming]
        if self._positive is not None and score is not None:
            numbers = groups.arranged(numbers_of(score.cast(pa.float64())))
            usable = told & np.isfinite(numbers)
            run = groups.local
            if not usable.all():
                numbers, state, run = numbers[usable], state[usable], run[usable]
            self._score(np.clip(numbers, 0, 1), state, run, groups)

    def _confuse(
        self, said: pa.Array, came: pa.Array, run: Array, saying: Array, coming: Array, groups: Groups
    ) -> None:
        width = max(1, len(came))
        place = (run * max(1, len(said)) + saying) * width + coming
        found, times = np.unique(place, return_counts=True)
        says, comes = said.to_pylist(), came.to_pylist()
        for at, count in zip(found.tolist(), times.tolist(), strict=True):
            rest, label = divmod(at, width)
            number, word = divmod(rest, max(1, len(said)))
            group = int(groups.numbers[number])
            row = self._confusion.setdefault(group, {}).setdefault(says[word], {})
            row[comes[label]] = row.get(comes[label], 0) + count
            self._labelled[group] += count

    def _score(self, score: Array, state: Array, run: Array, groups: Groups) -> None:
        numbers = groups.numbers.tolist()
        for place, cells in cells_by_group(run, score, state, len(numbers)):
            self._cells.setdefault(numbers[place], []).append(cells)
        labelled = state > 0
        if not labelled.any():
            return
        score, positive, run = score[labelled], state[labelled] == 2, run[labelled]
        against = 1 - score
        against[against < CERTAIN_SCORE] = 0.0
        likelihood = np.clip(np.where(positive, score, against), LEAST_LIKELIHOOD, 1)
        for column, losses in enumerate(((score - positive) ** 2, -np.log(likelihood))):
            self._losses[groups.numbers, column] += np.bincount(run, weights=losses, minlength=len(groups.starts))

    def outcomes(self, group: int) -> Outcomes:
        """Return the outcomes of one group."""
        cells = ScoreCells.total(self._cells.get(group, ()))
        brier, log_loss = self._losses[group].tolist()
        return Outcomes(cells, self._confusion.get(group, {}), int(self._labelled[group]), brier, log_loss)


class ErrorTally:
    """Sums and bins of the errors of a regression, for every group."""

    def __init__(self, binning: Binning, groups: int) -> None:
        self._edges = np.asarray(binning.errors, dtype="float64")
        column = binning.columns.get("prediction")
        self._pivot = column.pivot if column else 0.0
        self._cuts = np.asarray(column.edges, dtype="float64")[list(column.coarse)] if column else None
        self._labelled = np.zeros(groups, dtype="int64")
        self._sums = np.zeros((groups, 6))
        self._errors = np.zeros((groups, len(self._edges) + 1), dtype="int64")
        self._by_prediction = np.zeros((groups, 0 if self._cuts is None else len(self._cuts) + 1, 5))

    def add(
        self, prediction: pa.ChunkedArray, score: pa.ChunkedArray | None, label: pa.ChunkedArray | None, groups: Groups
    ) -> None:
        """Count the rows of a piece; None where nothing is known of what came."""
        if label is None:
            return
        said, came = (groups.arranged(v.cast(pa.float64()).to_numpy()) for v in (prediction, label))
        with np.errstate(invalid="ignore"):
            error = said - came
        usable = np.isfinite(error)
        error, said, came, run = error[usable], said[usable], came[usable], groups.local[usable]
        if not len(error):
            return
        runs, at = len(groups.starts), groups.numbers
        self._labelled[at] += np.bincount(run, minlength=runs)
        squares, label_ = error * error, came - self._pivot
        terms = (error, np.abs(error), squares, squares * squares, label_, label_ * label_)
        for column, weights in enumerate(terms):
            self._sums[at, column] += np.bincount(run, weights=weights, minlength=runs)
        bins = self._errors.shape[1]
        place = run * bins + np.searchsorted(self._edges, error)
        self._errors[at] += np.bincount(place, minlength=runs * bins).reshape(runs, bins)
        if self._cuts is None:
            return
        bins = self._by_prediction.shape[1]
        place = run * bins + np.searchsorted(self._cuts, said, side="left")
        for column, weights in enumerate((None, *terms[:4])):
            sums = np.bincount(place, weights=weights, minlength=runs * bins).reshape(runs, bins)
            self._by_prediction[at, :, column] += sums

    def outcomes(self, group: int) -> Outcomes:
        """Return the outcomes of one group."""
        error, absolute, squared, fourth, label_total, label_squares = self._sums[group].tolist()
        labelled = int(self._labelled[group])
        return Outcomes(
            labelled=labelled,
            error=error,
            absolute_error=absolute,
            squared_error=squared,
            fourth_error=fourth,
            label_total=label_total,
            label_squares=label_squares,
            errors=tuple(self._errors[group].tolist()) if len(self._edges) else (),
            by_prediction=tuple(tuple(row) for row in self._by_prediction[group].tolist())
            if labelled and self._cuts is not None
            else (),
        )
