"""Alerts: findings folded over time, so that what persists is told once and what flaps is not told at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from modelops_jupyter.monitoring.results import Alert, Finding, WindowResult
from modelops_jupyter.monitoring.rules import AlertRules

Key = tuple[str, str, str, str]


def raise_alerts(model: str, windows: Sequence[WindowResult], rules: AlertRules) -> tuple[Alert, ...]:
    """Fold findings into alerts, oldest first.

    One opens by a plain finding or by N likely ones of M windows, and closes after M windows without any finding of its
    key, lingering ones included: it takes more to open than to stay open. Another version is another model, validated
    on other rows: what was wrong with the one before closes once that has not served for M windows.
    """
    by_segment: dict[str, list[WindowResult]] = {}
    for window in windows:
        by_segment.setdefault(window.segment, []).append(window)
    alerts = []
    for found in by_segment.values():
        for version, places in _by_version(found).items():
            for stretch in _stretches(places, rules.windows):
                served = [found[place] for place in stretch]
                keys = sorted({finding.key for window in served for finding in window.findings})
                replaced = stretch[-1] < len(found) - rules.windows
                alerts += [alert for key in keys for alert in _alerts_of(model, version, key, served, rules, replaced)]
    return tuple(sorted(alerts, key=lambda alert: (alert.window_start, alert.kind, alert.column, alert.metric)))


def _by_version(windows: Sequence[WindowResult]) -> dict[int, list[int]]:
    """Return the places of the windows by the version that served most of their rows."""
    places: dict[int, list[int]] = {}
    for place, window in enumerate(windows):
        version = max(window.versions, key=lambda name: (window.versions[name], int(name)), default="0")
        places.setdefault(int(version), []).append(place)
    return places


def _stretches(places: Sequence[int], longest: int) -> list[list[int]]:
    """Return the places in stretches, parted where `longest` windows or more lie between."""
    found = [[places[0]]]
    for before, place in pairwise(places):
        if place - before > longest:
            found.append([])
        found[-1].append(place)
    return found


def _alerts_of(
    model: str, version: int, key: Key, windows: Sequence[WindowResult], rules: AlertRules, replaced: bool
) -> list[Alert]:
    alerts: list[Alert] = []
    current: Alert | None = None
    hits: list[Finding | None] = []
    for window in windows:
        hit = next((finding for finding in window.findings if finding.key == key), None)
        hits.append(hit)
        recent = hits[-rules.windows :]
        if current is None and hit is not None and _opens(hit, recent, rules):
            current = _open(model, version, hit, window)
        elif current is not None and hit is not None:
            current = replace(current, last_window=window.window_start)
        elif current is not None and len(recent) == rules.windows and not any(recent):
            alerts.append(replace(current, state="healed"))
            current, hits = None, []
    if current is not None:
        alerts.append(replace(current, state="healed") if replaced else current)
    return alerts


def _opens(hit: Finding, recent: Sequence[Finding | None], rules: AlertRules) -> bool:
    if hit.level == "lingering":
        return False
    strong = sum(finding is not None and finding.level != "lingering" for finding in recent)
    return hit.level == "plain" or strong >= rules.findings


def _open(model: str, version: int, finding: Finding, window: WindowResult) -> Alert:
    what = finding.metric.removeprefix("recent_").replace("_", " ")
    what += f" of {finding.column}" if finding.column else ""
    what += f" where {finding.segment}" if finding.segment else ""
    which = "windows up to that" if finding.metric.startswith("recent_") else "window"
    message = (
        f"{model}: {what} was {finding.figure:.3g} in the {which} from {window.window_start}; it "
        f"{'fell below' if finding.figure < finding.threshold else 'passed'} its threshold {finding.threshold:.3g}"
    )
    return Alert(
        model=model,
        kind=finding.kind,
        column=finding.column,
        metric=finding.metric,
        figure=finding.figure,
        threshold=finding.threshold,
        window_start=window.window_start,
        window_end=window.window_end,
        last_window=window.window_start,
        state="open",
        message=f"{message} ({finding.why})." if finding.why else f"{message}.",
        segment=finding.segment,
        version=version,
    )
