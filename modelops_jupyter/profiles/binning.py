"""Binning: fixed by the reference, kept with the version, so that profiles of different windows add up.

A numeric column has up to 19 edges: the distinct values of the reference's 5 %, 10 %, … 95 % quantiles (NumPy's
``linear`` method, nulls, NaN and infinities left out). Bin i holds ``edge[i-1] < x <= edge[i]``; the first and last are
open-ended. A text or truth-value column has one bin per category of the reference, the 100 most frequent at most;
whatever else comes is counted as unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

QUANTILES = np.arange(1, 20) / 20
MOST_CATEGORIES = 100
SCORE_BINS = 2000


@dataclass(frozen=True)
class ColumnBinning:
    """How one column is counted: `edges` for numbers, `categories` for everything else."""

    kind: str
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()

    @property
    def bins(self) -> int:
        """Number of bins."""
        return len(self.edges) + 1 if self.kind == "numeric" else len(self.categories)


@dataclass(frozen=True)
class Binning:
    """How every column of a version is counted.

    Attributes
    ----------
    positive : str or None
        The class whose probability the score is.
    """

    task: str
    positive: str | None
    columns: Mapping[str, ColumnBinning]


def column_binning(values: pa.ChunkedArray) -> ColumnBinning:
    """Work out the binning of one reference column."""
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        numbers = finite(values)
        edges = np.unique(np.quantile(numbers, QUANTILES)) if len(numbers) else np.array([])
        return ColumnBinning("numeric", edges=tuple(float(edge) for edge in edges))
    counts = pc.value_counts(text(values).drop_null()).to_pylist()
    ordered = sorted(counts, key=lambda item: (-item["counts"], item["values"]))[:MOST_CATEGORIES]
    return ColumnBinning("category", categories=tuple(item["values"] for item in ordered))


def finite(values: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """Return the finite numbers of a column."""
    numbers: np.ndarray[Any, Any] = values.drop_null().cast(pa.float64()).to_numpy()
    present: np.ndarray[Any, Any] = numbers[np.isfinite(numbers)]
    return present


def text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as text."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    return values.cast(pa.string())
