"""Files of boosters that were cut or edited are refused in one sentence: their libraries would end the process."""

import io
import json
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import mlflow
import numpy as np
import pandas as pd
import pytest
import skops.io as skops
import xgboost
from stock import X as ROWS
from stock import Y as LABELS
from stock import log, tracking

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.scoring.flavors import lightgbm as lightgbm_flavor
from modelops_jupyter.scoring.flavors import sklearn as sklearn_flavor
from modelops_jupyter.scoring.flavors import xgboost as xgboost_flavor
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

RANDOM = np.random.default_rng(0)
X = pd.DataFrame(RANDOM.random((400, 3)), columns=["a", "b", "c"])
X["c"] = pd.Categorical(RANDOM.choice(list("pqrs"), len(X)))
Y = X["a"] + (X["c"] == "p") * X["b"]


def lightgbm_text(**options: Any) -> str:
    settings = {"n_estimators": 3, "num_leaves": 7, "min_child_samples": 5, "min_data_per_group": 5, **options}
    frame = X[["a", "b"]] if options.get("linear_tree") else X
    text: str = lightgbm.LGBMRegressor(verbose=-1, **settings).fit(frame, Y).booster_.model_to_string()
    return text


def with_first(key: str, value: str) -> Callable[[str], str]:
    """Return what sets the first number of the first line of a key, and puts the sizes of the trees right."""

    def edit(text: str) -> str:
        edited = re.sub(rf"^({key}=)\S+", rf"\g<1>{value}", text, count=1, flags=re.M)
        assert edited != text
        blocks = re.split(r"^(?=Tree=)", edited.partition("end of trees")[0], flags=re.M)[1:]
        return re.sub(r"tree_sizes=.*", f"tree_sizes={' '.join(str(len(block)) for block in blocks)}", edited, count=1)

    return edit


