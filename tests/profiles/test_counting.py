"""Counting in blocks, against looking at every number."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from modelops_jupyter.profiles.counting import MOST_DOUBTS, MOST_VALUES, Array, Blocks, Marks

LARGEST = np.finfo("float64").max
BELOW_ZERO = np.nextafter(0.0, -1.0)

floats = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -0.0, 0.1, 1.0, 1e-320, -1e-320, 1e300, -1e300, np.inf, -np.inf, np.nan, 2.0**24 + 1]),
    st.integers(-5, 5).map(float),
)
rows = hnp.arrays("float64", st.integers(0, 60), elements=floats)
edges = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=9, unique=True).map(sorted)


def marks_of(cuts: list[float]) -> Array:
    return np.array([-np.inf, *cuts, LARGEST, np.inf, BELOW_ZERO, 0.0])


def looked_at(blocks: list[Array], marks: Array, pivot: float, scale: float) -> Blocks:
    finite = [block[np.isfinite(block.astype("float64"))].astype("float64") for block in blocks]
    with np.errstate(all="ignore"):
        powers = [[np.sum(((block - pivot) / scale) ** power) for power in (1, 2, 3, 4)] for block in finite]
    return Blocks(
        np.array([len(block) for block in blocks]),
        np.array([[np.sum(block <= mark) for mark in marks] for block in blocks]),
        np.array([block.min(initial=np.inf) for block in finite]),
        np.array([block.max(initial=-np.inf) for block in finite]),
        np.array(powers),
    )


def assert_same(found: Blocks, blocks: list[Array], marks: Array, pivot: float, scale: float) -> None:
    wanted = looked_at(blocks, marks, pivot, scale)
    np.testing.assert_array_equal(found.rows, wanted.rows)
    np.testing.assert_array_equal(found.at, wanted.at)
    np.testing.assert_array_equal(found.least, wanted.least)
    np.testing.assert_array_equal(found.greatest, wanted.greatest)
    # Large numbers of either sign cancel out: what is lost is small beside them.
    sizes = looked_at([np.abs(block - pivot) for block in blocks], marks, 0.0, scale).powers
    usable = sizes < 1e300
    assert (np.abs(found.powers[usable] - wanted.powers[usable]) <= 1e-9 * sizes[usable]).all()


@given(st.lists(rows, min_size=1, max_size=4), edges)
def test_every_mark_is_counted_exactly(blocks: list[Array], cuts: list[float]) -> None:
    """Whatever rounds to what, NaN and infinities included, and edges that are numbers of the block."""
    held = [float(x) for block in blocks for x in block if np.isfinite(x)]
    for chosen in (cuts, sorted({*cuts, *held[:6]})):
        marks = marks_of(chosen)
        assert_same(Marks(marks, 0.5, 2.0).count(blocks), blocks, marks, 0.5, 2.0)


@given(st.lists(rows, min_size=1, max_size=3), edges)
def test_ordered_blocks_are_counted_alike(blocks: list[Array], cuts: list[float]) -> None:
    marks = marks_of(cuts)
    ordered = [np.sort(block) for block in blocks]
    assert_same(Marks(marks, 0.0, 1.0).count(ordered, ordered=True), blocks, marks, 0.0, 1.0)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64"])
def test_whole_numbers_of_any_width(kind: str) -> None:
    """By value where they lie close together, whatever their type holds; as floats where not."""
    generator, bounds = np.random.default_rng(1), np.iinfo(kind)
    near = generator.integers(max(bounds.min, -100), 100, 5_000).astype(kind)
    far = generator.integers(bounds.min, bounds.max, 5_000, dtype=kind, endpoint=True)
    top = bounds.max - generator.integers(0, 50, 5_000).astype(kind)
    marks = marks_of([-50.5, -1.0, 0.0, 3.7, 20.0, 1e15])
    for numbers in (near, far, top):
        blocks = [numbers[:2_000], numbers[2_000:2_000], numbers[2_000:]]
        as_floats = [block.astype("float64") for block in blocks]
        assert_same(Marks(marks, 7.0, 3.0).count(blocks), as_floats, marks, 7.0, 3.0)


def test_numbers_that_single_precision_does_not_tell_apart() -> None:
    """Times in seconds differ by less than single precision holds; numbers of two digits lie on the edges."""
    generator = np.random.default_rng(2)
    for numbers in (1.7e9 + generator.random(9_000) * 100, generator.normal(5, 3, 9_000).round(1)):
        marks = marks_of(np.unique(np.quantile(numbers, np.linspace(0.01, 0.99, 99))).tolist())
        counting = Marks(marks, float(numbers.mean()), float(numbers.std()))
        for _ in range(2):  # the second time it is known
            blocks = [numbers[:4_000], numbers[4_000:]]
            assert_same(counting.count(blocks), blocks, marks, float(numbers.mean()), float(numbers.std()))


def test_whole_numbers_that_came_as_floats() -> None:
    """They are counted by value once they have been found to lie on the edges, and still exactly where one does not."""
    generator = np.random.default_rng(3)
    whole = generator.integers(0, 200, 9_000).astype("float64")
    marks = marks_of(np.unique(np.quantile(whole, np.linspace(0.01, 0.99, 99))).tolist())
    counting = Marks(marks, 100.0, 50.0)
    assert len(marks) > MOST_DOUBTS
    mixed = np.append(whole, [0.5, np.nan, np.inf, MOST_VALUES * 2.0])
    for numbers in (whole, whole, mixed, whole):
        assert_same(counting.count([numbers]), [numbers], marks, 100.0, 50.0)


def test_whole_numbers_beside_a_tiny_scale() -> None:
    """Their powers pass the largest float: that is not told to anybody who cannot help it."""
    marks = marks_of([0.5])
    with warnings.catch_warnings(action="error"):
        found = Marks(marks, 0.0, 1e-160).count([np.arange(100)])
    assert found.rows.tolist() == [100]
    assert found.powers[0].tolist() == pytest.approx([4.95e163, np.inf, np.inf, np.inf])
