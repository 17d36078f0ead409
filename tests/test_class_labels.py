"""What is logged as a prediction or label is a class of the model, or it is refused, or something is said of it."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelops_jupyter.actions.prediction_logging import log_labels, log_predictions
from modelops_jupyter.class_labels import as_classes
from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.log import Appended, PredictionLog
from modelops_jupyter.store import Change, InMemoryStore, Put

EVER = pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-02-01", tz="UTC")
CLASSES = [
    ["0", "1"],
    ["-1", "1"],
    ["False", "True"],
    ["no", "yes"],
    ["1", "True"],
    ["a", "b", "c"],
    ["0", "1", "2"],
    [],
]
WRITTEN = st.one_of(
    st.sampled_from([0, 1, -1, 2, True, False, "0", "1", "1.0", "True", "yes", "no", "a", "c", "pending", None]),
    st.floats(allow_nan=False),
)
HOLDERS: dict[str, Any] = {
    "objects": lambda values: pd.Series(values, dtype="object"),
    "pandas": pd.Series,
    "nullable": lambda values: pd.Series(values).convert_dtypes(),
    "Arrow": lambda values: pd.Series(values).convert_dtypes(dtype_backend="pyarrow"),
    "categories": lambda values: pd.Series(pd.Categorical(values)),
}


class Model:
    """A model of some classes, whose predictions and labels are logged."""

    def __init__(self, folder: Path, *classes: list[str]) -> None:
        self.store, self.log = InMemoryStore(), PredictionLog(folder)
        puts = [Put("model", "m", {"name": "m", "kind": "ml"}, "m")]
        for number, names in enumerate(classes, start=1):
            body = {"name": "m", "version": number, "task": "classification", "kind": "ml", "classes": names}
            puts.append(Put("version", f"m/{number:06}", body, "m"))
        self.store.commit(Change(puts=tuple(puts)))

    def predict(self, values: Any, version: int = 1) -> Appended:
        frame = pd.DataFrame({"i": [f"r{n}" for n in range(len(values))], "t": EVER[0], "p": values})
        columns = {"id": "i", "time": "t", "prediction": "p", "score": None, "batch_id": None}
        return log_predictions(self.store, self.log, f"m/{version}", frame, **columns)

    def label(self, values: Any) -> Appended:
        frame = pd.DataFrame({"i": [f"r{n}" for n in range(len(values))], "y": values})
        return log_labels(self.store, self.log, "m", frame, id="i", label="y", event_time=None, batch_id=None)

    def rows(self) -> dict[str, list[Any]]:
        rows = self.log.read("m", *EVER)
        assert rows is not None
        found: dict[str, list[Any]] = rows.sort_by("request_id").select(["prediction", "label"]).to_pydict()
        return found


@settings(max_examples=settings.default.max_examples // 2)
@given(st.sampled_from(CLASSES), st.lists(WRITTEN, min_size=1, max_size=5), st.sampled_from(sorted(HOLDERS)))
def test_nothing_counts_as_wrong_in_silence(classes: list[str], written: list[Any], holder: str) -> None:
    try:
        column = HOLDERS[holder](written)
    except (TypeError, ValueError, pa.ArrowException):
        return  # pandas holds no such values together
    present = [value for value in written if value is not None]
    with TemporaryDirectory() as folder:
        model = Model(Path(folder), classes)
        try:
            appended = model.predict(column)
        except InvalidFrame as refusal:
            text = str(refusal)
        else:
            logged = [value for value in model.rows()["prediction"] if value is not None]
            assert len(logged) == len(present)
            strange = [value for value in logged if value not in classes]
            assert not classes or not strange or (len(classes) > 2 and "count as wrong predictions" in str(appended))
            return
        assert "is not a class of m/1" in text
        assert present


@pytest.mark.parametrize(
    ("classes", "written", "read"),
    [
        (["0", "1"], [True, False, 1], ["1", "0", "1"]),
        (["0", "1"], ["1.0", "0", "False"], ["1", "0", "0"]),
        (["False", "True"], np.array([1.0, 0.0, 1.0]), ["True", "False", "True"]),
        (["1", "2", "3"], ["1.0", "3.00", "2"], ["1", "3", "2"]),
    ],
)
def test_one_value_is_one_class_and_that_is_said(
    tmp_path: Path, classes: list[str], written: Any, read: list[str]
) -> None:
    model = Model(tmp_path, classes)
    for log in (model.predict, model.label):
        assert "is not written as the classes of m/1 are" in str(log(pd.Series(written, dtype="object")).warning)
    assert model.rows() == {"prediction": read, "label": read}


@pytest.mark.parametrize("written", [["yes", "no"], [0.3, 0.7], ["1", "pending"], ["2", "1"], [b"1", b"0"]])
def test_what_is_no_class_of_two_is_refused(tmp_path: Path, written: list[Any]) -> None:
    model = Model(tmp_path, ["0", "1"])
    with pytest.raises(InvalidFrame, match=r"'p' holds .* not a class of m/1: its classes are 0, 1\. Log the class"):
        model.predict(pd.Series(written))
    with pytest.raises(InvalidFrame, match=r"'y' holds .* not a class of m/1: its classes are 0, 1\. Write labels"):
        model.label(pd.Series(written))
    assert list(tmp_path.iterdir()) == []


def test_a_new_class_among_many_counts_as_wrong_and_that_is_said(tmp_path: Path) -> None:
    model = Model(tmp_path, ["a", "b", "c"])
    model.predict(["a", "b", "c"])
    warning = str(model.label(["a", "d", "d"]).warning)
    assert (
        "'y' holds 'd', which is not a class of m/1: its classes are a, b, c; 2 rows like it count as wrong" in warning
    )
    assert model.rows()["label"] == ["a", "d", "d"]


def test_labels_may_be_classes_of_any_version(tmp_path: Path) -> None:
    model = Model(tmp_path, ["a", "b"], ["a", "b", "c"])
    model.predict(["a", "b", "c"], version=2)
    assert model.label(["a", "b", "c"]).warning is None
    with pytest.raises(InvalidFrame, match="'c', which is not a class of m/1"):
        model.predict(["a", "b", "c"], version=1)


def test_values_that_could_be_two_classes_are_read_as_neither() -> None:
    values = pd.Series(["1.0", "True"], name="p")
    with pytest.raises(InvalidFrame, match=r"'1\.0'"):
        as_classes(values, ["1", "True"], "m/1", "")
