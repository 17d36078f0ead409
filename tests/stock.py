"""Models as a team makes them with stock MLflow and scikit-learn, without a line of ours."""

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

logging.getLogger("mlflow").setLevel(logging.ERROR)
_NUMBERS = np.random.default_rng(7)
X = pd.DataFrame(_NUMBERS.normal(size=(400, 3)), columns=["wind", "rain", "sea level"])
Y = pd.Series((X["wind"] + 0.5 * X["rain"] + _NUMBERS.normal(scale=0.7, size=400) > 0).astype(int), name="late")
PLAIN: dict[str, Any] = {"pip_requirements": ["scikit-learn"]}  # else MLflow takes seconds to find them out


@contextmanager
def tracking(uri: str) -> Iterator[MlflowClient]:
    """Let MLflow's own calls go to `uri`, and lend a client of it."""
    before, registry = os.environ.get("MLFLOW_TRACKING_URI"), os.environ.get("MLFLOW_REGISTRY_URI")
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's hints about whole numbers and the like
            yield MlflowClient()
    finally:
        mlflow.set_tracking_uri(before)
        mlflow.set_registry_uri(registry)
        if registry is None:
            os.environ.pop("MLFLOW_REGISTRY_URI", None)  # MLflow leaves it there


def classifier(c: float = 1.0) -> LogisticRegression:
    """Return a fitted model that skops can hold."""
    return LogisticRegression(C=c).fit(X, Y)


def log(
    save: Callable[..., Any] = mlflow.sklearn.log_model,
    model: Any = None,
    *,
    metrics: dict[str, float] | None = None,
    tags: dict[str, str] | None = None,
    **options: Any,
) -> Any:
    """Log a model in a run of its own, with metrics, a parameter and a dataset, and return MLflow's `ModelInfo`."""
    with mlflow.start_run(experiment_id=_experiment()) as run:
        mlflow.log_metrics(metrics or {"roc_auc": 0.9, "accuracy": 0.8})
        mlflow.log_param("C", 1.0)
        mlflow.set_tags({"team": "weather", "mlflow.source.git.commit": "abc123", **(tags or {})})
        mlflow.log_input(mlflow.data.from_pandas(X.head(), source="rain.parquet", name="rain"), context="training")
        given = {"signature": infer_signature(X, Y), **PLAIN, **options}
        info = save(classifier() if model is None else model, name="model", **given)
        assert info.run_id == run.info.run_id
    return info


def _experiment() -> str:
    """Return the experiment to log to: on a server one whose artifacts go through the server."""
    if not mlflow.get_tracking_uri().startswith("http"):
        return "0"
    found = mlflow.get_experiment_by_name("team")
    return str(mlflow.create_experiment("team") if found is None else found.experiment_id)


def register(client: MlflowClient, name: str, info: Any, alias: str | None = None) -> int:
    """Register what was logged as the next version of `name`."""
    if not client.search_registered_models(f'name = "{name}"'):
        client.create_registered_model(name)
    version = int(client.create_model_version(name, info.model_uri, info.run_id, model_id=info.model_id).version)
    if alias is not None:
        client.set_registered_model_alias(name, alias, str(version))
    return version
