"""The backtest as a picture: what every budget costs in false alerts, and what it buys in sight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from modelops_jupyter.display import palette
from modelops_jupyter.display.html import Html, element
from modelops_jupyter.display.svg import drawing, group, line, nice_ticks, paths, text
from modelops_jupyter.display.tables import block, heading, note, scrolling, steady, table
from modelops_jupyter.display.words import NOTHING, metric_name, number, percent
from modelops_jupyter.monitoring import Backtest, BacktestPoint
from modelops_jupyter.wording import count

WIDE, TALL, LEFT, RIGHT, TOP, BOTTOM = 310.0, 190.0, 44.0, 14.0, 34.0, 34.0
ACROSS = 3


@dataclass(frozen=True)
class Panel:
    """One figure by budget: `values` as many as budgets, None where nothing was seen; `promised` is drawn dashed."""

    title: str
    values: Sequence[float | None]
    told: Sequence[str]
    spans: Sequence[tuple[float, float]] = ()
    promised: Sequence[float] = ()


def backtest(shown: Backtest) -> Html:
    """Show the curve and the same as a table; the budget in force is marked."""
    made = (
        f"{count(shown.windows, 'window')} of {shown.every} replayed; windows without a fault are drawn from "
        f"{shown.healthy}."
    )
    panels = panels_of(shown)
    return block(
        heading(f"{shown.model}: what an alert budget means"),
        element("p", made, style="margin:2px 0 6px"),
        scrolling(_drawing(shown, panels)),
        table(
            ("Budget", *(panel.title for panel in panels)),
            [
                [
                    steady(f"{point.budget}{' (in force)' * (point.budget == shown.budget)}"),
                    *(steady(panel.told[n]) for panel in panels),
                ]
                for n, point in enumerate(shown.points)
            ],
            right=tuple(range(1, len(panels) + 1)),
        ),
        element("p", shown.explanation, style="margin:8px 0 2px") if shown.explanation else None,
        note(
            "Left is quiet, right is watchful; dashed is what the budget allows. “Seen”: in four of five trials, "
            f"within {count(shown.within, 'window')}. "
            f"Choose with `modelops monitor {shown.model} --alert-budget 1/week`."
        ),
    )


def panels_of(shown: Backtest) -> tuple[Panel, ...]:
    """Return what is drawn: the two prices first, then what is seen."""
    points = shown.points
    found = [
        Panel(
            "False alerts a month",
            [point.false_alerts for point in points],
            [f"{point.false_alerts:.2f} ({point.low:.2f} to {point.high:.2f})" for point in points],
            [(point.low, point.high) for point in points],
            [point.promised for point in points],
        ),
        Panel("Alerts in the history", [p.in_history for p in points], [f"{p.in_history:,}" for p in points]),
        Panel(
            f"Windows until a fault is seen (of {shown.within})",
            [delay(point, shown.within) for point in points],
            [f"{delay(point, shown.within):.1f}" for point in points],
        ),
    ]
    metric = metric_name(shown.metric) if shown.metric else ""
    drops = [_drop(point) for point in points]
    if metric:
        told = [NOTHING if drop is None else number(drop) for drop in drops]
        found.append(Panel(f"Smallest change of {metric} seen", drops, told))
    for fault, title in (
        ("shift", "Smallest shift seen (standard deviations)"),
        ("missing", "Fewest missing values seen"),
    ):
        sizes = [point.smallest.get(fault) for point in points]
        words = [NOTHING if size is None else percent(size) if fault == "missing" else number(size) for size in sizes]
        found.append(Panel(title, sizes, words))
    return tuple(found)


def delay(point: BacktestPoint, within: int) -> float:
    """Return after how many windows a fault is seen, over all faults tried; one never seen counts as all of them."""
    waits = [d.found * (d.delay if d.delay is not None else within) + (1 - d.found) * within for d in point.detections]
    return sum(waits) / len(waits) if waits else float(within)


def _drop(point: BacktestPoint) -> float | None:
    size = point.smallest.get("performance")
    return next((d.drop for d in point.detections if (d.fault, d.size) == ("performance", size)), None)


def _drawing(shown: Backtest, panels: Sequence[Panel]) -> Html:
    rows = math.ceil(len(panels) / ACROSS)
    parts = [
        group(*_panel(shown, panel), transform=f"translate({n % ACROSS * WIDE:g} {n // ACROSS * TALL:g})")
        for n, panel in enumerate(panels)
    ]
    label = f"What each of {len(shown.points)} alert budgets of {shown.model} costs and sees"
    return drawing(ACROSS * WIDE, rows * TALL, label, *parts, narrowest=620)


def _panel(shown: Backtest, panel: Panel) -> list[Html]:
    """Draw one figure by budget; what budgets promise by its root, so that a tenth and thirty stand in one picture."""
    power: float = 0.5 if panel.promised else 1.0
    known = [v for v in (*panel.values, *panel.promised, *(high for _, high in panel.spans)) if v is not None]
    top = max(known, default=0.0) or 1.0
    ticks = nice_ticks(0.0, top**power, 4)
    step = (WIDE - LEFT - RIGHT) / len(shown.points)

    def x(n: int) -> float:
        return LEFT + (n + 0.5) * step

    def y(value: float) -> float:
        high: float = max(value, 0.0) ** power / ticks[-1]
        return TALL - BOTTOM - (TALL - TOP - BOTTOM) * high

    named = [tick ** (1 / power) for tick in ticks]
    force = next((n for n, point in enumerate(shown.points) if point.budget == shown.budget), None)
    chosen = [] if force is None else [_in_force(x(force), step)]
    dots = [
        Html(
            f"<g><title>{escape(f'{shown.points[n].budget}: {panel.told[n]}')}</title>"
            f'<circle cx="{x(n):.1f}" cy="{y(value):.1f}" r="{5 if n == force else 3.5}" fill="{palette.BLUE}"/></g>'
        )
        for n, value in enumerate(panel.values)
        if value is not None
    ]
    curve = paths(None if value is None else (x(n), y(value)) for n, value in enumerate(panel.values))
    promise = paths((x(n), y(value)) for n, value in enumerate(panel.promised))
    whiskers = [line(x(n), y(low), x(n), y(high)) for n, (low, high) in enumerate(panel.spans)]
    never = [text(x(n), TOP + 12, "none", anchor="middle") for n, value in enumerate(panel.values) if value is None]
    return [
        *chosen,
        group(*(line(LEFT, y(value), WIDE - RIGHT, y(value)) for value in named), stroke=palette.RULE),
        group(text(LEFT - 36, 16, panel.title), fill=palette.INK, font_weight=600),
        group(promise, fill="none", stroke=palette.GREY, stroke_width=1.5, stroke_dasharray="5 4"),
        group(curve, fill="none", stroke=palette.BLUE, stroke_width=1.5),
        group(*whiskers, stroke=palette.BLUE, stroke_width=1.2),
        *dots,
        group(
            *(text(LEFT - 6, y(value) + 4, f"{value:.3g}", anchor="end") for value in named),
            *(text(x(n), TALL - 14, p.budget.removeprefix("1/"), anchor="middle") for n, p in enumerate(shown.points)),
            *never,
            fill=palette.QUIET,
        ),
    ]


def _in_force(x: float, step: float) -> Html:
    return Html(
        f'<rect x="{x - step / 2:.1f}" y="{TOP - 6:g}" width="{step:.1f}" height="{TALL - TOP - 2:g}" rx="3" '
        f'fill="{palette.GREY}" fill-opacity="0.18"/>'
    )
