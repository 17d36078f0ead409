"""Making a reference: the rows a version was validated on fix its binning and are profiled under it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from modelops_jupyter.profiles.binning import FINE, Binning, column_binning, quantile_edges
from modelops_jupyter.profiles.profile import Profile, Reference
from modelops_jupyter.profiles.scan import scan


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
    errors: tuple[float, ...] = ()
    if task == "regression" and labels is not None and predictions is not None and rows:
        error = np.asarray(predictions, dtype="float64") - np.asarray(labels, dtype="float64")
        if np.isfinite(error).any():
            errors = tuple(quantile_edges(error[np.isfinite(error)], FINE).tolist())
    binning = Binning(task, positive, columns, errors)
    profile = scan(table.append_column("version", pa.array(np.zeros(rows, dtype="int64"))), binning)
    return Reference(binning, Profile(profile.rows, {}, profile.columns, profile.outcomes))


def _countable(kind: pa.DataType) -> bool:
    return not (pa.types.is_temporal(kind) or pa.types.is_nested(kind) or pa.types.is_binary(kind))
