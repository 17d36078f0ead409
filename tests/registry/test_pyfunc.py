"""Stock MLflow loads every version: the same answers, bit for bit, and nothing that our own loader would refuse."""

import json
import math
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.pyfunc import PyFuncModel, scoring_server
from mlflow.types.schema import AnyType, DataType
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from test_formats import CASES, Case
from test_registry import TABLE

from modelops_jupyter.errors import ArtifactChanged, UnsafeArtifact
from modelops_jupyter.registry import DecisionTable, Registry, predict
from modelops_jupyter.registry.signatures import signature, write_examples
from modelops_jupyter.scoring import input_columns
from modelops_jupyter.scoring.manifest import MANIFEST, Manifest, write_manifest
from modelops_jupyter.scoring.mlflow_loader import ScoringModel
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

ROWS = 120
RANDOM = np.random.default_rng(0)
MIXED = pd.DataFrame(
    {
        "delay": np.where(np.arange(ROWS) % 7 == 0, np.nan, RANDOM.normal(size=ROWS)),
        "legs": RANDOM.integers(0, 5, ROWS),
        "carrier": pd.Series(RANDOM.choice(["AA", "UA", None], ROWS), dtype="str"),
        "night": RANDOM.random(ROWS) > 0.5,
    }
)
LATE = pd.Series(np.where(MIXED["legs"] > 2, "late", "on time"))


def a_pipeline() -> Any:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    words = make_pipeline(OneHotEncoder(handle_unknown="ignore"))
    columns = make_column_transformer((numbers, ["delay", "legs"]), (words, ["carrier", "night"]))
    return make_pipeline(columns, LogisticRegression()).fit(MIXED, LATE)


def double(rows: pd.DataFrame) -> pd.DataFrame:
    return rows * 2


def pipeline() -> Case:
    model = a_pipeline()
    return model, MIXED, LATE, model.predict(MIXED), None


def a_pickle() -> Case:
    rows = MIXED[["legs"]].astype("float64")
    model = make_pipeline(FunctionTransformer(double), LogisticRegression()).fit(rows, LATE)
    return model, rows, LATE, model.predict(rows), None


def decisions() -> Case:
    rows = pd.DataFrame({"probability": [0.2, 0.9, 0.5]})
    return DecisionTable.from_text(json.dumps(TABLE)), rows, None, None, None


EVERY = {**CASES, "pipeline": pipeline, "pickle": a_pickle, "decisions": decisions}


@pytest.fixture
def ws(settings: Settings) -> Iterator[Workspace]:
    """A workspace that MLflow's own functions are pointed at."""
    before = mlflow.get_tracking_uri()
    with Workspace(settings) as opened:
        mlflow.set_tracking_uri(opened.tracking_uri)
        yield opened
    mlflow.set_tracking_uri(before)


def folder_of(ws: Workspace, version: str) -> Path:
    digest = ws.version(version).body["digest"][:12]
    return next(folder for folder in ws.settings.artifacts_path.rglob(digest) if folder.is_dir())


def register(ws: Workspace, case: Case) -> tuple[Path, dict[str, bool], pd.DataFrame]:
    """Register a case as m/1; return its folder, the word it takes to load it, and its rows."""
    model, rows, target, *_ = case
    kind = "decision" if isinstance(model, DecisionTable) else "ml"
    unsafe = {"unsafe": True} if case[0].__class__.__name__ == "Pipeline" and "double" in repr(model) else {}
    ws.register(model, "m", data=rows, target=target, kind=kind, **unsafe)
    return folder_of(ws, "m/1"), unsafe, rows


