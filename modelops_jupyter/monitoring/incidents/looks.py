"""What a window says of an alert: a finding, none, or nothing at all where it could not be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from modelops_jupyter.monitoring.judging.performance_findings import matured
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.record.results import Finding, Key, WindowResult, is_recent

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
    def findings(self) -> Mapping[Key, tuple[Finding, ...]]:
        """The findings of each key: one, or where all only linger, one of this window and one of the last together."""
        findings: dict[Key, tuple[Finding, ...]] = {}
        for finding in self.window.findings:
            findings[finding.key] = (*findings.get(finding.key, ()), finding)
        return findings

    def hit(self, key: Key, opened_by: str) -> Finding | None:
        """Return the finding that speaks for an alert which a metric opened; None where there is none.

        What only lingers keeps open what its own kind of look opened: a day that was odd by chance is part of the last
        week for a week, which proves nothing.
        """
        found = self.findings.get(key, ())
        of_kind = [
            f for f in found if f.level != "lingering" or not opened_by or is_recent(f.metric) == is_recent(opened_by)
        ]
        return next(iter(of_kind), None)

    def by_estimate(self, key: Key) -> bool:
        """Return whether the window has no finding of a figure that rests on labels."""
        return all(is_estimate(finding.metric) for finding in self.findings.get(key, ()))

    def judged(self, key: Key, by_estimate: bool) -> bool:
        """Return whether the window was judged by the figure of an alert.

        Parameters
        ----------
        by_estimate
            Nothing but estimates has spoken for the alert: then one that sees nothing speaks against it. What labels
            have shown, an estimate cannot take back: it knows nothing of labels.
        """
        kind, _, column, metric = key
        if self.window.holiday:
            return False
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
