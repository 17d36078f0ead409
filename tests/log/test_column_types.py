"""What one batch may bring, every later one may, in any order, from any library, and it is read again, equal."""

import datetime as dt
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from column_kinds import EMPTY, KINDS, table
from hypothesis import given, settings
from hypothesis import strategies as st

from modelops_jupyter.actions.prediction_logging import log_predictions
from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.log import PredictionLog, read_quarantine
from modelops_jupyter.store import Change, InMemoryStore, Put

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
MONTH = START, START + dt.timedelta(days=31)


class Log:
    """The log of a model with one feature, `u`, and what it must give back."""

    def __init__(self, folder: Path, *features: str) -> None:
        self.folder, self.store, self.log, self.rows = folder, InMemoryStore(), PredictionLog(folder), 0
        self.expected: dict[str, Any] = {}
        self.has_values = False
        body = {"name": "m", "version": 1, "task": "regression", "kind": "ml", "features": list(features or ("u",))}
        self.store.commit(Change(puts=(Put("model", "m", {"name": "m"}, "m"), Put("version", "m/000001", body, "m"))))

    def append(self, column: Any, back: list[Any]) -> None:
        """Log rows of one column."""
        rows = range(self.rows, self.rows + len(back))
        ids = [f"r{row}" for row in rows]
        frame = table(
            {
                "i": ids,
                "t": [START + dt.timedelta(minutes=row) for row in rows],
                "p": [0.5] * len(back),
                "u": column,
            }
        )
        self.log_frame(frame)
        self.rows += len(back)
        self.expected |= dict(zip(ids, back, strict=True))
        self.has_values |= any(value is not None for value in back)

    def log_frame(self, frame: Any) -> None:
        columns = {"id": "i", "time": "t", "prediction": "p", "score": None, "batch_id": None}
        log_predictions(self.store, self.log, "m/1", frame, **columns)

    def check(self) -> None:
        """Assert that all rows are read again, by those who read rows and by those who count them."""
        read = self.log.read("m", *MONTH, columns=["u"])
        assert read is not None
        assert dict(zip(read["request_id"].to_pylist(), read["u"].to_pylist(), strict=True)) == self.expected
        counted = 0
        for slab in self.log.stream("m", *MONTH, lambda time: time, lambda times: times // 10**12):
            for piece in slab.pieces:
                values = piece.read("u")
                assert values is not None
                counted += len(values)
        assert counted == len(self.expected)


FEW = settings(max_examples=settings.default.max_examples // 8)


@FEW
@given(st.data())
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_in_every_batch(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    with TemporaryDirectory() as folder:
        log = Log(Path(folder))
        for _ in range(data.draw(st.integers(1, 3))):
            values = data.draw(st.lists(st.one_of(kind.values, st.none()), min_size=1, max_size=4))
            if all(value is None for value in values):
                log.append(EMPTY[data.draw(st.sampled_from(sorted(EMPTY)))](len(values)), values)
                continue
            sources = kind.sources(None in values)
            column = sources[data.draw(st.sampled_from(sorted(sources)))](values)
            back = [None if value is None else kind.back(value) for value in values]
            try:
                log.append(column, back)
                assert kind.is_held
            except InvalidFrame as refusal:
                vague = not log.has_values and all(not value for value in values)
                assert re.fullmatch(r"Column 'u' .*[^.]\.", str(refusal))
                assert not kind.is_held or (vague and "holds empty lists alone" in str(refusal))
        if log.expected:
            log.check()
        assert not read_quarantine(log.folder)
