"""Columns that are derived of texts and dates: they slice nothing, and pass for no other column."""

import datetime as dt
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import modelops_jupyter as mo
from modelops_jupyter.derived_names import DESCRIPTORS
from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.measure import measure_window
from modelops_jupyter.monitoring.judging.quality_findings import METRICS, QualityJudge, quality_signals
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.judging.thresholds import Track
from modelops_jupyter.profiles import Reference, build_reference, scan
from modelops_jupyter.profiles.dates import PLACEHOLDERS, describe_dates
from modelops_jupyter.profiles.texts import kind_of_texts

ROWS = 400
NUMBERS = np.arange(ROWS)
ASKED = NUMBERS * 3_600_000_000 + 1_780_000_000_000_000
SIGNUPS = [dt.datetime(2020, 1, 1) + dt.timedelta(days=int(at) * 7 % 900) for at in NUMBERS]
DAY = dt.datetime(2026, 5, 1), dt.datetime(2026, 5, 2)
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


def test_the_budget_pays_for_the_tests_that_are_made() -> None:
    table = TABLE.append_column("order", [[f"A-{at:06}" for at in range(ROWS)]])
    reference = build_reference(table, task="decision", times=ASKED)
    names, ranges = list(reference.binning.columns), ("out_of_range_rate", "unseen_rate")
    dates = {"signup · kind": 2, "signup · age": 0, "signup · weekday": 1}
    expected = {"plan": 2, "amount": 2, "comment · length": 2, "order · presence": 1, **dates}
    own = {name: quality_signals([reference.binning.columns[name]]) for name in names}
    assert own == {name: expected.get(name, 0) for name in names}
    current = table.append_column("timestamp", [ASKED])
    window = measure_window(reference, scan(current, reference.binning), *DAY)
    judge = QualityJudge(Track(Baseline(reference), [window], "1D"), 1e-3, AlertRules())
    for place, name in enumerate(names):
        judged = [metric for metric in METRICS if np.isfinite(judge.rates[metric][0, place])]
        missing = {"null_rate", "mistyped_rate"} <= set(judged)
        beyond = sum(metric in judged for metric in ranges) if name != "order · presence" else 0
        assert missing + beyond == expected.get(name, 0), name


def test_a_weekday_that_is_gone_is_named_where_ages_moved_too() -> None:
    reference = build_reference(TABLE, task="decision", times=ASKED)
    moved = [day + dt.timedelta(days=700) for day in SIGNUPS]
    moved = [day + dt.timedelta(days=2) if day.weekday() == 5 else day for day in moved]
    current = TABLE.set_column(1, "signup", pa.array(moved, pa.timestamp("us"))).append_column("timestamp", [ASKED])
    window = measure_window(reference, scan(current, reference.binning), *DAY)
    assert window.vanished("signup · weekday").startswith("`Saturday` (")
    assert window.vanished("signup · age").startswith("age fell from ")


ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "+02:00", "UTC"]
STAMPS = [
    *map(dt.datetime.fromisoformat, PLACEHOLDERS),
    dt.datetime(2024, 2, 29, 0, 5),
    dt.datetime(2024, 7, 6, 23, 55),
]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_days_of_dates_are_those_that_their_clocks_show(zone: str, unit: str) -> None:
    shown = pa.chunked_array([pa.array([*STAMPS, None], pa.timestamp(unit))])
    if zone == "+02:00":
        instants = pc.subtract(shown, pa.scalar(7200, pa.duration("s"))).cast(pa.timestamp(unit))
        zoned = instants.cast(pa.timestamp(unit, "UTC")).cast(pa.timestamp(unit, zone))
    else:
        zoned = pc.assume_timezone(shown, zone)
    days = ("kind", "weekday")
    expected = describe_dates(shown, days, None, "")
    assert describe_dates(zoned, days, None, "") == expected
    # The log keeps instants alone.
    logged = zoned.cast(pa.timestamp("us", "UTC"))
    assert describe_dates(logged, days, None, "", zone) == expected
    reference = build_reference(pa.table({"at": zoned}), task="decision")
    restored = type(reference).from_dict(reference.to_dict())
    counted = scan(pa.table({"at": logged}), restored.binning).columns["at · kind"]
    assert counted.counts == reference.profile.columns["at · kind"].counts
    times = np.zeros(len(shown), "int64")
    age = describe_dates(zoned, ("age",), times, "")["age"].to_pylist()[-2]
    assert age == pytest.approx(-logged.cast(pa.int64())[-2].as_py() / 86_400_000_000)


