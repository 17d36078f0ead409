"""What a skops file may name: classes of estimators, and functions only where scikit-learn itself keeps such a one.

The contents of every object in a file are of its sender's choice: the attributes of an estimator, and with them what it
calls and hands on when it predicts. Hence these rules.

- Nothing is ever called while a file is read. A class is rebuilt without its constructor, so that no class may be
  trusted that acts on the state it is given: those of `scipy.stats`, for instance, execute a text in it.
- A function stands only in an attribute that is made for one of its kind, and every function of a kind computes: none
  reads, writes, fetches, imports or evaluates. So nothing can be chained that could.
- An object that can be called (a scorer, a kernel) stands only where scikit-learn keeps those.
- A text that scikit-learn takes for the name of a method, or of a file, is one of those it is meant to be.
- An attribute that would replace one of the class, a method say, is refused.
"""

from __future__ import annotations

import re
from functools import cache
from hashlib import algorithms_guaranteed
from importlib import import_module
from typing import Any

from ...errors import LibraryMissing
from . import _functions as functions
from ._library import EXTRAS

# Modules whose estimators may be named: every class there that is derived from BaseEstimator.
_ESTIMATORS = re.compile(
    r"(sklearn\.(calibration|cluster|compose|covariance|cross_decomposition|decomposition|discriminant_analysis|dummy"
    r"|ensemble|feature_extraction|feature_selection|frozen|gaussian_process|impute|isotonic|kernel_approximation"
    r"|kernel_ridge|linear_model|manifold|mixture|model_selection|multiclass|multioutput|naive_bayes|neighbors"
    r"|neural_network|pipeline|preprocessing|random_projection|semi_supervised|svm|tree)"
    r"|imblearn\.(combine|ensemble|over_sampling|pipeline|under_sampling)"
    r"|category_encoders)(\.(?!tests\b)\w+)*"
)
# Modules whose every class is a part of an estimator: it computes, and holds what it computes with.
_PARTS = re.compile(
    r"sklearn\.(_loss\.(link|loss)|calibration|cluster\._bisect_k_means|compose\._column_transformer"
    r"|ensemble\._hist_gradient_boosting\.(binning|predictor)|gaussian_process\.(kernels|_gpc)|metrics\._dist_metrics"
    r"|metrics\._scorer|model_selection\._split|multiclass|neighbors\._(ball_tree|kd_tree|quad_tree)"
    r"|neural_network\._stochastic_optimizers|tree\._tree|utils\._metadata_requests)"
)
_KINDS = ("Classifier", "Ranker", "Regressor")
# Boosters rebuild themselves from the bytes of their own format, which holds no code.
_NAMED = frozenset(
    {
        "scipy.interpolate._bsplines.BSpline",
        "lightgbm.basic.Booster",
        *(f"lightgbm.sklearn.LGBM{kind}" for kind in ("Classifier", "Ranker", "Regressor")),
        "xgboost.core.Booster",
        *(
            f"xgboost.sklearn.XGB{kind}"
            for kind in ("Classifier", "RFClassifier", "RFRegressor", "Ranker", "Regressor")
        ),
        *(f"catboost.core.CatBoost{kind}" for kind in ("", "Classifier", "Ranker", "Regressor")),
    }
)
_COMPILED_LOSS = re.compile(
    r"sklearn\.(_loss\._loss\.Cy\w+|linear_model\._sgd_fast\.(EpsilonInsensitive|Hinge|Huber|Log|ModifiedHuber|Squared\w+))"
)
# Values, as opposed to objects: how a file writes numbers and texts of NumPy, and names their types.
_SCALAR = re.compile(r"numpy\.(bool_?|bytes_|str_|datetime64|timedelta64|u?int\d+|u?longlong|intc|uintc|float\d+)")
_PLAIN = frozenset(f"builtins.{name}" for name in ("bool", "float", "int", "str", "complex"))
_FACTORIES = frozenset({"builtins.dict", "builtins.int", "builtins.list", "builtins.set", "collections.OrderedDict"})

