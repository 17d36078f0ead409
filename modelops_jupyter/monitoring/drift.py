"""Univariate drift: how far a column's distribution is from the reference's, from profiles alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figure import FEWEST_ROWS, Figure, figure
from modelops_jupyter.profiles import ColumnBinning, ColumnProfile

SMALLEST_SHARE = 1e-4
Array = np.ndarray[Any, Any]


def psi(reference: ColumnProfile, current: ColumnProfile, binning: ColumnBinning) -> Figure:
    """Population stability index: sum of (q - p) ln(q / p) over the coarse bins, shares below 0.0001 raised to it.

    Siddiqi, Credit Risk Scorecards (2006), chapter 9.
    """
    shares = coarse_shares(reference, current, binning)
    if isinstance(shares, Figure):
        return shares
    p, q = (np.maximum(share, SMALLEST_SHARE) for share in shares)
    return figure(np.sum((q - p) * np.log(q / p)))


def jensen_shannon(reference: ColumnProfile, current: ColumnProfile, binning: ColumnBinning) -> Figure:
    """Jensen-Shannon distance with logarithms to base 2, between 0 and 1 (Endres and Schindelin 2003)."""
    shares = coarse_shares(reference, current, binning)
    if isinstance(shares, Figure):
        return shares
    p, q = shares
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log2(p / middle), 0) + np.where(q > 0, q * np.log2(q / middle), 0)
    return figure(np.sqrt(max(0.0, terms.sum() / 2)))


def coarse_shares(
    reference: ColumnProfile, current: ColumnProfile, binning: ColumnBinning
) -> tuple[Array, Array] | Figure:
    """Return both distributions over the coarse bins and, for categories, the unseen rest; or why there are none."""
    left = np.append(binning.coarsen(reference.counts), reference.unseen).astype("float64")
    right = np.append(binning.coarsen(current.counts), current.unseen).astype("float64")
    if left.sum() == 0:
        return Figure(None, "no values in the reference")
    if right.sum() == 0:
        return Figure(None, "all missing" if current.n else "no rows")
    if right.sum() < FEWEST_ROWS:
        return Figure(None, "too few rows")
    return left / left.sum(), right / right.sum()
