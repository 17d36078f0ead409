"""Multivariate drift: can a classifier tell rows of now from rows of before? It sees what no single column shows."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from modelops_jupyter.errors import InvalidInput, NotFound
from modelops_jupyter.monitoring.explaining.logged import rows_of
from modelops_jupyter.monitoring.figures import intervals
from modelops_jupyter.monitoring.figures.figure import Figure
from modelops_jupyter.monitoring.figures.ranking import Array
from modelops_jupyter.monitoring.kept import load_series, zone_of
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.profiles import time_of, with_derived
from modelops_jupyter.roles import SERVICE, Series

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from modelops_jupyter.log import PredictionSource
    from modelops_jupyter.profiles import Reference
    from modelops_jupyter.store import Store

# What the classifier takes, which is imported no sooner than it is asked for.
LATER = ("pandas", "sklearn.ensemble")
OUTPUTS, BEFORE = ("prediction", "score"), 28
FOLDS, MOST_ROWS, FEWEST_ROWS, MOST_CODES = 4, 4000, 60, 200


@dataclass(frozen=True)
class ColumnShare:
    """How much the ROC AUC falls when one column is shuffled: its part in telling both apart."""

    column: str
    fall: float


@dataclass(frozen=True)
class MultivariateDrift(Presentable):
    """Whether rows of now and of before come from one joint distribution.

    Attributes
    ----------
    roc_auc : Figure
        Of a classifier that tells now from before, on rows it has not seen: 0.5 if both are alike. `p_value` is
        one-sided, under rows drawn one by one.
    dependence : Figure
        The same after every numeric column was replaced by its rank within its own side: what remains is how columns
        hang together, whatever each of them did alone. Numeric columns only.
    columns : tuple of ColumnShare
        Greatest fall first.
    """

    roc_auc: Figure
    dependence: Figure
    columns: tuple[ColumnShare, ...]
    rows_before: int
    rows_now: int
    series: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data."""
        figures = {"roc_auc": self.roc_auc.to_dict(), "dependence": self.dependence.to_dict()}
        return {**asdict(self), **figures}

    def to_frame(self) -> pd.DataFrame:
        """Return a row per column."""
        import pandas as pd

        return pd.DataFrame([asdict(share) for share in self.columns], columns=["column", "fall"])

    def __str__(self) -> str:
        head = f"{self.series}: " if self.series else ""
        head += f"{self.rows_now:,} rows of now and {self.rows_before:,} of before: {_words(self.roc_auc)}; "
        shares = ", ".join(f"{share.column} {share.fall:.3f}" for share in self.columns[:5] if share.fall > 0)
        return f"{head}by dependence alone: {_words(self.dependence)}." + (f" Columns: {shares}." if shares else "")


def _words(figure: Figure) -> str:
    if figure.value is None:
        return f"no figure, {figure.reason}"
    return f"told apart with ROC AUC {figure.value:.3f} (p = {figure.p_value:.2g})"


def two_sample_test(before: pd.DataFrame, now: pd.DataFrame, *, seed: int = 0) -> MultivariateDrift:
    """Test whether two tables of the same columns come from one joint distribution.

    The classifier two-sample test (Lopez-Paz and Oquab, Revisiting classifier two-sample tests, ICLR 2017) with
    gradient-boosted trees, four folds and at most 4,000 rows of each side; the p-value is of the mean of the folds'
    areas, with DeLong's error and the correction of Nadeau and Bengio (Inference for the generalization error, Machine
    Learning 2003). Values that are missing are a value of their own; of texts, those of the 200 most frequent are told
    apart.
    """
    generator = np.random.default_rng(seed)
    left, right = _drawn(before, generator), _drawn(now, generator)
    columns = [name for name in before.columns if name in now.columns and _varies(left[name], right[name])]
    if min(len(left), len(right)) < FEWEST_ROWS or not columns:
        reason = Figure(None, "too few rows" if columns else "no columns")
        return MultivariateDrift(reason, reason, (), len(left), len(right))
    numeric = [name for name in columns if _is_number(left[name]) and _is_number(right[name])]
    features = np.column_stack([_coded(left[name], right[name], name in numeric) for name in columns])
    is_now = np.repeat([False, True], [len(left), len(right)])
    fold = _folds(is_now, generator)
    found, shares = _cross_fitted(features, is_now, fold, generator, ranked=False)
    dependence = Figure(None, "fewer than two numeric columns")
    if len(numeric) > 1:
        places = [columns.index(name) for name in numeric]
        dependence, _ = _cross_fitted(features[:, places], is_now, fold, generator, ranked=True)
    ordered = sorted(zip(columns, shares, strict=True), key=lambda pair: -pair[1])
    named = tuple(ColumnShare(str(name), float(fall)) for name, fall in ordered)
    return MultivariateDrift(found, dependence, named, len(left), len(right))


