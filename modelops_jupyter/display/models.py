"""A model's page, a monitor's report and a distribution as static HTML."""

from __future__ import annotations

from collections.abc import Sequence

from modelops_jupyter.actions.overview import (
    Distribution,
    DriftMap,
    ModelOverview,
    SeriesFigures,
    WindowFigure,
    why_no_figures,
)
from modelops_jupyter.display.bars import bar_list, calibration_chart, segment_bars
from modelops_jupyter.display.grids import distribution_chart, drift_chart
from modelops_jupyter.display.html import Html
from modelops_jupyter.display.lines import performance_chart
from modelops_jupyter.display.listings import Fields, alerts_table, history_table, rows_table
from modelops_jupyter.display.series import Series, performance_series, report_drift, report_series
from modelops_jupyter.display.tables import block, facts, fold, heading, health, note, prose, scrolling, table
from modelops_jupyter.display.words import NOTHING, capital, metric_name, number, percent, short_time
from modelops_jupyter.monitoring import MonitorReport
from modelops_jupyter.monitoring.figures.curves import PerformanceCurves
from modelops_jupyter.wording import count

LAST_WINDOWS = 5
STATIC_FEATURES, STATIC_COLUMNS = 12, 60


def overview(page: ModelOverview) -> Html:
    """Show a model on one page."""
    s = page.summary
    known = [
        ("Health", health(s.health)),
        ("Champion", f"version {s.champion}" if s.champion else "none yet"),
        ("Versions", f"{s.versions}"),
        ("Data through", short_time(s.data_through)),
        ("Open alerts", f"{s.open_alerts}"),
    ]
    open_alerts = [alert for alert in page.alerts if alert["state"] == "open" and not alert.get("series")]
    others = [alert for alert in page.alerts if alert["state"] == "open" and alert.get("series")]
    return block(
        heading(page.name, level=3),
        note(page.description) if page.description else None,
        facts(known),
        *(note(prose(text)) for text in s.remarks),
        *_charts(performance_series(page), page.drift),
        *series_beside(performance_series(page), others),
        heading("Open alerts") if open_alerts else None,
        alerts_table(open_alerts) if open_alerts else None,
        heading("Promotions and rollbacks") if page.transitions else None,
        history_table(page.transitions) if page.transitions else None,
        heading("Versions"),
        rows_table(("version", "aliases", "flavor", "evaluation", "created_by", "created_at"), page.versions, most=10),
    )


def monitor_report(report: MonitorReport) -> Html:
    """Show what monitoring found."""
    series = report_series(report)
    others = [alert.to_dict() for each in report.beside for alert in each.alerts if alert.state == "open"]
    if not report.windows:
        return block(note(str(report)), *series_beside(series, others))
    alerts = [alert.to_dict() for alert in report.shown_alerts]
    segments = segment_bars(report, series.metric)
    by_segment = DriftMap.of_segments(report.segment_drift("psi_debiased"))
    sliced = drift_chart(by_segment, features=STATIC_FEATURES, columns=STATIC_COLUMNS, what="segment")
    whole = next((w.value for w in reversed(series.windows) if w.value is not None), None)
    return block(
        heading(report.title),
        note(report.extent),
        note(prose(report.remark)) if report.remark else None,
        alerts_table(alerts) if alerts else note("No alerts to show."),
        *_charts(series, report_drift(report), scored=any(window.performance for window in report.windows)),
        *series_beside(series, others),
        heading("Drift by segment (mean PSI of its columns, less what chance brings)") if sliced else None,
        scrolling(sliced) if sliced else None,
        heading("Segments, last window") if segments else None,
        bar_list(segments, series.metric, whole=whole) if segments else None,
    )


BESIDE_NOTE = (
    "Each has figures and alerts of its own, against the reference of its version; none of them opens an incident."
)


def series_beside(series: Series, alerts: Sequence[Fields]) -> list[Html | None]:
    """Return a table of the series beside what was served, each with the figure of the service in the same window.

    Their open `alerts` stand behind a fold: they are not of what was served.
    """
    if not series.beside:
        return []
    figure = capital(metric_name(series.metric)) or "Figure"
    rows = [beside_row(each, series.windows) for each in series.beside]
    head = ["Series", "Windows", "Rows", "Last window", figure, "Served then", "When validated", "Open alerts"]
    if all(each.expected is None for each in series.beside):  # a report alone does not know it
        rows, head = [row[:6] + row[7:] for row in rows], head[:6] + head[7:]
    return [
        heading("Beside what was served"),
        note(BESIDE_NOTE),
        table(head, rows, right=(1, 2, *range(4, len(head)))),
        fold(f"Their {count(len(alerts), 'open alert')}", alerts_table(alerts)) if alerts else None,
    ]


