"""Binning: fixed by the reference, kept with the version, so that profiles of different windows add up.

A numeric column's fine edges are the distinct values of the reference's 120-quantiles, with a few more towards the
tails (NumPy's ``linear`` method; nulls, NaN and infinities left out). Bin i holds ``edge[i-1] < x <= edge[i]``; the
first and last are open-ended. Every sixth quantile, that is the 5 %, 10 %, … 95 % quantiles, is also an edge of the 20
coarse bins on which PSI and Jensen-Shannon are defined. A text or truth-value column has one bin per category of the
reference, the 100 most frequent at most; whatever else comes is counted as unseen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from modelops_jupyter.columns import numbers_of
from modelops_jupyter.derived_names import PRIMARY
from modelops_jupyter.profiles.groups import BLOCK

TAILS = (0.0005, 0.001, 0.002, 0.004)
FINE = np.array(sorted({*TAILS, *(k / 120 for k in range(1, 120)), *(1 - tail for tail in TAILS)}))
COARSE = np.arange(1, 20) / 20
MOST_CATEGORIES = 100
ROUNDING = 2.0**-40  # the part of a number that a few thousand last bits make up


@dataclass(frozen=True)
class ColumnBinning:
    """How one column is counted.

    Attributes
    ----------
    kind : {"numeric", "category"}
    edges : tuple of float
        Fine edges, ascending; for numbers only.
    coarse : tuple of int
        Positions in `edges` of the edges of the coarse bins.
    pivot, scale : float
        Mean and standard deviation of the reference: moments are kept of ``(x - pivot) / scale``, so that they
        stay accurate when summed over years.
    categories : tuple of str
    source, descriptor : str
        The column that it is derived from, and what it says of that; both empty for a column of its own.
    vocabulary : str
        What of the reference's texts the descriptor needs; see `texts.learn_vocabulary`.
    zone : str
        By whose days dates count that are kept with a zone: that of the reference's; empty where those have none.
    """

    kind: str
    edges: tuple[float, ...] = ()
    coarse: tuple[int, ...] = ()
    pivot: float = 0.0
    scale: float = 1.0
    categories: tuple[str, ...] = ()
    source: str = ""
    descriptor: str = ""
    vocabulary: str = ""
    zone: str = ""

    @property
    def is_secondary(self) -> bool:
        """Whether another derived column already says what is missing, mistyped or out of range."""
        return bool(self.source) and self.descriptor not in PRIMARY

    @property
    def bins(self) -> int:
        """Number of fine bins."""
        return len(self.edges) + 1 if self.kind == "numeric" else len(self.categories)

    def coarsen(self, counts: tuple[int, ...]) -> np.ndarray[Any, Any]:
        """Return the counts of the coarse bins; categories are coarse already."""
        fine = np.asarray(counts, dtype="int64")
        if self.kind != "numeric":
            return fine
        starts = [0, *(position + 1 for position in self.coarse)]
        coarse: np.ndarray[Any, Any] = np.add.reduceat(fine, starts)
        return coarse


@dataclass(frozen=True)
class Binning:
    """How every column of a version is counted.

    Attributes
    ----------
    task : {"classification", "regression", "decision"}
    positive : str or None
        The class whose probability the score is.
    errors : tuple of float
        Edges for prediction minus label of a regression.
    left_out : mapping of str to str
        By column whose values are not watched, only whether there are any, what it holds: ``identifier``.
    """

    task: str
    positive: str | None
    columns: Mapping[str, ColumnBinning]
    errors: tuple[float, ...] = field(default=())
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_texts(self) -> bool:
        """Whether a column is counted by category."""
        return any(column.kind == "category" or column.source for column in self.columns.values())

    @property
    def sources(self) -> Mapping[str, Mapping[str, ColumnBinning]]:
        """The columns to be read, each with those that are counted of it: itself, or those derived from it."""
        found: dict[str, dict[str, ColumnBinning]] = {}
        for name, column in self.columns.items():
            found.setdefault(column.source or name, {})[name] = column
        return found


def numeric_binning(numbers: np.ndarray[Any, Any]) -> ColumnBinning:
    """Work out the binning of numbers that are in order, as `ordered` returns them."""
    numbers = numbers[numbers.searchsorted(-np.inf, "right") : numbers.searchsorted(np.inf, "left")]
    if not len(numbers):
        return ColumnBinning("numeric")
    edges, coarse = quantile_edges(numbers, FINE), quantile_edges(numbers, COARSE)
    edges = apart(np.unique(np.concatenate([edges, coarse])))
    with np.errstate(over="ignore", invalid="ignore"):
        middle = float(np.mean(numbers))
    spread = _spread(numbers, middle)
    return ColumnBinning(
        "numeric",
        edges=tuple(edges.tolist()),
        coarse=tuple(np.unique(np.searchsorted(edges, coarse)).tolist()),
        pivot=middle,
        scale=spread if np.isfinite(spread) and spread > 0 else 1.0,
    )


def _spread(numbers: np.ndarray[Any, Any], middle: float) -> float:
    """Return the standard deviation, block by block: in memory that is used again."""
    squares = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for at in range(0, len(numbers), BLOCK):
            apart = numbers[at : at + BLOCK] - middle
            squares += float(np.einsum("i,i", apart, apart))
    return math.sqrt(squares / len(numbers))


def quantile_edges(numbers: np.ndarray[Any, Any], shares: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the distinct quantiles of sorted `numbers`, ascending: what `numpy.quantile` gives, without a selection.

    Hyndman and Fan's definition 7, with NumPy's own interpolation, so that both agree to the bit.
    """
    place = shares * (len(numbers) - 1)
    below = np.floor(place).astype("int64")
    part = place - below
    low, high = numbers[below], numbers[np.minimum(below + 1, len(numbers) - 1)]
    with np.errstate(over="ignore", invalid="ignore"):
        step = high - low
        edges: np.ndarray[Any, Any] = np.where(part < 0.5, low + step * part, high - step * (1 - part))
    return np.unique(edges)


