"""Texts as numbers: how long they are, of which characters, and how much of them the reference's texts do not have.

All texts of a column become one array of code points, in which characters are looked up in tables and added up text by
text, so that no text is handled by itself.

Whether texts are of the reference's language and kind is told by their trigrams, three letters in a row, by hash
(Cavnar and Trenkle, "N-gram-based text categorization", 1994): no language is known, none has to be. The vocabulary is
the trigrams that make up 95 % of the reference's texts; a text is *unfamiliar* by the share of its trigrams outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from unicodedata import category

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelops_jupyter.columns import numbers_of
from modelops_jupyter.derived_names import PRESENCE, TEXT
from modelops_jupyter.profiles.binning import MOST_CATEGORIES
from modelops_jupyter.profiles.categories import encoded
from modelops_jupyter.profiles.packing import pack, unpack

Array = np.ndarray[Any, Any]
IDENTIFIER = "identifier"
BUCKETS = 1 << 16
COVERED = 0.95
# Code points that are looked at together.
BLOCK = 1 << 17
SPACE, DIGIT, CAPITAL, LETTER, SIGN = 1, 2, 4, 8, 16
_LAST = 0xFFFF  # of the table of code points; what lies beyond counts as a letter of no case
# A column is one of texts rather than of categories if its values are so many, and so wordy or long.
MIN_TEXTS, MIN_WORDS, MIN_LENGTH = 20, 3.0, 25.0
# Nearly all values differ, none is longer than a few words' length, hardly any has a space in it, and nearly all are
# made of what codes are. Of few rows names, such as those of cities, are all different too: there it takes digits.
ALL_BUT, MAX_ID_LENGTH, MAX_SPACED, MIN_ID_ROWS = 0.95, 64.0, 0.05, 200
CODE, WITH_DIGIT = r"^[0-9A-Za-z._:/+=#@{}|~-]*$", "[0-9]"
# Scripts that put no spaces between words say as much in so few characters.
UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]"
MIN_UNSPACED_LENGTH = 8.0
PRESENT = "a value"
_MIXED = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D], dtype="uint32")


def kind_of_texts(values: pa.ChunkedArray) -> str:
    """Return what a column of texts holds: ``text``, ``identifier`` or ``category``.

    Texts are of so many values that most rows have none of the hundred commonest, or one of their own, and have three
    words or 25 characters in the mean, or eight where they are of a script without spaces. Identifiers are
    nearly all different, short, without spaces, and of the letters, digits and signs of codes; those of fewer than 200
    rows have digits.
    """
    words, codes = encoded(values)
    counts = np.bincount(codes, minlength=len(words) + 1)[: len(words)]
    rows, distinct = int(counts.sum()), int((counts > 0).sum())
    if distinct < MIN_TEXTS or distinct <= min(MOST_CATEGORIES, rows // 2):
        return "category"
    commonest = int(np.sort(counts)[-MOST_CATEGORIES:].sum())
    if 2 * commonest >= rows and 2 * distinct <= rows:
        return "category"
    length, spaced = _mean_words(words, counts)
    differ, is_spaced = distinct >= ALL_BUT * rows, spaced > 1 + MAX_SPACED
    if differ and not is_spaced and length <= MAX_ID_LENGTH and _share(CODE, words, counts) >= ALL_BUT:
        is_small = rows < MIN_ID_ROWS
        if not is_small or _share(WITH_DIGIT, words, counts) >= ALL_BUT:
            return IDENTIFIER
    wordy = spaced >= MIN_WORDS or length >= MIN_LENGTH or (differ and is_spaced and rows >= MIN_ID_ROWS)
    wordy = wordy or (length >= MIN_UNSPACED_LENGTH and _share(UNSPACED, words, counts) >= 0.5)
    return "text" if wordy else "category"


def _share(pattern: str, words: pa.Array, counts: Array) -> float:
    """Return the share of rows whose text, without blanks at its ends, a regular expression is found in."""
    matching = pc.match_substring_regex(pc.utf8_trim_whitespace(words), pattern)
    return float(numbers_of(pc.fill_null(matching, False).cast(pa.int8())) @ counts) / max(int(counts.sum()), 1)


def _mean_words(words: pa.Array, counts: Array) -> tuple[float, float]:
    """Return the mean length and the mean number of words over rows with a text."""
    length, number = (np.nan_to_num(measures(words, (name,))[name]) for name in ("length", "words"))
    rows = max(int(counts.sum()), 1)
    return float(length @ counts) / rows, float(number @ counts) / rows


def describe_texts(
    values: pa.ChunkedArray, descriptors: tuple[str, ...], vocabulary: str
) -> dict[str, pa.ChunkedArray]:
    """Return what is derived of a column of texts, by descriptor; missing where a text is missing or blank."""
    if descriptors == PRESENCE:
        return {PRESENCE[0]: _presence(values)}
    words, codes = encoded(values)
    own = measures(words, descriptors, vocabulary)
    return {name: as_floats(np.append(numbers, np.nan)[codes]) for name, numbers in own.items()}


def _presence(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return one and the same text where there is a text that is not blank: without a code for each of them."""

    def presence(chunk: pa.Array) -> pa.Array:
        words = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
        filled = pc.if_else(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(words)), 0), PRESENT, None)
        return filled.take(chunk.indices) if pa.types.is_dictionary(chunk.type) else filled

    return pa.chunked_array([presence(chunk) for chunk in values.chunks], pa.string())


