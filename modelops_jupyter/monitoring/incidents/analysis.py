"""What an incident says, from its alerts and windows alone: of what is wrong now, or once all is over of all it was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from shlex import quote
from typing import Any

from modelops_jupyter.derived_names import source_of
from modelops_jupyter.monitoring.figures.deciding import reaches
from modelops_jupyter.monitoring.incidents.causes import Case, is_swollen
from modelops_jupyter.monitoring.incidents.evidence import Evidence
from modelops_jupyter.monitoring.incidents.looks import is_estimate
from modelops_jupyter.monitoring.incidents.loss import Loss
from modelops_jupyter.monitoring.incidents.magnitude import magnitude
from modelops_jupyter.monitoring.incidents.members import DEPENDENCE, Member
from modelops_jupyter.monitoring.incidents.sentences import Values, describe
from modelops_jupyter.monitoring.incidents.suspects import (
    SHOWN,
    Slice,
    Suspect,
    Worst,
    rank_segments,
    rank_suspects,
    worst_figures,
)
from modelops_jupyter.monitoring.record.results import WindowResult, is_drift
from modelops_jupyter.wording import short


def analyse(case: Case, evidence: Evidence) -> dict[str, Any]:
    """Return what an incident says, as JSON data."""
    members = sorted(case.members.values(), key=lambda m: (m.start, m.key))
    present = [member for member in members if not member.closed]
    current = present or members
    first, last = members[0].start, max(member.last for member in members)
    windows = evidence.within(first, last)
    importance = evidence.importance.get(_served(windows), {})
    worst, values = worst_figures(current, windows), _values(windows)
    charged = _without_noise(case, current, worst)
    suspects = rank_suspects(charged, worst, importance, values)
    segments = rank_segments(charged, worst, importance, windows, evidence)
    ranked = [suspect.column for suspect in suspects]
    by_labels = [(every, *key) for key in _shown_by_labels(windows) for every in {m.every for m in current}]
    title = describe(charged, ranked, by_labels, values)
    title += _since(case, present) if title else _since(case, present).removeprefix("; ")
    return {
        "first_window": first,
        "last_window": last,
        "title": title or describe(current, ranked, by_labels, values) or current[0].message,
        "suspects": [asdict(suspect) for suspect in suspects[:SHOWN]],
        "segments": [{**asdict(part), "columns": list(part.columns)} for part in segments[:SHOWN]],
        "loss": _loss(windows, evidence),
        "actions": suggest(case.id.partition(":")[0], present, suspects, segments),
    }


def suggest(model: str, members: Sequence[Member], suspects: Sequence[Suspect], segments: Sequence[Slice]) -> list[str]:
    """Return what to do next about what is wrong now, most useful first; nothing where nothing is."""
    kinds = {member.kind for member in members}
    actions = []
    top = suspects[0] if suspects and members else None
    if top is not None and "quality" in kinds:
        top = next((s for s in suspects if s.sign in ("unseen_rate", "null_rate")), top)
        where = f" where {top.segment}" if top.segment else ""
        actions.append(f"Ask the owner of the data what changed in {source_of(top.column)}{where} from {top.since} on.")
    if top is not None:
        actions.append(f"Look at it: `modelops distribution {model} {quote(top.column)} --window {top.since}`.")
    dependences = [member for member in members if member.part == DEPENDENCE]
    if dependences:
        since = min(member.start for member in dependences)
        actions.append(
            f"See which columns depend otherwise on each other: `modelops multivariate-drift {model} --window {since}`."
        )
    if "volume" in kinds:
        actions.append("Ask those who call the model whether the number of predictions is what it should be.")
    if kinds & {"performance", "concept"}:
        where = f", most of all where {segments[0].segment}" if segments and not suspects else ""
        actions.append(
            f"If the version is at fault{where}: `modelops rollback {model} --reason ...`; if the "
            "data-generating process changed, retrain."
        )
    elif kinds and kinds <= {"drift"}:
        actions.append("Performance has no alert: wait for labels before retraining, then compare a challenger.")
    return actions


def _loss(windows: Sequence[WindowResult], evidence: Evidence) -> dict[str, Any]:
    """Return what the bad windows cost: wrong decisions, or of a regression the error beyond that of the reference."""
    decisions = asdict(Loss.of(evidence.excess(windows), evidence.cost_per_error, evidence.currency))
    error = evidence.excess_error(windows)
    return decisions if error is None else {**decisions, "reason": None, "error": asdict(error)}


def _without_noise(case: Case, members: Sequence[Member], worst: Worst) -> list[Member]:
    """Return the alerts that more rows do not explain: where rows come twice, distributions differ by more than chance.

    By little more: what differs twice as much as its threshold did so by itself.
    """
    rose = min((member.onset for member in case.members.values() if is_swollen(member)), default=None)
    if rose is None:
        return list(members)
    return [m for m in members if m.kind != "drift" or m.begin < rose or reaches(magnitude(*worst[m.key]), 2)]


def _since(case: Case, present: Sequence[Member]) -> str:
    """Say that more rows came where that is not seen any more, being usual by now, and what began with it is."""
    rose = [member for member in case.members.values() if is_swollen(member)]
    if not present or not rose or any(map(is_swollen, present)):
        return ""
    day = short(datetime.fromisoformat(min(member.start for member in rose)))
    return f"; the number of predictions rose on {day}"


def _values(windows: Sequence[WindowResult]) -> dict[str, Values]:
    """Return the values that are new, and those that no longer come, in the last window with a finding of either."""
    found: dict[str, Values] = {}
    for window in sorted(windows, key=lambda w: (not w.segment, w.window_start)):
        for finding in window.findings:
            known = found.get(finding.column, Values())
            if finding.metric == "unseen_rate" and finding.beside:
                found[finding.column] = Values(finding.beside, window.vanished(finding.column))
            elif is_drift(finding.kind, finding.metric) and finding.column:
                found[finding.column] = Values(known.new, window.vanished(finding.column))
    return found


def _shown_by_labels(windows: Sequence[WindowResult]) -> set[tuple[str, str, str, str]]:
    """Return the keys of findings that rest on labels, not on estimates."""
    return {f.key for w in windows for f in w.findings if f.kind == "performance" and not is_estimate(f.metric)}


def _served(windows: Sequence[WindowResult]) -> int:
    """Return the version that served most rows."""
    rows: dict[int, int] = defaultdict(int)
    for window in windows:
        for version, count in window.versions.items():
            rows[int(version)] += count
    return max(rows, key=lambda version: (rows[version], version), default=0)
