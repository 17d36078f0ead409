"""Figures over time as inline SVG: a sparkline, and performance with promotions and the expected level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from html import escape

from modelops_jupyter.actions.overview import WindowFigure
from modelops_jupyter.display import palette
from modelops_jupyter.display.html import Html
from modelops_jupyter.display.series import Series, lines_beside, middle, sampled
from modelops_jupyter.display.svg import (
    bands,
    drawing,
    group,
    line,
    nice_ticks,
    paths,
    text,
    thinned,
    time_label,
    time_ticks,
)
from modelops_jupyter.display.words import metric_name, moment, number, short_time

MOST_POINTS = 1000
X = Callable[[str | datetime], float]
Y = Callable[[float], float]
# Of series beside what was served, one after the other: colour and dashes.
BESIDE = ((palette.PURPLE, "9 4"), (palette.GREEN, "3 3"), (palette.RED, "12 3 2 3"))
LEGEND_ROW = 18.0
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 960.0, 304.0, 48.0, 16.0, 34.0, 50.0


def sparkline(values: Sequence[float | None], metric: str | None, width: int = 120, height: int = 26) -> Html:
    """Return a small line of the last values; its words say what it shows."""
    shown = thinned(values, width)
    known = [value for value in shown if value is not None]
    if not known:
        return Html("")
    low, high = min(known), max(known)
    spread = (high - low) or 1.0
    step = (width - 8) / max(1, len(shown) - 1)

    def y(value: float) -> float:
        return height - 4 - (height - 8) * ((value - low) / spread if high > low else 0.5)

    points = [None if value is None else (4 + n * step, y(value)) for n, value in enumerate(shown)]
    last = next(point for point in reversed(points) if point is not None)
    words = f"{metric_name(metric)}: last {number(known[-1])}, from {number(low)} to {number(high)}"
    return drawing(
        width,
        height,
        words,
        group(paths(points), fill="none", stroke=palette.BLUE, stroke_width=1.5, stroke_linejoin="round"),
        Html(f'<circle cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="2.5" fill="{palette.BLUE}"/>'),
    )


def performance_chart(series: Series, *, selected: str | None = None, pickable: bool = False) -> Html | None:
    """Return the metric over time with its 95 % interval and estimate; None where no window has a figure.

    Parameters
    ----------
    selected
        Start of the window to point out.
    pickable
        Give every window a ``data-pick`` for the page's script.
    """
    series = sampled(series, MOST_POINTS)
    windows = series.windows
    if all(w.value is None and w.estimated is None for w in windows):
        return None
    x, y, ticks = _scales(series)
    estimated = any(w.estimated is not None for w in windows)
    parts = [
        group(*(line(LEFT, y(tick), WIDTH - RIGHT, y(tick)) for tick in ticks), stroke=palette.RULE),
        group(
            *(text(LEFT - 8, y(tick) + 4, f"{tick:,g}", anchor="end") for tick in ticks),
            *(
                time_label(x(at), HEIGHT - BOTTOM + 18, name, WIDTH)
                for at, name in time_ticks(moment(windows[0].start), moment(windows[-1].end))
            ),
            fill=palette.QUIET,
        ),
        group(bands(_span(w, w.low, w.high, x, y) for w in windows), fill=palette.BLUE, fill_opacity=0.2),
        _estimates(series, x, y) if estimated else Html(""),
        _expected(series, x, y),
        group(
            paths(None if w.value is None else (x(middle(w)), y(w.value)) for w in windows),
            fill="none",
            stroke=palette.BLUE,
            stroke_width=2,
            stroke_linejoin="round",
        ),
        _beside(series, x, y),
        _marks(series, x),
    ]
    legend, height = _legend(series, estimated, cut=any(not ticks[0] <= end <= ticks[-1] for end in _ends(series)))
    parts.append(legend)
    chosen = next((w for w in windows if w.start == selected), None)
    if chosen is not None:
        parts.append(_selection(x(chosen.start), x(chosen.end)))
    if pickable:
        parts.append(_targets(series, x))
    words = f"{metric_name(series.metric)} of {len(windows)} windows, {short_time(windows[0].start)} to "
    return drawing(WIDTH, height, words + short_time(windows[-1].end), *parts, narrowest=560)


def _scales(series: Series) -> tuple[X, Y, list[float]]:
    """Return the places of times and figures, and the figures to name.

    The widest intervals, of windows with few labels, are cut off at the edge: they must not flatten the line.
    """
    windows = series.windows
    shown = [v for v in (*series.values, *series.expected, *(w.estimated for w in windows)) if v is not None]
    ends = _ends(series)
    cut = len(ends) // 20
    shown += [w.value for _, line in lines_beside(series, MOST_POINTS) for w in line if w.value is not None]
    shown += ends[cut : len(ends) - cut]
    ticks = nice_ticks(min(shown), max(shown))
    low, high = ticks[0], ticks[-1]
    first, last = moment(windows[0].start), moment(windows[-1].end)
    whole = (last - first) / timedelta(seconds=1) or 1.0

    def x(at: str | datetime) -> float:
        elapsed = (moment(at) if isinstance(at, str) else at) - first
        return LEFT + (WIDTH - LEFT - RIGHT) * (elapsed / timedelta(seconds=1)) / whole

    def y(value: float) -> float:
        inside = min(high, max(low, value))
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (inside - low) / (high - low)

    return x, y, ticks


def _ends(series: Series) -> list[float]:
    """Return where intervals end, of figures and of estimates, in order."""
    ends = (end for w in series.windows for end in (w.low, w.high, w.estimated_low, w.estimated_high))
    return sorted(end for end in ends if end is not None)


def _span(w: WindowFigure, low: float | None, high: float | None, x: X, y: Y) -> tuple[float, float, float] | None:
    return None if low is None or high is None else (x(middle(w)), y(high), y(low))


def _estimates(series: Series, x: X, y: Y) -> Html:
    """Draw what was expected before labels arrived: dotted, so that it differs without colour."""
    windows = series.windows
    strip = bands(_span(w, w.estimated_low, w.estimated_high, x, y) for w in windows)
    dots = paths(None if w.estimated is None else (x(middle(w)), y(w.estimated)) for w in windows)
    return group(
        group(strip, fill=palette.ORANGE, fill_opacity=0.15),
        group(dots, fill="none", stroke=palette.ORANGE, stroke_width=2, stroke_dasharray="1 4", stroke_linecap="round"),
    )


def _legend(series: Series, estimated: bool, cut: bool) -> tuple[Html, float]:
    """Return the names of the lines, each beside a piece of it, and the height of the chart with them under it.

    They take more rows where there are more of them. Where intervals are `cut`, they say so.
    """
    interval = ", with its 95 % interval" if any(w.low is not None for w in series.windows) else ""
    entries: list[tuple[str, str, str | None]] = [(f"{metric_name(series.metric)}{interval}", palette.BLUE, None)]
    if any(level is not None for level in series.expected):
        entries.append(("reached when validated", palette.GREY, "5 4"))
    if estimated:
        entries.append(("estimated before outcomes are known", palette.ORANGE, "1 4"))
    for n, (each, _) in enumerate(lines_beside(series, MOST_POINTS)):
        entries.append((each.name, *BESIDE[n % len(BESIDE)]))
    parts, at, row = [], LEFT, HEIGHT - 6
    for words, colour, dash in entries:
        wide = 30 + 6.2 * len(words) + 22
        if at + wide > WIDTH + 22:
            at, row = LEFT, row + LEGEND_ROW
        parts.append(group(line(at, row - 4, at + 24, row - 4, dash=dash), stroke=colour, stroke_width=2))
        parts.append(text(at + 30, row, words))
        at += wide
    if cut:
        words = "widest intervals cut off"
        at, row = (LEFT, row + LEGEND_ROW) if at + 6.2 * len(words) > WIDTH else (at, row)
        parts.append(text(at, row, words))
    return group(*parts, fill=palette.QUIET), row + 6


def _beside(series: Series, x: X, y: Y) -> Html:
    """Draw the same metric of versions whose predictions were not served, each dashed in a way of its own."""
    parts = []
    for n, (each, windows) in enumerate(lines_beside(series, MOST_POINTS)):
        colour, dash = BESIDE[n % len(BESIDE)]
        drawn = paths(None if w.value is None else (x(middle(w)), y(w.value)) for w in windows)
        title = Html(f"<title>{escape(each.name)}</title>")
        parts.append(group(title, drawn, fill="none", stroke=colour, stroke_width=2, stroke_dasharray=dash))
    return group(*parts)


def _expected(series: Series, x: X, y: Y) -> Html:
    """Draw the level each version had on its reference, for as long as it served."""
    parts: list[Html] = []
    begun: tuple[float, str] | None = None
    runs: list[tuple[float, str, str]] = []
    for level, window in zip((*series.expected, None), (*series.windows, None), strict=True):
        if begun is not None and (level != begun[0] or window is None):
            runs.append((*begun, window.start if window else series.windows[-1].end))
            begun = None
        if begun is None and level is not None and window is not None:
            begun = (level, window.start)
    for level, start, end in runs:
        told = f"validated at {number(level)}"
        parts.append(line(x(start), y(level), x(end), y(level), dash="5 4", title=told))
    return group(*parts, stroke=palette.GREY, stroke_width=1.5)


def _marks(series: Series, x: X) -> Html:
    parts, taken = [], -1e9
    for mark in series.marks:
        at = x(mark.at)
        colour = palette.RED if mark.action == "rollback" else palette.GREEN
        right = at > WIDTH - 110
        row = TOP - 20 if at - taken > 100 else TOP - 6
        taken = at if row == TOP - 20 else taken
        label = f"{'↩' if mark.action == 'rollback' else '▲'} {mark.words}"
        told = f"{short_time(mark.at)}: {mark.words}{': ' + mark.reason if mark.reason else ''}"
        parts.append(
            group(
                Html(f"<title>{escape(told)}</title>"),
                line(at, row + 3, at, HEIGHT - BOTTOM, dash="2 3"),
                Html(
                    f'<text x="{at + (-4 if right else 4):.1f}" y="{row:.1f}" stroke="none" fill="{colour}" '
                    f'text-anchor="{"end" if right else "start"}">{escape(label)}</text>'
                ),
                stroke=colour,
            )
        )
    return group(*parts)


def _selection(left: float, right: float) -> Html:
    wide = max(3.0, right - left)
    return Html(
        f'<rect x="{left:.1f}" y="{TOP:g}" width="{wide:.1f}" height="{HEIGHT - TOP - BOTTOM:g}" '
        f'fill="{palette.BLUE}" fill-opacity="0.22" data-selected="window"/>'
    )


def figure_words(w: WindowFigure, metric: str | None) -> str:
    """Return a window's figures as a sentence has them, with the rows behind them."""
    said = f"{metric_name(metric)} {number(w.value)}" if w.value is not None else (w.reason or "no figure")
    if w.low is not None and w.high is not None:
        said += f" ({number(w.low)} to {number(w.high)})"
    if w.estimated is not None:
        said += f", estimated {number(w.estimated)}"
    return f"{said}; {w.rows:,} rows, {w.labelled:,} with labels"


def _targets(series: Series, x: X) -> Html:
    """Lay an invisible, named stripe over each window, to point at and to choose."""
    stripes = []
    for w in series.windows:
        left, right = x(w.start), x(w.end)
        told = f"{short_time(w.start)}: {figure_words(w, series.metric)}; version {w.version}"
        stripes.append(
            f'<rect x="{left:.1f}" y="{TOP:g}" width="{max(1.0, right - left):.1f}" '
            f'height="{HEIGHT - TOP - BOTTOM:g}" data-pick="window {escape(w.start)}">'
            f"<title>{escape(told)}</title></rect>"
        )
    return group(Html("".join(stripes)), fill="transparent", style="cursor:pointer")
