"""Functions that a model may hold, by what they are for. Each takes arrays and options, and gives arrays or numbers.

None of them reads, writes, fetches, imports or evaluates, nor takes a function as an option.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module


def _of(module: str, names: str) -> frozenset[str]:
    return frozenset(f"{module}.{name}" for name in names.split())


ELEMENTWISE = _of(
    "numpy",
    """angle around array asarray ascontiguousarray asfortranarray atleast_2d clip fix imag i0 nan_to_num ravel real
    real_if_close reshape round sinc squeeze transpose""",
) | _of(
    "sklearn.preprocessing._data",
    "add_dummy_feature binarize maxabs_scale minmax_scale normalize robust_scale scale",
)
POOLING = _of("numpy", "amax amin max mean median min prod std sum var")
SELECTING = _of(
    "sklearn.feature_selection._univariate_selection", "chi2 f_classif f_oneway f_regression r_regression"
) | _of("sklearn.feature_selection._mutual_info", "mutual_info_classif mutual_info_regression")
METRICS = frozenset().union(
    _of(
        "sklearn.metrics._classification",
        """accuracy_score balanced_accuracy_score brier_score_loss cohen_kappa_score confusion_matrix d2_brier_score
        d2_log_loss_score f1_score fbeta_score hamming_loss hinge_loss jaccard_score log_loss matthews_corrcoef
        precision_score recall_score zero_one_loss""",
    ),
    _of("sklearn.metrics._scorer", "negative_likelihood_ratio positive_likelihood_ratio"),
    _of(
        "sklearn.metrics._ranking",
        """auc average_precision_score coverage_error dcg_score label_ranking_average_precision_score
        label_ranking_loss ndcg_score roc_auc_score top_k_accuracy_score""",
    ),
    _of(
        "sklearn.metrics._regression",
        """d2_absolute_error_score d2_pinball_score d2_tweedie_score explained_variance_score max_error
        mean_absolute_error mean_absolute_percentage_error mean_gamma_deviance mean_pinball_loss
        mean_poisson_deviance mean_squared_error mean_squared_log_error mean_tweedie_deviance median_absolute_error
        r2_score root_mean_squared_error root_mean_squared_log_error""",
    ),
    _of(
        "sklearn.metrics.cluster._supervised",
        """adjusted_mutual_info_score adjusted_rand_score completeness_score fowlkes_mallows_score homogeneity_score
        mutual_info_score normalized_mutual_info_score rand_score v_measure_score""",
    ),
    _of("sklearn.metrics.cluster._unsupervised", "calinski_harabasz_score davies_bouldin_score silhouette_score"),
)
KERNELS = _of(
    "sklearn.metrics.pairwise",
    """additive_chi2_kernel chi2_kernel cosine_similarity laplacian_kernel linear_kernel polynomial_kernel rbf_kernel
    sigmoid_kernel""",
)
DISTANCES = _of(
    "sklearn.metrics.pairwise",
    "cosine_distances euclidean_distances haversine_distances manhattan_distances nan_euclidean_distances",
) | _of(
    "scipy.spatial.distance",
    """braycurtis canberra chebyshev cityblock correlation cosine dice euclidean hamming jaccard jensenshannon
    mahalanobis minkowski rogerstanimoto russellrao seuclidean sokalsneath sqeuclidean yule""",
)
# What scikit-learn's own estimators keep of themselves.
LLOYD = _of("sklearn.cluster._kmeans", "_kmeans_single_elkan _kmeans_single_lloyd")
AS_ARRAY = _of("scipy._lib.array_api_compat.numpy._aliases", "asarray") | _of("numpy", "asarray")
CHECKS = _of("sklearn.utils.validation", "check_array")  # HistGradientBoosting passes other columns through it

_UFUNC = re.compile(r"(numpy(\._?core\.(_multiarray_umath|umath))?|scipy\.special(\._(special_)?ufuncs)?)\.\w+")


@cache
def is_ufunc(name: str) -> bool:
    """Return whether `name` is one of NumPy's or SciPy's compiled functions of single elements."""
    import numpy as np

    if _UFUNC.fullmatch(name) is None:
        return False
    module, _, attribute = name.rpartition(".")
    try:
        return isinstance(getattr(import_module(module), attribute, None), np.ufunc)
    except ImportError:  # a module of another release
        return False
