"""How far a figure is beyond its threshold, on one scale for figures of every kind."""

from __future__ import annotations

import math

# An open alert whose figure is by so many more doublings beyond its threshold is news again: four times as far.
SURGE = 2.0


def magnitude(figure: float, threshold: float) -> float:
    """Return by how many doublings a figure is beyond its threshold, plus one: 1 at the threshold itself.

    On this scale figures of different kinds stand side by side; a threshold of zero or less counts as one doubling.
    """
    high, low = max(abs(figure), abs(threshold)), min(abs(figure), abs(threshold))
    return 1.0 + math.log2(high / low) if low > 0 and figure * threshold > 0 else 2.0
