"""What MLflow's own flavors write is read by our readers where they can, and predicts what MLflow predicts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import mlflow
import mlflow.lightgbm
import mlflow.onnx
import mlflow.xgboost
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import xgboost
from mlflow.models import infer_signature
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from stock import X, Y, classifier, log, register, tracking

from modelops_jupyter.errors import InvalidInput, NotFound, UnsafeArtifact
from modelops_jupyter.settings import Settings, find_settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.slow

THREE = pd.cut(X["wind"], [-9, -0.5, 0.5, 9], labels=["calm", "breeze", "storm"]).astype(str)
VALUES = X["wind"] * 2 + X["rain"]
SMALL: dict[str, Any] = {"n_estimators": 5, "max_depth": 2, "n_jobs": 1}
NARROW = X.rename(columns=lambda name: name.replace(" ", "_"))  # LightGBM respells blanks


class Threshold(mlflow.pyfunc.PythonModel):
    """A team's own model."""

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        return np.where(model_input["wind"] > 0.3, "late", "on time")


def as_onnx(model: Any) -> Any:
    return to_onnx(model, X.to_numpy("float32")[:1], options={"zipmap": False})


def with_raw_weights(proto: Any) -> Any:
    """Write weights as bytes, which alone may lie in another file."""
    for tensor in proto.graph.initializer:
        tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor), tensor.name))
    return proto


def network() -> Any:
    """Return a network of values."""
    fitted = MLPRegressor(hidden_layer_sizes=(400,), max_iter=5).fit(X, VALUES)
    return with_raw_weights(to_onnx(fitted, X.to_numpy("float32")[:1]))


def answers(uri: str, output: str) -> Any:
    """Return what onnxruntime says of the model as MLflow's own flavor loads it."""
    session = onnxruntime.InferenceSession(mlflow.onnx.load_model(uri).SerializeToString())
    return session.run([output], {"X": X.to_numpy("float32")})[0]


def booster() -> xgboost.Booster:
    return xgboost.train({"objective": "binary:logistic", "max_depth": 2}, xgboost.DMatrix(X, Y), 5)


def text_booster() -> lightgbm.Booster:
    return lightgbm.train({"objective": "binary", "verbose": -1, "num_leaves": 4}, lightgbm.Dataset(NARROW, Y), 5)


