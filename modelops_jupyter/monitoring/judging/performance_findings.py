"""Judging performance: realised figures against those of the reference, once enough labels have arrived."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures import noise
from modelops_jupyter.monitoring.figures.baseline import Baseline
from modelops_jupyter.monitoring.figures.deciding import exceeds, reaches
from modelops_jupyter.monitoring.figures.figure import Figure
from modelops_jupyter.monitoring.figures.performance import higher_is_better
from modelops_jupyter.monitoring.judging.history import FEWEST, LONGEST, Usual
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.judging.seasons import in_first_cycle, unseen_season
from modelops_jupyter.monitoring.judging.thresholds import LEVELS, LINGERING_FLOOR, Chances, Track
from modelops_jupyter.monitoring.record.results import Finding, WindowResult
from modelops_jupyter.wording import figure_text

Array = np.ndarray[Any, Any]
Key = tuple[str, str, str, str]
# What is judged, where it is known with its standard error; the other figures are shown.
JUDGED = ("roc_auc", "log_loss", "accuracy", "mean_absolute_error", "root_mean_squared_error", "mean_error")
# Until enough windows have shown how they differ, half a variance more than chance is allowed for.
UNKNOWN_SPREAD = 0.5
MOST_RECENT = 28
# Losses of a window spread at most so many times as much as those of the reference.
MOST_SPREAD = 3.0


def judged_metrics(baseline: Baseline) -> dict[str, Figure]:
    """Return the figures of the reference that windows are judged by."""
    figures = baseline.performance
    return {
        name: figures[name]
        for name in JUDGED
        if name in figures and figures[name].value is not None and figures[name].error
    }


def matured(windows: Sequence[WindowResult], rules: AlertRules) -> Array:
    """Tell of each window whether about as many labels have arrived as usual: the first may be unlike the rest."""
    labelled = np.array([0.0 if w.holiday else w.labelled / max(w.rows, 1) for w in windows])
    mature = np.zeros(len(labelled), dtype=bool)
    for i, share in enumerate(labelled):
        known = np.sort(labelled[max(0, i - LONGEST) : i + 1])
        known = known[known > 0]
        mature[i] = share > 0 and reaches(share, rules.mature * known[int(0.75 * (len(known) - 1))])
    return mature


def numbers_of(figures: Sequence[Mapping[str, Mapping[str, Any]]], metric: str, word: str) -> Array:
    """Return a figure's value or error by window; NaN where there is none."""
    found = [window.get(metric, {}).get(word) for window in figures]
    return np.array([np.nan if value is None else value for value in found], dtype=float)


@dataclass(frozen=True)
class Bounds:
    """How far a figure may be from that of the reference.

    Attributes
    ----------
    usual : float
        The reference's.
    rising : bool
        Whether more is worse; `two_sided`: whether more and less are.
    floor : float
        The least change that counts.
    season : float
        By how much windows of such a weekday or hour differ from all.
    """

    usual: float
    rising: bool
    two_sided: bool
    floor: float
    kind: str = "performance"
    season: float = 0.0

    @classmethod
    def of(cls, metric: str, expected: Mapping[str, Figure], rules: AlertRules) -> Bounds:
        """Return those of a performance figure."""
        usual, rising = float(expected[metric].value or 0), not higher_is_better(metric)
        if metric == "mean_error":
            absolute = expected.get("mean_absolute_error")
            return cls(usual, rising, True, rules.loss_rise * float(absolute.value or 0) if absolute else 0.0)
        return cls(usual, rising, False, rules.loss_rise * abs(usual) if rising else rules.score_drop)

    def rise(self, value: Array | float) -> Array:
        """Return by how much values are worse than the reference's; where more and less are, by how much more."""
        rise: Array = self.sign * (np.asarray(value, dtype=float) - self.usual - self.season)
        return rise

    def worse(self, value: float) -> float:
        """Return how much worse a value is."""
        rise = float(self.rise(value))
        return abs(rise) if self.two_sided else rise

    @property
    def sign(self) -> int:
        """1 where more is worse, or more and less are; -1 where less is."""
        return 1 if self.rising or self.two_sided else -1

    def suspects(self, values: Sequence[float]) -> bool:
        """Tell whether any of the values is so much worse that it counts at all."""
        return bool(reaches(max(map(self.worse, values)), LINGERING_FLOOR * self.floor))

    def beyond(
        self,
        name: str,
        value: float,
        spread: float,
        degrees: float,
        chance: float,
        segment: str,
        level: str,
        least: float = 0.0,
    ) -> list[Finding]:
        """Return the finding, if `value` is further from the expected one than chance, the floor and `least` allow."""
        distance = float(noise.student_limit(degrees, chance / 2 if self.two_sided else chance)) * spread
        distance = max(distance, self.floor * (LINGERING_FLOOR if level == "lingering" else 1), least)
        if not reaches(self.worse(value), distance):
            return []
        expected = self.usual + self.season
        limit = expected + float(np.sign(value - expected)) * distance
        why = f"{figure_text(self.usual)} on the reference, "
        sign = "+" if self.season > 0 else ""
        why += f"{sign}{figure_text(self.season, 2)} on such days, " if self.season else ""
        why += f"give or take {figure_text(distance, 2)} by chance and from window to window"
        return [Finding(self.kind, "", name, value, limit, segment, level, why)]


