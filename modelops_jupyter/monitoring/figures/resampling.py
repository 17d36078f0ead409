"""Windows that might have been: profiles drawn from a profile's own counts, healthy or with an injected fault.

Columns are drawn each by itself: what a profile keeps are their distributions, and that is what is judged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.monitoring.figures.performance import log_losses
from modelops_jupyter.profiles import Binning, ColumnBinning, ColumnProfile, Outcomes, Profile, Sample, ScoreCells

Array = np.ndarray[Any, Any]
Generator = np.random.Generator
FAULTS = ("shift", "missing", "performance")


def resample(profile: Profile, rows: int, generator: Generator) -> Profile:
    """Return the profile of `rows` rows drawn with replacement from those of `profile`."""
    columns = {name: _resample_column(column, rows, generator) for name, column in profile.columns.items()}
    part = rows / max(profile.rows, 1)
    versions = {version: max(1, round(count * part)) for version, count in profile.versions.items()}
    return replace(
        profile,
        rows=rows,
        versions=versions,
        columns=columns,
        outcomes=_resample_outcomes(profile.outcomes, part, generator),
        sample=Sample(),  # of rows that nobody has seen
    )


def inject(
    profile: Profile, binning: Binning, fault: str, size: float, column: str = "", generator: Generator | None = None
) -> Profile:
    """Return the profile as it would be with a fault.

    Parameters
    ----------
    fault : {"shift", "missing", "performance"}
        ``shift`` adds `size` standard deviations of the reference to a number, or gives `size` of the rows of a
        category column to its rarest category; ``missing`` makes `size` of the rows missing; ``performance`` gives
        `size` of the labelled rows the outcome of any other row: the ROC AUC's distance from one half shrinks by that.
    column
        Of a shift or of missing values.
    generator
        Draws the rows that get another outcome; None takes a fixed seed.

    Raises
    ------
    InvalidInput
        If there is no such fault or column.
    """
    if fault == "performance":
        return replace(profile, outcomes=_spoil(profile.outcomes, size, generator or np.random.default_rng(0)))
    if fault not in FAULTS:
        raise InvalidInput(f"No fault {fault!r}: choose of {', '.join(FAULTS)}.")
    if column not in profile.columns:
        raise InvalidInput(f"No column {column!r}: choose of {', '.join(profile.columns)}.")
    change = _missing if fault == "missing" else _shifted
    changed = change(profile.columns[column], binning.columns[column], size)
    return replace(profile, columns={**profile.columns, column: changed})


def _resample_column(column: ColumnProfile, rows: int, generator: Generator) -> ColumnProfile:
    total = max(column.n, 1)
    cells = np.array([*column.counts, column.unseen, column.nulls, column.nan, column.infinite], dtype=float)
    if cells.sum() <= 0:
        return replace(column, n=rows, nulls=rows)
    drawn = generator.multinomial(rows, cells / cells.sum()).tolist()
    part = rows / total
    first, second, third, fourth = (power * part for power in column.powers)
    return replace(
        column,
        n=rows,
        counts=tuple(drawn[:-4]),
        unseen=drawn[-4],
        nulls=drawn[-3],
        nan=drawn[-2],
        infinite=drawn[-1],
        others=(),
        zeros=round(column.zeros * part),
        mistyped=int(generator.binomial(rows, min(1.0, column.mistyped / total))),
        powers=(first, second, third, fourth),
        characters=round(column.characters * part),
    )


def _resample_outcomes(outcomes: Outcomes, part: float, generator: Generator) -> Outcomes:
    labelled = round(outcomes.labelled * part)
    table = outcomes.cells.table[:, 1:].astype("float64")
    cells = ScoreCells()
    brier, log_loss = outcomes.brier * part, outcomes.log_loss * part
    if table.sum() > 0:
        drawn = generator.multinomial(round(table.sum() * part), (table / table.sum()).reshape(-1)).reshape(-1, 3)
        cells = outcomes.cells.with_counts(drawn)
        brier, log_loss = _losses(cells)
    said = [(p, label, count) for p, row in outcomes.confusion.items() for label, count in row.items()]
    confusion: dict[str, dict[str, int]] = {}
    if said:
        counts = np.array([count for _, _, count in said], dtype=float)
        for (p, label, _), count in zip(said, generator.multinomial(labelled, counts / counts.sum()), strict=True):
            confusion.setdefault(p, {})[label] = int(count)
    return replace(
        outcomes,
        cells=cells,
        confusion=confusion,
        labelled=labelled,
        brier=brier,
        log_loss=log_loss,
        **_resample_errors(outcomes, labelled, part, generator),
    )


def _resample_errors(outcomes: Outcomes, labelled: int, part: float, generator: Generator) -> Mapping[str, Any]:
    """Draw the sums of a regression's errors: normal, with the means and variances that the profile says."""
    n = max(outcomes.labelled, 1)

    def sums(total: float, squares: float) -> float:
        variance = max(0.0, squares / n - (total / n) ** 2)
        return labelled * total / n + math.sqrt(labelled * variance) * generator.normal()

    return {
        "error": sums(outcomes.error, outcomes.squared_error),
        "absolute_error": max(0.0, sums(outcomes.absolute_error, outcomes.squared_error)),
        "squared_error": max(0.0, sums(outcomes.squared_error, outcomes.fourth_error)),
        "fourth_error": outcomes.fourth_error * part,
        "label_total": outcomes.label_total * part,
        "label_squares": outcomes.label_squares * part,
        "errors": tuple(round(count * part) for count in outcomes.errors),
        "by_prediction": tuple(tuple(value * part for value in row) for row in outcomes.by_prediction),
    }


