"""How a model of a library that has no format on the allow-list is put into one that is."""

from __future__ import annotations

from typing import Any

from ._library import comes_from

_RECIPES = {
    "torch": (
        "a PyTorch module, whose own files run code: export it as ONNX, then register that file: "
        'torch.onnx.export(model.eval(), (torch.zeros(1, len(X.columns)),), "model.onnx", input_names=["X"], '
        'dynamic_axes={"X": {0: "rows"}}, dynamo=False); ws.register("model.onnx", name, data=X)'
    ),
    "statsmodels": (
        "a statsmodels result, which has no format but pickle: give its coefficients to the linear model of "
        "scikit-learn that answers the same (for Logit, LogisticRegression): m = LinearRegression().fit(X, y); "
        'm.coef_, m.intercept_ = results.params[X.columns].to_numpy(), results.params["const"]; '
        "ws.register(m, name, data=X)"
    ),
}


def recipe(model: Any) -> str | None:
    """Return what a model is and the lines that make it one which can be registered; None where there are none."""
    return next((text for package, text in _RECIPES.items() if comes_from(model, package)), None)
