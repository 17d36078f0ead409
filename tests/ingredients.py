"""What fuzz tests throw at the verbs: tables of every kind, files of every sort, words that people type or mistype."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import os
import random
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from modelops_jupyter.errors import ModelOpsError, Unexpected
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

TRIES = float(os.environ.get("FUZZ_TRIES", "1"))  # how many times as many tries as by default
Chance = random.Random
DAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

COLUMN_NAMES = ["a", "b", "A", "index", "prediction", "score", "label", "__x", "x y", "é", "0", "", "😀", "a.b", "<b>"]
COLUMN_NAMES += [
    "late; DROP TABLE x",
    "timestamp",
    "request_id",
    "version",
    "role",
    "model",
    0,
    1,
    ("a", "b"),
    None,
    1.5,
]

VALUES: dict[str, Callable[[Chance], Any]] = {
    "floats": lambda c: c.gauss(0, 1),
    "few floats": lambda c: c.choice([0.0, 0.5, 1.0]),
    "wide floats": lambda c: c.choice([1e300, -1e300, 1e-300, float("inf"), float("-inf"), 0.0, -0.0]),
    "whole": lambda c: c.randint(-5, 5),
    "wide whole": lambda c: c.randint(-(2**63), 2**63 - 1),
    "huge whole": lambda c: c.randint(2**63, 2**64 - 1),
    "constant": lambda c: 7,
    "truth": lambda c: c.random() < 0.5,
    "texts": lambda c: c.choice(["x", "y", "z", "", " ", "None", "nan", "é", "\x00", "x" * 500]),
    "many texts": lambda c: f"{c.random()}",
    "numbers as text": lambda c: str(c.randint(0, 9)),
    "mixed": lambda c: c.choice([1, "1", 1.0, True, b"1", None]),
    "days": lambda c: dt.date(2026, 1, 1) + dt.timedelta(days=c.randint(-900, 900)),
    "odd days": lambda c: c.choice([dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(2026, 1, 1)]),
    "times": lambda c: dt.datetime(2026, 1, 1) + dt.timedelta(seconds=c.randint(0, 10**7)),
    "zoned times": lambda c: DAY + dt.timedelta(seconds=c.randint(0, 10**7)),
    "times of day": lambda c: dt.time(c.randint(0, 23)),
    "durations": lambda c: dt.timedelta(seconds=c.randint(-9, 9)),
    "decimals": lambda c: decimal.Decimal(c.randint(-99, 99)) / 4,
    "uuids": lambda c: uuid.UUID(int=c.getrandbits(128)),
    "bytes": lambda c: bytes([c.randint(0, 255)]),
    "lists": lambda c: [c.random()] * c.randint(0, 3),
    "records": lambda c: {"k": c.randint(0, 3)},
    "complex": lambda c: complex(c.random(), 1),
    "objects": lambda c: object(),
    "nothing": lambda c: None,
}
DTYPES = ["category", "string", "Int64", "float32", "int8", "boolean", "str", "object", "Float64", "datetime64[s]"]


def column(chance: Chance, rows: int) -> pd.Series:
    """Return a column of one kind of value, in a type that holds it, with gaps or without."""
    make = VALUES[chance.choice(list(VALUES))]
    values = [make(chance) for _ in range(rows)]
    gaps = chance.choice([0, 0, 0, 0.1, 1])
    values = [None if chance.random() < gaps else value for value in values]
    try:
        series = pd.Series(values)
        if chance.random() < 0.3:
            series = series.astype(chance.choice(DTYPES))
    except Exception:  # pandas holds no such column
        series = pd.Series(values, dtype="object")
    return series


def frame(chance: Chance, rows: int, most: int = 5) -> pd.DataFrame:
    """Return a table of some columns of every kind, and names that people give them."""
    plain = [f"c{number}" for number in range(most)]
    names = chance.sample(COLUMN_NAMES if chance.random() < 0.4 else plain, chance.randint(1, most))
    columns = [column(chance, rows) for _ in names]
    table = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=range(rows))
    table.columns = pd.Index(names, dtype="object")
    return table


def in_some_library(chance: Chance, table: pd.DataFrame) -> Any:
    """Return a table as pandas, polars or Arrow has it, where they can hold it."""
    library = chance.choice(["pandas", "pandas", "polars", "Arrow", "dict"])
    try:
        match library:
            case "polars":
                return pl.from_pandas(table)
            case "Arrow":
                return pa.Table.from_pandas(table, preserve_index=False)
            case "dict":
                return {name: list(table[name]) for name in table.columns}
    except Exception:  # that library does not hold it
        return table
    return table


def labels(chance: Chance, rows: int) -> tuple[str, list[Any]]:
    """Return a task, and labels as people write them."""
    match chance.choice(["numbers", "numbers", "words", "truth", "several", "values", "values", "one"]):
        case "numbers":
            return "classification", [chance.randint(0, 1) for _ in range(rows)]
        case "words":
            return "classification", [chance.choice(["no", "yes"]) for _ in range(rows)]
        case "truth":
            return "classification", [chance.random() < 0.5 for _ in range(rows)]
        case "several":
            return "classification", [chance.choice("abc") for _ in range(rows)]
        case "one":
            return "classification", [1] * rows
        case _:
            return "regression", [chance.gauss(0, 1) for _ in range(rows)]


def model(chance: Chance, task: str, table: pd.DataFrame, target: list[Any]) -> Any:
    """Return a model fitted on a table: on its numbers or texts where scikit-learn takes them, else a dummy."""
    dummy = DummyClassifier(strategy="prior") if task == "classification" else DummyRegressor()
    numbers = [name for name in table.columns if isinstance(name, str) and table[name].dtype.kind in "iuf"]
    texts = [name for name in table.columns if isinstance(name, str) and isinstance(table[name].dtype, pd.StringDtype)]
    if numbers + texts and chance.random() < 0.7:
        parts = [(SimpleImputer(keep_empty_features=True), numbers), (OneHotEncoder(handle_unknown="ignore"), texts)]
        last = LogisticRegression() if task == "classification" else LinearRegression()
        try:
            return make_pipeline(make_column_transformer(*parts), last).fit(table, target)
        except Exception:  # infinite, one class, and so on
            return dummy.fit(np.zeros((len(table), 1)), target)
    return dummy.fit(np.zeros((len(table), 1)), target)


def check_sentence(error: ModelOpsError, *about: Any) -> None:
    """Fail if an error is not one that tells a person what to do."""
    assert not isinstance(error, Unexpected), (*about, str(error))
    assert str(error).strip().count("\n") <= 12, (*about, str(error))


def prepare(folder: Path, database: Path) -> None:
    """Make a workspace with models of each kind, logs, a monitor, and files of every sort beside it."""
    root = folder / ".modelops"
    root.mkdir(parents=True)
    (root / "mlflow.db").write_bytes(database.read_bytes())
    chance = np.random.default_rng(0)
    x = pd.DataFrame({"wind": chance.normal(size=300), "place": chance.choice(["JFK", "LGA"], 300)})
    y = (x["wind"] + chance.normal(size=300) > 0).astype(int)
    parts = ((SimpleImputer(), ["wind"]), (OneHotEncoder(handle_unknown="ignore"), ["place"]))
    with Workspace(Settings(project=folder, root=root, actor="ann")) as ws:
        for regularisation in (1.0, 0.1):
            fitted = make_pipeline(make_column_transformer(*parts), LogisticRegression(C=regularisation))
            fitted.fit(x[::2], y[::2])
            ws.register(fitted, "delay", data=x[::2], target=y[::2], reference=(x[1::2], y[1::2]))
        ws.approve("delay/1", reason="ok")
        ws.promote("delay/1", reason="first")
        values = x["wind"] * 2
        line = LinearRegression().fit(x[["wind"]][::2], values[::2])
        ws.register(
            line, "cost", data=x[["wind"]][::2], target=values[::2], reference=(x[["wind"]][1::2], values[1::2])
        )
        ids = [str(number) for number in range(300)]
        times = pd.date_range("2026-01-01", periods=300, freq="h", tz="UTC")
        prediction, score = ws.predict("delay", x)
        logged = x.assign(id=ids, at=times, said=prediction, p=score)
        ws.log_predictions("delay", logged, id="id", time="at", prediction="said", score="p")
        outcomes = pd.DataFrame({"id": ids, "late": y})
        ws.log_labels("delay", outcomes, id="id", label="late")
        ws.monitor("delay")
    _files(folder, x.assign(late=y), logged, outcomes)


def _files(folder: Path, rows: pd.DataFrame, logged: pd.DataFrame, outcomes: pd.DataFrame) -> None:
    for name, table in {"rows": rows, "logged": logged, "outcomes": outcomes}.items():
        table.to_parquet(folder / f"{name}.parquet")
        table.to_csv(folder / f"{name}.csv", index=False)
    rows[:0].to_csv(folder / "no_rows.csv", index=False)
    rows[["wind"]].astype(str).to_csv(folder / "less.csv", index=False)
    pd.DataFrame({"wind": ["x"] * 5, "place": [1] * 5, "late": [2] * 5}).to_parquet(folder / "odd.parquet")
    (folder / "nothing.csv").write_text("")
    (folder / "broken.parquet").write_bytes(b"PAR1 no")
    (folder / "latin.csv").write_bytes("wind,place\n1,Z\xfcrich\n".encode("latin-1"))
    (folder / "ragged.csv").write_text("a,b\n1\n1,2,3\n")
    (folder / "note.txt").write_text("hello")
    (folder / "folder").mkdir()
    (folder / "table.json").write_text('{"nodes": [], "edges": []}')
    (folder / "broken.json").write_text("{")
    (folder / "pipeline.yaml").write_text("name: p\nsteps:\n  one: {notebook: gone.ipynb}\n")
    (folder / "broken.yaml").write_text("name: [")
    (folder / "list.yaml").write_text("- 1\n")
    cell = {"cell_type": "code", "execution_count": None, "id": "p", "outputs": [], "source": "x = 1"}
    cell["metadata"] = {"tags": ["parameters"]}
    (folder / "n.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    (folder / "broken.ipynb").write_text("{}")


NAMES = [
    "delay",
    "cost",
    "gone",
    "Delay",
    "delay ",
    "",
    "a/b",
    "../x",
    "é",
    "😀",
    "x" * 300,
    "-",
    "--",
    "a'b",
    "a\nb",
    "%s",
]
NAMES += ["delay.x", "delay:1", "{}", "$HOME", "nul\x00l", "models:/delay/1", "runs:/0/model", "models:/gone@x", "None"]
REFERENCES = [
    "delay/1",
    "delay/2",
    "delay/3",
    "delay/0",
    "delay/-1",
    "delay/x",
    "delay/999999999999999999999",
    "delay@champion",
]
REFERENCES += [
    "delay@",
    "delay@gone",
    "@champion",
    "delay/1@champion",
    "cost/1",
    "cost",
    "delay",
    "delay/1.0",
    "/1",
    "delay/²",
]
FILES = ["rows.parquet", "rows.csv", "logged.parquet", "logged.csv", "outcomes.parquet", "outcomes.csv", "no_rows.csv"]
FILES += ["less.csv", "odd.parquet", "nothing.csv", "broken.parquet", "latin.csv", "ragged.csv", "note.txt", "folder"]
FILES += [
    "table.json",
    "broken.json",
    "pipeline.yaml",
    "broken.yaml",
    "list.yaml",
    "n.ipynb",
    "broken.ipynb",
    "gone.csv",
]
FILES += [
    "delta:folder",
    "delta:gone@3",
    "delta:",
    "delta:folder@x",
    "/",
    "/dev/null",
    "~",
    ".",
    "http://127.0.0.1:9/x",
    "x",
]
COLUMNS = ["wind", "place", "late", "id", "at", "said", "p", "gone", "", "request_id", "label", "prediction", "score"]
FILES += ["x" * 300]
NUMBERS = ["0", "1", "-1", "1.5", "x", "999999999999999999999", "", "١", "1e9", "nan"]
SPANS = ["1D", "1h", "1W", "0D", "x", "-1D", "1000000D", "1M", "", "2D", "1.5h", "D", "1d", "15m"]
TIMES = [
    "2026-01-02",
    "2026-01-02T00:00:00+00:00",
    "2026-13-01",
    "yesterday",
    "",
    "0001-01-01",
    "9999-12-31",
    "2026-01-02T25:00",
]
BUDGETS = ["1/month", "0/month", "x", "1/", "/month", "-1/month", "1e9/year", "1/week", "nan/month", "inf/month"]
PAIRS = ["x=1", "x", "=1", "x=", "x=[1", "a b=1", "x=NaN", "roc_auc=0.9", "roc_auc=x", "x={}", "x=null"]
TEXTS = [
    "",
    " ",
    "because",
    "<script>alert(1)</script>",
    "'; DROP TABLE x; --",
    "é" * 5000,
    "\x00",
    "\x1b[31m",
    "a\r\nb",
]
# What an argument of that name means; any other gets any word.
MEANINGS: dict[str, list[str]] = {
    "reference": REFERENCES,
    "version": REFERENCES,
    "other": REFERENCES,
    "name": NAMES,
    "data": FILES,
    "model": [*FILES, *REFERENCES, *NAMES],
    "current": FILES,
    "validated_on": FILES,
    "output": [
        "out.csv",
        "out.parquet",
        "delta:out",
        "folder",
        "out.xyz",
        "/dev/full",
        "gone/out.csv",
        "rows.parquet",
        "",
    ],
    "path": FILES,
    "pipeline": FILES,
    "target": COLUMNS,
    "outcomes": COLUMNS,
    "id": COLUMNS,
    "time": COLUMNS,
    "timestamp": COLUMNS,
    "prediction": COLUMNS,
    "score": COLUMNS,
    "label": COLUMNS,
    "event_time": COLUMNS,
    "segment": COLUMNS,
    "segments": COLUMNS,
    "column": COLUMNS,
    "every": SPANS,
    "interval": SPANS,
    "window": TIMES,
    "until": TIMES,
    "alert_budget": BUDGETS,
    "metric": PAIRS,
    "parameter": PAIRS,
    "reason": TEXTS,
    "text": TEXTS,
    "description": TEXTS,
    "owner": TEXTS,
    "alias": ["champion", "challenger", "", "Champion", "a b", "é", "latest", "v1", "1", "x" * 300],
    "limit": NUMBERS,
    "jobs": NUMBERS,
    "expected": NUMBERS,
    "state": ["open", "recovered", "", "x", "OPEN"],
}
ANY = [*NAMES, *REFERENCES, *FILES, *COLUMNS, *NUMBERS, *SPANS, *TIMES, *TEXTS]


def word(chance: Chance, argument: str) -> str:
    """Return a word for an argument: mostly one that it could mean, mostly a right one, sometimes any."""
    words = MEANINGS.get(argument, ANY)
    if chance.random() < 0.08:
        words = ANY
    return words[0] if chance.random() < 0.3 else chance.choice(words)
