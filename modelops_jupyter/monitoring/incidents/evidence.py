"""What is known beside the alerts: windows, importance of features, accuracy on the reference, prices."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from modelops_jupyter.monitoring.figures.baseline import Baseline, Baselines
from modelops_jupyter.monitoring.figures.figure import Figure
from modelops_jupyter.monitoring.incidents.error_loss import METRIC, ErrorExcess, excess_error
from modelops_jupyter.monitoring.incidents.loss import Excess, wrong_decisions
from modelops_jupyter.monitoring.record.results import WindowResult
from modelops_jupyter.profiles import Reference
from modelops_jupyter.settings import UseCase
from modelops_jupyter.store import Store


@dataclass(frozen=True)
class Evidence:
    """What is known beside the alerts.

    Attributes
    ----------
    windows : sequence of WindowResult
        The judged windows of the model, those of segments too; of those on record before them as many as are at hand.
    earlier : callable or None
        Returns those on record from one start on and before another.
    importance : mapping of int to mapping of str to float
        Per version, each feature's share of all importance.
    accuracy : mapping of int to Figure
        Per version, the share of right decisions on its reference, with its interval.
    of_segment : callable or None
        Returns the same of a segment of a version's reference; None where that has too few labels.
    cost_per_error : float or None
        What a wrong decision costs, in `currency`.
    errors : mapping of int to Figure
        Per version of a regression, the mean absolute error on its reference, with its standard error.
    settled : str
        What lies before this start is as it was when incidents were last looked at.
    every : str
        The length of the windows; empty where it does not matter.
    """

    windows: Sequence[WindowResult] = ()
    importance: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    accuracy: Mapping[int, Figure] = field(default_factory=dict)
    cost_per_error: float | None = None
    currency: str = ""
    earlier: Callable[[str, str], Sequence[WindowResult]] | None = None
    settled: str = ""
    of_segment: Callable[[int, str], Figure | None] | None = None
    errors: Mapping[int, Figure] = field(default_factory=dict)
    every: str = ""

    def excess_error(self, windows: Sequence[WindowResult]) -> ErrorExcess | None:
        """Return how much greater the absolute error of the whole windows was than on the reference."""
        own = [window for window in windows if not window.segment]
        return excess_error(own, self.errors, self._before(own, ""))

    def _before(self, own: Sequence[WindowResult], segment: str) -> list[WindowResult]:
        """Return the windows before these whose results are not in doubt: they show how healthy ones differ."""
        first = min((window.window_start for window in own), default="")
        return [w for w in self.windows if w.segment == segment and w.window_start < first and not _fallen(w)]

    def excess(self, windows: Sequence[WindowResult], segment: str = "") -> Excess | None:
        """Return the wrong decisions of the windows beyond what their own part of the reference made expect."""
        own, accuracy = [window for window in windows if window.segment == segment], self.accuracy
        if segment:
            versions = {window.version or 0 for window in own} if self.of_segment else set()
            found = {version: self.of_segment(version, segment) for version in versions} if self.of_segment else {}
            accuracy = {version: value for version, value in found.items() if value is not None}
        return wrong_decisions(own, accuracy, self._before(own, segment))

    def within(self, first: str, last: str) -> list[WindowResult]:
        """Return the windows that start from `first` to `last`, oldest first."""
        held = min((window.window_start for window in self.windows), default=first)
        before = self.earlier(first, held) if self.earlier and first < held else ()
        return [window for window in (*before, *self.windows) if first <= window.window_start <= last]

    @property
    def basis(self) -> str:
        """A digest of what is known beside the windows."""
        accuracy = {version: found.to_dict() for version, found in self.accuracy.items()}
        errors = {version: found.to_dict() for version, found in self.errors.items()}
        known = [self.importance, accuracy, errors, self.cost_per_error, self.currency]
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def gather_evidence(
    store: Store,
    model: str,
    windows: Sequence[WindowResult],
    references: Mapping[int, Reference],
    use_case: UseCase | None,
    earlier: Callable[[str, str], Sequence[WindowResult]] | None = None,
) -> Evidence:
    """Collect what is on record about a model's versions and its use case."""
    importance, baselines = {}, Baselines(references)
    accuracy: dict[int, Figure] = {}
    errors: dict[int, Figure] = {}
    for record in store.find("version", model):
        importance[int(record.body["version"])] = record.body.get("importance", {}).get("shares", {})
    for version in references:
        for metric, found in (("accuracy", accuracy), (METRIC, errors)):
            figure = _known(baselines.of(version), metric)
            if figure is not None:
                found[version] = figure

    def of_segment(version: int, segment: str) -> Figure | None:
        slices = references[version].segments.values() if version in references else ()
        is_sliced = any(segment in own for own in slices)
        return _known(baselines.of_segment(version, segment), "accuracy") if is_sliced else None

    case = use_case or UseCase()
    prices = case.cost_per_error, case.currency
    return Evidence(windows, importance, accuracy, *prices, earlier, of_segment=of_segment, errors=errors)


def _fallen(window: WindowResult) -> bool:
    """Tell whether a window's own results are in doubt, so that it does not show how healthy ones differ."""
    return any(finding.kind == "performance" for finding in window.findings)


def _known(baseline: Baseline, metric: str) -> Figure | None:
    found = baseline.performance.get(metric)
    return found if found is not None and found.value is not None else None
