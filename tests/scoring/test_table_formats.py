"""Decision tables against a plain reading of the same rules, and what of a document is refused with its place."""

import datetime as dt
import json
import pickle
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jdm_documents import document, one_table, table_node

from modelops_jupyter.errors import InvalidFrame, InvalidInput, NotFound
from modelops_jupyter.scoring.flavors.decision import DecisionTable

CARE = one_table(
    ["probability"],
    ["care", "cost"],
    [(["> 0.5"], ["'notify'", "2.5"]), (["null"], ["'call'", ""]), ([""], ["'none'", "0"])],
)

# A condition is what a cell says and what it means in Python; what is missing fits no order, and differs from all.
Condition = tuple[str, Any]


def _number_conditions() -> st.SearchStrategy[Condition]:
    tenths = st.integers(-20, 20).map(lambda n: n / 10)
    return st.one_of(
        tenths.map(lambda t: (f">= {t}", lambda v: v is not None and v >= t)),
        tenths.map(lambda t: (f"< {t}", lambda v: v is not None and v < t)),
        tenths.map(lambda t: (f"{t}", lambda v: v == t)),
        tenths.map(lambda t: (f"!= {t}", lambda v: v != t)),
        st.tuples(tenths, tenths).map(
            lambda p: (f"[{min(p)}..{max(p)})", lambda v: v is not None and min(p) <= v < max(p))
        ),
        st.tuples(tenths, tenths).map(
            lambda p: (f"> {p[0]}, < {p[1]}", lambda v: v is not None and (v > p[0] or v < p[1]))
        ),
        st.just(("null", lambda v: v is None)),
        st.just(("", lambda v: True)),
    )


def _text_conditions() -> st.SearchStrategy[Condition]:
    words = st.sampled_from(["jfk", "lga", "ewr", ""])
    return st.one_of(
        words.map(lambda w: (f'"{w}"', lambda v: v == w)),
        words.map(lambda w: (f'!= "{w}"', lambda v: v != w)),
        st.tuples(words, words).map(lambda p: (f"'{p[0]}', '{p[1]}'", lambda v: v in p)),
        words.map(lambda w: (f"not in ['{w}', 'jfk']", lambda v: v not in (w, "jfk"))),
        st.sampled_from([("null", lambda v: v is None), ("!= null", lambda v: v is not None), ("", lambda v: True)]),
    )


def _truth_conditions() -> st.SearchStrategy[Condition]:
    return st.sampled_from(
        [
            ("true", lambda v: v is True),
            ("false", lambda v: v is False),
            ("null", lambda v: v is None),
            ("", lambda v: True),
        ]
    )


RULES = st.lists(st.tuples(_number_conditions(), _text_conditions(), _truth_conditions()), min_size=1, max_size=6)
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-20, 20).map(lambda n: n / 10),
        st.none() | st.sampled_from(["jfk", "lga", "ewr", "", "x"]),
        st.none() | st.booleans(),
    ),
    min_size=1,
    max_size=20,
)
MISSING = st.sampled_from(
    [
        {"object": None},
        {"object": float("nan")},
        {"object": pd.NA},
        {"object": pd.NaT},
        {"native": None},
        {"nullable": None},
    ]
)


def _frame(rows: Sequence[tuple[Any, ...]], missing: dict[str, Any]) -> pd.DataFrame:
    """Return rows in columns of one kind of pandas's, in which None is what that kind has for a missing value."""
    kind, gap = next(iter(missing.items()))
    names = ["score", "origin", "late"]
    values = {name: [gap if row[n] is None else row[n] for row in rows] for n, name in enumerate(names)}
    if kind == "object":
        return pd.DataFrame(values, dtype="object")
    if kind == "nullable":
        return pd.DataFrame(values).astype({"score": "Float64", "origin": "category", "late": "boolean"})
    return pd.DataFrame(
        {"score": pd.Series(values["score"], dtype="float64"), "origin": values["origin"], "late": values["late"]}
    )


