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
    task : {"classification", "regression", "decision", "unknown"}
    positive
        The second of two classes; None where there are more.
    """
    if task == "decision":
        return Measurement(reason=NOT_A_MODEL)
    if task == "unknown":
        return Measurement(reason=UNKNOWN_TASK)
    if labels is None or not labels.notna().any():
        return Measurement(reason=NO_LABELS)
    labelled = labels.notna().to_numpy()
    rows = int(labelled.sum())
    if task == "regression":
        return _regression(prediction.to_numpy()[labelled], labels.to_numpy()[labelled], rows)
    predicted, actual, classes = _codes(prediction, labels, labelled)
    if (actual == actual[0]).all():
        only = classes[int(actual[0])]
        return Measurement(rows=rows, reason=f"every label is {only!r}: metrics of a classification take two classes")
    metrics = _of_classes(predicted, actual, len(classes))
    if positive is None:
        return Measurement(_finite(metrics), rows)
    code = classes.index(positive) if positive in classes else -1
    metrics |= _of_one_class(predicted == code, actual == code)
    if score is None:
        return Measurement(_finite(metrics), rows, "the model gives no probabilities")
    probability = score[labelled]
    if not ((probability >= 0) & (probability <= 1)).all():
        return Measurement(_finite(metrics), rows, "the model gives scores that are not probabilities from 0 to 1")
    return Measurement(_finite(_of_scores(probability, actual == code) | metrics), rows)


def recorded(measurement: Measurement, claimed: Mapping[str, float], fingerprint: str | None) -> dict[str, Any]:
    """Return what a version's record says of its metrics.

    Parameters
    ----------
    claimed
        Metrics that the caller passed; one of the same name that was measured takes their place in ``metrics``.
    fingerprint
        Of the labels of the rows, as `registry.outcomes_fingerprint` gives it.
    """
    measured = None
    if measurement.metrics:
        measured = {
            "metrics": dict(measurement.metrics),
            "rows": measurement.rows,
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


def _codes(prediction: pd.Series[Any], labels: pd.Series[Any], labelled: Array) -> tuple[Array, Array, list[str]]:
    """Return predictions and labels of the labelled rows as positions in a list of classes: text is slow to compare."""
    import pandas as pd

    both = pd.concat([prediction[labelled], labels[labelled]], ignore_index=True)
    codes, classes = pd.factorize(both, use_na_sentinel=False)
    half = len(codes) // 2
    return codes[:half], codes[half:], [str(name) for name in classes]


def _of_classes(predicted: Array, actual: Array, classes: int) -> dict[str, float]:
    import numpy as np

    right = predicted == actual
    rows_of_class = np.bincount(actual, minlength=classes)
    right_of_class = np.bincount(actual[right], minlength=classes)
    present = rows_of_class > 0
    recalls = right_of_class[present] / rows_of_class[present]
    return {"accuracy": float(right.mean()), "balanced_accuracy": float(recalls.mean())}


def _of_one_class(predicted: Array, actual: Array) -> dict[str, float]:
    """Return precision, recall and F1 of one class, both arrays telling whether a row is of it."""
    hits, said, came = float((predicted & actual).sum()), float(predicted.sum()), float(actual.sum())
    metrics = {"f1": 2 * hits / (said + came)} if said + came else {}
    metrics |= {"precision": hits / said} if said else {}
    return metrics | ({"recall": hits / came} if came else {})


def _of_scores(score: Array, actual: Array) -> dict[str, float]:
    import numpy as np

    from modelops_jupyter.monitoring.figures.ranking import average_precision, roc_auc

    order = np.argsort(score)
    ordered, hits = score[order], actual[order]
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)  # last row of each distinct score
    positives = np.diff(np.append(0, np.cumsum(hits)[ends])).astype("float64")
    negatives = np.diff(np.append(-1, ends)) - positives
    tiny = np.finfo("float64").eps
    right = np.where(actual, score, 1 - score)
    metrics = {
        "roc_auc": roc_auc(negatives, positives).value,
        "average_precision": average_precision(negatives, positives).value,
        "brier_score": float(np.mean((score - actual) ** 2)),
        "log_loss": float(-np.mean(np.log(np.clip(right, tiny, 1 - tiny)))),
    }
    return {name: value for name, value in metrics.items() if value is not None}


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
