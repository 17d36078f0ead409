"""Which rows a fall in performance sits in: a search over ranges and categories of every column, and pairs of columns.

Every row has a loss. In a window, a segment's excess is its share of the rows times how much its loss is above the
window's mean; a segment explains a rise of the loss if its excess is greater in the windows of now than before: because
it became worse than the rest, or because it always was and became more frequent. Excesses of disjoint segments add up,
so that all ranges of a column cost one pass over its rows.

Rows of one window share its weather: the error of an excess is the spread between windows, where there are four before
at least, else that between rows. P-values are for all segments looked at together: of the greatest t when the windows
of now are drawn by chance (Westfall and Young, Resampling-based multiple testing, 1993), or Student's times the number
of segments (Bonferroni), twice the smaller one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.profiles import ColumnBinning
from modelops_jupyter.profiles.binning import edge_texts, text

Array = np.ndarray[Any, Any]
LEAST_SHARE, FEWEST_ROWS, FEWEST_WINDOWS = 0.01, 30, 4
DRAWS, SURER = 999, 1.15
MOST_CATEGORIES = 30
EXAMPLES = 5
PAIRED_COLUMNS = 6


@dataclass(frozen=True)
class Segment:
    """A segment and what it adds to a rise of the loss.

    Attributes
    ----------
    name : str
        As ``precip > 0`` or ``origin=JFK``; pairs are joined by " and ".
    share_before, share_now : float
        Of the rows.
    loss_before, loss_now : float or None
        Mean loss of its rows; None where there are none.
    excess : float
        What it adds to the rise of the mean loss beyond its due.
    p_value : float
        Chance of so sure a segment among all that were looked at.
    worst : tuple of int
        Places of its rows of now with the greatest losses, five at most, the greatest first.
    """

    name: str
    columns: tuple[str, ...]
    rows: int
    share_before: float
    share_now: float
    loss_before: float | None
    loss_now: float | None
    excess: float
    p_value: float
    worst: tuple[int, ...] = ()


@dataclass(frozen=True)
class Cut:
    """A column cut into bins: each row's bin, the bins' names, and the edges where neighbours may be joined to ranges.

    `lonely`: the first bin alone is a segment.
    """

    column: str
    bins: Array
    names: tuple[str, ...]
    edges: tuple[float, ...] = ()
    lonely: bool = False

    @property
    def candidates(self) -> list[tuple[int, int]]:
        """First and last bin of every segment of the column; missing values are the last bin, by themselves."""
        count = len(self.names)
        if self.lonely:
            return [(0, 0)]
        if not self.edges:
            return [(n, n) for n in range(count)]
        ranges = [(a, b) for a in range(count - 1) for b in range(a, count - 1) if b - a < count - 2]
        return [*ranges, (count - 1, count - 1)]

    def name(self, first: int, last: int) -> str:
        """Return a segment in words."""
        if first == last and (not self.edges or last == len(self.names) - 1):
            return self.names[first]
        edges = edge_texts(self.edges)
        low = None if first == 0 else edges[first - 1]
        high = None if last == len(edges) else edges[last]
        if low is None:
            return f"{self.column} <= {high}"
        return f"{self.column} > {low}" if high is None else f"{low} < {self.column} <= {high}"


@dataclass(frozen=True)
class Losses:
    """Loss of every row, the number of its window, and which windows are to be explained (bool, a flag per window)."""

    loss: Array
    window: Array
    now: Array

    def sums(self, cut: Cut) -> Sums:
        """Return the rows' losses summed by bin and window."""
        windows, count = len(self.now), len(cut.names)
        means = np.bincount(self.window, weights=self.loss, minlength=windows) / self.totals
        centred = self.loss - means[self.window]
        place = cut.bins * windows + self.window
        tables = [
            np.bincount(place, weights=weights, minlength=count * windows).reshape(count, windows)
            for weights in (None, self.loss, centred, centred**2)
        ]
        return Sums(*tables)

    @cached_property
    def totals(self) -> Array:
        """Rows by window."""
        return np.maximum(np.bincount(self.window, minlength=len(self.now)), 1).astype(float)

    @cached_property
    def draws(self) -> Array:
        """Which windows might have been those of now, by chance: a row per draw."""
        generator = np.random.default_rng(0)
        return np.array([generator.permutation(self.now) for _ in range(DRAWS)])

    @property
    def by_windows(self) -> bool:
        """Whether there are windows enough to tell how much one differs from the next."""
        return int((~self.now).sum()) >= FEWEST_WINDOWS


