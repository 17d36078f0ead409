"""What a window says of an alert: a finding, none, or nothing at all where it could not be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from modelops_jupyter.monitoring.judging.performance_findings import matured
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.record.results import Finding, Key, WindowResult

OF_LABELS = ("performance", "concept")
_ESTIMATED = "estimated_"


def is_estimate(metric: str) -> bool:
    """Return whether a finding is of a figure that was estimated before labels came."""
    return metric.startswith(_ESTIMATED)


@dataclass(frozen=True)
class Look:
    """One window as alerts see it.

    Attributes
    ----------
    mature : bool
        Whether about as many labels have come as usual.
    """

    window: WindowResult
    mature: bool

    @property
    def start(self) -> str:
        """Start of the window."""
        return self.window.window_start

    @cached_property
    def findings(self) -> Mapping[Key, Finding]:
        """The first finding of each key."""
        findings: dict[Key, Finding] = {}
        for finding in self.window.findings:
            findings.setdefault(finding.key, finding)
        return findings

    def by_estimate(self, key: Key) -> bool:
        """Return whether the window has no finding of a figure that rests on labels."""
        finding = self.findings.get(key)
        return finding is None or is_estimate(finding.metric)

    def judged(self, key: Key, by_estimate: bool) -> bool:
        """Return whether the window was judged by the figure of an alert.

        Parameters
        ----------
        by_estimate
            Nothing but estimates has spoken for the alert: then one that sees nothing speaks against it. What labels
            have shown, an estimate cannot take back: it knows nothing of labels.
        """
        kind, _, column, metric = key
        if key in self.findings:
            return True
        if kind in OF_LABELS:
            estimate = self.window.estimated.get(metric, {}).get("value")
            return self.mature or (by_estimate and kind == "performance" and estimate is not None)
        figures = self.window.drift.get(column) if column else None
        return not figures or any(figure.get("value") is not None for figure in figures.values())


def looks_of(windows: Sequence[WindowResult], rules: AlertRules) -> list[Look]:
    """Return the windows of one segment, oldest first, as alerts see them."""
    return [Look(window, bool(mature)) for window, mature in zip(windows, matured(windows, rules), strict=True)]