def usual_figures(track: Track, values: Array, i: int, key: Key, bounds: Bounds) -> Usual:
    """Return what was usual of a figure before window `i`, with what is worse counted upwards."""
    usual = track.earlier(bounds.sign * values[:, None], i, [key])
    if not bounds.two_sided:
        return usual
    other = track.earlier(-values[:, None], i, [key])
    return replace(usual, spread=np.hypot(usual.spread, other.spread) / math.sqrt(2))


class FigureJudge:
    """Judges figures with standard errors, of one track's windows in their order and of the last ones together.

    Parameters
    ----------
    mature
        The windows to judge.
    figures
        Those of every window.
    expected
        Those of the reference, with their standard errors.
    bounds
        How far each may be from that; the figures judged.
    """

    # Whether nothing is judged before it shows how windows differ.
    patient = False

    def __init__(
        self,
        track: Track,
        allowance: float,
        rules: AlertRules,
        mature: Array,
        figures: Sequence[Mapping[str, Mapping[str, Any]]],
        expected: Mapping[str, Figure],
        bounds: Mapping[str, Bounds],
    ) -> None:
        self.track, self.rules, self.mature = track, rules, mature
        self.chances = Chances(allowance, 3, 1, rules)
        self.expected, self.bounds = expected, bounds
        self.values = {metric: numbers_of(figures, metric, "value") for metric in bounds}
        self.errors = {metric: numbers_of(figures, metric, "error") for metric in bounds}

    def judge(self, i: int, segment: str) -> list[Finding]:
        """Return the findings of window `i`; those of the windows before are in the track."""
        if not self.mature[i]:
            return []
        lately = self.track.lately(i, self.rules)
        return [finding for metric in self.bounds for finding in self._judge(metric, i, segment, lately)]

    def _judge(self, metric: str, i: int, segment: str, lately: set[tuple[str, str, str, str]]) -> list[Finding]:
        value, own = self.values[metric][i], self.errors[metric][i]
        bounds, before = self.bounds[metric], float(self.expected[metric].error or 0)
        recent = self._recent(metric, i)
        lately_mean = [float(recent[0].mean())] if len(recent[0]) else []
        if math.isnan(value) or math.isnan(own) or not bounds.suspects([value, *lately_mean]):
            return []
        key = (bounds.kind, segment, "", metric)
        earlier = usual_figures(self.track, self.values[metric], i, key, bounds)
        if self.patient and int(earlier.windows[0]) < FEWEST:
            return []
        between, known = self._between(metric, i, float(earlier.spread[0]), int(earlier.windows[0]))
        independent = float(earlier.independent[0]) - 1
        degrees = min(self.track.windows[i].labelled - 1, independent if known and between else 10**6)
        found = []
        lingers = key in lately and self._goes_on(key, i, float(value) - bounds.usual, bounds)
        before_run = bounds.rise(self.values[metric][: self.track.run_began(key, i)])
        least = unseen_season(self.track, before_run, own, i, bounds.two_sided) if self.rules.seasons else 0.0
        if between:
            bounds = replace(bounds, season=bounds.sign * float(earlier.season[0]))
        for level in LEVELS if lingers else LEVELS[:2]:
            chance = float(self.chances.of(level, earlier.repeats).reshape(-1)[0])
            # The season's own middle is known from few windows.
            strays = math.pi / 2 / max(float(earlier.of[0]), 1) if bounds.season else 0.0
            spread = math.sqrt((own**2 + between) * (1 if known else 1 + UNKNOWN_SPREAD) * (1 + strays) + before**2)
            found += bounds.beyond(metric, float(value), spread, degrees, chance, segment, level, least)
        values, errors = recent
        if len(values) >= 3 and not (self.rules.seasons and in_first_cycle(self.track, i)):
            # What follows itself from window to window averages out more slowly.
            slower = between * float(earlier.windows[0]) / float(earlier.independent[0])
            spread = math.sqrt(float(np.sum(errors**2 + slower)) / len(values) ** 2 + before**2)
            chance = float(self.chances.of_recent("plain"))
            mean, name = float(values.mean()), f"recent_{metric}"
            # How windows differ was learned from those before; until then, from as many as are at hand.
            degrees = 10**6 if not between else independent if known else len(values) - 1
            whole = replace(bounds, season=0.0)
            found += whole.beyond(name, mean, spread, max(degrees, 1), chance, segment, "plain")
        return found

    def _goes_on(self, key: tuple[str, str, str, str], i: int, change: float, bounds: Bounds) -> bool:
        """Tell whether a change is on the side of the last findings: too few is not what lingers of too many."""
        found = [f for w in self.track.windows[max(0, i - self.rules.windows) : i] for f in w.findings if f.key == key]
        return not bounds.two_sided or (bool(found) and change * (found[-1].figure - bounds.usual) > 0)

    def _recent(self, metric: str, i: int) -> tuple[Array, Array]:
        """Return figures and standard errors of the last cycle's windows, as far as they are mature."""
        low = max(0, i + 1 - min(int(self.track.per_cycle[i]), MOST_RECENT))
        values, errors = self.values[metric][low : i + 1], self.errors[metric][low : i + 1]
        usable = self.mature[low : i + 1] & ~np.isnan(values) & ~np.isnan(errors)
        return values[usable], errors[usable]

    def _between(self, metric: str, i: int, spread: float, windows: int) -> tuple[float, bool]:
        """Return the variance between windows beyond chance, and whether it is known."""
        if windows < FEWEST or math.isnan(spread):
            return 0.0, False
        errors = self.errors[metric][max(0, i - LONGEST) : i]
        chance = float(np.nanmedian(errors)) if not np.isnan(errors).all() else 0.0
        # The spread by the median absolute deviation strays by 1.17 / √k of itself: up to that it is chance's own.
        more = self.track.days_differ(i) or exceeds(spread, chance * (1 + 1.17 / math.sqrt(windows)))
        return max(0.0, spread**2 - chance**2) if more else 0.0, True


class PerformanceJudge(FigureJudge):
    """Judges the realised performance of one track's windows; `mature` are the windows to judge."""

    def __init__(self, track: Track, allowance: float, rules: AlertRules, mature: Array) -> None:
        expected = judged_metrics(track.baseline)
        bounds = {metric: Bounds.of(metric, expected, rules) for metric in expected}
        super().__init__(
            track, allowance, rules, mature, [window.performance for window in track.windows], expected, bounds
        )
        labelled = np.array([window.labelled for window in track.windows], dtype=float)
        rows = math.sqrt(max(track.baseline.reference.profile.outcomes.labelled, 1)) / np.sqrt(np.maximum(labelled, 1))
        for metric, figure in expected.items():
            # A few rows that are far off make a loss and its own standard error great at once: that is no chance.
            if not higher_is_better(metric):
                self.errors[metric] = np.minimum(self.errors[metric], MOST_SPREAD * float(figure.error or 0) * rows)