@given(RULES, ROWS, MISSING)
def test_rules_decide_as_a_plain_reading_of_them(
    rules: list[tuple[Condition, ...]], rows: list[tuple[Any, ...]], missing: dict[str, Any]
) -> None:
    table = DecisionTable.from_text(
        one_table(
            ["score", "origin", "late"],
            ["rule", "twice"],
            [([cell for cell, _ in rule], [str(n), "" if n % 3 == 0 else f"{n} * 2.5"]) for n, rule in enumerate(rules)]
            + [(["", "", ""], ["-1", "'rest'"])],
        )
    )
    expected = []
    for row in rows:
        fitting = (n for n, rule in enumerate(rules) if all(fits(v) for v, (_, fits) in zip(row, rule, strict=True)))
        expected.append(next(fitting, -1))
    frame = _frame(rows, missing)
    decided = table.decide(frame)
    assert decided["rule"].tolist() == table.predict(frame).tolist() == expected
    twice = [None if n % 3 == 0 and n >= 0 else "rest" if n < 0 else n * 2.5 for n in expected]
    assert [None if pd.isna(value) else value for value in decided["twice"]] == twice


def test_all_outputs_are_returned_and_numbers_stay_numbers() -> None:
    frame = pd.DataFrame({"probability": [0.9, None, 0.2]}, index=[7, 8, 9])
    decided = DecisionTable.from_text(CARE).decide(frame)
    assert decided.index.tolist() == [7, 8, 9]
    assert decided["care"].tolist() == ["notify", "call", "none"]
    assert decided["cost"].dtype == "float64"
    np.testing.assert_array_equal(decided["cost"], [2.5, np.nan, 0.0])


def test_the_first_output_is_the_decision_unless_another_is_named(tmp_path: Path) -> None:
    rows = pd.DataFrame({"probability": [0.9, 0.2]})
    table = DecisionTable.from_text(CARE)
    assert (table.decision, table.predict(rows).tolist()) == ("care", ["notify", "none"])
    with pytest.raises(InvalidInput, match="Rule 2 of table 'care' leaves the decision 'cost' empty"):
        table.with_decision("cost")
    whole = CARE.replace('"o1": ""', '"o1": "1"')
    file = tmp_path / "care.json"
    file.write_text(DecisionTable.from_text(whole, decision="cost").to_json())
    assert DecisionTable.from_file(file).decision == "cost"
    assert DecisionTable.from_file(file).predict(rows).tolist() == [2.5, 0]
    assert DecisionTable.from_file(file, decision="care").predict(rows).tolist() == ["notify", "none"]
    with pytest.raises(InvalidInput, match="no output 'price': name one of care, cost"):
        DecisionTable.from_file(file, decision="price")
    with pytest.raises(InvalidInput, match="no output 'x'"):
        DecisionTable.from_text(document(table_node("t", ["a"], ["b"], [([""], ["1"])]), decision="x"))


@pytest.mark.parametrize(
    ("conditions", "answers", "place"),
    [
        ([">== 0.45", ""], ["'a'", "1"], "Rule 2 of table 'care', column 'probability': '>== 0.45'"),
        (["", "jfk lga"], ["'a'", "1"], "Rule 2 of table 'care', column 'origin': 'jfk lga'"),
        (["", ""], ["offer rebooking", "1"], "Rule 2 of table 'care', column 'care': 'offer rebooking'"),
        (["", ""], ["'a'", "1 +"], "Rule 2 of table 'care', column 'cost': '1 \\+'"),
        (["", ""], ["'a'", "1 + 'x'"], "Rule 2 of table 'care', column 'cost': .* cannot be computed"),
        (["", '"open'], ["'a'", "1"], "Rule 2 of table 'care', column 'origin'"),
        (["..5", ""], ["'a'", "1"], "Rule 2 of table 'care', column 'probability'"),
        ([">= 0.45", ""], [0.5, "1"], "Rule 2 of table 'care', column 'care': 0.5 is not text"),
    ],
)
def test_a_cell_that_cannot_be_parsed_is_refused_with_its_place(
    conditions: list[str], answers: list[Any], place: str
) -> None:
    text = one_table(
        ["probability", "origin"], ["care", "cost"], [(["> 0.9", ""], ["'b'", "2"]), (conditions, answers)]
    )
    with pytest.raises(InvalidInput, match=place) as refused:
        DecisionTable.from_text(text)
    assert "\n" not in str(refused.value)
    assert "backtrace" not in str(refused.value)


