"""Every allowed format says after a round trip through the registry what the live model said, and runs no code."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import onnx
import pandas as pd
import pytest
import xgboost
from saving import save
from skl2onnx import to_onnx
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from modelops_jupyter.cli import main
from modelops_jupyter.data_files import read_file
from modelops_jupyter.errors import ArtifactChanged, InvalidFrame, InvalidInput, LibraryMissing, UnsafeArtifact
from modelops_jupyter.registry import OnnxModel, Registry, predict
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

CANCER, BENIGN = load_breast_cancer(return_X_y=True, as_frame=True)
NAMED = BENIGN.map({0: "malignant", 1: "benign"})
DIABETES, PROGRESS = load_diabetes(return_X_y=True, as_frame=True)
DIABETES["late"] = pd.Series(PROGRESS > 200).astype("int64")
THREE = pd.qcut(PROGRESS, 3, labels=False)
SMALL = {"n_estimators": 8, "random_state": 0, "n_jobs": 1}

Case = tuple[Any, pd.DataFrame, Any, np.ndarray[Any, Any], np.ndarray[Any, Any] | None]


def xgb_classifier() -> Case:
    with_gaps = CANCER.mask(CANCER < 0.01, -1.0)
    model = xgboost.XGBClassifier(**SMALL, missing=-1.0, early_stopping_rounds=2)
    model.fit(with_gaps, BENIGN, eval_set=[(with_gaps, BENIGN)], verbose=False)
    return model, with_gaps, BENIGN, model.predict(with_gaps), model.predict_proba(with_gaps)[:, 1]


def xgb_regressor() -> Case:
    model = xgboost.XGBRegressor(**SMALL).fit(DIABETES, PROGRESS)
    said = model.predict(DIABETES)
    return model, DIABETES, PROGRESS, said, said


def xgb_three_classes() -> Case:
    model = xgboost.XGBClassifier(**SMALL).fit(DIABETES, THREE)
    return model, DIABETES, THREE, model.predict(DIABETES), None


def xgb_without_names() -> Case:
    model = xgboost.XGBClassifier(**SMALL).fit(CANCER.to_numpy(), BENIGN)
    return model, CANCER, BENIGN, model.predict(CANCER.to_numpy()), model.predict_proba(CANCER.to_numpy())[:, 1]


def xgb_booster() -> Case:
    rows = xgboost.DMatrix(CANCER, BENIGN)
    model = xgboost.train({"objective": "binary:logistic", "nthread": 1}, rows, 8)
    score = model.predict(rows)
    return model, CANCER, BENIGN, (score > 0.5).astype(int), score


def xgb_margin_booster() -> Case:
    rows = xgboost.DMatrix(CANCER.to_numpy(), BENIGN)
    model = xgboost.train({"objective": "binary:logitraw", "nthread": 1}, rows, 8)
    margin = model.predict(rows)
    return model, CANCER, BENIGN, (margin > 0).astype(int), 1 / (1 + np.exp(-margin))


def xgb_label_booster() -> Case:
    rows = xgboost.DMatrix(DIABETES, THREE)
    model = xgboost.train({"objective": "multi:softmax", "num_class": 3, "nthread": 1}, rows, 5)
    return model, DIABETES, THREE, model.predict(rows).astype(int), None


def xgb_value_booster() -> Case:
    rows = xgboost.DMatrix(DIABETES, PROGRESS)
    model = xgboost.train({"objective": "reg:squarederror", "nthread": 1}, rows, 5)
    return model, DIABETES, PROGRESS, model.predict(rows), model.predict(rows)


def lgbm_classifier() -> Case:
    model = lightgbm.LGBMClassifier(**SMALL, verbose=-1).fit(CANCER, NAMED)
    return model, CANCER, NAMED, model.predict(CANCER), model.predict_proba(CANCER)[:, 1]


def lgbm_with_categories() -> Case:
    frame = DIABETES.assign(group=pd.cut(DIABETES["age"], 3, labels=["young", "middle", "old"]))
    model = lightgbm.LGBMRegressor(**SMALL, verbose=-1).fit(frame, PROGRESS)
    said = model.predict(frame)
    return model, frame, PROGRESS, said, said


def lgbm_three_classes() -> Case:
    labels = THREE.map({0: "low", 1: "mid", 2: "high"})
    model = lightgbm.LGBMClassifier(**SMALL, verbose=-1).fit(DIABETES, labels)
    return model, DIABETES, labels, model.predict(DIABETES), None


def lgbm_booster() -> Case:
    parameters = {"objective": "binary", "verbose": -1, "num_threads": 1}
    model = lightgbm.train(parameters, lightgbm.Dataset(CANCER.to_numpy(), BENIGN), 8)
    score = model.predict(CANCER.to_numpy())
    return model, CANCER, BENIGN, (score > 0.5).astype(int), score


def lgbm_three_class_booster() -> Case:
    parameters = {"objective": "multiclass", "num_class": 3, "verbose": -1, "num_threads": 1}
    model = lightgbm.train(parameters, lightgbm.Dataset(DIABETES, THREE), 5)
    return model, DIABETES, THREE, model.predict(DIABETES).argmax(axis=1), None


def onnx_linear() -> Case:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(CANCER, BENIGN)
    graph = to_onnx(model, CANCER.to_numpy("float32")[:1])
    return graph, CANCER, BENIGN, model.predict(CANCER), model.predict_proba(CANCER)[:, 1]


def onnx_forest_without_zipmap() -> Case:
    model = RandomForestClassifier(**SMALL, max_depth=4).fit(CANCER, NAMED)
    graph = to_onnx(model, CANCER.to_numpy("float32")[:1], options={"zipmap": False})
    return graph, CANCER, NAMED, model.predict(CANCER), model.predict_proba(CANCER)[:, 1]


def onnx_column_by_column() -> Case:
    frame = CANCER.iloc[:, :4].astype("float32").assign(kind=np.where(CANCER["mean area"] > 700, 2.0, 1.0))
    frame["kind"] = frame["kind"].astype("float32")
    scale = ColumnTransformer([("s", StandardScaler(), list(frame.columns))])
    model = make_pipeline(scale, LogisticRegression()).fit(frame, NAMED)
    return to_onnx(model, frame.iloc[:1]), frame, NAMED, model.predict(frame), model.predict_proba(frame)[:, 1]


def onnx_regressor() -> Case:
    model = RandomForestRegressor(**SMALL, max_depth=4).fit(DIABETES, PROGRESS)
    said = model.predict(DIABETES)
    return to_onnx(model, DIABETES.to_numpy("float32")[:1]).SerializeToString(), DIABETES, PROGRESS, said, said


def a_network(width: int = 30) -> onnx.ModelProto:
    """Return a layer and a sigmoid: one probability a row, and no word about classes."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weights = np.random.default_rng(0).normal(size=(30, width)).astype("float32") / 1000
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Sigmoid", ["z"], ["p"])],
        "net",
        [helper.make_tensor_value_info("x", kind, [None, 30])],
        [helper.make_tensor_value_info("p", kind, [None, width])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def onnx_network() -> Case:
    graph = a_network(width=1)
    weights = onnx.numpy_helper.to_array(graph.graph.initializer[0])
    score = 1 / (1 + np.exp(-(CANCER.to_numpy("float32") @ weights)[:, 0]))
    model = OnnxModel.of(graph, classes=["malignant", "benign"])
    return model, CANCER, NAMED, np.where(score > 0.5, "benign", "malignant"), score


def sklearn_ties() -> Case:
    frame = pd.DataFrame({"a": [0, 0, 1, 1, 2]})
    model = DecisionTreeClassifier().fit(frame, [0, 1, 1, 1, 0])
    return model, frame, [0, 1, 1, 1, 0], model.predict(frame), model.predict_proba(frame)[:, 1]


CASES = {
    case.__name__: case
    for case in (
        xgb_classifier,
        xgb_regressor,
        xgb_three_classes,
        xgb_without_names,
        xgb_booster,
        xgb_margin_booster,
        xgb_label_booster,
        xgb_value_booster,
        lgbm_classifier,
        lgbm_with_categories,
        lgbm_three_classes,
        lgbm_booster,
        lgbm_three_class_booster,
        onnx_linear,
        onnx_forest_without_zipmap,
        onnx_column_by_column,
        onnx_regressor,
        onnx_network,
        sklearn_ties,
    )
}


@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_a_round_trip_changes_no_answer(settings: Settings, make: Callable[[], Case]) -> None:
    model, frame, target, said, score = make()
    registry = Registry(settings)
    saved = save(registry, model, "m", data=frame, target=target)
    loaded = registry.load(saved.body)
    shuffled = frame[frame.columns[::-1]] if getattr(loaded, "feature_names_in_", None) is not None else frame
    for live, rows in ((model, frame), (loaded, frame), (loaded, shuffled)):
        answer = predict(live, rows)
        if saved.task == "classification":
            assert answer.prediction.tolist() == said.tolist()
            assert len(saved.classes) == len(set(target))
        else:
            np.testing.assert_allclose(answer.prediction, said, rtol=1e-5)
        assert (answer.score is None) == (score is None)
        if score is not None:
            exact = saved.flavor != "onnx"  # skl2onnx computes in single precision
            np.testing.assert_allclose(answer.score, score, rtol=1e-6 if exact else 1e-3, atol=0 if exact else 1e-4)
    assert not saved.unsafe
    assert saved.flavor.partition("-")[0] == make.__name__.partition("_")[0].replace("xgb", "xgboost").replace(
        "lgbm", "lightgbm"
    )
    again = save(registry, loaded, "m", data=frame, target=target)  # what was loaded can be registered again
    assert (again.flavor, again.task, again.classes) == (saved.flavor, saved.task, saved.classes)


def test_an_unsafe_version_is_marked_everywhere_and_loaded_only_when_asked(settings: Settings) -> None:
    model = make_pipeline(StandardScaler(), OwnClassifier(n_estimators=3)).fit(CANCER, BENIGN)
    with Workspace(settings) as ws:
        ws.register(model, "m", data=CANCER, target=BENIGN, unsafe=True)
        assert ws.versions("m")[0]["unsafe"]
        assert "UNSAFE" in ws.card("m/1").to_markdown()
        assert ws.audit()[0]["details"]["unsafe"]
        with pytest.raises(UnsafeArtifact, match="unsafe=True"):
            ws.predict("m/1", CANCER)
        assert ws.predict("m/1", CANCER, unsafe=True)[0].tolist() == model.predict(CANCER).tolist()


def test_class_labels_are_proved_with_the_model(settings: Settings) -> None:
    registry = Registry(settings)
    saved = save(registry, lgbm_classifier()[0], "m", data=CANCER)
    side = next(settings.artifacts_path.rglob("modelops.json"))
    side.write_text(side.read_text().replace('["benign", "malignant"]', '["malignant", "benign"]'))
    with pytest.raises(ArtifactChanged, match=r"modelops\.json"):
        registry.load(saved.body)


def test_a_pipeline_with_foreign_steps_is_refused_by_name_or_marked(settings: Settings) -> None:
    registry = Registry(settings)
    model = make_pipeline(StandardScaler(), OwnClassifier(n_estimators=3)).fit(CANCER, BENIGN)
    with pytest.raises(UnsafeArtifact, match=r"OwnClassifier \(model\.named_steps\['ownclassifier'\]\)"):
        save(registry, model, "m", data=CANCER)
    saved = save(registry, model, "m", data=CANCER, unsafe=True)
    assert (saved.unsafe, saved.flavor) == (True, "pickle")
    with pytest.raises(UnsafeArtifact, match="unsafe=True"):
        registry.load(saved.body)


def _own_objective(truth: Any, said: Any) -> tuple[Any, Any]:
    return said - truth, np.ones(len(said))


class OwnClassifier(xgboost.XGBClassifier):
    """A class that no library of ours knows."""


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (xgboost.XGBRegressor(n_estimators=2, objective=_own_objective), "Python function"),
        (lightgbm.LGBMRegressor(n_estimators=2, objective=_own_objective, verbose=-1), "Python function"),
        (OwnClassifier(n_estimators=2), "OwnClassifier"),
    ],
    ids=["xgboost-objective", "lightgbm-objective", "subclass"],
)
def test_what_the_format_cannot_hold_is_refused_or_marked(settings: Settings, model: Any, match: str) -> None:
    registry = Registry(settings)
    model.fit(DIABETES, DIABETES["late"])
    with pytest.raises(UnsafeArtifact, match=match):
        save(registry, model, "m", data=DIABETES)
    assert save(registry, model, "m", data=DIABETES, unsafe=True).unsafe