@dataclass(frozen=True)
class Sums:
    """Rows, losses, losses less their window's mean, and squares of those, by segment and window."""

    rows: Array
    loss: Array
    excess: Array
    squares: Array

    def joined(self, candidates: Sequence[tuple[int, int]]) -> Sums:
        """Return the sums of ranges of bins."""
        first, last = np.array(candidates).T
        tables = []
        for table in (self.rows, self.loss, self.excess, self.squares):
            upto = np.vstack([np.zeros(table.shape[1]), np.cumsum(table, axis=0)])
            tables.append(upto[last + 1] - upto[first])
        return Sums(*tables)

    def of(self, kept: Array) -> Sums:
        """Return the sums of some of the segments."""
        return Sums(self.rows[kept], self.loss[kept], self.excess[kept], self.squares[kept])


@dataclass(frozen=True)
class _Tested:
    """Segments of one column: excess, t, the chance of as great a t for one of them alone, and t by draw."""

    cut: Cut
    candidates: tuple[tuple[int, int], ...]
    sums: Sums
    excess: Array
    t: Array
    alone: Array
    drawn: Array  # the greatest t of each draw

    @property
    def best(self) -> int:
        """The surest segment; the widest of those that are equally sure."""
        surest = np.flatnonzero(self.t >= self.t.max() - 1e-12)
        return int(max(surest, key=lambda n: self.candidates[n][1] - self.candidates[n][0]))


def find_segments(losses: Losses, cuts: Sequence[Cut], most: int = 10) -> tuple[Segment, ...]:
    """Return what explains a rise of the loss: the surest segment of each column and of each pair of columns.

    Segments of less than 1 % of all rows, or of fewer than 30, are not looked at; of pairs, those of the six columns
    that explain most alone, and only where they are surer than either of their columns.
    """
    tested = [found for cut in cuts if (found := _tested(losses, cut)) is not None]
    leading = sorted(tested, key=lambda found: -found.t.max())[:PAIRED_COLUMNS]
    for a, b in combinations(leading, 2):
        both = _tested(losses, _crossed(a, b))
        if both is not None and both.t.max() > max(a.t.max(), b.t.max()) * SURER:
            tested.append(both)
    if not tested:
        return ()
    looked = sum(len(found.t) for found in tested)
    greatest = np.max([found.drawn for found in tested], axis=0)
    segments = [_segment(one, losses, looked, greatest) for one in tested]
    sure = [segment for segment in segments if segment.p_value < 0.05 and segment.excess > 0]
    return tuple(sorted(sure, key=lambda segment: -segment.excess)[:most])


def _tested(losses: Losses, cut: Cut) -> _Tested | None:
    candidates = cut.candidates
    if not candidates:
        return None
    sums = losses.sums(cut).joined(candidates)
    large = np.flatnonzero(sums.rows.sum(1) >= max(FEWEST_ROWS, LEAST_SHARE * losses.totals.sum()))
    if not len(large):
        return None
    sums, candidates = sums.of(large), [candidates[n] for n in large]
    if losses.by_windows:
        excess, t, degrees = _by_windows(sums, losses.totals, losses.now[None])
        drawn = _by_windows(sums, losses.totals, losses.draws)[1].max(1)
        excess, t = excess[0], t[0]
    else:
        excess, t, degrees = _by_rows(sums, losses)
        drawn = np.zeros(DRAWS)
    from scipy.stats import t as student  # heavy: not before it is needed

    return _Tested(cut, tuple(candidates), sums, excess, t, student.sf(t, degrees), drawn)


def _by_windows(sums: Sums, totals: Array, now: Array) -> tuple[Array, Array, float]:
    """Return excess and t of every choice of windows (rows of `now`) and segment, by the spread between windows."""
    shares = (sums.excess / totals).T
    chosen = now.astype(float)
    n = chosen.sum(1, keepdims=True)
    m = now.shape[1] - n
    of_now, all_of = chosen @ shares, shares.sum(0)
    excess = of_now / n - (all_of - of_now) / m
    within = (shares**2).sum(0) - of_now**2 / n - (all_of - of_now) ** 2 / m
    degrees = now.shape[1] - 2
    error = np.sqrt(np.maximum(within, 0) / degrees * (1 / n + 1 / m))
    return excess, np.divide(excess, error, out=np.zeros_like(excess), where=error > 1e-15), degrees


