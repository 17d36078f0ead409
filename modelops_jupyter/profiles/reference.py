"""Making a reference: the rows a version was validated on fix its binning and are profiled under it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from modelops_jupyter.columns import Columns, Read, whole_numbers
from modelops_jupyter.derived_names import DURATION, PRESENCE, TEXT, derived_name, descriptor_of, is_derived, source_of
from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.profiles.binning import (
    FINE,
    Binning,
    ColumnBinning,
    apart,
    is_countable,
    is_number,
    is_text,
    numeric_binning,
    ordered,
    quantile_edges,
)
from modelops_jupyter.profiles.categories import CategoryTally, category_binning
from modelops_jupyter.profiles.column import ColumnProfile
from modelops_jupyter.profiles.dates import (
    LOOKS_AHEAD,
    describe_dates,
    descriptors_of_dates,
    is_date,
    is_duration,
    looks_ahead,
    zone_of_dates,
)
from modelops_jupyter.profiles.groups import Groups
from modelops_jupyter.profiles.numbers import NumericTally
from modelops_jupyter.profiles.profile import Profile, Reference
from modelops_jupyter.profiles.sampling import REFERENCE_ROWS, Sample, SampleTally
from modelops_jupyter.profiles.scan import GroupedRows, Tally, one_group, pick_rows
from modelops_jupyter.profiles.segments import slicings, usual_columns
from modelops_jupyter.profiles.texts import IDENTIFIER, describe_texts, kind_of_texts, learn_vocabulary
from modelops_jupyter.profiles.threads import counting_threads

Array = np.ndarray[Any, Any]
# What a column of texts holds is told by so many of its rows.
RECOGNISED_ROWS = 20_000


def build_reference(
    features: pa.Table | Columns,
    *,
    scores: np.ndarray[Any, Any] | None = None,
    predictions: np.ndarray[Any, Any] | None = None,
    labels: np.ndarray[Any, Any] | None = None,
    task: str = "classification",
    positive: str | None = None,
    segments: Sequence[str] | None = None,
    times: np.ndarray[Any, Any] | None = None,
) -> Reference:
    """Profile the rows a version was validated on, and fix its binning by them.

    `segments` are the columns to slice it by; None takes those of few categories. `times` are those of the requests, in
    microseconds since 1970 (UTC); without them nothing is said of how old dates were.
    """
    inputs = features if isinstance(features, Columns) else Columns.of_table(features)
    _check_names(inputs.types)
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
        plan, left_out = _planned(table, [name for name in types if name not in outputs], times, pool)
        plan = {name: plan.get(name, {}) for name in types if name in countable or name in plan}
        columns, sample = _columns(table, plan, outputs.get, pool, times)
        binning = Binning(task, positive, {name: column for name, (column, _) in columns.items()}, errors, left_out)
        sliced = usual_columns(binning.columns) if segments is None else tuple(segments)
        outputs_alone = Tally(binning, 1, counted=())
        outputs_alone.add(GroupedRows(outputs.get, [one_group(table.rows)]))
        profiles = {name: profile for name, (_, profile) in columns.items()}
        profile = replace(outputs_alone.profile(0), columns=profiles, sample=sample)
        asked = None if times is None else pa.chunked_array([whole_numbers(times)])
        return Reference(
            binning,
            profile,
            _segments(table, binning, sliced, lambda n: asked if n == "timestamp" else outputs.get(n), pool),
        )


def _check_names(names: Iterable[str]) -> None:
    """Raise `InvalidFrame` where a column is called as derived ones are: what is said of either is said by its name."""
    for name in names:
        if is_derived(name):
            raise InvalidFrame(
                f"Column {name!r} is called like the {descriptor_of(name)} that is watched in place of a column "
                f"{source_of(name)!r}: rename it."
            )


def _planned(
    table: Columns, names: Sequence[str], times: Array | None, pool: Executor
) -> tuple[dict[str, Mapping[str, str]], dict[str, str]]:
    """Return the columns from which others are derived, with those, and what holds no values to watch, with why."""
    rows = np.arange(table.rows)
    if table.rows > RECOGNISED_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(table.rows, RECOGNISED_ROWS, replace=False))

    def descriptors(name: str) -> tuple[str, ...]:
        """Return what is derived of a column: nothing of categories."""
        if is_duration(table.types[name]):
            return DURATION
        values = table.read(name)
        if values is None:
            raise KeyError(name)
        some = values.take(whole_numbers(rows)) if len(rows) < table.rows else values
        if is_date(table.types[name]):
            return descriptors_of_dates(some, None if times is None else times[rows])
        return {"text": TEXT, IDENTIFIER: PRESENCE}.get(kind_of_texts(some), ())

    read = [name for name in names if is_text(kind := table.types[name]) or is_date(kind) or is_duration(kind)]
    found = dict(zip(read, pool.map(descriptors, read), strict=True))
    derived: dict[str, Mapping[str, str]]
    derived = {source: {derived_name(source, word): word for word in words} for source, words in found.items() if words}
    return derived, {name: IDENTIFIER for name, words in found.items() if words == PRESENCE}


def _columns(
    table: Columns, plan: Mapping[str, Mapping[str, str]], own: Read, pool: Executor, times: Array | None
) -> tuple[dict[str, tuple[ColumnBinning, ColumnProfile]], Sample]:
    """Bin and profile columns, each while it is at hand, and sample the rows.

    `plan` holds the columns to be read, each with what is derived from it, if it is not counted itself.
    """
    names = [name for source, derived in plan.items() for name in (derived or (source,))]
    samples, whole = SampleTally(names, REFERENCE_ROWS, 1), one_group(table.rows)
    picked = pick_rows(samples, GroupedRows(own, [whole]))

    def counted(source: str) -> dict[str, tuple[ColumnBinning, ColumnProfile]]:
        values = table.read(source)
        if values is None:
            raise KeyError(source)
        read: Iterable[tuple[str, pa.ChunkedArray, ColumnBinning, ColumnProfile]]
        if plan[source]:
            own_of = _of_texts if is_text(table.types[source]) else partial(_of_dates, times=times)
            read = own_of(plan[source], source, values)
        else:
            read = [(source, values, *_profiled(values, whole))]
        found = {}
        for name, own_values, binning, profile in read:
            if picked is not None:
                samples.code(picked, name, own_values, binning)
            found[name] = binning, profile
        return found

    columns = {name: one for found in pool.map(counted, plan) for name, one in found.items()}
    if picked is not None:
        samples.keep(picked)
    return columns, samples.sample(0)


def _of_texts(
    derived: Mapping[str, str], source: str, values: pa.ChunkedArray
) -> Iterator[tuple[str, pa.ChunkedArray, ColumnBinning, ColumnProfile]]:
    """Yield what is derived from texts, each with its binning and profile.

    Texts are never unfamiliar to a vocabulary that was learned from them: one half of the rows, drawn at random, says
    what is in it, and the other half how much of other rows is not.
    """
    learned = np.random.default_rng(0).random(len(values)) < 0.5
    vocabulary = learn_vocabulary(values.filter(pa.array(learned)))
    described = describe_texts(values, tuple(derived.values()), vocabulary)
    for name, descriptor in derived.items():
        unfamiliar = descriptor == "unfamiliar"
        own = described[descriptor].filter(pa.array(~learned)) if unfamiliar else described[descriptor]
        binning, profile = _profiled(own, one_group(len(own)))
        binning = replace(binning, source=source, descriptor=descriptor, vocabulary=vocabulary if unfamiliar else "")
        yield name, described[descriptor], binning, profile


def _of_dates(
    derived: Mapping[str, str], source: str, values: pa.ChunkedArray, times: Array | None
) -> Iterator[tuple[str, pa.ChunkedArray, ColumnBinning, ColumnProfile]]:
    """Yield what is derived from dates or durations, each with its binning and profile."""
    ahead = is_date(values.type) and looks_ahead(values, times, int(datetime.now(UTC).timestamp() * 1e6))
    vocabulary, zone = LOOKS_AHEAD if ahead else "", zone_of_dates(values.type)
    described = describe_dates(values, tuple(derived.values()), times, vocabulary)
    for name, descriptor in derived.items():
        binning, profile = _profiled(described[descriptor], one_group(len(values)))
        binning = replace(binning, source=source, descriptor=descriptor, vocabulary=vocabulary, zone=zone)
        yield name, described[descriptor], binning, profile


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
