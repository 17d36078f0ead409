"""Judging statistics that are chi-squares by chance: the keenest eyes for a shift, where days are alike.

How far the ranks of a number have moved or spread, and the share of a column that moved furthest. Days that differ by
nature differ in their means first, so these are judged only where the windows before differ from the reference by no
more than chance; elsewhere the distances of whole distributions are, see `drift_findings`. A single share shows least
whether its days differ: it is not judged either where those of other columns do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures import noise
from modelops_jupyter.monitoring.figures.deciding import exceeds, reaches
from modelops_jupyter.monitoring.judging.drift_findings import STATISTICS
from modelops_jupyter.monitoring.judging.history import Usual
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.judging.thresholds import LEVELS, LINGERING_FLOOR, Chances, Track
from modelops_jupyter.monitoring.record.packed import numbers, table
from modelops_jupyter.monitoring.record.results import Finding

Array = np.ndarray[Any, Any]
RANKS, SHARES = "rank_shift", "share_shift"
# From so many windows on it shows whether they differ by more than chance; which is said of one in twenty that do not.
FEWEST_DAYS, DOUBT = 10, 0.05
# A sum of bounded scores is normal once no row makes up more of its variance than one in so many.
LEAST_PARTS = 10.0


def alike_judges(track: Track, allowance: float, rules: AlertRules) -> tuple[AlikeJudge, ...]:
    """Return the judges of ranks and of shares.

    Of categories there is but the distance beside their shares: those have what steps and ranks have of a number.
    """
    categories = allowance * (STATISTICS - 1)
    return (
        _of_ranks(track, allowance, rules),
        _of_shares(track, track.baseline.numbers.names, allowance, rules),
        _of_shares(track, track.baseline.cells.names, categories, rules),
    )


class AlikeJudge:
    """Judges one statistic of one track's windows in their order, each by itself and that of its last cycle.

    Parameters
    ----------
    degrees
        Of the chi-square that the statistic's square is by chance, over its mean; an entry per column.
    scales
        One over that mean, of the windows and of their last cycles, shape (windows, columns); NaN where it is no
        chi-square.
    """

    def __init__(
        self,
        track: Track,
        metric: str,
        names: Sequence[str],
        degrees: Array,
        scales: tuple[Array, Array],
        allowance: float,
        rules: AlertRules,
    ) -> None:
        self.track, self.rules, self.metric, self.names, self.degrees = track, rules, metric, names, degrees
        self.chances = Chances(allowance, 3, STATISTICS, rules)
        cycles = table([window.cycle for window in track.windows], names, metric)
        self.values = {metric: track.rates(names, metric), f"recent_{metric}": cycles}
        self.scales: Mapping[str, Array] = dict(zip(self.values, scales, strict=True))
        # What no history makes a finding: limits by chance are the least there are.
        chances = self.chances.of("likely"), self.chances.of_recent("plain")
        with np.errstate(divide="ignore", invalid="ignore"):  # no rows, no limit
            self.least = {
                name: np.maximum(np.sqrt(noise.chi_square_limit(degrees, chance) / scale), self._floor("plain"))
                for (name, scale), chance in zip(self.scales.items(), chances, strict=True)
            }

    def judge(self, i: int, segment: str) -> list[Finding]:
        """Return the findings of window `i`; those of the windows before are in the track."""
        lately = self.track.lately(i, self.rules)
        keys = [("drift", segment, name, "") for name in self.names]
        lingers = np.array([key in lately for key in keys], dtype=bool)
        suspect = np.zeros(len(keys), dtype=bool)
        for metric, values in self.values.items():
            suspect |= reaches(values[i], np.where(lingers, self._floor("lingering"), self.least[metric][i]))
        columns = np.flatnonzero(suspect)
        if not len(columns):
            return []
        scaled = self.scales[self.metric][:, columns] * self.values[self.metric][:, columns] ** 2
        earlier = self.track.earlier(scaled, i, [keys[c] for c in columns])
        degrees = self.degrees[columns]
        alike = _alike(earlier, degrees) & (self.metric == RANKS or not self.track.days_differ(i))
        alike |= not self.rules.seasons
        middle = np.nan_to_num(earlier.mean) if self.rules.seasons else np.zeros(len(columns))
        found = []
        for metric, values in self.values.items():
            alone = metric == self.metric
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

    def _floor(self, level: str) -> float:
        return self.rules.distance * (LINGERING_FLOOR if level == "lingering" else 1.0)


def _of_ranks(track: Track, allowance: float, rules: AlertRules) -> AlikeJudge:
    """Return the judge of how far the ranks of numbers have moved or spread."""
    columns, profiles = track.baseline.numbers, track.baseline.reference.profile.columns
    # Place and spread of the ranks, which only place has where there are two values.
    degrees = np.maximum((columns.scores != 0).any(-2).sum(-1), 1.0)
    before = np.array([profiles[name].n - profiles[name].missing for name in columns.names], dtype=float)
    rows = np.array([window.rows for window in track.windows], dtype=float)[:, None]
    paired = noise.paired_rows(before, rows * (1 - np.nan_to_num(track.rates(columns.names, "null_rate"))))
    cycles = [window.cycle for window in track.windows]
    together = noise.paired_rows(before, np.nan_to_num(table(cycles, columns.names, "rows")))

    def scale(rows: Array) -> Array:
        enough = reaches(rows, LEAST_PARTS * columns.greatest_score)
        return np.where(enough, noise.JENSEN_SHANNON_SCALE * rows / degrees, np.nan)

    return AlikeJudge(track, RANKS, columns.names, degrees, (scale(paired), scale(together)), allowance, rules)


def _of_shares(track: Track, names: Sequence[str], allowance: float, rules: AlertRules) -> AlikeJudge:
    """Return the judge of the shares that moved furthest: normal by chance, signs aside, over their errors."""
    shape = len(track.windows), len(names)
    alone = np.array([numbers(window.drift, names, SHARES, "error") for window in track.windows]).reshape(shape)
    cycles = table([window.cycle for window in track.windows], names, "share_error")
    return AlikeJudge(track, SHARES, names, np.ones(len(names)), (alone**-2.0, cycles**-2.0), allowance, rules)


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
