"""Judging concept drift: the tests of `concept`, against chance and against how the windows before differ."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures import noise
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.concept import EXCESS
from modelops_jupyter.monitoring.figures.deciding import exceeds, reaches
from modelops_jupyter.monitoring.figures.figure import Figure
from modelops_jupyter.monitoring.judging.history import FEWEST, LEAST_RISE
from modelops_jupyter.monitoring.judging.performance_findings import Bounds, FigureJudge
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.judging.thresholds import LEVELS, LINGERING_FLOOR, Chances, Track
from modelops_jupyter.monitoring.record.results import Finding

Array = np.ndarray[Any, Any]
# A task has one of them; changes of intercept and slope are the parts of the first.
TESTS = ("calibration_shift", "label_shift", "error_shift")


class ConceptJudge:
    """Judges the test statistics of one track's windows in their order; `mature` are the windows to judge.

    A statistic is a chi-square where nothing changed. Over the rows it is the squared effect: how far outcomes are off
    in their own standard deviations. How days differ is not known before some were seen: then nothing is judged.
    """

    def __init__(self, track: Track, allowance: float, rules: AlertRules, mature: Array) -> None:
        self.track, self.rules, self.mature = track, rules, mature
        self.chances = Chances(allowance, 2, 1, rules)
        figures = [window.concept for window in track.windows]
        self.test = next((name for name in TESTS if any(name in found for found in figures)), None)
        known = [found.get(self.test or "", {}) for found in figures]
        known = [f if f.get("degrees") and use else {} for f, use in zip(known, mature, strict=True)]
        self.values = np.array([np.nan if f.get("value") is None else f["value"] for f in known], dtype=float)
        self.degrees = np.array([f.get("degrees", 1) for f in known], dtype=float)
        self.logs = np.log(np.maximum(self.values, 1e-3) / self.degrees)
        labelled = np.array([window.labelled for window in track.windows], dtype=float)
        rows = noise.paired_rows(float(track.baseline.reference.profile.outcomes.labelled), labelled)
        self.floors = rules.outcome_shift**2 * rows

    def judge(self, i: int, segment: str) -> list[Finding]:
        """Return the findings of window `i`; those of the windows before are in the track."""
        value, floor = float(self.values[i]), float(self.floors[i])
        if self.test is None or math.isnan(value) or not reaches(value, LINGERING_FLOOR * floor):
            return []
        key = ("concept", segment, "", self.test)
        found = []
        for level in LEVELS if key in self.track.lately(i, self.rules) else LEVELS[:2]:
            limit, windows = self._limit(i, level, key)
            limit = max(limit, floor * (LINGERING_FLOOR if level == "lingering" else 1.0))
            if reaches(value, limit):
                why = f"so much {windows} earlier windows differ from each other" if windows else "what chance does"
                found.append(Finding("concept", "", self.test, value, limit, segment, level, why))
        return found

    def _limit(self, i: int, level: str, key: tuple[str, str, str, str]) -> tuple[float, int]:
        """Return the limit of the statistic, and how many windows taught it; none where chance explains them."""
        from scipy.special import polygamma, psi  # heavy: not before it is needed

        earlier = self.track.earlier(self.logs[:, None], i, [key])
        windows, degrees = int(earlier.windows[0]), self.degrees[i]
        if windows < FEWEST:
            return math.inf, 0
        chance = self.chances.of(level, earlier.repeats)
        by_chance = float(np.log(noise.chi_square_limit(np.asarray(degrees), chance)).reshape(-1)[0])
        # Of the logarithm of a chi-square over its degrees of freedom.
        middle, spread = float(psi(degrees / 2) - math.log(degrees / 2)), math.sqrt(float(polygamma(1, degrees / 2)))
        more = (
            self.track.days_differ(i)
            or exceeds(float(earlier.middle[0]), middle + 3 * 1.25 * spread / math.sqrt(windows))
            or exceeds(float(earlier.spread[0]), spread * (1 + 3 * 1.17 / math.sqrt(windows)))
        )
        learned = float(np.maximum(earlier.limit(chance, 0.0), earlier.middle + LEAST_RISE).reshape(-1)[0])
        if not self.track.seasons_known(i):
            learned = max(learned, float(earlier.greatest[0]) + LEAST_RISE)
        taught = bool(more and exceeds(learned, by_chance))
        return degrees * math.exp(min(learned if taught else by_chance, 700.0)), windows if taught else 0


def reference_excess(baseline: Baseline) -> tuple[Figure, float] | None:
    """Return the excess of positives of the reference, none with a standard error, and an outcome's own deviation."""
    known, outcomes = baseline.recalibration, baseline.reference.profile.outcomes
    if not known.covariance or baseline.reference.binning.positive is None:
        return None
    cells = outcomes.cells.labelled
    rows, shares = cells.rows, known.shares(cells.scores)
    deviation = math.sqrt(float(rows @ (shares * (1 - shares))) / float(rows.sum()))
    return Figure(0.0, error=known.error_of_mean(cells.scores, rows)), deviation


class ExcessJudge(FigureJudge):
    """Judges how many positives came beyond those expected; `mature` are the windows to judge."""

    patient = True

    def __init__(self, track: Track, allowance: float, rules: AlertRules, mature: Array) -> None:
        known, bounds, expected = reference_excess(track.baseline), {}, {}
        if known is not None:
            expected = {EXCESS: known[0]}
            bounds = {EXCESS: Bounds(0.0, True, True, rules.outcome_shift * known[1], "concept")}
        super().__init__(
            track, allowance, rules, mature, [window.concept for window in track.windows], expected, bounds
        )
        for metric, errors in self.errors.items():
            # A window's error holds the reference's, which is the same for all of them.
            self.errors[metric] = np.sqrt(np.maximum(errors**2 - float(expected[metric].error or 0) ** 2, 0))
