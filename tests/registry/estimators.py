"""Every estimator of scikit-learn, and what its pipelines are built with, fitted on tables that are made up."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder
from sklearn.utils import all_estimators, get_tags
from sklearn.utils._test_common.instance_generator import _construct_instances
from sklearn.utils.estimator_checks import _enforce_estimator_tags_X, _enforce_estimator_tags_y

ROWS = 60
RANDOM = np.random.default_rng(0)
NUMBERS = pd.DataFrame(RANDOM.normal(size=(ROWS, 4)), columns=["a", "b", "c", "d"]) + 3.0
NUMBERS.loc[ROWS // 2 :, ["a", "b"]] += 2.0
LABELS = (np.arange(ROWS) >= ROWS // 2).astype(int)
MIXED = pd.DataFrame(
    {
        "a": NUMBERS["a"].mask(RANDOM.random(ROWS) < 0.1),
        "b": NUMBERS["b"],
        "k": pd.Series(RANDOM.choice(["red", "green", "blue"], ROWS)).mask(RANDOM.random(ROWS) < 0.1),
        "c": pd.Categorical(RANDOM.choice(["x", "y"], ROWS)),
        "t": RANDOM.choice(["the sea is calm", "storm at sea", "calm and warm", "a warm storm"], ROWS),
    }
)


@dataclass(frozen=True)
class Case:
    """An estimator that has not been fitted, and what to fit it on."""

    name: str
    model: Any
    frame: pd.DataFrame
    target: Any


def behind_columns(*steps: Any) -> Pipeline:
    """Return a pipeline of clones of steps behind columns of numbers with gaps, of categories, of text with gaps."""
    numbers = make_pipeline(SimpleImputer(), MinMaxScaler())
    texts = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(make_column_transformer((numbers, ["a", "b"]), (texts, ["k", "c"])), *map(clone, steps))


def every_class() -> dict[str, type[BaseEstimator]]:
    """Return scikit-learn's estimators by name."""
    return dict(all_estimators())


# What an estimator needs beside the options of scikit-learn's own tests: to be quick, or to fit these tables.
OPTIONS: dict[str, dict[str, Any]] = {
    "HashingVectorizer": {"n_features": 16},
    "LocalOutlierFactor": {"novelty": True},
    "QuadraticDiscriminantAnalysis": {"reg_param": 0.1},
    "SparseCoder": {"dictionary": np.eye(8)},
    "TunedThresholdClassifierCV": {"thresholds": 5},
}


def instances(name: str, cls: type[BaseEstimator]) -> list[Any]:
    """Return the instances of a class that scikit-learn's own tests use."""
    if cls is FrozenEstimator:
        return [FrozenEstimator(LogisticRegression().fit(NUMBERS.set_axis(["x0", "x1", "x2", "x3"], axis=1), LABELS))]
    made = list(_construct_instances(cls))
    for model in made:
        seed = {"random_state": 0} if "random_state" in model.get_params() else {}
        model.set_params(**seed, **OPTIONS.get(name, {}))
    return made


def alone(name: str, model: Any) -> Case:
    """Return an estimator by itself, on numbers that it takes."""
    target = _enforce_estimator_tags_y(model, LABELS.copy())
    if get_tags(model).input_tags.one_d_array:
        return Case(name, model, NUMBERS[["a"]], target)
    rows = _enforce_estimator_tags_X(model, NUMBERS.to_numpy())
    return Case(name, model, pd.DataFrame(rows, columns=[f"x{number}" for number in range(rows.shape[1])]), target)


def piped(name: str, model: Any) -> Case:
    """Return an estimator in a pipeline on text, gaps and numbers: at its end, or before a classifier."""
    target = _enforce_estimator_tags_y(model, LABELS.copy())
    pipeline = behind_columns(model)
    if get_tags(model).input_tags.one_d_array:
        pipeline = make_pipeline(make_column_transformer((SimpleImputer(), ["a"])), model)
    elif isinstance(model, FrozenEstimator):
        pipeline = make_pipeline(FrozenEstimator(behind_columns(LogisticRegression()).fit(MIXED, LABELS)))
    elif isinstance(model, CountVectorizer | HashingVectorizer):
        pipeline = make_pipeline(ColumnTransformer([("text", model, "t")]), LogisticRegression())
    elif isinstance(model, MissingIndicator):
        pipeline = make_pipeline(ColumnTransformer([("gaps", model, ["a", "k"])]), LogisticRegression())
    elif hasattr(model, "transform") and not hasattr(model, "predict"):
        pipeline = behind_columns(model, LogisticRegression())
    return Case(f"{name} piped", pipeline, MIXED, target)


def scikit_learn(cannot: frozenset[str]) -> Iterator[Case]:
    """Yield every estimator that predicts, alone and piped, and every other piped; leave out those of `cannot`."""
    for name, cls in every_class().items():
        if name in cannot:
            continue
        model = instances(name, cls)[0]
        if hasattr(model, "predict"):
            yield alone(name, model)
        yield piped(name, model if isinstance(model, FrozenEstimator) else clone(model))


