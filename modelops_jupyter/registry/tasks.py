"""What a live model does: scikit-learn's tags say which models learn from no labels."""

from __future__ import annotations

from typing import Any

# What scikit-learn's tags call an estimator that learns from no labels, and its task here.
UNSUPERVISED = {
    "clusterer": "clustering",
    "outlier_detector": "outlier_detection",
    "density_estimator": "density_estimation",
}


def unsupervised_task(model: Any) -> str | None:
    """Return the task of a model that learns from no labels, also behind a pipeline or a search; None of any other.

    >>> from sklearn.cluster import KMeans
    >>> unsupervised_task(KMeans())
    'clustering'
    """
    from sklearn.utils import get_tags

    try:
        kind = get_tags(model).estimator_type
    except (AttributeError, TypeError, ValueError):  # it is none of scikit-learn's, or of a library that knows no tags
        kind = None
    return UNSUPERVISED.get(str(kind or getattr(model, "_estimator_type", None)))
