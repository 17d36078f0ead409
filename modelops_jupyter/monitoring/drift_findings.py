"""Judging drift: each column's distances of a window, and of the last cycle of windows together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from modelops_jupyter.monitoring import noise
from modelops_jupyter.monitoring.baseline import Baseline
from modelops_jupyter.monitoring.cycle import cycle_length
from modelops_jupyter.monitoring.history import LEAST_RISE, Usual
from modelops_jupyter.monitoring.results import Finding
from modelops_jupyter.monitoring.rules import AlertRules
from modelops_jupyter.monitoring.thresholds import LEVELS, LINGERING_FLOOR, Chances, Track

Array = np.ndarray[Any, Any]
METRICS = ("jensen_shannon", "kolmogorov_smirnov")
# While no whole cycle was seen, at least such a part of the rows must lie where no season could put them.
LEAST_BEYOND = 0.05
_ROWS = np.geomspace(10, 1e7, 61)


class NoiseTable:
    """How the divergence of each column strays by chance, by number of rows: worked out once per reference."""

    def __init__(self, baseline: Baseline) -> None:
        self.names = (*baseline.numbers.names, *baseline.categories)
        profiles = baseline.reference.profile.columns
        self.before = np.array([profiles[name].n - profiles[name].missing for name in self.names], dtype=float)
        rows = [self._counts(baseline, name) for name in self.names]
        tables = [noise.divergence(np.tile(counts, (len(_ROWS), 1)), _ROWS) for counts in rows]
        self._table = np.array([(table.start, table.step, table.degrees) for table in tables])

    def _counts(self, baseline: Baseline, name: str) -> Array:
        column, binning = baseline.reference.profile.columns[name], baseline.reference.binning.columns[name]
        counts = [*binning.coarsen(column.counts)] if sum(column.counts) or column.counts else [0]
        return np.array([*counts, column.unseen] if column.kind == "category" else counts, dtype=float)

    def at(self, rows: Array, columns: Array | None = None) -> noise.Stray:
        """Return how the divergences of the columns (all by default) stray at `rows` paired rows each."""
        place = np.interp(np.log(np.maximum(rows, 1.0)), np.log(_ROWS), np.arange(len(_ROWS)))
        low = np.minimum(place.astype(int), len(_ROWS) - 2)
        part = (place - low)[:, None]
        column = np.arange(len(self.names)) if columns is None else columns
        table = np.moveaxis(self._table, 1, 2)
        start, step, degrees = ((1 - part) * table[column, low] + part * table[column, low + 1]).T
        return noise.Stray(start, step, degrees)


class DriftJudge:
    """Judges the drift of one track's windows in their order."""

    def __init__(self, track: Track, allowance: float, rules: AlertRules) -> None:
        self.track, self.rules = track, rules
        self.chances = Chances(allowance, 3, len(METRICS), rules)
        self.table = NoiseTable(track.baseline)
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

    def _scaled(self, distances: Array) -> Array:
        means = np.array([self.table.at(paired).mean for paired in self.paired]).reshape(self.paired.shape)
        scaled: Array = noise.JENSEN_SHANNON_SCALE * self.paired * distances**2 / means
        return scaled

    def judge(self, i: int, segment: str) -> list[Finding]:
        """Return the findings of window `i`; those of the windows before are in the track."""
        lately = self.track.lately(i, self.rules)
        keys = [("drift", segment, name, "") for name in self.table.names]
        lingers = np.array([key in lately for key in keys])
        found = self._of_recent(i, segment, lingers)
        if self.track.starts[i] - self.track.starts[0] < cycle_length(self.track.every):
            return found
        for metric in METRICS:
            earlier = self.track.earlier(self.logs[metric], i, keys)
            for level in LEVELS:
                limits, learned = self._limits(metric, i, level, earlier)
                figures = self.values[metric][i]
                hits = (figures >= limits) & (lingers | (level != "lingering"))
                found += [
                    Finding("drift", name, metric, float(figures[c]), float(limits[c]), segment, level, why)
                    for c, name in enumerate(self.table.names)
                    if hits[c]
                    for why in [self._why(i, c, earlier if learned[c] else None)]
                ]
        return found

    def _limits(self, metric: str, i: int, level: str, earlier: Usual) -> tuple[Array, Array]:
        """Return each column's limit of a distance, and where it follows from the history."""
        chance = self.chances.of(level, earlier.repeats)
        paired = np.maximum(self.paired[i], 1.0)
        if metric == "jensen_shannon":
            stray = self.table.at(paired)
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
        more = (earlier.middle > middle + 3 * 1.25 * spread / np.sqrt(k)) | (
            earlier.spread > spread * (1 + 3 * 1.17 / np.sqrt(k))
        )
        learned = np.maximum(earlier.limit(chance, least_spread), earlier.middle + LEAST_RISE)
        logs = np.where(more & (learned > by_chance), learned, by_chance)
        with np.errstate(over="ignore"):
            if metric == "jensen_shannon":
                limits = np.sqrt(np.exp(logs) * stray.mean / noise.JENSEN_SHANNON_SCALE / paired)
            else:
                limits = np.exp(logs) / np.sqrt(paired)
        floor = self.rules.distance * (LINGERING_FLOOR if level == "lingering" else 1.0)
        return np.maximum(limits, floor), more & (learned > by_chance)

    def _why(self, i: int, column: int, earlier: Usual | None) -> str:
        if earlier is not None:
            return f"{earlier.windows[column]} earlier windows differ as much from each other"
        return f"what chance does in {self.rows[i, column]:,.0f} rows, or the least effect that counts"

    def _of_recent(self, i: int, segment: str, lingers: Array) -> list[Finding]:
        """Judge the windows of the last cycle together."""
        recent = self.track.windows[i].cycle
        columns = np.array([c for c, name in enumerate(self.table.names) if name in recent], dtype=int)
        if not len(columns):
            return []
        figures = [recent[self.table.names[c]] for c in columns]
        words = ("rows", "windows", "dispersion", "degrees", "bins", "beyond", "seen")
        group = {word: np.array([figure[word] for figure in figures]) for word in words}
        # Before a whole cycle was seen, only what no season could bring is judged.
        possible = (group["seen"] >= 1) | (group["beyond"] >= LEAST_BEYOND + 2 / np.sqrt(group["rows"]))
        found: list[Finding] = []
        for metric in METRICS:
            values = np.array([figure.get(metric, np.nan) for figure in figures])
            for level in ("plain", "lingering"):
                limits = self._recent_limits(metric, columns, group, level)
                hits = possible & (values >= limits) & (lingers[columns] | (level == "plain"))
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

    def _recent_limits(self, metric: str, columns: Array, group: Mapping[str, Array], level: str) -> Array:
        chance = self.chances.of(level)
        # What no season could bring is not excused by how windows differ.
        dispersion = np.where(group["seen"] >= 1, group["dispersion"], 1.0)
        degrees = group["degrees"]
        dispersed = dispersion > 1
        below = np.maximum((group["windows"] - 1) * degrees, 1.0)
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
        floor = self.rules.distance * (LINGERING_FLOOR if level == "lingering" else 1.0)
        return np.maximum(limits, floor)


def _why_recent(figure: Mapping[str, float]) -> str:
    why = f"{figure['rows']:,.0f} rows of {figure['windows']:.0f} windows together"
    if figure["dispersion"] > 1:
        why += f", which differ {figure['dispersion']:,.1f} times as much as by chance"
    return why
