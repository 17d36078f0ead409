"""What became what: against pandas' own crosstab."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops_jupyter.governance import Comparison, compare, crosstab
from modelops_jupyter.governance.changes import MOST_DECISIONS, MOST_PAIRS

DECISIONS = st.sampled_from(["none", "notify", "offer rebooking", "1", "True", ""])


def compared(a: list[str], b: list[str], origins: list[str] | None = None) -> Comparison:
    frame = pd.DataFrame({"origin": origins or ["JFK"] * len(a)})
    segments = ("origin",) if origins else ()
    return compare("care/1", "care/2", frame, None, np.array(a), np.array(b), None, None, "decision", segments)


@given(st.lists(st.tuples(DECISIONS, DECISIONS, st.sampled_from(["JFK", "LGA"])), min_size=1, max_size=80))
def test_changes_are_the_crosstab_of_all_rows_and_of_each_segment(rows: list[tuple[str, str, str]]) -> None:
    a, b, origins = (list(column) for column in zip(*rows, strict=True))
    answer = compared(a, b, origins)
    frame = pd.DataFrame({"a": a, "b": b, "origin": origins})
    slices = {"": frame, **{f"origin={name}": part for name, part in frame.groupby("origin")}}
    assert {change.segment for change in answer.changes} == set(slices)
    for segment, part in slices.items():
        changes = [change for change in answer.changes if change.segment == segment]
        expected = pd.crosstab(part["a"], part["b"])
        found = crosstab(changes)
        assert found is not None
        assert found.sort_index().sort_index(axis=1).to_dict() == expected.to_dict()
        assert sum(change.share for change in changes) == pytest.approx(1)
        assert [change.rows for change in changes] == sorted((change.rows for change in changes), reverse=True)


def test_the_conclusion_and_the_text_name_the_commonest_change() -> None:
    a = ["none"] * 60 + ["notify"] * 40
    b = ["none"] * 40 + ["notify"] * 55 + ["call"] * 5
    answer = compared(a, b, ["JFK", "LGA"] * 50)
    assert answer.conclusion == (
        "care/1 and care/2 agree on 75.0% of the rows; most often 'none' became 'notify' in 20 rows (20.0%)."
    )
    text = str(answer)
    assert "Decisions of care/1 (down) and care/2 (across)" in text
    assert "origin=JFK: 'none' became 'notify' in 10 rows (20.0%), 'notify' became 'call' in 2 rows (4.0%)" in text
    body = answer.to_dict()["changes"]
    assert body[0] == {"segment": "", "a": "none", "b": "none", "rows": 40, "share": 0.4}


def test_equal_tables_have_no_changes() -> None:
    answer = compared(["none", "call"] * 30, ["none", "call"] * 30, ["JFK"] * 60)
    assert answer.conclusion == "care/1 and care/2 agree on 100.0% of the rows."
    assert "origin=JFK: no change" in str(answer)
    assert not any(change.changed for change in answer.changes)


def test_many_decisions_are_bounded_and_listed() -> None:
    """A numeric decision may have a value for every row: neither the record nor the page grows with it."""
    a = [str(n) for n in range(1000)]
    b = [str(n + n % 2) for n in range(1000)]
    answer = compared(a + a[:3], b + b[:3])
    assert len(answer.changes) == MOST_PAIRS + 1
    assert (answer.changes[-1].a, answer.changes[-1].b) == (None, None)
    assert sum(change.rows for change in answer.changes) == 1003
    assert crosstab(answer.changes) is None
    assert "'1' became '2' in 2 rows (0.2%)" in str(answer)
    assert len(str(answer).splitlines()) < 40
    some = [str(n) for n in range(MOST_DECISIONS + 1)]
    assert crosstab(compared(some, some).changes) is None
    assert crosstab(compared(some[1:], some[1:]).changes) is not None


def test_models_that_are_no_decision_tables_have_none() -> None:
    y = np.array(["0", "1"] * 50)
    assert compare("m/1", "m/2", pd.DataFrame(index=range(100)), y, y, y, None, None, "classification").changes == ()
