"""Scanning rows into profiles: one pass over Arrow columns, in NumPy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.profiles.binning import SCORE_BINS, Binning, ColumnBinning, text
from modelops_jupyter.profiles.column import SAMPLED_CATEGORIES, ColumnProfile, UnseenCategory
from modelops_jupyter.profiles.outcomes import Outcomes
from modelops_jupyter.profiles.profile import Profile

# The model's own outputs are watched like features; these names hold them in the log and in every profile.
OUTPUTS = ("prediction", "score")
SHOWN_CHARACTERS = 80
_SMALLEST = 1e-15


def scan(table: pa.Table, binning: Binning) -> Profile:
    """Profile all rows of `table`: the log's columns with `label`."""
    versions = {int(item["values"]): int(item["counts"]) for item in pc.value_counts(table["version"]).to_pylist()}
    columns = {
        name: scan_column(table[name], column) if name in table.column_names else _absent(table.num_rows, column)
        for name, column in binning.columns.items()
    }
    first = last = None
    if "timestamp" in table.column_names and table.num_rows:
        span = pc.min_max(table["timestamp"].cast(pa.int64()))
        first, last = span["min"].as_py(), span["max"].as_py()
    return Profile(table.num_rows, versions, columns, _outcomes(table, binning), first, last)


def _absent(rows: int, binning: ColumnBinning) -> ColumnProfile:
    """Return the profile of a column that the log does not have: all missing."""
    return ColumnProfile(binning.kind, rows, rows, (0,) * binning.bins)


def scan_column(values: pa.ChunkedArray, binning: ColumnBinning) -> ColumnProfile:
    """Profile one column."""
    if binning.kind != "numeric":
        found = _categories(values, binning)
        return replace(found, mistyped=found.n - found.nulls) if _is_number(values.type) else found
    if not _is_number(values.type):
        return replace(_absent(len(values), binning), mistyped=len(values) - values.null_count)
    return _numbers(values, binning)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _numbers(values: pa.ChunkedArray, binning: ColumnBinning) -> ColumnProfile:
    present = values.drop_null().cast(pa.float64()).to_numpy()
    nan = int(np.isnan(present).sum())
    numbers = present[np.isfinite(present)]
    bins = np.searchsorted(np.asarray(binning.edges), numbers, side="left")
    counts = np.bincount(bins, minlength=binning.bins)
    z = (numbers - binning.pivot) / binning.scale
    squares = z * z
    with np.errstate(over="ignore"):
        powers = [z.sum(), squares.sum(), (squares * z).sum(), (squares * squares).sum()]
    return ColumnProfile(
        kind="numeric",
        n=len(values),
        nulls=len(values) - len(present),
        counts=tuple(counts.tolist()),
        nan=nan,
        infinite=len(present) - nan - len(numbers),
        zeros=int(np.count_nonzero(numbers == 0)),
        minimum=float(numbers.min()) if len(numbers) else None,
        maximum=float(numbers.max()) if len(numbers) else None,
        # A sum beyond the largest float says nothing; 0 keeps it out of every figure and JSON whole.
        powers=tuple(float(power) if np.isfinite(power) else 0.0 for power in powers),  # type: ignore[arg-type]
    )


def _categories(values: pa.ChunkedArray, binning: ColumnBinning) -> ColumnProfile:
    words = text(values).drop_null()
    found = {item["values"]: item["counts"] for item in pc.value_counts(words).to_pylist()}
    known = tuple(int(found.pop(category, 0)) for category in binning.categories)
    lengths = pc.utf8_length(words)
    span = pc.min_max(lengths)
    return ColumnProfile(
        kind="category",
        n=len(values),
        nulls=len(values) - len(words),
        counts=known,
        unseen=len(words) - sum(known),
        others=_sample(found),
        characters=int(pc.sum(lengths).as_py() or 0),
        shortest=span["min"].as_py(),
        longest=span["max"].as_py(),
    )


def _sample(unseen: dict[str, int]) -> tuple[UnseenCategory, ...]:
    """Return the unseen categories of the 32 smallest hashes."""
    if not unseen:
        return ()
    from pandas.util import hash_array

    names = np.array(list(unseen), dtype=object)
    hashes = hash_array(names, categorize=False)
    smallest = np.argsort(hashes, kind="stable")[:SAMPLED_CATEGORIES]
    return tuple(
        UnseenCategory(int(hashes[i]), str(names[i])[:SHOWN_CHARACTERS], int(unseen[names[i]])) for i in smallest
    )


