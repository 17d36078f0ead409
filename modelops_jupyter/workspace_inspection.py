"""A closer look at monitored windows and at tables: verbs of a `Workspace`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions import inspection, watching
from modelops_jupyter.actions.data_comparison import compare_data
from modelops_jupyter.foundations import Foundations

if TYPE_CHECKING:
    from modelops_jupyter.actions.overview import Distribution
    from modelops_jupyter.choices import FailOn, Role, WindowLength
    from modelops_jupyter.monitoring import Backtest, Explanation
    from modelops_jupyter.monitoring.explaining.multivariate import MultivariateDrift
    from modelops_jupyter.monitoring.figures.curves import PerformanceCurves
    from modelops_jupyter.monitoring.pace import WorkEvent
    from modelops_jupyter.monitoring.record.comparison import DataComparison


class InspectionVerbs(Foundations):
    """What a workspace shows of windows that were monitored.

    Every verb takes what was served. With `role` it takes what `version` predicted as shadow or canary instead; the
    version may be left out where one alone did. Without `every`, windows are of the length that the model is monitored
    in.
    """

    def distribution(
        self,
        name: str,
        column: str,
        *,
        window: str | None = None,
        every: WindowLength | None = None,
        version: int | None = None,
        role: Role = "served",
    ) -> Distribution:
        """Return a column's distribution in a window (default: the last 30 together) beside the reference's.

        Of what was served, or of what `version` predicted in another `role`; so do `curves`, `explain`,
        `multivariate_drift` and `backtest`.
        """
        length, series = watching.windows_of(self.known, name, every, version, role)
        return inspection.inspect(self.known, name, window, length, series=series).distribution(column)

    def curves(
        self,
        name: str,
        *,
        window: str | None = None,
        every: WindowLength | None = None,
        version: int | None = None,
        role: Role = "served",
    ) -> PerformanceCurves:
        """Return calibration and other curves of a window (default: the last 30 together)."""
        length, series = watching.windows_of(self.known, name, every, version, role)
        return inspection.inspect(self.known, name, window, length, series=series).curves()

    def explain(
        self,
        name: str,
        *,
        window: str | None = None,
        until: str | None = None,
        every: WindowLength | None = None,
        version: int | None = None,
        role: Role = "served",
    ) -> Explanation:
        """Search the segments that explain a fall in performance, beside the windows before it.

        Parameters
        ----------
        window, until
            Start of the first and of the last window to explain (UTC, say ``2013-07-01``); by default those of the
            latest performance alert, else the last seven with labels.
        """
        length, series = watching.windows_of(self.known, name, every, version, role)
        return watching.explain(self.known, self.sources, name, length, window, until, series)

    def multivariate_drift(
        self,
        name: str,
        *,
        window: str | None = None,
        until: str | None = None,
        every: WindowLength | None = None,
        version: int | None = None,
        role: Role = "served",
    ) -> MultivariateDrift:
        """Test whether a classifier can tell the rows of `window` to `until` (default: the last) from the 28 before."""
        length, series = watching.windows_of(self.known, name, every, version, role)
        return watching.multivariate_drift(self.known, self.sources, name, length, window, until, series)

    def backtest(
        self,
        name: str,
        *,
        every: WindowLength | None = None,
        alert_budget: str | None = None,
        version: int | None = None,
        role: Role = "served",
        on_progress: Callable[[WorkEvent], None] | None = None,
    ) -> Backtest:
        """Replay the stored windows, healthy and with faults put in: what each alert budget would tell, and how soon.

        `alert_budget` is added to the curve; None stands for the one in force. Segments are left out.
        """
        length, series = watching.windows_of(self.known, name, every, version, role)
        return watching.backtest(self.known, self.settings, name, length, alert_budget, on_progress, series)

    def compare_data(
        self,
        reference: Any,
        current: Any,
        *,
        timestamp: str | None = None,
        every: WindowLength = "1D",
        zone: str | None = None,
        alert_budget: str | None = None,
        fail_on: FailOn | None = None,
        junit: str | os.PathLike[str] | None = None,
    ) -> DataComparison:
        """Compare rows of no model with a reference; see `modelops_jupyter.compare_data`.

        Without `alert_budget` that of `modelops.toml` holds.
        """
        budget = alert_budget or self.settings.alert_budget or "1/month"
        return compare_data(
            reference,
            current,
            timestamp=timestamp,
            every=every,
            zone=zone,
            alert_budget=budget,
            fail_on=fail_on,
            junit=junit,
        )
