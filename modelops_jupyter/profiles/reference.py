"""Making a reference: the rows a version was validated on fix its binning and are profiled under it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from modelops_jupyter.profiles.binning import FINE, Binning, column_binning, quantile_edges
from modelops_jupyter.profiles.groups import Groups
from modelops_jupyter.profiles.profile import Reference
from modelops_jupyter.profiles.sampling import REFERENCE_ROWS
from modelops_jupyter.profiles.scan import Tally, one_group, reader
from modelops_jupyter.profiles.segments import slicings, usual_columns


def build_reference(
    features: pa.Table,
    *,
    scores: np.ndarray[Any, Any] | None = None,
    predictions: np.ndarray[Any, Any] | None = None,
    labels: np.ndarray[Any, Any] | None = None,
    task: str = "classification",
    positive: str | None = None,
    segments: Sequence[str] | None = None,
) -> Reference:
    """Profile the rows a version was validated on, and fix its binning by them.

    `segments` are the columns to slice it by; None takes those of few categories.
    """
    table = features
    rows = features.num_rows
    for name, values in (("prediction", predictions), ("score", scores), ("label", labels)):
        if values is not None:
            table = table.append_column(name, pa.array(values, from_pandas=True))
    columns = {
        name: column_binning(values)
        for name, values in zip(table.column_names, table.columns, strict=True)
        if name != "label" and _countable(values.type)
    }
    errors: tuple[float, ...] = ()
    if task == "regression" and labels is not None and predictions is not None and rows:
        error = np.asarray(predictions, dtype="float64") - np.asarray(labels, dtype="float64")
        if np.isfinite(error).any():
            errors = tuple(quantile_edges(np.sort(error[np.isfinite(error)]), FINE).tolist())
    binning = Binning(task, positive, columns, errors)
    return _profiled(table, binning, usual_columns(columns) if segments is None else tuple(segments))


def _profiled(table: pa.Table, binning: Binning, segments: tuple[str, ...]) -> Reference:
    """Profile the reference's rows, all of them and by segment."""
    slices = slicings(binning, segments)
    begins = np.cumsum([1, *(len(slicing.labels) for slicing in slices)])
    tally = Tally(binning, int(begins[-1]), REFERENCE_ROWS, 1)
    groupings = [one_group(table.num_rows)]
    for slicing, begin in zip(slices, begins, strict=False):
        groupings.append(Groups.of(begin + slicing.places(table[slicing.column], table.num_rows)))
    tally.add(reader(table), groupings)
    sliced = {
        slicing.column: {label: tally.profile(int(begin) + k) for k, label in enumerate(slicing.labels)}
        for slicing, begin in zip(slices, begins, strict=False)
    }
    return Reference(binning, tally.profile(0), sliced)


def _countable(kind: pa.DataType) -> bool:
    return not (pa.types.is_temporal(kind) or pa.types.is_nested(kind) or pa.types.is_binary(kind))
