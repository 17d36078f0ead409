"""Univariate drift: how far each column's distribution is from the reference's, from profiles alone.

PSI, Jensen-Shannon and Hellinger are defined on the 20 coarse bins of a numeric column, or on the categories of the
reference and one bin for all others: the figure from profiles is that of the raw rows. So are chi-square and the
G-test of a numeric column; those of categories, and what PSI and Jensen-Shannon are less what chance brings, go by
`cells`. Wasserstein and Kolmogorov-Smirnov come from the fine bins, within the bounds that `transport` and `distances`
state (`low` and `high` hold the first for certain); so does the rank shift, where rows of a fine bin share their
mid-rank, and the share shift, of the tails that begin at an edge.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.monitoring.figures import distances, transport
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.cells import FEWEST_OF_PEARSON, filled, neighbours, pearson_tail
from modelops_jupyter.monitoring.figures.figure import FEWEST_ROWS, Figure, figure, too_few
from modelops_jupyter.monitoring.figures.intervals import chi_square_p
from modelops_jupyter.monitoring.figures.shares import ShareShift
from modelops_jupyter.profiles import Binning, ColumnBinning, ColumnProfile, Profile, Reference

Array = np.ndarray[Any, Any]
NUMERIC = (
    "psi",
    "psi_debiased",
    "jensen_shannon",
    "jensen_shannon_debiased",
    "hellinger",
    "wasserstein",
    "kolmogorov_smirnov",
    "rank_shift",
    "share_shift",
    "chi_square",
    "g_test",
)
CATEGORY = (
    "psi",
    "psi_debiased",
    "jensen_shannon",
    "jensen_shannon_debiased",
    "hellinger",
    "l_infinity",
    "share_shift",
    "chi_square",
    "g_test",
)
_BY_SHARES = {
    "psi": distances.psi,
    "jensen_shannon": distances.jensen_shannon,
    "hellinger": distances.hellinger,
    "l_infinity": distances.l_infinity,
}
_DEBIASED = {
    "psi_debiased": distances.psi_debiased,
    "jensen_shannon_debiased": distances.jensen_shannon_debiased,
}
_BY_COUNTS = {"chi_square": distances.chi_square, "g_test": distances.g_test}


@dataclass(frozen=True)
class Methods:
    """The drift figures of each kind of column, in the order they are shown."""

    numeric: tuple[str, ...] = (
        *("psi", "psi_debiased", "jensen_shannon", "jensen_shannon_debiased"),
        *("wasserstein", "kolmogorov_smirnov", "rank_shift", "share_shift"),
    )
    category: tuple[str, ...] = (
        *("psi", "psi_debiased", "jensen_shannon", "jensen_shannon_debiased"),
        *("l_infinity", "chi_square", "share_shift"),
    )

    def __post_init__(self) -> None:
        for kind, given, known in (("numeric", self.numeric, NUMERIC), ("category", self.category, CATEGORY)):
            unknown = [name for name in given if name not in known]
            if unknown:
                raise InvalidInput(f"No drift method {unknown[0]!r} for {kind} columns: choose of {', '.join(known)}.")


def drift(baseline: Baseline, current: Profile, methods: Methods | None = None) -> dict[str, dict[str, Figure]]:
    """Return the drift figures of every column: the numeric ones of a window are computed together."""
    chosen = methods or Methods()
    found = {**_numbers(baseline, current, chosen.numeric), **_categories(baseline, current, chosen.category)}
    return {name: found[name] for name in baseline.reference.profile.columns}


def column_drift(method: str, before: ColumnProfile, now: ColumnProfile, binning: ColumnBinning) -> Figure:
    """Return one drift figure of one column."""
    columns = Binning("classification", None, {"column": binning})
    baseline = Baseline(Reference(columns, Profile(before.n, {}, {"column": before})))
    methods = Methods(numeric=(method,)) if binning.kind == "numeric" else Methods(category=(method,))
    return drift(baseline, Profile(now.n, {}, {"column": now}), methods)["column"][method]


def psi(reference: ColumnProfile, current: ColumnProfile, binning: ColumnBinning) -> Figure:
    """Population stability index over the coarse bins; see `distances.psi`."""
    return column_drift("psi", reference, current, binning)


def jensen_shannon(reference: ColumnProfile, current: ColumnProfile, binning: ColumnBinning) -> Figure:
    """Jensen-Shannon distance over the coarse bins; see `distances.jensen_shannon`."""
    return column_drift("jensen_shannon", reference, current, binning)


def reason_against(before: ColumnProfile, now: ColumnProfile) -> str | None:
    """Return why two columns cannot be compared, or None."""
    if before.n == before.missing:
        return "no values in the reference"
    present = now.n - now.missing
    if present == 0:
        return "all missing" if now.n else "no rows"
    return too_few(present, "row") if present < FEWEST_ROWS else None


def _numbers(baseline: Baseline, current: Profile, methods: Iterable[str]) -> dict[str, dict[str, Figure]]:
    columns = baseline.numbers
    if not columns.names:
        return {}
    now = [current.columns[name] for name in columns.names]
    before = [baseline.reference.profile.columns[name] for name in columns.names]
    reasons = [reason_against(*pair) for pair in zip(before, now, strict=True)]
    fine = columns.fine([column.counts for column in now])
    coarse = columns.coarse(columns.counts), columns.coarse(fine)
    p, q = _shares(columns.counts), _shares(fine)
    found: dict[str, dict[str, Figure]] = {name: {} for name in columns.names}
    for method in methods:
        if method in _BY_COUNTS:
            values, degrees = _BY_COUNTS[method](*coarse)
            figures = [_tested(value, df) for value, df in zip(values.tolist(), degrees.tolist(), strict=True)]
        elif method in _DEBIASED:
            values = _DEBIASED[method](*filled(*neighbours(*coarse)))
            figures = [figure(value) for value in values.tolist()]
        elif method == "kolmogorov_smirnov":
            values = distances.kolmogorov_smirnov(p, q)
            tails = kolmogorov_smirnov_p(values, columns.counts.sum(-1), fine.sum(-1))
            figures = [figure(value, p_value=tail) for value, tail in zip(values.tolist(), tails.tolist(), strict=True)]
        elif method == "rank_shift":
            values = distances.rank_shift(columns.scores, q)
            figures = [figure(value) for value in values.tolist()]
        elif method == "share_shift":
            figures = _moved(columns.share_shift(fine))
        elif method == "wasserstein":
            with np.errstate(over="ignore", invalid="ignore"):
                spread = columns.spread, columns.spread_of(now)
                values, bounds = transport.wasserstein(p, q, columns.edges, *spread)
                shifts = np.abs(spread[1].mean - spread[0].mean)
                ends = np.minimum(np.maximum(values - bounds, shifts), values), values + bounds
            figures = [
                figure(value, low=low, high=high) if math.isfinite(low) and math.isfinite(high) else figure(value)
                for value, low, high in zip(values.tolist(), *(end.tolist() for end in ends), strict=True)
            ]
        else:
            values = _BY_SHARES[method](_shares(coarse[0]), _shares(coarse[1]))
            figures = [figure(value) for value in values.tolist()]
        for name, reason, computed in zip(columns.names, reasons, figures, strict=True):
            found[name][method] = Figure(None, reason) if reason else computed
    return found


def _categories(baseline: Baseline, current: Profile, methods: Iterable[str]) -> dict[str, dict[str, Figure]]:
    columns = baseline.cells
    if not columns.names:
        return {}
    now = [current.columns[name] for name in columns.names]
    reasons = [
        reason_against(baseline.reference.profile.columns[name], column)
        for name, column in zip(columns.names, now, strict=True)
    ]
    right = columns.table([column.all_counts for column in now])
    p, q = _shares(columns.counts), _shares(right)
    cells = filled(columns.compared, right, columns.own)
    found: dict[str, dict[str, Figure]] = {name: {} for name in columns.names}
    for method in methods:
        if method == "chi_square":
            pairs = zip(*filled(columns.compared, right, columns.own, FEWEST_OF_PEARSON), strict=True)
            figures = [Figure(None) if reason else _pearson(*pair) for pair, reason in zip(pairs, reasons, strict=True)]
        elif method == "share_shift":
            figures = _moved(columns.share_shift(right))
        elif method in _BY_COUNTS:
            tested = (part.tolist() for part in _BY_COUNTS[method](*cells))
            figures = [_tested(statistic, degrees) for statistic, degrees in zip(*tested, strict=True)]
        else:
            values = _DEBIASED[method](*cells) if method in _DEBIASED else _BY_SHARES[method](p, q)
            figures = [figure(value) for value in values.tolist()]
        for name, reason, computed in zip(columns.names, reasons, figures, strict=True):
            found[name][method] = Figure(None, reason) if reason else computed
    return found


def _pearson(before: Array, now: Array) -> Figure:
    statistic, degrees = (float(part) for part in distances.chi_square(before, now))
    found = _tested(statistic, degrees)
    return replace(found, p_value=pearson_tail(statistic, before, now)) if degrees >= 1 else found


def _tested(statistic: float, degrees: float) -> Figure:
    if degrees < 1:
        return Figure(0.0, p_value=1.0, degrees=0)  # one value on both sides: nothing can differ
    if not math.isfinite(statistic):
        return figure(statistic)
    return figure(statistic, p_value=chi_square_p(statistic, int(degrees)), degrees=int(degrees))


def _moved(shift: ShareShift) -> list[Figure]:
    pairs = zip(shift.distance.tolist(), shift.error.tolist(), strict=True)
    return [figure(distance, error=error) for distance, error in pairs]


def _shares(counts: Array) -> Array:
    total = counts.sum(-1, keepdims=True)
    shares: Array = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    return shares


def kolmogorov_smirnov_p(statistic: Array, before: Array, now: Array) -> Array:
    """Return the asymptotic p-values of two-sample Kolmogorov-Smirnov statistics (Smirnov 1939).

    From profiles the statistic is never above the raw rows', so that the p-value errs on the side of no drift.
    """
    from scipy.special import kolmogorov  # heavy: not before it is needed

    tails: Array = kolmogorov(statistic * np.sqrt(before * now / np.maximum(before + now, 1)))
    return tails
