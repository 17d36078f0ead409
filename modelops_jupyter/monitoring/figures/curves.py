"""What is computed of a profile when somebody looks: curves, and figures at a share of the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelops_jupyter.monitoring.figures import ranking
from modelops_jupyter.monitoring.figures.calibration import reliability
from modelops_jupyter.monitoring.figures.regression import error_quantile
from modelops_jupyter.presentable import Presentable
from modelops_jupyter.profiles import Binning, Profile

if TYPE_CHECKING:
    import pandas as pd

LATER = ("numpy.ma",)  # `numpy.unique` looks whether it is given a masked array
POINTS = 200
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class PerformanceCurves(Presentable):
    """Curves of one window, each a mapping from the name of an axis to its values; empty where it does not apply.

    Attributes
    ----------
    roc : mapping
        ``false_positive_rate``, ``true_positive_rate``.
    precision_recall : mapping
        ``recall``, ``precision``.
    calibration : mapping
        ``score``, ``share``, ``low``, ``high``, ``rows``, over ten bins of equal numbers of rows.
    gains : mapping
        ``top`` (a share of the rows, highest scores first), ``gain``, ``lift``.
    errors : mapping
        ``share`` and ``quantile`` of prediction minus label.
    confusion : mapping
        Rows by prediction, then label.
    series : str
        ``version 2 as shadow``; empty for what was served.
    """

    roc: Mapping[str, Sequence[float]] = field(default_factory=dict)
    precision_recall: Mapping[str, Sequence[float]] = field(default_factory=dict)
    calibration: Mapping[str, Sequence[float]] = field(default_factory=dict)
    gains: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    errors: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    confusion: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    series: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the curves as plain data."""
        return {**self._curves(), "series": self.series}

    def _curves(self) -> dict[str, dict[str, Any]]:
        return {name: dict(getattr(self, name)) for name in self.__dataclass_fields__ if name != "series"}

    def to_frame(self) -> pd.DataFrame:
        """Return a tidy table: a row per curve, point and axis."""
        import pandas as pd

        rows = [
            (curve, number, axis, value)
            for curve, axes in self._curves().items()
            if curve != "confusion"
            for axis, values in axes.items()
            for number, value in enumerate(values)
        ]
        return pd.DataFrame(rows, columns=["curve", "point", "axis", "value"])

    def __str__(self) -> str:
        drawn = [name for name, axes in self._curves().items() if axes]
        curves = f"Curves of {self.series}" if self.series else "Curves"
        return f"{curves}: {', '.join(drawn)}." if drawn else "No labels: there is no curve to draw."


def performance_curves(profile: Profile, binning: Binning) -> PerformanceCurves:
    """Return the curves of a window; each has 200 points at most."""
    outcomes = profile.outcomes
    if binning.task == "regression":
        found = [error_quantile(outcomes, binning.errors, share).value for share in QUANTILES]
        return PerformanceCurves(errors={"share": QUANTILES, "quantile": found} if outcomes.labelled else {})
    if not outcomes.scored:
        return PerformanceCurves(confusion=outcomes.confusion)
    cells = outcomes.cells.labelled
    negatives, positives = cells.negatives, cells.positives
    false, true = ranking.roc_curve(negatives, positives)
    precision, recall = ranking.precision_recall_curve(negatives, positives)
    curve = reliability(cells)
    return PerformanceCurves(
        roc=_thin({"false_positive_rate": false, "true_positive_rate": true}),
        precision_recall=_thin({"recall": recall, "precision": precision}),
        calibration={name: getattr(curve, name).tolist() for name in ("score", "share", "low", "high", "rows")},
        gains={
            "top": SHARES,
            "gain": [ranking.gain(negatives, positives, top).value for top in SHARES],
            "lift": [ranking.lift(negatives, positives, top).value for top in SHARES],
        },
        confusion=outcomes.confusion,
    )


def _thin(axes: Mapping[str, Any]) -> dict[str, list[float]]:
    """Keep every so many points, first and last always."""
    import numpy as np

    length = len(next(iter(axes.values())))
    kept = np.unique(np.linspace(0, length - 1, min(POINTS, length)).round().astype(int))
    return {name: values[kept].tolist() for name, values in axes.items()}
