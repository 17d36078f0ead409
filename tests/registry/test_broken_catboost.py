"""A CatBoost file that was cut or edited is refused before CatBoost follows it, also inside a skops file."""

import io
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import catboost
import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modelops_jupyter.errors import InvalidInput
from modelops_jupyter.registry import read_model_file
from modelops_jupyter.scoring.flavors import _catboost_trees as trees
from modelops_jupyter.scoring.flavors import catboost as flavor

X = pd.DataFrame(np.random.default_rng(0).normal(size=(300, 2)), columns=["wind", "rain"])
X["origin"] = np.random.default_rng(1).choice(list("JLE"), 300)
Y = (X["wind"] > 0).astype(int)
PLACES = X[["wind"]].assign(place=[[float(n), 1.0] for n in Y])
QUIET: dict[str, Any] = {"iterations": 5, "verbose": 0, "allow_writing_files": False, "random_seed": 0}
THREE = pd.cut(X["wind"], 3, labels=[0, 1, 2]).astype(int)
WHOLE: dict[str, tuple[str, dict[str, Any], pd.DataFrame, Any]] = {
    "numbers": ("CatBoostClassifier", {}, X[["wind", "rain"]], Y),
    "categories": ("CatBoostClassifier", {"cat_features": ["origin"]}, X, Y),
    "one hot": ("CatBoostClassifier", {"cat_features": ["origin"], "one_hot_max_size": 9}, X, Y),
    "three classes": ("CatBoostClassifier", {"cat_features": ["origin"]}, X, THREE),
    "leaf by leaf": ("CatBoostRegressor", {"grow_policy": "Lossguide", "cat_features": ["origin"]}, X, X["rain"]),
    "level by level": ("CatBoostClassifier", {"grow_policy": "Depthwise"}, X[["wind"]], THREE),
    "two targets": ("CatBoostRegressor", {"loss_function": "MultiRMSE"}, X[["wind"]], X[["wind", "rain"]]),
    "one stump": ("CatBoostRegressor", {"depth": 1, "iterations": 1}, X[["wind"]], X["rain"]),
    "vectors": ("CatBoostClassifier", {"embedding_features": ["place"]}, PLACES, Y),
}


def fitted(case: str) -> Any:
    kind, options, rows, labels = WHOLE[case]
    return getattr(catboost, kind)(**{**QUIET, **options}).fit(rows, labels)


def saved(case: str, folder: Path) -> Path:
    file = folder / "model.cbm"
    fitted(case).save_model(str(file))
    return file


@pytest.mark.parametrize("case", WHOLE)
def test_a_whole_model_is_the_same_model(case: str, tmp_path: Path) -> None:
    model, rows = fitted(case), WHOLE[case][2]
    model.save_model(str(tmp_path / "model.cbm"))
    read = flavor.read_file(tmp_path / "model.cbm")
    np.testing.assert_array_equal(
        read.model.predict(rows, prediction_type="RawFormulaVal"), model.predict(rows, prediction_type="RawFormulaVal")
    )


def core(content: bytes) -> trees._Table:
    buffer = content[8 : 8 + struct.unpack_from("<I", content, 4)[0]]
    return trees._Table(buffer, struct.unpack_from("<I", buffer, 0)[0]).table(trees._TREES)


def edited(content: bytes, field: int, form: str, value: int, index: int = 0) -> bytes:
    """Return a file with one number of the trees changed: of a vector, or a field by itself."""
    table = core(content)
    place = table._place(field)
    assert place is not None
    if field != trees._DIMENSION:
        place += struct.unpack_from("<I", table.buffer, place)[0] + 4 + index * struct.calcsize(form)
    changed = bytearray(content)
    struct.pack_into(form, changed, 8 + place, value)
    return bytes(changed)


EDITS: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "cut": ("numbers", lambda b: b[:-200], "cut short"),
    "empty": ("numbers", lambda b: b"", "does not begin"),
    "another file": ("numbers", lambda b: b"PK\3\4" + b[4:], "does not begin"),
    "a split beyond": ("numbers", lambda b: edited(b, trees._SPLITS, "<i", 9999), "splits by a feature"),
    "a negative split": ("categories", lambda b: edited(b, trees._SPLITS, "<i", -2), "splits by a feature"),
    "a tree of other size": ("numbers", lambda b: edited(b, trees._SIZES, "<i", 7), "other sizes"),
    "a tree of negative size": ("numbers", lambda b: edited(b, trees._SIZES, "<i", -1), "other sizes"),
    "a tree that begins elsewhere": ("numbers", lambda b: edited(b, trees._STARTS, "<i", 3), "begin elsewhere"),
    "more targets": ("numbers", lambda b: edited(b, trees._DIMENSION, "<i", 64), "other leaves"),
    "no target": ("three classes", lambda b: edited(b, trees._DIMENSION, "<i", 0), "other sizes"),
    "fewer leaves": ("numbers", lambda b: edited(b, trees._LEAVES, "<i", 3, -1), "other leaves"),
    "a step out of its tree": ("leaf by leaf", lambda b: edited(b, trees._STEPS, "<I", 0xFFFFFFFF), "leads out"),
    "a leaf beyond": ("level by level", lambda b: every_leaf(b), "leads to a leaf"),
    "an address beyond": ("numbers", lambda b: b[:8] + struct.pack("<I", 2**31) + b[12:], "leads out of it"),
}


def every_leaf(content: bytes) -> bytes:
    for index in range(len(core(content).vector(trees._LEAF_OF_NODE, "<u4"))):
        content = edited(content, trees._LEAF_OF_NODE, "<I", 10**6, index)
    return content


@pytest.mark.parametrize(("case", "edit", "words"), EDITS.values(), ids=EDITS)
def test_a_model_that_was_cut_or_edited_is_refused(
    case: str, edit: Callable[[bytes], bytes], words: str, tmp_path: Path
) -> None:
    file = saved(case, tmp_path)
    file.write_bytes(edit(file.read_bytes()))
    with pytest.raises(InvalidInput, match=rf"model\.cbm' holds no whole CatBoost model: .*{words}.*Save it again"):
        read_model_file(file)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return saved("categories", tmp_path_factory.mktemp("whole")).read_bytes()


@settings(max_examples=300)
@given(data=st.data())
def test_whatever_was_changed_the_look_itself_fails_with_a_reason_alone(content: bytes, data: st.DataObject) -> None:
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 6))):
        changed[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ValueError):
        trees.check_trees(bytes(changed[: data.draw(st.integers(0, len(content)))]))


def test_a_model_inside_a_skops_file_is_looked_at_too(tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), catboost.CatBoostRegressor(**QUIET)).fit(X[["wind", "rain"]], X["rain"])
    file = tmp_path / "model.skops"
    skops.io.dump(model, file)
    assert read_model_file(file).predict(X[["wind", "rain"]]).shape == (300,)
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    (name,) = [name for name, part in parts.items() if part.startswith(trees.MAGIC)]
    parts[name] = edited(parts[name], trees._SPLITS, "<i", 9999)
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    with pytest.raises(InvalidInput, match=r"its catboost booster was cut or edited .*splits by a feature"):
        read_model_file(file)