def apart(edges: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return ascending edges, each a little above where it was; those that rounding alone tells apart become one.

    An edge is often a value that comes often. Another processor, or the next batch, computes it a last bit greater:
    it must stay in its bin.
    """
    if not len(edges):
        return edges
    sizes = np.abs(edges)
    sizes[sizes < np.finfo("float64").tiny / ROUNDING] = 0  # a part of it would be zero
    nearest = np.min(sizes, initial=1.0, where=sizes > 0)
    steps = ROUNDING * np.where(sizes > 0, np.minimum(sizes, np.finfo("float64").max), nearest)  # none is infinite
    with np.errstate(over="ignore"):
        above = np.minimum(edges + steps, np.finfo("float64").max)
    distinct: np.ndarray[Any, Any] = above[np.append(edges[1:] > above[:-1], True)]
    return distinct


def edge_texts(edges: Sequence[float]) -> tuple[str, ...]:
    """Return edges as people read them: without the little that `apart` has added, which shows beside zero alone."""
    least = min((edge for edge in edges if edge > 0), default=0.0)
    nearest = min([1.0, *(abs(edge) for edge in edges if edge not in (0, least))])
    return tuple(f"{0 if edge == least <= 1.01 * ROUNDING * nearest else edge:.4g}" for edge in edges)


def is_number(kind: pa.DataType) -> bool:
    """Tell whether a column of this type is counted as numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a column of this type holds texts, as they are or by their codes."""
    plain = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return bool(plain or (pa.types.is_dictionary(kind) and is_text(kind.value_type)))


def is_countable(kind: pa.DataType) -> bool:
    """Tell whether a column of this type is counted at all: times, lists, records and bytes are not."""
    known = is_number(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind) or pa.types.is_decimal(kind)
    return bool(known or is_text(kind) or (pa.types.is_dictionary(kind) and is_countable(kind.value_type)))


def ordered(values: pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """Return the numbers of a column in their order, nulls left out, NaN last."""
    return np.sort(numbers_of(values.drop_null()).astype("float64", copy=False))


def text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as text."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    return values.cast(pa.string())
