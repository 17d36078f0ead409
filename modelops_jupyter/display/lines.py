"""Figures over time as inline SVG: a sparkline, and performance with promotions and the expected level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from html import escape

from modelops_jupyter.display import palette
from modelops_jupyter.display.html import Html
from modelops_jupyter.display.series import Series, middle
from modelops_jupyter.display.svg import drawing, group, line, nice_ticks, paths, text, thinned, time_label, time_ticks
from modelops_jupyter.display.words import metric_name, moment, number, short_time

MOST_POINTS = 1000
X = Callable[[str | datetime], float]
Y = Callable[[float], float]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 960.0, 280.0, 48.0, 16.0, 34.0, 26.0


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
    """Return the metric over time; None where no window has a figure.

    Parameters
    ----------
    selected
        Start of the window to point out.
    pickable
        Give every window a ``data-pick`` for the page's script.
    """
    windows = series.windows
    levels = [value for value in (*series.values, *series.expected) if value is not None]
    if all(value is None for value in series.values):
        return None
    ticks = nice_ticks(min(levels), max(levels))
    low, high = ticks[0], ticks[-1]
    first, last = moment(windows[0].start), moment(windows[-1].end)
    whole = (last - first) / timedelta(seconds=1) or 1.0

    def x(at: str | datetime) -> float:
        elapsed = (moment(at) if isinstance(at, str) else at) - first
        return LEFT + (WIDTH - LEFT - RIGHT) * (elapsed / timedelta(seconds=1)) / whole

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)

    points = [None if w.value is None else (x(middle(w)), y(w.value)) for w in windows]
    parts = [
        group(*(line(LEFT, y(tick), WIDTH - RIGHT, y(tick)) for tick in ticks), stroke=palette.RULE),
        group(
            *(text(LEFT - 8, y(tick) + 4, f"{tick:,g}", anchor="end") for tick in ticks),
            *(time_label(x(at), HEIGHT - 8, name, WIDTH) for at, name in time_ticks(first, last)),
            fill=palette.QUIET,
        ),
        _expected(series, x, y),
        group(paths(points), fill="none", stroke=palette.BLUE, stroke_width=2, stroke_linejoin="round"),
        _marks(series, x),
    ]
    chosen = next((w for w in windows if w.start == selected), None)
    if chosen is not None:
        parts.append(_selection(x(chosen.start), x(chosen.end)))
    if pickable and len(windows) <= MOST_POINTS:
        parts.append(_targets(series, x))
    words = f"{metric_name(series.metric)} of {len(windows)} windows, {short_time(windows[0].start)} to "
    return drawing(WIDTH, HEIGHT, words + short_time(windows[-1].end), *parts, narrowest=560)


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
        parts.append(line(x(start), y(level), x(end), y(level), dash="5 4", title=f"expected {number(level)}"))
    label = (
        group(text(x(runs[-1][2]), y(runs[-1][0]) - 5, "expected", anchor="end"), fill=palette.QUIET) if runs else None
    )
    return group(group(*parts, stroke=palette.GREY, stroke_width=1.5), *([label] if label else []))


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


def _targets(series: Series, x: X) -> Html:
    """Lay an invisible, named stripe over each window, to point at and to choose."""
    stripes = []
    for w in series.windows:
        left, right = x(w.start), x(w.end)
        figure = f"{metric_name(series.metric)} {number(w.value)}" if w.value is not None else (w.reason or "no figure")
        told = f"{short_time(w.start)}: {figure}; {w.rows:,} rows, {w.labelled:,} with labels; version {w.version}"
        stripes.append(
            f'<rect x="{left:.1f}" y="{TOP:g}" width="{max(1.0, right - left):.1f}" '
            f'height="{HEIGHT - TOP - BOTTOM:g}" data-pick="window {escape(w.start)}">'
            f"<title>{escape(told)}</title></rect>"
        )
    return group(Html("".join(stripes)), fill="transparent", style="cursor:pointer")
