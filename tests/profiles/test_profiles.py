"""Profiles add up, agree with NumPy on the raw rows, and survive whatever a window holds."""

import json
import warnings
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.profiles import ColumnBinning, Profile, Reference, build_reference, merge, scan, window_start
from modelops_jupyter.profiles.groups import BLOCK
from modelops_jupyter.profiles.scan import scan_column

numbers = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True, width=32), st.integers(-5, 5))
words = st.one_of(st.none(), st.sampled_from(["JFK", "LGA", "EWR", "<b>"]))
rows = st.lists(st.tuples(numbers, words, st.floats(0, 1), st.sampled_from(["0", "1", None])), max_size=40)


def table(values: list[tuple[object, object, float, object]]) -> pa.Table:
    x, c, score, label = zip(*values, strict=True) if values else ([], [], [], [])
    return pa.table(
        {
            "x": pa.array([None if v is None else float(v) for v in x], pa.float64()),
            "c": pa.array(list(c), pa.string()),
            "prediction": pa.array(["1" if s >= 0.5 else "0" for s in score], pa.string()),
            "score": pa.array(list(score), pa.float64()),
            "label": pa.array(list(label), pa.string()),
            "version": pa.array([1] * len(x), pa.int64()),
        }
    )


def reference() -> Reference:
    generator = np.random.default_rng(0)
    features = pa.table({"x": generator.normal(size=500), "c": generator.choice(["JFK", "LGA"], 500)})
    score = generator.random(500)
    said = np.where(score >= 0.5, "1", "0")
    return build_reference(features, scores=score, predictions=said, labels=said, positive="1")


REFERENCE = reference()


def plain(value: object) -> object:
    """Return a sample's bytes, and cells of the score, as JSON has them."""
    return value.tolist() if isinstance(value, np.ndarray) else list(value)  # type: ignore[call-overload]


def same(a: Profile, b: Profile) -> bool:
    def rounded(profile: Profile) -> object:
        return json.loads(
            json.dumps(asdict(profile), default=plain), parse_float=lambda text: float(f"{float(text):.6g}")
        )

    return rounded(a) == rounded(b)


@given(rows, rows, rows)
def test_the_profile_of_a_union_is_the_merge_in_any_order(
    a: list[tuple[object, object, float, object]],
    b: list[tuple[object, object, float, object]],
    c: list[tuple[object, object, float, object]],
) -> None:
    """Merging is commutative and associative, what has no rows changes nothing, and the union is the merge."""
    one, two, three = (scan(table(part), REFERENCE.binning) for part in (a, b, c))
    whole = scan(table([*c, *a, *b]), REFERENCE.binning)
    assert same(merge(one, two), merge(two, one))
    assert same(merge(merge(one, two), three), merge(one, merge(two, three)))
    assert same(merge(merge(one, two), three), whole)
    assert same(merge(one, scan(table([]), REFERENCE.binning)), one)


@given(rows)
def test_counts_agree_with_numpy(values: list[tuple[object, object, float, object]]) -> None:
    profile = scan(table(values), REFERENCE.binning)
    x = np.array([np.nan if v[0] is None else float(v[0]) for v in values], dtype="float64")
    known = x[np.isfinite(x)]
    edges = [-np.inf, *REFERENCE.binning.columns["x"].edges, np.inf]
    expected = [int(((known > a) & (known <= b)).sum()) for a, b in pairwise(edges)]
    assert list(profile.columns["x"].counts) == expected
    assert profile.columns["x"].missing == len(x) - len(known)
    words_seen = [v[1] for v in values if v[1] is not None]
    assert profile.columns["c"].unseen == sum(word not in ("JFK", "LGA") for word in words_seen)


def test_references_and_profiles_survive_json_without_nan() -> None:
    body = json.loads(json.dumps(REFERENCE.to_dict(), allow_nan=False))
    assert Reference.from_dict(body) == replace(REFERENCE, segments={})


def test_an_absent_column_is_all_missing() -> None:
    profile = scan(table([(1, "JFK", 0.5, "1")] * 3).drop_columns(["x"]), REFERENCE.binning)
    assert profile.columns["x"].nulls == 3


def test_windows_are_calendar_aligned_in_utc() -> None:
    at = datetime(2013, 4, 3, 17, 5, tzinfo=UTC)
    assert window_start(at, "1h") == datetime(2013, 4, 3, 17, tzinfo=UTC)
    assert window_start(at, "1D") == datetime(2013, 4, 3, tzinfo=UTC)
    assert window_start(at, "1W") == datetime(2013, 4, 1, tzinfo=UTC)
    with pytest.raises(InvalidInput, match="1M"):
        window_start(at, "1M")


word = st.one_of(st.none(), st.text(max_size=3))
many_words = st.one_of(st.lists(word, max_size=20), st.lists(word, min_size=20, max_size=60))  # and over 32 unlike ones


