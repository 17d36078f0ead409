"""How the rows of a column's outermost bins lie beyond the last edge, worked out of what a profile keeps exactly.

One row of a tail is the extreme itself. The others lie between the edge and it, at a mean distance that is unknown; but
the column's mean says what both tails weigh against each other, and its mean square what they weigh together. So each
tail is a beta distribution with its density falling from the edge to the extreme, (1 - u)^(1/f - 1) being the part
beyond u, such that mean and mean square come out as near to what they are as they can.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
# Mean distances tried, as parts of those that the column's mean allows.
TRIED = np.linspace(0.0, 1.0, 21) ** 2
SMALL = 1e-300


@dataclass(frozen=True)
class Spread:
    """What the bins do not say of some columns, one number per column: rows, extremes, mean, mean square.

    Attributes
    ----------
    square
        Mean of the squared distance from `pivot`.
    """

    rows: Array
    minimum: Array
    maximum: Array
    mean: Array
    square: Array
    pivot: Array


@dataclass(frozen=True)
class Tail:
    """Rows beyond an edge, by their distance from it; an array per column.

    Attributes
    ----------
    share : array
        Of all rows, those of the tail.
    near, reach : array
        Distances of the nearest row that there may be, and of the extreme, which is one row: `extreme` of all.
    part : array
        Mean distance of the others from `near`, as a part of what lies between.
    low, high : array
        Between which the area under the others lies for certain: their share times their mean distance from `near`.
    """

    share: Array
    extreme: Array
    near: Array
    reach: Array
    part: Array
    low: Array
    high: Array

    @property
    def others(self) -> Array:
        """Share of all rows that the tail has beside its extreme."""
        found: Array = np.maximum(self.share - self.extreme, 0.0)
        return found

    def areas(self, grid: Array) -> Array:
        """Return the area under the share of rows beyond, between every two neighbours of a grid of distances."""
        part, length = np.clip(self.part, 1e-9, 1.0)[:, None], self.length[:, None]
        inside = np.clip(grid - self.near[:, None], 0.0, length)
        with np.errstate(divide="ignore", invalid="ignore"):
            places = np.where(length > 0, inside / length, 1.0)
            beyond = np.where(places < 1, np.exp(np.log1p(-places) / part), 0.0)
        weight = self.others[:, None] * length
        areas = -weight * part * np.diff(beyond, axis=1) + self.extreme[:, None] * np.diff(inside)
        areas = areas + self.share[:, None] * np.diff(np.minimum(grid, self.near[:, None]))
        found: Array = areas
        return found

    @property
    def length(self) -> Array:
        """The distance between the nearest and the extreme."""
        found: Array = self.reach - self.near
        return found

    @property
    def area_error(self) -> Array:
        """How far the area of the tail may be off."""
        area = self.others * self.length * self.part
        error: Array = np.maximum(np.maximum(self.high - area, area - self.low), 0.0)
        return error

    @property
    def error(self) -> Array:
        """How far the area between the tail and its model may be off, whatever its shape.

        Of two falling functions with values up to s over a length R, the lesser one has an area of at least
        A B / (s R), by Chebyshev's inequality on similarly ordered functions; so between them lie A + B less twice it.
        """
        most = self.others * self.length
        area = most * self.part
        ends = [a + area - 2 * a * area / np.maximum(most, SMALL) for a in (self.low, self.high)]
        error: Array = np.maximum(np.maximum(*ends), 0.0)
        return error


def tails_of(shares: Array, edges: Array, spread: Spread) -> tuple[Tail, Tail]:
    """Return the tails below the first and above the last edge, of shares by bin of shape (columns, bins)."""
    one = 1 / np.maximum(spread.rows, 1)
    ends = np.minimum(edges[:, 0], spread.maximum), np.maximum(edges[:, -1], spread.minimum)
    near = edges[:, 0] - ends[0], ends[1] - edges[:, -1]
    reach = np.maximum(ends[0] - spread.minimum, 0.0), np.maximum(spread.maximum - ends[1], 0.0)
    share = shares[:, 0], shares[:, -1]
    extreme = tuple(np.where(s > 0, np.minimum(one, s), 0.0) for s in share)
    others = tuple(np.maximum(s - e, 0.0) * (s > 1.5 * one) for s, e in zip(share, extreme, strict=True))
    most = tuple(o * r for o, r in zip(others, reach, strict=True))
    gap, slack = _gap(shares, edges, ends, spread, reach, extreme)
    beyond = others[0] + others[1]
    together = np.sqrt(beyond * np.where(beyond > 0, _square_beyond(ends, spread, reach, extreme), 0.0))
    # What the upper tail weighs less the lower one, and both together at most, leave this for each of them.
    highest = np.minimum(most[1], np.minimum(gap + slack + most[0], (together + gap + slack) / 2))
    lowest = np.clip(gap - slack, 0.0, most[1])
    upper = _between(lowest, highest)
    highest = np.minimum(most[0], np.minimum(slack - gap + most[1], (together + slack - gap) / 2))
    lower = _between(np.clip(-gap - slack, 0.0, most[0]), highest)
    parts = _parts(most, gap, upper, ends, spread, _square_left(shares, edges, ends, spread, reach, extreme))
    return tuple(  # type: ignore[return-value]
        Tail(share[side], extreme[side], near[side], near[side] + reach[side], parts[side], *(lower, upper)[side])
        for side in (0, 1)
    )


def _between(low: Array, high: Array) -> tuple[Array, Array]:
    high = np.maximum(high, 0.0)
    return np.minimum(low, high), high


def _gap(
    shares: Array,
    edges: Array,
    ends: tuple[Array, ...],
    spread: Spread,
    reach: tuple[Array, ...],
    extreme: tuple[Array, ...],
) -> tuple[Array, Array]:
    """Return what the others of the upper tail weigh less those of the lower, and how far that may be off."""
    inner, widths = shares[:, 1:-1], np.diff(edges, axis=1)
    middle = spread.pivot[:, None]
    centres = (edges[:, :-1] + edges[:, 1:]) / 2 - middle
    at_edges = shares[:, 0] * (ends[0] - spread.pivot) + shares[:, -1] * (ends[1] - spread.pivot)
    known = (inner * centres).sum(-1) + at_edges - extreme[0] * reach[0] + extreme[1] * reach[1]
    gap: Array = spread.mean - spread.pivot - known
    return gap, (inner * widths).sum(-1) / 2 + 1e-12 * (np.abs(spread.mean - spread.pivot) + np.abs(known))


def _square_beyond(
    ends: tuple[Array, ...], spread: Spread, reach: tuple[Array, ...], extreme: tuple[Array, ...]
) -> Array:
    """Return what the squared distances beyond the edges of the tails' others come to at most."""
    inside = (ends[0] <= spread.pivot) & (spread.pivot <= ends[1])
    known = extreme[0] * reach[0] ** 2 + extreme[1] * reach[1] ** 2
    found: Array = np.where(inside, np.maximum(spread.square * (1 + 1e-9) - known, 0.0), np.inf)
    return found