Make = Callable[[], Any]
# save, model, options, the format on record, its task, and whether pyfunc's answer is our prediction or our score.
CASES: dict[str, tuple[Any, Make, dict[str, Any], str, str, str]] = {
    "skops": (mlflow.sklearn.log_model, classifier, {}, "sklearn-skops", "classification", "prediction"),
    "skops pipeline of three classes": (
        mlflow.sklearn.log_model,
        lambda: make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=2)).fit(X, THREE),
        {"skops_trusted_types": ["sklearn.tree._tree.Tree", "numpy.dtype"], "signature": infer_signature(X, THREE)},
        "sklearn-skops",
        "classification",
        "prediction",
    ),
    "skops forest": (
        mlflow.sklearn.log_model,
        lambda: RandomForestClassifier(5, random_state=0).fit(X, Y),
        {"skops_trusted_types": ["sklearn.tree._tree.Tree", "numpy.dtype"]},
        "sklearn-skops",
        "classification",
        "prediction",
    ),
    "skops regression": (
        mlflow.sklearn.log_model,
        lambda: LinearRegression().fit(X, VALUES),
        {"signature": infer_signature(X, VALUES)},
        "sklearn-skops",
        "regression",
        "prediction",
    ),
    "skops without signature": (
        mlflow.sklearn.log_model,
        classifier,
        {"signature": None},
        "sklearn-skops",
        "classification",
        "prediction",
    ),
    "xgboost booster": (mlflow.xgboost.log_model, booster, {}, "xgboost", "classification", "score"),
    "xgboost estimator": (
        mlflow.xgboost.log_model,
        lambda: xgboost.XGBClassifier(**SMALL, early_stopping_rounds=1).fit(
            X, Y, eval_set=[(X[:40], 1 - Y[:40])], verbose=False
        ),
        {},
        "xgboost",
        "classification",
        "prediction",
    ),
    "xgboost json": (
        mlflow.xgboost.log_model,
        lambda: xgboost.XGBRegressor(**SMALL).fit(X, VALUES),
        {"model_format": "json", "signature": infer_signature(X, VALUES)},
        "xgboost",
        "regression",
        "prediction",
    ),
    "lightgbm booster": (
        mlflow.lightgbm.log_model,
        text_booster,
        {"signature": infer_signature(NARROW, Y)},
        "lightgbm",
        "classification",
        "score",
    ),
    "onnx": (
        mlflow.onnx.log_model,
        lambda: as_onnx(classifier()),
        {"signature": infer_signature(X, Y)},
        "onnx",
        "classification",
        "label",
    ),
    "onnx with weights beside it": (
        mlflow.onnx.log_model,
        network,
        {"signature": infer_signature(X, VALUES), "save_as_external_data": True},
        "onnx",
        "regression",
        "variable",
    ),
    "pickle": (
        mlflow.sklearn.log_model,
        classifier,
        {"serialization_format": "pickle"},
        "mlflow-pyfunc",
        "classification",
        "prediction",
    ),
    "pickle that gives probabilities": (
        mlflow.sklearn.log_model,
        classifier,
        {"serialization_format": "cloudpickle", "pyfunc_predict_fn": "predict_proba", "signature": None},
        "mlflow-pyfunc",
        "classification",
        "native",
    ),
    "python function": (
        lambda model, **options: mlflow.pyfunc.log_model(python_model=model, **options),
        Threshold,
        {"signature": infer_signature(X, np.array(["late"]))},
        "mlflow-pyfunc",
        "classification",
        "prediction",
    ),
}


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("case", CASES)
def test_what_mlflow_wrote_predicts_what_mlflow_predicts(case: str, settings: Settings) -> None:
    save, make, options, flavor, task, compared = CASES[case]
    rows = NARROW if case == "lightgbm booster" else X
    with Workspace(settings) as ws, tracking(ws.tracking_uri) as client:
        fitted = make()
        info = log(save, fitted, **options)
        register(client, "weather", info, "champion")
        loaded = mlflow.pyfunc.load_model(info.model_uri)
        unsafe = flavor == "mlflow-pyfunc"
        assert ws.adopt("weather", unsafe=unsafe).ok
        body = ws.version("weather/1").body
        assert (body["flavor"], body["unsafe"], body["task"]) == (flavor, unsafe, task)
        prediction, score = ws.predict("weather@champion", rows, unsafe=unsafe)
        if compared in ("label", "variable"):  # MLflow gives no table of outputs of several widths
            assert prediction.tolist() == answers(info.model_uri, compared).ravel().tolist()
        elif compared == "native":
            assert prediction.tolist() == fitted.predict(rows).tolist()
            np.testing.assert_array_equal(score, loaded.predict(rows)[:, 1])
        else:
            ours = prediction if compared == "prediction" else score
            np.testing.assert_array_equal(np.asarray(ours), np.asarray(loaded.predict(rows)))
        assert ws.adopt("weather", reference=rows, outcomes=THREE if "three" in case else Y, unsafe=unsafe).ok or task


@pytest.mark.parametrize("address", ["models:/weather/1", "models:/weather@champion", "{model}", "runs:/{run}/model"])
@pytest.mark.parametrize("adopted", [False, True], ids=["MLflow's alone", "adopted"])
def test_a_model_is_registered_by_mlflows_address(address: str, adopted: bool, settings: Settings) -> None:
    with Workspace(settings) as ws, tracking(ws.tracking_uri) as client:
        info = log()
        register(client, "weather", info, "champion")
        if adopted:
            ws.adopt("weather")
        uri = address.format(model=info.model_uri, run=info.run_id)
        version = ws.register(uri, "second", metrics={"roc_auc": 0.9})
        assert (version.body["flavor"], version.body["run_id"], version.body["unsafe"]) == (
            "sklearn-skops",
            info.run_id,
            False,
        )
        assert version.body["registered_from"] == uri
        assert version.body["features"] == list(X.columns)
        np.testing.assert_array_equal(ws.predict("second/1", X)[1], classifier().predict_proba(X)[:, 1])


