"""Registering: a call that is wrong leaves nothing, and a process that dies leaves nothing half done."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from modelops_jupyter.actions import publication, registration
from modelops_jupyter.cli import main
from modelops_jupyter.errors import GateClosed, InvalidFrame, InvalidInput, ModelOpsError, NotFound, UnsafeArtifact
from modelops_jupyter.registry import Registry
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

X = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 2)), columns=["a", "b"])
Y = (X["a"] > 0).astype(int)
MODEL = LogisticRegression().fit(X, Y)
OTHER = LogisticRegression(C=0.001).fit(X, 1 - Y)


@pytest.fixture
def ws(settings: Settings) -> Workspace:
    return Workspace(settings)


def in_mlflow(ws: Workspace) -> list[int]:
    return sorted(int(version.version) for version in ws.registry.client.search_model_versions("name='m'"))


def on_record(ws: Workspace) -> list[int]:
    return [int(record.body["version"]) for record in ws.store.find("version", "m")]


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"target": Y[:-1]}, InvalidFrame, "200 rows and 199 labels"),
        ({"target": Y[:-1], "reference": (X, Y)}, InvalidFrame, "200 rows and 199 labels"),
        ({"reference": X[["a"]]}, InvalidFrame, "no column 'b'"),
        ({"reference": (X, Y[:3])}, InvalidFrame, "200 rows and 3 labels"),
        ({"metrics": {"roc_auc": float("nan")}}, InvalidInput, "'roc_auc' is nan"),
        ({"metrics": {"roc_auc": "good"}}, InvalidInput, "'roc_auc' is 'good'"),
        ({"metrics": [("roc_auc", 0.9)]}, InvalidInput, "a dict of figures by name, .* not a list"),
        (
            {"target": Y[::-1]},
            InvalidFrame,
            r"labels of the data have the index of its rows in another order: pass lab",
        ),
        ({"reference": (X, Y.sample(frac=1, random_state=0))}, InvalidFrame, "labels of the reference have the index"),
        ({"reference": X[::-1], "outcomes": Y.to_frame()}, InvalidFrame, "labels of the reference have the index"),
        ({"run_id": "0" * 32}, NotFound, "no run"),
        ({"kind": "table"}, InvalidInput, "'table'"),
    ],
)
def test_a_wrong_call_leaves_nothing(
    ws: Workspace, options: dict[str, Any], error: type[ModelOpsError], match: str
) -> None:
    with pytest.raises(error, match=match):
        ws.register(MODEL, "m", **{"data": X, "target": Y, **options})
    assert (in_mlflow(ws), on_record(ws), ws.store.find("registration")) == ([], [], ())
    assert ws.register(MODEL, "m", data=X, target=Y).version == 1


def test_versions_of_the_same_outcomes_are_known_to_be_validated_on_the_same_rows(ws: Workspace) -> None:
    columns = list(X.columns)[:1]
    one = ws.register(MODEL, "m", data=X, target=Y)
    other = ws.register(LogisticRegression().fit(X[columns], Y), "m", data=X[columns], target=Y)  # another feature set
    half = ws.register(MODEL, "m", data=X, target=Y, reference=(X[::2], Y[::2]))
    unknown = ws.register(MODEL, "m", data=X)
    found = [version.body["outcomes_fingerprint"] for version in (one, other, half, unknown)]
    assert found[0] == found[1] != found[2]
    assert found[3] is None


def test_the_shell_records_figures(ws: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ws.settings.project
    skops.io.dump(MODEL, folder / "m.skops")
    X.to_parquet(folder / "x.parquet")
    words = ["register", str(folder / "m.skops"), "m", "--data", str(folder / "x.parquet"), "--workspace", str(folder)]
    for wrong in ("roc_auc", "roc_auc=high", "roc_auc=.nan", "roc_auc="):
        assert main([*words, "--metric", wrong]) == 2
    assert "roc_auc" in capsys.readouterr().err
    assert main([*words, "--metric", "roc_auc=0.91", "--metric", "log_loss=1e-2"]) == 0
    assert ws.version("m/1").body["metrics"] == {"roc_auc": 0.91, "log_loss": 0.01}
    assert ws.registry.client.get_run(ws.version("m/1").body["run_id"]).data.metrics == {
        "roc_auc": 0.91,
        "log_loss": 0.01,
    }


def dies(settings: Settings, patch: Callable[[], None]) -> None:
    """Register in a process of its own that ends, as by kill -9, where `patch` puts it."""
    child = os.fork()
    if child == 0:
        try:
            patch()
            Workspace(settings).register(MODEL, "m", data=X, target=Y)
        finally:
            os._exit(1)  # it lived: the patch was never called
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def _die(*_: Any, **__: Any) -> None:
    os._exit(9)


def while_validating() -> None:
    registration.validate = _die


def before_the_upload() -> None:
    Registry.upload = _die


def before_mlflows_version() -> None:
    Registry.publish = _die


def before_the_record() -> None:
    publication._put_on_record = _die


MOMENTS = [while_validating, before_the_upload, before_mlflows_version, before_the_record]


@pytest.mark.parametrize("step", [None, "run/train"])
@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
def test_a_registration_that_was_killed_is_made_once(
    ws: Workspace, moment: Callable[[], None], step: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if step is not None:
        monkeypatch.setenv("MODELOPS_STEP", step)
    monkeypatch.setattr(registration, "_registered_by_this_process", Counter())
    dies(ws.settings, moment)
    version = ws.register(MODEL, "m", data=X, target=Y)
    assert (version.version, in_mlflow(ws), on_record(ws)) == (1, [1], [1])
    assert ws.store.find("registration") == ()
    assert [entry["action"] for entry in ws.audit()] == ["register"]
    assert ws.predict("m/1", X)[0].tolist() == MODEL.predict(X).tolist()
    assert ws.store.get("reference", "m/000001") is not None


def test_another_model_than_the_killed_one_is_another_version(ws: Workspace) -> None:
    dies(ws.settings, before_the_record)
    version = ws.register(OTHER, "m", data=X, target=Y)
    assert (version.version, in_mlflow(ws), on_record(ws)) == (2, [1, 2], [1, 2])
    assert ws.predict("m/1", X)[0].tolist() == MODEL.predict(X).tolist()
    assert ws.predict("m/2", X)[0].tolist() == OTHER.predict(X).tolist()


def test_what_another_process_finishes_first_is_on_record_once(
    ws: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = publication._put_on_record

    def late(*given: Any) -> Any:
        monkeypatch.setattr(publication, "_put_on_record", put)
        with Workspace(settings) as other:
            assert [v.full_name for v in publication.finish(other.store, other.registry, "m")] == ["m/1"]
        return put(*given)

    monkeypatch.setattr(publication, "_put_on_record", late)
    assert ws.register(MODEL, "m", data=X, target=Y).version == 1
    assert (in_mlflow(ws), on_record(ws), len(ws.audit())) == ([1], [1], 1)


def test_a_step_that_trains_another_model_gets_another_version(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELOPS_STEP", "run/train")
    for model, expected in ((MODEL, 1), (MODEL, 1), (OTHER, 2), (OTHER, 2), (MODEL, 1)):
        monkeypatch.setattr(registration, "_registered_by_this_process", Counter())
        assert ws.register(model, "m", data=X, target=Y).version == expected
    assert in_mlflow(ws) == on_record(ws) == [1, 2]


class Stranger:
    """A model of a class that no format on the allow-list holds."""

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        return (frame["a"] > 0).to_numpy().astype(int)


def test_an_unsafe_version_is_marked_wherever_it_is_shown(ws: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnsafeArtifact):
        ws.register(Stranger(), "m", data=X, target=Y)
    version = ws.register(Stranger(), "m", data=X[::2], target=Y[::2], reference=(X[1::2], Y[1::2]), unsafe=True)
    ws.register(MODEL, "safe", data=X, target=Y)
    ws.approve("m/1", reason="trusted")
    ws.promote("m/1", reason="trusted")
    gate = ws.gate("m/1", "challenger")
    for shown in (
        version,
        ws.version("m/1"),
        ws.models(),
        ws.versions("m"),
        ws.status(),
        ws.check("m/1"),
        ws.card("m/1"),
    ):
        bundle = shown._repr_mimebundle_()
        assert "unsafe" in bundle["text/plain"].lower(), type(shown)
        assert "unsafe" in bundle["text/html"].lower(), type(shown)
    assert "unsafe" not in str(ws.version("safe/1"))
    assert "unsafe" in str(gate), "also where the policy has no rule"
    moved = next(entry for entry in ws.audit() if entry["action"] == "promote")
    assert moved["details"]["unsafe"] is True
    assert next(entry for entry in ws.audit() if entry["subject"] == "m/1")["details"]["unsafe"] is True
    folder = ws.settings.project
    X.assign(y=Y).to_parquet(folder / "x.parquet")
    words = ["compare", "m/1", "m/1", "--data", str(folder / "x.parquet"), "--target", "y", "--workspace", str(folder)]
    assert main(words) == 1
    assert "--unsafe" in capsys.readouterr().err
    assert main([*words, "--unsafe"]) == 0
    assert "m/1" in capsys.readouterr().out


def test_a_policy_may_forbid_unsafe_formats(ws: Workspace) -> None:
    (ws.settings.project / "policy.toml").write_text("[champion]\nrequire_measured = false\nallow_unsafe = false\n")
    strict = Workspace(replace(ws.settings, policy=ws.settings.project / "policy.toml"))
    strict.register(Stranger(), "m", data=X, target=Y, unsafe=True)
    with pytest.raises(GateClosed, match="runs code when it is loaded, which the policy forbids"):
        strict.promote("m/1", reason="go")
    strict.register(MODEL, "safe", data=X, target=Y)
    assert strict.promote("safe/1", reason="go").to_version == 1


def test_a_model_that_fails_on_its_own_rows_is_registered_and_says_so(ws: Workspace) -> None:
    known = pd.DataFrame({"a": ["x", "y"] * 20})
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(known, [0, 1] * 20)
    never_seen = pd.DataFrame({"a": ["z"] * 10})
    version = ws.register(model, "m", data=never_seen, target=[0, 1] * 5, reference=(never_seen[1:], ([0, 1] * 5)[1:]))
    assert version.body["metrics"] == {}
    assert "Found unknown categories ['z']" in version.body["measured_reason"]
    mlflow.set_tracking_uri(ws.tracking_uri)
    description = mlflow.models.get_model_info("models:/m/1")
    assert "Found unknown categories ['z']" in description.metadata["modelops_no_answer"]
    assert description.signature.outputs is None
    assert list(ws.predict("m/1", known)[0]) == [0, 1] * 20


class Failing(mlflow.pyfunc.PythonModel):
    """A model of MLflow's that answers no row."""

    def predict(self, context: Any, model_input: pd.DataFrame) -> Any:
        raise RuntimeError("the service is gone")


@pytest.mark.filterwarnings("ignore::UserWarning:mlflow")  # MLflow's advice on how to log a model
def test_a_model_of_mlflows_that_answers_nothing_is_registered_and_says_so(ws: Workspace) -> None:
    signature = mlflow.models.infer_signature(X, Y)
    mlflow.set_tracking_uri(ws.tracking_uri)
    mlflow.pyfunc.log_model(
        name="m",
        python_model=Failing(),
        registered_model_name="theirs",
        signature=signature,
        pip_requirements=["scikit-learn"],
    )
    version = ws.register("models:/theirs/1", "m", reference=(X, Y), unsafe=True)
    assert version.body["metrics"] == {}
    assert "the model failed on these rows: The model cannot take these rows" in version.body["measured_reason"]
    assert "the service is gone" in version.body["measured_reason"]