@pytest.mark.parametrize("model", [xgboost.XGBClassifier(), lightgbm.LGBMClassifier()], ids=["xgboost", "lightgbm"])
def test_a_model_that_was_not_fitted_says_so(settings: Settings, model: Any) -> None:
    with pytest.raises(InvalidInput, match="has not been fitted"):
        save(Registry(settings), model, "m")


def test_a_missing_column_is_named() -> None:
    for model in (lgbm_classifier()[0], xgb_booster()[0], onnx_column_by_column()[0]):
        with pytest.raises(InvalidFrame, match=r"mean.radius"):
            predict(model, CANCER.drop(columns="mean radius").assign(kind=1.0))


def test_onnx_models_that_cannot_be_understood_say_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"30 values a row.*classes="):
        OnnxModel.of(a_network())
    with pytest.raises(InvalidInput, match="no ONNX model"):
        OnnxModel.of(b"not a model")
    outside = a_network(width=1)
    onnx.save_model(outside, tmp_path / "m.onnx", save_as_external_data=True, size_threshold=0, location="w.bin")
    with pytest.raises(InvalidInput, match="weights in other files"):
        OnnxModel.of(tmp_path / "m.onnx")
    with pytest.raises(InvalidFrame, match="cannot take these rows"):
        predict(onnx_linear()[0], CANCER.iloc[:, :3])


