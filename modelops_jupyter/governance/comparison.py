"""Two versions on the same rows: every metric with an interval for the difference, and by segment.

Intervals are percentiles of a paired bootstrap (Efron and Tibshirani 1993, chapter 13): rows are drawn with
replacement, both versions are scored on the same draw. The seed is fixed, so the same call gives the same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.presentable import Presentable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

DRAWS = 200
SMALLEST_SEGMENT = 30
MOST_SEGMENT_VALUES = 50


@dataclass(frozen=True)
class MetricComparison:
    """One metric of both versions; `low` and `high` bound the difference b - a at 95 %, None with a `reason`."""

    segment: str
    rows: int
    metric: str
    a: float | None
    b: float | None
    difference: float | None
    low: float | None
    high: float | None
    better: str
    reason: str | None = None


@dataclass(frozen=True)
class Comparison(Presentable):
    """All metrics overall (segment ``""``) and by segment."""

    a: str
    b: str
    rows: int
    metrics: tuple[MetricComparison, ...]
    conclusion: str

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain data."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per segment and metric."""
        import pandas as pd

        return pd.DataFrame([asdict(metric) for metric in self.metrics])

    def __str__(self) -> str:
        return f"{self.conclusion}\n{self.to_frame().to_string(index=False)}"


def compare(
    a: str,
    b: str,
    frame: pd.DataFrame,
    target: Array | None,
    predictions_a: Array,
    predictions_b: Array,
    scores_a: Array | None,
    scores_b: Array | None,
    task: str,
    segments: tuple[str, ...] = (),
) -> Comparison:
    """Compare what two versions said of the rows of `frame`.

    Parameters
    ----------
    target
        Outcomes, shape (n,), spelled as the predictions are; without them only agreement can be told.
    scores_a, scores_b
        Probabilities of the greater of two classes, or None.
    """
    import numpy as np

    if target is not None and len(target) != len(frame):
        raise InvalidFrame(f"data has {len(frame)} rows but target has {len(target)}: pass one outcome for each row.")
    measures = _measures(task, target, predictions_a, predictions_b, scores_a, scores_b)
    everything = np.arange(len(frame))
    slices = [("", everything)]
    for column in segments:
        for value in frame[column].value_counts().index[:MOST_SEGMENT_VALUES]:
            slices.append((f"{column}={value}", everything[(frame[column] == value).to_numpy()]))
    results = tuple(
        _one(segment, rows, name, measure, greater)
        for segment, rows in slices
        for name, (measure, greater) in measures.items()
    )
    return Comparison(a, b, len(frame), results, _conclude(a, b, results))


Measure = Callable[["Array"], tuple[float, float]]


def _measures(
    task: str, y: Array | None, pa: Array, pb: Array, sa: Array | None, sb: Array | None
) -> dict[str, tuple[Measure, bool | None]]:
    """Return the metrics that these data allow, each with whether more is better (None: neither)."""
    import numpy as np
    from sklearn import metrics as sk

    def pair(function: Callable[..., float], left: Array, right: Array, outcome: Array) -> Measure:
        return lambda rows: (float(function(outcome[rows], left[rows])), float(function(outcome[rows], right[rows])))

    if y is None or task == "decision":
        return {"agreement": (lambda rows: (1.0, float(np.mean(pa[rows] == pb[rows]))), None)}
    if task == "regression":
        return {
            "mean_absolute_error": (pair(sk.mean_absolute_error, pa, pb, y), False),
            "root_mean_squared_error": (pair(sk.root_mean_squared_error, pa, pb, y), False),
        }
    measures: dict[str, tuple[Measure, bool | None]] = {"accuracy": (pair(sk.accuracy_score, pa, pb, y), True)}
    if sa is not None and sb is not None:
        positive = (y == np.unique(np.concatenate([y, pa, pb]))[-1]).astype(int)
        measures["roc_auc"] = (pair(sk.roc_auc_score, sa, sb, positive), True)
        measures["brier_score"] = (pair(sk.brier_score_loss, sa, sb, positive), False)
        log_loss = lambda t, s: sk.log_loss(t, s, labels=[0, 1])  # noqa: E731
        measures["log_loss"] = (pair(log_loss, sa, sb, positive), False)
    return measures


def _one(segment: str, rows: Array, name: str, measure: Measure, greater: bool | None) -> MetricComparison:
    import warnings

    import numpy as np

    def nothing(reason: str) -> MetricComparison:
        return MetricComparison(segment, len(rows), name, None, None, None, None, None, "neither", reason)

    if len(rows) < SMALLEST_SEGMENT:
        return nothing(f"fewer than {SMALLEST_SEGMENT} rows")
    generator = np.random.default_rng(20130401)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of one-class draws, which are dropped below
        try:
            left, right = measure(rows)
            draws = [measure(rows[generator.integers(0, len(rows), len(rows))]) for _ in range(DRAWS)]
        except ValueError as error:
            return nothing(str(error))
    differences = [y - x for x, y in draws if np.isfinite(x) and np.isfinite(y)]
    if not np.isfinite(left) or not np.isfinite(right) or len(differences) < DRAWS // 2:
        return nothing("one class only")
    low, high = (float(value) for value in np.percentile(differences, [2.5, 97.5]))
    better = "neither"
    if greater is not None and (low > 0 or high < 0):
        better = "b" if (low > 0) == greater else "a"
    return MetricComparison(segment, len(rows), name, left, right, right - left, low, high, better)


def _conclude(a: str, b: str, results: tuple[MetricComparison, ...]) -> str:
    whole = [result for result in results if not result.segment]
    named = {"a": a, "b": b}
    sure = [f"{named[r.better]} on {r.metric}" for r in whole if r.better != "neither"]
    if sure:
        return f"Better beyond chance: {', '.join(sure)}."
    agreement = next((r.b for r in whole if r.metric == "agreement"), None)
    if agreement is not None:
        return f"{a} and {b} agree on {agreement:.1%} of the rows."
    return f"{a} and {b} do not differ beyond chance on these rows."
