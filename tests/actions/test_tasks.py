"""What a model does is known by scikit-learn's tags: nothing is measured of models that learn from no labels."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from modelops_jupyter.errors import InvalidFrame, InvalidInput
from modelops_jupyter.registry import describe_task
from modelops_jupyter.registry.drafts import _task
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

X = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 2)), columns=["wind", "rain"])
Y = (X["wind"] > 0).astype(int)
UNSUPERVISED: dict[str, tuple[Any, str]] = {
    "clusters": (KMeans(3, n_init=1, random_state=0), "clustering"),
    "clusters in a pipeline": (make_pipeline(StandardScaler(), KMeans(3, n_init=1, random_state=0)), "clustering"),
    "outliers": (IsolationForest(n_estimators=5, random_state=0), "outlier_detection"),
    "outliers in a pipeline": (make_pipeline(StandardScaler(), OneClassSVM()), "outlier_detection"),
    "densities": (GaussianMixture(2, random_state=0), "density_estimation"),
}


@pytest.fixture
def ws(settings: Settings) -> Iterator[Workspace]:
    with Workspace(settings) as ws:
        yield ws


def test_tasks_are_one_reading_in_registration_and_adoption() -> None:
    models = [
        *UNSUPERVISED.values(),
        (LinearRegression(), "regression"),
        (LogisticRegression(), "classification"),
        (GridSearchCV(LogisticRegression(), {"C": [1.0, 0.1]}), "classification"),
    ]
    for model, task in models:
        fitted = clone(model).fit(X, Y)
        assert describe_task(fitted)[0] == _task(fitted)[0] == task, model


class Own:
    """A model of no library's: it has no tags."""

    feature_names_in_ = np.array(["wind", "rain"], dtype=object)

    def predict(self, x: pd.DataFrame) -> Any:
        return x["wind"].to_numpy()


def test_a_model_without_tags_is_what_its_classes_say() -> None:
    assert describe_task(Own()) == ("regression", [])


@pytest.mark.parametrize(("model", "task"), UNSUPERVISED.values(), ids=UNSUPERVISED)
def test_what_learns_from_no_labels_is_registered_without_metrics_and_says_so(
    ws: Workspace, model: Any, task: str
) -> None:
    words = f"{task.replace('_', ' ')} learns from no labels"
    body = ws.register(clone(model).fit(X[:100]), "m", data=X[:100], reference=X[100:], outcomes=Y[100:]).body
    assert (body["task"], body["classes"], body["metrics"], body["measured"]) == (task, [], {}, None)
    assert body["measured_reason"].startswith(words)
    assert f"not measured: {words}" in str(ws.version("m/1"))
    with pytest.raises(InvalidFrame, match=f"m/1 was not measured: {words}"):
        ws.evaluate("m/1", data=X[100:], target=Y[100:])
    check = ws.check("m/1").checks[0]
    assert (check.name, check.applies) == ("roc_auc", False)
    ws.approve("m/1", reason="looks right")
    ws.promote("m/1", reason="first")
    expected = ws.load("m").predict(X)
    assert ws.predict("m", X)[0].tolist() == expected.tolist()
    output = ws.settings.project / "out.parquet"
    ws.predict_file("m", X, output)
    assert pd.read_parquet(output)["prediction"].tolist() == expected.tolist()


def test_it_is_logged_and_monitored(ws: Workspace) -> None:
    ws.register(clone(UNSUPERVISED["outliers"][0]).fit(X), "m", data=X)
    times = pd.date_range("2026-01-01", periods=len(X), freq="h", tz="UTC")
    answers = ws.predict("m/1", X)[0]
    frame = X.assign(id=range(len(X)), at=times, said=answers)
    ws.log_predictions("m/1", frame, id="id", time="at", prediction="said")
    assert sum(window.pooled for window in ws.monitor("m").windows) == 9
    assert ws.monitor("m").to_dict()


def test_versions_of_it_are_compared_as_far_as_that_says_something(ws: Workspace) -> None:
    for name in ("outliers", "clusters"):
        for rows in (X[:100], X[:150]):
            ws.register(clone(UNSUPERVISED[name][0]).fit(rows), name, data=rows)
    (metric,) = ws.compare("outliers/1", "outliers/2", data=X, target=Y).metrics
    assert metric.metric == "agreement"
    assert metric.b == (ws.predict("outliers/1", X)[0] == ws.predict("outliers/2", X)[0]).mean()
    with pytest.raises(InvalidInput, match="number their clusters each in its own way"):
        ws.compare("clusters/1", "clusters/2", data=X)
