"""What the first batch decides: features come to the log in the types that the version was registered with, or not."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.frames import to_arrow
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

RANDOM = np.random.default_rng(0)
X = pd.DataFrame({"n": RANDOM.normal(size=100), "t": RANDOM.choice(["a", "b"], 100)})
Y = np.arange(100) % 2
AT = pd.date_range("2026-01-01", periods=100, freq="h", tz="UTC")
Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture
def ws(settings: Settings) -> Workspace:
    ws = Workspace(settings)
    parts = make_column_transformer((StandardScaler(), ["n"]), (OneHotEncoder(handle_unknown="ignore"), ["t"]))
    ws.register(make_pipeline(parts, LogisticRegression()).fit(X, Y), "m", data=X, target=Y)
    return ws


def log(ws: Workspace, rows: Any, first: int) -> int:
    ids = range(first, first + len(rows))
    return int(
        ws.log_predictions("m/1", rows.assign(id=ids, at=AT, said=Y), id="id", time="at", prediction="said").rows
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.assign(n=rows["n"].astype(str)),
        lambda rows: rows.assign(n=[Decimal(f"{value:.3f}") for value in rows["n"]]),
        lambda rows: rows.assign(n=rows["n"] > 0),
        lambda rows: rows.assign(n=None),
        lambda rows: rows.assign(n=rows["n"].astype("int8")),
        lambda rows: rows.assign(t=1),
        lambda rows: rows.assign(t=True),
        lambda rows: rows.assign(t=rows["t"].astype("category")),
    ],
    ids=["text", "decimal", "truth", "nothing", "int8", "number for text", "truth for text", "categories"],
)
def test_a_first_batch_of_another_kind_stops_no_later_one(ws: Workspace, change: Change) -> None:
    assert log(ws, change(X), 0) == 100
    assert log(ws, X, 100) == 100
    assert log(ws, change(X), 200) == 100
    assert ws.monitor("m").windows[0].rows > 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows.assign(n=dt.date(2026, 1, 1)), "holds date32.*registered with numbers there"),
        (lambda rows: rows.assign(n=[[1.0]] * 100), "holds list.*registered with numbers there"),
        (lambda rows: rows.assign(n=["x", *rows["n"].astype(str)[1:]]), "registered with numbers there"),
    ],
    ids=["dates", "lists", "a word among numbers"],
)
def test_what_has_no_reading_is_refused_at_the_first_batch(ws: Workspace, change: Change, says: str) -> None:
    for first in (0, 100):
        with pytest.raises(InvalidFrame, match=f"Column 'n' {says}" if "holds" in says else says):
            log(ws, change(X), first)
    assert log(ws, X, 200) == 100
    with pytest.raises(InvalidFrame, match=r"does not fit the log.* Its 100 rows are kept in"):
        log(ws, change(X), 300)
    assert log(ws, X, 400) == 100


def test_readers_of_arrow_are_logged(ws: Workspace) -> None:
    rows = to_arrow(X.assign(id=range(100), at=AT, said=Y))
    assert ws.log_predictions("m/1", rows.to_reader(), id="id", time="at", prediction="said").rows == 100
