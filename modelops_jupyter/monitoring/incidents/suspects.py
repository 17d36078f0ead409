"""Suspects and segments: which columns are charged with an incident, ranked, and where it shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelops_jupyter.derived_names import source_of
from modelops_jupyter.monitoring.figures.deciding import settled
from modelops_jupyter.monitoring.incidents.evidence import Evidence
from modelops_jupyter.monitoring.incidents.magnitude import magnitude
from modelops_jupyter.monitoring.incidents.members import EFFECT, Member
from modelops_jupyter.monitoring.incidents.sentences import Values, charged, sign_of
from modelops_jupyter.monitoring.record.results import WindowResult

SHOWN = 10
Worst = Mapping[tuple[str, ...], tuple[float, float]]


@dataclass(frozen=True)
class Suspect:
    """A feature that may be the cause.

    Attributes
    ----------
    sign : str
        By what it shows most plainly: ``unseen_rate``, ``null_rate``, ``distribution``, ``dependence`` and so on.
    beside : str
        The values that are new now or no longer come, or the other column of a dependence that changed.
    importance : float or None
        Its share of the importance of all features; None where none is on record, and all count alike.
    magnitude : float
        Doublings of its worst figure over the threshold, plus one.
    score : float
        Importance times magnitude: what suspects are ranked by.
    metric, figure, threshold
        Of the worst figure.
    """

    column: str
    sign: str
    beside: str
    score: float
    importance: float | None
    magnitude: float
    metric: str
    figure: float
    threshold: float
    segment: str
    since: str


@dataclass(frozen=True)
class Slice:
    """A segment with alerts of its own; those that cost most beyond chance come first, then by score.

    Attributes
    ----------
    wrong_decisions, low, high : float or None
        Wrong decisions beyond those of the same segment in the reference, with the ends of the 95 % interval.
    """

    segment: str
    score: float
    columns: tuple[str, ...]
    wrong_decisions: float | None
    low: float | None
    high: float | None


def rank_suspects(
    members: Sequence[Member], worst: Worst, importance: Mapping[str, float], values: Mapping[str, Values]
) -> tuple[Suspect, ...]:
    """Return the features that are charged with these alerts: importance times magnitude first.

    Parameters
    ----------
    values
        By column, the values that are new now or no longer come.
    """
    found = []
    for column, own in charged(members).items():
        share = importance.get(source_of(column), 0.0) if importance else None
        top = max(own, key=lambda m: (settled(magnitude(*worst[m.key])), not m.segment, m.key))
        figure, threshold = worst[top.key]
        size, plainest = magnitude(figure, threshold), sign_of(own)
        named, beside = values.get(column), plainest.beside
        if named is not None and plainest.sign in ("unseen_rate", "distribution"):
            beside = (named.new or beside) if plainest.sign == "unseen_rate" else named.gone
        score, since = size if share is None else share * size, min(m.start for m in own)
        found.append(
            Suspect(
                column,
                plainest.sign,
                beside,
                score,
                share,
                size,
                top.metric,
                figure,
                threshold,
                top.segment,
                since,
            )
        )
    found.sort(key=lambda s: (-settled(s.score), -settled(s.magnitude), s.column))
    plainest_of: dict[str, Suspect] = {}
    for suspect in found:  # of columns that are derived from one, the first is named
        plainest_of.setdefault(source_of(suspect.column), suspect)
    return tuple(plainest_of.values())


def rank_segments(
    members: Sequence[Member],
    worst: Worst,
    importance: Mapping[str, float],
    windows: Sequence[WindowResult],
    evidence: Evidence,
) -> tuple[Slice, ...]:
    """Return the segments with alerts of their own: the costliest beyond chance first, then those that moved most."""
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    named = {m.key: column for column, own in charged(members).items() for m in own}
    for member in members:
        if member.segment and (member.part == EFFECT or member.key in named):
            share = importance.get(member.source, 0.0) if importance and member.part != EFFECT else 1.0
            score, column = share * magnitude(*worst[member.key]), named.get(member.key, "")
            scores[member.segment][column] = max(score, scores[member.segment].get(column, 0.0))
    slices = []
    for segment, columns in scores.items():
        excess = evidence.excess(windows, segment)
        cost = (None, None, None) if excess is None else (excess.value, excess.low, excess.high)
        ranked = tuple(sorted((c for c in columns if c), key=lambda c: (-settled(columns[c]), c)))
        slices.append(Slice(segment, sum(columns.values()), ranked[:SHOWN], *cost))
    return tuple(sorted(slices, key=lambda s: (-settled(max(s.low or 0.0, 0.0)), -settled(s.score), s.segment)))


def worst_figures(members: Sequence[Member], windows: Sequence[WindowResult]) -> Worst:
    """Return the figure and threshold of each alert's worst finding."""
    found: dict[tuple[str, str, str, str], list[tuple[str, float, float]]] = defaultdict(list)
    for window in windows:
        for f in window.findings:
            found[f.key].append((window.window_start, f.figure, f.threshold))
    worst = {}
    for member in members:
        near = [(f, t) for at, f, t in found.get(member.signal[1:], ()) if member.start <= at <= member.last]
        pairs = [*near, (member.figure, member.threshold)]
        worst[member.key] = max(pairs, key=lambda pair: settled(magnitude(*pair)))
    return worst
