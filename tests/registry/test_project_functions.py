"""Functions of the user's project in a model: kept with their source, run from there, shown to who approves."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from feature_projects import FEATURES, X, Y, fitted, importable, imported
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from modelops_jupyter.errors import ArtifactChanged, UnsafeArtifact
from modelops_jupyter.scoring.formats import read_model
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace


@pytest.fixture
def project(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with importable(settings, monkeypatch) as folder:
        yield folder


@pytest.fixture
def ws(settings: Settings) -> Iterator[Workspace]:
    with Workspace(settings) as opened:
        yield opened


def folder_of(ws: Workspace, version: str) -> Path:
    return ws.settings.root / ws.version(version).body["artifact_path"]


ELSEWHERE = """
import json, sys
import pandas as pd
import modelops_jupyter as mo
assert "features" not in sys.modules
with mo.open(sys.argv[1]) as ws:
    prediction, score = ws.predict("m/1", pd.read_parquet(sys.argv[2]))
print(json.dumps([prediction.tolist(), score.tolist()]))
assert not any(name == "features" or name.startswith("modelops_project") for name in sys.modules)
"""


def in_another_process(code: str, where: Path, *arguments: object) -> Any:
    where.mkdir(exist_ok=True)
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=where, env={**os.environ}, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_version_runs_the_kept_function_in_another_process_and_folder(
    ws: Workspace, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    features = imported(project)
    model = fitted(features.with_product)
    expected = [model.predict(X).tolist(), model.predict_proba(X)[:, 1].tolist()]
    version = ws.register(model, "m", data=X, target=Y)
    source = FEATURES.encode()
    function = {
        "function": "features.with_product",
        "file": "code/project/features.py",
        "sha256": hashlib.sha256(source).hexdigest(),
    }
    assert version.body["project_functions"] == [function]
    assert not version.body["unsafe"]
    assert (folder_of(ws, "m/1") / "code/project/features.py").read_bytes() == source
    assert version.body["artifact_digests"]["code/project/features.py"] == function["sha256"]

    elsewhere = tmp_path_factory.mktemp("elsewhere")
    rows = elsewhere / "rows.parquet"
    X.to_parquet(rows)
    (project / "features.py").unlink()  # the project is not at hand, and other modules bear the name
    (elsewhere / "features.py").write_text("raise SystemExit('the wrong module')")
    assert in_another_process(ELSEWHERE, elsewhere, project, rows) == expected


PYFUNC = """
import sys
sys.modules["modelops_jupyter"] = None  # importing it fails
import json, mlflow.pyfunc, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
print(json.dumps(model.predict(pd.read_parquet(sys.argv[2])).tolist()))
assert not any(name == "features" or name.startswith("modelops_project") for name in sys.modules)
"""


def test_stock_mlflow_runs_the_kept_function(ws: Workspace, project: Path, tmp_path: Path) -> None:
    model = fitted(imported(project).with_product)
    ws.register(model, "m", data=X, target=Y)
    X.to_parquet(tmp_path / "rows.parquet")
    (project / "features.py").unlink()
    answer = in_another_process(PYFUNC, tmp_path / "elsewhere", folder_of(ws, "m/1"), tmp_path / "rows.parquet")
    assert answer == model.predict(X).tolist()
    assert "sklearn" not in mlflow.models.Model.load(str(folder_of(ws, "m/1"))).flavors  # it would lack the function


def test_the_source_may_change_afterwards(ws: Workspace, project: Path) -> None:
    first = fitted(imported(project).with_product)
    ws.register(first, "m", data=X, target=Y)
    second = fitted(imported(project, FEATURES.replace("SCALE = 2.0", "SCALE = -3.0")).with_product)
    ws.register(second, "m", data=X, target=Y)
    for version, model in (("m/1", first), ("m/2", second)):
        assert (ws.predict(version, X)[1] == model.predict_proba(X)[:, 1]).all()
    assert ws.version("m/1").body["project_functions"] != ws.version("m/2").body["project_functions"]


def test_every_place_that_takes_a_function_takes_one_of_the_project(ws: Workspace, project: Path) -> None:
    features = imported(project, name="journeys.features")
    models = {
        "options": fitted(features.powers, kw_args={"exponent": 2}),
        "partial": fitted(partial(features.powers, exponent=0.5)),
        "selection": make_pipeline(SelectKBest(features.importance, k=1), LogisticRegression()).fit(X, Y),
        "names": fitted(
            features.scaled, feature_names_out="one-to-one", inverse_func=features.with_product, check_inverse=False
        ),
        "columns": make_pipeline(
            make_column_transformer((FunctionTransformer(features.scaled), ["legs"]), n_jobs=2), LogisticRegression()
        ).fit(X, Y),
    }
    for name, model in models.items():
        version = ws.register(model, name, data=X, target=Y)
        assert {f["file"] for f in version.body["project_functions"]} == {"code/project/journeys/features.py"}
        assert (ws.predict(f"{name}/1", X)[1] == model.predict_proba(X)[:, 1]).all(), name
    texts = pd.DataFrame({"route": ["JFK-LAX", "LAX-SFO", "JFK-SFO", "SFO-LAX"]})
    vectors = make_column_transformer((CountVectorizer(tokenizer=features.words, token_pattern=None), "route"))
    model = make_pipeline(vectors, LogisticRegression()).fit(texts, [0, 1, 0, 1])
    ws.register(model, "text", data=texts)
    assert (ws.predict("text/1", texts)[1] == model.predict_proba(texts)[:, 1]).all()


def test_a_loaded_version_is_registered_again_with_its_source(ws: Workspace, project: Path) -> None:
    model = fitted(imported(project).with_product)
    first = ws.register(model, "m", data=X, target=Y)
    (project / "features.py").write_text("def with_product(rows):\n    return rows\n")
    sys.modules.pop("features")
    again = ws.register(ws.load("m/1"), "again", data=X, target=Y)
    assert again.body["project_functions"] == first.body["project_functions"]
    assert (ws.predict("again/1", X)[1] == model.predict_proba(X)[:, 1]).all()


def test_the_requirements_name_what_the_kept_source_imports(ws: Workspace, project: Path) -> None:
    source = FEATURES + "\n\ndef later(rows):\n    import lightgbm\n\n    return rows\n"
    ws.register(fitted(imported(project, source).with_product), "m", data=X, target=Y)
    assert "lightgbm==" in (folder_of(ws, "m/1") / "requirements.txt").read_text()


def test_a_kept_file_that_was_touched_is_refused(ws: Workspace, project: Path) -> None:
    ws.register(fitted(imported(project).with_product), "m", data=X, target=Y)
    kept = folder_of(ws, "m/1") / "code/project/features.py"
    kept.write_text(FEATURES + "SCALE = 5.0\n")
    with pytest.raises(ArtifactChanged, match=r"code/project/features\.py"):
        ws.load("m/1")
    with pytest.raises(Exception, match=r"code/project/features\.py"):
        mlflow.pyfunc.load_model(str(folder_of(ws, "m/1")))


def test_files_that_are_not_on_record_with_functions_run_nothing(ws: Workspace, project: Path) -> None:
    """Neither a skops file alone, nor a copy of the folder that somebody puts into MLflow, runs the code beside it."""
    ws.register(fitted(imported(project).with_product), "m", data=X, target=Y)
    with pytest.raises(UnsafeArtifact, match=r"features\.with_product, a function of the project"):
        ws.register(folder_of(ws, "m/1") / "model.skops", "other", data=X, target=Y)
    kept = folder_of(ws, "m/1") / "code/project/features.py"
    kept.write_text("raise SystemExit('it ran')")
    with pytest.raises(UnsafeArtifact, match=r"features\.with_product, a function of the project"):
        read_model(folder_of(ws, "m/1"), "sklearn-skops")


UNKEEPABLE = {
    "a lambda": ("with_product = lambda rows: rows\n", "has no name to be found by"),
    "an inner function": (
        "def made():\n    def inner(rows):\n        return rows\n    return inner\n\n\nwith_product = made()\n",
        "is defined inside of another function or class",
    ),
    "a decorated function": (
        "import functools\n\n\ndef twice(f):\n    @functools.wraps(f)\n    def wrapper(rows):\n"
        "        return f(f(rows))\n    return wrapper\n\n\n@twice\ndef with_product(rows):\n    return rows\n",
        "holds values of the function or decorator that made it",
    ),
    "a module that imports another one": (
        "import numpy, settings_of_mine\n\n\ndef with_product(rows):\n    return rows\n",
        "is of features.py, which imports settings_of_mine, another module of the project: put what it needs of that",
    ),
    "a late import of another one": (
        "def with_product(rows):\n    from settings_of_mine import SCALE\n    return rows\n",
        "imports settings_of_mine, another module of the project",
    ),
    "an import that is not there yet": (
        "try:\n    import not_there_yet\nexcept ImportError:\n    pass\n\n\ndef with_product(rows):\n    return rows\n",
        "imports not_there_yet, another module of the project",
    ),
    "a computed import": (
        "import importlib\n\n\ndef with_product(rows):\n    return rows\n",
        "which imports by computed names (importlib)",
    ),
    "computed code": ("def with_product(rows):\n    return eval('rows')\n", "which runs code that it computes (eval)"),
    "a look at its own folder": (
        "HERE = __file__\n\n\ndef with_product(rows):\n    return rows\n",
        "asks where it lies",
    ),
    "text that runs backwards": (
        "def with_product(rows):\n    return rows  # \u202e\n",
        "is of features.py, which holds characters that no page shows",
    ),
    "more than a person reads": (
        "def with_product(rows):\n    return rows\n" + "# more\n" * 20_000,
        "bytes are more than a person reads",
    ),
    "a text that Python reads otherwise": (
        "# coding: utf-7\ndef with_product(rows):\n    word = '+AC0-'\n    return rows\n",
        "is of features.py, where with_product is another than in this process",
    ),
    "a line without an end": (
        "def with_product(rows):\n    return rows" + " " * 600 + "* 2\n",
        "which has a line that no reader sees the end of",
    ),
    "state that changes": (
        "CALLS = [0]\n\n\ndef with_product(rows):\n    CALLS[0] += 1\n    return rows\n",
        "is of features.py, where CALLS is another than in this process",
    ),
}


@pytest.mark.parametrize(("source", "reason"), UNKEEPABLE.values(), ids=UNKEEPABLE)
def test_what_cannot_be_kept_is_refused_in_one_sentence(ws: Workspace, project: Path, source: str, reason: str) -> None:
    imported(project, "SCALE = 2.0\n", "settings_of_mine")
    model = fitted(imported(project, source).with_product)
    with pytest.raises(UnsafeArtifact) as refused:
        ws.register(model, "m", data=X, target=Y)
    text = str(refused.value)
    assert text.startswith("model.steps[0][1].func is features.")
    assert reason in text
    assert text.endswith("or register it with unsafe=True (--unsafe), which marks it everywhere.")
    assert text.count(". ") == 0


def test_a_function_that_was_edited_after_it_was_imported_is_refused(ws: Workspace, project: Path) -> None:
    edits = {
        "with_product": ("clipped.prod(axis=1)", "clipped.sum(axis=1)"),
        "scaled": ("np.log1p(rows)", "np.sqrt(rows)"),
        "SCALE": ("SCALE = 2.0", "SCALE = 2.5"),
        "powers": ("rows, exponent", "rows, exponent=1"),
        "decorated": ("def decorated(rows):\n    return rows", "def decorated(rows):\n    return -rows"),
        "cached": ("number + 1", "number + 3"),
        "Scale": ("rows * 2", "rows * 4"),
        "TABLE": ("[1.0, np.nan]}", "[5.0, np.nan]}"),
        "ARRAY": ("np.array([1.0", "np.array([5.0"),
        "BOUNDS": ("(0, float", "(-1, float"),
    }
    for name, (old, new) in edits.items():
        model = fitted(imported(project).with_product)
        (project / "features.py").write_text(FEATURES.replace(old, new))
        with pytest.raises(UnsafeArtifact, match=f"where {name} is another than in this process: restart the kernel"):
            ws.register(model, "m", data=X, target=Y)


def test_a_function_of_a_notebook_is_refused_by_name(
    ws: Workspace, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = imported(project)
    monkeypatch.setattr(features.scaled, "__module__", "__main__")
    with pytest.raises(UnsafeArtifact, match=r"is __main__\.scaled, which is defined in a notebook or in the script"):
        ws.register(fitted(features.scaled), "m", data=X, target=Y)


def test_unsafe_takes_what_cannot_be_kept_and_leaves_no_source(ws: Workspace, project: Path) -> None:
    model = fitted(imported(project, UNKEEPABLE["a lambda"][0]).with_product)
    version = ws.register(model, "m", data=X, target=Y, unsafe=True)
    assert (version.body["unsafe"], version.body["project_functions"]) == (True, [])
    assert not (folder_of(ws, "m/1") / "code/project").exists()