def test_expressions_conditions_and_headings_are_compiled_too() -> None:
    with pytest.raises(InvalidInput, match="Column 'mean radius' of table 'care'"):
        DecisionTable.from_text(one_table(["mean radius"], ["a"], [([""], ["1"])]))
    expressions = {"expressions": [{"id": "1", "key": "x", "value": "a +"}]}
    with pytest.raises(InvalidInput, match="Expression 'x' of 'sum'"):
        DecisionTable.from_text(document({"id": "s", "name": "sum", "type": "expressionNode", "content": expressions}))
    statements = {"statements": [{"id": "1", "condition": "a >"}]}
    with pytest.raises(InvalidInput, match="Condition 1 of switch 'fork'"):
        DecisionTable.from_text(document({"id": "s", "name": "fork", "type": "switchNode", "content": statements}))


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        ({"type": "functionNode", "content": {"source": "export const handler = () => ({a: 1})"}}, "may run code"),
        ({"type": "decisionNode", "content": {"key": "/etc/passwd"}}, "read other files"),
        ({"type": "customNode", "content": {"kind": "http", "config": {}}}, "may run code"),
        ({"type": ["decisionTableNode"]}, "may run code"),
        (table_node("x", ["a"], ["b"], [], hitPolicy="collect"), "hit policy 'collect'"),
        (table_node("x", ["a"], ["b"], [], executionMode="loop"), "once for each item of a list"),
        (table_node("x", ["a"], ["b[]"], [([""], ["1"])]), "is a list of every rule that fits"),
        (table_node("x", ["a"], [], []), "no input or no output field"),
        (table_node("x", [], ["b"], [([], ["1"])]), "no input or no output field"),
        ({"type": "expressionNode", "content": {}}, "missing field `expressions`"),
        ({"type": "expressionNode", "content": None}, "zen cannot read"),
        (table_node("x", ["a"], ["b"], [([""], ["wait"])], passThrough=False) | {"id": "x2"}, "reads 'wait'"),
    ],
)
def test_what_we_do_not_run_is_refused_in_one_sentence(node: dict[str, Any], sentence: str) -> None:
    text = document({"id": "x", "name": "x", **node})
    if sentence.startswith("reads"):  # text without quotation marks is a name, which the rows do not have
        with pytest.raises(InvalidFrame, match=r"reads 'wait'.*quotation marks"):
            DecisionTable.from_text(text).predict(pd.DataFrame({"a": [1]}))
        return
    with pytest.raises(InvalidInput, match=sentence) as refused:
        DecisionTable.from_text(text)
    assert "\n" not in str(refused.value)


