"""Judging what samples of rows say: changed bonds between columns, and combinations that the reference never had."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from modelops_jupyter.monitoring.figures import noise
from modelops_jupyter.monitoring.figures.deciding import exceeds, reaches, settled
from modelops_jupyter.monitoring.judging.history import LEAST_RISE, Usual
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.judging.thresholds import LEVELS, LINGERING_FLOOR, Chances, Track
from modelops_jupyter.monitoring.record.packed import numbers, table
from modelops_jupyter.monitoring.record.results import Finding, signal
from modelops_jupyter.profiles.sampling import sampled_columns
from modelops_jupyter.wording import figure_text

Array = np.ndarray[Any, Any]
METRIC, COMBINATIONS = "dependence", "unseen_combinations"
WORDS = ("value", "error", "degrees")
# From so many windows on it shows whether they differ in their bonds by more than chance.
FEWEST_DAYS = 10
Key = tuple[str, str, str, str]


class BondJudge:
    """Judges the bonds of one track's windows in their order.

    A window's figure is the greatest of several, each normal by chance. Days differ in their bonds (one day has one
    weather), so nothing is judged before some were seen. The last cycle together is not judged: a cycle has few rows
    more in its sample than days have in which their bonds differ.
    """

    def __init__(self, track: Track, allowance: float, rules: AlertRules) -> None:
        self.track, self.rules = track, rules
        self.chances = Chances(allowance, 3, 1, rules)
        self.names = sampled_columns(track.baseline.reference.profile.columns)
        drift = [window.drift for window in track.windows]
        self.days = {word: _of(drift, self.names, word) for word in WORDS}
        # What no history makes a finding: limits by chance are the least there are.
        self.least = {
            level: np.maximum(
                _greatest_normal(self.chances.of(level), self.days["degrees"]) * self.days["error"],
                rules.bond * (LINGERING_FLOOR if level == "lingering" else 1.0),
            )
            for level in ("likely", "lingering")
        }

    def judge(self, i: int, segment: str) -> list[Finding]:
        """Return the findings of window `i`; those of the windows before are in the track."""
        if not self.names:
            return []
        lately = self.track.lately(i, self.rules)
        keys: list[Key] = [signal("drift", segment, name, METRIC) for name in self.names]
        lingers = np.array([key in lately for key in keys])
        columns = np.flatnonzero(self._suspect(i, lingers))
        if not len(columns):
            return []
        chosen = [keys[c] for c in columns]
        daily = self.track.earlier(_logs(self.days)[:, columns], i, chosen)
        if int(daily.windows.max()) < FEWEST_DAYS:
            return []
        more = _more(daily, self.days["degrees"][i, columns]) | self.track.days_differ(i)
        found = self._judge(i, columns, daily, more, lingers, segment)
        before = self.track.windows[max(0, i - self.rules.windows) : i]
        changed = {f.column for window in before for f in window.findings if f.metric == METRIC}
        return one_of_a_pair(found, {name: self._partner(i, name) for name in self.names}, changed)

    def _suspect(self, i: int, lingers: Array) -> Array:
        values = self.days["value"][i]
        with np.errstate(invalid="ignore"):
            found: Array = reaches(values, self.least["likely"][i]) | (
                lingers & reaches(values, self.least["lingering"][i])
            )
        return found

    def _judge(
        self, i: int, columns: Array, earlier: Usual, more: Array, lingers: Array, segment: str
    ) -> list[Finding]:
        value, error, partners = (self.days[word][i, columns] for word in WORDS)
        young = not self.track.seasons_known(i)
        found = []
        for level in LEVELS:
            chance = self.chances.of(level, earlier.repeats)
            by_chance = _greatest_normal(chance, partners)
            with np.errstate(invalid="ignore", over="ignore"):
                learned = np.maximum(earlier.limit(chance), earlier.middle + LEAST_RISE)
                learned = np.where(more, learned, -np.inf)
                if young:  # only a record is news; what is not known yet stays so
                    learned = np.maximum(learned, earlier.greatest + LEAST_RISE)
                known = np.exp(np.minimum(learned, 50.0))
            # Where days differ, a history that is too short yet allows no judgement.
            limits = np.where(np.isnan(known), np.inf, np.fmax(known, by_chance)) * error
            limits = np.maximum(limits, self.rules.bond * (LINGERING_FLOOR if level == "lingering" else 1.0))
            with np.errstate(invalid="ignore"):
                hits = reaches(value, limits) & (lingers[columns] | (level != "lingering"))
            for n in np.flatnonzero(hits):
                name = self.names[columns[n]]
                why = self._why(i, name, int(earlier.windows[n]) if more[n] else 0)
                finding = Finding("drift", name, METRIC, float(value[n]), float(limits[n]), segment, level, why)
                found.append(replace(finding, beside=self._partner(i, name)))
        return found

    def _why(self, i: int, name: str, windows: int) -> str:
        partner = self._partner(i, name)
        bond = f"its bond with {partner}; " if partner else ""
        return bond + (f"so much {windows} earlier windows differ from each other" if windows else "what chance does")

    def _partner(self, i: int, name: str) -> str:
        """Return the column with which a column's bond changed most in a window."""
        return str(self.track.windows[i].drift.get(name, {}).get("dependence", {}).get("with", ""))


