"""Two versions on the same rows: every metric with an interval for the difference, and by segment.

Intervals are percentiles of a paired bootstrap (Efron and Tibshirani 1993, chapter 13): rows are drawn with
replacement, both versions are scored on the same draw. The seed is fixed, so the same call gives the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from modelops_jupyter.errors import InvalidFrame
from modelops_jupyter.governance.changes import DecisionChange, changes_text, decision_changes, sentence
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
    """All metrics overall (segment ``""``) and by segment; of decision tables also what became what.

    `remark` says which labels are of no class of either version.
    """

    a: str
    b: str
    rows: int
    metrics: tuple[MetricComparison, ...]
    conclusion: str
    changes: tuple[DecisionChange, ...] = ()
    remark: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain data."""
        return asdict(self)

    def to_frame(self) -> pd.DataFrame:
        """Return a row per segment and metric."""
        import pandas as pd

        return pd.DataFrame([asdict(metric) for metric in self.metrics])

    def __str__(self) -> str:
        frame = self.to_frame()
        empty = [name for name in ("segment", "reason") if not any(frame[name])]  # no segments; no metric without value
        text = f"{self.conclusion}\n{frame.drop(columns=empty).to_string(index=False, na_rep='-')}"
        text = f"{text}\n{self.remark}." if self.remark else text
        return f"{text}\n{changes_text(self.changes, self.a, self.b)}" if self.changes else text


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
    everything = np.arange(len(frame))
    slices = [("", everything)]
    for column in segments:
        for value in frame[column].value_counts().index[:MOST_SEGMENT_VALUES]:
            slices.append((f"{column}={value}", everything[(frame[column] == value).to_numpy()]))
    measures = _measures(task, target, predictions_a, predictions_b, scores_a, scores_b)
    results = tuple(result for segment, rows in slices for result in _segment(segment, rows, measures))
    changes = decision_changes(slices, predictions_a, predictions_b) if task == "decision" else ()
    return Comparison(a, b, len(frame), results, _conclude(a, b, results, changes), changes)


@dataclass(frozen=True)
class _Measure:
    """A metric of both versions: `of` takes rows and how often each was drawn; `greater` is None if it ranks nobody."""

    name: str
    greater: bool | None
    of: Callable[[Array, Array], tuple[float, float]]
    undefined: str = "one class only"


def _measures(
    task: str, y: Array | None, pa: Array, pb: Array, sa: Array | None, sb: Array | None
) -> tuple[_Measure, ...]:
    """Return the metrics that these data allow."""
    import numpy as np

    if y is None or task not in ("classification", "regression"):
        return (_mean("agreement", None, np.ones(len(pa)), (pa == pb).astype(float)),)
    if task == "regression":
        squares = _mean("", False, (pa - y) ** 2, (pb - y) ** 2).of

        def root(rows: Array, drawn: Array) -> tuple[float, float]:
            left, right = squares(rows, drawn)
            return left**0.5, right**0.5

        return (
            _mean("mean_absolute_error", False, np.abs(pa - y), np.abs(pb - y)),
            _Measure("root_mean_squared_error", False, root),
            _Measure("r2", True, _r2_of_both(y, squares), "labels of one value only"),
        )
    accuracy = _mean("accuracy", True, (pa == y).astype(float), (pb == y).astype(float))
    if sa is None or sb is None:
        return (accuracy,)
    positive = (y == np.unique(np.concatenate([y, pa, pb]))[-1]).astype(float)
    return (
        accuracy,
        _Measure("roc_auc", True, _auc_of_both(positive, sa, sb)),
        _mean("brier_score", False, (sa - positive) ** 2, (sb - positive) ** 2),
        _mean("log_loss", False, _log_losses(positive, sa), _log_losses(positive, sb)),
    )


def _r2_of_both(y: Array, squares: Callable[[Array, Array], tuple[float, float]]) -> Callable[..., tuple[float, float]]:
    """Return the coefficient of determination of weighted rows; NaN where their labels are one value."""

    def of(rows: Array, drawn: Array) -> tuple[float, float]:
        left, right = squares(rows, drawn)
        mean = y[rows] @ drawn / drawn.sum()
        spread = float((y[rows] - mean) ** 2 @ drawn / drawn.sum())
        return (1 - left / spread, 1 - right / spread) if spread > 0 else (float("nan"), float("nan"))

    return of


