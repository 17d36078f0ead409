"""Judging drift: each column's distances of a window, and of the last cycle of windows together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures import noise
from modelops_jupyter.monitoring.figures.cycle import CYCLES, cycle_length
from modelops_jupyter.monitoring.figures.deciding import exceeds, reaches
from modelops_jupyter.monitoring.judging.history import LEAST_RISE, SEASONS, Usual
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.judging.thresholds import LEVELS, LINGERING_FLOOR, Chances, Track
from modelops_jupyter.monitoring.record.packed import table
from modelops_jupyter.monitoring.record.results import Finding

Array = np.ndarray[Any, Any]
METRICS = ("jensen_shannon", "kolmogorov_smirnov")
# Of a number, with the ranks that `rank_findings` judges.
STATISTICS = 3
# While no whole cycle was seen, at least such a part of the rows must lie where no season could put them.
LEAST_BEYOND = 0.05
# With so many windows a young track may tell that something is no season.
FEWEST_YOUNG = 3
# However cycles differ, one that is e times as far as usual is told.
MOST_RISE = 1.5


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
        with np.errstate(divide="ignore", invalid="ignore"):
            self.logs = {
                "jensen_shannon": np.log(self._scaled(self.values["jensen_shannon"])),
                "kolmogorov_smirnov": np.log(np.sqrt(self.paired) * self.values["kolmogorov_smirnov"]),
            }
        for logs in self.logs.values():
            np.maximum(logs, -6.0, out=logs)  # a distance of exactly nothing
        self.cycles = {metric: self._cycle_logs(metric) for metric in METRICS}
        # What no history makes a finding: limits by chance are the least there are.
        self.least = {
            (metric, level): self._by_chance(metric, level) for metric in METRICS for level in ("likely", "lingering")
        }

    def _cycle_logs(self, metric: str) -> Array:
        """Return the logarithms of the distances of each window's last cycle of windows; NaN where there is none."""
        found = table([window.cycle for window in self.track.windows], self.table.names, metric)
        logs: Array = np.log(np.maximum(found, 1e-3))
        return logs

    def _strays(self, paired: Array) -> noise.Stray:
        """Return how the divergence of each window and column strays, in one row."""
        columns = np.tile(np.arange(len(self.table.names)), len(paired))
        return self.table.at(paired.reshape(-1), columns)

    def _scaled(self, distances: Array) -> Array:
        means = self._strays(self.paired).mean.reshape(self.paired.shape)
        scaled: Array = noise.JENSEN_SHANNON_SCALE * self.paired * distances**2 / means
        return scaled

    def _by_chance(self, metric: str, level: str) -> Array:
        """Return the limits of all columns by chance alone, of the windows to be judged."""
        chance, paired = self.chances.of(level), np.maximum(self.paired[self.first :], 1.0)
        if metric == "jensen_shannon":
            scaled = self._strays(self.paired[self.first :]).limit(chance).reshape(paired.shape)
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
        for metric in METRICS:
            figures = self.values[metric][i]
            with np.errstate(invalid="ignore"):
                suspect = reaches(figures, self.least[metric, "likely"][i - self.first]) | (
                    lingers & reaches(figures, self.least[metric, "lingering"][i - self.first])
                )
            if young:
                suspect &= reaches(self.logs[metric][i], self._odd_one_out(metric, i))
            columns = np.flatnonzero(suspect)
            if not len(columns):
                continue
            earlier = self.track.earlier(self.logs[metric][:, columns], i, [keys[c] for c in columns])
            for level in LEVELS:
                limits, learned = self._limits(metric, i, columns, level, earlier)
                hits = reaches(figures[columns], limits) & (lingers[columns] | (level != "lingering"))
                for n in np.flatnonzero(hits):
                    c = columns[n]
                    why = self._why(i, c, int(earlier.windows[n]) if learned[n] else 0)
                    name, figure, limit = self.table.names[c], float(figures[c]), float(limits[n])
                    found.append(Finding("drift", name, metric, figure, limit, segment, level, why))
        return found

    def _odd_one_out(self, metric: str, i: int) -> Array:
        """Return how far (as `logs`) an unseen day may be from a reference that the days before resemble.

        If all but one of the L windows of a cycle are alike and the reference is their mix, the odd one is L - 1 times
        as far from it as the others, and squared distances beyond chance by the square of that.
        """
        logs = self.logs[metric][:i]
        logs = np.where(np.isnan(logs), 0.0, logs)
        squares = np.exp(logs * (1 if metric == "jensen_shannon" else 2))
        degrees = np.ones(logs.shape[1])
        if metric == "jensen_shannon":
            degrees = self.table.at(np.maximum(self.paired[i], 1.0)).degrees
        chance = 2 * np.sqrt(2 / degrees / i)
        beyond = np.maximum(squares.mean(0) - 1, 0) + chance
        limits: Array = np.log(1 + (CYCLES[self.track.every] - 1) ** 2 * beyond)
        return limits / (1 if metric == "jensen_shannon" else 2)

    def _limits(self, metric: str, i: int, columns: Array, level: str, earlier: Usual) -> tuple[Array, Array]:
        """Return the columns' limits of a distance, and where they follow from the history."""
        chance = self.chances.of(level, earlier.repeats)
        paired = np.maximum(self.paired[i, columns], 1.0)
        if metric == "jensen_shannon":
            stray = self.table.at(paired, columns)
            middle, spread = -1 / stray.degrees, np.sqrt(2 / stray.degrees)
            by_chance = np.log(stray.limit(chance) / stray.mean)
            at = np.exp(np.nan_to_num(earlier.middle))
            least_spread = np.sqrt(2 * (2 * at - 1).clip(1) / stray.degrees) / at
        else:
            middle, spread = (np.full(len(paired), value) for value in noise.KOLMOGOROV_LOG)
            by_chance = np.log(noise.kolmogorov_limit(chance)) + np.zeros(len(paired))
            least_spread = np.minimum(spread, 0.5 / np.exp(np.nan_to_num(earlier.middle)))
        k = np.maximum(earlier.windows, 1)
        # The median strays by 1.25 s / √k, the median absolute deviation by 1.17 s / √k: three of them are no chance.
        more = exceeds(earlier.middle, middle + 3 * 1.25 * spread / np.sqrt(k)) | exceeds(
            earlier.spread, spread * (1 + 3 * 1.17 / np.sqrt(k))
        )
        learned = np.maximum(earlier.limit(chance, least_spread), earlier.middle + LEAST_RISE)
        if self.track.starts[i] - self.track.began < SEASONS * cycle_length(self.track.every):
            # Seasons cannot be taken out yet: only a record is news.
            learned = np.fmax(learned, earlier.greatest + LEAST_RISE)
        more &= self.rules.seasons
        more &= exceeds(learned, by_chance)
        logs = np.where(more, learned, by_chance)
        with np.errstate(over="ignore"):
            if metric == "jensen_shannon":
                limits = np.sqrt(np.exp(logs) * stray.mean / noise.JENSEN_SHANNON_SCALE / paired)
            else:
                limits = np.exp(logs) / np.sqrt(paired)
        return np.maximum(limits, self._floor(level)), more

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
        # Before each season was seen twice, only what no season could bring is judged.
        possible = reaches(group["seen"], 2) | reaches(group["beyond"], LEAST_BEYOND + 2 / np.sqrt(group["rows"]))
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
        usual = self.track.earlier(self.cycles[metric][:, columns], i, keys, apart=CYCLES[self.track.every])
        with np.errstate(over="ignore"):
            limits = np.exp(np.minimum(usual.limit(self.chances.of_recent(level)), usual.middle + MOST_RISE))
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
        ratio = np.where(dispersed, noise.f_limit(degrees, below, chance), 1.0)
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
    why = f"{figure['rows']:,.0f} rows of {figure['windows']:.0f} windows together"
    if exceeds(figure["dispersion"], 1):
        why += f", which differ {figure['dispersion']:,.1f} times as much as by chance"
    return why