def test_documents_that_are_none_are_refused(tmp_path: Path) -> None:
    for text in ("", "[]", "{}", "null", '{"nodes": []}', '{"nodes": {}, "edges": []}', '{"nodes": [1], "edges": []}'):
        with pytest.raises(InvalidInput, match="decision table"):
            DecisionTable.from_text(text)
    with pytest.raises(InvalidInput, match="policy of blocks"):
        DecisionTable.from_text('{"nodes": [], "edges": [], "blocks": []}')
    with pytest.raises(InvalidInput, match="invalidInputCount"):
        DecisionTable.from_text('{"nodes": [], "edges": []}')
    a, b = table_node("a", ["x"], ["y"], []), table_node("b", ["y"], ["x"], [])
    with pytest.raises(InvalidInput, match="cyclicGraph"):
        DecisionTable.from_text(document(a, b, edges=[("in", "a"), ("a", "b"), ("b", "a")]))
    with pytest.raises(NotFound, match=r"none\.json"):
        DecisionTable.from_file(tmp_path / "none.json")
    (tmp_path / "latin.json").write_bytes(b"\xe9\xff")
    with pytest.raises(InvalidInput, match="not UTF-8"):
        DecisionTable.from_file(tmp_path / "latin.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_a_damaged_document_is_refused_or_works(data: st.DataObject) -> None:
    """Any value of a document replaced by any other: one sentence, or a table that decides or says why it cannot."""
    body = json.loads(CARE)
    paths: list[list[Any]] = []

    def walk(value: Any, path: list[Any]) -> None:
        paths.append(path)
        members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in members:
            walk(inner, [*path, key])

    walk(body, [])
    *parents, last = data.draw(st.sampled_from(paths[1:]))
    owner = body
    for key in parents:
        owner = owner[key]
    if data.draw(st.booleans()):
        owner[last] = data.draw(JSON)
    else:
        del owner[last]
    assert "\n" not in _refusal(json.dumps(body))


def _refusal(text: str) -> str:
    """Return why a document is refused or cannot decide, or nothing."""
    try:
        DecisionTable.from_text(text).predict(pd.DataFrame({"probability": [0.1, None]}))
    except (InvalidInput, InvalidFrame) as error:
        return str(error)
    return ""


def test_values_of_every_kind_reach_the_rules() -> None:
    """A rule without conditions hands each value back as zen got it."""
    values: list[Any] = [
        True, np.True_, 1, np.int64(1), 1.0, np.float32(0.5), Decimal("0.10"), "1", np.str_("text"), 2**70,
        dt.date(2013, 6, 29), dt.datetime(2013, 6, 29, 8, 30), pd.Timestamp("2013-06-29 08:30", tz="UTC"),
        np.datetime64("2013-06-29T08:30"), dt.time(8, 30), [1, None], {"a": float("nan")},
    ]  # fmt: skip
    frame = pd.DataFrame({"x": pd.Series(values, dtype="object")})
    table = DecisionTable.from_text(one_table(["x"], ["kind", "same"], [([""], ["type(x)", "x"])]))
    decided = table.decide(frame)
    assert decided["kind"].tolist() == ["bool"] * 2 + ["number"] * 5 + ["string"] * 2 + ["number"] + ["string"] * 5 + [
        "array",
        "object",
    ]
    assert decided["same"].tolist()[:9] == [True, True, 1, 1, 1.0, 0.5, 0.1, "1", "text"]
    assert decided["same"].tolist()[10:14] == [
        "2013-06-29",
        "2013-06-29 08:30:00",
        "2013-06-29 08:30:00+00:00",
        "2013-06-29 08:30:00",
    ]


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_dates_are_read_by_the_functions_of_dates(zone: str | None) -> None:
    times = pd.DataFrame({"at": pd.Series(pd.to_datetime(["2013-01-05", "2013-07-05", None])).dt.tz_localize(zone)})
    cell = 'd($) >= d("2013-03-01")'
    table = DecisionTable.from_text(one_table(["at"], ["half"], [(["null"], ["'?'"]), ([cell], ["2"]), ([""], ["1"])]))
    assert table.predict(times).tolist() == [1, 2, "?"]


def test_rows_that_look_equal_to_python_are_not_one_row() -> None:
    """1, True and 1.0 are equal and have one hash; NaN is not equal to itself."""
    table = DecisionTable.from_text(one_table(["x"], ["kind"], [(["null"], ["'missing'"]), ([""], ["type(x)"])]))
    frame = pd.DataFrame({"x": pd.Series([1, True, 1.0, "1", None, float("nan"), False, 0], dtype="object")})
    decided = table.predict(frame).tolist()
    assert decided == ["number", "bool", "number", "string", "missing", "missing", "bool", "number"]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (float("inf"), "Column 'x' holds inf, a number"),
        (1e30, "Column 'x' holds 1e\\+30, a number"),
        (10**400, "a number that rules cannot read"),
        (Decimal("-Infinity"), "Column 'x' holds -Infinity"),
        (pd.Timedelta("1D"), "Column 'x' holds a Timedelta"),
        (b"bytes", "Column 'x' holds a bytes"),
        (1j, "Column 'x' holds a complex"),
        (object, "Column 'x' holds a type"),
    ],
)
def test_values_that_rules_cannot_read_are_refused_by_column(value: Any, sentence: str) -> None:
    table = DecisionTable.from_text(one_table(["x"], ["a"], [([""], ["1"])]))
    with pytest.raises(InvalidFrame, match=sentence):
        table.predict(pd.DataFrame({"x": pd.Series([value], dtype="object")}))


