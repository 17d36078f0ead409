"""Tables from every library become the same columns; what cannot be understood is refused."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.frames import outcome_text, outcomes, take, to_arrow, to_pandas, utc_times


def test_arrow_dict_and_pandas_are_the_same_table() -> None:
    expected = pd.DataFrame({"a": [1, 2]})
    for frame in (expected, pa.table({"a": [1, 2]}), {"a": [1, 2]}):
        pd.testing.assert_frame_equal(to_pandas(frame, "data"), expected)


@pytest.mark.parametrize("frame", [3, "x", None, pd.DataFrame({"a": []})])
def test_no_table_and_no_rows_are_refused(frame: object) -> None:
    with pytest.raises(InvalidFrame, match="data"):
        to_pandas(frame, "data")


def test_a_missing_column_names_those_there_are() -> None:
    with pytest.raises(InvalidFrame, match="no column 'b': it has a"):
        take(pd.DataFrame({"a": [1]}), "b", "frame")


def test_naive_times_are_refused() -> None:
    with pytest.raises(InvalidFrame, match="time zone"):
        utc_times(pd.Series(pd.to_datetime(["2013-04-01"])), "t")


def test_times_of_any_zone_become_utc() -> None:
    times = pd.Series(pd.to_datetime(["2013-04-01 05:00"]).tz_localize("America/New_York"))
    assert utc_times(times, "t")[0] == pd.Timestamp("2013-04-01 09:00", tz="UTC")


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
