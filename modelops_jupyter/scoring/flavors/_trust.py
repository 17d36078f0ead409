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
# Boosters rebuild themselves from the bytes of their own format, which holds no code.
_NAMED = frozenset(
    {
        "scipy.interpolate._bsplines.BSpline",
        "lightgbm.basic.Booster",
        *(f"lightgbm.sklearn.LGBM{kind}" for kind in ("Classifier", "Ranker", "Regressor")),
        "xgboost.core.Booster",
        *(f"xgboost.sklearn.XGB{kind}" for kind in ("Classifier", "RFClassifier", "RFRegressor", "Ranker", "Regressor")),
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

# Functions by kind. Each takes arrays and options, and gives arrays or numbers.
_NUMPY_ELEMENTWISE = frozenset(
    f"numpy.{name}"
    for name in (
        "angle around array asarray ascontiguousarray asfortranarray atleast_2d clip fix imag i0 nan_to_num ravel real "
        "real_if_close reshape round sinc squeeze transpose"
    ).split()
)
_SKLEARN_ELEMENTWISE = frozenset(
    f"sklearn.preprocessing._data.{name}"
    for name in "add_dummy_feature binarize maxabs_scale minmax_scale normalize robust_scale scale".split()
)
_UFUNCS = re.compile(r"(numpy(\._?core\.(_multiarray_umath|umath))?|scipy\.special(\._(special_)?ufuncs)?)\.(\w+)")
_POOLING = frozenset(f"numpy.{name}" for name in "amax amin max mean median min prod std sum var".split())
_SELECTING = frozenset(
    {
        *(
            f"sklearn.feature_selection._univariate_selection.{name}"
            for name in "chi2 f_classif f_oneway f_regression r_regression".split()
        ),
        *(f"sklearn.feature_selection._mutual_info.mutual_info_{kind}" for kind in ("classif", "regression")),
    }
)
_METRICS = frozenset(
    f"sklearn.metrics.{module}.{name}"
    for module, names in {
        "_classification": "accuracy_score balanced_accuracy_score brier_score_loss cohen_kappa_score confusion_matrix "
        "d2_brier_score d2_log_loss_score f1_score fbeta_score hamming_loss hinge_loss jaccard_score log_loss "
        "matthews_corrcoef negative_likelihood_ratio positive_likelihood_ratio precision_score recall_score "
        "zero_one_loss",
        "_ranking": "auc average_precision_score coverage_error dcg_score label_ranking_average_precision_score "
        "label_ranking_loss ndcg_score roc_auc_score top_k_accuracy_score",
        "_regression": "d2_absolute_error_score d2_pinball_score d2_tweedie_score explained_variance_score max_error "
        "mean_absolute_error mean_absolute_percentage_error mean_gamma_deviance mean_pinball_loss "
        "mean_poisson_deviance mean_squared_error mean_squared_log_error mean_tweedie_deviance median_absolute_error "
        "r2_score root_mean_squared_error root_mean_squared_log_error",
        "_scorer": "negative_likelihood_ratio positive_likelihood_ratio",
        "cluster._supervised": "adjusted_mutual_info_score adjusted_rand_score completeness_score "
        "fowlkes_mallows_score homogeneity_score mutual_info_score normalized_mutual_info_score rand_score "
        "v_measure_score",
        "cluster._unsupervised": "calinski_harabasz_score davies_bouldin_score silhouette_score",
    }.items()
    for name in names.split()
)
_KERNELS = frozenset(
    f"sklearn.metrics.pairwise.{name}"
    for name in "additive_chi2_kernel chi2_kernel cosine_similarity laplacian_kernel linear_kernel polynomial_kernel "
    "rbf_kernel sigmoid_kernel".split()
)
_DISTANCES = frozenset(
    {
        *(
            f"sklearn.metrics.pairwise.{name}"
            for name in "cosine_distances euclidean_distances haversine_distances manhattan_distances "
            "nan_euclidean_distances".split()
        ),
        *(
            f"scipy.spatial.distance.{name}"
            for name in "braycurtis canberra chebyshev cityblock correlation cosine dice euclidean hamming jaccard "
            "jensenshannon mahalanobis minkowski rogerstanimoto russellrao seuclidean sokalsneath sqeuclidean "
            "yule".split()
        ),
    }
)
_LLOYD = frozenset(f"sklearn.cluster._kmeans._kmeans_single_{kind}" for kind in ("elkan", "lloyd"))
_AS_ARRAY = frozenset({"scipy._lib.array_api_compat.numpy._aliases.asarray", "numpy.asarray"})
_CHECK = frozenset({"sklearn.utils.validation.check_array"})  # HistGradientBoosting takes other columns through it
_ELEMENTWISE = _NUMPY_ELEMENTWISE | _SKLEARN_ELEMENTWISE | _CHECK
_ANY_FUNCTION = _ELEMENTWISE | _POOLING | _SELECTING | _METRICS | _KERNELS | _DISTANCES

_SEARCH = r"sklearn\.model_selection\._search\w*\.\w+"
_LISTED = "param_grid param_distributions cv_results_ best_params_"  # what a search has tried, none of which it calls
# Where a function may stand: the class of its owner, the attribute, what it may be.
_FUNCTION_SLOTS: tuple[tuple[re.Pattern[str], frozenset[str], frozenset[str]], ...] = tuple(
    (re.compile(owner), frozenset(attributes.split()), functions)
    for owner, attributes, functions in (
        (r"sklearn\.preprocessing\._function_transformer\.FunctionTransformer", "func inverse_func", _ELEMENTWISE),
        (r"sklearn\.compose\._target\.TransformedTargetRegressor", "func inverse_func", _ELEMENTWISE),
        (r"sklearn\.feature_selection\._univariate_selection\.\w+", "score_func", _SELECTING),
        (r"sklearn\.cluster\._agglomerative\.FeatureAgglomeration", "pooling_func", _POOLING),
        (r"sklearn\.cluster\._bisect_k_means\.BisectingKMeans", "_kmeans_single", _LLOYD),
        (r"scipy\.interpolate\._bsplines\.BSpline", "_asarray", _AS_ARRAY),
        (r"sklearn\.metrics\._scorer\.(_CurveScorer|_Scorer)", "_score_func", _METRICS),
        (r"sklearn\.metrics\._dist_metrics\.PyFuncDistance\d*", "", _DISTANCES),
        (r"sklearn\.(?!metrics)[\w.]+", "metric effective_metric_", _DISTANCES),
        (r"sklearn\.(?!metrics)[\w.]+", "kernel affinity", _KERNELS),
        (r"(xgboost|lightgbm)\.sklearn\.\w+", "eval_metric", _METRICS),
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
    ("sklearn.feature_extraction.text", "input"): frozenset({"content"}),  # with "filename", the rows name files to read
    ("category_encoders.hashing", "hash_method"): frozenset(algorithms_guaranteed),
}
# Options of LightGBM, which hands all that it has to its library when it predicts, that name files or other machines.
_FILES = frozenset(
    "config config_file data data_filename forcedbins_filename forcedsplits_filename init_model input_model "
    "machine_list machine_list_file machine_list_filename machines mlist model_file model_in model_input model_output "
    "nodes output_model output_result parser_config_file test test_data valid valid_data workers".split()
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
    return bool(slots) and elementwise and _is_ufunc(name)


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
    if attribute in _FILES and owner.startswith("lightgbm."):
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


def _is_ufunc(name: str) -> bool:
    import numpy as np

    if _UFUNCS.fullmatch(name) is None:
        return False
    module, _, attribute = name.rpartition(".")
    try:
        return isinstance(getattr(import_module(module), attribute, None), np.ufunc)
    except ImportError:  # a module of another release
        return False
