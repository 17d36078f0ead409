"""Runs of rows, against a number per row."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.profiles.groups import BLOCK, Groups
from modelops_jupyter.profiles.runs import Runs

numbers = st.lists(st.integers(-1, 4), max_size=30).map(lambda found: np.array(found, dtype="int64"))


@given(numbers)
def test_runs_hold_every_number(each: np.ndarray) -> None:
    found = Runs.of(each)
    np.testing.assert_array_equal(found.each(), each)
    assert (found.lengths > 0).all()
    assert (np.diff(found.numbers) != 0).all()


@given(numbers)
def test_groups_of_runs_are_groups_of_rows(each: np.ndarray) -> None:
    found, wanted = Runs.of(each).groups(), Groups.of(each)
    rows = np.arange(len(each))
    assert found.numbers.tolist() == wanted.numbers.tolist()
    assert found.lengths.tolist() == wanted.lengths.tolist()
    np.testing.assert_array_equal(found.arranged(rows), wanted.arranged(rows))


@given(st.lists(st.integers(-50, 50), max_size=30), st.integers(1, 40), st.integers(-20, 20), st.booleans())
def test_times_are_numbered_by_window(found: list[int], length: int, origin: int, in_order: bool) -> None:
    times = np.array(sorted(found) if in_order else found, dtype="int64")
    np.testing.assert_array_equal(Runs.of_times(times, length, origin).each(), (times - origin) // length)


def test_long_runs_are_cut_into_blocks() -> None:
    """Each of at most so many rows, all rows in one, and of the right group."""
    groups = Groups.of(np.repeat([3, 5, 9], [BLOCK * 2 + 1, 7, BLOCK]))
    starts, ends, numbers = groups.blocks
    assert numbers.tolist() == [3, 3, 3, 5, 9]
    assert (ends - starts).max() <= BLOCK
    assert starts.tolist() == [0, *ends.tolist()[:-1]]
    assert ends[-1] == groups.rows
