"""Columns called by numbers, dates, tuples or several levels go through every verb; in our records they are texts."""

from collections.abc import Sequence
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.frames import column_name, to_pandas
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.slow

VALUES = np.random.default_rng(0).normal(size=(60, 3))
LABELS = (VALUES[:, 0] > 0).astype(int)
NAMES: dict[str, Any] = {
    "numbers": pd.RangeIndex(3),
    "other numbers": [2013, 2014, 7],
    "dates": pd.date_range("2013-04-01", periods=3),
    "tuples": [("delay", 1), ("delay", 2), ("wind", 1)],
    "levels": pd.MultiIndex.from_tuples([("delay", "mean"), ("delay", "max"), ("wind", "mean")]),
    "true and false": [True, False, None],
}
MODELS = {
    "logistic": LogisticRegression(),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    "neighbours": KNeighborsClassifier(),
    "forest": RandomForestClassifier(3, random_state=0),
}


def labelled(names: Sequence[Any]) -> pd.DataFrame:
    return pd.DataFrame(VALUES, columns=names)


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_such_columns_go_through_every_verb(settings: Settings, model: Any, names: Any) -> None:
    frame = labelled(names)
    model.fit(frame, LABELS)
    expected = model.predict_proba(frame)[:, 1]
    texts = [column_name(name) for name in frame.columns]
    with Workspace(settings) as ws:
        ws.register(model, "m", data=frame[::2], target=LABELS[::2], reference=(frame[1::2], LABELS[1::2]))
        assert ws.version("m/1").body["features"] == texts
        for rows in (frame, frame.set_axis(texts, axis="columns")):
            assert np.array_equal(ws.predict("m/1", rows)[1], expected)
        times = pd.date_range("2026-01-01", periods=60, freq="h", tz="UTC")
        columns = {"id": "id", "time": "at", "prediction": "said"}
        series = {name: frame.iloc[:, place] for place, name in enumerate(frame.columns)}
        logged = pd.DataFrame({**series, "id": range(60), "at": times, "said": model.predict(frame)})
        assert ws.log_predictions("m/1", logged, **columns).rows == 60
        ws.evaluate("m/1", data=frame[1::2], target=LABELS[1::2])
        ws.approve("m/1", reason="reads well")
        ws.promote("m/1", reason="first")
        mlflow.set_tracking_uri(ws.tracking_uri)
        read_by_mlflow = mlflow.pyfunc.load_model("models:/m@champion")
        assert np.array_equal(read_by_mlflow.predict(frame.set_axis(texts, axis="columns")), model.predict(frame))


def test_arrays_go_through_every_verb(settings: Settings) -> None:
    rows = np.random.default_rng(0).normal(size=(200, 3))
    labels = (rows[:, 0] > 0).astype(int)
    model = LogisticRegression().fit(rows[::2], labels[::2])
    with Workspace(settings) as ws:
        ws.register(model, "m", data=rows[::2], target=labels[::2], reference=(rows[1::2], labels[1::2]))
        assert ws.version("m/1").body["features"] == ["0", "1", "2"]
        assert np.allclose(ws.predict("m/1", rows)[1], model.predict_proba(rows)[:, 1], rtol=1e-12)
        ws.evaluate("m/1", data=rows[3::2], target=labels[3::2])
        ws.compare("m/1", "m/1", data=rows[1::2], target=labels[1::2])
        mlflow.set_tracking_uri(ws.tracking_uri)
        named = pd.DataFrame(rows, columns=["0", "1", "2"])
        assert np.array_equal(mlflow.pyfunc.load_model("models:/m/1").predict(named), model.predict(rows))
        for wrong, shape in ((rows[0], r"ndarray of shape \(3,\)"), (rows[None], r"ndarray of shape \(1, 200, 3\)")):
            with pytest.raises(InvalidFrame, match=f"an array of rows and columns, not {shape}"):
                ws.predict("m/1", wrong)


@given(st.lists(st.one_of(st.integers(), st.floats(), st.text(), st.dates(), st.none(), st.booleans()), min_size=1))
def test_every_name_becomes_one_text_or_the_doubled_is_named(names: list[Any]) -> None:
    frame = pd.DataFrame([range(len(names))], columns=pd.Index(names, dtype="object"))
    texts = [column_name(name) for name in frame.columns]
    if len(set(texts)) == len(texts):
        assert list(to_pandas(frame, "data").columns) == texts
        assert to_pandas(frame, "data").to_numpy().tolist() == frame.to_numpy().tolist()
    else:
        with pytest.raises(InvalidFrame, match="two columns"):
            to_pandas(frame, "data")