def chosen() -> dict[str, Callable[[], Any]]:
    """Return models with the options that people choose, by what is particular about them."""
    from sklearn.cluster import FeatureAgglomeration, KMeans
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.ensemble import HistGradientBoostingClassifier, StackingClassifier
    from sklearn.feature_selection import RFECV, GenericUnivariateSelect, SelectKBest, f_classif, mutual_info_classif
    from sklearn.gaussian_process import GaussianProcessClassifier
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
    from sklearn.linear_model import LinearRegression, LogisticRegressionCV
    from sklearn.metrics import fbeta_score, make_scorer, mean_squared_error
    from sklearn.metrics.pairwise import chi2_kernel
    from sklearn.model_selection import (
        GridSearchCV,
        RandomizedSearchCV,
        StratifiedShuffleSplit,
        TunedThresholdClassifierCV,
    )
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder, SplineTransformer, StandardScaler, normalize
    from sklearn.svm import SVC

    logistic, grid = LogisticRegression(), {"C": [0.1, 1.0]}
    selected = make_pipeline(SelectKBest(k=1), logistic)
    scores = {"f": make_scorer(fbeta_score, beta=2), "auc": "roc_auc"}
    return {
        "categories from dtype": lambda: HistGradientBoostingClassifier(max_iter=3, categorical_features="from_dtype"),
        "categories by name": lambda: make_pipeline(
            make_column_transformer(
                (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["k", "c"]),
                remainder="drop",
                verbose_feature_names_out=False,
            ).set_output(transform="pandas"),
            HistGradientBoostingClassifier(max_iter=3, categorical_features=["k", "c"]),
        ),
        "selection by default": lambda: behind_columns(SelectKBest(k=2), logistic),
        "selection by information": lambda: behind_columns(GenericUnivariateSelect(mutual_info_classif), logistic),
        "selection by what a scorer finds": lambda: behind_columns(RFECV(logistic, cv=2, scoring="roc_auc")),
        "search by roc_auc": lambda: behind_columns(GridSearchCV(logistic, grid, cv=2, scoring="roc_auc")),
        "search by a scorer": lambda: behind_columns(GridSearchCV(logistic, grid, cv=2, scoring=scores["f"])),
        "search by several": lambda: behind_columns(GridSearchCV(logistic, grid, cv=2, scoring=scores, refit="f")),
        "search around a pipeline": lambda: GridSearchCV(behind_columns(logistic), {"logisticregression__C": [1, 2]}),
        "search among functions": lambda: behind_columns(
            GridSearchCV(selected, {"selectkbest__score_func": [f_classif, mutual_info_classif]}, cv=2)
        ),
        "search at random": lambda: behind_columns(
            RandomizedSearchCV(logistic, {"C": [0.1, 1.0, 2.0]}, n_iter=2, cv=StratifiedShuffleSplit(2, random_state=0))
        ),
        "several strengths": lambda: behind_columns(LogisticRegressionCV(Cs=2, cv=2, scoring="roc_auc")),
        "a tuned threshold": lambda: behind_columns(TunedThresholdClassifierCV(logistic, cv=2)),
        "a threshold tuned by a scorer": lambda: behind_columns(
            TunedThresholdClassifierCV(logistic, cv=2, scoring=make_scorer(fbeta_score, beta=2))
        ),
        "columns by selector": lambda: make_pipeline(
            make_column_transformer(
                (SimpleImputer(), make_column_selector(dtype_include="number")),
                (OneHotEncoder(handle_unknown="ignore"), make_column_selector("^k$")),
            ),
            logistic,
        ),
        "functions of NumPy": lambda: behind_columns(
            FunctionTransformer(np.log1p, inverse_func=np.expm1),
            FunctionTransformer(np.asarray),
            FunctionTransformer(np.clip, kw_args={"a_min": 0.0, "a_max": 0.5}),
            FunctionTransformer(normalize),
            logistic,
        ),
        "a target on another scale": lambda: behind_columns(
            TransformedTargetRegressor(LinearRegression(), func=np.log1p, inverse_func=np.expm1)
        ),
        "a scaled target": lambda: behind_columns(
            TransformedTargetRegressor(
                GridSearchCV(LinearRegression(), {"positive": [True]}, cv=2), transformer=StandardScaler()
            )
        ),
        "a kernel by function": lambda: behind_columns(SVC(kernel=chi2_kernel)),
        "a kernel of a process": lambda: behind_columns(
            GaussianProcessClassifier(ConstantKernel() * RBF() + WhiteKernel(), optimizer=None)
        ),
        "a distance": lambda: behind_columns(KNeighborsClassifier(metric="minkowski", p=3, algorithm="ball_tree")),
        "pooled features": lambda: behind_columns(FeatureAgglomeration(pooling_func=np.max), logistic),
        "a stack": lambda: behind_columns(
            StackingClassifier([("s", SVC()), ("l", LogisticRegression())], cv=2, stack_method="auto")
        ),
        "splines": lambda: behind_columns(SplineTransformer(n_knots=3), logistic),
        "a regression searched by error": lambda: behind_columns(
            GridSearchCV(LinearRegression(), {"fit_intercept": [True]}, cv=2, scoring=make_scorer(mean_squared_error))
        ),
        "a cache for fitting": lambda: Pipeline(
            [("s", behind_columns(KMeans(2, n_init=1)))], memory=tempfile.mkdtemp()
        ),
    }
