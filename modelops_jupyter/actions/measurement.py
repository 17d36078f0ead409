"""Metrics that we measure ourselves: what a model predicted for some rows, against the labels of those rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from modelops_jupyter._version import __version__

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

NOT_A_MODEL = "a decision table decides, it predicts nothing that labels could confirm"
NO_LABELS = "no row has a label"
UNKNOWN_TASK = "nothing on record says whether it predicts classes or values"
MEASURED_TASKS = ("classification", "regression")
EVIDENCE = ("metrics", "claimed", "measured", "measured_reason")


@dataclass(frozen=True)
class Measurement:
    """Metrics of one model on some rows.

    Attributes
    ----------
    metrics : mapping of str to float
        Named and defined as in scikit-learn; one that is undefined on these rows is left out.
    rows : int
        Rows with a label: those that the metrics are computed on.
    reason : str or None
        Why there are no metrics, or why those of the score are missing.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    rows: int = 0
    reason: str | None = None


def measure(
    prediction: pd.Series[Any], score: Array | None, labels: pd.Series[Any] | None, task: str, positive: str | None
) -> Measurement:
    """Return every metric of the task that these rows allow.

    Parameters
    ----------
    prediction, labels : Series of shape (n,)
        As `frames.outcomes` writes them: text for a classification, floats for a regression; a missing label leaves
        its row out.
    score : array of shape (n,), optional
        Of a classification with two classes, the probability of `positive`.
    task : str
        ``classification``, ``regression``, ``decision``, ``unknown``, or that of a model that learns from no labels.
    positive
        The second of two classes; None where there are more.
    """
    if task == "decision":
        return Measurement(reason=NOT_A_MODEL)
    if task == "unknown":
        return Measurement(reason=UNKNOWN_TASK)
    if task not in MEASURED_TASKS:
        return Measurement(reason=f"{task.replace('_', ' ')} learns from no labels, so there are none to measure it by")
    if labels is None or not labels.notna().any():
        return Measurement(reason=NO_LABELS)
    labelled = labels.notna().to_numpy()
    if task == "regression":
        return _regression(prediction.to_numpy()[labelled], labels.to_numpy()[labelled], int(labelled.sum()))
    known, answer = labels[labelled], prediction[labelled]
    if positive is None:
        return _of_many_classes(answer, known)
    return _of_two_classes(answer, None if score is None else score[labelled], known, positive)


def recorded(
    measurement: Measurement, claimed: Mapping[str, float], fingerprint: str | None, distinct: int | None = None
) -> dict[str, Any]:
    """Return what a version's record says of its metrics.

    Parameters
    ----------
    claimed
        Metrics that the caller passed; one of the same name that was measured takes their place in ``metrics``.
    fingerprint
        Of the labels of the rows, as `labelled_rows.labels_fingerprint` gives it.
    distinct
        How many of the rows are distinct: copies show nothing new.
    """
    measured = None
    if measurement.metrics:
        measured = {
            "metrics": dict(measurement.metrics),
            "rows": measurement.rows,
            "distinct": distinct,
            "fingerprint": fingerprint,
            "at": datetime.now(UTC).isoformat(),
            "by": f"modelops-jupyter {__version__}, scikit-learn {version('scikit-learn')}",
        }
    return {
        "metrics": {**claimed, **measurement.metrics},
        "claimed": dict(claimed),
        "measured": measured,
        "measured_reason": measurement.reason,
    }


