"""A figure: a value with what is known of its accuracy, or the stated reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from modelops_jupyter.wording import count

FEWEST_ROWS = 30


@dataclass(frozen=True)
class Figure:
    """A value, or the reason why there is none.

    Attributes
    ----------
    value : float or None
    reason : str or None
        Why there is no value; None where there is one.
    low, high : float or None
        Ends of the 95 % confidence interval, where a standard one exists.
    p_value : float or None
        Of a test statistic.
    degrees : int or None
        Degrees of freedom of a test statistic.
    error : float or None
        Standard error.
    """

    value: float | None
    reason: str | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    degrees: int | None = None
    error: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return ``value`` and ``reason``, and whatever else is known, as plain data."""
        known = vars(self)
        return {name: known[name] for name in known if name in ("value", "reason") or known[name] is not None}


def too_few(rows: int, what: str) -> str:
    """Return why there is no figure of so few rows.

    >>> too_few(24, "row")
    '24 rows, 30 are needed'
    """
    return f"{count(rows, what)}, {FEWEST_ROWS} are needed"


def figure(value: float, **known: Any) -> Figure:
    """Return `value` as a figure; NaN and infinities are never figures."""
    return Figure(float(value), **known) if np.isfinite(value) else Figure(None, "not a finite number")