def beside_row(each: SeriesFigures, served: Sequence[WindowFigure]) -> list[str]:
    """Return a series as a row: what it is, how much, its last figure beside that of the service, its open alerts."""
    last, then = each.last_beside(served) or (None, None)
    return [
        capital(each.name),
        f"{len(each.windows):,}",
        f"{sum(window.rows for window in each.windows):,}",
        short_time(last.start) if last else NOTHING,
        number(last.value) if last else "no labels yet",
        number(then.value) if then is not None and then.value is not None else NOTHING,
        number(each.expected) if each.expected is not None else NOTHING,
        f"{each.open_alerts}",
    ]


def _charts(series: Series, drift: DriftMap, *, scored: bool = True) -> list[Html | None]:
    """Return both charts, and the last figures as text for where no SVG is shown.

    What is not `scored`, as mere data and decisions are not, has no performance to show.
    """
    if not series.windows:
        return [note("Never monitored: log predictions, then run `modelops monitor`.")]
    line, heat = performance_chart(series), drift_chart(drift, features=STATIC_FEATURES, columns=STATIC_COLUMNS)
    figure = capital(metric_name(series.metric)) or "Performance"
    windows = series.windows[: -LAST_WINDOWS - 1 : -1]
    cells = {
        "Window": [short_time(w.start) for w in windows],
        figure: [number(w.value) if w.value is not None else (w.reason or "") for w in windows],
        "Rows": [f"{w.rows:,}" for w in windows],
        "Version": ["" if w.version is None else f"{w.version}" for w in windows],
    }
    told = [name for name in cells if scored or name in ("Window", "Rows")]
    last = [list(row) for row in zip(*(cells[name] for name in told), strict=True)]
    nothing = note(why_no_figures(series.windows) or "No window has labels yet: log them with `modelops log-labels`.")
    drifted = [
        [name, number(drift.values[name][at]), "yes" if drift.found[name][at] else "no"]
        for name in drift.columns[:LAST_WINDOWS]
        if (at := next((n for n, v in reversed([*enumerate(drift.values[name])]) if v is not None), None)) is not None
    ]
    return [
        heading(f"{figure} over time") if scored else None,
        (scrolling(line) if line else nothing) if scored else None,
        heading("Drift (PSI against the reference, less what chance brings)") if heat else None,
        scrolling(heat) if heat else None,
        fold(
            f"The last {count(len(last), 'window')} in figures",
            table(tuple(told), last, right=tuple(range(1, len(told)))),
            table(("Column", "PSI, last window", "Drift found"), drifted, right=(1,)),
        ),
    ]


def curves(shown: PerformanceCurves) -> Html:
    """Show a window's calibration, and its confusion table behind a fold."""
    chart = calibration_chart(shown)
    labels = sorted({label for row in shown.confusion.values() for label in row})
    rows = [[said, *(f"{row.get(label, 0):,}" for label in labels)] for said, row in shown.confusion.items()]
    errors = [
        [percent(share), number(at)]
        for share, at in zip(shown.errors.get("share", ()), shown.errors.get("quantile", ()), strict=True)
        if share is not None
    ]
    if chart is None and not rows and not errors:
        return block(note(str(shown)))
    of = f" of {shown.series}" if shown.series else ""
    return block(
        heading(f"Calibration{of}") if chart else None,
        scrolling(chart) if chart else None,
        heading("Errors (prediction minus outcome)") if errors else None,
        table(("Share of rows below", "Error"), errors, right=(0, 1)) if errors else None,
        fold("Predictions by outcome", table(("Predicted", *labels), rows, right=range(1, 1 + len(labels))))
        if rows
        else None,
    )


def distribution(shown: Distribution) -> Html:
    """Show a column's distribution beside the reference's."""
    when = short_time(shown.since) + ("" if shown.since == shown.until else f" to {short_time(shown.until)}")
    return block(
        heading(shown.column),
        note(f"{shown.series + ', ' if shown.series else ''}windows from {when}, beside the reference"),
        scrolling(distribution_chart(shown)),
    )
