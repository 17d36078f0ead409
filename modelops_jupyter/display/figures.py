"""Plotly figures of a model: pure functions of its overview, always `go.Figure`, never a `FigureWidget`.

plotly is imported when the first figure is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from modelops_jupyter.actions.overview import Distribution, DriftMap, ModelOverview
from modelops_jupyter.display import palette
from modelops_jupyter.display.bars import MOST_BARS, Bar
from modelops_jupyter.display.grids import DEEPEST, FOUND, NONE, shade
from modelops_jupyter.display.lines import BESIDE
from modelops_jupyter.display.series import (
    Bucket,
    Series,
    buckets,
    lines_beside,
    middle,
    performance_series,
    report_drift,
    report_series,
    sampled,
)
from modelops_jupyter.display.words import metric_name, short_time
from modelops_jupyter.monitoring import MonitorReport
from modelops_jupyter.monitoring.figures.curves import PerformanceCurves

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_POINTS = 2000
DASHES = ("dash", "dot", "dashdot")
MOST_FEATURES, MOST_CELLS = 20, 3000
_LAYOUT: dict[str, Any] = {
    "template": "none",
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"color": palette.GREY, "size": 12},
    "margin": {"l": 60, "r": 20, "t": 50, "b": 40},
    "hovermode": "closest",
}
_GRID = {"gridcolor": "rgba(128,128,128,0.25)", "zeroline": False}


def performance_figure(page: ModelOverview | Series) -> Figure:
    """Return the metric over time with gaps where there is none, the expected level and the promotions."""
    from plotly.graph_objects import Figure

    series = page if isinstance(page, Series) else performance_series(page)
    figure = Figure(_lines(series))
    figure.update_layout(**_LAYOUT, height=340, showlegend=True, legend={"orientation": "h", "y": -0.2})
    figure.update_xaxes(**_GRID)
    figure.update_yaxes(title=metric_name(series.metric), **_GRID)
    _mark(figure, series, "y domain")
    return figure


def drift_figure(page: ModelOverview | DriftMap) -> Figure:
    """Return PSI by column and window, the column with most findings on top."""
    from plotly.graph_objects import Figure

    drift = page if isinstance(page, DriftMap) else page.drift
    figure = Figure(_heats(drift))
    figure.update_layout(**_LAYOUT, height=110 + 22 * min(len(drift.columns), MOST_FEATURES))
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure


def distribution_figure(shown: Distribution) -> Figure:
    """Return a column's shares in the reference and now."""
    from plotly.graph_objects import Bar, Figure

    figure = Figure(
        [
            Bar(
                x=list(shown.bins),
                y=list(shown.reference),
                name="reference",
                marker={"color": palette.GREY, "pattern": {"shape": "/"}},
            ),
            Bar(x=list(shown.bins), y=list(shown.current), name="current", marker={"color": palette.BLUE}),
        ]
    )
    figure.update_layout(**_LAYOUT, height=340, barmode="group", title=shown.column)
    figure.update_yaxes(tickformat=".0%", **_GRID)
    return figure


def calibration_figure(shown: PerformanceCurves) -> Figure:
    """Return the share of positives against the mean score of ten groups of rows, with 95 % intervals."""
    from plotly.graph_objects import Figure, Scatter

    curve = {name: list(values) for name, values in shown.calibration.items()}
    share = curve.get("share", [])
    error = {
        "array": [high - at for high, at in zip(curve.get("high", []), share, strict=True)],
        "arrayminus": [at - low for low, at in zip(curve.get("low", []), share, strict=True)],
    }
    figure = Figure(
        [
            Scatter(x=[0, 1], y=[0, 1], name="both agree", mode="lines", line={"color": palette.GREY, "dash": "dash"}),
            Scatter(
                x=curve.get("score", []),
                y=share,
                error_y=error,
                name="share of positives",
                mode="markers",
                marker={"color": palette.BLUE, "size": 9},
            ),
        ]
    )
    figure.update_layout(**_LAYOUT, height=420)
    figure.update_xaxes(title="mean score", **_GRID)
    figure.update_yaxes(title="share of positives", **_GRID)
    return figure