def _drawn(rows: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    if len(rows) <= MOST_ROWS:
        return rows
    return rows.iloc[np.sort(generator.choice(len(rows), MOST_ROWS, replace=False))]


def _varies(before: pd.Series, now: pd.Series) -> bool:
    """Tell whether a column has two values at least; a missing one counts."""
    return len(set(before.unique()) | set(now.unique())) > 1 and not (before.isna().all() and now.isna().all())


def _is_number(values: pd.Series) -> bool:
    return bool(values.dtype.kind in "iufb")


def _coded(before: pd.Series, now: pd.Series, numeric: bool) -> Array:
    """Return a column of both sides as numbers, NaN where missing; texts by falling frequency."""
    import pandas as pd

    both = pd.concat([before, now], ignore_index=True)
    if numeric:
        numbers: Array = both.astype("float64").to_numpy(copy=True)
        numbers[~np.isfinite(numbers)] = np.nan
        return numbers
    words = both.astype("str").where(both.notna(), None)
    codes = {word: float(n) for n, word in enumerate(words.value_counts().index[:MOST_CODES])}
    found: Array = words.map(lambda word: codes.get(word, float(MOST_CODES)), na_action="ignore").to_numpy("float64")
    return found


def _ranked(values: Array, is_now: Array, held: Array, generator: np.random.Generator) -> Array:
    """Return each side's values as ranks over 0 to 1 among that side's values outside the fold `held`.

    Equal values come in an order by chance and every rank is moved within its step by chance: otherwise the steps
    themselves would tell a side of 1,000 rows from one of 2,000. Ranks among all rows would make the rows of a fold
    what the others lack.
    """
    ranks = np.full(len(values), np.nan)
    for side in (is_now, ~is_now):
        present = side & np.isfinite(values)
        known = np.sort(values[present & ~held])
        if len(known):
            first, last = (np.searchsorted(known, values[present], side=end) for end in ("left", "right"))
            steps = generator.random(len(first)) * np.maximum(last - first, 1)
            ranks[present] = (first + steps) / len(known)
    return ranks


def _folds(is_now: Array, generator: np.random.Generator) -> Array:
    """Return each row's fold; both sides are dealt out evenly."""
    fold = np.zeros(len(is_now), dtype=int)
    for side in (is_now, ~is_now):
        fold[side] = generator.permutation(int(side.sum())) % FOLDS
    return fold


def _cross_fitted(
    given: Array, is_now: Array, fold: Array, generator: np.random.Generator, *, ranked: bool
) -> tuple[Figure, Array]:
    """Return the mean area of the folds, and what it falls by when each column is shuffled, ranks left out."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # heavy: not before it is needed
    from threadpoolctl import threadpool_limits

    areas, variances, falls = [], [], np.zeros(given.shape[1])
    for number in range(FOLDS):
        held = fold == number
        features = given
        if ranked:
            features = np.column_stack([_ranked(column, is_now, held, generator) for column in given.T])
        model = HistGradientBoostingClassifier(
            max_iter=60, max_leaf_nodes=15, min_samples_leaf=10, early_stopping=False, random_state=0
        )
        with threadpool_limits(1):  # threads that wait for each other cost more than so few rows
            model.fit(features[~held], is_now[~held])
            area, error = _area(model.decision_function(features[held]), is_now[held])
            if not ranked:
                falls += _falls(model, features[held], is_now[held], area, generator) / FOLDS
        areas.append(area)
        variances.append(error**2)
    # Folds share rows to learn from: their mean varies more than that of independent ones would.
    value, error = float(np.mean(areas)), math.sqrt(float(np.mean(variances)) * (1 / FOLDS + 1 / (FOLDS - 1)))
    tested = intervals.normal(value, error, 0.0, 1.0)
    p_value = 0.5 * math.erfc((value - 0.5) / error / math.sqrt(2)) if error else float(value <= 0.5)
    return Figure(tested.value, None, tested.low, tested.high, p_value, None, tested.error), falls


def _falls(model: Any, features: Array, is_now: Array, area: float, generator: np.random.Generator) -> Array:
    falls = np.zeros(features.shape[1])
    for column in range(features.shape[1]):
        shuffled = features.copy()
        shuffled[:, column] = generator.permutation(shuffled[:, column])
        falls[column] = area - _area(model.decision_function(shuffled), is_now)[0]
    return falls


def _area(score: Array, is_now: Array) -> tuple[float, float]:
    """Return the area under the ROC curve and its standard error."""
    _, cell = np.unique(score, return_inverse=True)
    counts = [np.bincount(cell[side], minlength=cell.max() + 1).astype(float) for side in (~is_now, is_now)]
    below = np.cumsum(counts[0]) - counts[0] / 2
    area = float(counts[1] @ below / counts[0].sum() / counts[1].sum())
    return area, intervals.roc_auc_error(*counts)


def multivariate_drift(
    model: str,
    *,
    store: Store,
    log: PredictionSource,
    references: Mapping[int, Reference],
    every: str = "1D",
    window: str | None = None,
    until: str | None = None,
    series: Series = SERVICE,
) -> MultivariateDrift:
    """Test logged rows of some windows against those of the windows before; see `Workspace.multivariate_drift`.

    Raises
    ------
    NotFound
        If the model was never monitored, or has no such window.
    InvalidInput
        If there is no window before.
    """
    whole = [w for w in load_series(store, model, every, series).windows if not w.segment]
    if not whole or not references:
        raise NotFound(f"{model!r} has no monitored windows of {every}: run `modelops monitor` first.")
    zone = zone_of(store, model, every)
    first = time_of(window, zone) if window is not None else datetime.fromisoformat(whole[-1].window_start)
    last = time_of(until, zone) if until is not None else first
    now = [w for w in whole if w.touches(first, last)]
    before = [w for w in whole if datetime.fromisoformat(w.window_end) <= first][-BEFORE:]
    if not now:
        raise NotFound(f"{model!r} has no window that starts at {window}: see `modelops monitor`.")
    if not before:
        raise InvalidInput(f"There is no window before {window or whole[-1].window_start} to compare with.")
    rows, number, is_now = rows_of(log, model, before, now, series)
    served = max(references, key=lambda version: (sum(w.versions.get(str(version), 0) for w in now), version))
    rows = with_derived(rows, references[served].binning)
    columns = [name for name in references[served].binning.columns if name in rows.column_names and name not in OUTPUTS]
    frame = rows.select(columns).to_pandas()
    found = two_sample_test(frame[~is_now[number]], frame[is_now[number]])
    return replace(found, series=str(series)) if series.key else found
