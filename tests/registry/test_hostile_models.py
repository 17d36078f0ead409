"""A model file from a stranger runs nothing: neither when it is read, nor when its model predicts."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets._base
import sklearn.metrics._scorer
import skops.io as skops
from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, StackingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier, TweedieRegressor
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OutputCodeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from modelops_jupyter.cli import main
from modelops_jupyter.errors import InvalidInput, UnsafeArtifact
from modelops_jupyter.scoring.flavors._skops_audit import read_schema, refusals
from modelops_jupyter.scoring.flavors.sklearn import read_file
from modelops_jupyter.settings import Settings

X = pd.DataFrame(np.random.default_rng(0).random((60, 2)), columns=["a", "b"])
Y = (X["a"] > 0.5).astype(int)


def writes(target: Path) -> Pipeline:
    """Return a model of scikit-learn's own classes alone that writes a file of the sender's choice when it predicts."""
    steps = [
        (np.asarray, {"dtype": "O"}),
        (np.insert, {"obj": 0, "values": str(target)}),
        (np.take, {"indices": 0}),
        (np.savetxt, {"X": [], "header": "import os; os.system('id')", "comments": ""}),
    ]
    transformers = [FunctionTransformer(function, kw_args=options) for function, options in steps]
    return make_pipeline(*transformers, LogisticRegression().fit(X, Y))


def test_a_hostile_file_is_refused_before_it_predicts(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    target = settings.project / "written.pth"
    evil = settings.project / "evil.skops"
    skops.dump(writes(target), evil)
    X.to_parquet(settings.project / "X.parquet")
    words = ["register", str(evil), "evil", "--data", str(settings.project / "X.parquet")]
    assert main([*words, "--workspace", str(settings.project)]) == 1
    assert "numpy.savetxt" in capsys.readouterr().err
    assert not target.exists()
    assert main(["models", "--workspace", str(settings.project)]) == 0
    assert "evil" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("callable_", "named"),
    [
        (np.load, "numpy.load"),
        (np.memmap, "numpy.memmap"),
        (np.zeros(3).tofile, "tofile"),
        (sklearn.datasets._base.Path, "pathlib"),
        (sklearn.datasets.load_files, "load_files"),
        (partial(np.save, arr=np.zeros(3)), "numpy.*save"),
    ],
    ids=["load", "memmap", "method", "path", "sklearn-function", "partial"],
)
def test_what_could_be_called_with_the_files_own_words_is_named(tmp_path: Path, callable_: Any, named: str) -> None:
    file = tmp_path / "model.skops"
    skops.dump(FunctionTransformer(callable_), file)
    with pytest.raises(UnsafeArtifact, match=named):
        read_file(file)


def test_a_name_that_scikit_learn_only_passes_on_is_refused(tmp_path: Path) -> None:
    assert sklearn.metrics._scorer.partial is partial
    file = tmp_path / "model.skops"
    file.write_bytes(_with(skops.dumps(FunctionTransformer(partial)), '"functools"', '"sklearn.metrics._scorer"'))
    with pytest.raises(UnsafeArtifact, match=r"sklearn\.metrics\._scorer\.partial"):
        read_file(file)


def _with(archive: bytes, old: str, new: str) -> bytes:
    """Return a skops archive whose schema says `new` where it said `old`."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as before, zipfile.ZipFile(written, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name == "schema.json":
                assert old.encode() in content
                content = content.replace(old.encode(), new.encode())
            after.writestr(name, content)
    return written.getvalue()


def _edited(model: Any, edit: Callable[[dict[str, Any]], None]) -> bytes:
    """Return a model's skops archive with its schema edited by a sender."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(skops.dumps(model))) as before, zipfile.ZipFile(written, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name == "schema.json":
                schema = json.loads(content)
                edit(schema)
                content = json.dumps(schema).encode()
            after.writestr(name, content)
    return written.getvalue()


def _json(value: Any) -> dict[str, Any]:
    return {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": json.dumps(value)}


def _function(module: str, name: str, loader: str = "FunctionNode") -> dict[str, Any]:
    return {"__class__": name, "__module__": module, "__loader__": loader}


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every node of a schema, the outer ones first."""
    if isinstance(schema, dict) and "__loader__" in schema:
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _nodes(part)


