"""The lines that a refusal gives make a model that is registered, and answers what the refused one answers."""

import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelops_jupyter.errors import ModelOpsError
from modelops_jupyter.scoring.flavors._recipes import TORCH_LINES, statsmodels_lines
from modelops_jupyter.settings import Settings
from modelops_jupyter.workspace import Workspace

api = pytest.importorskip("statsmodels.api")
RANDOM = np.random.default_rng(0)
X = pd.DataFrame(RANDOM.normal(size=(300, 3)), columns=["a", "b", "c"])
CLASSES = (X["a"] + RANDOM.normal(size=300) > 0).astype(int)
VALUES = 2 * X["a"] - X["b"] + RANDOM.normal(size=300) + 1
COUNTS = pd.Series(RANDOM.poisson(np.exp(0.3 * X["a"])))
POSITIVE = pd.Series(RANDOM.gamma(2, np.exp(0.2 * X["b"]) / 2))
FAMILIES = api.families
IN_A_NEW_PROCESS = """
import sys, pandas as pd, modelops_jupyter as mo
prediction, score = mo.open(sys.argv[1]).predict("m/1", pd.read_parquet(sys.argv[2]))
pd.DataFrame({"answer": prediction if score is None else score}).to_parquet(sys.argv[3])
"""


def fitted(kind: str, constant: bool) -> tuple[Any, pd.Series]:
    rows = api.add_constant(X) if constant else X
    match kind:
        case "OLS" | "GLS" | "RLM":
            return getattr(api, kind)(VALUES, rows).fit(), VALUES
        case "WLS":
            return api.WLS(VALUES, rows, weights=np.linspace(1, 2, 300)).fit(), VALUES
        case "Logit":
            return api.Logit(CLASSES, rows).fit(disp=0), CLASSES
        case "Poisson":
            return api.Poisson(COUNTS, rows).fit(disp=0), COUNTS
        case "Binomial":
            return api.GLM(CLASSES, rows, family=FAMILIES.Binomial()).fit(), CLASSES
        case "Gaussian":
            return api.GLM(VALUES, rows, family=FAMILIES.Gaussian()).fit(), VALUES
        case "Gamma":
            return api.GLM(POSITIVE, rows, family=FAMILIES.Gamma(FAMILIES.links.Log())).fit(), POSITIVE
        case _:
            return api.GLM(COUNTS, rows, family=FAMILIES.Poisson()).fit(), COUNTS


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize(
    "kind",
    ["OLS", "WLS", "GLS", "RLM", "Logit", "Poisson", "Binomial", "Gaussian", "Gamma", "GLM Poisson"],
)
def test_a_statsmodels_result_becomes_an_estimator(settings: Settings, kind: str, constant: bool) -> None:
    results, labels = fitted(kind, constant)
    with Workspace(settings) as ws:
        with pytest.raises(ModelOpsError) as refused:
            ws.register(results, "m", data=X, target=labels)
        lines = statsmodels_lines(results)
        assert lines is not None
        assert lines in str(refused.value)
        exec(lines, {"ws": ws, "name": "m", "X": X, "y": labels, "results": results, "np": np})
        prediction, score = ws.predict("m/1", X)
        expected = results.predict(api.add_constant(X) if constant else X)
        assert np.allclose(prediction if score is None else score, expected, rtol=1e-9)


@pytest.mark.parametrize("kind", ["OLS", "Logit", "Poisson"])
def test_a_table_that_has_the_constant_gives_it_once(settings: Settings, kind: str) -> None:
    results, labels = fitted(kind, True)
    rows = api.add_constant(X)
    with Workspace(settings) as ws:
        exec(
            str(statsmodels_lines(results)),
            {"ws": ws, "name": "m", "X": rows, "y": labels, "results": results, "np": np},
        )
        prediction, score = ws.predict("m/1", rows)
        assert np.allclose(prediction if score is None else score, results.predict(rows), rtol=1e-9)


def test_formulas_of_columns_have_lines_and_those_with_terms_have_none(settings: Settings) -> None:
    formulas = pytest.importorskip("statsmodels.formula.api")
    table = X.assign(y=VALUES)
    results = formulas.ols("y ~ c + a", table).fit()
    with Workspace(settings) as ws:
        exec(
            str(statsmodels_lines(results)),
            {"ws": ws, "name": "m", "X": table, "y": VALUES, "results": results, "np": np},
        )
        assert np.allclose(ws.predict("m/1", table)[0], results.predict(table), rtol=1e-9)
    for formula in ("y ~ a * b", "y ~ I(a ** 2)", "y ~ np.exp(a)"):
        assert statsmodels_lines(formulas.ols(formula, table).fit()) is None
    shifted = api.GLM(COUNTS, X, family=FAMILIES.Poisson(), offset=np.ones(300)).fit()
    exposed = api.Poisson(COUNTS, X, exposure=np.full(300, 2.0)).fit(disp=0)
    on_arrays = api.OLS(VALUES.to_numpy(), X.to_numpy()).fit()
    assert [statsmodels_lines(each) for each in (shifted, exposed, on_arrays)] == [None] * 3


def test_it_answers_the_same_in_another_process(settings: Settings) -> None:
    results, labels = fitted("Logit", True)
    with Workspace(settings) as ws:
        exec(
            str(statsmodels_lines(results)), {"ws": ws, "name": "m", "X": X, "y": labels, "results": results, "np": np}
        )
    rows, answers = settings.project / "rows.parquet", settings.project / "answers.parquet"
    X.to_parquet(rows)
    arguments = [sys.executable, "-c", IN_A_NEW_PROCESS, str(settings.project), str(rows), str(answers)]
    subprocess.run(arguments, check=True, timeout=120)
    assert np.allclose(pd.read_parquet(answers)["answer"], results.predict(api.add_constant(X)), rtol=1e-9)


def test_a_result_without_an_equal_is_said_to_have_none(settings: Settings) -> None:
    probit = api.Probit(CLASSES, X).fit(disp=0)
    with Workspace(settings) as ws, pytest.raises(ModelOpsError, match="scikit-learn has no estimator that answers"):
        ws.register(probit, "m", data=X, target=CLASSES)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("scripted", [False, True], ids=["module", "TorchScript"])
def test_a_torch_module_becomes_a_file_of_onnx(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, scripted: bool
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(settings.project)
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1)).eval()
    model = torch.jit.script(module) if scripted else module
    with Workspace(settings) as ws:
        with pytest.raises(ModelOpsError) as refused:
            ws.register(model, "m", data=X, target=VALUES)
        assert TORCH_LINES in str(refused.value)
        exec(TORCH_LINES, {"ws": ws, "name": "m", "X": X, "model": model, "torch": torch})
        expected = module(torch.tensor(X.to_numpy("float32"))).detach().numpy().ravel()
        assert np.allclose(ws.predict("m/1", X)[0], expected, atol=1e-5)
