"""How what is derived from a column changed, in words: "length fell from 84 to 15 characters"."""

from __future__ import annotations

import math

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
    "unfamiliar": ("letter sequences that training hardly has", " (another language or other content)", True),
}


def described_change(before: ColumnProfile, now: ColumnProfile, binning: ColumnBinning) -> str:
    """Return how the mean of a derived number changed, as a sentence says it; empty where it hardly did.

    >>> binning = ColumnBinning("numeric", pivot=84.0, scale=10.0, source="comment", descriptor="length")
    >>> before = ColumnProfile("numeric", 1000, 0, (1000,), powers=(0.0, 1000.0, 0.0, 0.0))
    >>> described_change(before, ColumnProfile("numeric", 50, 0, (50,), powers=(-345.0, 2400.0, 0.0, 0.0)), binning)
    'length fell from 84 to 15 characters'
    """
    if binning.descriptor not in WORDS:
        return ""
    name, unit, is_share = WORDS[binning.descriptor]
    usual, spread, rows = _moments(before)
    mean, spread_now, rows_now = _moments(now)
    if not rows or not rows_now:
        return ""
    error = math.sqrt(spread / rows + max(spread, spread_now) / rows_now)
    if abs(mean - usual) <= MIN_ERRORS * error:
        return ""
    texts = [_text(binning.pivot + binning.scale * value, is_share) for value in (usual, mean)]
    verb = "rose" if mean > usual else "fell"
    return f"{name} {verb} from {texts[0]} to {texts[1]}{unit}" if texts[0] != texts[1] else ""


def _moments(column: ColumnProfile) -> tuple[float, float, int]:
    """Return mean and variance of the standardised values, and how many there are."""
    rows = column.n - column.missing
    mean = column.powers[0] / max(rows, 1)
    return mean, max(column.powers[1] / max(rows, 1) - mean**2, 0.0), rows


def _text(value: float, is_share: bool) -> str:
    return f"{figure_text(100 * value, 2)} %" if is_share else figure_text(value, 2)
