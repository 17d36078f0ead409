"""Functions of the user's project in a model: kept with their source, run from there, shown to who approves."""

import hashlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from modelops_jupyter.errors import ArtifactChanged, GateClosed, UnsafeArtifact
from modelops_jupyter.scoring.formats import read_model
from modelops_jupyter.settings import Settings
from modelops_jupyter.store import Change, Put
from modelops_jupyter.workspace import Workspace

RANDOM = np.random.default_rng(7)
X = pd.DataFrame({"distance": RANDOM.uniform(1, 100, 80), "legs": RANDOM.integers(1, 5, 80).astype(float)})
Y = pd.Series((X["distance"] * X["legs"] > 120).astype(int))
VALIDATION = X * 0.9 + 1
OUTCOMES = pd.Series((VALIDATION["distance"] * VALIDATION["legs"] > 120).astype(int))
FEATURES = '''"""Features of flights."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd

SCALE = 2.0


@dataclass(frozen=True)
class Span:
    low: float
    high: float


SPAN = Span(0.0, 1e9)


def with_product(rows):
    """Add the product of all columns."""
    clipped = rows.clip(SPAN.low, SPAN.high)
    return np.column_stack([scaled(clipped), clipped.prod(axis=1)])


def scaled(rows):
    return np.log1p(rows) * SCALE


def powers(rows, exponent):
    return np.asarray(rows) ** exponent


def importance(rows, target):
    return np.abs(np.corrcoef(np.asarray(rows).T, target)[-1, :-1])


def words(text):
    return text.lower().split("-")


def doubling(function):
    @functools.wraps(function)
    def wrapper(rows, *, factor=2):
        return wrapper.factor * function(rows) if hasattr(wrapper, "factor") else factor * function(rows)

    return wrapper


@doubling
def decorated(rows):
    return rows


@functools.cache
def cached(number):
    return number + 1


class Scale:
    @property
    def factor(self):
        return 2

    @staticmethod
    def twice(rows):
        return rows * 2


TABLE = pd.DataFrame({"a": [1.0, np.nan]})
ARRAY = np.array([1.0, np.nan])
BOUNDS = {"low": (0, float("nan")), "high": {1, 2}}
'''


@pytest.fixture
def project(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The project's folder, whose modules can be imported; afterwards they are forgotten."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(settings.project))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield settings.project
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(settings.project)):
            del sys.modules[name]


@pytest.fixture
def ws(settings: Settings) -> Iterator[Workspace]:
    with Workspace(settings) as opened:
        yield opened


def imported(project: Path, source: str = FEATURES, name: str = "features") -> Any:
    """Write a module of the project and import it."""
    file = project / f"{name.replace('.', '/')}.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
    return importlib.import_module(name)


def fitted(function: Any, **options: Any) -> Any:
    return make_pipeline(FunctionTransformer(function, **options), StandardScaler(), LogisticRegression()).fit(X, Y)


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


def test_who_approves_sees_the_functions_and_their_source(ws: Workspace, project: Path) -> None:
    source = FEATURES + "TICKS = '```` <b>'\n"
    features = imported(project, source)
    ws.register(fitted(features.with_product), "m", data=X, target=Y, reference=VALIDATION, outcomes=OUTCOMES)
    digest = hashlib.sha256(source.encode()).hexdigest()
    place = f"code/project/features.py, SHA-256 {digest}"

    version = ws.version("m/1")
    assert f"calls: features.with_product ({place})" in str(version)
    assert ws.versions("m").rows[0]["calls"] == "features.with_product"
    assert "calls" in ws.versions("m").columns

    gate = ws.check("m/1")
    assert gate.project_code == {"code/project/features.py": source}
    check = next(check for check in gate.checks if check.name == "project code")
    assert check.passed
    assert (
        f"calls features.with_product of the project it was made in (code/project/features.py, SHA-256 {digest[:12]})"
        in (check.message)
    )
    assert "`modelops card m/1`" in check.message

    card = ws.card("m/1")
    assert card.to_dict()["code"] == {"code/project/features.py": source}
    assert f"- **Calls features.with_product of the project**: {place}" in card.to_markdown()
    assert f"\n`````python\n{source}`````" in card.to_markdown()
    for shown in (version, gate, card):
        page = shown._repr_mimebundle_()["text/html"]
        assert "def with_product(rows):" in page
        assert "&#x27;```` &lt;b&gt;&#x27;" in page

    ws.approve("m/1", reason="read it")
    ws.promote("m/1", "champion", reason="better")
    assert ws.board().serving[0]["calls"] == "features.with_product"
    registered = next(row for row in ws.audit().rows if row["action"] == "register")
    assert [f["sha256"] for f in registered["details"]["project_functions"]] == [digest]


def test_an_approval_stands_for_the_source_that_was_read(ws: Workspace, project: Path) -> None:
    ws.register(fitted(imported(project).with_product), "m", data=X, target=Y, reference=VALIDATION, outcomes=OUTCOMES)
    ws.approve("m/1", reason="read it")
    changed = imported(project, FEATURES.replace("SCALE = 2.0", "SCALE = 3.0"))
    ws.register(fitted(changed.with_product), "m", data=X, target=Y, reference=VALIDATION, outcomes=OUTCOMES)
    assert ws.check("m/1").passed, str(ws.check("m/1"))
    assert not ws.check("m/2").passed
    with pytest.raises(GateClosed, match="0 of 1 approvals"):
        ws.promote("m/2", "champion", reason="better")


def test_a_policy_forbids_it(ws: Workspace, project: Path) -> None:
    (project / "policy.toml").write_text("[champion]\nrequire_measured = false\nallow_project_code = false\n")
    ws.register(fitted(imported(project).with_product), "m", data=X, target=Y)
    plain = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    ws.register(plain, "m", data=X, target=Y)
    with Workspace(replace(ws.settings, policy=project / "policy.toml")) as strict:
        with pytest.raises(GateClosed, match="which the policy forbids; read the source"):
            strict.promote("m/1", "champion", reason="better")
        strict.promote("m/2", "champion", reason="better")


def test_a_text_that_is_not_what_runs_closes_the_gate(ws: Workspace, project: Path) -> None:
    ws.register(fitted(imported(project).with_product), "m", data=X, target=Y)
    record = ws.store.get("version", "m/000001")
    assert record is not None
    body = {**record.body, "project_code": {"code/project/features.py": "def with_product(rows): ...\n"}}
    ws.store.commit(Change(puts=(Put("version", record.key, body, subject="m"),)))
    assert "is not what the version runs" in str(ws.check("m/1"))
    assert "is not what the version runs" in str(ws.card("m/1"))


def test_a_copy_in_mlflow_is_adopted_as_unsafe(ws: Workspace, project: Path) -> None:
    """What MLflow was given is on no record of ours: its code runs with `unsafe` alone."""
    model = fitted(imported(project).with_product)
    ws.register(model, "m", data=X, target=Y)
    ws.registry.client.copy_model_version("models:/m/1", "copy")
    ws.adopt("copy")
    assert ws.version("copy/1").body["unsafe"]
    with pytest.raises(UnsafeArtifact, match="runs code when it is loaded"):
        ws.predict("copy/1", X)
    assert (ws.predict("copy/1", X, unsafe=True)[0] == model.predict(X)).all()
