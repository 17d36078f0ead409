"""Tables from every library become the same columns; what cannot be understood is refused."""

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.frames import (
    numbers,
    outcome_text,
    outcomes,
    take,
    to_arrow,
    to_pandas,
    zones_in_arrow,
)


def test_arrow_dict_and_pandas_are_the_same_table() -> None:
    expected = pd.DataFrame({"a": [1, 2]})
    for frame in (expected, pa.table({"a": [1, 2]}), {"a": [1, 2]}):
        pd.testing.assert_frame_equal(to_pandas(frame, "data"), expected)


@pytest.mark.parametrize("frame", [3, "x", None, pd.DataFrame({"a": []})])
def test_no_table_and_no_rows_are_refused(frame: object) -> None:
    with pytest.raises(InvalidFrame, match="data"):
        to_pandas(frame, "data")


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidFrame, match="two columns 'a'"):
        to_pandas(pd.DataFrame([[1, 2]], columns=["a", "a"]), "data")


def test_a_missing_column_names_those_there_are() -> None:
    with pytest.raises(InvalidFrame, match="no column 'b': it has 'a'"):
        take(pd.DataFrame({"a": [1]}), "b", "frame")


@pytest.mark.parametrize("values", [[1, "a"], [b"x", 1.5], [2**70, 1], [object(), 1]])
def test_a_column_of_several_types_is_named(values: list[object]) -> None:
    with pytest.raises(InvalidFrame, match="'mixed'"):
        to_arrow(pd.DataFrame({"fine": [1, 2], "mixed": pd.Series(values, dtype="object")}))


@pytest.mark.parametrize(
    ("values", "examples"),
    [
        ([1, None, "a"], r"such as 1 \(int\) in row 0 and 'a' \(str\) in row 2"),
        (["a"] * 1000 + [2.5], r"such as 'a' \(str\) in row 0 and 2\.5 \(float\) in row 1000"),
        ([None, np.int64(3), 4, "a"], r"such as 3 \(int64\) in row 1 and 'a' \(str\) in row 3"),
        ([1, Decimal("1.5"), "z"], r"such as 1 \(int\) in row 0 and 'z' \(str\) in row 2"),
        ([[1], ["a"]], r"such as \[1\] \(list\) in row 0 and \['a'\] \(list\) in row 1"),
        ([{"a": 1}, {"a": "x"}], r"such as \{'a': 1\} \(dict\) in row 0 and \{'a': 'x'\} \(dict\) in row 1"),
        ([1.5, 2**70], r"no file can hold, such as 1180591620717411303424 \(int\) in row 1"),
        ([object()], r"no file can hold, such as <object object .* \(object\) in row 0"),
        ([dt.date(2026, 1, 1), dt.datetime(2026, 1, 1)], r"2026-01-01 \(date\) in row 0 and .*without a .* in row 1"),
        (
            [dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)],
            r"without a time zone\) .* row 0 and .*with",
        ),
        ([np.zeros((2, 2)), 1], r"no file can hold, such as array\(.* \(ndarray\) in row 0"),
        (["x" * 5000, 1], r"'x{39}… \(str\) in row 0 and 1 \(int\) in row 1"),
        (["two\nlines", 1], r"'two\\nlines' \(str\) in row 0"),
    ],
)
def test_a_column_of_several_types_shows_two_values_with_types_and_rows(values: list[object], examples: str) -> None:
    with pytest.raises(
        InvalidFrame, match=rf"^Column 'mixed' holds [^\n]*{examples}[^\n]*rows count from 0\)\.$"
    ) as error:
        to_arrow(pd.DataFrame({"fine": 0, "mixed": pd.Series(values, dtype="object")}))
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("values", [["high", "low"], pd.to_datetime(["2013-04-01", "2013-04-02"]), [[1], [2]]])
def test_what_is_no_number_is_named(values: object) -> None:
    with pytest.raises(InvalidFrame, match="'score' must hold numbers"):
        numbers(pd.Series(values, name="score"))
    with pytest.raises(InvalidFrame, match="'score' must hold numbers"):
        outcomes(pd.Series(values, name="score"), "regression")


def test_numbers_may_be_written_out() -> None:
    assert numbers(pd.Series(["0.5", None], name="score")).tolist()[0] == 0.5


@pytest.mark.parametrize("value", [1, 1.0, np.int64(1), np.float32(1), "1"])
def test_one_class_has_one_spelling(value: object) -> None:
    assert outcome_text(value) == "1"


@pytest.mark.parametrize("value", [None, float("nan"), pd.NA])
def test_missing_outcomes_stay_missing(value: object) -> None:
    assert outcome_text(value) is None


def test_outcomes_are_floats_for_regression_and_text_otherwise() -> None:
    assert outcomes(pd.Series([1, 2]), "regression").tolist() == [1.0, 2.0]
    assert outcomes(pd.Series([True, False]), "classification").tolist() == ["True", "False"]


def test_categories_become_text_and_keep_their_gaps() -> None:
    table = to_arrow(pd.DataFrame({"c": pd.Categorical(["x", None])}))
    assert pa.types.is_string(table.schema.field("c").type) or pa.types.is_large_string(table.schema.field("c").type)
    assert table["c"].to_pylist() == ["x", None]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Vienna", dt.UTC, dt.timezone(dt.timedelta(hours=5, minutes=30))])
@pytest.mark.filterwarnings("ignore:Series.values returning an ndarray that drops timezone")
def test_zoned_times_are_to_arrow_what_pyarrow_makes_of_them(unit: Any, zone: Any) -> None:
    times = pd.Series(pd.to_datetime(["2020-01-01", "NaT", "1999-07-01"]).as_unit(unit)).dt.tz_localize(zone)
    frame = pd.DataFrame({"at": times, "n": [1, 2, 3]})
    assert pa.Table.from_pandas(zones_in_arrow(frame)) == pa.Table.from_pandas(frame)
