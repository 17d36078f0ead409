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
_CONSTANTS = ("const", "Intercept")
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
            return f"{begin}, and scikit-learn has no estimator that answers the same from its columns alone"
        return f"{begin}: give its coefficients to the estimator of scikit-learn that answers the same: {lines}"
    return None


def statsmodels_lines(results: Any) -> str | None:
    """Return the lines that make an estimator of a statsmodels result; None where scikit-learn has no such model."""
    fitted = getattr(results, "model", None)
    if not _is_plain(fitted, results):
        return None
    family = getattr(fitted, "family", None)
    key = type(fitted).__name__ if family is None else (type(family).__name__, type(family.link).__name__)
    estimator = _EQUALS.get(key)
    if estimator is None:
        return None
    rows, constant = ("[None]", "[constant]") if estimator == _LOGISTIC else ("", "constant")
    labels = "y.clip(lower=1e-9)" if estimator == _GAMMA else "y"
    return (
        f"from sklearn.linear_model import {estimator}; p = results.params; "
        f"slopes = p.drop({list(_CONSTANTS)}, errors='ignore'); Z = X[slopes.index]; "
        f"constant = p.drop(slopes.index).sum(); m = {estimator}().fit(Z, {labels}); "
        f"m.coef_, m.intercept_ = slopes.to_numpy(){rows}, np.array({constant}); ws.register(m, name, data=Z)"
    )


def _is_plain(fitted: Any, results: Any) -> bool:
    """Return whether a model is linear in columns of its table alone: no terms of a formula, no offset or exposure."""
    names = getattr(getattr(results, "params", None), "index", None)
    data = getattr(fitted, "data", None)
    if names is None or data is None:  # fitted on arrays: nothing says which column a coefficient is of
        return False
    table = getattr(data, "frame", None)
    columns = getattr(data.orig_exog if table is None else table, "columns", ())
    given = (getattr(fitted, word, None) for word in ("offset", "exposure", "_offset_exposure"))
    shifted = any(value is not None and bool(abs(value).max() if hasattr(value, "max") else value) for value in given)
    return not shifted and all(name in _CONSTANTS or name in columns for name in names)
