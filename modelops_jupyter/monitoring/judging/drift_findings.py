"""Judging drift: each column's distances of a window, and of the last cycle of windows together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures import noise
from modelops_jupyter.monitoring.figures.cycle import cycle_length
from modelops_jupyter.monitoring.figures.deciding import exceeds, reaches
from modelops_jupyter.monitoring.judging.history import FEWEST, SEASONS, Usual
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.judging.thresholds import LEVELS, LINGERING_FLOOR, Chances, Track
from modelops_jupyter.monitoring.record.packed import table
from modelops_jupyter.monitoring.record.results import Finding
from modelops_jupyter.wording import count

Array = np.ndarray[Any, Any]
METRICS = ("jensen_shannon", "kolmogorov_smirnov")
# By these powers squares are all but normal: a chi-square's by the cube root, Kolmogorov's statistic by its own.
POWERS = {"jensen_shannon": 1 / 3, "kolmogorov_smirnov": 1 / 6}
# Of a number, with the ranks and shares that `alike_findings` judges.
STATISTICS = 4
# While no whole cycle was seen, at least such a part of the rows must lie where no season could put them.
LEAST_BEYOND = 0.05
# With so many windows a young track may tell that something is no season.
FEWEST_YOUNG = 3
# Where days differ by nature, less than so much further than usually (before seasons are known: than ever) is no news;
# and however cycles differ, one that is so much further is told.
LEAST_RISE, MOST_RISE = 1.25, 4.5
# Days that differ by chance alone are taken to differ by more in one column of twenty: by mean, and by greatest value.
DOUBT = 0.05
# A window that is so near to the greatest distance there is holds all but nothing beside one value.
ALL_BUT = 0.99


class DriftJudge:
    """Judges the drift of one track's windows in their order, from the `first` to be judged on."""

    def __init__(self, track: Track, allowance: float, rules: AlertRules, first: int = 0) -> None:
        self.track, self.rules, self.first = track, rules, first
        self.chances = Chances(allowance, 3, STATISTICS, rules)
        self.table = track.baseline.strays
        names = self.table.names
        self.values = {metric: track.rates(names, metric) for metric in METRICS}
        rows = np.array([window.rows for window in track.windows], dtype=float)[:, None]
        self.rows = rows * (1 - np.nan_to_num(track.rates(names, "null_rate")))
        self.paired = noise.paired_rows(self.table.before, self.rows)
        usual, paired = self.table.usual(self.paired.reshape(-1)), np.maximum(self.paired, 1.0)
        step, degrees = noise.KOLMOGOROV_SQUARE
        # Squared distances are a chi-square over its degrees times their mean.
        self.means = {
            "jensen_shannon": usual.mean.reshape(paired.shape) / noise.JENSEN_SHANNON_SCALE / paired,
            "kolmogorov_smirnov": step / paired,
        }
        self.degrees = {
            "jensen_shannon": usual.freedom.reshape(paired.shape),
            "kolmogorov_smirnov": np.full(paired.shape, degrees),
        }
        self.roots = {metric: (self.values[metric] ** 2 / self.means[metric]) ** POWERS[metric] for metric in METRICS}
        cycles = [window.cycle for window in track.windows]
        self.cycles = {
            metric: np.maximum(table(cycles, names, metric), 0.0) ** (2 * POWERS[metric])  # rounding may leave -5e-324
            for metric in METRICS
        }
        # What no history makes a finding: limits by chance are the least there are.
        self.least = {
            (metric, level): self._by_chance(metric, level) for metric in METRICS for level in ("likely", "lingering")
        }

    def _learned(self, metric: str, columns: Array, roots: Array, furthest: Array, means: Array | float = 1.0) -> Array:
        """Return the distances that limits as powers stand for, within what the figure can reach.

        A limit lies no further than half way from the furthest day there was to the greatest distance there is; where
        days have been all but that far, nothing is too far.
        """
        power, greatest = 1 / POWERS[metric], self.table.greatest[metric][columns]
        limits, record = (np.sqrt(each**power * means) for each in (roots, furthest))
        within = np.minimum(limits, (record + greatest) / 2)
        return np.where(reaches(record, ALL_BUT * greatest), limits, within)

    def _by_chance(self, metric: str, level: str) -> Array:
        """Return the limits of all columns by chance alone, of the windows to be judged."""
        chance, paired = self.chances.of(level), np.maximum(self.paired[self.first :], 1.0)
        if metric == "jensen_shannon":
            scaled = self.table.at(self.paired[self.first :].reshape(-1)).limit(chance).reshape(paired.shape)
            with np.errstate(invalid="ignore"):  # NaN, no limit, where the reference has no values
                limits = np.sqrt(scaled / noise.JENSEN_SHANNON_SCALE / paired)
        else:
            limits = noise.kolmogorov_limit(chance) / np.sqrt(paired)
        return np.maximum(limits, self._floor(level))

    def _floor(self, level: str) -> float:
        return self.rules.distance * (LINGERING_FLOOR if level == "lingering" else 1.0)

    def judge(self, i: int, segment: str) -> list[Finding]:
        """Return the findings of window `i`; those of the windows before are in the track."""
        lately = self.track.lately(i, self.rules)
        keys = [("drift", segment, name, "") for name in self.table.names]
        lingers = np.array([key in lately for key in keys])
        found = self._of_recent(i, segment, lingers)
        young = self.rules.seasons and self.track.starts[i] - self.track.began < cycle_length(self.track.every)
        if young and i < FEWEST_YOUNG:
            return found
        suspect = {metric: self._suspects(metric, i, lingers, young) for metric in METRICS}
        columns = np.flatnonzero(np.any([*suspect.values()], axis=0))
        if not len(columns):
            return found
        names = [keys[c] for c in columns]
        earlier = {metric: self.track.earlier(self.roots[metric][:, columns], i, names) for metric in METRICS}
        # Of few values the one is as sharp as the other is dull.
        differ = np.any([self._differ(metric, i, columns, earlier[metric]) for metric in METRICS], axis=0)
        for metric in METRICS:
            figures = np.where(suspect[metric], self.values[metric][i], np.nan)
            for level in LEVELS:
                limits, learned = self._limits(metric, i, columns, level, earlier[metric], differ)
                hits = reaches(figures[columns], limits) & (lingers[columns] | (level != "lingering"))
                for n in np.flatnonzero(hits):
                    c = columns[n]
                    why = self._why(i, c, int(earlier[metric].windows[n]) if learned[n] else 0)
                    name, figure, limit = self.table.names[c], float(figures[c]), float(limits[n])
                    found.append(Finding("drift", name, metric, figure, limit, segment, level, why))
        return found

    def _suspects(self, metric: str, i: int, lingers: Array, young: bool) -> Array:
        """Tell of which columns a finding is possible, whatever was learned."""
        figures = self.values[metric][i]
        suspect: Array = reaches(figures, self.least[metric, "likely"][i - self.first]) | (
            lingers & reaches(figures, self.least[metric, "lingering"][i - self.first])
        )
        if young:
            suspect &= reaches(figures, self._odd_one_out(metric, i))
        return suspect

    def _odd_one_out(self, metric: str, i: int) -> Array:
        """Return how far an unseen day may be from a reference that the days before resemble.

        If all but one of the L windows of a cycle are alike and the reference is their mix, the odd one is L - 1 times
        as far from it as the others, and squared distances beyond chance by the square of that.
        """
        squares = np.nan_to_num(self.values[metric][:i] ** 2 / self.means[metric][:i], nan=1.0)
        beyond = np.maximum(squares.mean(0) - 1, 0) + 2 * np.sqrt(2 / self.degrees[metric][i] / i)
        limits: Array = np.sqrt((1 + (self.track.per_cycle[i] - 1) ** 2 * beyond) * self.means[metric][i])
        return limits

    def _differ(self, metric: str, i: int, columns: Array, earlier: Usual) -> Array:
        """Tell of which columns the windows before differ by more than chance, by their mean and their greatest."""
        degrees, k = self.degrees[metric][i, columns], np.maximum(earlier.windows, 1)
        middle, spread = noise.chi_square_power(POWERS[metric], degrees)
        differ: Array = exceeds(earlier.mean, middle + noise.normal_limit(DOUBT) * spread / np.sqrt(k))
        differ |= exceeds(earlier.greatest, noise.chi_square_limit(degrees, DOUBT / k) ** POWERS[metric])
        differ |= exceeds(earlier.season, 0.0) | self.track.days_differ(i)
        return differ & (earlier.windows >= FEWEST) & self.rules.seasons

    def _limits(
        self, metric: str, i: int, columns: Array, level: str, earlier: Usual, differ: Array
    ) -> tuple[Array, Array]:
        """Return the columns' limits of a distance, and where they follow from the history."""
        chance = self.chances.of(level, earlier.repeats)
        paired = np.maximum(self.paired[i, columns], 1.0)
        if metric == "jensen_shannon":
            by_chance = np.sqrt(self.table.at(paired, columns).limit(chance) / noise.JENSEN_SHANNON_SCALE / paired)
        else:
            by_chance = noise.kolmogorov_limit(chance) / np.sqrt(paired)
        # Even days that all differ from the reference alike differ from each other by chance.
        power = POWERS[metric]
        distant = np.maximum(np.nan_to_num(earlier.middle) ** (1 / power), 1.0)
        spread = noise.chi_square_power(power, self.degrees[metric][i, columns], distant)[1]
        rise = LEAST_RISE ** (2 * power)
        learned = np.where(
            earlier.season != 0, earlier.limit(chance, spread), self._without_season(metric, i, columns, chance)
        )
        roots = np.where(differ, np.maximum(learned, earlier.middle * rise), 0.0)
        young = self.rules.seasons and not self.track.seasons_known(i)
        if young:  # seasons cannot be taken out yet: only a record is news
            roots = np.fmax(roots, earlier.greatest * rise)
        learned = self._learned(metric, columns, roots, earlier.greatest, self.means[metric][i, columns])
        more = (differ | young) & exceeds(learned, by_chance)
        return np.maximum(np.where(more, learned, by_chance), self._floor(level)), more

    def _without_season(self, metric: str, i: int, columns: Array, chance: Array) -> Array:
        """Return the limits, as powers, where days differ but not by their season.

        A square is a chi-square by chance with d - 1 degrees, and one more direction in which days differ: there it is
        a normal variable's, of a variance that the squares before tell, an F of one over as many degrees as windows.
        """
        power = POWERS[metric]
        # Kolmogorov's statistic has as many directions as another, but of few values no more than those.
        degrees = np.minimum(self.degrees[metric], self.degrees["jensen_shannon"])[i, columns]
        keys = [("drift", self.track.segment, self.table.names[c], "") for c in columns]
        earlier = self.track.earlier(self.roots[metric][:, columns] ** (1 / power), i, keys)
        level = np.nan_to_num(earlier.level)
        between = np.maximum(1 + degrees * (level - 1), np.minimum(level, 1))
        others = degrees - 1 + np.sqrt(2 * np.maximum(degrees - 1, 0))
        squares = (others + between * noise.f_limit(1.0, earlier.independent, chance)) / degrees
        limits: Array = np.where(earlier.windows >= FEWEST, squares**power, np.nan)
        return limits

    def _why(self, i: int, column: int, windows: int) -> str:
        if windows:
            return f"so much {windows} earlier windows differ from each other"
        return f"what chance does in {self.rows[i, column]:,.0f} rows, or the least effect that counts"

    def _of_recent(self, i: int, segment: str, lingers: Array) -> list[Finding]:
        """Judge the windows of the last cycle together."""
        recent = self.track.windows[i].cycle
        columns = np.array([c for c, name in enumerate(self.table.names) if name in recent], dtype=int)
        if not len(columns):
            return []
        possible = np.array(
            [self._suspect(recent[self.table.names[c]], c, bool(lingers[c])) for c in columns], dtype=bool
        )
        columns = columns[possible]
        if not len(columns):
            return []
        figures = [recent[self.table.names[c]] for c in columns]
        words = ("rows", "windows", "compared", "dispersion", "degrees", "bins", "beyond", "seen")
        group = {word: np.array([figure[word] for figure in figures]) for word in words}
        # Before each season was seen so often, only what no season could bring is judged.
        possible = reaches(group["seen"], SEASONS) | reaches(group["beyond"], LEAST_BEYOND + 2 / np.sqrt(group["rows"]))
        possible |= not self.rules.seasons
        found: list[Finding] = []
        for metric in METRICS:
            values = np.array([figure.get(metric, np.nan) for figure in figures])
            for level in ("plain", "lingering"):
                limits = self._recent_limits(metric, columns, group, level)
                if not reaches(values, limits).any():
                    continue
                limits = np.maximum(limits, self._by_cycles(metric, i, columns, segment, group["dispersion"], level))
                hits = possible & reaches(values, limits) & (lingers[columns] | (level == "plain"))
                found += [
                    Finding(
                        "drift",
                        self.table.names[columns[c]],
                        f"recent_{metric}",
                        float(values[c]),
                        float(limits[c]),
                        segment,
                        level,
                        _why_recent(figures[c]),
                    )
                    for c in np.flatnonzero(hits)
                ]
        return found

    def _by_cycles(self, metric: str, i: int, columns: Array, segment: str, dispersion: Array, level: str) -> Array:
        """Return what the cycles before allow, where windows differ by more than chance; else nothing."""
        keys = [("drift", segment, self.table.names[c], "") for c in columns]
        usual = self.track.earlier(self.cycles[metric][:, columns], i, keys, apart=int(self.track.per_cycle[i]))
        roots = np.minimum(usual.limit(self.chances.of_recent(level)), usual.middle * MOST_RISE ** (2 * POWERS[metric]))
        limits = self._learned(metric, columns, roots, usual.greatest)
        return np.where(self.rules.seasons & exceeds(dispersion, 1) & ~np.isnan(limits), limits, 0.0)

    def _suspect(self, figure: Mapping[str, float], column: int, lingers: bool) -> bool:
        """Tell whether a finding is possible at all: the greater distance is not below the least limit of any."""
        greatest = max(figure.get(metric, 0.0) for metric in METRICS)
        if lingers:
            return bool(reaches(greatest, self._floor("lingering")))
        paired = float(noise.paired_rows(self.table.before[column], figure["rows"]))
        # Chances are below one in five, where Kolmogorov's limit is over 1 and that of the divergence too.
        return bool(reaches(greatest, max(self._floor("plain"), 0.5 / math.sqrt(max(paired, 1.0)))))

    def _recent_limits(self, metric: str, columns: Array, group: Mapping[str, Array], level: str) -> Array:
        chance = self.chances.of_recent(level)
        dispersion, degrees = group["dispersion"], group["degrees"]
        dispersed = exceeds(dispersion, 1)
        below = np.maximum((group["compared"] - 1) * degrees, 1.0)
        before = self.table.before[columns]
        # Chance divides by the estimated dispersion, so a chi-square over its degrees becomes an F.
        many = noise.f_limit(degrees, below, chance)
        one = noise.one_direction_limit(group["bins"], dispersion, group["compared"], chance)
        # However cycles differ, what is so much further is told.
        ratio = np.where(dispersed, np.maximum(many, np.minimum(one, MOST_RISE**2)), 1.0)
        if metric == "jensen_shannon":
            paired = np.maximum(noise.paired_rows(before, group["rows"] / dispersion), 1.0)
            stray = self.table.at(paired, columns)
            scaled = np.where(dispersed, ratio * stray.mean, stray.limit(chance))
            limits = np.sqrt(scaled / noise.JENSEN_SHANNON_SCALE / paired)
        else:
            # What differs in few directions differs the more in those.
            main = dispersion * np.where(dispersed, group["bins"] / degrees, 1.0)
            paired = np.maximum(noise.paired_rows(before, group["rows"] / main), 1.0)
            wider = np.sqrt(np.maximum(ratio / noise.chi_square_limit(degrees, chance), 1.0))
            limits = noise.kolmogorov_limit(chance) / np.sqrt(paired) * np.where(dispersed, wider, 1.0)
        return np.maximum(limits, self._floor(level))


def _why_recent(figure: Mapping[str, float]) -> str:
    why = f"{count(int(figure['rows']), 'row')} of {count(int(figure['windows']), 'window')} together"
    if exceeds(figure["dispersion"], 1):
        why += f", which differ {figure['dispersion']:,.1f} times as much as by chance"
    return why
