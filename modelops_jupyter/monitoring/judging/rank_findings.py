"""Judging how far the ranks of a number have moved or spread: the keenest eye for a shift, where days are alike.

Days that differ by nature differ in their means first, so ranks are judged only where the windows before differ from
the reference by no more than chance; elsewhere the distances of whole distributions are, see `drift_findings`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures import noise
from modelops_jupyter.monitoring.figures.deciding import exceeds, reaches
from modelops_jupyter.monitoring.judging.drift_findings import STATISTICS
from modelops_jupyter.monitoring.judging.history import Usual
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.judging.thresholds import LEVELS, LINGERING_FLOOR, Chances, Track
from modelops_jupyter.monitoring.record.packed import table
from modelops_jupyter.monitoring.record.results import Finding

Array = np.ndarray[Any, Any]
METRIC = "rank_shift"
# From so many windows on it shows whether they differ by more than chance; which is said of one in twenty that do not.
FEWEST_DAYS, DOUBT = 10, 0.05
# A sum of bounded scores is normal once no row makes up more of its variance than one in so many.
LEAST_PARTS = 10.0


class RankJudge:
    """Judges the rank shifts of one track's windows in their order, each by itself and those of its last cycle."""

    def __init__(self, track: Track, allowance: float, rules: AlertRules) -> None:
        self.track, self.rules = track, rules
        self.chances = Chances(allowance, 3, STATISTICS, rules)
        numbers, profiles = track.baseline.numbers, track.baseline.reference.profile.columns
        self.names = numbers.names
        # A chi-square by chance: place and spread of the ranks, which only place has where there are two values.
        self.degrees = np.maximum((numbers.scores != 0).any(-2).sum(-1), 1.0)
        before = np.array([profiles[name].n - profiles[name].missing for name in self.names], dtype=float)
        rows = np.array([window.rows for window in track.windows], dtype=float)[:, None]
        paired = noise.paired_rows(before, rows * (1 - np.nan_to_num(track.rates(self.names, "null_rate"))))
        cycles = [window.cycle for window in track.windows]
        together = noise.paired_rows(before, np.nan_to_num(table(cycles, self.names, "rows")))
        self.values = {METRIC: track.rates(self.names, METRIC), f"recent_{METRIC}": table(cycles, self.names, METRIC)}
        # Over what chance does, on average; NaN where rows are too few for it to be a chi-square.
        self.scales = {
            metric: np.where(
                reaches(rows, LEAST_PARTS * numbers.greatest_score),
                noise.JENSEN_SHANNON_SCALE * rows / self.degrees,
                np.nan,
            )
            for metric, rows in ((METRIC, paired), (f"recent_{METRIC}", together))
        }

    def judge(self, i: int, segment: str) -> list[Finding]:
        """Return the findings of window `i`; those of the windows before are in the track."""
        lately = self.track.lately(i, self.rules)
        keys = [("drift", segment, name, "") for name in self.names]
        lingers = np.array([key in lately for key in keys], dtype=bool)
        suspect = np.zeros(len(keys), dtype=bool)
        for metric, values in self.values.items():
            suspect |= reaches(values[i], self._least(metric, i, lingers))
        columns = np.flatnonzero(suspect)
        if not len(columns):
            return []
        scaled = self.scales[METRIC][:, columns] * self.values[METRIC][:, columns] ** 2
        earlier = self.track.earlier(scaled, i, [keys[c] for c in columns])
        degrees = self.degrees[columns]
        alike = _alike(earlier, degrees) | (not self.rules.seasons)
        middle = np.nan_to_num(earlier.mean) if self.rules.seasons else np.zeros(len(columns))
        found = []
        for metric, values in self.values.items():
            alone = metric == METRIC
            for level in LEVELS if alone else ("plain", "lingering"):
                chance = self.chances.of(level) if alone else self.chances.of_recent(level)
                # The windows before may differ a little without showing it: so their own mean is what chance does.
                ratio = noise.f_limit(degrees, degrees * earlier.windows.clip(1), chance)
                ratio = np.maximum(noise.chi_square_limit(degrees, chance), middle * ratio)
                limits = np.maximum(np.sqrt(ratio / self.scales[metric][i, columns]), self._floor(level))
                hits = alike & reaches(values[i, columns], limits) & (lingers[columns] | (level != "lingering"))
                for n in np.flatnonzero(hits):
                    name, figure, limit = self.names[columns[n]], float(values[i, columns[n]]), float(limits[n])
                    why = f"{earlier.windows[n]} earlier windows differ by no more than chance"
                    why = why if self.rules.seasons else "what chance does"
                    found.append(Finding("drift", name, metric, figure, limit, segment, level, why))
        return found

    def _least(self, metric: str, i: int, lingers: Array) -> Array:
        """Return what no history makes a finding: limits by chance are the least there are."""
        level = "likely" if metric == METRIC else "plain"
        chance = self.chances.of(level) if metric == METRIC else self.chances.of_recent(level)
        with np.errstate(divide="ignore", invalid="ignore"):  # no rows, no limit
            by_chance = np.sqrt(noise.chi_square_limit(self.degrees, chance) / self.scales[metric][i])
        limits: Array = np.where(lingers, self._floor("lingering"), np.maximum(by_chance, self._floor(level)))
        return limits

    def _floor(self, level: str) -> float:
        return self.rules.distance * (LINGERING_FLOOR if level == "lingering" else 1.0)


def _alike(earlier: Usual, degrees: Array) -> Array:
    """Tell of which columns the windows before differ by chance alone: by their mean, greatest value and order."""
    k = np.maximum(earlier.windows, 1)
    with np.errstate(invalid="ignore"):
        alike: Array = (
            (earlier.windows >= FEWEST_DAYS)
            & ~exceeds(earlier.mean, noise.chi_square_limit(degrees * k, DOUBT))
            & ~exceeds(earlier.greatest, noise.chi_square_limit(degrees, DOUBT / k))
            & ~exceeds(earlier.repeats, DOUBT)
        )
    return alike
