"""Predictions and labels find each other whatever type their ids came in."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.log import Appended, PredictionLog
from modelops_jupyter.prediction_logging import log_labels, log_predictions
from modelops_jupyter.store import Change, InMemoryStore, Put

EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


class Desk:
    """A model whose predictions and labels are logged."""

    def __init__(self, folder: Path) -> None:
        self.store, self.log = InMemoryStore(), PredictionLog(folder)
        body = {"name": "m", "version": 1, "task": "classification", "kind": "ml"}
        self.store.commit(Change(puts=(Put("model", "m", {"name": "m"}), Put("version", "m/000001", body, "m"))))

    def predict(self, ids: object, score: object = 0.5) -> Appended:
        frame = pd.DataFrame({"id": ids, "x": 1.0, "said": 1, "score": score})
        frame["at"] = pd.date_range("2026-01-01", periods=len(frame), freq="min", tz="UTC")
        columns = {"id": "id", "time": "at", "prediction": "said", "score": "score"}
        return log_predictions(self.store, self.log, "m/1", frame, **columns, batch_id=None)

    def label(self, ids: object) -> Appended:
        frame = pd.DataFrame({"id": ids, "late": 1})
        return log_labels(self.store, self.log, "m", frame, id="id", label="late", event_time=None, batch_id=None)

    def labelled(self) -> int:
        rows = self.log.read("m", *EVER)
        assert rows is not None
        return rows.num_rows - rows["label"].null_count


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


TEN = list(range(10))
KINDS = {
    "int64": TEN,
    "float64": [float(n) for n in TEN],
    "object": pd.Series(TEN, dtype="object"),
    "str": [str(n) for n in TEN],
    "Int64": pd.array(TEN, dtype="Int64"),
    "category": pd.Categorical([float(n) for n in TEN]),
    "uint8": np.array(TEN, dtype="uint8"),
}


@pytest.mark.parametrize("labels", KINDS)
def test_ids_join_whatever_their_type(desk: Desk, labels: str) -> None:
    desk.predict(TEN)
    assert desk.label(KINDS[labels]).warning is None
    assert desk.labelled() == 10


@pytest.mark.parametrize("predictions", KINDS)
def test_ids_of_predictions_have_one_spelling(desk: Desk, predictions: str) -> None:
    desk.predict(KINDS[predictions])
    desk.label(TEN)
    assert desk.labelled() == 10


@pytest.mark.parametrize("ids", [[1.0, 1.5], [1.0, np.inf], [2.0**60, 1.0]])
def test_floats_that_are_no_ids_are_refused(desk: Desk, ids: list[float]) -> None:
    with pytest.raises(InvalidFrame, match="'id'"):
        desk.label(ids)
    with pytest.raises(InvalidFrame, match="'id'"):
        desk.predict(ids)


def test_labels_that_meet_no_prediction_say_so(desk: Desk) -> None:
    assert desk.label(["early"]).warning is None
    desk.predict(["a-1", "a-2"])
    appended = desk.label(["A-1", "A-2"])
    assert appended.warning is not None
    assert "'A-1'" in appended.warning
    assert "'a-1'" in appended.warning
    assert appended.warning in str(appended)
    assert appended.to_dict()["warning"] == appended.warning
    assert desk.label(["A-1", "a-2"]).warning is None


def test_text_in_the_column_of_scores_is_named(desk: Desk) -> None:
    with pytest.raises(InvalidFrame, match="'score' must hold numbers"):
        desk.predict(TEN, "high")
