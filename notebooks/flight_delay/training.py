"""Tuning a model of the example: Optuna proposes, every trial is a run in MLflow."""

from __future__ import annotations

from typing import Any

import mlflow
import optuna
import pandas as pd
from flights import FEATURES, gradient_boosting, logistic_regression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline

TUNING_ROWS = 40_000  # enough to rank settings; the winner is fitted on everything
ALGORITHMS = {"logistic": logistic_regression, "boosting": gradient_boosting}


def split(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return three quarters of the labelled rows to learn from, and a quarter held out.

    Which flight is held out depends on its id alone: a later training on more months never learns from a flight that
    an earlier one was judged on.
    """
    known = rows[rows["late"].notna()]
    held_out = pd.util.hash_pandas_object(known["flight_id"], index=False) % 4 == 0
    return known[~held_out.to_numpy()], known[held_out.to_numpy()]


def outcome(rows: pd.DataFrame) -> pd.Series:
    """Return the outcomes as integers."""
    return rows["late"].astype(int)


def propose(trial: optuna.Trial, algorithm: str) -> dict[str, Any]:
    """Return the settings of one trial."""
    if algorithm == "logistic":
        return {"strength": trial.suggest_float("strength", 1e-3, 10.0, log=True)}
    return {
        "rate": trial.suggest_float("rate", 0.03, 0.3, log=True),
        "leaves": trial.suggest_int("leaves", 15, 63),
        "rounds": trial.suggest_int("rounds", 80, 240),
    }


def figures(model: Pipeline, rows: pd.DataFrame) -> dict[str, float]:
    """Return what the model shows on `rows`."""
    score, late = model.predict_proba(rows[FEATURES])[:, 1], outcome(rows)
    return {
        "roc_auc": float(roc_auc_score(late, score)),
        "accuracy": float(((score >= 0.5) == late).mean()),
        "brier_score": float(brier_score_loss(late, score)),
        "log_loss": float(log_loss(late, score)),
    }


def tune(algorithm: str, train: pd.DataFrame, trials: int) -> tuple[Pipeline, dict[str, Any]]:
    """Return the best of `trials` settings, fitted on all of `train`, and the settings; logs into the active run."""
    build = ALGORITHMS[algorithm]
    sample = train.sample(min(TUNING_ROWS, len(train)), random_state=0)
    fit, judge = train_test_split(sample, test_size=0.25, random_state=0)

    def objective(trial: optuna.Trial) -> float:
        settings = propose(trial, algorithm)
        with mlflow.start_run(run_name=f"trial {trial.number}", nested=True):
            shown = figures(build(**settings).fit(fit[FEATURES], outcome(fit)), judge)
            mlflow.log_params(settings)
            mlflow.log_metrics(shown)
        return shown["roc_auc"]

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=trials)
    mlflow.log_params(study.best_params)
    return build(**study.best_params).fit(train[FEATURES], outcome(train)), study.best_params
