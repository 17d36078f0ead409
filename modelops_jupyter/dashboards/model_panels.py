"""The panels of a model's page: pure functions from its overview to HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.casework import Incident
from modelops_jupyter.actions.overview import Distribution, DriftMap, ModelOverview, WindowFigure
from modelops_jupyter.dashboards.page import address, command, tile, tiles
from modelops_jupyter.display import cases
from modelops_jupyter.display.bars import bar_list, calibration_chart, figure_bars
from modelops_jupyter.display.grids import distribution_chart, drift_chart
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.display.lines import figure_words, performance_chart
from modelops_jupyter.display.listings import cell, moved, state_cell
from modelops_jupyter.display.models import beside_row
from modelops_jupyter.display.plain import KINDS, alert_sentence
from modelops_jupyter.display.series import performance_series
from modelops_jupyter.display.tables import fold, health, moment_text, prose, steady
from modelops_jupyter.display.words import (
    NOTHING,
    capital,
    metric_name,
    number,
    sentence,
    short_time,
    signed,
    value_text,
)
from modelops_jupyter.wording import UNITS, count, span

if TYPE_CHECKING:
    from modelops_jupyter.monitoring.figures.curves import PerformanceCurves

EVERY = {"1h": "hourly", "1D": "daily", "1W": "weekly"}
PERFORMANCE_NOTE = (
    "How good the model was once outcomes were known, and what it was expected to be before. The dashed line is what "
    "it reached when it was validated. Choose a point in time to look into it."
)
DRIFT_NOTE = (
    "Against what the model was validated on, by the population stability index (PSI) less what chance brings. Red "
    "is what the monitor found: more than this input usually moves. Choose a cell to see what changed."
)
SPREAD_NOTE = "How values were spread when the model was validated (grey), and how they are spread now (blue)."
CALIBRATION_NOTE = (
    "Of the cases that were given a chance of, say, 30 %, about 30 % should have come true. Points above the dashed "
    "line: it happened more often than the model said."
)
SEGMENTS_NOTE = "How good the model was for parts of the cases: at the chosen time, else when last known."
AUDIT_NAMES = {
    "decision": "Approvals, rejections, comments",
    "move": "Promotions and rollbacks",
    "version": "Registrations and evaluations",
    "incident": "Incidents and alerts",
    "monitor": "Runs of the monitor",
    "run": "Runs of pipelines",
    "other": "Other",
}
NO_FIGURE = "a decision table has no error to measure"
MOST_INCIDENTS, MOST_ALERTS, MOST_VERSIONS, MOST_MOVES, MOST_ENTRIES = 10, 15, 15, 15, 40


def spans(number: int, every: str) -> str:
    """Return how many windows there are, in the words for their length."""
    return count(number, UNITS.get(every, "window"))


def no_windows() -> Html:
    """Say that nothing falls into the chosen span."""
    return _quiet("Nothing was watched in this time: choose other dates.")


def calibration(curves: PerformanceCurves) -> Html:
    """Return the calibration of the chosen windows."""
    return calibration_chart(curves) or _quiet("No outcomes are known for this time.")


def header(name: str, served: bool, description: str = "") -> Html:
    """Return the page's title, with the way back."""
    back = element("a", "← All models", href=address("fleet"), class_="mo-back") if served else None
    told = element("p", description, class_="mo-note") if description else None
    return element("header", back, element("h1", name, tabindex="-1"), told)


def summary(page: ModelOverview, every: str) -> Html:
    """Return the model's state in four figures."""
    s = page.summary
    last = next((w for w in reversed(page.windows) if w.value is not None), None)
    figure, hint = NOTHING, NO_FIGURE if s.kind == "decision" else "no outcomes yet"
    if page.no_figures:
        hint = f"too few outcomes {UNITS[every]} by {UNITS[every]}"
    if last is not None and last.value is not None:
        figure, hint = number(last.value), f"on {short_time(last.start)}"
        level = page.expected.get(last.version) if last.version is not None else None
        if level is not None:
            hint += f", {signed(last.value - level)} against validation"
    newest = f"of {count(s.versions, 'version')}"
    figures = tiles(
        tile("Health", health(s.health), count(s.open_alerts, "open alert")),
        tile("In use", f"version {s.champion}" if s.champion else "none yet", newest),
        tile(capital(metric_name(page.metric)) or "Performance", figure, hint),
        tile("Data through", short_time(s.data_through), f"{spans(len(page.windows), every)} watched"),
    )
    return join(figures, *(_quiet(prose(text)) for text in s.remarks))


