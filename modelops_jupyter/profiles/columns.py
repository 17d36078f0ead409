"""The columns of a profile as one body: numbers of a kind side by side, packed, so that a window is some kilobytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from modelops_jupyter.profiles.column import ColumnProfile, UnseenCategory
from modelops_jupyter.profiles.packing import pack, unpack

Array = np.ndarray[Any, Any]
# By column: of numbers by fine bin, of texts by category, the unseen ones last.
ColumnCounts = Mapping[str, Array]
_WHOLE = ("n", "nulls", "nan", "infinite", "zeros", "unseen", "mistyped", "characters")
_LENGTHS = ("shortest", "longest")  # None is -1 on record
_ENDS = ("minimum", "maximum")  # None is NaN on record


def columns_to_dict(columns: Mapping[str, ColumnProfile]) -> dict[str, Any]:
    """Return the profiles of columns as JSON data."""
    profiles = list(columns.values())
    lengths = [[-1 if (v := getattr(p, name)) is None else v for name in _LENGTHS] for p in profiles]
    ends = [[np.nan if (v := getattr(p, name)) is None else v for name in _ENDS] for p in profiles]
    others = {
        name: [[other.hash, other.text, other.count] for other in column.others]
        for name, column in columns.items()
        if column.others
    }
    return {
        "names": list(columns),
        "kinds": "".join(p.kind[0] for p in profiles),
        "bins": pack(np.array([len(p.counts) for p in profiles], dtype="int64")),
        "counts": pack(np.array([count for p in profiles for count in p.counts], dtype="int64")),
        "whole": pack(np.array([[getattr(p, name) for name in _WHOLE] for p in profiles], dtype="int64")),
        "lengths": pack(np.array(lengths, dtype="int64")),
        "ends": pack(np.array(ends, dtype="float64")),
        "powers": pack(np.array([p.powers for p in profiles], dtype="float64")),
        "others": others,
    }


def counts_from_dict(body: Mapping[str, Any]) -> ColumnCounts:
    """Read what `columns_to_dict` wrote of the counts alone: see `ColumnProfile.all_counts`."""
    texts = np.array([kind == "c" for kind in body["kinds"]], dtype=bool)
    bins = unpack(body["bins"])
    ends = np.cumsum(bins)
    unseen = unpack(body["whole"]).reshape(-1, len(_WHOLE))[texts, _WHOLE.index("unseen")]
    counts = np.insert(unpack(body["counts"]), ends[texts], unseen)
    ends = np.cumsum(bins + texts).tolist()
    return {name: counts[start:end] for name, start, end in zip(body["names"], [0, *ends], ends, strict=False)}


def columns_from_dict(body: Mapping[str, Any]) -> dict[str, ColumnProfile]:
    """Read what `columns_to_dict` wrote."""
    names = body["names"]
    bins = unpack(body["bins"])
    counts = unpack(body["counts"]).tolist()
    whole = unpack(body["whole"]).reshape(len(names), len(_WHOLE)).tolist()
    lengths = unpack(body["lengths"]).reshape(len(names), 2).tolist()
    ends = unpack(body["ends"]).reshape(len(names), 2).tolist()
    powers = unpack(body["powers"]).reshape(len(names), 4).tolist()
    found: dict[str, ColumnProfile] = {}
    at = 0
    for row, (name, kind, size) in enumerate(zip(names, body["kinds"], bins.tolist(), strict=True)):
        given: dict[str, Any] = dict(zip(_WHOLE, whole[row], strict=True))
        given |= {key: None if value < 0 else value for key, value in zip(_LENGTHS, lengths[row], strict=True)}
        given |= {key: None if value != value else value for key, value in zip(_ENDS, ends[row], strict=True)}
        found[name] = ColumnProfile(
            kind="numeric" if kind == "n" else "category",
            counts=tuple(counts[at : at + size]),
            powers=tuple(powers[row]),
            others=tuple(UnseenCategory(*other) for other in body["others"].get(name, ())),
            **given,
        )
        at += size
    return found
