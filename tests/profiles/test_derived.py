"""Columns that are derived of texts and dates: they slice nothing, and pass for no other column."""

import datetime as dt

import numpy as np
import pyarrow as pa

from modelops_jupyter.profiles import build_reference

ROWS = 400
NUMBERS = np.arange(ROWS)
ASKED = NUMBERS * 3_600_000_000 + 1_780_000_000_000_000
SIGNUPS = [dt.datetime(2020, 1, 1) + dt.timedelta(days=int(at) * 7 % 900) for at in NUMBERS]
TABLE = pa.table(
    {
        "comment": [f"the parcel number {at} came late and " + "very " * (at % 9) + "wet" for at in NUMBERS.tolist()],
        "signup": pa.array(SIGNUPS, pa.timestamp("us")),
        "plan": np.where(NUMBERS % 2, "a", "b"),
        "amount": NUMBERS * 1.5,
    }
)


def test_a_reference_is_sliced_by_columns_that_there_are_alone() -> None:
    reference = build_reference(TABLE, task="decision", times=ASKED)
    assert {"comment · length", "signup · weekday"} <= set(reference.binning.columns)
    assert set(reference.segments) == {"plan", "amount"}
    asked = build_reference(TABLE, task="decision", times=ASKED, segments=("signup · weekday", "plan"))
    assert set(asked.segments) == {"plan"}
