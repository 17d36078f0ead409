"""Alerts: findings folded over time, so that what persists is told once and what flaps is not told at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from modelops_jupyter.derived_names import source_of
from modelops_jupyter.monitoring.figures.deciding import exceeds, reaches
from modelops_jupyter.monitoring.incidents.looks import Look, is_estimate, looks_of
from modelops_jupyter.monitoring.incidents.magnitude import SURGE, magnitude
from modelops_jupyter.monitoring.judging.rules import AlertRules
from modelops_jupyter.monitoring.record.results import Alert, Finding, Key, WindowResult, is_drift
from modelops_jupyter.roles import Series
from modelops_jupyter.wording import figure_text, gone_words, short

# A number has no more digits than that.
MOST_DIGITS = 17


def raise_alerts(
    model: str,
    windows: Sequence[WindowResult],
    rules: AlertRules,
    known: Sequence[Alert] = (),
    first: str = "",
) -> tuple[Alert, ...]:
    """Fold findings into alerts, oldest first.

    One opens by a plain finding or by N likely ones of M windows, and closes after M windows without any finding of its
    key, lingering ones included: it takes more to open than to stay open. What lingers in the last windows together
    keeps open what those opened, not what one window did. A window that could not be judged by the
    alert's figure, because its labels are still to come or its rows are too few, counts neither way. Another version is
    another model, validated on other rows: what was wrong with the one before closes once that has not served for M
    windows.

    Parameters
    ----------
    windows
        Oldest first, of all segments.
    known, first
        The alerts before the windows from `first` on were judged: then of the windows before it the last M² of each
        segment are enough, for versions may take turns.
    """
    by_segment: dict[str, list[WindowResult]] = {}
    for window in windows:
        by_segment.setdefault(window.segment, []).append(window)
    before: dict[str, list[Alert]] = {}
    for alert in known:
        if alert.window_start < first:
            before.setdefault(alert.segment, []).append(alert)
    alerts: list[Alert] = []
    for segment in {**by_segment, **before}:
        found, earlier = by_segment.get(segment, []), before.get(segment, [])
        if not found or found[-1].window_start < first:
            alerts += earlier
            continue
        tracks, looks = _by_version(found), looks_of(found, rules)
        for version in {**tracks, **dict.fromkeys(alert.version for alert in earlier)}:
            own = [alert for alert in earlier if alert.version == version]
            alerts += _alerts_of_version(model, version, looks, tracks.get(version, []), rules, own, first)
    return tuple(sorted(alerts, key=Alert.place))


def _by_version(windows: Sequence[WindowResult]) -> dict[int, list[int]]:
    """Return the places of the windows by the version that served most of their rows."""
    places: dict[int, list[int]] = {}
    for place, window in enumerate(windows):
        version = max(window.versions, key=lambda name: (window.versions[name], int(name)), default="0")
        places.setdefault(int(version), []).append(place)
    return places


def _alerts_of_version(
    model: str,
    version: int,
    looks: Sequence[Look],
    places: Sequence[int],
    rules: AlertRules,
    known: Sequence[Alert],
    first: str,
) -> list[Alert]:
    """Return the alerts of one version in one segment, whose windows lie at `places`."""
    alerts = [alert for alert in known if alert.closed and alert.closed < first]
    stretches = _stretches(places, rules.windows)
    waiting: dict[int, list[Alert]] = {}
    for alert in known:
        if alert not in alerts:
            waiting.setdefault(_stretch_of(alert, looks, stretches, rules), []).append(alert)
    alerts += [replace(alert, state="superseded", closed=alert.closed or first) for alert in waiting.get(-1, ())]
    for n, stretch in enumerate(stretches):
        served = [looks[place] for place in stretch]
        past = [look for look in served if look.start < first]
        now = served[len(past) :]
        replaced = stretch[-1] + rules.windows
        until = looks[replaced].start if replaced < len(looks) else ""
        closed, running = _resumed(waiting.get(n, ()), past, rules)
        alerts += closed
        for key in sorted({*running, *(key for look in now for key in look.findings)}):
            alerts += _alerts_of(model, version, key, past, now, rules, running.get(key), until)
    return alerts


def _stretches(places: Sequence[int], longest: int) -> list[list[int]]:
    """Return the places in stretches, parted where `longest` windows or more lie between."""
    found = [[place] for place in places[:1]]
    for before, place in pairwise(places):
        if place - before > longest:
            found.append([])
        found[-1].append(place)
    return found


def _stretch_of(alert: Alert, looks: Sequence[Look], stretches: Sequence[Sequence[int]], rules: AlertRules) -> int:
    """Return which stretch an alert of before goes on in; -1 where its version was replaced since."""
    begun = [n for n, stretch in enumerate(stretches) if looks[stretch[0]].start <= alert.last_window]
    if begun:
        return begun[-1]
    # Its last finding lies before the windows at hand.
    return 0 if stretches and stretches[0][0] < rules.windows else -1


def _resumed(known: Sequence[Alert], past: Sequence[Look], rules: AlertRules) -> tuple[list[Alert], dict[Key, Alert]]:
    """Return the alerts that were closed by the end of `past`, and those that were open then, by key."""
    closed: list[Alert] = []
    running: dict[Key, Alert] = {}
    for alert in known:
        own = [look for look in past if alert.window_start <= look.start]
        hits = [look.start for look in own if look.hit(alert.key, alert.metric)]
        # One that goes on after `past` had a finding in its last windows; of one that ended, the last is on record.
        last = min(alert.last_window, max(hits, default=alert.last_window))
        by_estimate = is_estimate(alert.metric) and all(look.by_estimate(alert.key) for look in past)
        clean = [look.start for look in past if look.start > last and look.judged(alert.key, by_estimate)]
        ends = {alert.last_window: alert.last_end, **{look.start: look.window.window_end for look in own}}
        alert = replace(alert, last_window=last, last_end=ends[last])
        surges = tuple(surge for surge in alert.surges if surge[0] <= last)
        if len(clean) >= rules.windows:
            end = clean[rules.windows - 1]
            closed.append(replace(alert, state="recovered", closed=end, surges=surges))
        else:
            running[alert.key] = replace(alert, state="open", closed="", surges=surges)
    return closed, running


def _alerts_of(
    model: str,
    version: int,
    key: Key,
    past: Sequence[Look],
    now: Sequence[Look],
    rules: AlertRules,
    current: Alert | None,
    until: str,
) -> list[Alert]:
    """Return the alerts of one key from `now` on; `until` is when another version had replaced this one."""
    alerts: list[Alert] = []
    by_estimate = all(look.by_estimate(key) for look in past) and (current is None or is_estimate(current.metric))
    opened_by = "" if current is None else current.metric
    hits = [look.hit(key, opened_by) for look in past if look.judged(key, by_estimate)]
    for look in now:
        hit = look.hit(key, "" if current is None else current.metric)
        by_estimate = by_estimate and look.by_estimate(key)
        if not look.judged(key, by_estimate):
            continue
        hits.append(hit)
        recent = hits[-rules.windows :]
        if current is None and hit is not None and _opens(hit, recent, rules):
            current = open_alert(model, version, hit, look.window)
        elif current is not None and hit is not None:
            surges = _surges(current, hit, look.start)
            current = replace(current, last_window=look.start, last_end=look.window.window_end, surges=surges)
        elif current is not None and len(recent) == rules.windows and not any(recent):
            alerts.append(replace(current, state="recovered", closed=look.start))
            current, by_estimate = None, True
    if current is not None:
        alerts.append(replace(current, state="superseded", closed=until) if until else current)
    return alerts


def _surges(alert: Alert, hit: Finding, start: str) -> tuple[tuple[str, float, float], ...]:
    """Return the surges of an alert after one more finding."""
    _, figure, threshold = alert.surges[-1] if alert.surges else ("", alert.figure, alert.threshold)
    worse = magnitude(hit.figure, hit.threshold) - magnitude(figure, threshold)
    if hit.level == "lingering" or not reaches(worse, SURGE):
        return alert.surges
    return (*alert.surges, (start, hit.figure, hit.threshold))


def _opens(hit: Finding, recent: Sequence[Finding | None], rules: AlertRules) -> bool:
    if hit.level == "lingering":
        return False
    strong = sum(finding is not None and finding.level != "lingering" for finding in recent)
    return hit.level == "plain" or strong >= rules.findings


def told_apart(figure: float, threshold: float) -> tuple[str, str]:
    """Return both numbers with three significant digits, or as many more as it takes for them to differ."""
    for digits in range(3, MOST_DIGITS):
        texts = figure_text(figure, digits), figure_text(threshold, digits)
        if texts[0] != texts[1]:
            return texts
    return figure_text(figure, MOST_DIGITS), figure_text(threshold, MOST_DIGITS)


def open_alert(model: str, version: int, finding: Finding, window: WindowResult) -> Alert:
    """Return the alert that a finding of a window opens."""
    what = finding.metric.removeprefix("recent_").replace("_", " ")
    what += f" of {finding.column}" if finding.column else ""
    what += f" where {finding.segment}" if finding.segment else ""
    start = short(datetime.fromisoformat(window.window_start))
    when = f"in the windows up to {start}" if finding.metric.startswith("recent_") else f"in the window from {start}"
    passed = "fell below" if exceeds(finding.threshold, finding.figure) else "passed"
    name = f"{model}, {Series.of_key(window.series)}" if window.series else model
    figure, threshold = told_apart(finding.figure, finding.threshold)
    message = f"{name}: {what} was {figure} {when}; it {passed} its threshold {threshold}"
    if finding.metric == "null_rate" and finding.figure == 1:
        where = f" where {finding.segment}" if finding.segment else ""
        message = f"{name}: {source_of(finding.column)} has no value at all{where} {when}"
    if finding.metric == "unseen_rate" and finding.beside:
        where = f" where {finding.segment}" if finding.segment else ""
        message = (
            f"{name}: {finding.beside} of {source_of(finding.column)}{where} was never seen in training, {when}; "
            f"{figure} of rows have such a value, over the threshold {threshold}"
        )
    gone = window.vanished(finding.column) if is_drift(finding.kind, finding.metric) else ""
    if gone:
        where = f" where {finding.segment}" if finding.segment else ""
        message = (
            f"{name}: {gone_words(gone, finding.column)}{where}, {when}; "
            f"{what} was {figure}, over the threshold {threshold}"
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
        last_end=window.window_end,
        state="open",
        message=f"{message} ({finding.why})." if finding.why else f"{message}.",
        segment=finding.segment,
        version=version,
        series=window.series,
        beside=gone or finding.beside,
    )
