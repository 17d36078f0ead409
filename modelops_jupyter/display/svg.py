"""What every inline SVG shares: the frame, scales and ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from html import escape

from modelops_jupyter.display import palette
from modelops_jupyter.display.html import Html, element

FONT = "font-family:system-ui,-apple-system,'Segoe UI',sans-serif;font-size:11px"


def drawing(width: float, height: float, label: str, *content: Html, narrowest: int | None = None) -> Html:
    """Return an SVG that shrinks with its page, no further than `narrowest` pixels; `label` is read out."""
    floor = f"min-width:{narrowest}px;" if narrowest else ""
    return element(
        "svg",
        element("title", label),
        *content,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        role="img",
        aria_label=label,
        style=f"{floor}max-width:100%;height:auto;{FONT};color:{palette.INK}",
    )


def line(x1: float, y1: float, x2: float, y2: float, *, dash: str | None = None, title: str | None = None) -> Html:
    """Return a line in the colour of the group around it."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    inner = f"<title>{escape(title)}</title>" if title else ""
    return Html(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"{dashed}>{inner}</line>')


def text(x: float, y: float, words: str, *, anchor: str = "start") -> Html:
    """Return words at a place, in the colour of the group around them."""
    return Html(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>')


def time_label(x: float, y: float, name: str, width: float) -> Html:
    """Return a time's name under its place; the last one ends short of the drawing's edge, whatever the font."""
    room = 4.5 * len(name)  # half its width in a wide font
    return text(width - 6, y, name, anchor="end") if x > width - room else text(x, y, name, anchor="middle")


def group(*content: Html, **attributes: object) -> Html:
    """Return parts that share their looks."""
    return element("g", *content, **attributes)


def paths(points: Iterable[tuple[float, float] | None]) -> Html:
    """Return lines through the points, broken where there is none; a lone point becomes a dot."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    drawn = []
    for run in runs:
        if len(run) == 1:
            drawn.append(f'<circle cx="{run[0][0]:.1f}" cy="{run[0][1]:.1f}" r="1.5" fill="currentColor"/>')
        elif run:
            drawn.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in run)}"/>')
    return Html("".join(drawn))


def bands(spans: Iterable[tuple[float, float, float] | None]) -> Html:
    """Return filled strips through (x, upper y, lower y), broken where there is none."""
    runs: list[list[tuple[float, float, float]]] = [[]]
    for span in spans:
        if span is None:
            runs.append([])
        else:
            runs[-1].append(span)
    drawn = []
    for run in runs:
        if len(run) == 1:  # one window alone: a bar
            x, upper, lower = run[0]
            drawn.append(f'<rect x="{x - 1.5:.1f}" y="{upper:.1f}" width="3" height="{max(0.5, lower - upper):.1f}"/>')
        elif run:
            there, back = [(x, upper) for x, upper, _ in run], [(x, lower) for x, _, lower in reversed(run)]
            drawn.append(f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in there + back)}"/>')
    return Html("".join(drawn))


def nice_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers that cover a range.

    >>> nice_ticks(0.71, 0.83)
    [0.7, 0.75, 0.8, 0.85]
    """
    if not high > low:
        spread = abs(low) * 0.1 or 1.0
        low, high = low - spread, high + spread
    rough = (high - low) / most
    base = 10.0 ** math.floor(math.log10(rough))
    step = next(base * factor for factor in (1, 2, 2.5, 5, 10) if base * factor >= rough)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, last + 1)]


def time_ticks(first: datetime, last: datetime, most: int = 8) -> list[tuple[datetime, str]]:
    """Return round times inside a range, each with its name: months, days or hours."""
    days = (last - first) / timedelta(days=1)
    if days > 62:
        step = next(n for n in (1, 2, 3, 6, 12, 24, 60, 120, 600, 12000) if days / 30 / n <= most)
        month = first.year * 12 + first.month - 1
        starts = [
            first.replace(year=m // 12, month=m % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0)
            for m in range(month - month % step, last.year * 12 + last.month, step)
        ]
        return [(at, f"{at:%b %Y}") for at in starts if first <= at <= last]
    if days > 2:
        every = math.ceil(days / most)
        day = first.replace(hour=0, minute=0, second=0, microsecond=0)
        starts = [day + timedelta(days=n) for n in range(0, math.ceil(days) + 1, every)]
        return [(at, f"{at.day} {at:%b}") for at in starts if first <= at <= last]
    every = max(1, math.ceil(days * 24 / most))
    hour = first.replace(minute=0, second=0, microsecond=0)
    starts = [hour + timedelta(hours=n) for n in range(0, math.ceil(days * 24) + 1, every)]
    return [(at, f"{at:%H:%M}") for at in starts if first <= at <= last]


def thinned(items: Sequence[float | None], most: int) -> list[float | None]:
    """Return at most `most` of the values, the last one among them."""
    step = math.ceil(len(items) / most) or 1
    return list(items[::-1][::step][::-1])
