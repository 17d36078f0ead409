"""Predictions and labels find each other whatever type their ids came in."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from modelops_jupyter.actions.catalogue import status
from modelops_jupyter.actions.prediction_logging import log_labels, log_predictions
from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.log import Appended, PredictionLog
from modelops_jupyter.settings import Settings
from modelops_jupyter.store import Change, InMemoryStore, Put

EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


class Desk:
    """A model whose predictions and labels are logged."""

    def __init__(self, folder: Path) -> None:
        self.store, self.log, self.logged = InMemoryStore(), PredictionLog(folder), 0
        body = {"name": "m", "version": 1, "task": "classification", "kind": "ml"}
        self.store.commit(
            Change(puts=(Put("model", "m", {"name": "m", "kind": "ml"}, "m"), Put("version", "m/000001", body, "m")))
        )

    def predict(self, ids: object, score: object = 0.5, x: object = 1.0) -> Appended:
        frame = pd.DataFrame({"id": ids, "x": x, "said": 1, "score": score})
        frame["at"] = pd.date_range("2026-01-01", periods=len(frame), freq="min", tz="UTC")
        columns = {"id": "id", "time": "at", "prediction": "said", "score": "score"}
        return log_predictions(self.store, self.log, "m/1", frame, **columns, batch_id=None)

    def log_rows(self, reference: str, features: dict[str, list[float | None]]) -> Appended:
        """Log rows of some features under ids that were never used before."""
        frame = pd.DataFrame({**features, "said": 1})
        self.logged += len(frame)
        frame["id"] = [f"r{self.logged - n}" for n in range(len(frame))]
        frame["at"] = pd.Timestamp("2026-01-01", tz="UTC")
        columns = {"id": "id", "time": "at", "prediction": "said", "score": None}
        return log_predictions(self.store, self.log, reference, frame, **columns, batch_id=None)

    def label(self, ids: object, value: object = 1) -> Appended:
        frame = pd.DataFrame({"id": ids, "late": value})
        return log_labels(self.store, self.log, "m", frame, id="id", label="late", event_time=None, batch_id=None)

    def labelled(self) -> int:
        rows = self.log.read("m", *EVER)
        assert rows is not None
        return rows.num_rows - rows["label"].null_count


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_rows_that_are_logged_again_are_told(desk: Desk) -> None:
    assert desk.predict([1, 2]).warning is None
    assert desk.predict([3, 4]).warning is None
    again = desk.predict([1, 2], score=0.7)  # scored anew, they are the same requests
    assert "appended, 2 rows" in str(again)
    assert "The same requests were there already" in str(again)
    assert desk.predict([1, 2, 5]).warning is None
    assert desk.label([1, 2]).warning is None
    assert desk.label([1, 2], 0).warning is None  # a correction
    assert "there already" in str(desk.label([1, 2]))
    rows = desk.log.read("m", *EVER)
    assert rows is not None
    assert sorted(rows["request_id"].to_pylist()) == ["1", "2", "3", "4", "5"]


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


def test_rows_in_quarantine_are_in_the_status(desk: Desk, tmp_path: Path) -> None:
    settings = Settings(project=tmp_path, root=tmp_path)
    assert status(desk.store, settings).quarantine == ()
    desk.log.root = settings.log_path
    desk.predict(TEN)
    with pytest.raises(InvalidFrame, match="does not fit"):
        desk.predict(TEN, x="text")
    found = status(desk.store, settings)
    (kept,) = found.to_dict()["quarantine"]
    assert (kept["model"], kept["rows"]) == ("m", 10)
    assert f"10 rows of m are in quarantine (column 'x' holds string, the log has numbers): mend {kept['file']}" in str(
        found
    )


def test_text_in_the_column_of_scores_is_named(desk: Desk) -> None:
    with pytest.raises(InvalidFrame, match="'score' must hold numbers"):
        desk.predict(TEN, "high")


def test_a_version_with_another_feature_is_logged_beside_the_one_before(desk: Desk) -> None:
    put_versions(desk, ["x"], ["x", "wind"])
    desk.log_rows("m/1", {"x": [1, 2]})  # whole numbers first, fractions later
    desk.log_rows("m/2", {"x": [0.5, 1.5], "wind": [3.0, None]})
    desk.log_rows("m/1", {"x": [4.5]})
    rows = desk.log.read("m", *EVER)
    assert rows is not None
    assert rows.sort_by("x").select(["version", "x", "wind"]).to_pydict() == {
        "version": [2, 1, 2, 1, 1],
        "x": [0.5, 1.0, 1.5, 2.0, 4.5],
        "wind": [3.0, None, None, None, None],
    }


def test_a_feature_of_the_version_may_not_be_left_out(desk: Desk) -> None:
    put_versions(desk, ["x", "wind"])
    with pytest.raises(InvalidFrame, match=r"no column 'wind', a feature of m/1"):
        desk.log_rows("m/1", {"x": [1.0]})
    assert desk.log.read("m", *EVER) is None
    desk.log_rows("m/1", {"x": [1.0], "wind": [1.0]})
    with pytest.raises(InvalidFrame, match=r"no column 'wind', a feature of m/1"):
        desk.log_rows("m/1", {"x": [1.0], "gust": [1.0]})


def test_rows_without_a_label_are_left_out_and_counted(desk: Desk) -> None:
    desk.predict(TEN)
    appended = desk.label(TEN, [1, 0, None, 1, None, 0, 1, 1, float("nan"), 0])
    assert appended.rows == 7
    assert "Left out 3 of 10 rows: column 'late' has no label there yet." in str(appended)
    assert desk.labelled() == 7
    nothing = desk.label(TEN, None)
    assert nothing.rows == 0
    assert str(nothing) == "Nothing was appended. Left out 10 of 10 rows: column 'late' has no label there yet."
    assert desk.labelled() == 7
    later = desk.label([TEN[2], None], [0, None])  # an id is needed of rows with a label alone
    assert later.rows == 1
    assert desk.labelled() == 8


@pytest.mark.parametrize("missing", [None, pd.NA, pd.NaT, float("nan")], ids=repr)
@pytest.mark.parametrize("library", ["pandas", "polars", "arrow"])
def test_a_missing_label_of_any_library_is_left_out(desk: Desk, missing: object, library: str) -> None:
    frame = pd.DataFrame(
        {"id": ["a", "b", "c"], "late": pd.array([1, missing if missing is pd.NA else None, 0], "Int64")}
    )
    if missing is not pd.NA:
        frame["late"] = pd.Series(["1", missing, "0"], dtype="object")
    table = {"pandas": frame, "polars": pl.from_pandas(frame), "arrow": pa.Table.from_pandas(frame)}[library]
    appended = log_labels(desk.store, desk.log, "m", table, id="id", label="late", event_time=None, batch_id=None)
    assert (appended.rows, "Left out 1 of 3 rows" in str(appended.warning)) == (2, True)


def test_what_cannot_be_is_refused_and_what_is_odd_is_said(desk: Desk) -> None:
    with pytest.raises(InvalidFrame, match=r"'score' holds 7: a score is the probability .* from 0 to 1"):
        desk.predict([1, 2], score=[0.5, 7.0])
    assert "2 of its rows repeat a request id" in str(desk.predict([1, 1, 1, 2]))
    body = {"name": "m", "version": 1, "task": "classification", "kind": "ml", "classes": ["0", "1"]}
    desk.store.commit(Change(puts=(Put("version", "m/000001", body, "m"),)))
    with pytest.raises(InvalidFrame, match=r"'late' holds 'yes', which is not a class of m/1: its classes are 0, 1"):
        desk.label([1], value="yes")


def put_versions(desk: Desk, *features: list[str]) -> None:
    for number, names in enumerate(features, start=1):
        body = {"name": "m", "version": number, "task": "classification", "kind": "ml", "features": names}
        desk.store.commit(Change(puts=(Put("version", f"m/{number:06}", body, "m"),)))


def test_several_labels_of_one_event_time_are_named_with_what_counts(desk: Desk) -> None:
    desk.log_rows("m/1", {"a": [1.0, 2.0]})
    at = pd.Timestamp("2026-01-02", tz="UTC")

    def labelled(*labels: int) -> str | None:
        frame = pd.DataFrame({"id": [f"r{n + 1}" for n in range(len(labels))], "late": labels, "at": at})
        return log_labels(
            desk.store, desk.log, "m", frame, id="id", label="late", event_time="at", batch_id=None
        ).warning

    assert labelled(1, 0) is None
    assert labelled(0) == (
        "Request 'r1' has several labels of one event time, 2026-01-02: the greatest counts. To correct a label, "
        "give the new one a later event time."
    )
    assert "2 requests, 'r1' one of them, have" in (labelled(0, 1) or "")
    at = pd.Timestamp("2026-01-03", tz="UTC")
    assert labelled(0, 1) is None  # corrected, as was advised


def test_several_labels_in_a_batch_without_times_are_named(desk: Desk) -> None:
    desk.log_rows("m/1", {"a": [1.0, 2.0]})
    assert desk.label(["r1", "r1", "r2"], [1, 1, 0]).warning is None
    warning = desk.label(["r1", "r1", "r2"], [1, 0, 0]).warning or ""
    assert warning.startswith("Request 'r1' has several labels in this batch: the greatest counts.")
