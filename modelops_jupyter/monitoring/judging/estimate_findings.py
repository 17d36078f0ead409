"""Judging estimated performance, as long as a window's labels are still to come."""

from __future__ import annotations

import math

import numpy as np

from modelops_jupyter.monitoring.judging.history import FEWEST
from modelops_jupyter.monitoring.judging.performance_findings import (
    UNKNOWN_SPREAD,
    Array,
    Bounds,
    judged_metrics,
    numbers_of,
)
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.judging.thresholds import LEVELS, Chances, Track
from modelops_jupyter.monitoring.record.results import Finding

# Estimates hold none of the chance of labels; however alike the ones before were, they stray by so much of it.
LEAST_SPREAD = 0.2


class EstimateJudge:
    """Judges the estimated figures of one track's windows; `mature` are those whose realised figures count instead."""

    def __init__(self, track: Track, allowance: float, rules: AlertRules, mature: Array) -> None:
        self.track, self.rules, self.mature = track, rules, mature
        self.chances = Chances(allowance, 2, 1, rules)
        self.expected = judged_metrics(track.baseline)
        figures = [window.estimated for window in track.windows]
        self.values = {metric: numbers_of(figures, metric, "value") for metric in self.expected}
        self.errors = {metric: numbers_of(figures, metric, "error") for metric in self.expected}

    def judge(self, i: int, segment: str) -> list[Finding]:
        """Return the findings of window `i`; those of the windows before are in the track."""
        if self.mature[i]:
            return []
        lately = self.track.lately(i, self.rules)
        return [finding for metric in self.expected for finding in self._judge(metric, i, segment, lately)]

    def _judge(self, metric: str, i: int, segment: str, lately: set[tuple[str, str, str, str]]) -> list[Finding]:
        value, own = float(self.values[metric][i]), float(self.errors[metric][i])
        bounds = Bounds.of(metric, self.expected, self.rules)
        if math.isnan(value) or math.isnan(own) or not bounds.suspects([value]):
            return []
        key = ("performance", segment, "", metric)
        earlier = self.track.earlier(self.values[metric][:, None], i, [key])
        windows, before = int(earlier.windows[0]), float(self.expected[metric].error or 0)
        spread, degrees = own * math.sqrt(1 + UNKNOWN_SPREAD), 10**6
        if windows >= FEWEST:
            spread, degrees = max(float(np.nan_to_num(earlier.spread[0])), LEAST_SPREAD * own), windows - 1
        found = []
        for level in LEVELS if key in lately else LEVELS[:2]:
            chance = float(self.chances.of(level, earlier.repeats).reshape(-1)[0])
            name = f"estimated_{metric}"
            found += bounds.beyond(name, value, math.hypot(spread, before), degrees, chance, segment, level)
        return found