def request(rows: pd.DataFrame, folder: Path, **more: Any) -> str:
    """Return rows as a request to a scoring server, as an input example is written."""
    write_examples(folder, rows)
    return json.dumps({**json.loads((folder / "serving_input_example.json").read_text()), **more})


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_every_format_answers_through_mlflow_as_through_the_workspace(
    ws: Workspace, make: Callable[[], Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, unsafe, rows = register(ws, make())
    if unsafe:
        monkeypatch.setenv("MODELOPS_ALLOW_UNSAFE", "1")
    prediction, score = ws.predict("m/1", rows, **unsafe)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        loaded = mlflow.pyfunc.load_model("models:/m/1")
    same(loaded.predict(rows), prediction)
    server = TestClient(scoring_server.init(loaded))
    asked = {"content": request(rows, tmp_path), "headers": {"Content-Type": "application/json"}}
    assert server.post("/invocations", **asked).json()["predictions"] == prediction.tolist()
    if score is not None and ws.version("m/1").body["task"] == "classification":
        method = {"response_method": "predict_proba"}
        same(loaded.predict(rows, params=method)[:, 1], score)
        asked["content"] = request(rows, tmp_path, params=method)
        probabilities = server.post("/invocations", **asked).json()["predictions"]
        assert [row[1] for row in probabilities] == score.tolist()
    assert type(loaded.get_raw_model()).__name__ == type(ws.load("m/1", **unsafe)).__name__
    assert loaded.input_example.shape == rows.head(5).shape
    same(ws.predict("m/1", rows, **unsafe)[0], prediction)  # MLflow has been in the folder meanwhile
    assert [file for file in folder.rglob("*") if "__pycache__" in file.name] == []


def same(answer: Any, expected: np.ndarray) -> None:
    assert np.asarray(answer).dtype == expected.dtype
    assert np.asarray(answer).tolist() == expected.tolist()


@pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
def test_the_librarys_own_flavor_is_there_where_it_has_one(ws: Workspace, make: Callable[[], Case]) -> None:
    folder, unsafe, rows = register(ws, make())
    flavors = {*Model.load(str(folder)).flavors} - {"python_function", "modelops"}
    kind = ws.version("m/1").body["flavor"].partition("-")[0]
    assert flavors == ({kind} if kind not in ("decision", "pickle") else set())
    for flavor in flavors:
        native = getattr(mlflow, flavor).load_model("models:/m/1")
        if flavor == "sklearn":
            same(native.predict(rows), ws.predict("m/1", rows, **unsafe)[0])
        elif flavor == "onnx":
            assert native.SerializeToString() == (folder / "model.onnx").read_bytes()
        else:
            assert type(native).__module__.startswith(flavor)
    assert Model.load(str(folder)).flavors["modelops"]["format"] == ws.version("m/1").body["flavor"]


def test_scores_are_asked_for_in_scikit_learns_words(ws: Workspace) -> None:
    register(ws, pipeline())
    loaded = mlflow.pyfunc.load_model("models:/m/1")
    with pytest.raises(MlflowException, match="response_method is predict or predict_proba, not 'proba'"):
        loaded.predict(MIXED, params={"response_method": "proba"})
    ws.register(DecisionTable.from_text(json.dumps(TABLE)), "t", data=decisions()[1], kind="decision")
    assert Model.load(str(folder_of(ws, "t/1"))).get_params_schema() is None


def test_columns_that_lack_values_may_be_left_out(ws: Workspace) -> None:
    reference = MIXED.assign(legs=MIXED["legs"].astype("float64").where(MIXED.index != 3))
    ws.register(a_pipeline(), "m", data=MIXED, target=LATE, reference=(reference, LATE))
    loaded = mlflow.pyfunc.load_model("models:/m/1")
    schema = loaded.metadata.get_input_schema()
    assert {column.name: column.required for column in schema} == {
        "delay": False,
        "legs": False,  # it is complete in the training data, not in the reference
        "carrier": False,
        "night": True,
    }
    for rows in (MIXED, reference):
        same(loaded.predict(rows), ws.predict("m/1", rows)[0])
    missing = MIXED.assign(delay=np.nan, carrier=pd.Series([None] * ROWS, dtype="str"))
    same(loaded.predict(MIXED[["legs", "night"]]), ws.predict("m/1", missing)[0])
    with pytest.raises(MlflowException, match="night"):
        loaded.predict(MIXED.drop(columns="night"))


def test_only_the_models_own_columns_are_asked_for(ws: Workspace) -> None:
    with ws.registry.draft(a_pipeline(), data=MIXED.assign(row=range(ROWS))[["row", *MIXED.columns[::-1]]]) as draft:
        assert Model.load(str(draft.folder)).get_input_schema().input_names() == list(MIXED.columns)


def test_a_model_without_signature_takes_tables_and_matrices(ws: Workspace) -> None:
    numbers = pd.DataFrame(RANDOM.normal(size=(30, 2)), columns=["a", "b"])
    ws.register(LogisticRegression().fit(numbers, numbers["a"] > 0), "m")
    loaded = mlflow.pyfunc.load_model("models:/m/1")
    expected = ws.predict("m/1", numbers)[0]
    for rows in (numbers, numbers.to_numpy(), numbers.to_dict("list"), numbers[["b", "a"]]):
        same(loaded.predict(rows), expected)
    with pytest.raises(MlflowException, match="no column 'b', which the model was fitted on"):
        loaded.predict(numbers[["a"]])


def test_columns_whose_names_are_no_text_are_known_by_their_order(ws: Workspace) -> None:
    numbers = pd.DataFrame(RANDOM.normal(size=(30, 2)))
    with ws.registry.draft(LogisticRegression().fit(numbers, numbers[0] > 0), data=numbers) as draft:
        loaded = mlflow.pyfunc.load_model(str(draft.folder))
        same(loaded.predict(numbers), predict(draft.model, numbers).prediction)


class Recorder(BaseEstimator):
    """A model that keeps the rows it was asked about."""

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        self.rows = rows
        return np.zeros(len(rows))


def missing(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), values)


WORDS, WHOLE = st.text("abß ", max_size=3), st.integers(-100, 100)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
TIMES = st.datetimes(pd.Timestamp("1990-01-01").to_pydatetime(), pd.Timestamp("2040-01-01").to_pydatetime())
# Every kind of column that pandas has a dtype for, with the values that it holds.
KINDS: Mapping[str, st.SearchStrategy[Any]] = {
    "int64": WHOLE,
    "int8": WHOLE,
    "uint16": st.integers(0, 100),
    "uint64": st.integers(0, 2**63),
    "float64": missing(NUMBERS),
    "float32": missing(NUMBERS),
    "bool": st.booleans(),
    "str": missing(WORDS),
    "object": missing(WORDS),
    "string": missing(WORDS),
    "category": missing(WORDS),
    "category of numbers": missing(WHOLE),
    "Int64": missing(WHOLE),
    "boolean": missing(st.booleans()),
    "Float64": missing(NUMBERS),
    "int64[pyarrow]": missing(WHOLE),
    "double[pyarrow]": missing(NUMBERS),
    "bool[pyarrow]": missing(st.booleans()),
    "timestamp[us][pyarrow]": missing(TIMES),
    "datetime64[ns]": missing(TIMES),
    "datetime64[us]": missing(TIMES),
    "datetime64[s]": missing(TIMES.map(lambda moment: moment.replace(microsecond=0))),
    "datetime64[us, Europe/Berlin]": missing(TIMES),
}


def column(kind: str, values: list[Any]) -> pd.Series:
    if kind.startswith("category"):
        return pd.Series(values, dtype="category")
    if kind.endswith("Berlin]"):
        return pd.Series(pd.to_datetime(pd.Series(values, dtype=object), utc=True)).astype(kind)
    return pd.Series(values, dtype=kind)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 6))
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=6))
    lists = [draw(st.lists(KINDS[kind], min_size=rows, max_size=rows)) for kind in kinds]
    return pd.DataFrame({f"c{n} {kind}": column(kind, v) for n, (kind, v) in enumerate(zip(kinds, lists, strict=True))})


