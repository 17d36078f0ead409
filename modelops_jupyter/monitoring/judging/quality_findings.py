"""Judging data quality: rates of rows that are missing, of the wrong type, unseen or out of range."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures import noise
from modelops_jupyter.monitoring.figures.figure import FEWEST_ROWS
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.judging.thresholds import LEVELS, LINGERING_FLOOR, Chances, Track
from modelops_jupyter.monitoring.record.results import Finding
from modelops_jupyter.profiles import ColumnProfile

Array = np.ndarray[Any, Any]
METRICS = ("null_rate", "mistyped_rate", "unseen_rate", "out_of_range_rate")
# An endless stream passes the extremes of m rows about twice in m rows.
BEYOND_EXTREMES = 2


class QualityJudge:
    """Judges the rates of one track's windows in their order."""

    def __init__(self, track: Track, allowance: float, rules: AlertRules) -> None:
        self.track, self.rules = track, rules
        self.chances = Chances(allowance, 2, 1, rules)
        profiles = track.baseline.reference.profile.columns
        self.names = tuple(profiles)
        self.before = {metric: np.array([_hits(metric, profiles[n]) for n in self.names]) for metric in METRICS}
        rates = {metric: track.rates(self.names, metric) for metric in METRICS}
        self._without_unlogged(rates["null_rate"])
        rates["mistyped_rate"] = np.nan_to_num(rates["mistyped_rate"])  # kept only where it is not zero
        self.rates = rates

    def _without_unlogged(self, null_rates: Array) -> None:
        """Take out scores that were never logged: a regression has none, and logging them is no duty."""
        if "score" in self.names:
            rates = null_rates[:, self.names.index("score")]
            # nanmin of what came up to each window: 1 means nothing yet.
            rates[np.fmin.accumulate(rates) >= 1] = np.nan

    def judge(self, i: int, segment: str) -> list[Finding]:
        """Return the findings of window `i`; those of the windows before are in the track."""
        window = self.track.windows[i]
        if window.rows < FEWEST_ROWS:
            return []
        lately = self.track.lately(i, self.rules)
        return [finding for metric in METRICS for finding in self._judge(metric, i, segment, lately)]

    def _judge(self, metric: str, i: int, segment: str, lately: set[tuple[str, str, str, str]]) -> list[Finding]:
        hits, usual_rows = self.before[metric].T
        usual = hits / np.maximum(usual_rows, 1)
        rates = self.rates[metric][i]
        floor = usual + self.rules.rate_rise
        keys = [("quality", segment, name, metric) for name in self.names]
        lingers = np.array([key in lately for key in keys])
        suspect = np.flatnonzero(
            (rates >= floor) | (lingers & (rates >= usual + LINGERING_FLOOR * self.rules.rate_rise))
        )
        if not len(suspect):
            return []
        rows = np.full(len(suspect), float(self.track.windows[i].rows))
        earlier = self.track.earlier(self.rates[metric][:, suspect], i, [keys[c] for c in suspect])
        chance = np.sqrt(usual[suspect] * (1 - usual[suspect]) / rows)
        found = []
        for level in LEVELS:
            limits = noise.share_limit(
                hits[suspect], usual_rows[suspect], rows, self.chances.of(level, earlier.repeats)
            )
            learned = earlier.limit(self.chances.of(level, earlier.repeats), chance)
            more = earlier.spread > 1.5 * chance + 1e-9
            limits = np.where(more & (learned > limits), learned, limits)
            rise = self.rules.rate_rise * (LINGERING_FLOOR if level == "lingering" else 1.0)
            limits = np.minimum(np.maximum(limits, usual[suspect] + rise), 1.0)
            for c in np.flatnonzero((rates[suspect] >= limits) & (lingers[suspect] | (level != "lingering"))):
                column = suspect[c]
                why = f"{usual[column]:.2g} of the reference's rows"
                if more[c]:
                    why += f"; {earlier.windows[c]} earlier windows differ by more than chance"
                name = self.names[column]
                found.append(
                    Finding("quality", name, metric, float(rates[column]), float(limits[c]), segment, level, why)
                )
        return found


def _hits(metric: str, column: ColumnProfile) -> tuple[float, float]:
    """Return how many rows of the reference were hit, of how many."""
    present = column.n - column.missing
    return {
        "null_rate": (float(column.missing), float(column.n)),
        "mistyped_rate": (float(column.mistyped), float(column.n)),
        "unseen_rate": (float(column.unseen), float(present)),
        "out_of_range_rate": (float(BEYOND_EXTREMES), float(present)),
    }[metric]
