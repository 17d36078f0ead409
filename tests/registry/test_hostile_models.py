"""A model file from a stranger runs nothing: neither when it is read, nor when its model predicts."""

import io
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.datasets._base
import sklearn.metrics._scorer
import skops.io as skops
from saving import save
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, StackingClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier, TweedieRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OutputCodeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, OneHotEncoder
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from modelops_jupyter.cli import main
from modelops_jupyter.errors import ArtifactChanged, UnsafeArtifact
from modelops_jupyter.registry import Registry
from modelops_jupyter.scoring.flavors.sklearn import read_file
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

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


def edit(line: str) -> Callable[[Path], None]:
    """Return what makes a version's MLmodel name a loader, or code, of a stranger's choice."""

    def act(folder: Path) -> None:
        described = (folder / "MLmodel").read_text()
        key = line.partition(":")[0]
        before = next(other for other in described.splitlines() if other.strip().startswith(f"{key}:"))
        (folder / "MLmodel").write_text(described.replace(before, f"    {line}"))

    return act


def plant(name: str) -> Callable[[Path], None]:
    """Return what puts a module of a stranger's beside a version's own code."""

    def act(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("raise SystemExit('run')")

    return act


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (edit("loader_module: os"), "'MLmodel' was changed"),
        (edit("loader_module: evil.loader"), "'MLmodel' was changed"),
        (edit("code: ../../evil"), "'MLmodel' was changed"),
        (edit("pickled_model: ../../evil.pkl"), "'MLmodel' was changed"),
        (edit("serialization_format: cloudpickle"), "'MLmodel' was changed"),
        (plant("code/evil.py"), r"'code/evil\.py' was added"),
        (plant("sitecustomize.py"), r"'sitecustomize\.py' was added"),
        (plant("code/__pycache__/evil.cpython-311.pyc"), "was added"),
    ],
    ids=["os", "loader", "code", "file", "format", "beside", "site", "bytecode"],
)
def test_an_edited_version_runs_nothing_of_its_own(
    settings: Settings, act: Callable[[Path], None], sentence: str
) -> None:
    with Workspace(settings) as ws:
        ws.register(LogisticRegression().fit(X, Y), "m", data=X)
        act(next(settings.artifacts_path.rglob("MLmodel")).parent)
        paths, modules = list(sys.path), set(sys.modules)
        with pytest.raises(ArtifactChanged, match=sentence):
            ws.predict("m/1", X)
        assert sys.path == paths
        assert "evil" not in " ".join(set(sys.modules) - modules)


def test_a_version_is_read_by_the_format_on_record_whatever_its_files_say(settings: Settings) -> None:
    registry = Registry(settings)
    saved = save(registry, LogisticRegression().fit(X, Y), "m", data=X)
    for format in ("os", "python_function", "modelops_scoring_00000000.scoring.mlflow_loader"):
        with pytest.raises(UnsafeArtifact, match="not on the allow-list"):
            registry.load({**saved.body, "flavor": format})