def test_an_address_that_leads_nowhere_is_named(settings: Settings) -> None:
    with Workspace(settings) as ws, tracking(ws.tracking_uri) as client:
        register(client, "weather", log())
        for nowhere in ("models:/ghost/1", "models:/weather/7", "models:/weather@gone", "runs:/00/model"):
            with pytest.raises(NotFound, match=nowhere):
                ws.register(nowhere, "second")
        for wrong in ("models:/weather", "runs:/00", "models:/"):
            with pytest.raises(InvalidInput, match="is no model of MLflow's"):
                ws.register(wrong, "second")
        assert not ws.models()


def test_pickles_by_address_take_a_word_and_become_safe_where_they_can(settings: Settings) -> None:
    with Workspace(settings) as ws, tracking(ws.tracking_uri) as client:
        register(client, "pickled", log(serialization_format="cloudpickle"))
        register(client, "own", log(CASES["python function"][0], Threshold(), **CASES["python function"][2]))
        with pytest.raises(UnsafeArtifact, match="--unsafe"):
            ws.register("models:/pickled/1", "second")
        safe = ws.register("models:/pickled/1", "second", unsafe=True)
        assert (safe.body["flavor"], safe.body["unsafe"]) == ("sklearn-skops", False)
        kept = ws.register("models:/own/1", "third", data=X, unsafe=True)
        assert (kept.body["flavor"], kept.body["unsafe"]) == ("mlflow-pyfunc", True)
        said = ws.predict("third/1", X, unsafe=True)[0]
        assert said.tolist() == np.where(X["wind"] > 0.3, "late", "on time").tolist()


def test_an_onnx_file_with_its_weights_beside_it_really_has_them_there(settings: Settings) -> None:
    with Workspace(settings) as ws, tracking(ws.tracking_uri) as client:
        save, make, options, *_ = CASES["onnx with weights beside it"]
        info = log(save, make(), **options)
        folder = Path(client.get_logged_model(info.model_id).artifact_location.removeprefix("file://"))
        proto = onnx.load_model(folder / "model.onnx", load_external_data=False)
        assert any(tensor.external_data for tensor in proto.graph.initializer)


def test_a_csv_file_is_read_in_the_types_of_the_signature(tmp_path: Path) -> None:
    """In a CSV file everything is text; a model that was fitted on numbers must not be asked with text."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import OneHotEncoder

    towns = pd.DataFrame({"zip": np.arange(200) % 5, "word": pd.Series(["1", "02"] * 100, dtype="str")})
    target = ((towns["zip"] > 2) & (towns["word"] == "02")).astype(int)
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()).fit(towns, target)
    towns.to_csv(tmp_path / "towns.csv", index=False)
    (tmp_path / "modelops.toml").write_text('actor = "ann"\n')
    with Workspace(find_settings(tmp_path, environ={})) as ws:
        with tracking(ws.tracking_uri) as client:
            info = log(model=model, signature=infer_signature(towns, target), serialization_format="skops")
            register(client, "towns", info)
            register(client, "blank", log(model=model, signature=None, serialization_format="skops"))
        assert ws.adopt(all=True).ok
        ws.predict_file("towns/1", tmp_path / "towns.csv", tmp_path / "scored.parquet")
        scored = pd.read_parquet(tmp_path / "scored.parquet")
        assert scored["prediction"].astype(int).tolist() == model.predict(towns).tolist()
        with pytest.raises(InvalidInput, match="nothing on record says of which types the columns of blank/1 are"):
            ws.predict_file("blank/1", tmp_path / "towns.csv", tmp_path / "none.parquet")
