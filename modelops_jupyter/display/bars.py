"""Segments as a bar list that can be sorted, calibration as points on the diagonal: inline SVG in static HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelops_jupyter.display import palette
from modelops_jupyter.display.html import Html, element, join
from modelops_jupyter.display.svg import drawing, group, line, nice_ticks, text
from modelops_jupyter.display.tables import more, note
from modelops_jupyter.display.words import NOTHING, metric_name, number

if TYPE_CHECKING:
    from modelops_jupyter.actions.overview import WindowFigure
    from modelops_jupyter.monitoring import MonitorReport
    from modelops_jupyter.monitoring.figures.curves import PerformanceCurves

MOST_BARS = 60
BAR_WIDTH, BAR_HEIGHT = 260.0, 22.0


@dataclass(frozen=True)
class Bar:
    """A segment's figure, with its 95 % interval where there is one; `reason` says why there is no figure."""

    label: str
    rows: int
    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


def segment_bars(report: MonitorReport, metric: str) -> tuple[Bar, ...]:
    """Return the last figure of every segment of a monitor's report, the lowest first."""
    latest: dict[str, Bar] = {}
    for window in (*report.windows, *report.segments):
        if window.segment:
            figure = window.performance.get(metric, {})
            if figure.get("value") is not None or window.segment not in latest:
                known = {name: figure.get(name) for name in ("value", "low", "high", "reason")}
                latest[window.segment] = Bar(window.segment, window.rows, **known)
    return tuple(sorted(latest.values(), key=lambda bar: (bar.value is None, bar.value or 0.0, bar.label)))


def figure_bars(figures: Mapping[str, WindowFigure]) -> tuple[Bar, ...]:
    """Return the figure of every segment, the lowest first."""
    bars = [Bar(name, f.rows, f.value, f.low, f.high, f.reason) for name, f in figures.items()]
    return tuple(sorted(bars, key=lambda bar: (bar.value is None, bar.value or 0.0, bar.label)))


def bar_list(bars: Sequence[Bar], metric: str, *, whole: float | None = None) -> Html:
    """Return a row per segment, in the order given; its heads sort where a page's script is at work.

    Parameters
    ----------
    whole
        The figure of all rows together: a line through every bar.
    """
    known = [v for bar in bars for v in (bar.value, bar.low, bar.high) if v is not None]
    if not known:
        return note("No segment has a figure yet.")
    ticks = nice_ticks(min([*known, *([whole] if whole is not None else [])]), max(known))
    low, high = ticks[0] - (ticks[1] - ticks[0]) / 2, ticks[-1]  # the lowest has a bar as well

    def x(value: float) -> float:
        return 4 + (BAR_WIDTH - 8) * (value - low) / (high - low)

    heads = (("Segment", "text"), ("Rows", "number"), (metric_name(metric), "number"), ("", None))
    top = [element("th", words, data_sort=kind, scope="col", style="text-align:left") for words, kind in heads]
    rows = [
        element(
            "tr",
            element("td", bar.label, data_value=bar.label),
            element("td", f"{bar.rows:,}", data_value=bar.rows, style="text-align:right"),
            element(
                "td",
                number(bar.value) if bar.value is not None else (bar.reason or NOTHING),
                data_value="" if bar.value is None else bar.value,
                style="text-align:right",
            ),
            element("td", _bar(bar, low, x, whole)),
        )
        for bar in bars[:MOST_BARS]
    ]
    table = element("table", element("thead", element("tr", *top)), element("tbody", *rows), class_="mo-bars")
    told = f"; the line is all rows together, {number(whole)}" if whole is not None else ""
    return join(
        element("div", table, style="overflow-x:auto"),
        more(len(bars) - MOST_BARS),
        note(f"Bars begin at {low:g}{told}. Whiskers are 95 % intervals."),
    )


def _bar(bar: Bar, low: float, x: object, whole: float | None) -> Html:
    assert callable(x)
    if bar.value is None:
        return Html("")
    middle, at = BAR_HEIGHT / 2, x(bar.value)
    parts = [
        Html(
            f'<rect x="{x(low):.1f}" y="{middle - 6:g}" width="{max(0.5, at - x(low)):.1f}" height="12" '
            f'fill="{palette.BLUE}" fill-opacity="0.6"/>'
        )
    ]
    if bar.low is not None and bar.high is not None:
        ends = (x(bar.low), x(bar.high))
        whisker = [line(*ends[:1], middle, ends[1], middle), *(line(e, middle - 4, e, middle + 4) for e in ends)]
        parts.append(group(*whisker, stroke=palette.INK, stroke_width=1.2))
    if whole is not None:
        parts.append(group(line(x(whole), 0, x(whole), BAR_HEIGHT, dash="3 2"), stroke=palette.GREY, stroke_width=1.5))
    return drawing(BAR_WIDTH, BAR_HEIGHT, f"{bar.label}: {number(bar.value)}", *parts)


def calibration_chart(shown: PerformanceCurves) -> Html | None:
    """Return the share of positives beside the mean score of ten groups of rows; None without labels and scores."""
    curve = shown.calibration
    if not curve or not len(curve["score"]):
        return None
    size, left, bottom, top = 380.0, 52.0, 44.0, 12.0
    ticks = nice_ticks(0.0, min(1.0, max(*curve["score"], *curve["high"])))
    end = min(1.0, ticks[-1])

    def x(value: float) -> float:
        return left + (size - left - 14) * value / end

    def y(value: float) -> float:
        return size - bottom - (size - bottom - top) * min(value, end) / end

    named = [tick for tick in ticks if tick <= end]
    points = list(zip(*(curve[name] for name in ("score", "share", "low", "high", "rows")), strict=True))
    marks = [
        Html(
            f"<g><title>{rows:,.0f} rows: mean score {number(score)}, share of positives {number(share)} "
            f"({number(low)} to {number(high)})</title>"
            f'<line x1="{x(score):.1f}" x2="{x(score):.1f}" y1="{y(low):.1f}" y2="{y(high):.1f}"/>'
            f'<circle cx="{x(score):.1f}" cy="{y(share):.1f}" r="4" fill="{palette.BLUE}" stroke="none"/></g>'
        )
        for score, share, low, high, rows in points
    ]
    return drawing(
        size,
        size,
        "Calibration: share of positives by mean score",
        group(*(line(left, y(t), size - 14, y(t)) for t in named), stroke=palette.RULE),
        group(line(x(0), y(0), x(end), y(end), dash="5 4"), stroke=palette.GREY, stroke_width=1.5),
        group(*marks, stroke=palette.BLUE, stroke_width=1.5),
        group(
            *(text(left - 8, y(t) + 4, f"{t:g}", anchor="end") for t in named),
            *(text(x(t), size - bottom + 18, f"{t:g}", anchor="middle") for t in named),
            text(left, size - 6, "said by the model (across), came true (up)"),
            fill=palette.QUIET,
        ),
    )
