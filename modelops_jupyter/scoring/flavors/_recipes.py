"""How a model of a library that has no format on the allow-list is put into one that is."""

from __future__ import annotations

from typing import Any

from ._library import comes_from

# Lines for the user's notebook, where `ws`, `name`, and training rows `X` with labels `y` are what they say.
TORCH_LINES = (
    'torch.onnx.export(model.eval(), (torch.zeros(1, len(X.columns)),), "model.onnx", input_names=["X"], '
    'dynamic_axes={"X": {0: "rows"}}, dynamo=False); ws.register("model.onnx", name, data=X)'
)
# Estimators of scikit-learn that answer as a statsmodels result does, by its model or by its family and link.
_LINEAR, _LOGISTIC, _POISSON, _GAMMA = "LinearRegression", "LogisticRegression", "PoissonRegressor", "GammaRegressor"
_EQUALS = {
    "OLS": _LINEAR,
    "WLS": _LINEAR,
    "GLS": _LINEAR,
    "GLSAR": _LINEAR,
    "QuantReg": _LINEAR,
    "RLM": _LINEAR,
    "Logit": _LOGISTIC,
    "Poisson": _POISSON,
    ("Gaussian", "Identity"): _LINEAR,
    ("Binomial", "Logit"): _LOGISTIC,
    ("Poisson", "Log"): _POISSON,
    ("Gamma", "Log"): _GAMMA,
}


def recipe(model: Any) -> str | None:
    """Return what a model is and the lines that make it one which can be registered; None where there are none."""
    if comes_from(model, "torch"):
        return (
            "a PyTorch module, whose own files run code: export it as ONNX, then register that file (a TorchScript "
            f"module too): {TORCH_LINES}"
        )
    if comes_from(model, "statsmodels"):
        lines = statsmodels_lines(model)
        begin = "a statsmodels result, which has no format but pickle"
        if lines is None:
            return f"{begin} and no estimator of scikit-learn that answers the same"
        return f"{begin}: give its coefficients to the estimator of scikit-learn that answers the same: {lines}"
    return None


def statsmodels_lines(results: Any) -> str | None:
    """Return the lines that make an estimator of a statsmodels result; None where scikit-learn has no such model."""
    fitted = getattr(results, "model", None)
    family = getattr(fitted, "family", None)
    key = type(fitted).__name__ if family is None else (type(family).__name__, type(family.link).__name__)
    estimator = _EQUALS.get(key)
    if estimator is None:
        return None
    rows, constant = ("[None]", "[constant]") if estimator == _LOGISTIC else ("", "constant")
    labels = "y.clip(lower=1e-9)" if estimator == _GAMMA else "y"
    return (
        f"from sklearn.linear_model import {estimator}; m = {estimator}().fit(X, {labels}); p = results.params; "
        'constant = p.get("const", p.get("Intercept", 0.0)); '
        f"m.coef_, m.intercept_ = p[X.columns].to_numpy(){rows}, np.array({constant}); ws.register(m, name, data=X)"
    )