def segments_figure(bars: Sequence[Bar], metric: str) -> Figure:
    """Return a bar per segment with its 95 % interval, in the order given."""
    from plotly.graph_objects import Bar as Bars
    from plotly.graph_objects import Figure

    known = [bar for bar in bars if bar.value is not None][:MOST_BARS]
    error = {
        "array": [None if b.high is None or b.value is None else b.high - b.value for b in known],
        "arrayminus": [None if b.low is None or b.value is None else b.value - b.low for b in known],
        "color": palette.GREY,
    }
    shown = Bars(
        x=[bar.value for bar in known],
        y=[_plain(bar.label) for bar in known],
        error_x=error,
        orientation="h",
        marker={"color": palette.BLUE},
        text=[f"{bar.rows:,} rows" for bar in known],
    )
    figure = Figure([shown])
    figure.update_layout(**_LAYOUT, height=110 + 24 * len(known))
    figure.update_xaxes(title=metric_name(metric), **_GRID)
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure


def model_figure(shown: ModelOverview | MonitorReport) -> Figure:
    """Return performance above drift, on one time axis; drift alone where performance is not known yet."""
    from plotly.subplots import make_subplots

    if isinstance(shown, ModelOverview):
        s, series, drift = shown.summary, performance_series(shown), shown.drift
        champion = f"champion {s.champion}" if s.champion else "no champion"
        title = f"{s.name}: {s.health}, {champion}, open alerts: {s.open_alerts}"
    else:
        series, drift = report_series(shown), report_drift(shown)
        open_alerts = sum(alert.state == "open" for alert in shown.alerts)
        title = f"{shown.model}: {len(shown.windows)} windows of {shown.every}, open alerts: {open_alerts}"
    rows = min(len(drift.columns), MOST_FEATURES)
    if all(window.value is None and window.estimated is None for window in series.windows):
        return drift_figure(drift).update_layout(title=_plain(title), height=160 + 22 * rows)
    figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.08, row_heights=[260, 40 + 22 * rows])
    figure.add_traces(_lines(series), rows=1, cols=1)
    for n, heat in enumerate(_heats(drift)):
        heat.colorbar = {"title": "PSI, found" if n else "PSI", "len": 0.5, "y": 0.2, "x": 1.02 + 0.1 * n}
        figure.add_trace(heat, row=2, col=1)
    figure.update_layout(**_LAYOUT, height=400 + 22 * rows, title=_plain(title), showlegend=False)
    figure.update_xaxes(**_GRID)
    figure.update_yaxes(title=metric_name(series.metric), row=1, col=1, **_GRID)
    figure.update_yaxes(autorange="reversed", automargin=True, row=2, col=1)
    _mark(figure, series, "y domain")
    return figure


def _lines(series: Series) -> list[Any]:
    from plotly.graph_objects import Scatter

    series = sampled(series, MOST_POINTS)
    windows = series.windows
    times = [middle(window).isoformat() for window in windows]
    told = [
        f"{short_time(w.start)}, version {w.version}<br>{w.rows:,} rows, {w.labelled:,} with labels" for w in windows
    ]
    band = [
        *_band(times, [w.low for w in windows], [w.high for w in windows], palette.BLUE, "95 % interval"),
        *_band(
            times,
            [w.estimated_low for w in windows],
            [w.estimated_high for w in windows],
            palette.ORANGE,
            "interval of the estimate",
        ),
    ]
    estimates = [w.estimated for w in windows]
    if any(value is not None for value in estimates):
        line = {"color": palette.ORANGE, "dash": "dot", "width": 2}
        band.append(Scatter(x=times, y=estimates, name="estimated", mode="lines", line=line, connectgaps=False))
    return [
        Scatter(
            x=times,
            y=list(series.expected),
            name="reached when validated",
            mode="lines",
            line={"color": palette.GREY, "dash": "dash", "width": 1.5, "shape": "hv"},
            hoverinfo="skip",
        ),
        Scatter(
            x=times,
            y=list(series.values),
            name=metric_name(series.metric),
            mode="lines",
            connectgaps=False,
            line={"color": palette.BLUE, "width": 2},
            text=told,
            hovertemplate="%{text}<br>%{y:.3g}<extra></extra>",
        ),
        *band,
        *_beside(series),
    ]


