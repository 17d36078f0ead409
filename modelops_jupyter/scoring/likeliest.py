"""Classifiers whose prediction is the class of greatest probability: asked once for both, they take half the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

TIED = 1e-5  # classes closer than this may be ranked otherwise by the model itself: it is asked
_CLASSES = {
    "sklearn": {
        "DecisionTreeClassifier",
        "ExtraTreeClassifier",
        "ExtraTreesClassifier",
        "GradientBoostingClassifier",
        "HistGradientBoostingClassifier",
        "LogisticRegression",
        "RandomForestClassifier",
    },
    "lightgbm": {"LGBMClassifier"},
    "xgboost": {"XGBClassifier"},
}
_OBJECTIVES = (None, "binary", "multiclass", "binary:logistic", "multi:softprob")


def predicts_likeliest(estimator: Any) -> bool:
    """Tell whether an estimator, or the last step of a pipeline, is one of the libraries' own that does so."""
    last = estimator
    while type(last).__module__ == "sklearn.pipeline" and type(last).__name__ == "Pipeline":
        last = last.steps[-1][1]
    library = type(last).__module__.partition(".")[0]
    if type(last).__name__ not in _CLASSES.get(library, ()):
        return False
    return library == "sklearn" or getattr(last, "objective", None) in _OBJECTIVES


def likeliest(classes: Array, probabilities: Array) -> tuple[Array, Array]:
    """Return the class of greatest probability of each row, and which rows are too close to tell.

    Parameters
    ----------
    classes : array of shape (k,)
    probabilities : array of shape (n, k)
    """
    import numpy as np

    if len(classes) == 2:
        second = probabilities[:, 1] > probabilities[:, 0]
        close: Array = np.abs(probabilities[:, 1] - probabilities[:, 0]) < TIED
        return classes[second.astype("int64")], close | np.isnan(probabilities[:, 1])
    chosen = probabilities.argmax(axis=1)
    two = np.partition(probabilities, -2, axis=1)[:, -2:] if len(classes) > 1 else np.zeros((len(probabilities), 2))
    return classes[chosen], ~(two[:, 1] - two[:, 0] >= TIED)
