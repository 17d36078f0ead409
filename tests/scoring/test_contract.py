"""Rows from elsewhere: what has one obvious reading is cast to the contract, the rest is pointed out."""

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier

from modelops_jupyter.errors import InvalidFrame, InvalidInput
from modelops_jupyter.scoring.contract import conform
from modelops_jupyter.scoring.input_columns import describe
from modelops_jupyter.scoring.predictions import predict

TRAINED = pd.DataFrame(
    {
        "number": [0.5, 10.0, 2.0, 3.0],
        "whole": [1, 2, 3, 4],
        "kind": pd.Series(["a", "b", "a", "b"], dtype="category"),
        "code": pd.Series([1, 2, 1, 2], dtype="category"),
        "word": ["x", "y", "x", "y"],
        "truth": [True, False, True, True],
        "day": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"]),
        "moment": pd.date_range("2026-01-01", periods=4, tz="Europe/Berlin"),
        "gaps": [1.0, np.nan, 2.0, 3.0],
    }
)
CONTRACT = describe([TRAINED])


def test_the_contract_says_type_gaps_range_and_categories() -> None:
    facts = {column["name"]: column for column in CONTRACT}
    assert (facts["number"]["minimum"], facts["number"]["maximum"]) == (0.5, 10.0)
    assert (facts["gaps"]["missing"], facts["number"]["missing"]) == (True, False)
    assert facts["kind"]["categories"] == ["a", "b"]
    assert facts["word"]["values"] == ["x", "y"]
    assert "minimum" not in facts["day"]


@pytest.mark.parametrize("kind", ["str", "object", "string", "category"])
def test_text_is_read_as_what_the_column_held(kind: str) -> None:
    text = TRAINED.assign(moment=TRAINED["moment"].map(lambda moment: moment.isoformat())).astype(str).astype(kind)
    text.loc[1, "gaps"] = None
    rows = conform(text[reversed(text.columns)].assign(more=1), CONTRACT)
    pd.testing.assert_frame_equal(rows.frame, TRAINED)
    assert rows.breaches == ()


def test_rows_as_they_were_are_not_copied() -> None:
    rows = conform(TRAINED, CONTRACT)
    assert np.shares_memory(rows.frame["number"].to_numpy(), TRAINED["number"].to_numpy())


def test_an_optional_column_may_be_left_out_and_no_other() -> None:
    assert conform(TRAINED.drop(columns="gaps"), CONTRACT).frame["gaps"].isna().all()
    with pytest.raises(InvalidFrame, match="no column 'whole'"):
        conform(TRAINED.drop(columns="whole"), CONTRACT)


@pytest.mark.parametrize("empty", [None, np.nan, pd.NA, pd.NaT], ids=str)
def test_a_column_without_any_value_has_the_columns_own_type(empty: Any) -> None:
    rows = conform(TRAINED.assign(**{name: pd.Series([empty] * 4, dtype=object) for name in TRAINED}), CONTRACT)
    for name in ("number", "kind", "code", "word", "day", "moment", "gaps"):
        assert rows.frame[name].dtype == TRAINED[name].dtype, name
    assert {breach.column for breach in rows.breaches} == {*TRAINED.columns} - {"gaps"}
    assert {breach.kind for breach in rows.breaches} == {"missing"}


BAD = [
    ("number", "abc", "unreadable"),
    ("number", dt.date(2026, 1, 1), "unreadable"),
    ("number", [1], "unreadable"),
    ("number", Decimal("-9999"), "outside"),
    ("number", np.inf, "outside"),
    ("number", "N/A", "missing"),
    ("whole", 5, "outside"),
    ("whole", None, "missing"),
    ("kind", "z", "unseen"),
    ("code", "3", "unseen"),
    ("word", "z", "unseen"),
    ("truth", "maybe", "unreadable"),
    ("day", "yesterday", "unreadable"),
    ("day", 20260101, "unreadable"),
]


@pytest.mark.parametrize(("name", "value", "kind"), BAD, ids=[f"{name}-{value}" for name, value, _ in BAD])
def test_what_breaks_the_contract_is_pointed_out(name: str, value: Any, kind: str) -> None:
    values = TRAINED[name].astype(object).tolist()
    values[2] = value
    if name == "day" and kind == "unreadable" and isinstance(value, int):
        values = [value] * 4
    rows = conform(
        TRAINED.assign(**{name: pd.Series(values, dtype=object if name != "day" or isinstance(value, str) else None)}),
        CONTRACT,
    )
    (breach,) = rows.breaches
    assert (breach.column, breach.kind) == (name, kind)
    assert breach.rows[2]


_CELL = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.dates(), st.decimals(),
    st.binary(max_size=2), st.lists(st.integers(), max_size=1), st.uuids(), st.timedeltas(), st.datetimes(),
)  # fmt: skip


@given(st.sampled_from(list(TRAINED.columns)), st.lists(_CELL, min_size=1, max_size=5))
def test_whatever_a_column_holds_is_read_or_pointed_out(name: str, values: list[Any]) -> None:
    frame = TRAINED.loc[[0] * len(values)].reset_index(drop=True).assign(**{name: pd.Series(values, dtype=object)})
    rows = conform(frame, CONTRACT)
    assert list(rows.frame.columns) == list(TRAINED.columns)
    assert len(rows.frame) == len(values)
    wrong = np.zeros(len(values), dtype=bool)
    for breach in rows.breaches:
        wrong |= breach.rows
    kind = {"number": float, "whole": float, "gaps": float}.get(name)
    if kind is not None:
        assert all(isinstance(float(value), kind) for value in rows.frame[name].dropna())
        assert rows.frame[name].dtype.kind in "iufb"


class Answers:
    """A classifier whose answers are of another form than NumPy's arrays."""

    def __init__(self, form: Any) -> None:
        self.form, self.classes_ = form, np.array([0, 1])

    def predict(self, frame: pd.DataFrame) -> Any:
        return self.form(np.zeros((len(frame), 1)))

    def predict_proba(self, frame: pd.DataFrame) -> Any:
        return self.form(np.tile([0.75, 0.25], (len(frame), 1)))


@pytest.mark.parametrize("form", [pd.DataFrame, np.ndarray.tolist, np.asarray], ids=["frame", "list", "array"])
def test_answers_as_frames_or_lists_are_read(form: Any) -> None:
    answer = predict(Answers(form), TRAINED)
    assert answer.prediction.tolist() == [0] * 4
    assert answer.score is not None
    assert answer.score.tolist() == [0.25] * 4


def test_several_targets_are_one_sentence() -> None:
    x, y = TRAINED[["number", "whole"]], TRAINED[["truth", "truth"]].to_numpy()
    with pytest.raises(InvalidInput, match="predicts 2 targets"):
        predict(MultiOutputClassifier(LogisticRegression()).fit(x, y), x)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    "model",
    [LogisticRegression(), RandomForestClassifier(4, random_state=0), HistGradientBoostingClassifier(max_iter=5)],
    ids=lambda model: type(model).__name__,
)
def test_the_prediction_is_the_models_own_where_it_is_derived_from_probabilities(model: Any, classes: int) -> None:
    generator = np.random.default_rng(0)
    x = pd.DataFrame(generator.normal(size=(500, 3)).round(1), columns=["a", "b", "c"])
    y = np.array(["no", "yes", "maybe"])[generator.integers(0, classes, 500)]
    assert (predict(model.fit(x, y), x).prediction == model.predict(x)).all()
