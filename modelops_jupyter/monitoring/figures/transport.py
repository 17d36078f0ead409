"""The first Wasserstein distance of columns from their profiles, with a bound: all columns in one call.

The distance is ∫|F - G| over the distribution functions (earth mover's; Kantorovich 1942). Inside a fine bin a share is
spread evenly. The outer bins have no edge beyond; how a share lies in there, `tails` works out of what a profile keeps
exactly: the extremes, the mean and the mean square.

Because ∫(F - G) is the difference of the means, the distance is also that difference plus twice the area of the lesser
sign; so where one distribution lies wholly above the other, as after a shift, it is exact. Of both ways the one with
the smaller bound counts; no distance is below the difference of the means.

Bound: moving a share p within a bin of width w changes ∫|F - G| by at most p w / 2, and by what `Tail.error` says in an
outer bin; the first way is off by the sum at most, the second by twice that over those bins alone in which the sign may
change.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.deciding import REST
from modelops_jupyter.monitoring.figures.tails import Spread, Tail, tails_of

Array = np.ndarray[Any, Any]
# Where tails are compared: parts of the longer one, from close to the edge, where most of a heavy tail lies.
PARTS = np.concatenate([[0.0], np.geomspace(1e-4, 1.0, 28)])


def wasserstein(p: Array, q: Array, edges: Array, before: Spread, now: Spread) -> tuple[Array, Array]:
    """Return the distance in the column's unit, and its bound: the true one is no further from it than that.

    Parameters
    ----------
    p, q
        Shares by fine bin, of the reference and of the window, of shape (columns, bins).
    edges
        Edges of the bins, of shape (columns, bins - 1).
    """
    left, right = tails_of(p, edges, before), tails_of(q, edges, now)
    widths = np.diff(edges, axis=1)
    steps = np.cumsum(p - q, -1)
    positive, negative = _areas(steps[:, :-2], steps[:, 1:-1], widths)
    below, above = (_difference(a, b) for a, b in zip(left, right, strict=True))
    # Below the first edge more rows mean a greater distribution function, above the last one a lesser.
    positive = positive.sum(-1) + below[0] + above[1]
    negative = negative.sum(-1) + below[1] + above[0]
    shift = now.mean - before.mean
    low, high = np.minimum(before.minimum, now.minimum), np.maximum(before.maximum, now.maximum)
    rises = shift > REST * (high - low)
    by_bins = positive + negative
    by_means = np.abs(shift) + 2 * np.where(rises, negative, positive)
    errors = [_error(*pair) for pair in zip(left, right, strict=True)]
    inner = (p + q)[:, 1:-1] * widths / 2
    slack = np.column_stack([errors[0], inner, errors[1]])
    start = np.column_stack([np.zeros(len(p)), steps[:, :-1]])
    # The furthest that the difference can reach into the lesser sign anywhere inside the bin.
    reach = np.where(rises[:, None], q - start, start + p)
    outer = (np.maximum(0, edges[:, 0] - low), np.maximum(0, high - edges[:, -1]))
    everywhere = np.column_stack([outer[0], widths, outer[1]])
    doubtful = np.minimum(slack, everywhere * np.maximum(0, reach - 1e-12))
    bounds = slack.sum(-1), 2 * doubtful.sum(-1)
    means_better = bounds[1] <= bounds[0] * (1 + REST)
    value = np.where(means_better, by_means, np.maximum(by_bins, np.abs(shift)))
    # Beside each other, or one and the same value on both sides: then the distance is that of the means.
    parted = (now.minimum >= before.maximum) | (now.maximum <= before.minimum)
    return np.where(parted, np.abs(shift), value), np.where(parted, 0.0, np.where(means_better, bounds[1], bounds[0]))


def _difference(a: Tail, b: Tail) -> tuple[Array, Array]:
    """Return by how much the first tail is above the second where it is, and below where it is not: areas."""
    longest = np.maximum(a.reach, b.reach)
    grid = np.sort(np.column_stack([longest[:, None] * PARTS, a.near, a.reach, b.near, b.reach]), axis=1)
    areas = a.areas(grid) - b.areas(grid)
    return np.maximum(areas, 0).sum(-1), np.maximum(-areas, 0).sum(-1)


def _error(a: Tail, b: Tail) -> Array:
    """Return how far the area between two tails may be off; beside none it is the tail's own area that counts."""
    found: Array = np.where(b.share > 0, a.error, a.area_error) + np.where(a.share > 0, b.error, b.area_error)
    return found


def _areas(start: Array, end: Array, widths: Array) -> tuple[Array, Array]:
    """Return the areas above and below zero of straight lines from `start` to `end`."""
    whole = widths * (start + end) / 2
    crossing = start * end < 0
    with np.errstate(divide="ignore", invalid="ignore"):
        total = widths * (start**2 + end**2) / (2 * (np.abs(start) + np.abs(end)))
    total = np.where(crossing, total, np.abs(whole))
    return (total + whole) / 2, (total - whole) / 2
