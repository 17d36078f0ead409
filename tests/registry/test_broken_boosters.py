"""Files of boosters that were cut or edited are refused in one sentence: their libraries would end the process."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import mlflow
import numpy as np
import pandas as pd
import pytest
from stock import X as ROWS
from stock import Y as LABELS
from stock import log, tracking

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.scoring.flavors import lightgbm as lightgbm_flavor
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