def _beside(series: Series) -> list[Any]:
    """Return the same metric of versions whose predictions were not served, each as a dashed line."""
    from plotly.graph_objects import Scatter

    return [
        Scatter(
            x=[middle(window).isoformat() for window in windows],
            y=[window.value for window in windows],
            name=each.name,
            mode="lines",
            connectgaps=False,
            line={"color": BESIDE[n % len(BESIDE)][0], "width": 2, "dash": DASHES[n % len(DASHES)]},
            text=[f"{short_time(w.start)}, {each.name}<br>{w.rows:,} rows" for w in windows],
            hovertemplate="%{text}<br>%{y:.3g}<extra></extra>",
        )
        for n, (each, windows) in enumerate(lines_beside(series, MOST_POINTS))
    ]


def _band(times: list[str], low: list[float | None], high: list[float | None], colour: str, name: str) -> list[Any]:
    """Return a filled strip; plotly fills between two lines, and a gap is where a window has no interval."""
    from plotly.graph_objects import Scatter

    if all(value is None for value in low):
        return []
    shared: dict[str, Any] = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "connectgaps": False}
    edge = Scatter(x=times, y=low, showlegend=False, **shared)
    return [edge, Scatter(x=times, y=high, name=name, fill="tonexty", fillcolor=_clear(colour, 0.2), **shared)]


def _clear(colour: str, depth: float) -> str:
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {depth})"


def _heats(drift: DriftMap) -> list[Any]:
    """Return the figures without a finding in blue, and those with one in red."""
    names = drift.columns[:MOST_FEATURES]
    cells = buckets(drift, names, max(1, MOST_CELLS // max(1, len(names))))
    return [_heat(names, cells, False), _heat(names, cells, True)]


def _heat(names: Sequence[str], cells: Sequence[Bucket], found: bool) -> Any:
    from plotly.graph_objects import Heatmap

    (colour, least), (_, most) = shade(0.0, found), shade(DEEPEST, found)
    return Heatmap(
        x=[cell.start for cell in cells],
        y=[_plain(name) for name in names],
        z=[[_rounded(cell.values[name]) if cell.found[name] == found else None for cell in cells] for name in names],
        zmin=0,
        zmax=DEEPEST,
        colorscale=[[0, _clear(colour, least)], [1, _clear(colour, most)]],
        hoverongaps=False,
        hovertemplate=f"%{{y}}<br>%{{x}}<br>PSI %{{z:.3g}}{FOUND if found else NONE}<extra></extra>",
    )


def _mark(figure: Figure, series: Series, height: str) -> None:
    """Draw a dashed line, with its words, where another version began to serve."""
    for mark in series.marks:
        colour = palette.RED if mark.action == "rollback" else palette.GREEN
        figure.add_shape(
            type="line", x0=mark.at, x1=mark.at, y0=0, y1=1, yref=height, line={"color": colour, "dash": "dot"}
        )
        figure.add_annotation(
            x=mark.at,
            y=1.0,
            yref=height,
            yanchor="bottom",
            text=_plain(mark.words),
            hovertext=_plain(mark.reason),
            showarrow=False,
            font={"color": colour},
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _plain(text: str) -> str:
    """Return text as plotly shows it literally: it reads a subset of HTML everywhere."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