@given(tables())
@hypothesis_settings(max_examples=60)
def test_a_model_sees_through_mlflow_the_very_columns_that_it_was_fitted_on(
    tmp_path_factory: pytest.TempPathFactory, rows: pd.DataFrame
) -> None:
    recorder = Recorder()
    columns = input_columns.describe([rows])
    description = Model(signature=signature(recorder, [rows], columns, np.zeros(len(rows))))
    own = ScoringModel(recorder, Manifest("any", tuple(columns), {}))
    wrapped = PyFuncModel(model_meta=description, model_impl=own)
    wrapped.predict(rows)
    pd.testing.assert_frame_equal(recorder.rows, rows)

    parsed = scoring_server._parse_json_data(
        request(rows, tmp_path_factory.mktemp("request")), description, description.get_input_schema()
    )
    wrapped.predict(parsed.data)
    pd.testing.assert_frame_equal(recorder.rows, rows)


def test_mlflows_own_types_are_declared_where_it_lets_the_values_through() -> None:
    rows = pd.DataFrame(
        {
            "whole": [1, 2],
            "number": [1.5, math.nan],
            "word": ["a", None],
            "truth": [True, False],
            "day": pd.to_datetime(["2026-01-01", "2026-01-02"]),
            "kind": pd.Series(["a", "b"], dtype="category"),
            "zoned": pd.to_datetime(["2026-01-01", "2026-01-02"], utc=True),
            "gaps": pd.Series([1, None], dtype="Int64"),
        }
    )
    declared = signature(Recorder(), [rows], input_columns.describe([rows]), np.zeros(2)).inputs
    assert [column.type for column in declared] == [
        DataType.long,
        DataType.double,
        DataType.string,
        DataType.boolean,
        DataType.datetime,
        AnyType(),
        AnyType(),
        AnyType(),
    ]


