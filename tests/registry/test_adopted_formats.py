"""What MLflow's own flavors write is read by our readers where they can, and predicts what MLflow predicts."""

import os
import py_compile
import shutil
import subprocess
import sys
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
import skops.io
import xgboost
import yaml
from mlflow.models import infer_signature
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from stock import X, Y, classifier, log, register, tracking

from modelops_jupyter.errors import ArtifactChanged, InvalidInput, NotFound, UnsafeArtifact
from modelops_jupyter.registry import stock as stock_files
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


def adopt_files(ws: Workspace, change: Callable[[Path], None], **options: Any) -> Any:
    """Log a model, change its files as somebody with access to them might, and adopt it."""
    with tracking(ws.tracking_uri) as client:
        info = log(**options)
        register(client, "weather", info, "champion")
        change(Path(client.get_logged_model(info.model_id).artifact_location.removeprefix("file://")))
    return ws.adopt("weather")


def described(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Rewrite a folder's MLmodel file."""
    body = yaml.safe_load((folder / "MLmodel").read_text())
    change(body)
    (folder / "MLmodel").write_text(yaml.safe_dump(body))


def test_neither_a_loader_nor_a_trusted_type_of_the_files_own_word_counts(settings: Settings, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    evil = f"def _load_pyfunc(path):\n    open({str(mark)!r}, 'w').close()\n"

    def change(folder: Path) -> None:
        (folder / "code").mkdir()
        (folder / "code" / "evil_loader.py").write_text(evil)
        skops.io.dump(Opener(mark), folder / "model.skops")

        def rewrite(body: dict[str, Any]) -> None:
            body["flavors"]["python_function"] |= {"loader_module": "evil_loader", "code": "code"}
            body["flavors"]["sklearn"]["skops_trusted_types"] = skops.io.get_untrusted_types(
                file=folder / "model.skops"
            )

        described(folder, rewrite)

    with Workspace(settings) as ws:
        answer = adopt_files(ws, change)
        assert [(row["flavor"], row["unsafe"]) for row in answer.adopted] == [("mlflow-pyfunc", True)]
        assert "Opener" in answer.adopted[0]["note"]
        with pytest.raises(UnsafeArtifact):
            ws.load("weather/1")
        assert not mark.exists()


class Coded(mlflow.pyfunc.PythonModel):
    """A model whose code lies in a file beside it."""

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        import raising_by_one

        return raising_by_one.answer(model_input)


class Opener:
    """A type that no list of ours trusts."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "gone": (shutil.rmtree, "The files are gone from"),
    "without description": (lambda folder: (folder / "MLmodel").unlink(), "hold no MLmodel file"),
    "description of no YAML": (lambda folder: (folder / "MLmodel").write_text("flavors: ["), "cannot be read"),
    "description without flavors": (lambda folder: (folder / "MLmodel").write_text("[]"), "cannot be read"),
    "model file gone": (lambda folder: (folder / "model.skops").unlink(), "'model.skops', which is not among"),
    "model file torn": (
        lambda folder: (folder / "model.skops").write_bytes((folder / "model.skops").read_bytes()[:100]),
        "holds no skops model",
    ),
    "model file elsewhere": (
        lambda folder: described(
            folder, lambda body: body["flavors"]["sklearn"].update(pickled_model="../../../../x.skops")
        ),
        "'../../../../x.skops', which is not among",
    ),
}


@pytest.mark.parametrize("fault", SPOILT)
def test_what_cannot_be_read_is_one_sentence_and_is_taken_once_it_is_put_right(fault: str, settings: Settings) -> None:
    spoil, says = SPOILT[fault]
    kept = settings.project / "kept"

    def change(folder: Path) -> None:
        shutil.copytree(folder, kept / "files")
        (kept / "place").write_text(str(folder))
        spoil(folder)

    with Workspace(settings) as ws:
        answer = adopt_files(ws, change)
        assert not answer.ok
        assert says in answer.left[0]["reason"]
        assert "\n" not in answer.left[0]["reason"]
        assert (answer.adopted, len(ws.models()), len(ws.audit())) == ((), 0, 0)
        shutil.copytree(kept / "files", (kept / "place").read_text(), dirs_exist_ok=True)
        again = ws.adopt("weather")
        assert again.ok
        assert [row["aliases"] for row in again.adopted] == ["champion"]
        (Path((kept / "place").read_text()) / "model.skops").write_bytes(b"changed")
        with pytest.raises(ArtifactChanged, match="weather/1"):
            ws.load("weather/1")


def test_an_unknown_flavor_is_on_record_and_unsafe(settings: Settings) -> None:
    def rename(body: dict[str, Any]) -> None:
        body["flavors"] = {"teamlib": body["flavors"]["sklearn"]}

    with Workspace(settings) as ws:
        answer = adopt_files(ws, lambda folder: described(folder, rename), metrics={"rmse": 0.4})
        assert [(row["flavor"], row["unsafe"], row["task"]) for row in answer.adopted] == [
            ("mlflow-pyfunc", True, "regression")
        ]
        with pytest.raises(InvalidInput, match=r"MLflow cannot load the model \(Model does not have"):
            ws.load("weather/1", unsafe=True)


def test_a_model_of_which_nothing_says_what_it_predicts_passes_no_gate_and_is_not_compared(settings: Settings) -> None:
    with Workspace(settings) as ws, tracking(ws.tracking_uri) as client:
        options = {"signature": None, "metrics": {"runtime": 3.0}, "serialization_format": "pickle"}
        register(client, "weather", log(**options))
        ws.adopt("weather")
        assert ws.version("weather/1").body["task"] == "unknown"
        checks = {check.name: check for check in ws.gate("weather/1").checks}
        assert not checks["roc_auc"].passed
        assert "was not measured" in checks["roc_auc"].message
        with pytest.raises(InvalidInput, match="Nothing on record says what weather/1 predicts"):
            ws.compare("weather/1", "weather/1", data=X, target=Y, unsafe=True)
        assert ws.adopt("weather", reference=X, outcomes=Y, unsafe=True).ok
        assert ws.version("weather/1").body["task"] == "classification"


def test_what_mlflow_leaves_beside_a_model_that_somebody_loads_is_no_part_of_it(settings: Settings) -> None:
    with Workspace(settings) as ws, tracking(ws.tracking_uri) as client:
        register(client, "weather", log(), "champion")
        mlflow.pyfunc.load_model("models:/weather@champion")
        ws.adopt("weather")
        mlflow.pyfunc.load_model("models:/weather@champion")
        assert "registered_model_meta" not in ws.version("weather/1").body["artifact_digests"]
        assert len(ws.predict("weather@champion", X)[0]) == len(X)


def test_what_python_compiles_beside_a_model_is_no_part_of_it_and_never_runs(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = settings.project / "raising_by_one.py"
    code.write_text("def answer(rows):\n    return rows.iloc[:, 0].to_numpy() + 1\n")
    with Workspace(settings) as ws, tracking(ws.tracking_uri) as client:

        def answers() -> Any:
            monkeypatch.delitem(sys.modules, "raising_by_one", raising=False)
            return ws.predict("coded/1", X, unsafe=True)[0].tolist()

        register(client, "coded", log(log_function, Coded(), code_paths=[str(code)]))
        assert ws.adopt("coded", unsafe=True).ok
        folder = settings.root / ws.version("coded/1").body["artifact_path"]
        load_elsewhere(ws.tracking_uri, "models:/coded/1")
        (compiled,) = folder.rglob("raising_by_one*.pyc")
        assert answers() == (X.iloc[:, 0] + 1).tolist()
        assert not [problem for problem in ws.doctor().problems if problem.part == "artifacts"]
        code.write_text("raise SystemExit('planted')\n")
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH  # Python runs it in place of any source
        py_compile.compile(str(code), cfile=str(compiled), doraise=True, invalidation_mode=mode)
        assert answers() == (X.iloc[:, 0] + 1).tolist()
        (folder / "code" / "another.pyc").write_bytes(compiled.read_bytes())
        with pytest.raises(ArtifactChanged, match=r"another\.pyc"):
            answers()


def log_function(model: Any, **options: Any) -> Any:
    """Log a function, as `log` logs other models."""
    return mlflow.pyfunc.log_model(python_model=model, **options)


def load_elsewhere(uri: str, address: str) -> None:
    """Load a model with stock MLflow, and predict, in a process that writes what it compiles."""
    lines = f"mlflow.set_tracking_uri({uri!r}); mlflow.pyfunc.load_model({address!r}).predict(X)"
    path = [str(Path(__file__).parent), str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-W", "ignore", "-c", f"import mlflow; from stock import X; {lines}"]
    subprocess.run(command, check=True, env=environment)


def test_a_folder_that_is_no_model_is_not_read(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    large, foreign = settings.project / "large", settings.project / "foreign"
    for folder in (large, foreign):
        folder.mkdir()
        for number in range(4):
            (folder / f"{number}.txt").write_text("secret")
    (large / "MLmodel").write_text("flavors: {python_function: {}}")
    monkeypatch.setattr(stock_files, "MOST_FILES", 4)
    monkeypatch.setattr(stock_files, "model_digests", lambda folder: pytest.fail(f"{folder} was read"))
    with Workspace(settings) as ws, tracking(ws.tracking_uri) as client:
        for name, folder in (("foreign", foreign), ("large", large)):
            client.create_registered_model(name)
            client.create_model_version(name, folder.as_uri())
        reasons = [row["reason"] for row in ws.adopt(all=True).left]
        assert reasons[0].startswith("The files hold no MLmodel file")
        assert reasons[1] == "Its folder holds 5 files, and a model has at most 4: log the model by itself."


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
