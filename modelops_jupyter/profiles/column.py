"""The mergeable summary of one column."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
SAMPLED_CATEGORIES = 32
HASHES = 2.0**64


@dataclass(frozen=True)
class UnseenCategory:
    """A category that the reference does not have: its 64-bit hash, its text (cut), how often it came."""

    hash: int
    text: str
    count: int


@dataclass(frozen=True)
class ColumnProfile:
    """One column of some rows.

    Attributes
    ----------
    n : int
        Rows.
    nulls, nan, infinite, zeros : int
    minimum, maximum : float or None
        Of the finite values; None where there is none.
    powers : tuple of float
        Sums of z, z², z³, z⁴ over the finite values, z = (x - pivot) / scale of the binning.
    counts : tuple of int
        Finite values by fine bin, or rows by category.
    unseen : int
        Rows of no category of the reference.
    others : tuple of UnseenCategory
        Those of the 32 smallest hashes, with their exact counts: what a union keeps depends on the union alone.
    mistyped : int
        Rows with a value of another type than the reference's column.
    characters, shortest, longest : int
        Lengths of texts: their sum, least and greatest.
    """

    kind: str
    n: int
    nulls: int
    counts: tuple[int, ...]
    nan: int = 0
    infinite: int = 0
    zeros: int = 0
    minimum: float | None = None
    maximum: float | None = None
    powers: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    unseen: int = 0
    others: tuple[UnseenCategory, ...] = ()
    characters: int = 0
    shortest: int | None = None
    longest: int | None = None
    mistyped: int = 0

    @property
    def all_counts(self) -> Array:
        """The counts by fine bin; by category with the unseen ones as the last."""
        return np.array([*self.counts, self.unseen] if self.kind == "category" else self.counts, dtype="int64")

    @property
    def missing(self) -> int:
        """Rows without a usable value."""
        return self.nulls + self.nan + self.infinite

    @property
    def distinct(self) -> float | None:
        """Number of categories that came: exact up to 32 unseen ones, beyond that an estimate (Beyer et al. 2007)."""
        if self.kind != "category":
            return None
        known = sum(count > 0 for count in self.counts)
        if len(self.others) < SAMPLED_CATEGORIES:
            return float(known + len(self.others))
        return known + (SAMPLED_CATEGORIES - 1) / ((self.others[-1].hash + 1) / HASHES)

    def __add__(self, other: ColumnProfile) -> ColumnProfile:
        if self.kind != other.kind or len(self.counts) != len(other.counts):
            raise ValueError("Profiles of different binnings do not add up.")
        powers = [math.fsum(pair) for pair in zip(self.powers, other.powers, strict=True)]
        return ColumnProfile(
            kind=self.kind,
            n=self.n + other.n,
            nulls=self.nulls + other.nulls,
            counts=tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)),
            nan=self.nan + other.nan,
            infinite=self.infinite + other.infinite,
            zeros=self.zeros + other.zeros,
            minimum=_least(self.minimum, other.minimum),
            maximum=_greatest(self.maximum, other.maximum),
            powers=(powers[0], powers[1], powers[2], powers[3]),
            unseen=self.unseen + other.unseen,
            others=merge_others(self.others, other.others),
            characters=self.characters + other.characters,
            shortest=_least(self.shortest, other.shortest),
            longest=_greatest(self.longest, other.longest),
            mistyped=self.mistyped + other.mistyped,
        )


def merge_others(a: tuple[UnseenCategory, ...], b: tuple[UnseenCategory, ...]) -> tuple[UnseenCategory, ...]:
    """Return the 32 smallest hashes of both with added counts.

    A hash among the 32 smallest of a union is among the 32 smallest of each part it is in, so its count is exact and
    the merge is associative and commutative.
    """
    found: dict[int, UnseenCategory] = {}
    for other in (*a, *b):
        before = found.get(other.hash)
        count = other.count + (before.count if before else 0)
        found[other.hash] = UnseenCategory(other.hash, other.text, count)
    return tuple(found[key] for key in sorted(found)[:SAMPLED_CATEGORIES])


def _least(a: Any, b: Any) -> Any:
    known = [value for value in (a, b) if value is not None]
    return min(known) if known else None


def _greatest(a: Any, b: Any) -> Any:
    known = [value for value in (a, b) if value is not None]
    return max(known) if known else None