def performance(page: ModelOverview, window: str | None) -> Html:
    """Return performance over time."""
    chart = performance_chart(performance_series(page), selected=window, pickable=True)
    if chart is None and page.summary.kind == "decision":
        return _quiet(f"{capital(NO_FIGURE)}: what it is fed and what it decides is watched for drift, below.")
    if chart is None and page.no_figures:
        return _quiet(page.no_figures)
    return chart or element("p", "No outcomes in this time: log them with ", command("modelops log-labels"), ".")


def beside(page: ModelOverview) -> str:
    """Return what versions predicted beside what was served; nothing where none did."""
    if not page.beside:
        return ""
    figure = capital(metric_name(page.metric)) or "Figure"
    head = ("Series", "Windows", "Cases", "Last", figure, "Served then", "When validated", "Open alerts")
    return _table(head, [beside_row(each, page.windows) for each in page.beside], MOST_VERSIONS)


def segments(page: ModelOverview, figures: Mapping[str, WindowFigure], window: str | None) -> str:
    """Return a bar for every segment; nothing where the model is not watched by segment."""
    if not figures:
        return ""
    known = [w for w in page.windows if w.value is not None and window in (None, w.start)]
    return bar_list(figure_bars(figures), page.metric or "", whole=known[-1].value if known else None)


def drift(page: ModelOverview, window: str | None = None, column: str | None = None) -> Html:
    """Return the drift map."""
    chart = drift_chart(page.drift, selected=(window, column), pickable=True)
    return chart or element("p", "Nothing to compare with: too few cases in this time.")


def window_options(page: ModelOverview) -> list[tuple[str, str]]:
    """Return the windows to choose from, newest first."""
    return [(short_time(start), start) for start in reversed(page.drift.starts)]


def most_drifted(drift: DriftMap, window: str | None, most: int) -> list[str]:
    """Return the columns that drifted most of late; of one window, those first in which drift was found there."""
    if window not in drift.starts:
        return list(drift.columns[:most])
    n = drift.starts.index(window)
    return sorted(drift.columns, key=lambda column: not drift.found[column][n])[:most]


def chosen(page: ModelOverview, window: str | None, column: str | None, every: str) -> Html:
    """Say what is known of the chosen window."""
    found = next((w for w in page.windows if w.start == window), None)
    if found is None:
        inputs = "" if column else "; the inputs that moved most"
        return element("p", f"The last {spans(min(30, len(page.windows)), every)} together{inputs}.", class_="mo-note")
    words = span(found.start, found.end)
    if found.pooled > 1:
        words += f", {spans(found.pooled, every)} judged together"
    rest = f"{figure_words(found, page.metric)}; served by version {found.version}"
    return element("p", element("b", words), f" · {rest}")


def distribution(shown: Distribution) -> Html:
    """Return one column's distribution."""
    when = short_time(shown.since) + ("" if shown.since == shown.until else f" to {short_time(shown.until)}")
    return element(
        "figure",
        element("figcaption", element("b", shown.column), element("span", f" {when}", class_="mo-note")),
        distribution_chart(shown),
    )


def incidents(shown: Sequence[Incident], known: int) -> str:
    """Return the incidents to look after, each with its cause and what to do next behind it."""
    if not shown:
        return ""
    rows = [
        [
            state_cell(vars(each)),
            fold(cases.heading_of(each), cases.details(each)),
            steady(short_time(each.first_window)),
            each.owner or "nobody yet",
        ]
        for each in shown
    ]
    rest = _quiet(f"and {known - len(shown):,} more") if known > len(shown) else None
    return join(_table(("State", "What happened", "Since", "Owner"), rows, MOST_INCIDENTS), rest)


