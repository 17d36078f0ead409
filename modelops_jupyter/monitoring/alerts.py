"""Alerts: findings folded over time, so that what persists is told once and what flaps is not told at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from modelops_jupyter.monitoring.results import Alert, Finding, WindowResult
from modelops_jupyter.monitoring.rules import AlertRules

Key = tuple[str, str, str, str]


def raise_alerts(
    model: str,
    windows: Sequence[WindowResult],
    rules: AlertRules,
    known: Sequence[Alert] = (),
    first: str = "",
) -> tuple[Alert, ...]:
    """Fold findings into alerts, oldest first.

    One opens by a plain finding or by N likely ones of M windows, and closes after M windows without any finding of its
    key, lingering ones included: it takes more to open than to stay open.

    Parameters
    ----------
    windows
        Oldest first, of all segments.
    known, first
        The alerts before the windows from `first` on were judged: then of the windows before it the last M of each
        segment are enough.
    """
    by_segment: dict[str, list[WindowResult]] = {}
    for window in windows:
        by_segment.setdefault(window.segment, []).append(window)
    alerts: list[Alert] = []
    before: dict[str, list[Alert]] = {}
    for alert in known:
        if alert.window_start < first:
            before.setdefault(alert.segment, []).append(alert)
    for segment in {**by_segment, **before}:
        found = by_segment.get(segment, [])
        past = [window for window in found if window.window_start < first]
        now = [(window, _by_key(window)) for window in found[len(past) :]]
        if not now:
            alerts += before.get(segment, ())
            continue
        closed, running = _resumed(before.get(segment, ()), past, rules)
        last = [_by_key(window) for window in past[-rules.windows :]]
        alerts += closed
        for key in sorted({*running, *(key for _, hits in now for key in hits)}):
            alerts += _alerts_of(model, key, now, rules, running.get(key), [hits.get(key) for hits in last])
    return tuple(sorted(alerts, key=Alert.place))


def _by_key(window: WindowResult) -> dict[Key, Finding]:
    found: dict[Key, Finding] = {}
    for finding in window.findings:
        found.setdefault(finding.key, finding)
    return found


def _resumed(
    known: Sequence[Alert], past: Sequence[WindowResult], rules: AlertRules
) -> tuple[list[Alert], dict[Key, Alert]]:
    """Return the alerts that were closed by the end of `past`, and those that were open then, by key."""
    closed: list[Alert] = []
    running: dict[Key, Alert] = {}
    for alert in known:
        hits = [w.window_start for w in past if alert.window_start <= w.window_start and alert.key in _by_key(w)]
        # One that goes on after `past` had a finding in its last windows; of one that ended, the last is on record.
        last = min(alert.last_window, max(hits, default=alert.last_window))
        if sum(window.window_start > last for window in past) >= rules.windows:
            closed.append(replace(alert, state="healed", last_window=last))
        else:
            running[alert.key] = replace(alert, state="open", last_window=last)
    return closed, running


def _alerts_of(
    model: str,
    key: Key,
    windows: Sequence[tuple[WindowResult, Mapping[Key, Finding]]],
    rules: AlertRules,
    current: Alert | None,
    before: Sequence[Finding | None],
) -> list[Alert]:
    alerts: list[Alert] = []
    hits = [*before]
    for window, found in windows:
        hit = found.get(key)
        hits.append(hit)
        recent = hits[-rules.windows :]
        if current is None and hit is not None and _opens(hit, recent, rules):
            current = _open(model, hit, window)
        elif current is not None and hit is not None:
            current = replace(current, last_window=window.window_start)
        elif current is not None and len(recent) == rules.windows and not any(recent):
            alerts.append(replace(current, state="healed"))
            current = None
    return alerts if current is None else [*alerts, current]


def _opens(hit: Finding, recent: Sequence[Finding | None], rules: AlertRules) -> bool:
    if hit.level == "lingering":
        return False
    strong = sum(finding is not None and finding.level != "lingering" for finding in recent)
    return hit.level == "plain" or strong >= rules.findings


def _open(model: str, finding: Finding, window: WindowResult) -> Alert:
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
    )