def test_dates_of_a_zone_that_is_not_known_here_are_those_of_utc() -> None:
    values = pa.chunked_array([pa.array(STAMPS, pa.timestamp("us"))])
    odd = values.cast(pa.timestamp("us", "Nowhere/Else"))
    assert describe_dates(odd, ("kind",), None, "") == describe_dates(values, ("kind",), None, "")


def test_a_reference_of_before_derived_columns_is_read_and_judged_as_it_was() -> None:
    table = TABLE.drop_columns(["comment", "signup"]).append_column("note words", [NUMBERS])
    written = json.dumps(build_reference(table, task="decision", segments=()).to_dict())
    # A column of its own that is called so, as none may be any more.
    body = json.loads(written.replace("note words", "note · words"))
    body["binning"].pop("left_out")
    own = ("kind", "edges", "coarse", "pivot", "scale", "categories")
    columns = body["binning"]["columns"]
    body["binning"]["columns"] = {name: {key: columns[name][key] for key in own} for name in columns}
    reference = Reference.from_dict(body)
    names = list(reference.binning.columns)
    assert quality_signals(reference.binning.columns.values()) == 2 * len(names)
    current = table.drop_columns("note words").append_column("note · words", [NUMBERS * 2.0])
    window = measure_window(reference, scan(current, reference.binning), *DAY)
    judge = QualityJudge(Track(Baseline(reference), [window], "1D"), 1e-3, AlertRules())
    assert np.isfinite(judge.rates["null_rate"]).all()
    assert "out_of_range_rate" in {found.metric for found in judge.judge(0, "") if found.column == "note · words"}


STRINGS = {
    "emoji": ["👍🏽 great 🎉", "👨‍👩‍👧 " * 4, "🇫🇮"],
    "empty": [""],
    "blank": [" ", "\t\n", "\u3000"],
    "missing": [None],
    "mixed": ["", None, "👍", "\x00", "ﷺ", "a" * 5000],
}
ARROWS = {
    "plain": pa.string(),
    "large": pa.large_string(),
    "coded": pa.dictionary(pa.int32(), pa.string()),
    "large and coded": pa.dictionary(pa.int8(), pa.large_string()),
    "view": pa.string_view(),
}


@pytest.mark.parametrize("strings", STRINGS)
@pytest.mark.parametrize("arrow", ARROWS)
def test_texts_of_any_type_are_counted_alike_and_fail_nothing(strings: str, arrow: str) -> None:
    words = pa.array((STRINGS[strings] * ROWS)[:ROWS], pa.string())
    kind_of_arrow = ARROWS[arrow]
    table = TABLE.append_column("order", [[f"A-{at:06}" for at in range(ROWS)]])
    reference = build_reference(table, task="decision", times=ASKED)
    own = words.dictionary_encode().cast(kind_of_arrow) if "coded" in arrow else words.cast(kind_of_arrow)
    plain, other = (
        scan(pa.table({"comment": values, "order": values}), reference.binning).columns for values in (words, own)
    )
    assert plain == other
    build_reference(pa.table({"comment": own}), task="decision")
    blank = sum(word is None or not word.strip() for word in words.to_pylist())
    assert other["order · presence"].missing == blank


@pytest.mark.parametrize("values", [pa.array([b"x", None] * (ROWS // 2)), pa.nulls(ROWS), pa.array([{"a": 1}] * ROWS)])
def test_values_of_another_type_are_mistyped_and_none_are_missing(values: pa.Array) -> None:
    table = TABLE.append_column("order", [[f"A-{at:06}" for at in range(ROWS)]])
    reference = build_reference(table, task="decision", times=ASKED)
    current = pa.table({"comment": values, "order": values, "signup": values})
    counted = scan(current, reference.binning).columns
    for name in ("comment · length", "order · presence", "signup · kind"):
        assert counted[name].missing == ROWS
        assert counted[name].mistyped == ROWS - values.null_count
    build_reference(current, task="decision", times=ASKED)
