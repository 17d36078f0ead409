"""Scanning rows into profiles: one pass over Arrow columns, in NumPy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.profiles.binning import SCORE_BINS, Binning, ColumnBinning, column_binning, finite, text
from modelops_jupyter.profiles.profile import ColumnProfile, Profile, Reference, ScoreTable

# The model's own outputs are watched like features; these names hold them in the log and in every profile.
OUTPUTS = ("prediction", "score")
LENGTHS = {"1h": timedelta(hours=1), "1D": timedelta(days=1), "1W": timedelta(days=7)}
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_SMALLEST = 1e-15


def window_length(every: str) -> timedelta:
    """Return the length of a window.

    Raises
    ------
    InvalidInput
        If `every` is not ``1h``, ``1D`` or ``1W``.
    """
    if every not in LENGTHS:
        raise InvalidInput(f"Windows are {', '.join(LENGTHS)} long, not {every!r}.")
    return LENGTHS[every]


def window_start(at: datetime, every: str) -> datetime:
    """Return the start of the UTC window that holds `at`; weeks begin on Monday."""
    length = window_length(every)
    return _MONDAY + ((at - _MONDAY) // length) * length


def build_reference(
    features: pa.Table,
    *,
    scores: np.ndarray[Any, Any] | None = None,
    predictions: np.ndarray[Any, Any] | None = None,
    labels: np.ndarray[Any, Any] | None = None,
    task: str = "classification",
    positive: str | None = None,
) -> Reference:
    """Profile the rows a version was validated on, and fix its binning by them."""
    table = features
    rows = features.num_rows
    for name, values in (("prediction", predictions), ("score", scores), ("label", labels)):
        if values is not None:
            table = table.append_column(name, pa.array(values, from_pandas=True))
    columns = {
        name: column_binning(table[name])
        for name in table.column_names
        if name != "label" and _countable(table.schema.field(name).type)
    }
    binning = Binning(task, positive, columns)
    profile = scan(table.append_column("version", pa.array(np.zeros(rows, dtype="int64"))), binning)
    return Reference(binning, Profile(profile.rows, {}, profile.columns, profile.scores))


def scan(table: pa.Table, binning: Binning) -> Profile:
    """Profile all rows of `table`: the log's columns with `label`."""
    versions = {int(item["values"]): int(item["counts"]) for item in pc.value_counts(table["version"]).to_pylist()}
    columns = {
        name: _column(table[name], column) if name in table.column_names else _absent(table.num_rows, column)
        for name, column in binning.columns.items()
    }
    return Profile(table.num_rows, versions, columns, _scores(table, binning))


def _countable(kind: pa.DataType) -> bool:
    return not (pa.types.is_temporal(kind) or pa.types.is_nested(kind) or pa.types.is_binary(kind))


def _absent(rows: int, binning: ColumnBinning) -> ColumnProfile:
    """Return the profile of a column that the log does not have: all missing."""
    return ColumnProfile(binning.kind, rows, rows, (0,) * binning.bins)


def _column(values: pa.ChunkedArray, binning: ColumnBinning) -> ColumnProfile:
    n = len(values)
    if binning.kind == "numeric":
        if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
            return _absent(n, binning)
        numbers = finite(values)
        bins = np.searchsorted(np.asarray(binning.edges), numbers, side="left")
        counts = np.bincount(bins, minlength=binning.bins)
        total, squares = float(numbers.sum()), float(np.einsum("i,i", numbers, numbers))
        return ColumnProfile("numeric", n, n - len(numbers), tuple(counts.tolist()), 0, total, squares)
    words = text(values).drop_null()
    found = {item["values"]: item["counts"] for item in pc.value_counts(words).to_pylist()}
    known = tuple(int(found.get(category, 0)) for category in binning.categories)
    return ColumnProfile("category", n, n - len(words), known, len(words) - sum(known))


def _scores(table: pa.Table, binning: Binning) -> ScoreTable:
    """Count outcomes by score, and add up the errors that need no cells."""
    names = table.column_names
    if "label" not in names or "prediction" not in names:
        return ScoreTable({}, 0, 0)
    known = table.filter(pc.and_(pc.is_valid(table["label"]), pc.is_valid(table["prediction"])))
    if binning.task == "regression":
        error = known["prediction"].to_numpy() - known["label"].to_numpy()
        return ScoreTable({}, 0, len(error), 0.0, 0.0, float(np.abs(error).sum()), float((error * error).sum()))
    right = int(pc.sum(pc.equal(text(known["prediction"]), text(known["label"]))).as_py() or 0)
    if binning.positive is None or "score" not in names:
        return ScoreTable({}, right, known.num_rows)
    score = known["score"].to_numpy().astype("float64")
    positive = pc.equal(text(known["label"]), binning.positive).to_numpy()
    usable = np.isfinite(score)
    score, positive = np.clip(score[usable], 0, 1), positive[usable]
    cell = np.minimum((score * SCORE_BINS).astype("int64"), SCORE_BINS - 1)
    positives = np.bincount(cell[positive], minlength=SCORE_BINS)
    negatives = np.bincount(cell[~positive], minlength=SCORE_BINS)
    cells = {int(i): (int(negatives[i]), int(positives[i])) for i in np.flatnonzero(positives + negatives)}
    clipped = np.clip(np.where(positive, score, 1 - score), _SMALLEST, 1)
    return ScoreTable(
        cells, right, known.num_rows, float(((score - positive) ** 2).sum()), float(-np.log(clipped).sum())
    )
