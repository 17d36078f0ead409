"""Which names of a notebook are offered for registration."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modelops_jupyter.live_names import live_names


class Liar:
    """Fails at whatever it is asked."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame({"wind": [0.0, 1.0, 2.0, 3.0], "rain": [1.0, 0.0, 1.0, 0.0]})


def test_fitted_models_are_found_and_nothing_else(frame: pd.DataFrame) -> None:
    y = np.array([0, 0, 1, 1])
    fitted = LogisticRegression().fit(frame, y)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame.to_numpy(), y)
    namespace = {
        "fitted": fitted,
        "pipeline": pipeline,
        "unfitted": RandomForestClassifier(),
        "a_class": LogisticRegression,
        "a_module": np,
        "a_function": print,
        "scaler": StandardScaler().fit(frame),
        "_hidden": fitted,
        "liar": Liar(),
    }
    found = live_names(namespace, magic=True)
    assert [(model.name, model.features) for model in found.models] == [("pipeline", ()), ("fitted", ("wind", "rain"))]
    assert found.models[1].type == "sklearn LogisticRegression"


def test_tables_are_found_with_their_shape(frame: pd.DataFrame) -> None:
    namespace = {"X": frame, "y": frame["wind"], "z": np.zeros((5, 2)), "cube": np.zeros((1, 1, 1)), "text": "X"}
    found = {table.name: (table.rows, table.columns) for table in live_names(namespace, magic=False).tables}
    assert found == {"X": (4, ("wind", "rain")), "y": (4, None), "z": (5, ())}


def test_the_answer_travels_as_json(frame: pd.DataFrame) -> None:
    bundle = live_names({"X": frame}, magic=False)._repr_mimebundle_()
    assert bundle["application/json"]["tables"][0]["name"] == "X"
    assert bundle["application/json"]["magic"] is False