_ELEMENTWISE = functions.ELEMENTWISE | functions.CHECKS
_ANY_FUNCTION = frozenset().union(
    functions.ELEMENTWISE,
    functions.POOLING,
    functions.SELECTING,
    functions.METRICS,
    functions.KERNELS,
    functions.DISTANCES,
)

_SEARCH = r"sklearn\.model_selection\._search\w*\.\w+"
_LISTED = "param_grid param_distributions cv_results_ best_params_"  # what a search has tried, none of which it calls
# Where a function may stand: the class of its owner, the attribute, what it may be.
_FUNCTION_SLOTS: tuple[tuple[re.Pattern[str], frozenset[str], frozenset[str]], ...] = tuple(
    (re.compile(owner), frozenset(attributes.split()), functions)
    for owner, attributes, functions in (
        (r"sklearn\.preprocessing\._function_transformer\.FunctionTransformer", "func inverse_func", _ELEMENTWISE),
        (r"sklearn\.compose\._target\.TransformedTargetRegressor", "func inverse_func", _ELEMENTWISE),
        (r"sklearn\.feature_selection\._univariate_selection\.\w+", "score_func", functions.SELECTING),
        (r"sklearn\.cluster\._agglomerative\.FeatureAgglomeration", "pooling_func", functions.POOLING),
        (r"sklearn\.cluster\._bisect_k_means\.BisectingKMeans", "_kmeans_single", functions.LLOYD),
        (r"scipy\.interpolate\._bsplines\.BSpline", "_asarray", functions.AS_ARRAY),
        (r"sklearn\.metrics\._scorer\.(_CurveScorer|_Scorer)", "_score_func", functions.METRICS),
        (r"sklearn\.metrics\._dist_metrics\.PyFuncDistance\d*", "", functions.DISTANCES),
        (r"sklearn\.(?!metrics)[\w.]+", "metric effective_metric_", functions.DISTANCES),
        (r"sklearn\.(?!metrics)[\w.]+", "kernel affinity", functions.KERNELS),
        (r"(xgboost|lightgbm)\.sklearn\.\w+", "eval_metric", functions.METRICS),
        (_SEARCH, _LISTED, _ANY_FUNCTION),
    )
)
_UFUNC_SLOTS = ("func", "inverse_func")
# Where an object that can be called may stand, by the attribute of its owner.
_CALLABLE_SLOTS = {
    re.compile(r"sklearn\.metrics\._scorer\.\w+"): "scorer_ scoring scoring_ _scorer _scorers _curve_scorer owner",
    re.compile(r"sklearn\.gaussian_process\.kernels\.\w+"): "kernel kernel_ kernels k1 k2",
    re.compile(r"sklearn\._loss\.loss\.\w+"): "_loss _base_loss",
    re.compile(r"scipy\.interpolate\._bsplines\.BSpline"): "bsplines_",
    re.compile(r"sklearn\.compose\._column_transformer\.make_column_selector"): "transformers transformers_ _columns",
}
_CALLABLE_ANYWHERE = frozenset(_LISTED.split())
# What an attribute may hold whose text is taken for the name of a method, of an algorithm or of a file.
_METHODS = frozenset({"auto", "decision_function", "predict", "predict_log_proba", "predict_proba", "transform", None})
_METHOD_ATTRIBUTES = frozenset(
    {"stack_method", "stack_method_", "chain_method", "chain_method_", "response_method", "_response_method"}
)
_CHOICES = {
    ("sklearn.feature_extraction.text", "input"): frozenset({"content"}),  # else the rows may name files to read
    ("category_encoders.hashing", "hash_method"): frozenset(algorithms_guaranteed),
}
# Options of LightGBM, which hands all that it has to its library when it predicts, that name files or other machines.
_FILES = re.compile(
    r"config(_file)?|data(_filename)?|forced(bins|splits)_filename|init_model|input_model|output_(model|result)|mlist"
    r"|machines|machine_list(_file(name)?)?|model_(file|in|input|output)|nodes|parser_config_file|(test|valid)(_data)?"
    r"|workers"
)
_NO_FILE = frozenset({None, ""})


