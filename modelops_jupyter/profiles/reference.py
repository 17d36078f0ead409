"""Making a reference: the rows a version was validated on fix its binning and are profiled under it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa

from modelops_jupyter.columns import Columns
from modelops_jupyter.profiles.binning import FINE, Binning, column_binning, quantile_edges
from modelops_jupyter.profiles.groups import Groups
from modelops_jupyter.profiles.profile import Reference
from modelops_jupyter.profiles.sampling import REFERENCE_ROWS
from modelops_jupyter.profiles.scan import Tally, one_group
from modelops_jupyter.profiles.segments import slicings, usual_columns


def build_reference(
    features: pa.Table | Columns,
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
    inputs = features if isinstance(features, Columns) else Columns.of_table(features)
    given = (("prediction", predictions), ("score", scores), ("label", labels))
    outputs = {n: pa.chunked_array([pa.array(v, from_pandas=True)]) for n, v in given if v is not None}
    types = {**inputs.types, **{name: values.type for name, values in outputs.items()}}
    table = Columns(inputs.rows, types, lambda name: outputs[name] if name in outputs else inputs.read(name))
    countable = [name for name, kind in types.items() if name != "label" and _countable(kind)]
    errors: tuple[float, ...] = ()
    if task == "regression" and labels is not None and predictions is not None and inputs.rows:
        error = np.asarray(predictions, dtype="float64") - np.asarray(labels, dtype="float64")
        if np.isfinite(error).any():
            errors = tuple(quantile_edges(np.sort(error[np.isfinite(error)]), FINE).tolist())
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="modelops-reference") as pool:
        columns = dict(zip(countable, pool.map(lambda name: column_binning(table.read(name)), countable), strict=True))
        binning = Binning(task, positive, columns, errors)
        return _profiled(table, binning, usual_columns(columns) if segments is None else tuple(segments), pool)


def _profiled(table: Columns, binning: Binning, segments: tuple[str, ...], pool: Executor) -> Reference:
    """Profile the reference's rows, all of them and by segment."""
    slices = slicings(binning, segments)
    begins = np.cumsum([1, *(len(slicing.labels) for slicing in slices)])
    tally = Tally(binning, int(begins[-1]), REFERENCE_ROWS, 1)
    groupings = [one_group(table.rows)]
    for slicing, begin in zip(slices, begins, strict=False):
        groupings.append(Groups.of(begin + slicing.places(table.read(slicing.column), table.rows)))
    tally.add(table.read, groupings, pool)
    sliced = {
        slicing.column: {label: tally.profile(int(begin) + k) for k, label in enumerate(slicing.labels)}
        for slicing, begin in zip(slices, begins, strict=False)
    }
    return Reference(binning, tally.profile(0), sliced)


def _countable(kind: pa.DataType) -> bool:
    return not (pa.types.is_temporal(kind) or pa.types.is_nested(kind) or pa.types.is_binary(kind))