def alerts(page: ModelOverview) -> Html:
    """Return the alerts, open ones first."""
    if not page.alerts:
        return _quiet("No alerts." if page.windows else "Not monitored yet: nothing to alert on.")
    ordered = sorted(page.alerts, key=lambda alert: alert["state"] != "open")
    return _table(
        ("State", "Kind", "Since", "What happened"),
        [
            [
                state_cell(a),
                KINDS.get(str(a["kind"]), str(a["kind"])),
                steady(short_time(a["window_start"])),
                alert_sentence(a),
            ]
            for a in ordered
        ],
        MOST_ALERTS,
    )


def versions(page: ModelOverview) -> Html:
    """Return the versions, newest first."""
    rows = [
        [
            element("b", f"{v['version']}"),
            value_text(v["aliases"]),
            sentence(v["evaluation"]) or NOTHING,
            _format(v),
            join(steady(moment_text(v["created_at"])), f" by {v['created_by']}"),
        ]
        for v in page.versions
    ]
    return _table(("Version", "Alias", "Evaluation", "Format", "Registered"), rows, MOST_VERSIONS)


def _format(version: Mapping[str, Any]) -> str:
    if version["unsafe"]:
        return join(cell("unsafe", True))
    calls = f", calls {version['calls']}" if version["calls"] else ""
    return f"{value_text(version['flavor'])}{calls}"


def history(page: ModelOverview) -> Html:
    """Return promotions and rollbacks, newest first."""
    if not page.transitions:
        return _quiet("Nothing promoted yet.")
    rows = [[steady(moment_text(m["at"])), moved(m), m["actor"], m["reason"]] for m in reversed(page.transitions)]
    return _table(("When", "What", "Who", "Why"), rows, MOST_MOVES)


def audit(page: ModelOverview, kind: str = "") -> Html:
    """Return the audit trail, newest first; runs of the monitor are behind a fold unless they are asked for."""
    chosen = page.monitor_runs if kind == "monitor" else [e for e in page.audit if kind in ("", e["kind"])]
    if kind == "decision":
        chosen = page.decisions
    shown = _entries(chosen) if chosen else _quiet("Nothing on record.")
    if kind or not page.monitored:
        return shown
    runs = f"{count(page.monitored, 'run')} of the monitor"
    return join(shown, fold(runs, _entries(page.monitor_runs)))


def audit_kinds(page: ModelOverview) -> list[tuple[str, str]]:
    """Return what kinds of entries there are to choose from, with their names."""
    known = {str(entry["kind"]) for entry in (*page.audit, *page.decisions, *page.monitor_runs)}
    return [("Every kind", ""), *((name, kind) for kind, name in AUDIT_NAMES.items() if kind in known)]


def _entries(entries: Sequence[Mapping[str, Any]]) -> Html:
    rows = [
        [str(e["sequence"]), steady(moment_text(e["at"])), e["action"], e["subject"], e["actor"], _details(e)]
        for e in entries
    ]
    return _table(("#", "When", "Action", "Subject", "Who", "Details"), rows, MOST_ENTRIES)


def _details(entry: Mapping[str, Any]) -> str:
    """Return what an entry of the audit trail says beyond who did what: reason or metrics, alias, windows, alerts."""
    facts = {key: value for key, value in entry["details"].items() if key in ("alias", "windows", "new_alerts")}
    words = [f"{key.replace('_', ' ')} {value}" for key, value in facts.items()]
    return ", ".join(filter(None, [entry["detail"], *words]))


def _quiet(text: str) -> Html:
    return element("p", text, class_="mo-note")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], most: int) -> Html:
    body = [element("tr", *(element("td", value) for value in row)) for row in rows[:most]]
    block = element(
        "table",
        element("thead", element("tr", *(element("th", name) for name in head))),
        element("tbody", *body),
    )
    rest = _quiet(f"and {len(rows) - most:,} more") if len(rows) > most else None
    return join(element("div", block, class_="mo-table"), rest)
