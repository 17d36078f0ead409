"""Deciding by figures: what differs by rounding alone decides nothing.

Processors sum in orders of their own and have logarithms of their own, so a figure differs in its last digits from one
to the next. Where it should be its limit exactly (a rate of 2 % that may rise by 2 %) it lies above the limit on one
and below it on the other. So every comparison that a finding, an alert or a healing hangs on is made here: what is
nearer to a limit than rounding could have moved it has reached it, and has not exceeded it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
# Rounding moves figures of sums over many rows by some 1e-12 of themselves; no effect that counts is so small.
RELATIVE, ABSOLUTE = 1e-9, 1e-12
# Of squares of equal numbers less the square of their sum, rounding leaves such a part of the squares at most.
REST = 1e-12
# What is put in order is told apart by so many significant digits.
DIGITS = 9


def reaches(figures: Any, limits: Any) -> Any:
    """Tell which figures are at their limits or above, or below them by no more than rounding; never NaN."""
    return figures + (ABSOLUTE + RELATIVE * abs(figures)) >= limits


def exceeds(figures: Any, limits: Any) -> Any:
    """Tell which figures are above their limits by more than rounding; never NaN."""
    return figures > limits + (ABSOLUTE + RELATIVE * abs(limits))


def side(values: Array, middle: Array) -> Array:
    """Return 1 above the middle, -1 below it, 0 where rounding alone tells them apart; NaN where there is no value."""
    sides: Array = np.where(
        exceeds(values, middle), 1.0, np.where(exceeds(middle, values), -1.0, (values - middle) * 0)
    )
    return sides


def settled(value: float) -> float:
    """Return a figure without the digits that rounding decides, to be put in order or told apart by."""
    return float(f"{value:.{DIGITS}g}")


def first_greatest(values: Array) -> int:
    """Return the place of the greatest value; of those that rounding alone tells apart the first."""
    return int(np.flatnonzero(reaches(values, values.max()))[0])
