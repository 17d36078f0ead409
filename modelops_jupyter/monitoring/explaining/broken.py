"""Rows with a value that the reference never had: out of its range, never seen, or missing more often than before.

`segments` compares rows with the other rows of their window, so it cannot see what is wrong with all of them, and of a
window that is wrong throughout it names bystanders. A value that the reference never had needs no comparison: what such
rows add to the rise of the loss is by how much their loss is above that of the windows before. The other segments are
searched among the rows without such a value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.monitoring.explaining.segments import EXAMPLES, FEWEST_ROWS, LEAST_SHARE, Losses, Segment
from modelops_jupyter.profiles import ColumnBinning, ColumnProfile, Reference
from modelops_jupyter.profiles.binning import MOST_CATEGORIES, text
from modelops_jupyter.wording import figure_text

Array = np.ndarray[Any, Any]
SURE = 0.05
# A minimum and maximum that were rounded on their way are no range of their own.
ROUNDING = 1e-9


@dataclass(frozen=True)
class OddRows:
    """Rows with a value of one column that the reference never had.

    Attributes
    ----------
    name : str
        As ``bmi out of range (18 to 45)``, ``carrier never seen`` or ``rain is missing``.
    inside : array of bool, shape (rows,)
    """

    column: str
    name: str
    inside: Array


def odd_rows(table: pa.Table, reference: Reference, columns: Iterable[str]) -> list[OddRows]:
    """Return the rows with a value that the reference never had, by column and kind, where there are any."""
    binnings, profiles = reference.binning.columns, reference.profile.columns
    odd = []
    for name in columns:
        if name in table.column_names and name in binnings and name in profiles:
            odd += _of_column(name, table[name], binnings[name], profiles[name])
    return [one for one in odd if one.inside.any()]


def _of_column(name: str, values: pa.ChunkedArray, binning: ColumnBinning, profile: ColumnProfile) -> list[OddRows]:
    if binning.kind == "numeric" and (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        numbers = values.cast(pa.float64(), safe=False).to_numpy()
        missing = OddRows(name, f"{name} is missing", ~np.isfinite(numbers))
        if profile.minimum is None or profile.maximum is None:
            return [missing]
        slack = ROUNDING * max(abs(profile.minimum), abs(profile.maximum))
        with np.errstate(invalid="ignore"):
            beyond = (numbers < profile.minimum - slack) | (numbers > profile.maximum + slack)
        low, high = figure_text(profile.minimum), figure_text(profile.maximum)
        return [missing, OddRows(name, f"{name} out of range ({low} to {high})", beyond & np.isfinite(numbers))]
    if binning.kind == "category":
        words = text(values)
        absent = pc.is_null(words).to_numpy()
        missing = OddRows(name, f"{name} is missing", absent)
        if len(binning.categories) >= MOST_CATEGORIES:  # more values than are kept: which were never seen is not known
            return [missing]
        seen = pc.is_in(words, value_set=pa.array(binning.categories, pa.string())).to_numpy()
        return [missing, OddRows(name, f"{name} never seen", ~seen & ~absent)]
    return []


def broken_segments(losses: Losses, odd: Sequence[OddRows]) -> tuple[tuple[Segment, ...], Array]:
    """Return the odd rows that became more frequent and add to the rise of the loss, and which rows they are.

    Parameters
    ----------
    losses
        Of the rows that `odd` was found among.

    Returns
    -------
    segments : tuple of Segment
        Those that add most first. P-values are Bonferroni's over all of `odd`.
    inside : array of bool, shape (rows,)
        The rows of any of them.
    """
    broken = np.zeros(len(losses.loss), dtype=bool)
    segments = []
    for one in odd:
        segment = _segment(losses, one, len(odd))
        if segment is not None:
            segments.append(segment)
            broken |= one.inside
    return tuple(sorted(segments, key=lambda segment: -segment.excess)), broken


def _segment(losses: Losses, odd: OddRows, looked: int) -> Segment | None:
    is_now = losses.now[losses.window]
    inside_now, inside_before = odd.inside & is_now, odd.inside & ~is_now
    count, rows_now, rows_before = int(inside_now.sum()), int(is_now.sum()), int((~is_now).sum())
    if count < max(FEWEST_ROWS, LEAST_SHARE * rows_now):
        return None
    before = float(losses.loss[~is_now].mean())
    added = float((losses.loss[inside_now] - before).sum()) / rows_now
    excess = added - float((losses.loss[inside_before] - before).sum()) / rows_before
    chance = looked * max(_chance_of_share(losses, odd.inside), _chance_of_loss(losses, inside_now))
    if excess <= 0 or chance >= SURE:
        return None
    worst = np.flatnonzero(inside_now)
    worst = worst[np.argsort(-losses.loss[worst], kind="stable")[:EXAMPLES]]
    return Segment(
        name=odd.name,
        columns=(odd.column,),
        rows=count,
        share_before=float(inside_before.sum()) / rows_before,
        share_now=count / rows_now,
        loss_before=float(losses.loss[inside_before].mean()) if inside_before.any() else None,
        loss_now=float(losses.loss[inside_now].mean()),
        excess=excess,
        p_value=min(1.0, chance),
        worst=tuple(worst.tolist()),
    )


def _chance_of_share(losses: Losses, inside: Array) -> float:
    """Return how often so many odd rows come by chance: by the spread between windows, binomial at least."""
    shares = np.bincount(losses.window, weights=inside, minlength=len(losses.now)) / losses.totals
    before, now = shares[~losses.now], shares[losses.now]
    rows_before, rows_now = losses.totals[~losses.now].sum(), losses.totals[losses.now].sum()
    usual = (float(before @ losses.totals[~losses.now]) + 1) / (rows_before + 2)
    variance = usual * (1 - usual) * (1 / rows_before + 1 / rows_now)
    if losses.by_windows:
        variance = max(variance, float(before.var(ddof=1)) * (1 / len(before) + 1 / len(now)))
    share = float(now @ losses.totals[losses.now]) / rows_now
    return _upper_tail((share - usual) / math.sqrt(variance), losses)


def _chance_of_loss(losses: Losses, inside_now: Array) -> float:
    """Return how often rows are so far off by chance: by the spread of their losses and of windows before."""
    before = losses.loss[~losses.now[losses.window]]
    odd = losses.loss[inside_now]
    variance = float(odd.var(ddof=1)) / len(odd) + float(before.var(ddof=1)) / len(before)
    if losses.by_windows:
        means = np.bincount(losses.window, weights=losses.loss, minlength=len(losses.now)) / losses.totals
        windows = len(np.unique(losses.window[inside_now]))
        variance += float(means[~losses.now].var(ddof=1)) * (1 / windows + 1 / int((~losses.now).sum()))
    rise = float(odd.mean() - before.mean())
    if variance <= 0:
        return 0.0 if rise > 0 else 1.0
    return _upper_tail(rise / math.sqrt(variance), losses)


def _upper_tail(t: float, losses: Losses) -> float:
    from scipy.special import stdtr  # heavy: not before it is needed

    degrees = int((~losses.now).sum()) - 1 if losses.by_windows else len(losses.loss) - 2
    return float(stdtr(degrees, -t))
