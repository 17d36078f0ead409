"""Profiles: the mergeable summary of one window, and the reference that it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelops_jupyter.profiles.binning import Binning, ColumnBinning
from modelops_jupyter.profiles.column import ColumnProfile
from modelops_jupyter.profiles.columns import ColumnCounts, columns_from_dict, columns_to_dict, counts_from_dict
from modelops_jupyter.profiles.outcomes import Outcomes
from modelops_jupyter.profiles.sampling import Sample

FORMAT = 3
_DERIVED = ("source", "descriptor", "vocabulary", "zone")  # of derived columns alone


@dataclass(frozen=True)
class Counts:
    """What windows looked at together need of each: the counts of every column.

    Attributes
    ----------
    columns : mapping of str to array
        See `ColumnProfile.all_counts`.
    """

    columns: ColumnCounts

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Counts:
        """Read them of what `Profile.to_dict` wrote."""
        return cls(counts_from_dict(body["columns"]))


@dataclass(frozen=True)
class Profile:
    """The summary of some rows.

    Attributes
    ----------
    versions : mapping of int to int
        Rows by model version.
    first, last : int or None
        Microseconds since 1970 (UTC) of the earliest and latest prediction.
    sample : Sample
        Some of the rows; none where nobody asked for them.
    """

    rows: int
    versions: Mapping[int, int]
    columns: Mapping[str, ColumnProfile]
    outcomes: Outcomes = field(default_factory=Outcomes)
    first: int | None = None
    last: int | None = None
    sample: Sample = field(default_factory=Sample)

    @property
    def counts(self) -> Counts:
        """What the profile adds to those of other windows."""
        return Counts({name: column.all_counts for name, column in self.columns.items()})

    @property
    def served(self) -> int | None:
        """The version that served most rows, and so lent its binning."""
        return max(self.versions, key=lambda v: (self.versions[v], v)) if self.versions else None

    def __add__(self, other: Profile) -> Profile:
        if set(self.columns) != set(other.columns):
            raise ValueError("Profiles of different columns do not add up.")
        versions = dict(self.versions)
        for version, rows in other.versions.items():
            versions[version] = versions.get(version, 0) + rows
        columns = {name: column + other.columns[name] for name, column in self.columns.items()}
        times = [time for time in (self.first, self.last, other.first, other.last) if time is not None]
        return Profile(
            self.rows + other.rows,
            versions,
            columns,
            self.outcomes + other.outcomes,
            min(times, default=None),
            max(times, default=None),
            self.sample + other.sample,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the profile as JSON data."""
        return {
            "format": FORMAT,
            "rows": self.rows,
            "versions": {str(k): v for k, v in sorted(self.versions.items())},
            "columns": columns_to_dict(self.columns),
            "outcomes": self.outcomes.to_dict(),
            "first": self.first,
            "last": self.last,
            **({"sample": self.sample.to_dict()} if self.sample.most else {}),
        }

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Profile:
        """Read what `to_dict` wrote."""
        return cls(
            rows=body["rows"],
            versions={int(k): v for k, v in body["versions"].items()},
            columns=columns_from_dict(body["columns"]),
            outcomes=Outcomes.from_dict(body["outcomes"]),
            first=body["first"],
            last=body["last"],
            sample=_sample_of(body),
        )


def _sample_of(body: Mapping[str, Any]) -> Sample:
    return Sample.from_dict(body["sample"]) if "sample" in body else Sample()


def merge(a: Profile, b: Profile) -> Profile:
    """Return the profile of both sets of rows; associative and commutative up to rounding of the sums."""
    return a + b


@dataclass(frozen=True)
class Reference:
    """What a version was validated on: the binning, and the profile of those rows under it.

    Attributes
    ----------
    segments : mapping of str to mapping of str to Profile
        By column, then by segment name: what each slice of those rows was. Kept on record apart, as most readers of a
        reference need none of them; `to_dict` leaves them out.
    """

    binning: Binning
    profile: Profile
    segments: Mapping[str, Mapping[str, Profile]] = field(default_factory=dict)

    def of_segment(self, column: str, segment: str) -> Reference:
        """Return the reference of one segment: the same binning, the profile of its rows."""
        return Reference(self.binning, self.segments[column][segment])

    def to_dict(self) -> dict[str, Any]:
        """Return the reference as JSON data."""
        columns = {name: _column_dict(column) for name, column in self.binning.columns.items()}
        binning = {
            "task": self.binning.task,
            "positive": self.binning.positive,
            "columns": columns,
            "errors": list(self.binning.errors),
            "left_out": dict(self.binning.left_out),
        }
        return {"format": FORMAT, "binning": binning, "profile": self.profile.to_dict()}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Reference:
        """Read what `to_dict` wrote."""
        binning = body["binning"]
        columns = {
            name: ColumnBinning(
                c["kind"],
                tuple(c["edges"]),
                tuple(c["coarse"]),
                c["pivot"],
                c["scale"],
                tuple(c["categories"]),
                **{word: c[word] for word in _DERIVED if word in c},
            )
            for name, c in binning["columns"].items()
        }
        return cls(
            Binning(
                binning["task"],
                binning["positive"],
                columns,
                tuple(binning["errors"]),
                binning.get("left_out", {}),  # of versions registered before columns were left out there is none
            ),
            Profile.from_dict(body["profile"]),
        )


def segments_to_dict(segments: Mapping[str, Profile]) -> dict[str, Any]:
    """Return the profiles of a column's segments as JSON data."""
    return {name: profile.to_dict() for name, profile in segments.items()}


def segments_from_dict(body: Mapping[str, Any]) -> dict[str, Profile]:
    """Read what `segments_to_dict` wrote."""
    return {name: Profile.from_dict(profile) for name, profile in body.items()}


def _column_dict(column: ColumnBinning) -> dict[str, Any]:
    return {
        "kind": column.kind,
        "edges": list(column.edges),
        "coarse": list(column.coarse),
        "pivot": column.pivot,
        "scale": column.scale,
        "categories": list(column.categories),
        **{word: value for word in _DERIVED if (value := getattr(column, word))},
    }
