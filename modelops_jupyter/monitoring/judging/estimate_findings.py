"""Judging estimated performance, as long as a window's labels are still to come."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from modelops_jupyter.monitoring.judging.history import FEWEST
from modelops_jupyter.monitoring.judging.performance_findings import (
    UNKNOWN_SPREAD,
    Array,
    Bounds,
    judged_metrics,
    numbers_of,
    usual_figures,
)
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.judging.seasons import unseen_season
from modelops_jupyter.monitoring.judging.thresholds import LEVELS, Chances, Track
from modelops_jupyter.monitoring.record.results import Finding


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
        earlier = usual_figures(self.track, self.values[metric], i, key, bounds)
        windows, before = int(earlier.windows[0]), float(self.expected[metric].error or 0)
        # What the calibrator has wrong it has wrong in all windows, so however alike these are, an estimate strays by
        # its own standard error.
        spread, degrees = own * math.sqrt(1 + UNKNOWN_SPREAD), 1e6
        if windows >= FEWEST:
            between = float(np.nan_to_num(earlier.spread[0]))
            spread, degrees = max(between, own), 1e6 if between <= own else float(earlier.independent[0]) - 1
        worse = bounds.rise(self.values[metric][: self.track.run_began(key, i)])
        least = unseen_season(self.track, worse, own, i, bounds.two_sided) if self.rules.seasons else 0.0
        bounds = replace(bounds, season=bounds.sign * float(earlier.season[0]))
        found = []
        for level in LEVELS if key in lately else LEVELS[:2]:
            chance = float(self.chances.of(level, earlier.repeats).reshape(-1)[0])
            name = f"estimated_{metric}"
            found += bounds.beyond(name, value, math.hypot(spread, before), degrees, chance, segment, level, least)
        return found
