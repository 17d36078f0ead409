"""Judging data quality: rates of rows that are missing, of the wrong type, unseen or out of range."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from modelops_jupyter.derived_names import PRESENCE
from modelops_jupyter.monitoring.figures import noise
from modelops_jupyter.monitoring.figures.deciding import exceeds, reaches
from modelops_jupyter.monitoring.figures.figure import FEWEST_ROWS
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.judging.thresholds import LEVELS, LINGERING_FLOOR, Chances, Track
from modelops_jupyter.monitoring.record.results import Finding
from modelops_jupyter.profiles import ColumnBinning, ColumnProfile
from modelops_jupyter.wording import figure_text

Array = np.ndarray[Any, Any]
UNSEEN, BEYOND = "unseen_rate", "out_of_range_rate"
METRICS = ("null_rate", "mistyped_rate", UNSEEN, BEYOND)
# An endless stream passes the extremes of m rows about twice in m rows.
BEYOND_EXTREMES = 2
# Windows that differ by chance alone are taken to differ by more in one column of twenty.
DOUBT = 0.05
# Rows of a window that are expected: of fewer, spreads of rates say nothing.
RARE = 1.0
# Of so many columns one is taken not to change from day to day.
FEWEST_COLUMNS = 3


def quality_signals(columns: Iterable[ColumnBinning]) -> int:
    """Return how many tests are made of a window's rates, a column's missing and mistyped rows as one.

    >>> primary, secondary = (ColumnBinning("numeric", source="note", descriptor=word) for word in ("length", "words"))
    >>> quality_signals([ColumnBinning("numeric"), primary, secondary])
    4
    """
    return sum((not column.is_secondary) + _has_extent(column) for column in columns)


def _has_extent(column: ColumnBinning) -> bool:
    """Tell whether values may lie beyond the reference's: categories unseen, numbers out of range."""
    if column.descriptor in PRESENCE:
        return False
    return column.kind != "numeric" or not column.is_secondary