@given(many_words, many_words, many_words)
def test_merging_categories_is_associative_and_exact(
    a: list[str | None], b: list[str | None], c: list[str | None]
) -> None:
    binning = REFERENCE.binning.columns["c"]
    one, two, three, whole = (
        scan_column(pa.chunked_array([pa.array(v, pa.string())]), binning) for v in (a, b, c, a + b + c)
    )
    assert (one + two) + three == one + (two + three) == three + (one + two) == whole
    unseen = {word for word in [*a, *b, *c] if word is not None and word not in binning.categories}
    if len(unseen) < 32:
        assert {other.text for other in whole.others} == unseen
        known = {word for word in [*a, *b, *c] if word in binning.categories}
        assert whole.distinct == len(unseen | known)


def test_distinct_is_estimated_within_its_bound() -> None:
    """KMV of k = 32: standard error about 1 / sqrt(k - 2), 18 %."""
    binning = ColumnBinning("category")
    errors = []
    for seed in range(20):
        words = pa.chunked_array([pa.array([f"{seed}-{n}" for n in range(5000)])])
        errors.append(scan_column(words, binning).distinct / 5000 - 1)  # type: ignore[operator]
    assert abs(np.mean(errors)) < 0.12
    assert np.std(errors) < 0.3


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_moments_and_extremes_agree_with_numpy(values: list[float]) -> None:
    binning = REFERENCE.binning.columns["x"]
    profile = scan_column(pa.chunked_array([pa.array(values, pa.float64())]), binning)
    z = (np.array(values) - binning.pivot) / binning.scale
    assert profile.powers == pytest.approx([(z**k).sum() for k in (1, 2, 3, 4)], rel=1e-9, abs=1e-6)
    assert (profile.minimum, profile.maximum) == (min(values), max(values))
    assert profile.zeros == sum(value == 0 for value in values)


def test_a_window_of_fifty_columns_is_compact() -> None:
    generator = np.random.default_rng(0)
    features = {f"n{i}": generator.normal(size=5000) for i in range(40)}
    features |= {f"c{i}": generator.choice([f"word {w}" for w in range(30)], 5000) for i in range(10)}
    score = generator.random(5000)
    said = np.where(score > 0.5, "1", "0")
    built = build_reference(pa.table(features), scores=score, predictions=said, labels=said, positive="1")
    day = {name: values[:1000] for name, values in features.items()}
    extra = {"prediction": said[:1000], "score": score[:1000], "label": said[:1000], "version": np.ones(1000, "int64")}
    body = scan(pa.table({**day, **extra}), built.binning).to_dict()
    assert len(json.dumps(body, separators=(",", ":"))) < 50_000


@pytest.mark.parametrize(
    "score",
    [
        pa.array([Decimal("0.25"), None, Decimal("1.00")]),
        pa.array([0.25, None, 1.0], pa.float32()),
        pa.array(["0.25", None, "1"]),
    ],
    ids=str,
)
def test_a_score_of_any_type_is_counted_by_its_value(score: pa.Array) -> None:
    """Spark's tables have decimals."""
    said = ["0", "1", "1"]
    found = scan(pa.table({"prediction": said, "score": score, "label": said}), REFERENCE.binning).outcomes
    usual = scan(pa.table({"prediction": said, "score": [0.25, None, 1.0], "label": said}), REFERENCE.binning).outcomes
    assert found == usual
    assert found.brier == 0.25**2


def test_a_score_without_any_value_counts_no_row_by_it() -> None:
    rows = pa.table({"prediction": ["0", "1"], "score": pa.nulls(2), "label": ["0", "1"]})
    found = scan(rows, REFERENCE.binning).outcomes
    assert found.labelled == 2
    assert found.brier == 0


def test_parts_of_categories_with_codes_of_a_byte_are_counted_together() -> None:
    """As pandas has them; together they have more categories than a byte has codes."""
    byte = pa.dictionary(pa.int8(), pa.string())
    parts = [pa.array([f"{part}{k}" for k in range(100)]).dictionary_encode().cast(byte) for part in "ab"]
    found = scan_column(pa.chunked_array(parts), ColumnBinning("category", categories=("a7", "b7")))
    assert found.counts == (1, 1)
    assert found.unseen == 198


def test_sums_beyond_the_largest_float_are_no_users_business() -> None:
    """One block's is infinity, another's minus infinity: no warning, and no figure from them."""
    values = pa.chunked_array([np.repeat([1e300, -1e300], BLOCK)])
    with warnings.catch_warnings(action="error"):
        found = scan_column(values, ColumnBinning("numeric", edges=(0.0,)))
    assert found.counts == (BLOCK, BLOCK)
    assert found.powers == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("rows", [30, 3_000])
@pytest.mark.parametrize("kind", [pa.float16(), pa.float32()])
def test_short_floats_are_summed_as_long_ones(kind: pa.DataType, rows: int) -> None:
    """In few rows and in many: fourth powers pass what short floats hold."""
    numbers = np.random.default_rng(4).integers(100, 4_000, rows).astype("float16")
    binning = ColumnBinning("numeric", edges=(500.0,), pivot=7.3, scale=0.1)
    short, long = (scan_column(pa.chunked_array([pa.array(numbers).cast(k)]), binning) for k in (kind, pa.float64()))
    assert short.counts == long.counts
    assert short.powers == pytest.approx(long.powers, rel=1e-12)
    assert long.powers[3] == pytest.approx((((numbers.astype("float64") - 7.3) / 0.1) ** 4).sum())
