"""How columns hang together, from samples of rows: what no column's own distribution shows.

Of two numbers their rank correlation, each ranked among the rows looked at. Of other pairs, the mean over the rows of
the pointwise mutual information that the reference's rows had (Church and Hanks 1990), less what it would be if the
columns of the rows looked at were independent. Neither is moved by a shift of a single column. The bonds of a column
are one figure: that of the partner whose bond changed most in its standard errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures.deciding import exceeds, first_greatest, settled
from modelops_jupyter.monitoring.figures.dependence_tails import influences_of_ranks, normal_scores, null_shares
from modelops_jupyter.monitoring.figures.figure import FEWEST_ROWS, Figure, figure
from modelops_jupyter.profiles import Reference
from modelops_jupyter.profiles.sampling import LEVELS, MISSING, OTHER, sampled_columns

Array = np.ndarray[Any, Any]
# So many pairs that are not both numbers are followed, those of the closest bond; and for unseen combinations, of all.
MOST_PAIRS, MOST_COMBINED = 20, 40
# Rows as if columns were independent: rare cells must not look like bonds.
PRIOR_ROWS = 50.0
# Twenty bins of numbers are five levels here, and the missing.
BINS_OF_A_LEVEL = 4
# Spearman's correlation strays by this much more than Pearson's (Bonett and Wright, Psychometrika 2000).
_SPEARMAN = 1.06
_CLOSEST = 0.999
# From so many standard errors on a change is looked into: the normal distribution is no guide to its tail.
DOUBTED = 3.0
LEAST_SCORE = 0.1
_SIDES = (("pb", "pa", 1), ("pa", "pb", 0))


@dataclass(frozen=True)
class Bond:
    """How far a column's bond with `partner` is from the reference's; `looked_at` is its number of partners.

    `change` is in standard deviations of the product of ranks, or of the mutual information, over rows.
    """

    change: float
    error: float
    partner: str
    looked_at: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as a window keeps it: a figure, with the partner's name where it has one."""
        known = figure(abs(self.change), error=self.error, degrees=self.looked_at).to_dict()
        return {**known, "with": self.partner} if self.partner else known


