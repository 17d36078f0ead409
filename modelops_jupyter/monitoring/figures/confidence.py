"""What the scores of a window lead one to expect of a binary classifier's figures."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from modelops_jupyter.monitoring.figures import classification, intervals
from modelops_jupyter.monitoring.figures.calibration import groups
from modelops_jupyter.monitoring.figures.calibrator import Calibrator
from modelops_jupyter.monitoring.figures.classification import Confusion
from modelops_jupyter.monitoring.figures.figure import Figure, figure
from modelops_jupyter.monitoring.figures.performance import headline, log_losses
from modelops_jupyter.monitoring.figures.ranking import Array
from modelops_jupyter.profiles import Binning, Profile

OF_TABLES: dict[str, Callable[[Confusion], Figure]] = {
    "accuracy": classification.accuracy,
    "balanced_accuracy": classification.balanced_accuracy,
    "f1_macro": classification.f1_macro,
    "matthews_correlation": classification.matthews_correlation,
}
RANGES = {
    "matthews_correlation": (-1.0, 1.0),
    "mean_error": (-math.inf, math.inf),
    **dict.fromkeys(("log_loss", "mean_absolute_error", "root_mean_squared_error"), (0.0, math.inf)),
}


def expected(calibrator: Calibrator, current: Profile, binning: Binning) -> dict[str, Figure]:
    """Return the expected figures, by the names of `performance`.

    A figure is a function of how many negatives and positives each cell of the score holds. Its value is that of their
    expected numbers; its error by the delta method: the labels of one cell are binomial, the probabilities learned have
    the errors of `calibrator`.
    """
    rows, scores = current.outcomes.cells.rows, current.outcomes.cells.scores
    probability, directions = calibrator.at(scores)
    positives = rows * probability
    negatives = rows - positives
    found: dict[str, Figure] = {}
    if min(negatives.sum(), positives.sum()) <= 0:
        return {name: Figure(None, "one class expected") for name in headline(binning.task, binning.positive)}
    for name, (value, slope) in {
        "roc_auc": _roc_auc(negatives, positives),
        "average_precision": _average_precision(negatives, positives),
        "brier_score": _loss(rows, probability, scores**2, (1 - scores) ** 2),
        "log_loss": _loss(rows, probability, *log_losses(scores)),
        **_of_table(rows, probability, current, binning),
    }.items():
        # The derivative by a cell's probability is the slope times its rows; by one label, the slope.
        chance = float(rows @ (probability * (1 - probability) * slope**2))
        learned = float((((rows * slope) @ directions) ** 2).sum())
        found[name] = with_range(name, value, math.sqrt(chance + learned))
    found["expected_calibration_error"] = _calibration_error(rows, scores, probability)
    return found


def with_range(name: str, value: float, error: float) -> Figure:
    """Return a figure with its normal interval, cut to the range that is possible for it."""
    return intervals.normal(value, error, *RANGES.get(name, (0.0, 1.0)))


def _roc_auc(negatives: Array, positives: Array) -> tuple[float, Array]:
    """Return the area, and how much it changes when one negative of a cell becomes a positive."""
    n, m = float(negatives.sum()), float(positives.sum())
    below = np.cumsum(negatives) - negatives + negatives / 2
    above = m - np.cumsum(positives) + positives / 2
    area = float(positives @ below / (n * m))
    return area, (below / n - area) / m - (above / m - area) / n


def _average_precision(negatives: Array, positives: Array) -> tuple[float, Array]:
    m = float(positives.sum())
    p, n = positives[::-1], negatives[::-1]
    hits = np.cumsum(p)
    said = hits + np.cumsum(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(said > 0, hits / said, 0.0)
        pull = np.where(said > 0, p / said, 0.0)
    value = float(precision @ p / m)
    # A label of cell k counts in every threshold at or below it, that is in all later places of these arrays.
    later = np.cumsum(pull[::-1])[::-1]
    return value, ((precision + later - value) / m)[::-1]


def _loss(rows: Array, probability: Array, of_negative: Array, of_positive: Array) -> tuple[float, Array]:
    total = rows.sum()
    value = float(rows @ (probability * of_positive + (1 - probability) * of_negative) / total)
    return value, (of_positive - of_negative) / total


def _of_table(rows: Array, probability: Array, current: Profile, binning: Binning) -> dict[str, tuple[float, Array]]:
    """Return the figures of the confusion table, where predictions are known to go by the score."""
    yes = _said_positive(rows, current, binning)
    if yes is None:
        return {}
    said = np.column_stack([rows - yes, yes])
    counts = [[float(said[:, i] @ part) for part in (1 - probability, probability)] for i in (0, 1)]
    table = Confusion(("negative", "positive"), np.array(counts))
    found = {}
    share = np.divide(yes, rows, out=np.zeros_like(rows), where=rows > 0)
    of_tables = {name: compute for name, compute in OF_TABLES.items() if name != "f1_macro"}
    for name, compute in {**of_tables, "f1": _f1}.items():
        value = compute(table).value
        if value is not None:
            slopes = table_slopes(compute, table)
            turned = slopes[:, 1] - slopes[:, 0]
            found[name] = (value, (1 - share) * turned[0] + share * turned[1])
    return found


def _f1(confusion: Confusion) -> Figure:
    return classification.f1(confusion, "positive")


def _said_positive(rows: Array, current: Profile, binning: Binning) -> Array | None:
    """Return how many rows of each cell were predicted positive: those of the highest scores, as many as there are."""
    column, said = binning.columns.get("prediction"), current.columns.get("prediction")
    if column is None or said is None or said.n == said.missing:
        return None
    if column.kind == "category":
        count = float(dict(zip(column.categories, said.counts, strict=True)).get(str(binning.positive), 0))
    else:
        count = column.pivot * (said.n - said.missing) + column.scale * said.powers[0]
    share = min(max(count / (said.n - said.missing), 0.0), 1.0)
    above = np.cumsum(rows[::-1])[::-1] - rows
    yes: Array = np.clip(share * rows.sum() - above, 0, rows)
    return yes


def table_slopes(compute: Callable[[Confusion], Figure], confusion: Confusion) -> Array:
    """Return the derivatives of a figure by every count of the table, by central differences."""
    slopes = np.zeros_like(confusion.table)
    step = max(confusion.rows, 1.0) * 1e-5
    for place in np.ndindex(*slopes.shape):
        sides = []
        for side in (step, -step):
            table = confusion.table.copy()
            table[place] = max(0.0, table[place] + side)
            sides.append((table[place], compute(Confusion(confusion.classes, table)).value))
        (right, high), (left, low) = sides
        if high is not None and low is not None and right > left:
            slopes[place] = (high - low) / (right - left)
    return slopes


def _calibration_error(rows: Array, scores: Array, probability: Array, bins: int = 10) -> Figure:
    """Expect the distance of share and score in ten bins, chance included: the mean of a folded normal distribution.

    Leone, Nelson and Nottingham, The folded normal distribution (Technometrics 1961).
    """
    place = groups(rows, bins)
    n, gap, variance = (
        np.bincount(place, weights=weights, minlength=bins)
        for weights in (rows.astype("float64"), rows * (probability - scores), rows * probability * (1 - probability))
    )
    some = n > 0
    n, distance, error = n[some], np.abs(gap[some]) / n[some], np.sqrt(variance[some]) / n[some]
    z = np.divide(distance, error, out=np.full(len(n), math.inf), where=error > 0)
    within = np.array([math.erf(x / math.sqrt(2)) for x in z])
    folded = error * math.sqrt(2 / math.pi) * np.exp(-(z**2) / 2) + distance * within
    return figure(float(n @ folded / n.sum()))