def without_metrics(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts of a version without what they say of its metrics."""
    return {name: value for name, value in facts.items() if name not in EVIDENCE}


def _one_class(only: Any, rows: int) -> Measurement:
    return Measurement(rows=rows, reason=f"every label is {str(only)!r}: metrics of a classification take two classes")


def _of_many_classes(prediction: pd.Series[Any], labels: pd.Series[Any]) -> Measurement:
    import numpy as np
    import pandas as pd

    rows = len(labels)
    codes, classes = pd.factorize(pd.concat([labels, prediction], ignore_index=True), use_na_sentinel=False)
    actual, predicted = codes[:rows], codes[rows:]
    if (actual == actual[0]).all():
        return _one_class(classes[actual[0]], rows)
    right = predicted == actual
    rows_of_class = np.bincount(actual, minlength=len(classes))
    right_of_class = np.bincount(actual[right], minlength=len(classes))
    present = rows_of_class > 0
    recalls = right_of_class[present] / rows_of_class[present]
    return Measurement({"accuracy": float(right.mean()), "balanced_accuracy": float(recalls.mean())}, rows)


def _of_two_classes(
    prediction: pd.Series[Any], score: Array | None, labels: pd.Series[Any], positive: str
) -> Measurement:
    rows, actual, predicted = len(labels), _is(labels, positive), _is(prediction, positive)
    if actual.all() or not actual.any():
        return _one_class(labels.iloc[0], rows)
    right = predicted == actual
    recalls = float(right[actual].mean()), float(right[~actual].mean())
    metrics = {"accuracy": float(right.mean()), "balanced_accuracy": sum(recalls) / 2, "recall": recalls[0]}
    metrics |= _of_one_class(predicted, actual)
    if score is None:
        return Measurement(metrics, rows, "the model gives no probabilities")
    if not (score.min() >= 0 and score.max() <= 1):  # NaN is neither
        return Measurement(metrics, rows, "the model gives scores that are not probabilities from 0 to 1")
    return Measurement({**_of_scores(score, actual), **metrics}, rows)


def _is(values: pd.Series[Any], name: str) -> Array:
    equal: Array = (values == name).to_numpy(dtype=bool, na_value=False)
    return equal


def _of_one_class(predicted: Array, actual: Array) -> dict[str, float]:
    """Return precision and F1 of one class, both arrays telling whether a row is of it."""
    hits, said, came = float((predicted & actual).sum()), float(predicted.sum()), float(actual.sum())
    return {"f1": 2 * hits / (said + came), **({"precision": hits / said} if said else {})}


def _of_scores(score: Array, actual: Array) -> dict[str, float]:
    import numpy as np

    from modelops_jupyter.monitoring.figures.ranking import area_under_roc, precision_over_recall

    negatives, positives = _by_score(score, actual)
    tiny = np.finfo("float64").eps
    right = np.where(actual, score, 1 - score)
    return {
        "roc_auc": area_under_roc(negatives, positives),
        "average_precision": precision_over_recall(negatives, positives),
        "brier_score": float(np.mean((score - actual) ** 2)),
        "log_loss": float(-np.mean(np.log(np.clip(right, tiny, 1 - tiny)))),
    }


def _by_score(score: Array, actual: Array) -> tuple[Array, Array]:
    """Return how many rows of either class there are at each distinct score, lowest score first.

    Floats from 0 on are in the order of their bits, so that score and label are sorted as one whole number, which takes
    a quarter of the time of sorting positions.
    """
    import numpy as np

    bits = np.ascontiguousarray(score, dtype="float64").view("int64") << 1  # which drops the sign of -0.0
    ordered = np.sort(bits | actual)
    ends = np.append(np.flatnonzero(np.diff(ordered >> 1)), len(ordered) - 1)  # last row of each distinct score
    positives = np.diff(np.cumsum(ordered & 1)[ends], prepend=0).astype("float64")
    return np.diff(ends, prepend=-1) - positives, positives


def _regression(predicted: Array, actual: Array, rows: int) -> Measurement:
    import numpy as np

    for what, values in (("labels", actual), ("predictions", predicted)):
        strange = int((~np.isfinite(values)).sum())
        if strange:
            return Measurement(rows=rows, reason=f"{strange} of {rows} {what} are not finite numbers")
    with np.errstate(over="ignore", invalid="ignore"):
        error = predicted - actual
        squared = float(np.mean(error**2))
        spread = float(np.mean((actual - actual.mean()) ** 2))
        metrics = {
            "mean_absolute_error": float(np.abs(error).mean()),
            "mean_squared_error": squared,
            "root_mean_squared_error": math.sqrt(squared),
        }
        if spread > 0:
            metrics["r2"] = 1 - squared / spread
        if np.abs(actual).min() > np.finfo("float64").eps:  # scikit-learn divides by no less
            metrics["mean_absolute_percentage_error"] = float(np.mean(np.abs(error / actual)))
    return Measurement(_finite(metrics), rows)


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if math.isfinite(value)}
