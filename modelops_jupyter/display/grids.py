"""Drift as a heat map, distributions as bars, differences as intervals: inline SVG."""

from __future__ import annotations

from html import escape

from modelops_jupyter.actions.overview import Distribution, DriftMap
from modelops_jupyter.display import palette
from modelops_jupyter.display.html import Html
from modelops_jupyter.display.series import Bucket, buckets
from modelops_jupyter.display.svg import drawing, group, line, text, time_label, time_ticks
from modelops_jupyter.display.words import moment, number, percent, short_time
from modelops_jupyter.wording import count

WIDTH, LEFT, ROW, AXIS, LEGEND = 960.0, 170.0, 20.0, 22.0, 24.0
MOST_FEATURES, MOST_COLUMNS = 20, 120
FEW_COLUMNS = 8
MOST_BINS = 40
# From this PSI on colours are as deep as they get.
DEEPEST = 0.6
FOUND, NONE = ", drift found", ", no more than usual"


def drift_chart(
    drift: DriftMap,
    *,
    features: int = MOST_FEATURES,
    columns: int = MOST_COLUMNS,
    selected: tuple[str | None, str | None] = (None, None),
    pickable: bool = False,
    what: str = "column",
) -> Html | None:
    """Return PSI by feature and window, the feature with most findings on top; None where nothing was measured.

    Parameters
    ----------
    what
        What a row is of: a ``column``, or a ``segment`` with the mean of its columns.
    selected
        The window and the column to point out.
    """
    names = drift.columns[:features]
    cells = buckets(drift, names, columns)
    if not names or not cells:
        return None
    wide = (WIDTH - LEFT) / len(cells)
    height = LEGEND + ROW * len(names) + AXIS
    rows = [_row(name, LEGEND + ROW * n, cells, wide, pickable) for n, name in enumerate(names)]
    labels = [
        Html(
            f'<text x="{LEFT - 8:g}" y="{LEGEND + ROW * n + 14:g}" text-anchor="end"'
            + (f' data-pick="column {escape(name)}" style="cursor:pointer"' if pickable else "")
            + f">{escape(_short(name, 24))}</text>"
        )
        for n, name in enumerate(names)
    ]
    parts = [
        group(*rows),
        group(*labels, fill=palette.INK),
        group(*_times(cells, wide, height), fill=palette.QUIET),
        _legend(what),
        *_chosen(names, cells, wide, selected),
    ]
    label = f"PSI of {count(len(names), what)} in {count(len(drift.starts), 'window')}"
    return drawing(WIDTH, height, label, *parts, narrowest=560)


def _row(name: str, top: float, cells: tuple[Bucket, ...], wide: float, pickable: bool) -> Html:
    drawn = []
    for n, cell in enumerate(cells):
        value = cell.values[name]
        if value is None:
            continue
        colour, depth = shade(value, cell.found[name])
        when = short_time(cell.start) + ("" if cell.last == cell.start else f" to {short_time(cell.last)}, highest")
        told = f"{name}, {when}: PSI {number(value)}{FOUND if cell.found[name] else NONE}"
        pick = f' data-pick="cell {escape(cell.worst[name])} {escape(name)}"' if pickable else ""
        drawn.append(
            f'<rect x="{LEFT + n * wide:.1f}" width="{max(0.5, wide - (1 if wide > 4 else 0)):.1f}" fill="{colour}" '
            f'fill-opacity="{depth:.2f}" y="{top + 1:g}" height="{ROW - 2:g}"{pick}>'
            f"<title>{escape(told)}</title></rect>"
        )
    return group(Html("".join(drawn)), style="cursor:pointer" if pickable else None)


def shade(value: float, found: bool) -> tuple[str, float]:
    """Return colour and depth of a PSI: red where the monitor found drift, else blue, deeper with the figure.

    Depth leaps from blue to red, so that a finding stands out in grey as well.
    """
    part = min(1.0, max(0.0, value) / DEEPEST)
    return (palette.RED, 0.75 + 0.25 * part) if found else (palette.BLUE, 0.10 + 0.25 * part)


def _legend(what: str) -> Html:
    swatches = []
    for n, (part, found) in enumerate((part, found) for found in (False, True) for part in (0.0, 0.5, 1.0)):
        colour, depth = shade(part * DEEPEST, found)
        swatches.append(
            f'<rect x="{LEFT + 34 + n * 16:g}" y="4" width="15" height="10" fill="{colour}" '
            f'fill-opacity="{depth:.2f}"/>'
        )
    words = f"red: more than this {what} usually moves"
    return group(
        text(LEFT, 13, "PSI 0"), Html("".join(swatches)), text(LEFT + 34 + 6 * 16 + 6, 13, words), fill=palette.QUIET
    )


def _times(cells: tuple[Bucket, ...], wide: float, height: float) -> list[Html]:
    starts = [moment(cell.start) for cell in cells]
    if len(starts) < FEW_COLUMNS:  # each by its name: rounder times would fall between them
        names = ((LEFT + (n + 0.5) * wide, short_time(cell.start)) for n, cell in enumerate(cells))
        return [text(at, height - 6, name, anchor="middle") for at, name in names]
    found = []
    for at, name in time_ticks(starts[0], starts[-1]):
        n = next((n for n, start in enumerate(starts) if start >= at), len(starts) - 1)
        found.append(time_label(LEFT + (n + 0.5) * wide, height - 6, name, WIDTH))
    return found


