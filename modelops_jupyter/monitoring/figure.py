"""A figure: a value, or the stated reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

FEWEST_ROWS = 30


@dataclass(frozen=True)
class Figure:
    """A value, or the reason why there is none."""

    value: float | None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return both as plain data."""
        return {"value": self.value, "reason": self.reason}


def figure(value: float) -> Figure:
    """Return `value` as a figure; NaN and infinities are never figures."""
    return Figure(float(value)) if np.isfinite(value) else Figure(None, "not a finite number")