LIGHTGBM = {
    "cut in half": lambda text: text[: len(text) // 2],
    "cut in its parameters": lambda text: text[: text.index("[max_depth")],
    "a digit lost": lambda text: text.replace("leaf_value=0.", "leaf_value=.", 1).replace("-0.", "-.", 1),
    "a digit lost that is made up for": lambda text: text.replace("\n\n\nTree=1", "\n\n\n\nTree=1").replace(
        "0.", ".", 1
    ),
    "a child beyond the tree": with_first("left_child", "90000000"),
    "a child that is its parent": with_first("right_child", "0"),
    "a leaf beyond the tree": with_first("left_child", "-90000000"),
    "a column beyond the rows": with_first("split_feature", "90000000"),
    "a column before the rows": with_first("split_feature", "-1"),
    "fewer children than nodes": with_first("left_child", ""),
    "more leaves than nodes": with_first("num_leaves", "9"),
    "categories beyond the tree": lambda text: re.sub(r"cat_boundaries=0 \d+", "cat_boundaries=0 9", text),
    "an empty line in a tree": lambda text: with_first("num_cat", "1\n")(text),
    "outputs that no tree gives": with_first("num_tree_per_iteration", "50"),
    "a number that is none": with_first("left_child", "x"),
    "no columns": lambda text: re.sub(r"max_feature_idx=.*\n", "", text),
}


@pytest.mark.parametrize("edit", LIGHTGBM.values(), ids=LIGHTGBM)
def test_a_lightgbm_text_that_was_cut_or_edited_is_refused(edit: Callable[[str], str], tmp_path: Path) -> None:
    text = lightgbm_text()
    file = tmp_path / "model.txt"
    file.write_text(edit(text))
    with pytest.raises(InvalidInput, match=r"cannot be read as a LightGBM model \(") as caught:
        lightgbm_flavor.read_file(file)
    assert len(str(caught.value).splitlines()) == 1


def test_a_linear_model_in_a_leaf_takes_columns_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "model.txt"
    file.write_text(re.sub(r"^(leaf_features=.*?)\d", r"\g<1>9", lightgbm_text(linear_tree=True), count=1, flags=re.M))
    with pytest.raises(InvalidInput, match="refers to nodes or columns that it does not have"):
        lightgbm_flavor.read_file(file)


@pytest.mark.parametrize(
    "options",
    [{}, {"linear_tree": True}, {"boosting_type": "dart"}, {"min_child_samples": 1000}, {"n_estimators": 30}],
    ids=["categories", "linear", "dart", "no split", "more"],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_whole_lightgbm_text_is_the_same_model(options: dict[str, Any], newline: str, tmp_path: Path) -> None:
    text = lightgbm_text(**options)
    file = tmp_path / "model.txt"
    file.write_text(text, newline=newline)
    assert lightgbm_flavor.read_file(file).model_to_string() == text


XGBOOST: dict[str, tuple[dict[str, Any], Callable[[Any], None]]] = {
    "a child beyond the tree": ({}, lambda tree: tree["left_children"].__setitem__(0, 50_000_000)),
    "a child that is its parent": ({}, lambda tree: tree["right_children"].__setitem__(0, 0)),
    "a child of two": ({}, lambda tree: tree["right_children"].__setitem__(0, tree["left_children"][0])),
    "a parent beyond the tree": ({}, lambda tree: tree["parents"].__setitem__(-1, 50_000_000)),
    "a column beyond the rows": ({}, lambda tree: tree["split_indices"].__setitem__(0, 900_000_000)),
    "fewer children than nodes": ({}, lambda tree: tree["left_children"].pop()),
    "more nodes than there are": ({}, lambda tree: tree["tree_param"].update(num_nodes="90000000")),
    "categories beyond the tree": ({}, lambda tree: tree["categories_sizes"].__setitem__(0, 50_000_000)),
    "a category that is none": ({}, lambda tree: tree["categories"].__setitem__(0, 2_000_000_000)),
    "a leaf's weights beyond the tree": (
        {"multi_strategy": "multi_output_tree"},
        lambda tree: tree["right_children"].__setitem__(-1, 50_000_000),
    ),
}


def xgboost_model(**options: Any) -> Any:
    settings = {"n_estimators": 2, "max_depth": 3, "max_cat_to_onehot": 1, "enable_categorical": True, **options}
    two = "multi_strategy" in options
    frame, target = (X[["a", "b"]], np.column_stack([Y, Y])) if two else (X, Y)
    return xgboost.XGBRegressor(**settings).fit(frame, target)


def ubjson(value: Any) -> bytes:
    """Write what XGBoost's JSON holds as UBJSON."""
    if isinstance(value, dict):
        return b"{" + b"".join(ubjson(name)[1:] + ubjson(item) for name, item in value.items()) + b"}"
    if isinstance(value, list):
        return b"[#L" + struct.pack(">q", len(value)) + b"".join(map(ubjson, value))
    if isinstance(value, str):
        return b"SL" + struct.pack(">q", len(value.encode())) + value.encode()
    return b"L" + struct.pack(">q", value) if isinstance(value, int) else b"D" + struct.pack(">d", value)


@pytest.mark.parametrize("kind", ["json", "ubj", "inside a pipeline"])
@pytest.mark.parametrize(("options", "edit"), XGBOOST.values(), ids=XGBOOST)
def test_an_xgboost_file_that_was_edited_is_refused(
    options: dict[str, Any], edit: Callable[[Any], None], kind: str, tmp_path: Path
) -> None:
    model = xgboost_model(**options)
    document = json.loads(model.get_booster().save_raw("json"))
    edit(document["learner"]["gradient_booster"]["model"]["trees"][0])
    if kind == "inside a pipeline":
        file = with_bytes(model, ubjson({"Config": {}, "Model": document}), tmp_path / "model.skops")
        with pytest.raises(InvalidInput, match=r"xgboost booster was cut or edited|refers to nodes or columns"):
            sklearn_flavor.read_file(file)
        return
    file = tmp_path / f"model.{kind}"
    file.write_bytes(json.dumps(document).encode() if kind == "json" else ubjson(document))
    for read in (xgboost_flavor.read_file, lambda file: xgboost_flavor.read_estimator(file, "XGBRegressor")):
        with pytest.raises(InvalidInput, match=r"holds no XGB\w+.* \(.*\): save one with model.save_model"):
            read(file)


def with_bytes(model: Any, content: bytes, file: Path) -> Path:
    """Write a skops file of a model whose booster has other bytes."""
    with zipfile.ZipFile(io.BytesIO(skops.dumps(model))) as archive, zipfile.ZipFile(file, "w") as copy:
        for name in archive.namelist():
            copy.writestr(name, content if name.endswith(".bin") else archive.read(name))
    return file


@pytest.mark.parametrize("edit", LIGHTGBM.values(), ids=LIGHTGBM)
def test_a_lightgbm_text_inside_a_skops_file_is_looked_at_too(edit: Callable[[str], str], tmp_path: Path) -> None:
    model = lightgbm.LGBMRegressor(n_estimators=3, num_leaves=7, verbose=-1, min_child_samples=5).fit(X, Y)
    text, file = model.booster_.model_to_string(num_iteration=-1), tmp_path / "model.skops"
    with zipfile.ZipFile(io.BytesIO(skops.dumps(model))) as archive, zipfile.ZipFile(file, "w") as copy:
        for name in archive.namelist():
            content = archive.read(name).decode("latin-1")
            if name == "schema.json":
                written = json.dumps(json.dumps(text))
                assert written in content
                content = content.replace(written, json.dumps(json.dumps(edit(text))))
            copy.writestr(name, content.encode("latin-1"))
    with pytest.raises(InvalidInput):
        sklearn_flavor.read_file(file)


KINDS: dict[str, dict[str, Any]] = {
    "categories": {},
    "one by one": {"max_cat_to_onehot": 100},
    "dart": {"booster": "dart", "rate_drop": 0.5},
    "forest": {"num_parallel_tree": 3},
    "pruned": {"gamma": 0.5, "tree_method": "approx"},
    "by loss": {"grow_policy": "lossguide", "max_leaves": 9},
    "several outputs": {"multi_strategy": "multi_output_tree"},
    "no tree": {"n_estimators": 0},
}


@pytest.mark.parametrize("suffix", ["json", "ubj"])
@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_a_whole_xgboost_file_is_the_same_model(options: dict[str, Any], suffix: str, tmp_path: Path) -> None:
    model = xgboost_model(**options)
    file = tmp_path / f"model.{suffix}"
    file.write_bytes(model.get_booster().save_raw(suffix))
    read = xgboost_flavor.read_file(file)
    assert read.save_raw("json") == model.get_booster().save_raw("json")


def test_pruned_nodes_and_linear_boosters_are_sound(tmp_path: Path) -> None:
    numbers = X[["a", "b"]]
    for options in ({"tree_method": "exact", "gamma": 5.0}, {"booster": "gblinear"}):
        model = xgboost.XGBRegressor(n_estimators=2, **options).fit(numbers, Y)
        file = tmp_path / "model.ubj"
        model.save_model(file)
        assert (xgboost_flavor.read_estimator(file, "XGBRegressor").predict(numbers) == model.predict(numbers)).all()


def folder_of(client: Any, info: Any) -> Path:
    """Return where MLflow keeps the files of a model."""
    return Path(client.get_logged_model(info.model_id).artifact_location.removeprefix("file://"))


def test_a_cut_file_leaves_its_version_out_and_the_others_are_taken(settings: Settings) -> None:
    with Workspace(settings) as ws:
        with tracking(ws.tracking_uri) as client:
            booster = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(ROWS, LABELS).booster_
            info = log(mlflow.lightgbm.log_model, booster, registered_model_name="cut")
            file = folder_of(client, info) / "model.lgb"
            file.write_text(file.read_text()[: file.stat().st_size // 2])
            log(registered_model_name="whole")
        answer = ws.adopt(all=True)
        assert [row["model"] for row in answer.adopted] == ["whole"]
        assert "the file was cut or edited" in answer.left[0]["reason"]


def test_an_edited_xgboost_file_leaves_its_version_out_before_anything_is_predicted(settings: Settings) -> None:
    with Workspace(settings) as ws:
        with tracking(ws.tracking_uri) as client:
            model = xgboost.XGBClassifier(n_estimators=2, max_depth=2).fit(ROWS, LABELS)
            info = log(mlflow.xgboost.log_model, model, model_format="json", registered_model_name="edited")
            file = folder_of(client, info) / "model.json"
            document = json.loads(file.read_text())
            document["learner"]["gradient_booster"]["model"]["trees"][0]["split_indices"][0] = 900_000_000
            file.write_text(json.dumps(document))
        answer = ws.adopt("edited", reference=ROWS, outcomes=LABELS)
        assert not answer.adopted
        assert "tree 0 refers to nodes or columns that it does not have" in answer.left[0]["reason"]
