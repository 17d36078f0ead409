"""Columns that are derived of texts and dates: they slice nothing, and pass for no other column."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

import modelops_jupyter as mo
from modelops_jupyter.derived_names import DESCRIPTORS
from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.profiles import build_reference, scan
from modelops_jupyter.profiles.texts import kind_of_texts

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


def kind(values: list[str | None]) -> str:
    return kind_of_texts(pa.chunked_array([pa.array(values, pa.string())]))


def drawn(alphabet: str, least: int, most: int, rows: int) -> list[str]:
    generator = np.random.default_rng(least)
    return ["".join(generator.choice(list(alphabet), generator.integers(least, most))) for _ in range(rows)]


SCRIPTS = {
    "Chinese": "".join(map(chr, range(0x4E00, 0x4F00))),
    "Japanese": "".join(map(chr, range(0x3041, 0x3097))),
    "Thai": "".join(map(chr, range(0x0E01, 0x0E2F))),
}


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("length", [10, 30])
@pytest.mark.parametrize("rows", [60, 400])
def test_texts_without_spaces_are_texts(script: str, length: int, rows: int) -> None:
    assert kind(drawn(SCRIPTS[script], length, length + 8, rows)) == "text"


@pytest.mark.parametrize("rows", [20, 25, 60])
@pytest.mark.parametrize("alphabet", ["abcdefghij", "äöüßéèñ", "бвгдежз"])
def test_labels_of_few_rows_are_categories(alphabet: str, rows: int) -> None:
    assert kind(drawn(alphabet, 5, 14, rows)) == "category"


CODES = {"hex": ("0123456789abcdef", 32), "dashed": ("0123456789ABCDEF-", 36), "letters": ("ABCDEFGHJKLMN", 12)}


@pytest.mark.parametrize("codes", CODES)
def test_identifiers_are_watched_for_whether_they_are_there(codes: str) -> None:
    alphabet, length = CODES[codes]
    ids = drawn(alphabet, length, length + 1, ROWS)
    assert kind(ids) == "identifier"
    reference = build_reference(pa.table({"order": ids}), task="decision")
    assert list(reference.binning.columns) == ["order · presence"]
    now: list[str | None] = [None, "", "  ", *ids[3:]]
    words = pa.array(now)
    for values in (words, words.cast(pa.large_string()), words.dictionary_encode()):
        counted = scan(pa.table({"order": values}), reference.binning).columns["order · presence"]
        assert (counted.n, counted.missing, counted.unseen, counted.mistyped) == (ROWS, 3, 0, 0)
    for other in (pa.array(range(ROWS)), pa.array([b"x"] * ROWS)):
        counted = scan(pa.table({"order": other}), reference.binning).columns["order · presence"]
        assert counted.mistyped == ROWS


def test_an_identifier_that_goes_missing_is_named_and_others_raise_nothing() -> None:
    reference = pa.table({"order": [f"A-{at:06}" for at in range(ROWS)], "amount": NUMBERS})
    others = [f"B-{at:06}" for at in range(ROWS)]
    assert mo.compare_data(reference, reference.set_column(0, "order", [others])).alerts == ()
    gone = [None if at % 2 else other for at, other in enumerate(others)]
    (alert,) = mo.compare_data(reference, reference.set_column(0, "order", [pa.array(gone)])).alerts
    assert (alert.metric, alert.column) == ("null_rate", "order · presence")


@pytest.mark.parametrize("rows", [40, 60, 150])
def test_identifiers_of_a_small_reference_raise_nothing(rows: int) -> None:
    reference, now = (pa.table({"order": [f"{start}-{at:06}" for at in range(rows)]}) for start in "AB")
    assert mo.compare_data(reference, now).alerts == ()


@pytest.mark.parametrize("descriptor", sorted(DESCRIPTORS))
def test_no_column_is_called_as_derived_ones_are(descriptor: str) -> None:
    table = TABLE.append_column(f"comment · {descriptor}", [NUMBERS])
    with pytest.raises(InvalidFrame, match=rf"^Column 'comment · {descriptor}' is called like .*: rename it\.$"):
        mo.compare_data(table, table)
    with pytest.raises(InvalidFrame, match="rename it"):
        build_reference(table.drop_columns(["comment"]), task="decision", times=ASKED)
