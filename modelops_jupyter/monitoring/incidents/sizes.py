"""How large a sign was when a person accepted it, and whether what is seen now is clearly more or something else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from modelops_jupyter.monitoring.figures.deciding import reaches
from modelops_jupyter.monitoring.incidents.magnitude import magnitude
from modelops_jupyter.monitoring.incidents.members import Member
from modelops_jupyter.monitoring.record.results import Finding, plain_metric

# What is accepted at .51, its threshold being .50, varies by more than that .01 from day to day.
LEAST_EXCESS = 0.25
# Of a statistic that was not seen when the sign was accepted: twice as far beyond its threshold as the others were.
CLEARLY = 1.0
# Figures that cannot pass 1: half of what is left up to there is clearly more.
SHARES = frozenset({"jensen_shannon", "kolmogorov_smirnov", "share_shift", "dependence", "unseen_combinations"})
_VALUE = re.compile(r"`([^`]*)`")
_UNNAMED = re.compile(r" and (\d+) more$")


@dataclass(frozen=True)
class Size:
    """One sign as it was when it was accepted.

    Attributes
    ----------
    facet : tuple of str
        The sign, its column and its segment; see `Member.facet`.
    last : str
        Start of the last window in which it was seen by then.
    figures : mapping of str to tuple of float
        Per metric the worst figure and the threshold of its window; empty for what follows from an accepted sign.
    values : tuple of str, optional
        The values that were new; None where more were than are named: nothing is judged by their names then.
    """

    facet: tuple[str, str, str]
    last: str
    figures: Mapping[str, tuple[float, float]]
    values: tuple[str, ...] | None = ()

    @classmethod
    def of(cls, member: Member, findings: Sequence[Finding]) -> Size:
        """Return the size of an open alert, by its findings so far."""
        worst: dict[str, tuple[float, float]] = {plain_metric(member.metric): (member.figure, member.threshold)}
        for finding in findings:
            metric, pair = plain_metric(finding.metric), (finding.figure, finding.threshold)
            if metric not in worst or _excess(*pair) > _excess(*worst[metric]):
                worst[metric] = pair
        texts = (member.beside, *(finding.beside for finding in findings))
        size = cls(member.facet, member.last, worst)
        if member.sign != "unseen_rate":
            return size
        every = {value for text in texts for value in _VALUE.findall(text)}
        return replace(size, values=None if any(map(_unnamed, texts)) else tuple(sorted(every)))

    def joined(self, other: Size) -> Size:
        """Return the size of two alerts of one facet, such as of windows of several lengths."""
        worst = dict(self.figures)
        for metric, pair in other.figures.items():
            if metric not in worst or _excess(*pair) > _excess(*worst[metric]):
                worst[metric] = pair
        both = None if self.values is None or other.values is None else {*self.values, *other.values}
        values = None if both is None else tuple(sorted(both))
        return Size(self.facet, max(self.last, other.last), worst, values)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Size:
        """Read what `to_dict` wrote."""
        figures = {metric: (worst, threshold) for metric, (worst, threshold) in body["figures"].items()}
        sign, column, segment = body["facet"]
        return cls(
            (sign, column, segment), body["last"], figures, None if body["values"] is None else tuple(body["values"])
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        figures = {metric: list(pair) for metric, pair in self.figures.items()}
        values = None if self.values is None else list(self.values)
        return {**asdict(self), "facet": list(self.facet), "figures": figures, "values": values}

    def is_passed_by(self, finding: Finding) -> bool:
        """Tell whether a finding is clearly stronger than what was accepted, or something else.

        Something else is on the other side of its threshold, or has values that nobody had seen. Stronger is twice as
        far beyond the threshold, or half of the way from the accepted figure to the end of its scale.
        """
        if self.values and self._is_new(finding.beside):
            return True
        if not self.figures:
            return False
        metric = plain_metric(finding.metric)
        if metric not in self.figures:
            most = max(magnitude(*pair) for pair in self.figures.values())
            return bool(reaches(magnitude(finding.figure, finding.threshold) - most, CLEARLY))
        worst, threshold = self.figures[metric]
        beyond_now = finding.figure - finding.threshold
        if beyond_now * (worst - threshold) < 0:
            return True
        # Findings fire at the threshold itself: there, what is accepted is of the side that is seen now.
        rises = (worst - threshold or beyond_now) > 0
        beyond = (finding.figure - threshold) * (1 if rises else -1)
        if reaches(beyond, max(2 * _excess(worst, threshold), LEAST_EXCESS * abs(threshold))):
            return True
        if rises:
            has_end = (metric in SHARES or metric.endswith("_rate")) and worst <= 1
            return has_end and bool(reaches(finding.figure, (1 + worst) / 2))
        return worst > 0 and bool(reaches(worst / 2, finding.figure))

    def _is_new(self, text: str) -> bool:
        """Tell whether values that are named, or so many beside them, are not all among those that were accepted."""
        present, accepted = set(_VALUE.findall(text)), set(self.values or ())
        unnamed = _unnamed(text)
        return len(present) + unnamed > len(accepted) if unnamed else bool(present - accepted)


def _unnamed(text: str) -> int:
    """Return how many new values a text counts without naming them."""
    match = _UNNAMED.search(text)
    return int(match[1]) if match else 0


def _excess(figure: float, threshold: float) -> float:
    return abs(figure - threshold)
