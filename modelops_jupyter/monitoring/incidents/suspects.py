"""What an incident says: suspects, segments and what to do next, from its alerts and windows alone."""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from modelops_jupyter.monitoring.figures.baseline import Baseline, Baselines
from modelops_jupyter.monitoring.figures.deciding import exceeds, settled
from modelops_jupyter.monitoring.figures.figure import Figure
from modelops_jupyter.monitoring.incidents.incidents import Case, Member
from modelops_jupyter.monitoring.incidents.looks import is_estimate
from modelops_jupyter.monitoring.incidents.loss import Excess, Loss, wrong_decisions
from modelops_jupyter.monitoring.record.results import WindowResult, plain_metric
from modelops_jupyter.profiles import Reference
from modelops_jupyter.settings import UseCase
from modelops_jupyter.store import Store

SHOWN = 10


@dataclass(frozen=True)
class Evidence:
    """What is known beside the alerts.

    Attributes
    ----------
    windows : sequence of WindowResult
        The judged windows of the model, those of segments too; of those on record before them as many as are at hand.
    earlier : callable or None
        Returns those on record from one start on and before another.
    importance : mapping of int to mapping of str to float
        Per version, each feature's share of all importance.
    accuracy : mapping of int to Figure
        Per version, the share of right decisions on its reference, with its interval.
    of_segment : callable or None
        Returns the same of a segment of a version's reference; None where that has too few labels.
    cost_per_error : float or None
        What a wrong decision costs, in `currency`.
    settled : str
        What lies before this start is as it was when incidents were last looked at.
    """

    windows: Sequence[WindowResult] = ()
    importance: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    accuracy: Mapping[int, Figure] = field(default_factory=dict)
    cost_per_error: float | None = None
    currency: str = ""
    earlier: Callable[[str, str], Sequence[WindowResult]] | None = None
    settled: str = ""
    of_segment: Callable[[int, str], Figure | None] | None = None

    def excess(self, windows: Sequence[WindowResult], segment: str = "") -> Excess | None:
        """Return the wrong decisions of the windows beyond what their own part of the reference made expect."""
        own, accuracy = [window for window in windows if window.segment == segment], self.accuracy
        if segment:
            versions = {window.version or 0 for window in own} if self.of_segment else set()
            found = {version: self.of_segment(version, segment) for version in versions} if self.of_segment else {}
            accuracy = {version: value for version, value in found.items() if value is not None}
        first = min((window.window_start for window in own), default="")
        before = [w for w in self.windows if w.segment == segment and w.window_start < first and not _fallen(w)]
        return wrong_decisions(own, accuracy, before)

    def within(self, first: str, last: str) -> list[WindowResult]:
        """Return the windows that start from `first` to `last`, oldest first."""
        held = min((window.window_start for window in self.windows), default=first)
        before = self.earlier(first, held) if self.earlier and first < held else ()
        return [window for window in (*before, *self.windows) if first <= window.window_start <= last]

    @property
    def basis(self) -> str:
        """A digest of what is known beside the windows."""
        accuracy = {version: found.to_dict() for version, found in self.accuracy.items()}
        known = [self.importance, accuracy, self.cost_per_error, self.currency]
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Suspect:
    """A feature that may be the cause.

    Attributes
    ----------
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


def gather_evidence(
    store: Store,
    model: str,
    windows: Sequence[WindowResult],
    references: Mapping[int, Reference],
    use_case: UseCase | None,
    earlier: Callable[[str, str], Sequence[WindowResult]] | None = None,
) -> Evidence:
    """Collect what is on record about a model's versions and its use case."""
    importance, accuracy, baselines = {}, {}, Baselines(references)
    for record in store.find("version", model):
        importance[int(record.body["version"])] = record.body.get("importance", {}).get("shares", {})
    for version in references:
        found = _accuracy(baselines.of(version))
        if found is not None:
            accuracy[version] = found

    def of_segment(version: int, segment: str) -> Figure | None:
        slices = references[version].segments.values() if version in references else ()
        return _accuracy(baselines.of_segment(version, segment)) if any(segment in own for own in slices) else None

    case = use_case or UseCase()
    return Evidence(windows, importance, accuracy, case.cost_per_error, case.currency, earlier, of_segment=of_segment)


def _fallen(window: WindowResult) -> bool:
    """Tell whether a window's own results are in doubt, so that it does not show how healthy ones differ."""
    return any(finding.kind == "performance" for finding in window.findings)


def _accuracy(baseline: Baseline) -> Figure | None:
    found = baseline.performance.get("accuracy")
    return found if found is not None and found.value is not None else None


def analyse(case: Case, evidence: Evidence) -> dict[str, Any]:
    """Return what an incident says, as JSON data."""
    first = min(member.start for member in case.members)
    last = max(member.last for member in case.members)
    windows = evidence.within(first, last)
    importance = evidence.importance.get(_served(windows), {})
    worst = _worst(case.members, windows)
    suspects = rank_suspects(case.members, worst, importance)
    segments = rank_segments(case.members, worst, importance, windows, evidence)
    loss = Loss.of(evidence.excess(windows), evidence.cost_per_error, evidence.currency)
    return {
        "first_window": first,
        "last_window": last,
        "title": _title(case.members, suspects, segments, windows),
        "suspects": [asdict(suspect) for suspect in suspects[:SHOWN]],
        "segments": [{**asdict(part), "columns": list(part.columns)} for part in segments[:SHOWN]],
        "loss": asdict(loss),
        "actions": suggest(case, suspects, segments),
    }


def magnitude(figure: float, threshold: float) -> float:
    """Return by how many doublings a figure is beyond its threshold, plus one: 1 at the threshold itself.

    On this scale figures of different kinds stand side by side; a threshold of zero or less counts as one doubling.
    """
    high, low = max(abs(figure), abs(threshold)), min(abs(figure), abs(threshold))
    return 1.0 + math.log2(high / low) if low > 0 and figure * threshold > 0 else 2.0