def _by_rows(sums: Sums, losses: Losses) -> tuple[Array, Array, float]:
    """Return excess and t of every segment by the spread between rows: of too few windows to know theirs."""
    sides = [(side, losses.totals[side].sum()) for side in (~losses.now, losses.now)]
    before, now = (sums.excess[:, side].sum(1) / n for side, n in sides)
    error = np.sqrt(sum(sums.squares[:, side].sum(1) / n**2 for side, n in sides))
    t = np.divide(now - before, error, out=np.zeros(len(now)), where=error > 0)
    return now - before, t, float(losses.totals.sum() - 2)


def _crossed(a: _Tested, b: _Tested) -> Cut:
    """Return the rows inside the best segments of two columns as the one segment of a cut."""
    inside, names = np.ones(len(a.cut.bins), dtype=bool), []
    for one in (a, b):
        first, last = one.candidates[one.best]
        inside &= (one.cut.bins >= first) & (one.cut.bins <= last)
        names.append(one.cut.name(first, last))
    return Cut(f"{a.cut.column}\n{b.cut.column}", np.where(inside, 0, 1), (" and ".join(names), ""), lonely=True)


def _segment(one: _Tested, losses: Losses, looked: int, greatest: Array) -> Segment:
    best = one.best
    rows, lost = one.sums.rows[best], one.sums.loss[best]
    sides = (~losses.now, losses.now)
    (rows_before, loss_before), (rows_now, loss_now) = ((rows[s].sum(), lost[s].sum()) for s in sides)
    by_bonferroni = float(one.alone[best]) * looked
    by_draws = (1 + float((greatest >= one.t[best]).sum())) / (1 + DRAWS)
    p_value = 2 * min(by_bonferroni, by_draws) if losses.by_windows else by_bonferroni
    return Segment(
        name=one.cut.name(*one.candidates[best]),
        columns=tuple(one.cut.column.split("\n")),
        rows=int(rows_now),
        share_before=float(rows_before / losses.totals[~losses.now].sum()),
        share_now=float(rows_now / losses.totals[losses.now].sum()),
        loss_before=float(loss_before / rows_before) if rows_before else None,
        loss_now=float(loss_now / rows_now) if rows_now else None,
        excess=float(one.excess[best]),
        p_value=min(1.0, p_value),
        worst=_worst(one, losses),
    )


def _worst(one: _Tested, losses: Losses) -> tuple[int, ...]:
    first, last = one.candidates[one.best]
    inside = np.flatnonzero((one.cut.bins >= first) & (one.cut.bins <= last) & losses.now[losses.window])
    order = np.argsort(-losses.loss[inside], kind="stable")[:EXAMPLES]
    return tuple(inside[order].tolist())


def cut_columns(table: pa.Table, binnings: Mapping[str, ColumnBinning], columns: Iterable[str]) -> list[Cut]:
    """Cut the columns of a table: numbers at the coarse edges of the binning, texts by category."""
    found = []
    for name in columns:
        if name in table.column_names and name in binnings:
            cut = _numbers(name, table[name], binnings[name]) or _categories(name, table[name], binnings[name])
            if cut is not None:
                found.append(cut)
    return found


def _numbers(name: str, values: pa.ChunkedArray, binning: ColumnBinning) -> Cut | None:
    if binning.kind != "numeric" or not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        return None
    edges = tuple(binning.edges[place] for place in binning.coarse)
    numbers = values.cast(pa.float64(), safe=False).to_numpy()
    bins = np.searchsorted(np.asarray(edges), numbers, side="left") if edges else np.zeros(len(numbers), dtype=int)
    bins = np.where(np.isfinite(numbers), bins, len(edges) + 1)
    shown = edge_texts(edges)
    inner = [f"{low} to {high}" for low, high in pairwise(shown)]
    names = (f"up to {shown[0]}", *inner, f"over {shown[-1]}") if shown else ("any",)
    return Cut(name, bins, (*names, f"{name} is missing"), edges)


def _categories(name: str, values: pa.ChunkedArray, binning: ColumnBinning) -> Cut | None:
    if binning.kind != "category" or not binning.categories:
        return None
    kept = binning.categories[:MOST_CATEGORIES]
    words = text(values)
    place = pc.fill_null(pc.index_in(words, value_set=pa.array(kept, pa.string())), len(kept)).to_numpy()
    missing = pc.is_null(words).to_numpy()
    bins = np.where(missing, len(kept) + 1, place)
    return Cut(name, bins, (*(f"{name}={word}" for word in kept), f"{name} is another", f"{name} is missing"))