def drift_marks(drift: DriftMap, window: str | None, column: str | None) -> Html:
    """Return what points out a window and a column of a drift chart of the usual size, to be drawn over it."""
    names = drift.columns[:MOST_FEATURES]
    cells = buckets(drift, names, MOST_COLUMNS)
    if not names or not cells:
        return Html("")
    return group(*_chosen(names, cells, (WIDTH - LEFT) / len(cells), (window, column)))


def _chosen(
    names: tuple[str, ...], cells: tuple[Bucket, ...], wide: float, selected: tuple[str | None, str | None]
) -> list[Html]:
    window, column = selected
    found = []
    outline = f'fill="none" stroke="{palette.INK}" stroke-width="1.5"'
    if window is not None:
        for n, cell in enumerate(cells):
            if moment(cell.start) <= moment(window) <= moment(cell.last):
                tall = ROW * len(names)
                at = f'x="{LEFT + n * wide:.1f}" y="{LEGEND:g}" width="{max(2.0, wide):.1f}" height="{tall:g}"'
                found.append(Html(f'<rect {at} {outline} data-selected="window" style="pointer-events:none"/>'))
    if column in names:
        top = LEGEND + ROW * names.index(column)
        at = f'x="{LEFT:g}" y="{top:g}" width="{WIDTH - LEFT - 1:g}" height="{ROW:g}"'
        found.append(Html(f'<rect {at} {outline} data-selected="column" style="pointer-events:none"/>'))
        # It lies on the name that is there already, so it must be as wide: underlined, not bold.
        name = escape(_short(names[names.index(column)], 24))
        at = f'x="{LEFT - 8:g}" y="{top + 14:g}" text-anchor="end" fill="{palette.INK}"'
        found.append(Html(f'<text {at} style="pointer-events:none;text-decoration:underline">{name}</text>'))
    return found


def distribution_chart(shown: Distribution) -> Html:
    """Return the shares of every bin, in the reference (outlined) and now (filled)."""
    rows = [
        (name, before, now)
        for n, (name, before, now) in enumerate(zip(shown.bins, shown.reference, shown.current, strict=True))
        if before or now or n < len(shown.bins) - 2  # "other" and "missing" only where there are some
    ][:MOST_BINS]
    width, left, row, top = 400.0, 132.0, 24.0, 26.0
    most = max((max(before, now) for _, before, now in rows), default=0.0) or 1.0
    scale = (width - left - 50) / most
    bars, labels = [], []
    for n, (name, before, now) in enumerate(rows):
        y = top + n * row
        told = escape(f"{name}: reference {percent(before)}, current {percent(now)}")
        bars.append(
            f"<g><title>{told}</title>"
            f'<rect x="{left:g}" y="{y + 2:g}" width="{before * scale:.1f}" height="8" fill="{palette.GREY}" '
            f'fill-opacity="0.25" stroke="{palette.GREY}"/>'
            f'<rect x="{left:g}" y="{y + 11:g}" width="{now * scale:.1f}" height="8" fill="{palette.BLUE}"/></g>'
        )
        labels.append(text(left - 8, y + 14, _short(name, 24), anchor="end"))
        labels.append(text(left + max(before, now) * scale + 6, y + 14, percent(now)))
    legend = group(
        Html(
            f'<rect x="{left:g}" y="5" width="12" height="8" fill="{palette.GREY}" fill-opacity="0.25" '
            f'stroke="{palette.GREY}"/>'
        ),
        text(left + 17, 13, "reference"),
        Html(f'<rect x="{left + 86:g}" y="5" width="12" height="8" fill="{palette.BLUE}"/>'),
        text(left + 103, 13, "current"),
        fill=palette.QUIET,
    )
    axis = group(line(left, top, left, top + row * len(rows)), stroke=palette.RULE)
    label = f"Distribution of {shown.column}: reference and current"
    return drawing(
        width, top + row * len(rows) + 4, label, legend, axis, Html("".join(bars)), group(*labels, fill=palette.INK)
    )


def interval_chart(low: float, difference: float, high: float, reach: float, colour: str) -> Html:
    """Return a difference with its interval beside zero, on a scale that ends at `reach` on both sides."""
    width, height = 180.0, 22.0

    def x(value: float) -> float:
        return width / 2 + (width / 2 - 6) * value / (reach or 1.0)

    return drawing(
        width,
        height,
        f"difference {number(difference)}, from {number(low)} to {number(high)}",
        group(line(width / 2, 1, width / 2, height - 1), stroke=palette.RULE),
        group(
            line(x(low), height / 2, x(high), height / 2),
            line(x(low), height / 2 - 4, x(low), height / 2 + 4),
            line(x(high), height / 2 - 4, x(high), height / 2 + 4),
            stroke=colour,
            stroke_width=1.5,
        ),
        Html(f'<circle cx="{x(difference):.1f}" cy="{height / 2:g}" r="3.5" fill="{colour}"/>'),
    )


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
