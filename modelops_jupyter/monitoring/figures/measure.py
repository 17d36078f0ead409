"""Measuring: every figure of a window, from its profile and the reference's, without judgement."""

from __future__ import annotations

from datetime import datetime

from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.concept import concept_drift
from modelops_jupyter.monitoring.figures.described import plainest_change
from modelops_jupyter.monitoring.figures.drift import drift
from modelops_jupyter.monitoring.figures.estimation import estimate
from modelops_jupyter.monitoring.figures.learned import Recent
from modelops_jupyter.monitoring.figures.performance import performance
from modelops_jupyter.monitoring.figures.quality import column_quality, new_values, vanished_values, window_quality
from modelops_jupyter.monitoring.record.results import VANISHED, WindowResult
from modelops_jupyter.profiles import Profile, Reference


def measure_window(
    reference: Reference | Baseline,
    current: Profile,
    start: datetime,
    end: datetime,
    *,
    recent: Recent | None = None,
) -> WindowResult:
    """Compute every figure of a window; its findings are for `judge_window` to say.

    Whoever measures many windows against one reference gives its `Baseline`, so that it is prepared once.
    `recent` is what the windows before teach the estimate.
    """
    baseline = reference if isinstance(reference, Baseline) else Baseline(reference)
    before, binning = baseline.reference.profile, baseline.reference.binning
    realised = performance(current, binning.task, binning.positive)
    columns = drift(baseline, current)
    for name, figures in columns.items():
        figures |= column_quality(before.columns[name], current.columns[name])
    found = {name: {m: figure.to_dict() for m, figure in metrics.items()} for name, metrics in columns.items()}
    for name in found:
        if values := new_values(current.columns[name]):
            found[name]["unseen_rate"]["with"] = values
        categories = binning.columns[name].categories
        if categories and (gone := vanished_values(before.columns[name], current.columns[name], categories)):
            found[name][VANISHED]["with"] = gone
    for source, derived in binning.sources.items():
        if source not in derived and (change := plainest_change(before.columns, current.columns, derived)):
            for name in derived:
                found[name][VANISHED].setdefault("with", change)  # a weekday that is gone says more of weekdays
    quality = {name: figure.to_dict() for name, figure in window_quality(current, end).items()}
    if current.sample.keys:
        codes = current.sample.table
        for name, bond in baseline.bonds.changes(codes).items():
            found[name]["dependence"] = bond.to_dict()
        unseen, pair = baseline.bonds.unseen(codes)
        quality["unseen_combinations"] = {**unseen.to_dict(), "with": pair}
    return WindowResult(
        window_start=start.isoformat(),
        window_end=end.isoformat(),
        rows=current.rows,
        labelled=current.outcomes.labelled,
        versions={str(version): rows for version, rows in sorted(current.versions.items())},
        performance={name: figure.to_dict() for name, figure in realised.items()},
        drift=found,
        findings=(),
        estimated={name: figure.to_dict() for name, figure in estimate(baseline, current, recent).items()},
        concept={name: figure.to_dict() for name, figure in concept_drift(baseline, current).items()},
        quality=quality,
    )