def rank_suspects(
    members: Sequence[Member], worst: Mapping[tuple[str, ...], tuple[float, float]], importance: Mapping[str, float]
) -> tuple[Suspect, ...]:
    """Return the features with alerts: importance times magnitude first."""
    found: dict[str, Suspect] = {}
    for member in members:
        if member.is_effect:
            continue
        figure, threshold = worst[member.key]
        size = magnitude(figure, threshold)
        share = importance.get(member.column, 0.0) if importance else None
        score = size if share is None else share * size
        known = found.get(member.column)
        since = min(member.start, known.since) if known else member.start
        if known is None or exceeds(size, known.magnitude):
            found[member.column] = Suspect(
                member.column, score, share, size, member.metric, figure, threshold, member.segment, since
            )
        else:
            found[member.column] = Suspect(**{**asdict(known), "since": since})
    return tuple(sorted(found.values(), key=lambda s: (-settled(s.score), -settled(s.magnitude), s.column)))


def rank_segments(
    members: Sequence[Member],
    worst: Mapping[tuple[str, ...], tuple[float, float]],
    importance: Mapping[str, float],
    windows: Sequence[WindowResult],
    evidence: Evidence,
) -> tuple[Slice, ...]:
    """Return the segments with alerts of their own: the costliest beyond chance first, then those that moved most."""
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    for member in members:
        if member.segment:
            share = importance.get(member.column, 0.0) if importance and not member.is_effect else 1.0
            score = share * magnitude(*worst[member.key])
            scores[member.segment][member.column] = max(score, scores[member.segment].get(member.column, 0.0))
    slices = []
    for segment, columns in scores.items():
        excess = evidence.excess(windows, segment)
        cost = (None, None, None) if excess is None else (excess.value, excess.low, excess.high)
        named = tuple(sorted((c for c in columns if c), key=lambda c: (-settled(columns[c]), c)))
        slices.append(Slice(segment, sum(columns.values()), named[:SHOWN], *cost))
    return tuple(sorted(slices, key=lambda s: (-settled(max(s.low or 0.0, 0.0)), -settled(s.score), s.segment)))


def suggest(case: Case, suspects: Sequence[Suspect], segments: Sequence[Slice]) -> list[str]:
    """Return what to do next, most useful first."""
    model = case.id.partition(":")[0]
    kinds = {member.kind for member in case.members}
    actions = []
    where = f" where {segments[0].segment}" if segments else ""
    top = suspects[0] if suspects else None
    if top is not None and "quality" in kinds:
        top = next((s for s in suspects if s.metric in ("null_rate", "unseen_rate")), top)
        actions.append(f"Ask the owner of the data what changed in {top.column}{where} from {top.since} on.")
    if top is not None:
        actions.append(f"Look at it: `modelops distribution {model} {top.column} --window {top.since}`.")
    bonds = [member for member in case.members if member.metric.endswith("dependence")]
    if bonds:
        since = min(member.start for member in bonds)
        actions.append(f"See what hangs together otherwise: `modelops multivariate-drift {model} --window {since}`.")
    if "volume" in kinds:
        actions.append("Ask whoever calls the model whether the number of predictions is what it should be.")
    if kinds & {"performance", "concept"}:
        actions.append(
            f"If the version is at fault: `modelops rollback {model} --reason ...`; if the world has moved, retrain."
        )
    elif kinds <= {"drift"}:
        actions.append("Performance has no alert: wait for labels before retraining, then compare a challenger.")
    return actions


def _worst(members: Sequence[Member], windows: Sequence[WindowResult]) -> dict[tuple[str, ...], tuple[float, float]]:
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


def _served(windows: Sequence[WindowResult]) -> int:
    """Return the version that served most rows."""
    rows: dict[int, int] = defaultdict(int)
    for window in windows:
        for version, count in window.versions.items():
            rows[int(version)] += count
    return max(rows, key=lambda version: (rows[version], version), default=0)


def _title(
    members: Sequence[Member],
    suspects: Sequence[Suspect],
    segments: Sequence[Slice],
    windows: Sequence[WindowResult],
) -> str:
    more = f" and {len(suspects) - 2} more" if len(suspects) > 2 else ""
    moved = ", ".join(s.column for s in suspects[:2]) + more
    effects = sorted({m.column for m in members if m.is_effect and m.column})
    kinds = {member.kind for member in members}
    what = [*_worse(members, windows)]
    what += ["outcomes no longer follow the predictions as they did"] if "concept" in kinds and not what else []
    what += ["the number of predictions changed"] if "volume" in kinds else []
    what += [f"{moved} changed"] if suspects else [f"the {' and '.join(effects)} drifted"] if effects else []
    where = f" where {segments[0].segment}" if segments else ""
    return (" as ".join(what) or members[0].message) + where


def _worse(members: Sequence[Member], windows: Sequence[WindowResult]) -> Iterable[str]:
    """Say which figures got worse by labels; what is estimated alone is called so."""
    fallen = [member for member in members if member.kind == "performance"]
    by_labels = {finding.key for window in windows for finding in window.findings if not is_estimate(finding.metric)}
    realised: set[str] = set()
    estimated: set[str] = set()
    for member in fallen:
        by_label = not is_estimate(member.metric) or member.signal[1:] in by_labels
        (realised if by_label else estimated).add(plain_metric(member.metric))
    if realised:
        yield f"{', '.join(sorted(realised))} got worse"
    elif estimated:
        verb = "is" if len(estimated) == 1 else "are"
        yield f"{', '.join(sorted(estimated))} {verb} estimated to have got worse"