def measures(words: pa.Array, descriptors: tuple[str, ...] = TEXT, vocabulary: str = "") -> dict[str, Array]:
    """Return figures of each text by descriptor, NaN for one that is missing or blank.

    ``length`` is in characters, without blanks at its ends; ``digits``, ``capitals`` and ``signs`` are shares of the
    characters that are no space, ``capitals`` of letters alone; ``unfamiliar`` is a share of trigrams.
    """
    familiar = _bits(vocabulary) if "unfamiliar" in descriptors else None
    found: dict[str, list[Array]] = {name: [] for name in descriptors}
    for points, starts, ends in _points(words):
        figures = _figures(points, starts, ends, descriptors, familiar)
        for name in descriptors:
            found[name].append(figures[name])
    return {name: np.concatenate([np.zeros(0), *parts]) for name, parts in found.items()}


def _figures(
    points: Array, starts: Array, ends: Array, descriptors: tuple[str, ...], familiar: Array | None
) -> dict[str, Array]:
    kinds = _kinds()[np.minimum(points, _LAST)]

    def of(bits: int) -> Array:
        return _sums((kinds & bits) > 0, starts, ends)

    filled = ends > starts
    shown = of(DIGIT | CAPITAL | LETTER | SIGN)
    rows = np.where(filled, shown, 0)
    figures: dict[str, Array] = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        if "length" in descriptors:
            figures["length"] = np.where(rows > 0, ends - starts, np.nan)
        if "words" in descriptors:
            space = (kinds & SPACE) > 0
            begins = ~space
            begins[1:] &= space[:-1]
            at = starts[filled]
            begins[at] = ~space[at]
            figures["words"] = np.where(rows > 0, _sums(begins, starts, ends), np.nan)
        if "digits" in descriptors:
            figures["digits"] = of(DIGIT) / rows
        if "signs" in descriptors:
            figures["signs"] = of(SIGN) / rows
        if "capitals" in descriptors:
            figures["capitals"] = np.where(rows > 0, of(CAPITAL) / np.maximum(of(CAPITAL | LETTER), 1), np.nan)
        if familiar is not None:
            buckets, whole = trigrams(points, ends)
            unknown = whole.copy()
            unknown[: len(buckets)] &= ~familiar[buckets]
            figures["unfamiliar"] = _sums(unknown, starts, ends) / _sums(whole, starts, ends)
    return figures


def trigrams(points: Array, ends: Array) -> tuple[Array, Array]:
    """Return the bucket of the trigram that begins at each character, in small letters, and whether there is one.

    The last two characters of a text begin none; `buckets` is two shorter than the points.
    """
    small = _small()[np.minimum(points, _LAST)]
    small = np.where(points > _LAST, points, small).astype("uint32")
    whole = np.ones(len(points), dtype=bool)
    for last in (1, 2):
        whole[ends[ends >= last] - last] = False
    if len(small) < 3:
        return np.zeros(0, dtype="int64"), np.zeros(len(points), dtype=bool)
    mixed = small[:-2] * _MIXED[0]
    mixed ^= small[1:-1] * _MIXED[1]
    mixed ^= small[2:] * _MIXED[2]
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x2C1B3C6D)
    return (mixed >> np.uint32(16)).astype("int64"), whole