def _outcomes(table: pa.Table, binning: Binning) -> Outcomes:
    """Count what was said and what came of it."""
    names = table.column_names
    if "prediction" not in names or binning.task == "decision":
        return Outcomes()
    rows = table.filter(pc.is_valid(table["prediction"]))
    label = rows["label"] if "label" in names else pa.chunked_array([pa.nulls(rows.num_rows, pa.string())])
    known = pc.is_valid(label)
    if binning.task == "regression":
        return _errors(rows["prediction"].filter(known), label.filter(known), binning)
    said, came = text(rows["prediction"].filter(known)), text(label.filter(known))
    confusion: dict[str, dict[str, int]] = {}
    pairs = pa.table({"said": said, "came": came}).group_by(["said", "came"]).aggregate([([], "count_all")])
    for row in pairs.to_pylist():
        confusion.setdefault(row["said"], {})[row["came"]] = row["count_all"]
    cells, brier, log_loss = _cells(rows, label, binning)
    return Outcomes(cells, confusion, len(said), brier, log_loss)


def _cells(
    rows: pa.Table, label: pa.ChunkedArray, binning: Binning
) -> tuple[dict[int, tuple[int, int, int]], float, float]:
    if binning.positive is None or "score" not in rows.column_names:
        return {}, 0.0, 0.0
    score = rows["score"].cast(pa.float64()).to_numpy()
    usable = np.isfinite(score)
    outcome = np.where(
        pc.is_valid(label).to_numpy(),
        np.where(pc.fill_null(pc.equal(text(label), binning.positive), False).to_numpy(), 2, 1),
        0,
    )[usable]
    score = np.clip(score[usable], 0, 1)
    cell = np.minimum((score * SCORE_BINS).astype("int64"), SCORE_BINS - 1)
    counts = np.bincount(cell * 3 + outcome, minlength=SCORE_BINS * 3).reshape(SCORE_BINS, 3)
    cells = {int(i): (int(counts[i, 0]), int(counts[i, 1]), int(counts[i, 2])) for i in np.flatnonzero(counts.sum(1))}
    labelled, positive = score[outcome > 0], outcome[outcome > 0] == 2
    likelihood = np.clip(np.where(positive, labelled, 1 - labelled), _SMALLEST, 1)
    return cells, float(((labelled - positive) ** 2).sum()), float(-np.log(likelihood).sum())


def _errors(said: pa.ChunkedArray, came: pa.ChunkedArray, binning: Binning) -> Outcomes:
    label, prediction = _as_numbers(came), _as_numbers(said)
    with np.errstate(invalid="ignore"):
        error = prediction - label
    usable = np.isfinite(error)
    error, label, prediction = error[usable], label[usable], prediction[usable]
    counts = np.bincount(np.searchsorted(np.asarray(binning.errors), error), minlength=len(binning.errors) + 1)
    column = binning.columns.get("prediction")
    pivot = column.pivot if column else 0.0
    squares = error * error
    return Outcomes(
        labelled=len(error),
        error=float(error.sum()),
        absolute_error=float(np.abs(error).sum()),
        squared_error=float(squares.sum()),
        fourth_error=float((squares * squares).sum()),
        label_total=float((label - pivot).sum()),
        label_squares=float(((label - pivot) ** 2).sum()),
        errors=tuple(counts.tolist()) if binning.errors else (),
        by_prediction=_by_prediction(prediction, error, column) if column and len(error) else (),
    )


def _by_prediction(
    prediction: np.ndarray[Any, Any], error: np.ndarray[Any, Any], column: ColumnBinning
) -> tuple[tuple[float, ...], ...]:
    """Sum the errors by coarse bin of the prediction."""
    edges = np.asarray(column.edges)[list(column.coarse)]
    bins = np.searchsorted(edges, prediction, side="left")
    squares = error * error
    sums = [
        np.bincount(bins, weights=weights, minlength=len(edges) + 1)
        for weights in (None, error, np.abs(error), squares, squares * squares)
    ]
    return tuple(tuple(float(value) for value in row) for row in np.column_stack(sums).tolist())


def _as_numbers(values: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    numbers: np.ndarray[Any, Any] = values.cast(pa.float64()).to_numpy()
    return numbers
