"""How much a model rests on each feature, found once, at registration, and kept with the version."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from modelops_jupyter.frames import outcomes
from modelops_jupyter.scoring.flavors.decision import DecisionTable
from modelops_jupyter.scoring.formats import adapt
from modelops_jupyter.scoring.predictions import predict

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SAMPLE_ROWS = 1000
MOST_COLUMNS = 300  # permuting costs a prediction of the sample per column
REPEATS = 2


@dataclass(frozen=True)
class Importance:
    """Each feature's share of all importance.

    Attributes
    ----------
    source : str
        Where it is from: ``coef_`` (size of a coefficient times its feature's standard deviation),
        ``feature_importances_`` (the model's own), or ``permutation``: the rise of the loss (squared error of the
        score, else share of errors) on at most 1,000 rows of the reference when one column is shuffled (Breiman 2001);
        without labels against the model's own answers.
    shares : mapping of str to float
        They sum to 1; empty, with a `reason`, where nothing can be said.
    """

    source: str
    shares: dict[str, float]
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return asdict(self)


def feature_importance(
    model: Any, frame: pd.DataFrame, labels: pd.Series[Any] | None, task: str, positive: str | None
) -> Importance:
    """Return what a fitted model rests on.

    Parameters
    ----------
    model
        A fitted model, or a decision table.
    frame : DataFrame of shape (n, k)
        Rows of the reference, with the model's columns.
    labels : Series of shape (n,), optional
        Outcomes of those rows, as `outcomes` gives them.
    positive
        The class that the score is the probability of, where there are two.
    """
    estimator = adapt(model)
    names = [str(name) for name in frame.columns]
    known = getattr(estimator, "feature_names_in_", None)  # an ONNX file may name none
    fitted = names if known is None else [str(name) for name in known]
    own = getattr(estimator, "feature_importances_", None)
    if own is not None and len(own) == len(fitted):
        return _shares("feature_importances_", dict(zip(fitted, map(float, own), strict=True)))
    sizes = _coefficients(estimator, frame, fitted)
    if sizes is not None:
        return _shares("coef_", sizes)
    if len(names) > MOST_COLUMNS:
        return Importance("permutation", {}, f"{len(names)} columns: up to {MOST_COLUMNS} are tried one by one")
    return _shares("permutation", _permuted(model, frame, labels, task, positive))


def _coefficients(estimator: Any, frame: pd.DataFrame, fitted: list[str]) -> dict[str, float] | None:
    import numpy as np

    found = getattr(estimator, "coef_", None)
    if not isinstance(found, np.ndarray) or found.shape[-1] != len(fitted) or not set(fitted) <= set(frame.columns):
        return None
    sizes = np.abs(np.atleast_2d(found)).mean(axis=0)
    spread = frame[fitted].astype("float64").std(ddof=0).fillna(0.0).to_numpy()
    return {name: float(size) for name, size in zip(fitted, sizes * spread, strict=True)}


def _permuted(
    model: Any, frame: pd.DataFrame, labels: pd.Series[Any] | None, task: str, positive: str | None
) -> dict[str, float]:
    import numpy as np

    generator = np.random.default_rng(0)
    known = np.arange(len(frame)) if labels is None else np.flatnonzero(labels.notna().to_numpy())
    if not len(known):
        known, labels = np.arange(len(frame)), None
    rows = np.sort(generator.permutation(known)[:SAMPLE_ROWS])
    sample = frame.iloc[rows].reset_index(drop=True)

    def answers(table: pd.DataFrame) -> np.ndarray[Any, Any]:
        if isinstance(model, DecisionTable):  # of shuffled rows there may be some that no rule decides
            return _plain(model.decide(table)[model.decision].to_numpy(), task)
        said = predict(model, table)
        return said.score if said.score is not None else _plain(said.prediction, task)

    before = answers(sample)
    truth = before if labels is None else labels.iloc[rows].to_numpy()
    if labels is not None and before.dtype.kind == "f" and task != "regression":
        truth = (truth == positive).astype("float64")

    def loss(said: np.ndarray[Any, Any]) -> float:
        return float(np.mean((said - truth) ** 2 if said.dtype.kind == "f" else said != truth))

    expected = loss(before)
    rises = {}
    for name in sample.columns:
        orders = (generator.permutation(len(sample)) for _ in range(REPEATS))
        losses = [loss(answers(_shuffled(sample, name, order))) for order in orders]
        rises[str(name)] = float(np.mean(losses)) - expected
    return rises


def _shuffled(sample: pd.DataFrame, name: Any, order: np.ndarray[Any, Any]) -> pd.DataFrame:
    """Return rows with the values of one column in another order; its name and type stay, categories included."""
    shuffled = sample.copy(deep=False)
    shuffled[name] = sample[name].iloc[order].reset_index(drop=True)
    return shuffled


def _plain(prediction: np.ndarray[Any, Any], task: str) -> np.ndarray[Any, Any]:
    import numpy as np
    import pandas as pd

    return np.asarray(
        outcomes(pd.Series(prediction), task).to_numpy(), dtype="float64" if task == "regression" else "U"
    )


def _shares(source: str, values: dict[str, float]) -> Importance:
    sizes = {name: max(0.0, value) if math.isfinite(value) else 0.0 for name, value in values.items()}
    total = sum(sizes.values())
    if not total:
        return Importance(source, {}, "no feature changes its answers")
    return Importance(source, {name: size / total for name, size in sizes.items()})
