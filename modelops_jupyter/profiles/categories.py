"""Counting categories: Arrow gives every text a code; (group, code) pairs are counted, and little is left to do."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.columns import numbers_of, present, texts, whole_numbers
from modelops_jupyter.profiles.binning import (
    MOST_CATEGORIES,
    ColumnBinning,
    is_countable,
    is_number,
    text,
)
from modelops_jupyter.profiles.column import SAMPLED_CATEGORIES, ColumnProfile, UnseenCategory, merge_others
from modelops_jupyter.profiles.groups import Array, Groups

SHOWN_CHARACTERS = 80
_NONE = np.iinfo("int64").max
# Below this many rows a group, or beyond this many categories, all groups are counted together.
FEW = 400


class CategoryTally:
    """One column of texts or truth values, counted for every group."""

    def __init__(self, binning: ColumnBinning, groups: int) -> None:
        self._known = texts(binning.categories)
        self._counts = np.zeros((groups, len(binning.categories)), dtype="int64")
        self._rows, self._nulls, self._unseen, self._characters, self._longest, self._mistyped = np.zeros(
            (6, groups), dtype="int64"
        )
        self._shortest = np.full(groups, _NONE)
        self._others: dict[int, tuple[UnseenCategory, ...]] = {}

    def absent(self, groups: Groups) -> None:
        """Count rows of which the column is not there."""
        self._rows[groups.numbers] += groups.lengths
        self._nulls[groups.numbers] += groups.lengths

    def add(self, values: pa.ChunkedArray, groups: Groups) -> None:
        """Count the rows of a piece."""
        if not groups.rows:
            return
        if not is_countable(values.type):
            self.absent(groups)
            known = groups.arranged(present(values)).astype("int64")
            self._mistyped[groups.numbers] += np.add.reduceat(known, groups.starts)
            return
        words, codes = encoded(values)
        self._rows[groups.numbers] += groups.lengths
        runs, codes, times = _pairs(groups, codes, len(words))
        absent = codes == len(words)
        self._nulls[groups.numbers[runs[absent]]] += times[absent]
        runs, codes, times = groups.numbers[runs[~absent]], codes[~absent], times[~absent]
        if is_number(values.type):
            np.add.at(self._mistyped, runs, times)
        if not len(codes):
            return
        lengths = numbers_of(pc.utf8_length(words)).astype("int64")[codes]
        np.add.at(self._characters, runs, times * lengths)
        np.minimum.at(self._shortest, runs, lengths)
        np.maximum.at(self._longest, runs, lengths)
        place = places_of(words, self._known, -1)
        at = place[codes]
        seen = at >= 0
        np.add.at(self._counts, (runs[seen], at[seen]), times[seen])
        if not seen.all():
            np.add.at(self._unseen, runs[~seen], times[~seen])
            self._sample(words, np.flatnonzero(place < 0), runs[~seen], codes[~seen], times[~seen])

    def _sample(self, words: pa.Array, unseen: Array, groups: Array, codes: Array, times: Array) -> None:
        """Keep each group's unseen categories of the 32 smallest hashes."""
        from pandas.util import hash_array

        hashes = np.zeros(len(words), dtype="uint64")
        hashes[unseen] = hash_array(words.take(whole_numbers(unseen)).to_numpy(zero_copy_only=False), categorize=False)
        order = np.lexsort((hashes[codes], groups))
        groups, codes, times = groups[order], codes[order], times[order]
        starts = np.flatnonzero(np.diff(groups, prepend=-1))
        for start, end in zip(starts, np.append(starts[1:], len(groups)), strict=True):
            kept = slice(start, min(end, start + SAMPLED_CATEGORIES))
            found = tuple(
                UnseenCategory(int(hashes[code]), words[int(code)].as_py()[:SHOWN_CHARACTERS], int(count))
                for code, count in zip(codes[kept], times[kept], strict=True)
            )
            group = int(groups[start])
            self._others[group] = merge_others(self._others.get(group, ()), found)

    def profile(self, group: int) -> ColumnProfile:
        """Return the column's profile of one group."""
        held = self._shortest[group] != _NONE
        return ColumnProfile(
            kind="category",
            n=int(self._rows[group]),
            nulls=int(self._nulls[group]),
            counts=tuple(self._counts[group].tolist()),
            unseen=int(self._unseen[group]),
            others=self._others.get(group, ()),
            characters=int(self._characters[group]),
            shortest=int(self._shortest[group]) if held else None,
            longest=int(self._longest[group]) if held else None,
            mistyped=int(self._mistyped[group]),
        )


