"""Making a reference: the rows a version was validated on fix its binning and are profiled under it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from modelops_jupyter.columns import Columns, Read
from modelops_jupyter.profiles.binning import (
    FINE,
    Binning,
    ColumnBinning,
    apart,
    is_countable,
    is_number,
    numeric_binning,
    ordered,
    quantile_edges,
)
from modelops_jupyter.profiles.categories import CategoryTally, category_binning
from modelops_jupyter.profiles.column import ColumnProfile
from modelops_jupyter.profiles.groups import Groups
from modelops_jupyter.profiles.numbers import NumericTally
from modelops_jupyter.profiles.profile import Profile, Reference
from modelops_jupyter.profiles.sampling import REFERENCE_ROWS, Sample, SampleTally
from modelops_jupyter.profiles.scan import GroupedRows, Tally, one_group, pick_rows
from modelops_jupyter.profiles.segments import slicings, usual_columns
from modelops_jupyter.profiles.threads import counting_threads


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
    countable = [
        name for name, kind in types.items() if is_countable(kind) and not (name == "label" and name in outputs)
    ]
    errors: tuple[float, ...] = ()
    if task == "regression" and labels is not None and predictions is not None and inputs.rows:
        error = np.asarray(predictions, dtype="float64") - np.asarray(labels, dtype="float64")
        if np.isfinite(error).any():
            errors = tuple(apart(quantile_edges(np.sort(error[np.isfinite(error)]), FINE)).tolist())
    texts = not all(is_number(types[name]) for name in countable)
    with counting_threads(texts=texts, purpose="reference") as pool:
        columns, sample = _columns(table, countable, outputs.get, pool)
        binning = Binning(task, positive, {name: column for name, (column, _) in columns.items()}, errors)
        sliced = usual_columns(binning.columns) if segments is None else tuple(segments)
        outputs_alone = Tally(binning, 1, counted=())
        outputs_alone.add(GroupedRows(outputs.get, [one_group(table.rows)]))
        profiles = {name: profile for name, (_, profile) in columns.items()}
        profile = replace(outputs_alone.profile(0), columns=profiles, sample=sample)
        return Reference(binning, profile, _segments(table, binning, sliced, outputs.get, pool))


def _columns(
    table: Columns, names: Sequence[str], own: Read, pool: Executor
) -> tuple[dict[str, tuple[ColumnBinning, ColumnProfile]], Sample]:
    """Bin and profile columns, each while it is at hand, and sample the rows."""
    samples, whole = SampleTally(names, REFERENCE_ROWS, 1), one_group(table.rows)
    picked = pick_rows(samples, GroupedRows(own, [whole]))

    def counted(name: str) -> tuple[ColumnBinning, ColumnProfile]:
        values = table.read(name)
        if values is None:
            raise KeyError(name)
        binning, profile = _profiled(values, whole)
        if picked is not None:
            samples.code(picked, name, values, binning)
        return binning, profile

    found = dict(zip(names, pool.map(counted, names), strict=True))
    if picked is not None:
        samples.keep(picked)
    return found, samples.sample(0)


def _profiled(values: pa.ChunkedArray, whole: Groups) -> tuple[ColumnBinning, ColumnProfile]:
    if is_number(values.type):
        numbers = ordered(values)  # for both: sorting is most of the work
        binning = numeric_binning(numbers)
        tally = NumericTally(binning, 1)
        tally.add_ordered(numbers, len(values))
        return binning, tally.profile(0)
    binning, counted = category_binning(values)
    categories = CategoryTally(binning, 1)
    if counted is None:
        categories.add(values, whole)
    else:
        own = values.filter(pa.array(counted))
        categories.add(own, one_group(len(own)))
    return binning, categories.profile(0)


def _segments(
    table: Columns, binning: Binning, columns: tuple[str, ...], own: Read, pool: Executor
) -> dict[str, dict[str, Profile]]:
    """Profile the rows by segment."""
    slices = slicings(binning, columns)
    if not slices:
        return {}
    begins = np.cumsum([0, *(len(slicing.labels) for slicing in slices)]).tolist()
    tally = Tally(binning, begins[-1])
    groupings = [
        Groups.of(begin + slicing.places(table.read(slicing.column), table.rows))
        for slicing, begin in zip(slices, begins, strict=False)
    ]
    tally.add(GroupedRows(table.read, groupings, own), pool=pool)
    return {
        slicing.column: {label: tally.profile(begin + k) for k, label in enumerate(slicing.labels)}
        for slicing, begin in zip(slices, begins, strict=False)
    }
