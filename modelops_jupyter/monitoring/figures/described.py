"""How what is derived from a column changed, in words: "length fell from 84 to 15 characters"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from modelops_jupyter.profiles import ColumnBinning, ColumnProfile
from modelops_jupyter.wording import figure_text

# A mean that moved by fewer standard errors is not said to have moved.
MIN_ERRORS = 4.0
# By descriptor: what it is called, its unit, and whether it is a share.
WORDS = {
    "length": ("length", " characters", False),
    "words": ("number of words", "", False),
    "digits": ("digits", " of characters", True),
    "capitals": ("capitals", " of letters", True),
    "signs": ("punctuation and symbols", " of characters", True),
    "age": ("age", " days", False),
    "seconds": ("duration", " seconds", False),
    "unfamiliar": ("letter sequences that training hardly has", " (another language or other content)", True),
}


# So much longer or shorter explains whatever else of a text has changed.
MIN_FACTOR = 1.5
# A share that moves by one point says as much as a number that is ten per cent greater.
POINTS_OF_A_FACTOR = 0.1


@dataclass(frozen=True)
class Change:
    """The mean of a derived number in the reference and now."""

    descriptor: str
    usual: float
    now: float

    @property
    def plainness(self) -> float:
        """How well it explains what else has changed."""
        if WORDS[self.descriptor][2]:
            return abs(self.now - self.usual)
        factor = abs(math.log(max(self.now, 0.1) / max(self.usual, 0.1)))
        is_plain = self.descriptor == "length" and factor >= math.log(MIN_FACTOR)
        return math.inf if is_plain else POINTS_OF_A_FACTOR * factor

    def __str__(self) -> str:
        name, unit, is_share = WORDS[self.descriptor]
        verb = "rose" if self.now > self.usual else "fell"
        return f"{name} {verb} from {_text(self.usual, is_share)} to {_text(self.now, is_share)}{unit}"


def plainest_change(
    before: Mapping[str, ColumnProfile], now: Mapping[str, ColumnProfile], derived: Mapping[str, ColumnBinning]
) -> str:
    """Return how the numbers derived from one column changed, as a sentence says it; empty where they hardly did.

    >>> derived = {"length": ColumnBinning("numeric", pivot=84.0, scale=10.0, source="text", descriptor="length")}
    >>> before = {"length": ColumnProfile("numeric", 1000, 0, (1000,), powers=(0.0, 1000.0, 0.0, 0.0))}
    >>> now = {"length": ColumnProfile("numeric", 50, 0, (50,), powers=(-345.0, 2400.0, 0.0, 0.0))}
    >>> plainest_change(before, now, derived)
    'length fell from 84 to 15 characters'
    """
    changes = [
        change
        for name, binning in derived.items()
        if binning.descriptor in WORDS and (change := _change(before[name], now[name], binning)) is not None
    ]
    return str(max(changes, key=lambda change: change.plainness)) if changes else ""


def _change(before: ColumnProfile, now: ColumnProfile, binning: ColumnBinning) -> Change | None:
    """Return how the mean changed; None where it did by no more than chance."""
    usual, spread, rows = _moments(before)
    mean, spread_now, rows_now = _moments(now)
    if not rows or not rows_now:
        return None
    error = math.sqrt(spread / rows + max(spread, spread_now) / rows_now)
    if abs(mean - usual) <= MIN_ERRORS * error:
        return None
    is_share = WORDS[binning.descriptor][2]
    change = Change(binning.descriptor, *(binning.pivot + binning.scale * value for value in (usual, mean)))
    return change if _text(change.usual, is_share) != _text(change.now, is_share) else None


def _moments(column: ColumnProfile) -> tuple[float, float, int]:
    """Return mean and variance of the standardised values, and how many there are."""
    rows = column.n - column.missing
    mean = column.powers[0] / max(rows, 1)
    return mean, max(column.powers[1] / max(rows, 1) - mean**2, 0.0), rows


def _text(value: float, is_share: bool) -> str:
    return f"{figure_text(100 * value, 2)} %" if is_share else figure_text(value, 2)
