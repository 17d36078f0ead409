"""Whether ids come twice, however they lie in memory."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.hashing import hashes_of, keys_of
from modelops_jupyter.log.distinct import differ, surely_distinct

ids = st.text(alphabet="ab\0é", max_size=20)


@given(st.lists(st.lists(ids, max_size=6), min_size=1, max_size=4))
def test_ids_are_told_apart_exactly(parts: list[list[str]]) -> None:
    chunks = pa.chunked_array([pa.array(part, pa.string()) for part in parts], pa.string())
    every = [text for part in parts for text in part]
    assert surely_distinct(chunks) == (len(set(every)) == len(every))


@pytest.mark.parametrize("longer", ["", "b", "bbbbbbb", "b" * 30])
def test_an_id_is_known_again_beside_longer_ones(longer: str) -> None:
    """Its hash is by nothing but its own bytes, wherever it lies."""
    alone = hashes_of(pa.array(["request-7"]))
    beside = hashes_of(pa.array(["a", "request-7", "request-7" + longer + "c"]).slice(1))
    assert alone is not None
    assert beside is not None
    assert alone[0] == beside[0]
    assert not differ([alone, beside])
    assert not surely_distinct(pa.chunked_array([["request-7"], ["x" * 40, "request-7"]]))


def test_what_cannot_be_hashed_is_counted() -> None:
    """Very long ids and missing ones."""
    long = "x" * 100
    assert hashes_of(pa.array([long])) is None
    assert hashes_of(pa.array(["a", None])) is None
    assert surely_distinct(pa.chunked_array([[long, long + "y"]]))
    assert not surely_distinct(pa.chunked_array([[long], [long]]))
    assert surely_distinct(pa.chunked_array([], pa.string()))


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.binary()])
def test_ids_in_another_writers_spelling_are_hashed_alike(kind: pa.DataType) -> None:
    every = [f"request-{number}" for number in range(8, 12)]
    usual, other = hashes_of(pa.array(every)), hashes_of(pa.array(["a", "bc", *every]).cast(kind).slice(2))
    assert usual is not None
    assert other is not None
    assert usual.tolist() == other.tolist()


@given(st.lists(st.text(max_size=90), max_size=20))
def test_every_text_has_a_key_of_its_own_whatever_it_is_beside(words: list[str]) -> None:
    together = keys_of(pa.chunked_array([words], pa.string())).tolist()
    assert together == [keys_of(pa.chunked_array([[word]]))[0] for word in words]
    assert len(set(together)) >= len({word[-16:] for word in words if len(word.encode()) > 64})
    assert keys_of(pa.chunked_array([[None, "a"], []], pa.string())).shape == (2,)