def _mean(name: str, greater: bool | None, left: Array, right: Array) -> _Measure:
    """Return a metric that is the mean of a figure per row."""

    def of(rows: Array, drawn: Array) -> tuple[float, float]:
        total = drawn.sum()
        return float(left[rows] @ drawn / total), float(right[rows] @ drawn / total)

    return _Measure(name, greater, of)


def _log_losses(positive: Array, score: Array) -> Array:
    import numpy as np

    tiny = np.finfo(np.float64).eps
    known = np.clip(score, tiny, 1 - tiny)
    losses: Array = -(positive * np.log(known) + (1 - positive) * np.log(1 - known))
    return losses


def _auc_of_both(positive: Array, sa: Array, sb: Array) -> Callable[[Array, Array], tuple[float, float]]:
    """Return the area under the ROC curve as a rank statistic with ties counted half (Hanley and McNeil 1982)."""
    import numpy as np

    ranks = [np.unique(score, return_inverse=True)[1] for score in (sa, sb)]

    def of(rows: Array, drawn: Array) -> tuple[float, float]:
        found = []
        for rank in ranks:
            positives = np.bincount(rank[rows], weights=drawn * positive[rows])
            negatives = np.bincount(rank[rows], weights=drawn * (1 - positive[rows]))
            below = np.cumsum(negatives) - negatives
            pairs = positives.sum() * negatives.sum()
            found.append(float(positives @ (below + negatives / 2) / pairs) if pairs else float("nan"))
        return found[0], found[1]

    return of


def _segment(segment: str, rows: Array, measures: tuple[_Measure, ...]) -> Iterator[MetricComparison]:
    """Return every metric of one segment, all on the same draws."""
    import numpy as np

    if len(rows) < SMALLEST_SEGMENT:
        for m in measures:
            yield _without(segment, rows, m, f"fewer than {SMALLEST_SEGMENT} rows")
        return
    generator = np.random.default_rng(20130401)
    draws: list[list[tuple[float, float]]] = [[] for _ in measures]
    for _ in range(DRAWS):
        drawn = np.bincount(generator.integers(0, len(rows), len(rows)), minlength=len(rows)).astype(float)
        for m, found in zip(measures, draws, strict=True):
            found.append(m.of(rows, drawn))
    for m, found in zip(measures, draws, strict=True):
        left, right = m.of(rows, np.ones(len(rows)))
        differences = [y - x for x, y in found if np.isfinite(x) and np.isfinite(y)]
        if not np.isfinite(left) or not np.isfinite(right) or len(differences) < DRAWS // 2:
            yield _without(segment, rows, m, m.undefined)
            continue
        low, high = (float(value) for value in np.percentile(differences, [2.5, 97.5]))
        better = "neither"
        if m.greater is not None and (low > 0 or high < 0):
            better = "b" if (low > 0) == m.greater else "a"
        yield MetricComparison(segment, len(rows), m.name, left, right, right - left, low, high, better)


def _without(segment: str, rows: Array, measure: _Measure, reason: str) -> MetricComparison:
    return MetricComparison(segment, len(rows), measure.name, None, None, None, None, None, "neither", reason)


def _conclude(a: str, b: str, results: tuple[MetricComparison, ...], changes: tuple[DecisionChange, ...]) -> str:
    whole = [result for result in results if not result.segment]
    named = {"a": a, "b": b}
    sure = [f"{named[r.better]} on {r.metric}" for r in whole if r.better != "neither"]
    if sure:
        return f"Better beyond chance: {', '.join(sure)}."
    agreement = next((r.b for r in whole if r.metric == "agreement"), None)
    if agreement is not None:
        most = next((change for change in changes if change.changed and not change.segment), None)
        also = "" if most is None else f"; most often {sentence(most)}"
        return f"{a} and {b} agree on {agreement:.1%} of the rows{also}."
    return f"{a} and {b} do not differ beyond chance on these rows."
