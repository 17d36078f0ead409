"""A profile's sample: bounded, the same in any order and batches, and merged it is that of the union."""

from functools import reduce

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.profiles import Binning, Profile, Sample, build_reference, merge, scan
from modelops_jupyter.profiles.sampling import MISSING, OTHER

generator = np.random.default_rng(0)
REFERENCE = build_reference(
    pa.table({"x": generator.normal(size=500), "word": generator.choice([f"w{n}" for n in range(50)], 500)})
)


def rows(count: int, seed: int) -> pa.Table:
    drawn = np.random.default_rng(seed)
    x = drawn.normal(size=count)
    return pa.table(
        {
            "timestamp": pa.array(drawn.integers(0, 10**9, count)).cast(pa.timestamp("us", tz="UTC")),
            "version": np.ones(count, "int64"),
            "score": drawn.random(count),
            "x": pa.array(np.where(drawn.random(count) < 0.1, np.nan, x)),
            "word": pa.array(drawn.choice([f"w{n}" for n in range(60)], count)),
        }
    )


def sampled(table: pa.Table, most: int, binning: Binning = REFERENCE.binning) -> Profile:
    return scan(table, binning, most)


@given(st.integers(0, 200), st.integers(1, 60), st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_sample_of_a_union_is_the_merge_in_any_order_and_batches(
    count: int, most: int, seed: int, cuts: int
) -> None:
    table = rows(count, seed)
    whole = sampled(table, most).sample
    assert len(whole.keys) == min(most, count)
    order = np.random.default_rng(cuts).permutation(count)
    ends = np.sort(np.random.default_rng(cuts).integers(0, count + 1, 3))
    parts = [table.take(order[start:end]) for start, end in zip([0, *ends], [*ends, count], strict=True)]
    profiles = [sampled(part, most) for part in parts]
    assert reduce(merge, profiles).sample == whole
    assert reduce(merge, profiles[::-1]).sample == whole
    a, b, c, _ = profiles
    assert ((a + b) + c).sample == (a + (b + c)).sample


def test_what_was_never_sampled_makes_no_sample() -> None:
    table = rows(50, 1)
    assert (sampled(table, 20) + sampled(table, 0)).sample == Sample()
    assert (sampled(table, 20) + sampled(rows(50, 2), 10)).sample.most == 10


def test_codes_are_coarse_bins_places_and_what_is_missing() -> None:
    table = pa.table(
        {
            "score": [0.1, 0.2, 0.3, 0.4],
            "x": [-99.0, 99.0, None, 0.0],
            "word": pa.array([REFERENCE.binning.columns["word"].categories[3], "new", None, "new"]),
        }
    )
    found = {tuple(row) for row in sampled(table, 10).sample.table.tolist()}
    binning = REFERENCE.binning.columns["x"]
    middle = np.searchsorted([binning.edges[place] for place in binning.coarse], 0)
    assert found == {(3, 0), (OTHER, 19), (MISSING, MISSING), (OTHER, int(middle))}  # columns by name


def test_a_column_that_is_gone_or_of_another_type_is_missing() -> None:
    table = rows(30, 3).drop_columns(["word"]).set_column(3, "x", pa.array(["text"] * 30))
    assert set(np.unique(sampled(table, 30).sample.table)) == {MISSING}


def test_a_sample_is_small_and_comes_back_as_it_was() -> None:
    profile = sampled(rows(5000, 4), 200)
    assert Profile.from_dict(profile.to_dict()) == profile
    many = {f"c{n}": np.random.default_rng(n).normal(size=1000) for n in range(50)}
    reference = build_reference(pa.table(many))
    packed = scan(pa.table({**many, "score": np.arange(1000.0)}), reference.binning, 200).sample.to_dict()
    assert len(packed["keys"]) + len(packed["codes"]) < 20_000
    assert "sample" not in scan(rows(10, 5), REFERENCE.binning).to_dict()


@pytest.mark.parametrize("most", [0, 1, 7, 50, 80])
def test_fewer_of_the_sampled_rows_are_what_a_smaller_sample_has(most: int) -> None:
    table = rows(60, 6)
    assert sampled(table, 50).sample.first(most) == sampled(table, min(most, 50)).sample