def category_binning(values: pa.ChunkedArray) -> tuple[ColumnBinning, Array | None]:
    """Work out the binning of texts or truth values, and which rows shall be counted under it: None for all.

    Of more texts than are counted, those that are the most frequent by chance would be so in no other rows. So one half
    of the rows, drawn at random, says which are counted, and the other half how often they come.
    """
    words, codes = encoded(values)
    found = _frequent(words, codes)
    counted = None
    if len(found) > MOST_CATEGORIES:
        counted = np.random.default_rng(0).random(len(codes)) < 0.5
        found = _frequent(words, codes[~counted])
    return ColumnBinning("category", categories=tuple(found[:MOST_CATEGORIES])), counted


def _frequent(words: pa.Array, codes: Array) -> list[str]:
    """Return the texts that come, the most frequent ones first."""
    counts = np.bincount(codes, minlength=len(words) + 1)[: len(words)]
    found = [(word, count) for word, count in zip(words.to_pylist(), counts.tolist(), strict=True) if count]
    found.sort(key=lambda item: (-item[1], item[0]))
    return [word for word, _ in found]


def encoded(values: pa.ChunkedArray) -> tuple[pa.Array, Array]:
    """Return the distinct texts of a column and every row's code; a missing one has the code after the last."""
    if not _is_encoded(values):
        values = text(values).dictionary_encode()
    if not len(values):
        return texts(()), np.zeros(0, dtype="int32")
    if values.num_chunks > 1:  # together they may have more texts than the codes of each can tell apart
        values = values.cast(pa.dictionary(pa.int32(), pa.string())).unify_dictionaries()
    whole = values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()
    words, codes = whole.dictionary, numbers_of(whole.indices)
    if whole.null_count:
        codes = np.where(present(whole.indices), codes, len(words))
    return words, codes.astype("int32", copy=False)


def _is_encoded(values: pa.ChunkedArray) -> bool:
    """Tell whether texts have their codes already; one that stands for nothing would be a code of its own."""
    if not pa.types.is_dictionary(values.type) or values.type.value_type != pa.string():
        return False
    return not any(chunk.dictionary.null_count for chunk in values.chunks)


def places_of(words: pa.Array, known: pa.Array, absent: int) -> Array:
    """Return the place of each word among the known ones, `absent` where it is none of them."""
    found = numbers_of(pc.index_in(words, value_set=known))
    return np.nan_to_num(found, nan=absent).astype("int64")


def _pairs(groups: Groups, codes: Array, words: int) -> tuple[Array, Array, Array]:
    """Return the run, the code and the number of rows of every pair that came."""
    runs, width = len(groups.starts), words + 1
    codes = groups.arranged(codes)
    if groups.rows > FEW * runs and width <= FEW:
        spans = zip(groups.starts.tolist(), groups.ends.tolist(), strict=True)
        # The cast lets other threads in; counting does not.
        table = np.stack([np.bincount(codes[a:b].astype("int64"), minlength=width) for a, b in spans])
        run, code = table.nonzero()
        return run, code, table[run, code]
    place = codes if runs == 1 else groups.local * width + codes
    if runs * width <= max(4 * len(codes), 1 << 16):
        counted = np.bincount(place, minlength=runs * width)
        found = np.flatnonzero(counted)
        times = counted[found]
    else:
        found, times = np.unique(place, return_counts=True)
    return found // width, found % width, times
