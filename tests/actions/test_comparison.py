"""What `compare` says: every metric of the task, on one reading of the labels, by the names of the versions."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import r2_score

from modelops_jupyter.errors import UnsafeArtifact
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

X = pd.DataFrame(np.random.default_rng(0).normal(size=(300, 2)), columns=["wind", "rain"])
SPEED = X["wind"] * 2 + X["rain"] + np.random.default_rng(1).normal(size=300)
LATE = pd.Series((SPEED > 0).astype(int), name="late")
WRITINGS: dict[str, Any] = {
    "numbers": LATE,
    "truth values": LATE == 1,
    "fractions": LATE.astype(float),
    "text": LATE.astype(str),
    "objects": LATE.astype(bool).astype(object),
}


class Constant:
    """A model that no format on the allow-list holds."""

    def fit(self, x: Any, y: Any) -> "Constant":
        self.feature_names_in_, self.classes_ = np.array(x.columns, dtype=object), np.unique(y)
        return self

    def predict(self, x: Any) -> Any:
        return np.full(len(x), self.classes_[0])


@pytest.fixture
def ws(settings: Settings) -> Workspace:
    return Workspace(settings)


def classifiers(ws: Workspace, second_labels: Any) -> None:
    ws.register(LogisticRegression().fit(X[:100], LATE[:100]), "m", data=X[:100], target=LATE[:100])
    labels = second_labels[:100]
    ws.register(LogisticRegression(C=0.001).fit(X[:100], labels), "m", data=X[:100], target=labels)


@pytest.mark.parametrize("written", WRITINGS, ids=WRITINGS)
def test_labels_are_one_reading_in_every_verb(ws: Workspace, written: str) -> None:
    labels = WRITINGS[written]
    classifiers(ws, LATE)
    reference = (X[100:], labels[100:])
    third = ws.register(
        LogisticRegression().fit(X[:100], LATE[:100]), "m", data=X[:100], target=LATE[:100], reference=reference
    )
    measured = ws.evaluate("m/1", data=X[100:], target=labels[100:]).body
    assert measured["metrics"] == third.body["metrics"]
    assert measured["measured"]["fingerprint"] == third.body["outcomes_fingerprint"]
    accuracy = (ws.predict("m/1", X[100:])[0] == LATE[100:]).mean()
    assert measured["metrics"]["accuracy"] == accuracy
    shown = ws.compare("m/1", "m/2", data=X[100:], target=labels[100:])
    assert shown.metrics[0].a == accuracy
    assert shown.remark == ""


def test_versions_whose_classes_are_written_otherwise_are_compared_as_what_they_mean(ws: Workspace) -> None:
    classifiers(ws, LATE == 1)
    assert (ws.version("m/1").body["classes"], ws.version("m/2").body["classes"]) == (["0", "1"], ["False", "True"])
    for first, second in (("m/1", "m/2"), ("m/2", "m/1")):
        for labels in WRITINGS.values():
            shown = {m.metric: m for m in ws.compare(first, second, data=X[100:], target=labels[100:]).metrics}
            answers = ws.predict(first, X[100:])[0].astype(int), ws.predict(second, X[100:])[0].astype(int)
            assert [shown["accuracy"].a, shown["accuracy"].b] == [float((a == LATE[100:]).mean()) for a in answers]
            assert {"roc_auc", "brier_score", "log_loss"} < set(shown)
        agreement = ws.compare(first, second, data=X[100:]).metrics[0]
        assert agreement.b == float((answers[0] == answers[1]).mean()) > 0


def test_labels_of_a_new_class_among_many_are_said(ws: Workspace) -> None:
    three = pd.Series(np.arange(300) % 3)
    for c in (1.0, 0.1):
        ws.register(LogisticRegression(C=c).fit(X[:100], three[:100]), "m", data=X[:100], target=three[:100])
    shown = ws.compare("m/1", "m/2", data=X[100:], target=three[100:].replace({2: 7}))
    assert shown.remark == "67 labels of no class of m/1 and m/2 counted as predicted wrongly"
    assert shown.remark in str(shown)
    assert shown.remark in shown._repr_mimebundle_()["text/html"]


def test_regressors_are_compared_by_r2_too(ws: Workspace) -> None:
    for model in (LinearRegression(), Ridge(1000.0)):
        ws.register(model.fit(X[:100], SPEED[:100]), "s", data=X[:100], target=SPEED[:100])
    rows, speed = X[100:].assign(place=["a", "b"] * 100), SPEED[100:]
    shown = ws.compare("s/1", "s/2", data=rows, target=speed, segments=["place"])
    r2 = [m for m in shown.metrics if m.metric == "r2"]
    for version, value in (("s/1", r2[0].a), ("s/2", r2[0].b)):
        assert value == pytest.approx(r2_score(speed, ws.predict(version, X[100:])[0]))
    assert (r2[0].better, len(r2)) == ("a", 3)
    assert r2[0].low < r2[0].difference < r2[0].high < 0
    flat = {m.metric: m for m in ws.compare("s/1", "s/2", data=X[100:], target=np.ones(200)).metrics}
    assert (flat["r2"].a, flat["r2"].reason) == (None, "labels of one value only")
    assert flat["mean_absolute_error"].reason is None


def test_the_text_has_no_column_that_says_nothing(ws: Workspace) -> None:
    classifiers(ws, LATE)
    text = str(ws.compare("m/1", "m/2", data=X[100:], target=LATE[100:]))
    assert "reason" not in text
    assert "None" not in text
    assert "segment" not in text
    some = str(ws.compare("m/1", "m/2", data=X[100:130], target=[1] * 30))
    assert "one class only" in some
    assert "None" not in some
    assert "nan" not in some.lower()


def test_an_unsafe_version_is_named_by_who_refuses_it_and_by_lists(ws: Workspace) -> None:
    classifiers(ws, LATE)
    ws.register(Constant().fit(X[:100], LATE[:100]), "m", data=X[:100], target=LATE[:100], unsafe=True)
    sentence = r"^m/3 is unsafe: a model of format pickle runs code when it is loaded\. Say unsafe=True \(--unsafe\)"
    for call in (
        lambda: ws.compare("m/1", "m/3", data=X[100:], target=LATE[100:]),
        lambda: ws.compare("m/3", "m/1", data=X[100:], target=LATE[100:]),
        lambda: ws.load("m/3"),
        lambda: ws.predict("m/3", X),
        lambda: ws.evaluate("m/3", data=X[100:], target=LATE[100:]),
    ):
        with pytest.raises(UnsafeArtifact, match=sentence):
            call()
    status = ws.status()
    assert "3 versions (3 unsafe)" in str(status)
    assert status.models[0]["unsafe_versions"] == [3]
    assert "3 unsafe format" in status._repr_mimebundle_()["text/html"]
    assert ws.models().rows[0]["unsafe_versions"] == [3]
    assert ws.models().rows[0]["unsafe"] is False
