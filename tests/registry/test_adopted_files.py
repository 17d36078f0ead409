"""Files of adopted versions: what they say of themselves does not count, and what cannot be read is one sentence."""

import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import mlflow.lightgbm
import mlflow.onnx
import mlflow.xgboost
import pandas as pd
import pytest
import skops.io
import yaml
from stock import X, Y, log, register, tracking

from modelops_jupyter.errors import ArtifactChanged, InvalidInput, UnsafeArtifact
from modelops_jupyter.registry import stock as stock_files
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

pytestmark = pytest.mark.slow


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