def learn_vocabulary(values: pa.ChunkedArray) -> str:
    """Return the trigrams that make up most of some texts, as text; see `measures`."""
    words, codes = encoded(values)
    counts = np.bincount(codes, minlength=len(words) + 1)[: len(words)]
    found = np.zeros(BUCKETS)
    row = 0
    for points, starts, ends in _points(words):
        buckets, whole = trigrams(points, ends)
        if len(buckets):
            weights = np.repeat(counts[row : row + len(starts)], ends - starts) * whole
            found += np.bincount(buckets, weights=weights[: len(buckets)], minlength=BUCKETS)
        row += len(starts)
    order = np.argsort(-found, kind="stable")
    held = int(np.searchsorted(np.cumsum(found[order]), COVERED * found.sum())) + 1
    familiar = np.zeros(BUCKETS, dtype=bool)
    familiar[order[:held]] = found[order[:held]] > 0
    return pack(np.packbits(familiar))


@lru_cache(maxsize=32)
def _bits(vocabulary: str) -> Array:
    """Return which buckets are in a vocabulary; all without one, so that nothing is unfamiliar."""
    if not vocabulary:
        return np.ones(BUCKETS, dtype=bool)
    bits: Array = np.unpackbits(unpack(vocabulary).astype("uint8")).view(bool)
    return bits


def _points(words: pa.Array) -> Iterator[tuple[Array, Array, Array]]:
    """Yield the code points of some texts at a time, without blanks at their ends, and where each begins and ends."""
    trimmed = pc.utf8_trim_whitespace(pc.fill_null(words, ""))
    lengths = numbers_of(pc.utf8_length(trimmed)).astype("int64")
    total = np.concatenate([[0], np.cumsum(lengths)])
    row = 0
    while row < len(lengths):
        stop = max(row + 1, int(np.searchsorted(total, total[row] + BLOCK, "right")) - 1)
        text = _bytes(trimmed.slice(row, stop - row))
        points = np.frombuffer(text.decode("utf-8", "replace").encode("utf-32-le", "replace"), dtype="<u4")
        ends = total[row + 1 : stop + 1] - total[row]
        yield points, total[row:stop] - total[row], ends
        row = stop


def _bytes(words: pa.Array) -> bytes:
    """Return texts one after the other."""
    _, ends, body = words.buffers()
    kind = np.dtype("int64" if pa.types.is_large_string(words.type) else "int32")
    edges = np.frombuffer(ends, kind, len(words) + 1, words.offset * kind.itemsize)
    return bytes(memoryview(body)[int(edges[0]) : int(edges[-1])]) if body is not None else b""


def _sums(marks: Array, starts: Array, ends: Array) -> Array:
    """Return how many characters of each text are marked."""
    sums = np.zeros(len(starts), dtype="int64")
    filled = ends > starts  # one text ends where the next filled one begins
    if filled.any():
        sums[filled] = np.add.reduceat(marks.view("uint8"), starts[filled], dtype="int32")
    return sums


@lru_cache(maxsize=1)
def _kinds() -> Array:
    """Return the kind of each of the first 65,536 characters."""
    kind = {"Z": SPACE, "N": DIGIT, "L": LETTER, "M": LETTER, "P": SIGN, "S": SIGN}
    kinds = [CAPITAL if (c := category(chr(at))) == "Lu" else kind.get(c[0], LETTER) for at in range(_LAST + 1)]
    for control in (9, 10, 11, 12, 13):
        kinds[control] = SPACE
    return np.array(kinds, dtype="uint8")


@lru_cache(maxsize=1)
def _small() -> Array:
    """Return the small letter of each of the first 65,536 characters."""
    small = [ord(low) if len(low := chr(at).lower()) == 1 else at for at in range(_LAST + 1)]
    return np.array(small, dtype="uint32")


def as_floats(numbers: Array) -> pa.ChunkedArray:
    """Return numbers as a column, missing where they are NaN."""
    known = np.packbits(~np.isnan(numbers), bitorder="little")
    buffers = [pa.py_buffer(known), pa.py_buffer(np.ascontiguousarray(numbers, dtype="float64"))]
    return pa.chunked_array([pa.Array.from_buffers(pa.float64(), len(numbers), buffers)])