def _losses(cells: ScoreCells) -> tuple[float, float]:
    scores, of_negative, of_positive = cells.scores, *log_losses(cells.scores)
    brier = cells.negatives @ scores**2 + cells.positives @ (1 - scores) ** 2
    return float(brier), float(cells.negatives @ of_negative + cells.positives @ of_positive)


def _missing(column: ColumnProfile, binning: ColumnBinning, size: float) -> ColumnProfile:
    kept = tuple(round(count * (1 - size)) for count in column.counts)
    unseen = round(column.unseen * (1 - size))
    lost = sum(column.counts) - sum(kept) + column.unseen - unseen
    return replace(column, counts=kept, unseen=unseen, nulls=column.nulls + lost)


def _shifted(column: ColumnProfile, binning: ColumnBinning, size: float) -> ColumnProfile:
    counts = np.array(column.counts, dtype=float)
    if not counts.sum():
        return column
    if binning.kind != "numeric":
        rarest = int(np.argmin(counts))
        moved = counts * (1 - size)
        moved[rarest] += counts.sum() - moved.sum()
        return replace(column, counts=tuple(_whole(moved)))
    low, high = float(column.minimum or 0.0), float(column.maximum or 0.0)
    edges = np.array(binning.edges)
    ends = np.array([min(low, edges[0]), *edges, max(high, edges[-1])])
    reached = np.array([0.0, *np.cumsum(counts)])
    # Rows below an edge after the shift were below it by as much before.
    below = np.interp(edges - size * binning.scale, ends, reached)
    moved = np.diff(np.array([0.0, *below, counts.sum()]))
    move = size * binning.scale
    return replace(column, counts=tuple(_whole(moved)), minimum=low + move, maximum=high + move)


def _whole(values: Array) -> list[int]:
    """Return whole numbers of the same total."""
    total = round(float(values.sum()))
    upto = np.round(np.cumsum(values)).astype(int)
    upto[-1] = total
    return [int(value) for value in np.diff(np.array([0, *upto]))]


def _spoil(outcomes: Outcomes, size: float, generator: Generator) -> Outcomes:
    """Give `size` of the labelled rows the outcome of any other row."""
    cells, brier, log_loss = outcomes.cells, outcomes.brier, outcomes.log_loss
    table = cells.table[:, 1:]
    if table[:, 1:].sum():
        positive = table[:, 2].sum() / table[:, 1:].sum()
        taken = generator.binomial(table[:, 1:], size)
        given = generator.binomial(taken.sum(1), positive)
        negatives = table[:, 1] - taken[:, 0] + taken.sum(1) - given
        positives = table[:, 2] - taken[:, 1] + given
        cells = cells.with_counts(np.column_stack([table[:, 0], negatives, positives]))
        brier, log_loss = _losses(cells)
    came: dict[str, float] = {}
    for row in outcomes.confusion.values():
        for label, count in row.items():
            came[label] = came.get(label, 0.0) + count
    every = sum(came.values()) or 1.0
    confusion = {
        p: {
            label: round((1 - size) * row.get(label, 0) + size * sum(row.values()) * came[label] / every)
            for label in came
        }
        for p, row in outcomes.confusion.items()
    }
    # A regression's outcome of any other row: its squared error grows towards that of the labels' own spread.
    n = max(outcomes.labelled, 1)
    spread = max(0.0, outcomes.label_squares / n - (outcomes.label_total / n) ** 2)
    squared = (1 - size) * outcomes.squared_error + size * n * (spread + (outcomes.error / n) ** 2)
    growth = math.sqrt(squared / outcomes.squared_error) if outcomes.squared_error > 0 else 1.0
    return replace(
        outcomes,
        cells=cells,
        confusion=confusion,
        brier=brier,
        log_loss=log_loss,
        squared_error=squared,
        absolute_error=outcomes.absolute_error * growth,
        fourth_error=outcomes.fourth_error * growth**4,
    )
