"""What expressions read: against zen itself, which gives null for what it cannot find."""

import pytest
import zen
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.scoring.flavors._expressions import paths_read


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        (">= 0.45", []),
        ("> customer.age", ["customer.age"]),
        ("score > 0.5 and not (kind in ['a', 'b.c'])", ["score", "kind"]),
        ("customer['home town'].size", ["customer.home town.size"]),
        ('$root["mean radius"] * $root.factor', ["mean radius", "factor"]),
        ("$ > limit or # == 2", ["limit"]),
        ("sum(map(orders, #.price * rate))", ["orders", "rate"]),
        ("map(orders as order, order.price)[0]", ["orders"]),
        ("rate = base * 2; rate + fee", ["base", "fee"]),
        ("{kind: level, size: {inner: 3}}", ["level"]),
        ("big ? {a: x} : y", ["big", "x", "y"]),
        ("`Dear ${customer.name}, ${'no $' + total}`", ["customer.name", "total"]),
        ("d(born).add(1, 'd').year() > 2000", ["born"]),
        ("customer.born.year()", ["customer.born"]),
        ("items[0].price + items[index]", ["items", "index"]),
        ("[low..high]", ["low", "high"]),
        ("1..5", []),
        ("$nodes.Request.age", ["$nodes.Request.age"]),
        ("null ?? true", []),
        ("notify", ["notify"]),
    ],
)
def test_paths_are_those_read_from_outside(expression: str, paths: list[str]) -> None:
    assert [".".join(path) for path in paths_read(expression)] == paths


NAMES = st.sampled_from(["alpha", "beta", "gamma.delta", "gamma.beta"])
ATOMS = NAMES | st.sampled_from(
    ["1", "2.5", "'alpha'", '"beta"', "null", "[1, 2][0]", "len('alpha')", "{alpha: 3}.alpha"]
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["==", "!="]), inner).map(" ".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} == {pair[1]} ? {pair[0]} : [{pair[1]}])"),
        inner.map(lambda one: f"{{alpha: {one}}}"),
        inner.map(lambda one: f"map([1], {one})"),
    ),
    max_leaves=6,
)


@given(EXPRESSIONS)
def test_an_expression_depends_on_nothing_but_what_it_reads(expression: str) -> None:
    """zen answers the same when all that is not read is taken away."""
    full = {"alpha": 1, "beta": "beta", "gamma": {"delta": 2.5, "beta": None}, "other": 7}
    read = {path[0] for path in paths_read(expression)}
    try:
        answer = zen.evaluate_expression(expression, full)
    except RuntimeError:  # an operation on types that have none; then the names are not asked for
        return
    assert zen.evaluate_expression(expression, {name: value for name, value in full.items() if name in read}) == answer
    assert read <= {"alpha", "beta", "gamma"}