class Bonds:
    """The bonds of a reference's columns, made ready once."""

    def __init__(self, reference: Reference) -> None:
        codes = reference.profile.sample.table
        self.names = sampled_columns(reference.profile.columns) if len(codes) >= FEWEST_ROWS else ()
        kinds = [reference.profile.columns[name].kind == "numeric" for name in self.names]
        self.numeric = np.flatnonzero(kinds)
        self._coarse = np.array([BINS_OF_A_LEVEL if number else 1 for number in kinds])
        self.rows, self.unseen_before = len(codes), 0
        if not self.names:
            return
        levels = self._levels(codes)
        learned, tested = levels[::2], levels[1::2]
        pairs = _closest(learned, list(combinations(range(len(self.names)), 2)), MOST_COMBINED)
        self.combined = np.array(pairs, dtype=int).reshape(-1, 2)
        self._seen = _tables(levels, self.combined)
        # Rows that are the only ones of a combination: what one row more is expected to bring (Good 1953).
        self.unseen_before = int((self._counts(levels) == 1).any(axis=1).sum())
        mixed = [pair for pair in pairs if not (kinds[pair[0]] and kinds[pair[1]])][:MOST_PAIRS]
        self.mixed = np.array(mixed, dtype=int).reshape(-1, 2)
        self._scores = _information(_tables(learned, self.mixed))
        self._codes = codes[:, self.numeric].astype(int)
        self._correlations, _ = _ranked(self._codes)
        self._mixed_tables = _tables(levels, self.mixed)
        self._information, self._spread = self._bound(tested)
        self._tested = len(tested)

    def _levels(self, codes: Array) -> Array:
        """Return coarser codes; a missing value stays one."""
        levels: Array = np.where(codes == MISSING, MISSING, codes // self._coarse).astype(int)
        return levels

    def changes(self, codes: Array) -> dict[str, Bond]:
        """Return the bond of each column that changed most; none where rows or partners are too few."""
        if len(codes) < FEWEST_ROWS or not self.names:
            return {}
        found: dict[int, list[Bond]] = {}
        for column, bond in (*self._of_numbers(codes), *self._of_mixed(codes)):
            found.setdefault(column, []).append(bond)
        return {self.names[column]: _greatest(bonds) for column, bonds in sorted(found.items())}

    def _of_numbers(self, codes: Array) -> list[tuple[int, Bond]]:
        """Return for each number the change of its correlation with the number where it is greatest."""
        now, both = _ranked(codes[:, self.numeric])
        usual = self._correlations
        paired = np.maximum(both * self.rows / (both + self.rows), 1.0)
        # On Fisher's scale correlations are normal (Biometrika 1915), close ones too: errors are those over which a
        # change is as many standard errors as it is there. Where nothing changed they are those of small changes.
        stretched = np.abs(np.arctanh(now.clip(-_CLOSEST, _CLOSEST)) - np.arctanh(usual.clip(-_CLOSEST, _CLOSEST)))
        slopes = np.where(stretched > 1e-6, np.abs(now - usual) / np.maximum(stretched, 1e-6), 1 - usual**2)
        errors = slopes.clip(0.02) * np.sqrt(_SPEARMAN * (1 + usual**2 / 2) / paired)
        known = both >= FEWEST_ROWS
        np.fill_diagonal(known, False)
        sizes = np.where(known, np.abs(now - usual) / errors, -1.0)
        doubted = np.nonzero(np.triu(sizes, 1) > DOUBTED)
        if len(doubted[0]):
            changes, rows = (now - usual)[doubted], both[doubted]
            scores = self._scores_of_numbers(codes[:, self.numeric].astype(int), doubted, changes, rows)
            errors[doubted] = np.maximum(errors[doubted], np.abs(changes) / scores)
            errors[doubted[::-1]] = errors[doubted]
            sizes = np.where(known, np.abs(now - usual) / errors, -1.0)
        found = []
        for i in np.flatnonzero(known.any(axis=1)).tolist():
            j = first_greatest(sizes[i])
            partner = self.names[int(self.numeric[j])]
            bond = Bond(float(now[i, j] - usual[i, j]), float(errors[i, j]), partner, int(known[i].sum()))
            found.append((int(self.numeric[i]), bond))
        return found

    def _scores_of_numbers(self, codes: Array, at: tuple[Array, ...], changes: Array, both: Array) -> Array:
        """Return the normal scores of changes of the correlations of pairs of numbers."""
        pairs = np.column_stack(at)
        before, now = (_tables(side, pairs)[:, :OTHER, :OTHER] for side in (self._codes, codes))  # none that is missing
        top = int(np.flatnonzero((before + now).sum((0, 1)) + (before + now).sum((0, 2)))[-1]) + 1
        before, now = before[:, :top, :top], now[:, :top, :top]
        margins = [now.sum(axis) / np.maximum(now.sum((1, 2)), 1.0)[:, None] for axis in (2, 1)]
        shares = null_shares(before, *margins)
        influences = influences_of_ranks(shares)
        spread = np.sqrt((shares * influences**2).sum((1, 2)) / np.maximum(before.sum((1, 2)), 1.0))
        return np.maximum(normal_scores(changes, influences, shares, both, spread), LEAST_SCORE)

    def _of_mixed(self, codes: Array) -> list[tuple[int, Bond]]:
        """Return the change of every other pair's bond, for both of its columns."""
        values, spread = self._bound(self._levels(codes))
        scale = np.maximum(self._spread, 1e-9)
        chance = np.maximum(spread, self._spread / 2) ** 2 / len(codes) + self._spread**2 / self._tested
        changes, errors = (values - self._information) / scale, np.sqrt(chance) / scale
        doubted = np.flatnonzero(np.abs(changes) > DOUBTED * errors)
        if len(doubted):
            found_scores = self._scores_of_mixed(self._levels(codes), doubted, (values - self._information)[doubted])
            errors[doubted] = np.maximum(errors[doubted], np.abs(changes[doubted]) / found_scores)
        varies = exceeds(np.sqrt(chance), 0.0)
        found = []
        for pair in np.flatnonzero(varies).tolist():
            (a, b), change, error = self.mixed[pair].tolist(), float(changes[pair]), float(errors[pair])
            found += [(a, Bond(change, error, self.names[b], 1)), (b, Bond(change, error, self.names[a], 1))]
        return found

    def _scores_of_mixed(self, levels: Array, pairs: Array, changes: Array) -> Array:
        """Return the normal scores of changes of the mutual information of other pairs."""
        now = _tables(levels, self.mixed[pairs])
        margins = [now.sum(axis) / len(levels) for axis in (2, 1)]
        shares = null_shares(self._mixed_tables[pairs], *margins)
        scores = self._scores[pairs]
        left, right = (np.einsum(f"pab,{side}->{kept}", scores, margins[n]) for side, kept, n in _SIDES)
        terms = scores - left[:, :, None] - right[:, None, :]
        terms = terms - (shares * terms).sum((1, 2), keepdims=True)
        before = self._spread[pairs] / math.sqrt(self._tested)
        rows = np.full(len(pairs), float(len(levels)))
        return np.maximum(normal_scores(changes, terms, shares, rows, before), LEAST_SCORE)

    def _bound(self, levels: Array) -> tuple[Array, Array]:
        """Return the mean information of each mixed pair beyond independence, and its spread over rows."""
        if not len(self.mixed):
            return np.zeros(0), np.zeros(0)
        left, right = levels[:, self.mixed[:, 0]], levels[:, self.mixed[:, 1]]
        place = np.arange(len(self.mixed))
        shares = np.stack([np.bincount(column, minlength=LEVELS) for column in levels.T]) / len(levels)
        of_left = np.einsum("pab,pb->pa", self._scores, shares[self.mixed[:, 1]])
        of_right = np.einsum("pab,pa->pb", self._scores, shares[self.mixed[:, 0]])
        middle = np.einsum("pa,pa->p", of_left, shares[self.mixed[:, 0]])
        terms = self._scores[place, left, right] - of_left[place, left] - of_right[place, right] + middle
        return terms.mean(axis=0), terms.std(axis=0)

    def unseen(self, codes: Array) -> tuple[Figure, str]:
        """Return the share of rows with a pair of values that no row of the reference has, and the pair with most."""
        if len(codes) < FEWEST_ROWS or not self.names or not len(self.combined):
            return Figure(None, "too few sampled rows"), ""
        new = self._counts(self._levels(codes)) == 0  # what is missing, or in no common category, is told by itself
        a, b = self.combined[int(new.sum(axis=0).argmax())].tolist()
        return figure(float(new.any(axis=1).mean()), degrees=len(codes)), f"{self.names[a]} and {self.names[b]}"

    def _counts(self, levels: Array) -> Array:
        """Return how many of the reference's rows have each row's combinations, of shape (rows, pairs)."""
        left, right = levels[:, self.combined[:, 0]], levels[:, self.combined[:, 1]]
        known = (left < OTHER) & (right < OTHER)
        counts: Array = np.where(known, self._seen[np.arange(len(self.combined)), left, right], np.inf)
        return counts


def _greatest(bonds: list[Bond]) -> Bond:
    """Return the bond that changed most in its standard errors, out of all that were looked at."""
    best = bonds[first_greatest(np.array([abs(bond.change) / bond.error for bond in bonds]))]
    return replace(best, looked_at=sum(bond.looked_at for bond in bonds))


def _tables(levels: Array, pairs: Array) -> Array:
    """Return the counts of each pair's combinations, of shape (pairs, LEVELS, LEVELS)."""
    cells = LEVELS * LEVELS
    found = [np.bincount(levels[:, a] * LEVELS + levels[:, b], minlength=cells) for a, b in pairs.tolist()]
    return np.array(found, dtype=float).reshape(-1, LEVELS, LEVELS)


def _information(tables: Array) -> Array:
    """Return the pointwise mutual information of each cell, drawn towards none where rows are few."""
    rows = np.maximum(tables.sum((1, 2), keepdims=True), 1.0)
    alone = tables.sum(2, keepdims=True) * tables.sum(1, keepdims=True) / rows**2
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.log((tables + PRIOR_ROWS * alone) / ((rows + PRIOR_ROWS) * alone))
    return np.where(alone > 0, scores, 0.0)


def _closest(levels: Array, pairs: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Return the pairs of most mutual information, its bias by chance taken off (Miller 1955)."""
    tables = _tables(levels, np.array(pairs, dtype=int).reshape(-1, 2))
    rows = max(len(levels), 1)
    information = (tables / rows * _information(tables)).sum((1, 2))
    degrees = ((tables.sum(2) > 0).sum(1) - 1) * ((tables.sum(1) > 0).sum(1) - 1)
    most_first = [-settled(value) for value in (information - degrees / (2 * rows)).tolist()]
    order = sorted(range(len(pairs)), key=most_first.__getitem__)[:most]
    return [pairs[number] for number in order]


def _ranked(codes: Array) -> tuple[Array, Array]:
    """Return Spearman's correlations of columns of codes, and how many rows have both values."""
    values = np.ascontiguousarray(codes.T)
    scores, present = np.zeros(values.shape), values != MISSING
    for row, (column, known) in enumerate(zip(values, present, strict=True)):
        counts = np.bincount(column, minlength=LEVELS)
        counts[MISSING] = 0
        total = counts.sum()
        if not total:
            continue
        middle = (np.cumsum(counts) - counts / 2) / total - 0.5
        spread = np.sqrt((counts * middle**2).sum() / total)
        if exceeds(spread, 0.0):
            scores[row] = np.where(known, middle[column] / spread, 0.0)
    # No BLAS: its threads, waiting for each other on busy cores, cost a hundred times such small products.
    both = np.full((len(values), len(values)), float(len(codes)))
    if not present.all():
        both = np.einsum("ir,jr->ij", present.astype(float), present.astype(float))
    correlations = np.einsum("ir,jr->ij", scores, scores) / np.maximum(both, 1.0)
    return correlations.clip(-1, 1), both