class QualityJudge:
    """Judges the rates of one track's windows in their order."""

    def __init__(self, track: Track, allowance: float, rules: AlertRules) -> None:
        self.track, self.rules = track, rules
        self.chances = Chances(allowance, 2, 1, rules)
        profiles = track.baseline.reference.profile.columns
        self.names = tuple(profiles)
        self.before = {metric: np.array([_hits(metric, profiles[n]) for n in self.names]) for metric in METRICS}
        rates = {metric: track.rates(self.names, metric) for metric in METRICS}
        self._without_unlogged(rates["null_rate"])
        rates["mistyped_rate"] = np.nan_to_num(rates["mistyped_rate"])  # kept only where it is not zero
        binning = track.baseline.reference.binning.columns
        again = [binning[name].is_secondary for name in self.names]  # one empty or endless text is not six
        for metric in ("null_rate", "mistyped_rate", BEYOND):
            rates[metric][:, again] = np.nan
        self.rates = rates

    def _without_unlogged(self, null_rates: Array) -> None:
        """Take out scores that were never logged: a regression has none, and logging them is no duty."""
        if "score" in self.names:
            rates = null_rates[:, self.names.index("score")]
            # nanmin of what came up to each window: 1 means nothing yet.
            rates[np.fmin.accumulate(rates) >= 1] = np.nan

    def judge(self, i: int, segment: str) -> list[Finding]:
        """Return the findings of window `i`; those of the windows before are in the track."""
        window = self.track.windows[i]
        if window.rows < FEWEST_ROWS:
            return []
        lately = self.track.lately(i, self.rules)
        return [finding for metric in METRICS for finding in self._judge(metric, i, segment, lately)]

    def _judge(self, metric: str, i: int, segment: str, lately: set[tuple[str, str, str, str]]) -> list[Finding]:
        hits, usual_rows = self.before[metric].T
        usual = hits / np.maximum(usual_rows, 1)
        rates = self.rates[metric][i]
        rise = self._least_rise(metric, usual)
        keys = [("quality", segment, name, metric) for name in self.names]
        lingers = np.array([key in lately for key in keys])
        least = usual + np.where(lingers, LINGERING_FLOOR * rise, rise)
        suspect = np.flatnonzero(reaches(rates, least) & exceeds(rates, usual))
        if not len(suspect):
            return []
        together = self._rows_together(i)
        rows = np.full(len(suspect), float(self.track.windows[i].rows) / together)
        earlier = self.track.earlier(self.rates[metric][:, suspect], i, [keys[c] for c in suspect])
        chance = np.sqrt(usual[suspect] * (1 - usual[suspect]) / rows)
        # Of what is rare one row makes a day differ: not by more than chance until chance explains neither the greatest
        # day nor all days together.
        days = np.maximum(earlier.windows, 1)
        own = hits[suspect] / together, usual_rows[suspect] / together
        unlikely = reaches(earlier.greatest, noise.share_limit(*own, rows, DOUBT / days))
        unlikely |= reaches(earlier.mean, noise.share_limit(*own, rows * days, np.full(len(days), DOUBT)))
        explained = (usual[suspect] * rows < RARE) & ~unlikely
        more = (exceeds(earlier.spread, 1.5 * chance + 1e-9) & ~explained) | self.track.days_differ(i)
        found = []
        for level in LEVELS:
            limits = noise.share_limit(
                hits[suspect] / together, usual_rows[suspect] / together, rows, self.chances.of(level, earlier.repeats)
            )
            learned = earlier.limit(self.chances.of(level, earlier.repeats), chance)
            limits = np.where(more & exceeds(learned, limits), learned, limits)
            least = rise[suspect] * (LINGERING_FLOOR if level == "lingering" else 1.0)
            limits = np.minimum(np.maximum(limits, usual[suspect] + least), 1.0)
            for c in np.flatnonzero(reaches(rates[suspect], limits) & (lingers[suspect] | (level != "lingering"))):
                column = suspect[c]
                where = "expected by the reference" if metric == UNSEEN else "of the reference's rows"
                why = f"{figure_text(usual[column], 2)} {where}"
                if more[c]:
                    why += f"; {earlier.windows[c]} earlier windows differ by more than chance"
                name, rate, limit = self.names[column], float(rates[column]), float(limits[c])
                values = self.track.windows[i].drift.get(name, {}).get(metric, {}).get("with", "")
                found.append(Finding("quality", name, metric, rate, limit, segment, level, why, beside=values))
        return found

    def _rows_together(self, i: int) -> float:
        """Return how many rows come together, such as those of one person: so many are worth one (Kish 1965).

        Days differ in what a day is like, in some columns. Where rows come together they differ in all of them: by the
        least that any differs.
        """
        cycle = self.track.windows[i - 1].cycle if i else {}
        scatter = [figures["scatter"] for figures in cycle.values() if "scatter" in figures]
        return max(1.0, min(scatter)) if len(scatter) >= FEWEST_COLUMNS else 1.0

    def _least_rise(self, metric: str, usual: Array) -> Array:
        """Return the least rises of rates that count, over the reference's: none where it has none.

        Otherwise as much as makes up the least distance. The squared Jensen-Shannon distance (base 2) of a share p and
        one of p + u is u² / (8 ln 2 p (1 - p)) to the first order, a chi-square's (Endres and Schindelin 2003); that of
        a distribution and one of which a share u went elsewhere u / 2.
        """
        usual = usual.clip(0.0, 1.0)  # two rows beyond the extremes of one
        small = self.rules.distance * np.sqrt(noise.JENSEN_SHANNON_SCALE * usual * (1 - usual))
        most = 2 * self.rules.distance**2 if metric in (UNSEEN, BEYOND) else self.rules.rate_rise
        least: Array = np.minimum(small, min(self.rules.rate_rise, most))
        return least


def _hits(metric: str, column: ColumnProfile) -> tuple[float, float]:
    """Return how many rows of the reference were hit, of how many."""
    present = column.n - column.missing
    return {
        "null_rate": (float(column.missing), float(column.n)),
        "mistyped_rate": (float(column.mistyped), float(column.n)),
        UNSEEN: (float(column.unseen + _nearly_unseen(column)), float(present)),
        BEYOND: (float(BEYOND_EXTREMES), float(present)),
    }[metric]


def _nearly_unseen(column: ColumnProfile) -> float:
    """Return how many rows of the reference have a value that would be none of its categories but for that row.

    So many more of the next rows have a value unseen (leaving one out; Good, Biometrika 1953): those that came once.
    Where there were too many values, categories were chosen on rows apart, and the others say what is unseen.
    """
    return 0.0 if column.unseen else float(column.counts.count(1))