def test_nested_names_are_columns_or_objects() -> None:
    rules = [([">= 18", "'de'"], ["customer.name"]), (["", ""], ["'nobody'"])]
    table = DecisionTable.from_text(one_table(["customer.age", "customer.home.land"], ["who"], rules))
    assert table.input_fields == ("customer.age", "customer.home.land", "customer.name")
    flat = pd.DataFrame(
        {"customer.name": ["Ann", "Bo"], "x": [1, 2], "customer.home.land": ["de", "de"], "customer.age": [20, 7]}
    )
    assert table.predict(flat).tolist() == ["Ann", "nobody"]
    nested = pd.DataFrame({"customer": [{"age": 20, "name": "Ann", "home": {"land": "de"}}, None]})
    assert table.predict(nested).tolist() == ["Ann", "nobody"]
    with pytest.raises(InvalidFrame, match=r"reads 'customer\.age', which the rows do not have"):
        table.predict(flat.drop(columns="customer.age"))
    whole = DecisionTable.from_text(one_table(["customer"], ["a"], [(["null"], ["0"]), ([""], ["customer.age"])]))
    assert whole.predict(flat).tolist() == [20, 7]


def test_names_with_percent_signs_and_quotes_are_only_names() -> None:
    name = '50% "off" %s'
    expression = "$root['" + name + "'] > 1"
    table = DecisionTable.from_text(one_table([None], ["a"], [([expression], ["1"]), ([""], ["0"])]))
    assert table.input_fields == (name,)
    assert table.predict(pd.DataFrame({name: [2, 0]})).tolist() == [1, 0]


def test_rows_that_no_rule_decides_are_shown() -> None:
    table = DecisionTable.from_text(one_table(["x"], ["a", "b"], [(["> 5"], ["1", "2"])]))
    assert table.decide(pd.DataFrame({"x": [9, 1]}))["a"].isna().tolist() == [False, True]
    with pytest.raises(InvalidFrame, match=r"No rule gives 'a' for the row \{\"x\":1\}: add a last rule"):
        table.predict(pd.DataFrame({"x": [9, 1]}))
    listed = DecisionTable.from_text(one_table(["x"], ["a"], [([""], ["[x, 2]"])]))
    assert listed.decide(pd.DataFrame({"x": [9]}))["a"].tolist() == [[9, 2]]
    with pytest.raises(InvalidFrame, match=r"The decision 'a' is \[9, 2\], which is not one value"):
        listed.predict(pd.DataFrame({"x": [9]}))


def test_outputs_that_collect_are_lists() -> None:
    table = DecisionTable.from_text(
        one_table(
            ["x"],
            ["first", "tags[]"],
            [(["> 5"], ["'big'", "'five'"]), (["> 2"], ["'some'", "'two'"]), ([""], ["'small'", ""])],
        )
    )
    decided = table.decide(pd.DataFrame({"x": [9, 3, 0]}))
    assert decided["first"].tolist() == ["big", "some", "small"]
    assert decided["tags"].tolist() == [["five", "two"], ["two"], []]
    with pytest.raises(InvalidInput, match="is a list of every rule"):
        table.with_decision("tags")


def test_a_table_can_be_pickled_after_use_and_keeps_its_bytes(tmp_path: Path) -> None:
    text = CARE.replace("{", "{\r\n", 1)
    (tmp_path / "care.json").write_bytes(b"\xef\xbb\xbf" + text.encode())
    table = DecisionTable.from_file(tmp_path / "care.json")
    rows = pd.DataFrame({"probability": [0.9]})
    assert table.to_json() == text
    assert pickle.loads(pickle.dumps(table)).predict(rows).tolist() == table.predict(rows).tolist()