def test_an_unsafe_version_is_loaded_by_mlflow_only_where_that_was_allowed(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(ws, a_pickle())
    monkeypatch.delenv("MODELOPS_ALLOW_UNSAFE", raising=False)
    with pytest.raises(Exception, match="MODELOPS_ALLOW_UNSAFE=1 if you trust it"):
        mlflow.pyfunc.load_model("models:/m/1")
    monkeypatch.setenv("MODELOPS_ALLOW_UNSAFE", "1")
    assert mlflow.pyfunc.load_model("models:/m/1")
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    with pytest.raises(Exception, match="MLFLOW_ALLOW_PICKLE_DESERIALIZATION is false"):
        mlflow.pyfunc.load_model("models:/m/1")


def test_where_pickles_are_forbidden_safe_versions_are_loaded_all_the_same(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(ws, pipeline())
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    same(mlflow.pyfunc.load_model("models:/m/1").predict(MIXED), ws.predict("m/1", MIXED)[0])


ALONE = """
import sys
sys.modules["modelops_jupyter"] = None  # importing it fails
import json, mlflow.pyfunc, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
print(json.dumps(model.predict(pd.read_parquet(sys.argv[2])).tolist()))
assert not [name for name in sys.modules if name.startswith("modelops_jupyter.")]
"""


def test_a_version_is_loaded_where_the_package_is_not_installed(ws: Workspace, tmp_path: Path) -> None:
    folder, _, rows = register(ws, pipeline())
    rows.to_parquet(tmp_path / "rows.parquet")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-W", "ignore", "-c", ALONE, str(folder), str(tmp_path / "rows.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == ws.predict("m/1", rows)[0].tolist()


def test_two_releases_in_one_process_do_not_meet(ws: Workspace, tmp_path: Path, monkeypatch: Any) -> None:
    from modelops_jupyter.registry import scoring_copy

    first = scoring_copy.scoring_copy()
    monkeypatch.setattr(scoring_copy, "__version__", "99")
    second = scoring_copy.scoring_copy.__wrapped__()
    assert first.package != second.package
    assert scoring_copy.scoring_copy.__wrapped__().archive == second.archive


@pytest.mark.parametrize("unsafe", [False, True], ids=["skops", "pickle"])
def test_the_requirements_name_what_the_model_is_made_of(ws: Workspace, unsafe: bool) -> None:
    import lightgbm

    rows = MIXED[["legs", "delay"]]
    first = [FunctionTransformer(double)] if unsafe else []
    model = make_pipeline(*first, SimpleImputer(), lightgbm.LGBMClassifier(n_estimators=2, verbose=-1)).fit(rows, LATE)
    ws.register(model, "m", data=rows, unsafe=unsafe)
    assert ws.version("m/1").body["unsafe"] == unsafe
    pins = (folder_of(ws, "m/1") / "requirements.txt").read_text().split()
    names = {pin.partition("==")[0]: pin.partition("==")[2] for pin in pins}
    own = "cloudpickle" if unsafe else "skops"
    assert {"mlflow", "numpy", "pandas", "scikit-learn", "scipy", "lightgbm", own} <= {*names}
    assert "modelops-jupyter" not in names
    assert names["lightgbm"] == lightgbm.__version__
    assert all(names.values())


def test_a_manifest_of_its_own_making_opens_no_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from modelops_jupyter.scoring.mlflow_loader import _load_pyfunc

    monkeypatch.delenv("MODELOPS_ALLOW_UNSAFE", raising=False)
    (tmp_path / "model.pkl").write_bytes(b"cos\nsystem\n(S'touch hacked'\ntR.")
    for format, sentence in (("pickle", "MODELOPS_ALLOW_UNSAFE"), ("os", "not on the allow-list")):
        (tmp_path / MANIFEST).unlink(missing_ok=True)
        write_manifest(tmp_path, format=format, safe=True, columns=[])
        with pytest.raises(UnsafeArtifact, match=sentence):
            _load_pyfunc(str(tmp_path))
    (tmp_path / MANIFEST).write_text("{}")
    with pytest.raises(ArtifactChanged, match="no modelops_manifest"):
        _load_pyfunc(str(tmp_path))
    assert not Path("hacked").exists()


def test_our_own_loader_reads_neither_loader_nor_code_from_a_version(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, *_ = register(ws, pipeline())
    before = list(sys.path)
    Registry(ws.settings).load(ws.version("m/1").body)
    assert sys.path == before
    assert folder.name not in " ".join(str(getattr(m, "__file__", "")) for m in list(sys.modules.values()))