def one_of_a_pair(findings: list[Finding], partners: Mapping[str, str], before: Collection[str]) -> list[Finding]:
    """Return the findings without those that say of a column what another one says of its partner.

    A bond that changed is one of both of its columns. The one goes on that had a finding `before`; otherwise, the one
    that is the partner of most others, and then the one that is further beyond its limit.
    """

    def rank(name: str) -> tuple[bool, int, float, str]:
        own = [finding for finding in findings if finding.column == name]
        furthest = max(settled(finding.figure / finding.threshold) for finding in own)
        named = sum(partners.get(other) == name for other in names)
        return name not in before, -named, -furthest, name

    names = {finding.column for finding in findings}
    beside = {
        name
        for name in names
        if (p := partners.get(name, "")) in names and partners.get(p) == name and rank(p) < rank(name)
    }
    return [finding for finding in findings if finding.column not in beside]


class CombinationJudge:
    """Judges how many sampled rows have a pair of values that the reference never had."""

    def __init__(self, track: Track, allowance: float, rules: AlertRules) -> None:
        self.track, self.rules = track, rules
        self.chances = Chances(allowance, 2, 1, rules)
        figures = [window.quality.get(COMBINATIONS, {}) for window in track.windows]
        self.rates = np.array([np.nan if f.get("value") is None else f["value"] for f in figures], dtype=float)
        self.rows = np.array([f.get("degrees", 0) for f in figures], dtype=float)

    def judge(self, i: int, segment: str) -> list[Finding]:
        """Return the findings of window `i`; those of the windows before are in the track."""
        rate, rows = float(self.rates[i]), self.rows[i : i + 1]
        if math.isnan(rate):
            return []
        bonds, key = self.track.baseline.bonds, ("quality", segment, "", COMBINATIONS)
        usual = bonds.unseen_before / max(bonds.rows, 1)
        lingers = key in self.track.lately(i, self.rules)
        if not reaches(rate, usual + self.rules.rate_rise * (LINGERING_FLOOR if lingers else 1.0)):
            return []
        earlier = self.track.earlier(self.rates[:, None], i, [key])
        spread = math.sqrt(max(usual * (1 - usual), 1e-9) / float(rows[0]))
        found = []
        for level in LEVELS if lingers else LEVELS[:2]:
            chance = self.chances.of(level, earlier.repeats)
            limit = float(noise.share_limit(np.array([bonds.unseen_before]), np.array([bonds.rows]), rows, chance)[0])
            if exceeds(float(earlier.spread[0]), 1.5 * spread) or exceeds(float(earlier.middle[0]), usual + 2 * spread):
                limit = max(limit, float(earlier.limit(chance, spread).reshape(-1)[0]))
            rise = self.rules.rate_rise * (LINGERING_FLOOR if level == "lingering" else 1.0)
            limit = min(1.0, max(limit, usual + rise))
            if reaches(rate, limit):
                pair = self.track.windows[i].quality[COMBINATIONS].get("with", "")
                why = f"{figure_text(usual, 2)} of rows are expected to have one; most of {pair}"
                found.append(Finding("quality", "", COMBINATIONS, rate, limit, segment, level, why, beside=pair))
        return found


def _of(windows: Sequence[Mapping[str, Mapping[str, Any]]], names: Sequence[str], word: str) -> Array:
    if word == "value":
        return table(windows, names, "dependence")
    found = [numbers(figures, names, "dependence", word) for figures in windows]
    return np.array(found).reshape(len(windows), len(names))


def _logs(figures: dict[str, Array]) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        logs: Array = np.log(np.maximum(figures["value"] / figures["error"], 1e-2))
    return logs


def _more(earlier: Usual, partners: Array) -> Array:
    """Tell where the windows before differ by more than the greatest of so many normal variables does."""
    low, middle, high = (np.log(_greatest_normal(chance, partners)) for chance in (0.84, 0.5, 0.16))
    spread, k = (high - low) / 2, np.maximum(earlier.windows, 1)
    with np.errstate(invalid="ignore"):
        more: Array = exceeds(earlier.middle, middle + 3 * 1.25 * spread / np.sqrt(k)) | exceeds(
            earlier.spread, spread * (1 + 3 * 1.17 / np.sqrt(k))
        )
        more |= exceeds(earlier.season, 0.0)
    return more


def _greatest_normal(chance: Array | float, partners: Array) -> Array:
    """Return what the greatest of so many normal variables, signs aside, passes with `chance`."""
    from scipy.special import ndtri  # heavy: not before it is needed

    single = -np.expm1(np.log1p(-np.asarray(chance)) / np.maximum(np.nan_to_num(partners), 1.0))
    limit: Array = -ndtri(single / 2)
    return limit