def _node_of(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the first node of a class."""
    return next(node for node in _nodes(schema) if node["__class__"] == name)


def _attributes(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return _node_of(schema, name)["content"]["content"]


def _attribute(owner: str, attribute: str, node: Any) -> Callable[[dict[str, Any]], None]:
    """Return an edit that sets an attribute, adding the type of its key where it is new."""

    def edit(schema: dict[str, Any]) -> None:
        state = _node_of(schema, owner)["content"]
        if attribute not in state["content"]:
            state["key_types"]["content"].append(_function("builtins", "str", "TypeNode"))
        state["content"][attribute] = node

    return edit


LOGISTIC = LogisticRegression().fit(X, Y)
TRANSFORMED = make_pipeline(FunctionTransformer(np.log1p), LogisticRegression()).fit(X, Y)
SEARCHED = GridSearchCV(LogisticRegression(), {"C": [1.0]}, scoring="roc_auc", cv=2).fit(X, Y)
STACKED = StackingClassifier([("a", LogisticRegression())], cv=2).fit(X, Y)
TEXTS = make_pipeline(CountVectorizer(), LogisticRegression()).fit(["calm sea", "storm"], [0, 1])
BOOSTED = make_pipeline(StandardScaler(), LGBMClassifier(n_estimators=2, verbose=-1)).fit(X, Y)
METRIC = _function("sklearn.metrics._ranking", "roc_auc_score")
HOSTILE: dict[str, tuple[Any, Callable[[dict[str, Any]], None], str]] = {
    "a metric where rows are transformed": (TRANSFORMED, _attribute("FunctionTransformer", "func", METRIC), "roc_auc"),
    "a type where rows are transformed": (
        TRANSFORMED,
        _attribute("FunctionTransformer", "func", _function("builtins", "str", "TypeNode")),
        "builtins.str",
    ),
    "a class where rows are transformed": (
        TRANSFORMED,
        _attribute("FunctionTransformer", "func", _function("sklearn.pipeline", "Pipeline", "TypeNode")),
        "Pipeline",
    ),
    "NumPy's reader where rows are transformed": (
        TRANSFORMED,
        _attribute("FunctionTransformer", "func", _function("numpy", "fromfile", "TypeNode")),
        "numpy.fromfile",
    ),
    "a scorer where rows are transformed": (
        TRANSFORMED,
        lambda schema: _attribute("FunctionTransformer", "func", _dumped(make_scorer(roc_auc_score)))(schema),
        "_Scorer",
    ),
    "a function in place of a method": (LOGISTIC, _attribute("LogisticRegression", "predict", METRIC), "roc_auc_score"),
    "a text in place of a method": (LOGISTIC, _attribute("LogisticRegression", "predict", _json("")), "predict"),
    "a link in what a notebook shows": (
        LOGISTIC,
        _attribute("LogisticRegression", "_doc_link_template", _json("javascript:alert(1)")),
        "_doc_link_template",
    ),
    "a method by name": (
        STACKED,
        _attribute(
            "StackingClassifier",
            "stack_method_",
            {**_function("builtins", "list", "ListNode"), "content": [_json("fit_predict")]},
        ),
        "stack_method_",
    ),
    "a method by a name that is no plain text": (
        STACKED,
        _attribute(
            "StackingClassifier", "stack_method_", {**_function("numpy", "str_", "NdArrayNode"), "type": "json"}
        ),
        "numpy.str_",
    ),
    "rows that name files": (TEXTS, _attribute("CountVectorizer", "input", _json("filename")), "filename"),
    "an option that names a file": (
        BOOSTED,
        _attribute("LGBMClassifier", "forcedsplits_filename", _json("/etc/passwd")),
        "/etc/passwd",
    ),
    "an option among options that names a file": (
        BOOSTED,
        lambda schema: _attributes(schema, "LGBMClassifier").__setitem__(
            "_other_params", _dumped({"input_model": "/etc"})
        ),
        "input_model",
    ),
    "a class that is called with a key": (
        SEARCHED,
        lambda schema: _attributes(schema, "GridSearchCV")["param_grid"]["key_types"]["content"].__setitem__(
            0, _function("sklearn.pipeline", "Pipeline", "TypeNode")
        ),
        "a key of type sklearn.pipeline.Pipeline",
    ),
    "a class that is called with its state": (
        LOGISTIC,
        lambda schema: _node_of(schema, "LogisticRegression").update(__loader__="ConstructorFromReduceNode"),
        "LogisticRegression",
    ),
    "a class that is called with a list": (
        SEARCHED,
        _attribute("GridSearchCV", "cv", {**_function("sklearn.pipeline", "Pipeline", "ListNode"), "content": []}),
        "Pipeline",
    ),
    "a method of an object": (
        TRANSFORMED,
        _attribute(
            "FunctionTransformer",
            "func",
            {
                **_function("sklearn.pipeline", "Pipeline", "MethodNode"),
                "content": {"func": "fit", "obj": _function("sklearn.pipeline", "Pipeline", "ObjectNode")},
            },
        ),
        "Pipeline.fit",
    ),
    "an operator": (
        TRANSFORMED,
        _attribute(
            "FunctionTransformer",
            "func",
            {**_function("operator", "methodcaller", "OperatorFuncNode"), "attrs": _json("to_pickle")},
        ),
        "operator.methodcaller",
    ),
    "a distribution, which executes its state": (
        SEARCHED,
        _attribute("GridSearchCV", "cv", _function("scipy.stats._continuous_distns", "norm_gen", "ObjectNode")),
        "norm_gen",
    ),
    "a compiled function as a loss": (
        LOGISTIC,
        _attribute(
            "LogisticRegression",
            "loss_",
            {**_function("sklearn.linear_model._sgd_fast", "_plain_sgd64", "LossNode"), "content": _json({})},
        ),
        "_plain_sgd64",
    ),
    "a loader of another library": (
        LOGISTIC,
        lambda schema: _node_of(schema, "LogisticRegression").update(__loader__="QuantileForestNode"),
        "LogisticRegression",
    ),
    "a module of tests": (
        LOGISTIC,
        lambda schema: schema.update(__module__="sklearn.linear_model.tests.test_logistic"),
        "test_logistic",
    ),
}


def _seeded(name: str) -> LogisticRegression:
    """Return a model with a generator, which scikit-learn does not look at once it is fitted."""
    return LogisticRegression().fit(X, Y).set_params(random_state=np.random.Generator(getattr(np.random, name)(0)))


@pytest.mark.parametrize("name", ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"])
def test_a_generator_of_random_numbers_is_one_of_numpys(tmp_path: Path, name: str) -> None:
    file, content = tmp_path / "model.skops", skops.dumps(_seeded(name))
    file.write_bytes(content)
    assert type(read_file(file).random_state.bit_generator).__name__ == name
    file.write_bytes(_with(content, f'\\"{name}\\"', '\\"seed\\"'))
    assert [refusal.name for refusal in refusals(read_schema(file.read_bytes()))] == ["numpy.random.seed"]
    with pytest.raises(UnsafeArtifact, match=r"numpy\.random\.seed"):
        read_file(file)


def _dumped(value: Any) -> dict[str, Any]:
    """Return the node of a value, none of whose parts bears an id."""
    schema: dict[str, Any] = json.loads(zipfile.ZipFile(io.BytesIO(skops.dumps(value))).read("schema.json"))
    for node in _nodes(schema):
        node.pop("__id__", None)
    return schema


@pytest.mark.parametrize(("model", "edit", "named"), HOSTILE.values(), ids=HOSTILE)
def test_what_stands_where_it_would_act_is_refused(tmp_path: Path, model: Any, edit: Any, named: str) -> None:
    file = tmp_path / "model.skops"
    file.write_bytes(_edited(model, edit))
    with pytest.raises(UnsafeArtifact) as refusal:
        read_file(file)
    assert named in str(refusal.value)


def test_two_parts_that_bear_one_id_are_refused(tmp_path: Path) -> None:
    """The first would be built where the second, which is harmless there, was looked at."""

    def edit(schema: dict[str, Any]) -> None:
        function = _node_of(schema, "FunctionTransformer")["content"]
        grid = {**_dumped({}), "__id__": function["__id__"], "content": {"func": METRIC}}
        grid["key_types"]["content"].append(_function("builtins", "str", "TypeNode"))
        _attributes(schema, "GridSearchCV")["param_grid"] = grid

    file = tmp_path / "model.skops"
    model = GridSearchCV(TRANSFORMED, {"logisticregression__C": [1.0]}, cv=2).fit(X, Y)
    file.write_bytes(_edited(model, edit))
    with pytest.raises(InvalidInput, match="two parts of it bear the id"):
        read_file(file)


@pytest.mark.parametrize("protocol", [0, 3, True, "2", None])
def test_another_protocol_is_refused(tmp_path: Path, protocol: Any) -> None:
    file = tmp_path / "model.skops"
    file.write_bytes(_edited(LOGISTIC, lambda schema: schema.update(protocol=protocol)))
    with pytest.raises(InvalidInput, match="protocol"):
        read_file(file)


def test_a_file_that_holds_no_estimator_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.skops"
    skops.dump({"a": 1}, file)
    with pytest.raises(InvalidInput, match="holds a dict and no estimator"):
        read_file(file)


@pytest.mark.parametrize(
    "model",
    [
        CalibratedClassifierCV(SVC(), ensemble=False),
        DecisionTreeRegressor(max_depth=2),
        GaussianProcessClassifier(),
        GradientBoostingClassifier(n_estimators=2),
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}),
        KNeighborsClassifier(algorithm="kd_tree"),
        make_pipeline(KBinsDiscretizer(quantile_method="averaged_inverted_cdf"), LogisticRegression()),
        make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()),
        MLPClassifier(max_iter=2000),
        OutputCodeClassifier(LogisticRegression()),
        RandomForestClassifier(n_estimators=2),
        SGDClassifier(loss="log_loss"),
        StackingClassifier([("a", LogisticRegression())]),
        TweedieRegressor(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_scikit_learns_own_models_are_trusted(tmp_path: Path, model: Any) -> None:
    file = tmp_path / "model.skops"
    skops.dump(model.fit(X, Y), file)
    np.testing.assert_array_equal(read_file(file).predict(X), model.predict(X))