@pytest.mark.parametrize("suffix", [".ubj", ".json", ".txt", ".onnx"])
def test_the_shell_registers_a_file(settings: Settings, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = settings.project / f"model{suffix}"
    if suffix == ".onnx":
        file.write_bytes(onnx_linear()[0].SerializeToString())
    elif suffix == ".txt":
        lgbm_classifier()[0].booster_.save_model(file)
    else:
        xgb_classifier()[0].save_model(file)
    CANCER.to_parquet(settings.project / "rows.parquet")
    words = ["register", str(file), "m", "--data", str(settings.project / "rows.parquet"), "--json"]
    assert main([*words, "--workspace", str(settings.project)]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["task"], body["classes"]) == ("classification", ["0", "1"])
    saved = save(Registry(settings), file, "m", data=CANCER)
    assert saved.artifact_digests["modelops.json"] == body["artifact_digests"]["modelops.json"]


@pytest.mark.parametrize("suffix", [".ubj", ".txt", ".onnx", ".json", ".pkl"])
def test_a_file_that_holds_no_model_says_so(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"model{suffix}"
    file.write_text("nothing of the kind")
    with pytest.raises(InvalidInput, match=r"model|decision table"):
        read_file(str(file))


@pytest.mark.parametrize(
    ("package", "case"), [("xgboost", xgb_booster), ("lightgbm", lgbm_booster), ("onnxruntime", onnx_linear)]
)
def test_a_missing_library_names_its_extra(
    settings: Settings, package: str, case: Callable[[], Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry(settings)
    model, frame, *_ = case()
    saved = save(registry, model, "m", data=frame)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(LibraryMissing, match=rf"modelops-jupyter\[{package.removesuffix('runtime')}\]"):
        predict(registry.load(saved.body), frame)


def test_the_optional_libraries_are_imported_only_when_needed(tmp_path: Path) -> None:
    code = (
        "import sys, modelops_jupyter.registry as r; from sklearn.linear_model import LogisticRegression;"
        "r.predict(LogisticRegression().fit([[0], [1]], [0, 1]), __import__('pandas').DataFrame({'a': [0, 1]}));"
        "assert not {'xgboost', 'lightgbm', 'onnx', 'onnxruntime'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ}, cwd=Path(__file__).parents[2])