def _square_left(
    shares: Array,
    edges: Array,
    ends: tuple[Array, ...],
    spread: Spread,
    reach: tuple[Array, ...],
    extreme: tuple[Array, ...],
) -> Array:
    """Return what the bins and the extremes leave of the mean square for the tails' others, about the edges."""
    from_pivot = edges - spread.pivot[:, None]
    a, b = from_pivot[:, :-1], from_pivot[:, 1:]
    inner = (shares[:, 1:-1] * (a * a + a * b + b * b) / 3).sum(-1)
    first, last = ends[0] - spread.pivot, ends[1] - spread.pivot
    at_edges = shares[:, 0] * first**2 + shares[:, -1] * last**2
    extremes = extreme[0] * (reach[0] ** 2 - 2 * first * reach[0]) + extreme[1] * (reach[1] ** 2 + 2 * last * reach[1])
    left: Array = spread.square - inner - at_edges - extremes
    return left


def _parts(
    most: tuple[Array, ...],
    gap: Array,
    upper: tuple[Array, Array],
    ends: tuple[Array, ...],
    spread: Spread,
    square: Array,
) -> tuple[Array, Array]:
    """Return the mean distances of both tails, as parts of their reach, that come nearest to what is known."""
    reach = np.maximum(ends[0] - spread.minimum, 0.0), np.maximum(spread.maximum - ends[1], 0.0)
    low, high = np.clip(gap, 0.0, most[1]), np.clip(gap + most[0], 0.0, most[1])
    areas = low[:, None] + (high - low)[:, None] * TRIED
    above = np.clip(areas / np.maximum(most[1], SMALL)[:, None], 0, 1)
    below = np.clip((areas - gap[:, None]) / np.maximum(most[0], SMALL)[:, None], 0, 1)
    squares = [
        2 * side * ((end - spread.pivot) * weight)[:, None] * part + (weight * length)[:, None] * _square_of(part)
        for side, end, weight, length, part in (
            (-1.0, ends[0], most[0], reach[0], below),
            (1.0, ends[1], most[1], reach[1], above),
        )
    ]
    best = np.abs(squares[0] + squares[1] - square[:, None]).argmin(-1)
    rows = np.arange(len(best))
    return below[rows, best], above[rows, best]


def _square_of(part: Array) -> Array:
    """Return the mean square of the beta distribution over [0, 1] with this mean and a falling density."""
    found: Array = 2 * part**2 / (1 + part)
    return found