@cache
def trusted_class(name: str) -> type | None:
    """Return the class that is defined under a dotted `name`, or None where it is not on the allow-list.

    Raises
    ------
    LibraryMissing
        If it is, and its library is not installed.
    """
    module, _, attribute = name.rpartition(".")
    part = name in _NAMED or _PARTS.fullmatch(module) is not None
    if not part and _ESTIMATORS.fullmatch(module) is None:
        return None
    package = module.partition(".")[0]
    try:
        import_module(package)
    except ImportError as error:
        raise LibraryMissing(
            f"The model holds a {attribute} of {package}, which cannot be imported ({error}): install it with "
            f"`pip install 'modelops-jupyter[{EXTRAS.get(package, package)}]'`."
        ) from error
    try:
        candidate = getattr(import_module(module), attribute, None)
    except ImportError:  # a module of another release
        return None
    if not isinstance(candidate, type) or f"{candidate.__module__}.{candidate.__qualname__}" != name:
        return None  # a name that the module only passes on
    from sklearn.base import BaseEstimator

    return candidate if part or issubclass(candidate, BaseEstimator) else None


@cache
def may_stand(name: str, owner: str, attribute: str) -> bool:
    """Return whether an object of a trusted class may stand in an attribute: anywhere, unless it can be called."""
    cls = trusted_class(name)
    if cls is None:
        return False
    if not any("__call__" in base.__dict__ for base in cls.__mro__):
        return True
    if is_search(owner) and attribute in _CALLABLE_ANYWHERE:
        return True
    return any(kind.fullmatch(name) and attribute in slots.split() for kind, slots in _CALLABLE_SLOTS.items())


@cache
def may_be_called(name: str, owner: str, attribute: str) -> bool:
    """Return whether the function `name` may stand in an attribute."""
    slots = [names for kind, attributes, names in _FUNCTION_SLOTS if attribute in attributes and kind.fullmatch(owner)]
    if any(name in names for names in slots):
        return True
    elementwise = attribute in _UFUNC_SLOTS or (is_search(owner) and attribute in _CALLABLE_ANYWHERE)
    return bool(slots) and elementwise and functions.is_ufunc(name)


def is_loss(name: str) -> bool:
    """Return whether `name` is a compiled loss, which is rebuilt from a few numbers."""
    return _COMPILED_LOSS.fullmatch(name) is not None


@cache
def is_scalar(name: str) -> bool:
    """Return whether `name` is a type of NumPy's single values."""
    return _SCALAR.fullmatch(name) is not None


def may_name_type(name: str, owner: str, attribute: str) -> bool:
    """Return whether an attribute may hold a type itself: of numbers and texts, and never where it would be called."""
    listed = is_search(owner) and attribute in _CALLABLE_ANYWHERE
    return ("dtype" in attribute or listed) and may_be_key(name)


def may_be_key(name: str) -> bool:
    """Return whether `name` is a type that makes a dict's key of a text."""
    return name in _PLAIN or is_scalar(name)


def may_be_factory(name: str) -> bool:
    """Return whether `name` is a type that a `defaultdict` fills itself with."""
    return name in _FACTORIES


@cache
def choices(owner: str, attribute: str) -> frozenset[Any] | None:
    """Return the only values that an attribute, or an option of that name, may hold; None where any will do."""
    if attribute in _METHOD_ATTRIBUTES:
        return _METHODS
    if _FILES.fullmatch(attribute) and owner.startswith("lightgbm."):
        return _NO_FILE
    return _CHOICES.get((owner.rpartition(".")[0], attribute))


@cache
def is_search(name: str) -> bool:
    """Return whether a class is GridSearchCV or one of its kin."""
    return re.fullmatch(_SEARCH, name) is not None


@cache
def replaces(owner: str, attribute: str) -> bool:
    """Return whether an attribute would replace one of its owner's class that is more than a default value."""
    cls = trusted_class(owner)
    if cls is None or owner.startswith("catboost."):  # CatBoost's state is a list of its options
        return attribute.endswith("__")
    if not hasattr(cls, attribute):
        return False
    default = getattr(cls, attribute)
    return attribute.startswith("_") or not isinstance(default, bool | int | float | str | list | dict | None)
