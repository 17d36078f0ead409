"""Packed arrays come back as they were, whatever their size, and a window of fifty columns stays small."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.profiles import Profile, build_reference, scan
from modelops_jupyter.profiles.packing import pack, unpack


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_whole_numbers_come_back(values: list[int]) -> None:
    assert unpack(pack(np.array(values, dtype="int64"))).tolist() == values


@given(st.lists(st.floats()))
def test_floats_come_back_to_the_bit(values: list[float]) -> None:
    back = unpack(pack(np.array(values, dtype="float64")))
    assert back.tobytes() == np.array(values, dtype="float64").tobytes()


@pytest.mark.parametrize("text", ["", "x9:AAAA", "u1:AAAA", "u1"])
def test_damaged_text_says_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"packed|type"):
        unpack(text)


def test_a_busy_window_of_fifty_columns_is_under_fifty_kilobytes() -> None:
    generator = np.random.default_rng(0)
    rows = 60_000
    features = {f"n{i}": generator.lognormal(size=rows) for i in range(40)}
    features |= {f"c{i}": generator.choice([f"word {w}" for w in range(90)], rows) for i in range(10)}
    score = generator.random(rows)
    said = np.where(score > 0.5, "1", "0")
    built = build_reference(pa.table(features), scores=score, predictions=said, labels=said, positive="1", segments=())
    day = {**features, "prediction": said, "score": score, "label": said, "version": np.ones(rows, "int64")}
    profile = scan(pa.table(day), built.binning)
    text = json.dumps(profile.to_dict(), separators=(",", ":"))
    assert len(text) < 50_000
    assert Profile.from_dict(json.loads(text)) == profile
